//! Each message goes to the part that handles it.

use crate::base::Rank;
use crate::protocol::environment::Environment;
use crate::protocol::objects::fetch::missing::FetchedBlocks;
use crate::protocol::objects::value_encoding::decode_value;
use crate::protocol::{Message, Protocol};

impl Protocol {
    /// Handles a message whose blocks can be read here.
    pub(super) fn dispatch(&self, env: &impl Environment, from: Rank, message: Message<'_>, fetched: &FetchedBlocks) {
        match message {
            Message::Task(wire_task) => self.tasks.on_arrived(env, from, wire_task, fetched),
            Message::CompactTask(call) => self.tasks.on_arrived(env, from, call.expand(from), fetched),
            Message::ShortCall(call) => self.tasks.on_short_call(env, from, call),
            Message::ShortReturn(answer) => self.tasks.on_short_return(env, from, answer),
            Message::Return { task, value } => self.tasks.on_return(env, task, value.0),
            Message::Done { task, results } => self.tasks.on_done(env, (from, fetched), task, results),
            Message::TaskNotStarted { task, hops, error } => self.recovery.on_task_not_started(env, task, hops, &error),
            Message::Fetch { object, without } => self.objects.on_fetch(env, from, object, without),
            Message::Value { object, value } => self.objects.on_value(env, from, object, value),
            Message::Copy(copy) => self.objects.copies.on_message(env, from, copy),
            Message::Count(count) => self.recovery.on_count(env, from, count),
            Message::Steal { remember } => self.stealing.on_request(env, from, remember),
            Message::StealReply { tasks: stolen, sent_ahead, is_response } => {
                let tasks = stolen.len() + sent_ahead as usize;
                stolen.into_iter().for_each(|wire_task| self.tasks.on_arrived(env, from, wire_task, fetched));
                self.stealing.on_reply(env, tasks, is_response);
            }
            Message::Cancel { task } => self.tasks.cancelled.insert(task),
            Message::TaskFinished { task } => self.tasks.cancelled.remove(task),
            Message::Actor { actor, message } => self.actors.on_message(env, from, actor, message, fetched),
            Message::NameSet { token, name, kind, handle } => {
                self.names.on_set(env, from, token, (name, kind), &handle);
            }
            Message::NameGet { token, name, kind } => self.names.on_get(env, from, token, &name, &kind),
            Message::NameFree { name, actor } => self.names.free(&name, actor),
            Message::NameReply { token, handle } => self.names.on_reply(env, from, token, handle),
            Message::Response { token, response } => {
                let response =
                    decode_value(env, &response, from, fetched).map(|response| response.into_serialized().bytes);
                env.on_response(token, response);
            }
            Message::TasksMoved { tasks, to } => self.tasks.on_moved(env, from, &tasks, to),
            Message::Reclaim { blocks } => self.objects.on_reclaim(env, from, blocks),
            Message::ReclaimRefused { blocks } => self.objects.on_reclaim_refused(env, &blocks),
            other => env.handle_other(from, other),
        }
    }
}
