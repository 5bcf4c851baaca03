//! The table of this rank's tasks that run on other ranks.

mod awaited_ranks;

use crate::base::spin_lock::{SpinLock, SpinLockGuard};
use crate::base::sync::{AtomicU64, Ordering};
use crate::base::{Error, Rank, TaskId};
use crate::lineage::{Blame, Deaths, Lineage};
use crate::objects::{AnySlot, SerializedValue};
use crate::registry::{Options, Runnable};
use crate::rpc::{CallSlots, is_short};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Where the results of a task go.
#[derive(Clone)]
pub enum ResultDestination {
    /// To that task's own results.
    Task(Arc<dyn Runnable>),
    /// To these results of a task that finished long ago, which are being reconstructed.
    Reconstruction(Vec<Option<Arc<dyn AnySlot>>>),
}

impl ResultDestination {
    /// The destination of the first result; `None` if that result is not needed.
    pub fn first(&self) -> Option<Arc<dyn AnySlot>> {
        match self {
            ResultDestination::Task(task) => {
                task.clone().only_slot().or_else(|| task.clone().slots().into_iter().next())
            }
            ResultDestination::Reconstruction(slots) => slots.first().cloned().flatten(),
        }
    }

    /// The destinations of the results, by index; `None` for those that are not needed.
    pub fn slots(&self) -> Vec<Option<Arc<dyn AnySlot>>> {
        match self {
            ResultDestination::Task(task) => task.clone().slots().into_iter().map(Some).collect(),
            ResultDestination::Reconstruction(slots) => slots.clone(),
        }
    }
}

/// A task of this rank that runs on another rank, or came back to this one under its number.
#[derive(Clone)]
pub struct RemoteTask {
    /// Where its results go.
    pub results: ResultDestination,
    /// The rank that has it.
    to: Rank,
    /// The rank that forwarded it, if that was not this rank: if that rank dies, the task may never have arrived.
    via: Option<Rank>,
    /// How often it was forwarded or retried, as far as this rank knows.
    hops: u32,
    /// Its arguments, for a retry; `None` if it is never retried.
    pub args: Option<Arc<SerializedValue>>,
    /// How often it may still be retried.
    pub retries: u32,
    /// The rank that was told that the task is cancelled.
    pub cancel_sent_to: Option<Rank>,
    /// The lineage that it follows, if it reconstructs lost results.
    pub lineage: Option<Arc<Lineage>>,
    /// The ranks that died while it may have run there.
    pub deaths: Deaths,
    /// True for a call of an actor that can be restarted: then the actor's route tracks it.
    has_route: bool,
}

impl RemoteTask {
    /// A task that is never retried.
    fn new(results: ResultDestination, to: Rank) -> RemoteTask {
        RemoteTask {
            results,
            to,
            via: None,
            hops: 0,
            args: None,
            retries: 0,
            cancel_sent_to: None,
            lineage: None,
            deaths: Deaths::default(),
            has_route: false,
        }
    }

    /// A task that can be retried with `args`.
    pub(in crate::protocol) fn retryable(
        task: Arc<dyn Runnable>,
        to: Rank,
        args: Option<Arc<SerializedValue>>,
        retries: u32,
    ) -> RemoteTask {
        RemoteTask { args, retries, ..RemoteTask::new(ResultDestination::Task(task), to) }
    }

    fn of_short(call: SentCall) -> RemoteTask {
        RemoteTask::new(ResultDestination::Task(call.task), call.to)
    }

    /// A rank died while it may have run there.
    fn add_death(&mut self, rank: Rank, blame: Blame, error: &Error) {
        self.deaths.add(rank, blame, error);
        if let Some(lineage) = &self.lineage {
            lineage.add_death(rank, blame, error);
        }
    }

    /// The name that errors have for it.
    pub fn name(&self) -> &str {
        match (&self.results, &self.lineage) {
            (ResultDestination::Task(task), _) => task.header().name(),
            (ResultDestination::Reconstruction(_), Some(lineage)) => lineage.entry.name,
            (ResultDestination::Reconstruction(_), None) => "",
        }
    }

    /// What it requests.
    pub fn options(&self) -> Option<&Options> {
        match (&self.results, &self.lineage) {
            (ResultDestination::Task(task), _) => task.header().options.as_deref(),
            (ResultDestination::Reconstruction(_), lineage) => lineage.as_ref()?.options.as_deref(),
        }
    }

    /// True if the task is lost when that rank dies.
    fn may_be_on(&self, rank: Rank) -> bool {
        self.to == rank || self.via == Some(rank)
    }
}

/// What to do about a task whose rank died.
pub enum RetryDecision {
    /// Nothing: it finished, or was on another rank by then.
    NotThere,
    /// Retry it. The number counts its hops, this one included.
    Retry(RemoteTask, u32),
    /// Fail it: it may not be retried.
    Fail(RemoteTask),
}

/// The tasks of this rank that run on other ranks, by number.
#[derive(Default)]
pub struct RemoteTasks {
    next: AtomicU64,
    tasks: SpinLock<FxHashMap<u64, RemoteTask>>,
    /// Calls of the short path. They move to `tasks` when anything but their results comes: under the lock of that, so
    /// that a result finds them in one of the two.
    short: CallSlots<SentCall>,
}

/// A call that was sent by the short path.
struct SentCall {
    task: Arc<dyn Runnable>,
    to: Rank,
}

impl RemoteTasks {
    /// The tasks, those of the short path among them.
    fn all(&self) -> SpinLockGuard<'_, FxHashMap<u64, RemoteTask>> {
        let mut tasks = self.tasks.lock();
        let short = self.short.take_all();
        tasks.extend(short.into_iter().map(|(number, call)| (number, RemoteTask::of_short(call))));
        tasks
    }

    /// The tasks, the one of that number among them, if there is one.
    fn with(&self, number: u64) -> SpinLockGuard<'_, FxHashMap<u64, RemoteTask>> {
        if is_short(number) { self.all() } else { self.tasks.lock() }
    }

    /// Inserts a call that is sent to `to` by the short path, and returns its number.
    #[inline]
    pub(super) fn insert_short(&self, task: Arc<dyn Runnable>, to: Rank) -> u64 {
        self.short.insert(SentCall { task, to })
    }

    /// Removes a call of the short path that finished; `None` if it moved to the other tasks, or is not known any more.
    #[inline]
    pub(super) fn take_short(&self, number: u64) -> Option<Arc<dyn Runnable>> {
        self.short.take(number).map(|call| call.task)
    }

    pub(in crate::protocol) fn insert(&self, remote: RemoteTask) -> u64 {
        let number = self.fresh_number();
        self.tasks.lock().insert(number, remote);
        number
    }

    /// Inserts a call that its actor's route tracks.
    pub(in crate::protocol) fn insert_call(&self, task: Arc<dyn Runnable>, to: Rank) -> u64 {
        let results = ResultDestination::Task(task);
        self.insert(RemoteTask { has_route: true, ..RemoteTask::new(results, to) })
    }

    /// A number for a task whose results are not needed.
    pub(in crate::protocol) fn fresh_number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Inserts the reconstruction of a task's results on this rank, and returns its number.
    pub fn insert_reconstruction(
        &self,
        here: Rank,
        lineage: Arc<Lineage>,
        args: Arc<SerializedValue>,
        retries: u32,
    ) -> u64 {
        let results = ResultDestination::Reconstruction(Vec::new());
        let deaths = lineage.deaths();
        let lineage = Some(lineage);
        self.insert(RemoteTask { args: Some(args), retries, lineage, deaths, ..RemoteTask::new(results, here) })
    }

    /// Directs result `index` of the reconstruction with that number to `slot`; false if it has finished.
    pub fn attach(&self, number: u64, index: usize, slot: &Arc<dyn AnySlot>) -> bool {
        let mut tasks = self.tasks.lock();
        let Some(ResultDestination::Reconstruction(slots)) = tasks.get_mut(&number).map(|remote| &mut remote.results)
        else {
            return false;
        };
        if slots.len() <= index {
            slots.resize_with(index + 1, || None);
        }
        slots[index] = Some(slot.clone());
        true
    }

    /// The task with that number, until it finishes.
    pub fn get(&self, number: u64) -> Option<RemoteTask> {
        self.with(number).get(&number).cloned()
    }

    /// True if that task is also retried when it fails by itself.
    pub fn retries_errors(&self, number: u64) -> bool {
        // Calls of the short path are never retried.
        self.tasks.lock().get(&number).is_some_and(|remote| match &remote.results {
            ResultDestination::Task(task) => {
                task.header().options.as_ref().is_some_and(|options| options.retry_on_error == Some(true))
            }
            ResultDestination::Reconstruction(_) => false,
        })
    }

    /// Removes a task that finished.
    pub fn take(&self, number: u64) -> Option<RemoteTask> {
        let short = if is_short(number) { self.short.take(number) } else { None };
        short.map(RemoteTask::of_short).or_else(|| self.tasks.lock().remove(&number))
    }

    /// Records that the task is on `to` after so many hops; false if it finished, or newer information is recorded.
    pub(in crate::protocol) fn update_location(&self, number: u64, to: Rank, hops: u32, via: Option<Rank>) -> bool {
        let mut tasks = self.with(number);
        let Some(remote) = tasks.get_mut(&number).filter(|remote| remote.hops < hops) else { return false };
        (remote.to, remote.hops, remote.via) = (to, hops, via);
        true
    }

    /// The number of tasks.
    pub fn len(&self) -> usize {
        self.tasks.lock().len() + self.short.len()
    }

    /// Forgets everything at shutdown. Returns what the caller is to drop.
    pub fn clear(&self) -> impl Sized + use<> {
        std::mem::take(&mut *self.all())
    }

    /// The rank that has a task, and the task's id.
    pub fn find(&self, me: Rank, task: &Arc<dyn Runnable>) -> Option<(Rank, TaskId)> {
        self.all()
            .iter()
            .find(|(_, remote)| matches!(&remote.results, ResultDestination::Task(own) if Arc::ptr_eq(own, task)))
            .map(|(number, remote)| (remote.to, TaskId { owner: me, number: *number }))
    }

    /// True if there are any.
    pub fn any(&self) -> bool {
        self.len() > 0
    }

    /// Marks a task as cancelled. Returns the rank that has it, as far as this rank knows, which is to be told.
    pub(super) fn cancel(&self, me: Rank, task: &Arc<dyn Runnable>) -> Option<(Rank, TaskId)> {
        let mut tasks = self.all();
        let (number, remote) = tasks
            .iter_mut()
            .find(|(_, remote)| matches!(&remote.results, ResultDestination::Task(own) if Arc::ptr_eq(own, task)))?;
        remote.cancel_sent_to = Some(remote.to);
        Some((remote.to, TaskId { owner: me, number: *number }))
    }

    /// The tasks that are on `rank`, or were forwarded by it, the oldest first; then those of the short path.
    pub fn numbers_on(&self, rank: Rank) -> Vec<u64> {
        let there = |remote: &RemoteTask| remote.may_be_on(rank) && !remote.has_route;
        let tasks = self.all();
        let mut numbers: Vec<u64> =
            tasks.iter().filter(|(_, remote)| there(remote)).map(|(number, _)| *number).collect();
        drop(tasks);
        numbers.sort_unstable();
        numbers
    }

    /// A task failed by itself: consumes a retry on `here`, if it has one.
    pub fn consume_retry_on_error(&self, number: u64, here: Rank) -> Option<(RemoteTask, u32)> {
        let mut tasks = self.with(number);
        let remote = tasks.get_mut(&number).filter(|remote| remote.args.is_some())?;
        remote.retries = remote.retries.checked_sub(1)?;
        (remote.to, remote.via, remote.hops) = (here, None, remote.hops + 1);
        Some((remote.clone(), remote.hops))
    }

    /// Decides about a task when `dead` died of that error, in which the task has that part; a retry starts on `here`.
    /// Decided once for each death.
    pub fn consume_retry(&self, number: u64, (dead, error): (Rank, &Error), blame: Blame, here: Rank) -> RetryDecision {
        let is_there = |remote: &mut RemoteTask| {
            let is_there = remote.may_be_on(dead);
            // The rank that forwarded it did not run it.
            if is_there && remote.to == dead {
                remote.add_death(dead, blame, error);
            }
            is_there
        };
        self.consume_if(number, here, is_there)
    }

    /// Decides about a task that could not start where it was after so many hops.
    pub fn consume_retry_on_loss(&self, number: u64, hops: u32, here: Rank) -> RetryDecision {
        self.consume_if(number, here, |remote| remote.hops <= hops)
    }

    fn consume_if(&self, number: u64, here: Rank, is_there: impl Fn(&mut RemoteTask) -> bool) -> RetryDecision {
        let mut tasks = self.with(number);
        let Some(remote) = tasks.get_mut(&number) else { return RetryDecision::NotThere };
        if !is_there(remote) {
            return RetryDecision::NotThere;
        }
        let left = remote.retries.checked_sub(1).filter(|_| remote.args.is_some());
        let Some(left) = left else {
            return tasks.remove(&number).map_or(RetryDecision::NotThere, RetryDecision::Fail);
        };
        (remote.retries, remote.to, remote.via, remote.hops) = (left, here, None, remote.hops + 1);
        RetryDecision::Retry(remote.clone(), remote.hops)
    }
}
