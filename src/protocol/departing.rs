//! Tasks that leave this rank: what is remembered of each here, and how it is written.

use crate::base::limits::INLINE_BYTES_MAX;
use crate::base::sync::Ordering;
use crate::base::{Error, ObjectId, Rank, TaskId};
use crate::objects::Parcel;
use crate::protocol::actor_message::{About, Target};
use crate::protocol::away::Sent;
use crate::protocol::driver::Driver;
use crate::protocol::parcels::Packed;
use crate::protocol::retries::retries_of;
use crate::protocol::wire::{Call, Moved};
use crate::protocol::{Bytes, Message, Protocol, Run, WireOptions};
use crate::registry::{Kind, Runnable, TableEntry};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Tasks that go to a thief at once, at most.
const LOOT_TASKS_MAX: usize = 256;

/// A claimed task on its way to another rank.
struct Departing<'a> {
    task: &'a Arc<dyn Runnable>,
    entry: &'static TableEntry,
    id: TaskId,
    hops: u32,
    args: Result<Packed, Error>,
}

impl Departing<'_> {
    /// Whether it came from another rank, whose task it is, or ran here under another name.
    fn is_passed_on(&self) -> bool {
        self.task.header().origin.is_some()
    }

    /// As it is written where it is this rank's, asks for nothing unusual, and has nothing beside its arguments.
    fn call(&self, actor: Option<ObjectId>) -> Option<Call<'_>> {
        let header = self.task.header();
        let Parcel { bytes, attachments } = self.args.as_ref().ok()?.parcel();
        let alone = attachments.is_empty() && bytes.len() <= INLINE_BYTES_MAX;
        let plain = !self.is_passed_on() && self.hops == 0;
        let usual = header.options.as_ref().is_none_or(|options| options.just_rank().is_some());
        (alone && plain && usual).then(|| Call {
            task: self.id.number,
            function: self.entry.key,
            caller: header.caller,
            number: header.number.load(Ordering::Relaxed),
            actor: actor.map(Target::of),
            args: Bytes(bytes),
        })
    }
}

impl Protocol {
    /// Sends a claimed task to `to`. Its results come back to its owner: this rank, or where it came from.
    pub fn send_task(&self, driver: &impl Driver, task: &Arc<dyn Runnable>, to: Rank, actor: Option<ObjectId>) {
        let Some(departing) = self.depart(task, to) else { return };
        if let Some(call) = departing.call(actor) {
            driver.send(to, &Message::Call(call));
            return self.departed(driver, &departing, to);
        }
        self.tell_owners(driver, std::slice::from_ref(&departing), to);
        match self.run_of(driver, &departing, to, false, actor) {
            Ok(run) => {
                driver.send(to, &Message::Run(run));
                self.departed(driver, &departing, to);
            }
            Err(error) => self.stays(driver, &departing, to, actor, error),
        }
    }

    /// Sends up to `count` tasks to a thief, in one message where they fit into it; returns how many went. `answer` as in
    /// `Message::Loot`: where the thief asked, it is answered in any case.
    pub(super) fn give(&self, driver: &impl Driver, thief: Rank, count: usize, answer: bool) -> usize {
        let loot = if count == 0 { Vec::new() } else { driver.take_for(thief, count.min(LOOT_TASKS_MAX)) };
        let departing: Vec<Departing<'_>> = loot.iter().filter_map(|task| self.depart(task, thief)).collect();
        self.tell_owners(driver, &departing, thief);
        let (mut runs, mut bytes, mut ahead, mut gone) = (Vec::new(), 0, 0, Vec::new());
        for departing in &departing {
            let run = match self.run_of(driver, departing, thief, true, None) {
                Ok(run) => run,
                Err(error) => {
                    self.stays(driver, departing, thief, None, error);
                    continue;
                }
            };
            gone.push(departing);
            bytes += run.encoded_bytes();
            if bytes <= INLINE_BYTES_MAX {
                runs.push(run);
            } else {
                bytes -= run.encoded_bytes();
                ahead += 1;
                driver.send(thief, &Message::Run(run));
            }
        }
        if answer || !gone.is_empty() {
            driver.send(thief, &Message::Loot { runs, ahead, answer });
        }
        gone.iter().for_each(|departing| self.departed(driver, departing, thief));
        gone.len()
    }

    /// A task leaves for `to`: what is remembered of it here.
    fn depart<'a>(&self, task: &'a Arc<dyn Runnable>, to: Rank) -> Option<Departing<'a>> {
        let header = task.header();
        let entry = header.entry?;
        let retries = retries_of(header.options.as_deref(), entry.kind);
        let args = task.pack().map(|parcel| Packed::new(parcel, header.origin.is_none() && retries > 0));
        let id = header.origin.unwrap_or_else(|| {
            let args = args.as_ref().ok().and_then(Packed::kept);
            let sent = Sent::again(task.clone(), to, args, retries);
            TaskId { owner: self.rank, number: self.away.put(sent) }
        });
        let hops = header.hops + u32::from(header.origin.is_some());
        Some(Departing { task, entry, id, hops, args })
    }

    /// A departing task as it is written.
    fn run_of<'a>(
        &self,
        driver: &impl Driver,
        departing: &'a Departing<'_>,
        to: Rank,
        stealable: bool,
        actor: Option<ObjectId>,
    ) -> Result<Run<'a>, Error> {
        let Departing { task, entry, id, hops, args } = departing;
        let args = args.as_ref().map_err(Clone::clone)?;
        let args = self.sealed(driver, args.parcel(), to, INLINE_BYTES_MAX)?;
        let header = task.header();
        // Where it goes is settled: an option that said only that is none any more.
        let asked = header.options.as_ref().filter(|options| options.just_rank().is_none());
        let options = asked.map(|options| WireOptions {
            num_cpus: options.num_cpus,
            num_gpus: options.num_gpus,
            resources: options.resources.clone(),
            name: options.name.clone(),
            seat: options.seat(),
            max_restarts: None,
        });
        let number = header.number.load(Ordering::Relaxed);
        let actor = actor.map(Target::of);
        let (task, function, caller, hops) = (*id, entry.key, header.caller, *hops);
        Ok(Run { task, function, caller, number, actor, stealable, hops, options, args })
    }

    /// A task was sent to `to`.
    fn departed(&self, driver: &impl Driver, departing: &Departing<'_>, to: Rank) {
        if driver.is_dead(to) {
            // Who declared it gone may have looked for its tasks before this one was among them. Another owner was told
            // where the task went.
            if departing.id.owner == self.rank {
                self.retry(driver, departing.id.number, to, &driver.death_of(to));
            }
        } else if departing.is_passed_on() {
            self.unwanted.remove(departing.id);
        }
    }

    /// A task cannot be written: it fails here.
    fn stays(&self, driver: &impl Driver, departing: &Departing<'_>, to: Rank, actor: Option<ObjectId>, error: Error) {
        if !departing.is_passed_on() {
            self.away.take(departing.id.number);
        }
        driver.report(error.clone());
        if let (Some(actor), Kind::New) = (actor, departing.entry.kind) {
            // Its calls would wait for it.
            let reason = format!("its constructor's arguments cannot be sent: {error}");
            driver.send(to, &Message::Actor { actor, about: About::Kill { reason, last: false } });
        }
        departing.task.fail(Arc::new(error));
        self.over(driver, departing.task);
    }

    /// Tasks go on to `to`, or come back: their owners must know, for when that rank dies. Each is told once.
    fn tell_owners(&self, driver: &impl Driver, departing: &[Departing<'_>], to: Rank) {
        let mut told: FxHashMap<Rank, Vec<Moved>> = FxHashMap::default();
        for Departing { id, hops, .. } in departing.iter().filter(|departing| departing.is_passed_on()) {
            if id.owner == self.rank {
                self.away.moved(id.number, to, *hops, None);
            } else if to != id.owner {
                told.entry(id.owner).or_default().push(Moved { number: id.number, hops: *hops });
            }
        }
        let mut told: Vec<(Rank, Vec<Moved>)> = told.into_iter().collect();
        told.sort_unstable_by_key(|(owner, _)| *owner);
        for (owner, tasks) in told {
            driver.send(owner, &Message::Moved { tasks, to });
        }
    }
}
