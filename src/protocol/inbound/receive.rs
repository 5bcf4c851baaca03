//! Messages from other ranks: decoded, completed with blocks from other hosts, and handled.
//!
//! A message that names blocks which are not mapped here is deferred, with everything that its sender sends after it,
//! until the blocks are fetched. So the order of messages between two ranks (TRANSPORT-1) also holds for their effects,
//! but for results and calls of functions of the short path, which may overtake deferred ones. Calls of actors may not.

use crate::base::log::{Level, log};
use crate::base::panic::catch;
use crate::base::{Error, ObjectId, Rank};
use crate::objects::ArrayMemory;
use crate::protocol::environment::{Environment, Messenger};
use crate::protocol::inbound::deferred::DeferredMessages;
use crate::protocol::inbound::fragments::Fragments;
use crate::protocol::inbound::missing_blocks::missing_blocks;
use crate::protocol::objects::fetch::blocks::FetchPurpose;
use crate::protocol::objects::fetch::missing::FetchedBlocks;
use crate::protocol::wire::header::ReceiveSequence;
use crate::protocol::wire::message::InvalidMessage;
use crate::protocol::{Message, WireTask};
use crate::rpc::{ShortCall, ShortReturn};
use std::sync::Arc;

/// How messages come in.
pub struct Inbound {
    pub(in crate::protocol) sequence: ReceiveSequence,
    pub(in crate::protocol) deferred: DeferredMessages,
    pub(in crate::protocol) fragments: Fragments,
}

/// A `StealReply` as messages of one task each.
fn split_steal_reply(stolen: Vec<WireTask<'_>>, sent_ahead: u32, is_response: bool) -> Vec<Vec<u8>> {
    let sent_ahead = sent_ahead + stolen.len() as u32;
    let last = Message::StealReply { tasks: Vec::new(), sent_ahead, is_response };
    stolen.into_iter().map(Message::Task).chain([last]).map(|message| message.encode(Vec::new())).collect()
}

impl Inbound {
    /// For a cluster of `size` ranks.
    pub fn new(size: u32) -> Inbound {
        Inbound {
            sequence: ReceiveSequence::new(size),
            deferred: DeferredMessages::default(),
            fragments: Fragments::default(),
        }
    }

    /// Processes what `from` sent, if it is alive. Until this ends, no owner is told that messages of the dead rank are
    /// drained.
    fn process_if_alive(&self, env: &impl Environment, from: Rank, process_message: impl FnOnce()) {
        let sender = self.sequence.sender(from);
        sender.begin_processing();
        let alive = !env.is_dead(from);
        if alive {
            process_message();
        }
        sender.end_processing();
        if env.is_dead(from) {
            env.protocol().recovery.process_pending_drains(env);
        }
        if !alive {
            env.notify_declared_dead(from);
        }
    }

    /// Handles a message without its header, of a living rank or of this one.
    pub fn handle(&self, env: &impl Environment, from: Rank, bytes: &[u8]) {
        // Messages of the short path name no block, and no order is promised for what they do, but for calls of actors.
        if let Some(call) = ShortCall::decode(bytes)
            && call.target.is_none_or(|target| target.actor.owner < env.size())
        {
            if call.target.is_none() || !self.deferred.defer_behind(from, bytes) {
                guarded(env, from, || env.protocol().tasks.on_short_call(env, from, call));
            }
            return;
        }
        if let Some(answer) = ShortReturn::decode(bytes) {
            return guarded(env, from, || env.protocol().tasks.on_short_return(env, from, answer));
        }
        let Some(message) = self.decode_checked(env, from, bytes) else { return };
        // Messages about copies bring the blocks that others are deferred for, perhaps those of the same sender.
        if message.is_link_control() || matches!(message, Message::Copy(_)) {
            return self.process_message(env, from, message, &FetchedBlocks::default());
        }
        // Messages of a peer whose store is mapped are never deferred, unless they name blocks of a third rank.
        if self.deferred.defer_behind(from, bytes) {
            return;
        }
        if let Message::Fragment { number, is_last, bytes } = message {
            if let Some(whole) = self.add_fragment(env, from, (number, is_last), bytes.0) {
                self.handle(env, from, &whole);
            }
        } else if self.has_all_blocks(env, &message) {
            self.process_message(env, from, message, &FetchedBlocks::default());
        } else {
            self.deferred.defer(from, bytes);
            self.process_deferred(env, from);
        }
    }

    fn decode_checked<'a>(&self, env: &impl Messenger, from: Rank, bytes: &'a [u8]) -> Option<Message<'a>> {
        let checked = Message::decode(bytes).and_then(|message| match message.highest_rank() {
            rank if rank < env.size() => Ok(message),
            rank => Err(InvalidMessage::UnknownRank { rank, size: env.size() }),
        });
        match checked {
            Ok(message) => Some(message),
            Err(reason) => {
                log(Level::Error, || {
                    format!("rank {} dropped an invalid message of rank {from}: {reason}", env.rank())
                });
                None
            }
        }
    }

    /// A message that is refused ends the link, so that none is lost unnoticed.
    fn add_fragment(
        &self,
        env: &impl Environment,
        from: Rank,
        (number, is_last): (u64, bool),
        bytes: &[u8],
    ) -> Option<Vec<u8>> {
        self.fragments.add(from, number, is_last, bytes).unwrap_or_else(|refused| {
            env.report_link_failure(from, &refused.to_string());
            None
        })
    }

    /// True if every block that the message names can be read here. Most messages name none.
    fn has_all_blocks(&self, env: &impl Environment, message: &Message<'_>) -> bool {
        !env.protocol().objects.has_unmapped_stores
            || missing_blocks(env, message, &FetchedBlocks::default()).is_empty()
    }

    /// Processes the deferred messages of `from` until one lacks a block.
    fn process_deferred(&self, env: &impl Environment, from: Rank) {
        while let Some((bytes, fetched)) = self.deferred.next(from) {
            let Some(message) = self.decode_checked(env, from, &bytes) else {
                self.deferred.finish_first(from);
                continue;
            };
            if let Message::Fragment { number, is_last, bytes } = message {
                match self.add_fragment(env, from, (number, is_last), bytes.0) {
                    // It takes the place of its last fragment.
                    Some(whole) => self.deferred.replace_first(from, vec![whole]),
                    None => self.deferred.finish_first(from),
                }
                continue;
            }
            let missing = missing_blocks(env, &message, &fetched);
            if missing.is_empty() {
                self.process_message(env, from, message, &fetched);
                self.deferred.finish_first(from);
                continue;
            }
            if let Message::StealReply { tasks: stolen, sent_ahead, is_response } = message
                && !stolen.is_empty()
            {
                // One by one: the first can start while blocks of the others are fetched.
                self.deferred.replace_first(from, split_steal_reply(stolen, sent_ahead, is_response));
                continue;
            }
            self.deferred.set_missing(from, missing.len());
            for (address, shared) in missing {
                env.protocol().objects.copies.fetch(env, address, shared, FetchPurpose::Message(from));
            }
        }
    }

    /// A block for the first deferred message of `from` was fetched, or cannot be.
    pub(in crate::protocol) fn on_message_block(
        &self,
        env: &impl Environment,
        from: Rank,
        id: ObjectId,
        memory: Result<Arc<dyn ArrayMemory>, Error>,
    ) {
        self.deferred.on_block(from, id, memory);
        self.process_if_alive(env, from, || self.process_deferred(env, from));
    }

    fn process_message(&self, env: &impl Environment, from: Rank, message: Message<'_>, fetched: &FetchedBlocks) {
        guarded(env, from, || env.protocol().dispatch(env, from, message, fetched));
    }
}

/// Processes a message. A panic in user code (a `Drop`, a `Deserialize`, a waker) is logged and not propagated.
#[inline]
fn guarded(env: &impl Messenger, from: Rank, process: impl FnOnce()) {
    if let Err(panic) = catch(process) {
        log(Level::Error, || {
            format!(
                "rank {}: user code panicked while a message of rank {from} was handled: {}",
                env.rank(),
                panic.text()
            )
        });
    }
}
