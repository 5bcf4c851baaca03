//! Tasks between ranks: sent away, over, cancelled.

mod awaited;

use crate::base::latch::Latch;
use crate::base::limits::INLINE_BYTES_MAX;
use crate::base::sync::{AtomicU64, Ordering};
use crate::base::{Error, Rank, TaskId};
use crate::lineage::Recipe;
use crate::objects::{AnySlot, Parcel};
use crate::protocol::driver::Driver;
use crate::protocol::wire::Moved;
use crate::protocol::{Bytes, Message, Protocol};
use crate::registry::Runnable;
use rustc_hash::FxHashMap;
use std::sync::Arc;

impl Protocol {
    /// A task is over: who waits elsewhere is told.
    pub fn over(&self, driver: &impl Driver, task: &Arc<dyn Runnable>) {
        let Some(id) = task.header().origin else { return };
        self.unwanted.remove(id);
        if id.owner != self.rank
            && let Some(slot) = task.clone().only_slot()
        {
            return self.send_results(driver, id, &[slot.encode()]);
        }
        let slots = task.clone().slots();
        let parcels: Vec<_> = slots.iter().map(|slot| slot.encode()).collect();
        if id.owner == self.rank {
            // It was stolen, and stolen back.
            return self.complete_own(driver, id.number, parcels);
        }
        self.send_results(driver, id, &parcels);
    }

    /// Tells a task's owner what it gave.
    pub(super) fn send_results(&self, driver: &impl Driver, id: TaskId, parcels: &[Result<Parcel, Error>]) {
        if let [Ok(Parcel { bytes, attachments })] = parcels
            && attachments.is_empty()
            && bytes.len() <= INLINE_BYTES_MAX
        {
            return driver.send(id.owner, &Message::Return { task: id.number, value: Bytes(bytes) });
        }
        let inline_bytes_max = INLINE_BYTES_MAX / parcels.len().max(1);
        let results = parcels.iter().map(|parcel| match parcel {
            Ok(parcel) => self.sealed(driver, parcel, id.owner, inline_bytes_max),
            Err(error) => Err(error.clone()),
        });
        let results = results.collect();
        driver.send(id.owner, &Message::Done { task: id.number, results });
    }

    /// A task of this rank ran here under another name.
    pub(super) fn complete_own(&self, driver: &impl Driver, number: u64, parcels: Vec<Result<Parcel, Error>>) {
        if self.retried_on_error(driver, number, parcels.iter().map(|parcel| parcel.as_ref().err())) {
            return;
        }
        let Some(sent) = self.away.take(number) else { return };
        self.returned(driver, number, &sent);
        for (slot, parcel) in sent.results.slots().into_iter().zip(parcels) {
            let Some(slot) = slot else { continue };
            match parcel {
                Ok(parcel) => slot.complete_with(&parcel.bytes, parcel.attachments),
                Err(error) => slot.fail(Arc::new(error)),
            }
        }
    }

    /// A task that went elsewhere is over, with one plain result.
    pub(super) fn on_return(&self, driver: &impl Driver, number: u64, value: &[u8]) {
        let Some(sent) = self.away.take(number) else { return };
        self.returned(driver, number, &sent);
        sent.results.first().into_iter().for_each(|slot| slot.complete_with(value, Vec::new()));
    }

    /// The results of a task that went elsewhere have come.
    pub(super) fn returned(&self, driver: &impl Driver, number: u64, sent: &Sent) {
        self.unwanted_no_more(driver, number, sent);
        if let Results::Of(task) = &sent.results {
            self.call_over(driver, number, task);
        }
    }

    /// Tells a task's owner that it failed before it could run here.
    pub fn send_failure(&self, driver: &impl Driver, id: TaskId, returns: usize, error: Error) {
        self.unwanted.remove(id);
        driver.send(id.owner, &Message::Done { task: id.number, results: vec![Err(error); returns] });
    }

    /// Tasks of this rank were passed on by `from` to `to`.
    pub fn on_moved(&self, driver: &impl Driver, from: Rank, tasks: &[Moved], to: Rank) {
        for task in tasks {
            if self.away.moved(task.number, to, task.hops, Some(from)) && driver.is_dead(to) {
                self.retry(driver, task.number, to, &driver.death_of(to));
            }
        }
    }

    /// A task came: where it is one of this rank's, it does not die any more with who had it.
    pub fn came_back(&self, id: TaskId, hops: u32) {
        if id.owner == self.rank {
            self.away.moved(id.number, self.rank, hops, None);
        }
    }

    /// Cancels the task behind `slot`: one that has not begun never does, one that runs is asked to end.
    pub fn cancel(&self, driver: &impl Driver, slot: Arc<dyn AnySlot>) {
        let mut producer: Option<Arc<dyn Runnable>> = None;
        slot.clone().producer(&mut producer);
        if let Some(task) = producer {
            self.cancel_here(driver, &task);
            if let Some((rank, id)) = self.away.cancel(self.rank, &task) {
                driver.send(rank, &Message::Cancel { task: id });
            }
        }
    }

    /// Cancels a task that is on this rank.
    pub fn cancel_here(&self, driver: &impl Driver, task: &Arc<dyn Runnable>) {
        let header = task.header();
        header.cancel();
        let error = Arc::new(Error::Cancelled { task: header.name().to_string() });
        if header.claim() || header.claim_waiting() {
            task.fail(error);
            self.over(driver, task);
        } else {
            // It runs, here or elsewhere: its results are decided now, its own come too late.
            task.clone().slots().iter().for_each(|slot| slot.fail(error.clone()));
        }
    }
}

/// Whose results are waited for.
#[derive(Clone)]
pub enum Results {
    /// A task's.
    Of(Arc<dyn Runnable>),
    /// Some of a task's that is long over: its lost results are being made again.
    Again(Vec<Option<Arc<dyn AnySlot>>>),
}

impl Results {
    /// Where the first goes; `None` where nobody misses it.
    pub fn first(&self) -> Option<Arc<dyn AnySlot>> {
        match self {
            Results::Of(task) => task.clone().only_slot().or_else(|| task.clone().slots().into_iter().next()),
            Results::Again(slots) => slots.first().cloned().flatten(),
        }
    }

    /// Where the results go, by their places; `None` for those that nobody misses.
    pub fn slots(&self) -> Vec<Option<Arc<dyn AnySlot>>> {
        match self {
            Results::Of(task) => task.clone().slots().into_iter().map(Some).collect(),
            Results::Again(slots) => slots.clone(),
        }
    }
}

/// A task of this rank that runs elsewhere, or under another name.
#[derive(Clone)]
pub struct Sent {
    /// Whose results are waited for.
    pub results: Results,
    /// Where it is.
    to: Rank,
    /// Who passed it on to there, where that was not this rank: where that one dies, it may never have arrived.
    via: Option<Rank>,
    /// How often it was passed on or started again, as far as this rank knows.
    hops: u32,
    /// Its arguments, to start it again; `None` where it never is.
    pub args: Option<Arc<Parcel>>,
    /// How often it may still be started again.
    pub retries: u32,
    /// Who was told that nobody wants it any more.
    pub told: Option<Rank>,
    /// The recipe that it follows, where lost results are made again.
    pub recipe: Option<Arc<Recipe>>,
    /// Whether it is a call of an actor that may be started again: its actor's route knows what becomes of it.
    has_route: bool,
}

impl Sent {
    /// Such a task, never started again.
    fn new(results: Results, to: Rank) -> Sent {
        Sent { results, to, via: None, hops: 0, args: None, retries: 0, told: None, recipe: None, has_route: false }
    }

    /// One that went away, and what it takes to start it again.
    pub(super) fn again(task: Arc<dyn Runnable>, to: Rank, args: Option<Arc<Parcel>>, retries: u32) -> Sent {
        Sent { args, retries, ..Sent::new(Results::Of(task), to) }
    }

    /// Whether it may be lost where that rank is.
    fn is_with(&self, rank: Rank) -> bool {
        self.to == rank || self.via == Some(rank)
    }
}

/// What becomes of a task whose rank is gone.
pub enum Fate {
    /// It is over, or was somewhere else by then.
    Elsewhere,
    /// It is started again, so many hops from its first start.
    Again(Sent, u32),
    /// It may not be started again.
    Fails(Sent),
}

/// Tasks of this rank that run elsewhere, by number.
#[derive(Default)]
pub struct Away {
    next: AtomicU64,
    tasks: Latch<FxHashMap<u64, Sent>>,
}

impl Away {
    pub(super) fn put(&self, sent: Sent) -> u64 {
        let number = self.fresh_number();
        self.tasks.lock().insert(number, sent);
        number
    }

    /// A call whose actor's route knows where it is.
    pub(super) fn put_call(&self, task: Arc<dyn Runnable>, to: Rank) -> u64 {
        let results = Results::Of(task);
        self.put(Sent { has_route: true, ..Sent::new(results, to) })
    }

    /// A number for what nobody waits for.
    pub(super) fn fresh_number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Results that are made again on this rank, by that recipe: their number.
    pub fn put_again(&self, here: Rank, recipe: Arc<Recipe>, args: Arc<Parcel>, retries: u32) -> u64 {
        let results = Results::Again(Vec::new());
        self.put(Sent { args: Some(args), retries, recipe: Some(recipe), ..Sent::new(results, here) })
    }

    /// Result `index` of what is made again under that number goes to `slot`; false where that is over.
    pub fn join(&self, number: u64, index: usize, slot: &Arc<dyn AnySlot>) -> bool {
        let mut tasks = self.tasks.lock();
        let Some(Results::Again(slots)) = tasks.get_mut(&number).map(|sent| &mut sent.results) else { return false };
        if slots.len() <= index {
            slots.resize_with(index + 1, || None);
        }
        slots[index] = Some(slot.clone());
        true
    }

    /// The task of that number, while it is not over.
    pub fn get(&self, number: u64) -> Option<Sent> {
        self.tasks.lock().get(&number).cloned()
    }

    /// Whether that task is started again also where it fails by itself.
    pub fn retries_errors(&self, number: u64) -> bool {
        self.tasks.lock().get(&number).is_some_and(|sent| match &sent.results {
            Results::Of(task) => {
                task.header().options.as_ref().is_some_and(|options| options.retry_on_error == Some(true))
            }
            Results::Again(_) => false,
        })
    }

    /// The task is over.
    pub fn take(&self, number: u64) -> Option<Sent> {
        self.tasks.lock().remove(&number)
    }

    /// It is on `to` now, after so many hops; false where it is over, or this is no news.
    pub(super) fn moved(&self, number: u64, to: Rank, hops: u32, via: Option<Rank>) -> bool {
        let mut tasks = self.tasks.lock();
        let Some(sent) = tasks.get_mut(&number).filter(|sent| sent.hops < hops) else { return false };
        (sent.to, sent.hops, sent.via) = (to, hops, via);
        true
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.tasks.lock().len()
    }

    /// Forgets everything: the end. Returns what is to be dropped.
    pub fn clear(&self) -> impl Sized + use<> {
        std::mem::take(&mut *self.tasks.lock())
    }

    /// Where a task is, and its name.
    pub fn find(&self, me: Rank, task: &Arc<dyn Runnable>) -> Option<(Rank, TaskId)> {
        self.tasks
            .lock()
            .iter()
            .find(|(_, sent)| matches!(&sent.results, Results::Of(own) if Arc::ptr_eq(own, task)))
            .map(|(number, sent)| (sent.to, TaskId { owner: me, number: *number }))
    }

    /// Whether there are any.
    pub fn any(&self) -> bool {
        !self.tasks.lock().is_empty()
    }

    /// Nobody wants that task any more: where it is, as far as this rank knows, is to be told so.
    fn cancel(&self, me: Rank, task: &Arc<dyn Runnable>) -> Option<(Rank, TaskId)> {
        let mut tasks = self.tasks.lock();
        let (number, sent) =
            tasks.iter_mut().find(|(_, sent)| matches!(&sent.results, Results::Of(own) if Arc::ptr_eq(own, task)))?;
        sent.told = Some(sent.to);
        Some((sent.to, TaskId { owner: me, number: *number }))
    }

    /// The tasks that are on `rank`, or on their way from there, the oldest first.
    pub fn on(&self, rank: Rank) -> Vec<u64> {
        let there = |sent: &Sent| sent.is_with(rank) && !sent.has_route;
        let tasks = self.tasks.lock();
        let mut numbers: Vec<u64> = tasks.iter().filter(|(_, sent)| there(sent)).map(|(number, _)| *number).collect();
        drop(tasks);
        numbers.sort_unstable();
        numbers
    }

    /// A task failed by itself, and may be started again `here`.
    pub fn spend_on_error(&self, number: u64, here: Rank) -> Option<(Sent, u32)> {
        let mut tasks = self.tasks.lock();
        let sent = tasks.get_mut(&number).filter(|sent| sent.args.is_some())?;
        sent.retries = sent.retries.checked_sub(1)?;
        (sent.to, sent.via, sent.hops) = (here, None, sent.hops + 1);
        Some((sent.clone(), sent.hops))
    }

    /// What becomes of a task, when `gone` is: where it is started again, that happens `here`. Decided once for each death.
    pub fn spend_retry(&self, number: u64, gone: Rank, here: Rank) -> Fate {
        self.spend(number, here, |sent| sent.is_with(gone))
    }

    /// What becomes of a task that could not begin where it was after so many hops.
    pub fn spend_on_loss(&self, number: u64, hops: u32, here: Rank) -> Fate {
        self.spend(number, here, |sent| sent.hops <= hops)
    }

    fn spend(&self, number: u64, here: Rank, is_there: impl Fn(&Sent) -> bool) -> Fate {
        let mut tasks = self.tasks.lock();
        let Some(sent) = tasks.get_mut(&number).filter(|sent| is_there(sent)) else { return Fate::Elsewhere };
        let left = sent.retries.checked_sub(1).filter(|_| sent.args.is_some());
        let Some(left) = left else {
            return tasks.remove(&number).map_or(Fate::Elsewhere, Fate::Fails);
        };
        (sent.retries, sent.to, sent.via, sent.hops) = (left, here, None, sent.hops + 1);
        Fate::Again(sent.clone(), sent.hops)
    }
}
