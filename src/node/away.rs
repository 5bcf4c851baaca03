//! Tasks between ranks: sent away, over, cancelled.

use crate::base::limits::INLINE_BYTES_MAX;
use crate::base::sync::{AtomicU64, Ordering, lock};
use crate::base::{Error, Rank, TaskId};
use crate::node::Node;
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
        let Some((task, _)) = self.away.take(number) else { return };
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
        let id = header.origin.unwrap_or_else(|| self.away.put(self.rank, task, to));
        // Where it goes is settled: an option that said only that is none any more.
        let asked = header.options.as_ref().filter(|options| options.just_rank().is_none());
        let options = asked.map(|options| WireOptions {
            num_cpus: options.num_cpus,
            num_gpus: options.num_gpus,
            resources: options.resources.clone(),
            name: options.name.clone(),
        });
        let parcel = task.pack();
        let args = parcel.as_ref().map_err(Clone::clone).and_then(|parcel| self.sealed(parcel, to, INLINE_BYTES_MAX));
        match args {
            Ok(args) => {
                let (function, caller) = (entry.key, header.caller);
                let number = header.number.load(Ordering::Relaxed);
                let run = Run { task: id, function, caller, number, actor, stealable, options, args };
                self.send(to, &Message::Run(run));
                if header.origin.is_some() {
                    self.unwanted.remove(id);
                }
            }
            Err(error) => {
                self.away.take(id.number);
                self.report(error.clone());
                task.fail(Arc::new(error));
                self.over(task);
            }
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

/// Tasks of this rank that run elsewhere, by number, with where.
#[derive(Default)]
pub struct Away {
    next: AtomicU64,
    tasks: Mutex<FxHashMap<u64, (Arc<dyn Runnable>, Rank)>>,
}

impl Away {
    fn put(&self, me: Rank, task: &Arc<dyn Runnable>, to: Rank) -> TaskId {
        let number = self.next.fetch_add(1, Ordering::Relaxed) + 1;
        lock(&self.tasks).insert(number, (task.clone(), to));
        TaskId { owner: me, number }
    }

    /// The task is over.
    pub fn take(&self, number: u64) -> Option<(Arc<dyn Runnable>, Rank)> {
        lock(&self.tasks).remove(&number)
    }

    fn find(&self, me: Rank, task: &Arc<dyn Runnable>) -> Option<(Rank, TaskId)> {
        lock(&self.tasks)
            .iter()
            .find(|(_, (known, _))| Arc::ptr_eq(known, task))
            .map(|(number, (_, rank))| (*rank, TaskId { owner: me, number: *number }))
    }

    /// Fails what ran on a rank that is gone.
    pub fn fail_all_of(&self, rank: Rank, error: &Error) {
        let lost: Vec<_> = {
            let mut tasks = lock(&self.tasks);
            let numbers: Vec<u64> =
                tasks.iter().filter(|(_, (_, on))| *on == rank).map(|(number, _)| *number).collect();
            numbers.iter().filter_map(|number| tasks.remove(number)).collect()
        };
        lost.iter().for_each(|(task, _)| task.fail(Arc::new(error.clone())));
    }
}
