//! Tasks and results that arrive from other ranks.

use crate::base::sync::Ordering;
use crate::base::{Error, Rank};
use crate::protocol::environment::Environment;
use crate::protocol::objects::fetch::missing::FetchedBlocks;
use crate::protocol::objects::value_encoding::decode_value;
use crate::protocol::tasks::Tasks;
use crate::protocol::{Message, WireTask, WireValue};
use crate::registry::{FunctionKind, TaskHeader};

/// How often a task may be forwarded. A victim retains what its own workers are about to take (`stealing`), so few
/// tasks come near this; it bounds how long ranks can pass a task to and fro.
const HOPS_MAX: u32 = 20;

impl Tasks {
    /// A task arrived that is to run here.
    pub(in crate::protocol) fn on_arrived(
        &self,
        env: &impl Environment,
        from: Rank,
        wire_task: WireTask<'_>,
        fetched: &FetchedBlocks,
    ) {
        let args = decode_value(env, &wire_task.args, from, fetched);
        let options = wire_task.options.map(|options| Box::new(options.into()));
        let mut header = TaskHeader::new(options, wire_task.caller);
        header.origin = Some(wire_task.task);
        (header.stealable, header.hops) = (wire_task.stealable && wire_task.hops < HOPS_MAX, wire_task.hops);
        self.on_task_received(env, wire_task.task, wire_task.hops);
        header.number.store(wire_task.number, Ordering::Relaxed);
        let Some(entry) = env.table_entry(wire_task.function) else {
            let error =
                Error::config(format!("rank {} has no function with the key {:#x}", env.rank(), wire_task.function));
            return self.send_failure(env, wire_task.task, 1, error);
        };
        let args = match args {
            Ok(args) => args,
            Err(error) => {
                // The rank that sent or stored them is dead: the owner may still have them.
                self.cancelled.remove(wire_task.task);
                if let (FunctionKind::New, Some(target)) = (entry.kind, wire_task.actor) {
                    env.protocol().actors.instance.fail_construction(env, target, &error);
                }
                let not_started = Message::TaskNotStarted { task: wire_task.task.number, hops: wire_task.hops, error };
                return env.send(wire_task.task.owner, &not_started);
            }
        };
        let (bytes, attachments) = args.into_parts();
        match (entry.decode)(&bytes, attachments, header) {
            Err(error) => {
                if let (FunctionKind::New, Some(target)) = (entry.kind, wire_task.actor) {
                    env.protocol().actors.instance.fail_construction(env, target, &error);
                }
                self.send_failure(env, wire_task.task, entry.returns, error);
            }
            Ok(task) => match (entry.kind, wire_task.actor) {
                (FunctionKind::New, Some(target)) => {
                    env.protocol().actors.instance.build(env, target.actor, target.incarnation, task)
                }
                (FunctionKind::Method, Some(target)) => {
                    env.protocol().actors.instance.call(env, target, (from, wire_task.caller), task)
                }
                _ => self.launch_here(env, task),
            },
        }
    }

    /// A task of this rank finished on another rank.
    pub(in crate::protocol) fn on_done(
        &self,
        env: &impl Environment,
        (from, fetched): (Rank, &FetchedBlocks),
        number: u64,
        results: Vec<Result<WireValue<'_>, Error>>,
    ) {
        if env.protocol().recovery.try_retry_on_error(env, number, results.iter().map(|result| result.as_ref().err())) {
            return;
        }
        let remote = self.remote.take(number);
        remote.iter().for_each(|remote| self.on_results(env, number, remote));
        let slots = remote.as_ref().map_or_else(Vec::new, |remote| remote.results.slots());
        for (index, result) in results.into_iter().enumerate() {
            // References in the results are counted even if the task is not known any more.
            let slot = slots.get(index).cloned().flatten();
            let producer =
                || remote.as_ref().and_then(|remote| env.protocol().recovery.producer_of(env, remote, index));
            env.protocol().objects.resolve(env, (from, fetched), slot, result, producer);
        }
    }
}
