//! Tasks between ranks: sent away, over, cancelled.

use crate::base::limits::INLINE_BYTES_MAX;
use crate::base::sync::{AtomicU64, Ordering, lock};
use crate::base::{Error, Rank, TaskId};
use crate::node::Node;
use crate::node::retries::retries_of;
use crate::object::{AnySlot, Parcel};
use crate::protocol::{Message, Run, WireOptions};
use crate::registry::Runnable;
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex};

impl Node {
    /// A task is over: who waits elsewhere is told.
    pub fn over(&'static self, task: &Arc<dyn Runnable>) {
        let Some(id) = task.header().origin else { return };
        self.unwanted.remove(id);
        let slots = task.clone().slots();
        let parcels: Vec<_> = slots.iter().map(|slot| slot.encode()).collect();
        if id.owner == self.rank {
            // It was stolen, and stolen back.
            return self.complete_own(id.number, parcels);
        }
        let inline_bytes_max = INLINE_BYTES_MAX / parcels.len().max(1);
        let results = parcels.iter().map(|parcel| match parcel {
            Ok(parcel) => self.sealed(parcel, id.owner, inline_bytes_max),
            Err(error) => Err(error.clone()),
        });
        let results = results.collect();
        self.send(id.owner, &Message::Done { task: id.number, results });
    }

    /// A task of this rank ran here under another name.
    fn complete_own(&'static self, number: u64, parcels: Vec<Result<Parcel, Error>>) {
        let Some(task) = self.away.take(number) else { return };
        for (slot, parcel) in task.slots().into_iter().zip(parcels) {
            match parcel {
                Ok(parcel) => slot.complete_with(&parcel.bytes, parcel.attachments),
                Err(error) => slot.fail(Arc::new(error)),
            }
        }
    }

    /// Tells a task's owner that it failed before it could run here.
    pub fn send_failure(&'static self, id: TaskId, returns: usize, error: Error) {
        self.unwanted.remove(id);
        self.send(id.owner, &Message::Done { task: id.number, results: vec![Err(error); returns] });
    }

    /// Sends a task of this rank to another.
    pub(super) fn launch_there(&'static self, task: Arc<dyn Runnable>, to: Rank) {
        if task.header().claim_waiting() {
            self.send_task(&task, to, false, None);
            self.throttle(to);
        }
    }

    /// Sends a claimed task to `to`. Its results come back to its owner: this rank, or where it came from.
    pub fn send_task(
        &'static self,
        task: &Arc<dyn Runnable>,
        to: Rank,
        stealable: bool,
        actor: Option<crate::base::ObjectId>,
    ) {
        let header = task.header();
        let Some(entry) = header.entry else { return };
        let retries = retries_of(header.options.as_deref(), entry.kind);
        let parcel = task.pack().map(|parcel| Packed::new(parcel, header.origin.is_none() && retries > 0));
        let id = header.origin.unwrap_or_else(|| {
            let args = parcel.as_ref().ok().and_then(Packed::kept);
            TaskId { owner: self.rank, number: self.away.put(Sent { task: task.clone(), to, hops: 0, args, retries }) }
        });
        let hops = header.hops + u32::from(header.origin.is_some());
        if header.origin.is_some() {
            self.tell_owner(id, to, hops);
        }
        // Where it goes is settled: an option that said only that is none any more.
        let asked = header.options.as_ref().filter(|options| options.just_rank().is_none());
        let options = asked.map(|options| WireOptions {
            num_cpus: options.num_cpus,
            num_gpus: options.num_gpus,
            resources: options.resources.clone(),
            name: options.name.clone(),
            seat: options.seat(),
        });
        let args =
            parcel.as_ref().map_err(Clone::clone).and_then(|packed| self.sealed(packed.parcel(), to, INLINE_BYTES_MAX));
        match args {
            Ok(args) => {
                let (function, caller) = (entry.key, header.caller);
                let number = header.number.load(Ordering::Relaxed);
                let run = Run { task: id, function, caller, number, actor, stealable, hops, options, args };
                self.send(to, &Message::Run(run));
                if self.is_dead(to) {
                    // Who declared it gone may have looked for its tasks before this one was among them. Another owner
                    // was told where the task went.
                    if id.owner == self.rank {
                        self.retry(id.number, to, &self.death_of(to));
                    }
                    return;
                }
                if header.origin.is_some() {
                    self.unwanted.remove(id);
                }
            }
            Err(error) => {
                if header.origin.is_none() {
                    self.away.take(id.number);
                }
                self.report(error.clone());
                task.fail(Arc::new(error));
                self.over(task);
            }
        }
    }

    /// A task goes on to `to`, or comes back: its owner must know, for when that rank dies.
    fn tell_owner(&'static self, id: TaskId, to: Rank, hops: u32) {
        if id.owner == self.rank {
            self.away.moved(id.number, to, hops);
        } else if to != id.owner {
            self.send(id.owner, &Message::Moved { task: id.number, to, hops });
        }
    }

    /// A task of this rank was passed on to `to`.
    pub(super) fn on_moved(&'static self, number: u64, to: Rank, hops: u32) {
        if self.away.moved(number, to, hops) && self.is_dead(to) {
            self.retry(number, to, &self.death_of(to));
        }
    }

    /// A task came: where it is one of this rank's, it does not die any more with who had it.
    pub(super) fn came_back(&'static self, id: TaskId, hops: u32) {
        if id.owner == self.rank {
            self.away.moved(id.number, self.rank, hops);
        }
    }

    /// Cancels the task behind `slot`: one that has not begun never does, one that runs is asked to end.
    pub fn cancel(&'static self, slot: Arc<dyn AnySlot>) {
        let mut producer: Option<Arc<dyn Runnable>> = None;
        slot.clone().producer(&mut producer);
        if let Some(task) = producer {
            self.cancel_here(&task);
            if let Some((rank, id)) = self.away.find(self.rank, &task) {
                self.send(rank, &Message::Cancel { task: id });
            }
        }
    }

    /// Cancels a task that is on this rank.
    pub fn cancel_here(&'static self, task: &Arc<dyn Runnable>) {
        let header = task.header();
        header.cancel();
        let error = Arc::new(Error::Cancelled { task: header.name().to_string() });
        if header.claim() || header.claim_waiting() {
            task.fail(error);
            self.over(task);
        } else {
            // It runs, here or elsewhere: its results are decided now, its own come too late.
            task.clone().slots().iter().for_each(|slot| slot.fail(error.clone()));
        }
    }
}

/// The arguments of a task that goes.
enum Packed {
    /// Kept here, to start it again.
    Kept(Arc<Parcel>),
    /// Gone once they are sent.
    Sent(Parcel),
}

impl Packed {
    fn new(parcel: Parcel, keep: bool) -> Packed {
        if keep { Packed::Kept(Arc::new(parcel)) } else { Packed::Sent(parcel) }
    }

    fn parcel(&self) -> &Parcel {
        match self {
            Packed::Kept(parcel) => parcel,
            Packed::Sent(parcel) => parcel,
        }
    }

    fn kept(&self) -> Option<Arc<Parcel>> {
        match self {
            Packed::Kept(parcel) => Some(parcel.clone()),
            Packed::Sent(_) => None,
        }
    }
}

/// A task of this rank that runs elsewhere.
#[derive(Clone)]
pub struct Sent {
    /// Whose results are waited for.
    pub task: Arc<dyn Runnable>,
    /// Where it is.
    to: Rank,
    /// How often it was passed on or started again, as far as this rank knows.
    hops: u32,
    /// Its arguments, to start it again; `None` where it never is.
    pub args: Option<Arc<Parcel>>,
    retries: u32,
}

/// What becomes of a task whose rank is gone.
pub enum Fate {
    /// It is over, or was somewhere else by then.
    Elsewhere,
    /// It is started again, so many hops from its first start.
    Again(Sent, u32),
    /// It may not be started again.
    Fails(Arc<dyn Runnable>),
}

/// Tasks of this rank that run elsewhere, by number.
#[derive(Default)]
pub struct Away {
    next: AtomicU64,
    tasks: Mutex<FxHashMap<u64, Sent>>,
}

impl Away {
    fn put(&self, sent: Sent) -> u64 {
        let number = self.next.fetch_add(1, Ordering::Relaxed) + 1;
        lock(&self.tasks).insert(number, sent);
        number
    }

    /// The task is over.
    pub fn take(&self, number: u64) -> Option<Arc<dyn Runnable>> {
        lock(&self.tasks).remove(&number).map(|sent| sent.task)
    }

    /// It is on `to` now, after so many hops; false where it is over, or this is no news.
    fn moved(&self, number: u64, to: Rank, hops: u32) -> bool {
        let mut tasks = lock(&self.tasks);
        let Some(sent) = tasks.get_mut(&number).filter(|sent| sent.hops < hops) else { return false };
        (sent.to, sent.hops) = (to, hops);
        true
    }

    pub fn find(&self, me: Rank, task: &Arc<dyn Runnable>) -> Option<(Rank, TaskId)> {
        lock(&self.tasks)
            .iter()
            .find(|(_, sent)| Arc::ptr_eq(&sent.task, task))
            .map(|(number, sent)| (sent.to, TaskId { owner: me, number: *number }))
    }

    /// The tasks that are on `rank`.
    pub fn on(&self, rank: Rank) -> Vec<u64> {
        lock(&self.tasks).iter().filter(|(_, sent)| sent.to == rank).map(|(number, _)| *number).collect()
    }

    /// What becomes of a task, when `gone` is: where it is started again, that happens `here`. Decided once for each death.
    pub fn spend_retry(&self, number: u64, gone: Rank, here: Rank) -> Fate {
        let mut tasks = lock(&self.tasks);
        let Some(sent) = tasks.get_mut(&number).filter(|sent| sent.to == gone) else { return Fate::Elsewhere };
        let left = sent.retries.checked_sub(1).filter(|_| sent.args.is_some());
        let Some(left) = left else {
            return tasks.remove(&number).map_or(Fate::Elsewhere, |sent| Fate::Fails(sent.task));
        };
        (sent.retries, sent.to, sent.hops) = (left, here, sent.hops + 1);
        Fate::Again(sent.clone(), sent.hops)
    }
}
