//! Bulk reads for which there is no room in this rank's store: they wait as `put` does, and nobody who looks at the roads waits
//! with them.
//!
//! A thread that is there only while any wait goes through the same steps for them: copies that nobody uses leave, then what can
//! be had again, then what must be written. Whichever fits begins, so that a small one which others wait for is not kept behind a
//! large one; blocks leave the store for the one that has waited longest.

use crate::base::sync::lock;
use crate::base::{Error, Result};
use crate::runtime::Runtime;
use crate::runtime::event::Event;
use crate::runtime::room::{LOOK, WaitInWords, acting};
use crate::store::Source;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Instant;

/// A read that has no block yet.
struct Roomless {
    /// The protocol's name for what is read.
    token: u64,
    bytes: usize,
    sources: Vec<Source>,
    since: Instant,
    _in_words: WaitInWords<'static>,
}

/// The reads that wait for room.
#[derive(Default)]
pub struct RoomlessReads(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    reads: VecDeque<Roomless>,
    /// A thread sees to them.
    is_served: bool,
}

impl Runtime {
    /// Begins to read where there is room: now, or when there is.
    ///
    /// # Errors
    /// `StoreFull` where there never will be. Later the protocol is told so.
    pub(super) fn pull_when_room(&'static self, token: u64, bytes: usize, sources: &[Source]) -> Result<()> {
        let arena = self.arena().ok_or_else(|| Error::no_cluster("an allocation"))?;
        if let Some(block) = arena.allocate(bytes) {
            self.pull(token, sources, block);
            return Ok(());
        }
        if arena.footprint(bytes).is_none() {
            return Err(self.store_full(bytes as u64));
        }
        let words = format!(
            "{} of rank {} waits for room for {bytes} bytes in the store",
            sources[0].block, sources[0].block.owner
        );
        let in_words = self.room.wait_in_words(words);
        let read = Roomless { token, bytes, sources: sources.to_vec(), since: Instant::now(), _in_words: in_words };
        let begins = {
            let mut queue = lock(&self.roomless.0);
            queue.reads.push_back(read);
            !std::mem::replace(&mut queue.is_served, true)
        };
        if begins {
            let serve = move || acting(|| self.serve_roomless());
            if std::thread::Builder::new().name(format!("mobula-{}-room", self.rank)).spawn(serve).is_err() {
                let mut queue = lock(&self.roomless.0);
                queue.is_served = false;
                queue.reads.retain(|read| read.token != token);
                return Err(self.store_full(bytes as u64));
            }
        }
        Ok(())
    }

    /// Sees to the reads that wait, until none does.
    fn serve_roomless(&'static self) {
        while !self.stopping() {
            let event = Event::of_thread(1);
            self.tell_of_room(&event);
            let any_left_the_queue = self.try_roomless();
            let first_bytes = {
                let mut queue = lock(&self.roomless.0);
                let Some(first) = queue.reads.front() else {
                    queue.is_served = false;
                    return;
                };
                first.bytes
            };
            if any_left_the_queue {
                continue;
            }
            self.pressure.rise();
            self.ask_borrowers(first_bytes as u64);
            if event.fall_asleep() {
                std::thread::park_timeout(LOOK);
            }
            event.end();
        }
    }

    /// Begins what has room by now, and gives up what has waited long enough; whether there was any.
    fn try_roomless(&'static self) -> bool {
        let reads = std::mem::take(&mut lock(&self.roomless.0).reads);
        let (all, mut left) = (reads.len(), VecDeque::new());
        for read in reads {
            let block = if left.is_empty() {
                self.look_for_room(read.bytes, read.since)
            } else {
                self.arena().and_then(|arena| arena.allocate(read.bytes))
            };
            match block {
                Some(block) => self.pull(read.token, &read.sources, block),
                None if read.since.elapsed() < self.config.store_wait => left.push_back(read),
                None => self.protocol.pulled(&self, read.token, Err(self.store_full(read.bytes as u64))),
            }
        }
        let some = left.len() < all;
        let mut queue = lock(&self.roomless.0);
        left.append(&mut queue.reads);
        queue.reads = left;
        some
    }
}
