//! Tasks whose rank died: retried as often as their options allow, then failed with the reason.
//!
//! A task may run twice: the dead rank may have finished it without its results arriving. Only the first results count.

use crate::base::sync::Ordering;
use crate::base::{Error, Rank, TaskId};
use crate::lineage::{Deaths, NextStart, Producer, ReconstructReason};
use crate::objects::AnySlot;
use crate::protocol::actors::caller::calls::on_call_finished;
use crate::protocol::actors::caller::handles::ActorRef;
use crate::protocol::environment::{Environment, Messenger};
use crate::protocol::recovery::Recovery;
use crate::protocol::tasks::remote_tasks::{RemoteTask, ResultDestination, RetryDecision};
use crate::protocol::{Message, WorkId};
use crate::registry::{FunctionKind, Options, Runnable, TaskHeader};
use std::sync::Arc;

/// How often a task is retried by default.
const RETRIES: u32 = 3;

/// How often a task with these options may be retried. A task that was sent to a certain rank cannot run on another
/// one.
pub fn retries_of(options: Option<&Options>, kind: FunctionKind) -> u32 {
    let moves = options.is_none_or(|options| options.just_rank().is_none() || options.retry_on_error == Some(true));
    if moves && kind == FunctionKind::Task {
        options.and_then(|options| options.max_retries).unwrap_or(RETRIES)
    } else {
        0
    }
}

impl Recovery {
    /// Retries or fails the tasks of this rank that were on `rank`, which died.
    pub fn retry_all_of(&self, env: &impl Environment, rank: Rank, error: &Error) {
        for number in env.protocol().tasks.remote.numbers_on(rank) {
            self.retry(env, number, rank, error);
        }
    }

    /// As `retry_all_of`, for one task.
    pub fn retry(&self, env: &impl Environment, number: u64, dead: Rank, error: &Error) {
        let blame = env.blame(dead, WorkId::Task(TaskId { owner: env.rank(), number }));
        let decision = env.protocol().tasks.remote.consume_retry(number, (dead, error), blame, env.rank());
        self.apply_retry(env, number, decision, error);
    }

    /// A task of this rank could not start where it was: its arguments were lost on the way there.
    pub(in crate::protocol) fn on_task_not_started(
        &self,
        env: &impl Environment,
        number: u64,
        hops: u32,
        error: &Error,
    ) {
        let decision = env.protocol().tasks.remote.consume_retry_on_loss(number, hops, env.rank());
        self.apply_retry(env, number, decision, error);
    }

    fn apply_retry(&self, env: &impl Environment, number: u64, decision: RetryDecision, error: &Error) {
        match decision {
            RetryDecision::Retry(remote, hops) => {
                self.send_task_finished(env, number, &remote);
                match next_rank(env, &remote.deaths, remote.options()) {
                    Ok(rank) => self.restart_task(env, (number, hops), &remote, rank),
                    Err(NoRank) => {
                        let Some(remote) = env.protocol().tasks.remote.take(number) else { return };
                        let error = remote.deaths.error(remote.name(), error);
                        fail_remote(env, number, remote, &error);
                    }
                }
            }
            RetryDecision::NotThere => {}
            RetryDecision::Fail(remote) => {
                self.send_task_finished(env, number, &remote);
                // Of one death, the error says already what ran there.
                let several = remote.deaths.count() > 1;
                let error = if several { remote.deaths.error(remote.name(), error) } else { error.clone() };
                fail_remote(env, number, remote, &error);
            }
        }
    }

    /// Tells the rank that got `Cancel` for a task of this rank that the task finished or is elsewhere: that rank may
    /// have forwarded the task before it got `Cancel`, and would otherwise remember the task for ever.
    pub(in crate::protocol) fn send_task_finished(&self, env: &impl Messenger, number: u64, remote: &RemoteTask) {
        if let Some(rank) = remote.cancel_sent_to {
            env.send(rank, &Message::TaskFinished { task: TaskId { owner: env.rank(), number } });
        }
    }

    /// A task failed by itself: retries it if its options say so; returns true if they do.
    pub(in crate::protocol) fn try_retry_on_error<'a>(
        &self,
        env: &impl Environment,
        number: u64,
        mut errors: impl Iterator<Item = Option<&'a Error>>,
    ) -> bool {
        // Every result holds the same failure.
        if !matches!(errors.next(), Some(Some(Error::Task { .. })))
            || !env.protocol().tasks.remote.retries_errors(number)
        {
            return false;
        }
        let Some((remote, hops)) = env.protocol().tasks.remote.consume_retry_on_error(number, env.rank()) else {
            return false;
        };
        let Ok(rank) = next_rank(env, &remote.deaths, remote.options()) else { return false };
        self.restart_task(env, (number, hops), &remote, rank);
        true
    }

    /// Retries a task of this rank, under the number that it has, on `rank` where that is given.
    fn restart_task(
        &self,
        env: &impl Environment,
        (number, hops): (u64, u32),
        remote: &RemoteTask,
        rank: Option<Rank>,
    ) {
        let id = TaskId { owner: env.rank(), number };
        let Some(args) = &remote.args else { return };
        let (entry, mut restarted) = match (&remote.results, &remote.lineage) {
            (ResultDestination::Task(task), _) => {
                let header = task.header();
                let Some(entry) = header.entry else { return };
                let mut restarted = TaskHeader::new(header.options.clone(), header.caller);
                restarted.stealable = header.stealable;
                restarted.number.store(header.number.load(Ordering::Relaxed), Ordering::Relaxed);
                (entry, restarted)
            }
            (ResultDestination::Reconstruction(_), Some(lineage)) => {
                let mut restarted = TaskHeader::new(lineage.options.clone(), lineage.caller);
                restarted.stealable = lineage.stealable;
                (lineage.entry, restarted)
            }
            (ResultDestination::Reconstruction(_), None) => return,
        };
        (restarted.origin, restarted.hops) = (Some(id), hops);
        match (entry.decode)(&args.bytes, args.attachments.clone(), restarted) {
            Ok(restarted) => self.relaunch(env, restarted, rank),
            Err(error) => env.protocol().tasks.send_failure(env, id, entry.returns, error),
        }
    }

    /// Reconstructs a lost or released result into `slot`; false if that is not possible.
    pub(in crate::protocol) fn reconstruct_into(
        &self,
        env: &impl Environment,
        producer: &Producer,
        slot: Arc<dyn AnySlot>,
        why: ReconstructReason,
    ) -> bool {
        let lineage = &producer.lineage;
        let in_progress = lineage.reconstruction.load(Ordering::Acquire);
        if in_progress != 0 && env.protocol().tasks.remote.attach(in_progress, producer.index, &slot) {
            return true;
        }
        let Some(retries) = lineage.try_use(why) else { return false };
        let Some(args) = lineage.arguments(&mut |argument| self.reconstruct_input(env, argument, why)) else {
            return false;
        };
        let number =
            env.protocol().tasks.remote.insert_reconstruction(env.rank(), lineage.clone(), Arc::new(args), retries);
        lineage.reconstruction.store(number, Ordering::Release);
        env.protocol().tasks.remote.attach(number, producer.index, &slot);
        let Some(remote) = env.protocol().tasks.remote.get(number) else { return true };
        match next_rank(env, &remote.deaths, remote.options()) {
            Ok(rank) => self.restart_task(env, (number, 1), &remote, rank),
            Err(NoRank) => {
                env.protocol().tasks.remote.take(number);
                return false;
            }
        }
        true
    }

    /// Reconstructs an object that has no reference left, as an input of another reconstruction.
    fn reconstruct_input(
        &self,
        env: &impl Environment,
        producer: &Producer,
        why: ReconstructReason,
    ) -> Option<Arc<dyn AnySlot>> {
        let lineage = &producer.lineage;
        lineage.try_use(why)?;
        let args = lineage.arguments(&mut |argument| self.reconstruct_input(env, argument, why))?;
        let rank = next_rank(env, &lineage.deaths(), lineage.options.as_deref()).ok()?;
        let header = TaskHeader::new(lineage.options.clone(), lineage.caller);
        let task = (lineage.entry.decode)(&args.bytes, args.attachments, header).ok()?;
        let slot = task.clone().slots().get(producer.index).cloned();
        self.relaunch(env, task, rank);
        slot
    }

    /// Starts a task on `rank`, or where its options say.
    fn relaunch(&self, env: &impl Environment, task: Arc<dyn Runnable>, rank: Option<Rank>) {
        let of_options = || {
            task.header().options.as_deref().map_or(Ok(None), |options| env.select_rank(options, task.header().name()))
        };
        let selected = rank.map_or_else(of_options, |rank| Ok(Some(rank)));
        match selected {
            Ok(Some(rank)) if rank != env.rank() => {
                if task.header().claim_waiting() {
                    env.protocol().tasks.send(env, &task, rank, None);
                }
            }
            Ok(_) => env.protocol().tasks.launch_here(env, task),
            Err(error) => env.protocol().tasks.fail(env, &task, error),
        }
    }
}

/// No rank is left on which a task may start again.
struct NoRank;

/// Where a task is to start again after these deaths; `None` for where its options say. Sent to a rank, it stays there:
/// no other rank steals it.
fn next_rank(env: &impl Environment, deaths: &Deaths, options: Option<&Options>) -> Result<Option<Rank>, NoRank> {
    let elsewhere = || env.select_rank_without(options, [0, env.rank()]);
    let is_bound = options.is_some_and(|options| options.bundle_slot().is_some());
    match deaths.next_start(is_bound) {
        NextStart::Anywhere => Ok(None),
        NextStart::PreferablyElsewhere => Ok(elsewhere()),
        NextStart::Elsewhere => elsewhere().map(Some).ok_or(NoRank),
        NextStart::Nowhere => Err(NoRank),
    }
}

/// Fails a task that is not retried.
fn fail_remote(env: &impl Environment, number: u64, remote: RemoteTask, error: &Error) {
    let results = remote.results;
    let error = match &results {
        ResultDestination::Task(task) => {
            // The error needs the label of the actor, which the call then releases. The route must not retain the call:
            // it may hold its own actor.
            let error = unretryable_error(task, error);
            on_call_finished(env, number, task);
            error
        }
        ResultDestination::Reconstruction(_) => error.clone(),
    };
    env.report_failure(error.clone());
    let error = Arc::new(error);
    match results {
        ResultDestination::Task(task) => task.fail(error),
        ResultDestination::Reconstruction(slots) => slots.iter().flatten().for_each(|slot| slot.fail(error.clone())),
    }
}

/// The error of a task that cannot be retried: for a call of an actor, that the actor ended.
fn unretryable_error(task: &Arc<dyn Runnable>, error: &Error) -> Error {
    let kind = task.header().entry.map_or(FunctionKind::Task, |entry| entry.kind);
    if kind == FunctionKind::Task {
        return error.clone();
    }
    let target = task.header().target().and_then(|target| target.downcast::<ActorRef>().ok());
    let actor = target.map_or_else(|| task.header().name().to_string(), |actor| actor.label.clone());
    Error::ActorDied { actor, reason: error.to_string() }
}
