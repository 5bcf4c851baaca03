//! What an actor's owner keeps for it, as messages: states and results from its home, constructors to the next one.

use crate::base::limits::INLINE_BYTES_MAX;
use crate::base::sync::lock;
use crate::base::{Error, ObjectId, Rank, Result, TaskId};
use crate::objects::{ArrayMemory, Attachment, Parcel};
use crate::protocol::actor_message::{About, Target, WireCommit, WireFinished};
use crate::protocol::blocks::Pulled;
use crate::protocol::commits::Commit;
use crate::protocol::driver::Driver;
use crate::protocol::handles::ActorRef;
use crate::protocol::made::{Constructor, Results, Saved};
use crate::protocol::{Message, Protocol, Run, WireOptions, WireParcel};
use crate::registry::{Header, Options};
use rustc_hash::FxHashMap as HashMap;
use std::sync::Arc;

/// Calls whose results travel in one message.
const CALLS_A_MESSAGE: usize = 16;

/// What was kept of an actor, on its way to the next home.
pub type Restored = (Arc<Parcel>, HashMap<TaskId, Results>);

impl Protocol {
    /// Sends what an actor's owner is to keep.
    ///
    /// # Errors
    /// Where it does not encode, or the store has no room for it.
    pub(super) fn send_commit(
        &self,
        driver: &impl Driver,
        id: ObjectId,
        incarnation: u32,
        commit: &Commit<Arc<Parcel>, Results>,
    ) -> Result<()> {
        if id.owner == self.rank {
            // It was started again here: nothing travels, so nothing is counted.
            let (numbers, calls) = ((incarnation, commit.sequence), commit.finished.clone());
            self.keep(driver, (self.rank, id), numbers, (commit.state.clone(), calls), &commit.heard);
            return Ok(());
        }
        let parcels = 1 + commit.finished.iter().map(|(_, results)| results.len()).sum::<usize>();
        let inline_bytes_max = INLINE_BYTES_MAX / parcels;
        let state = self.sealed(driver, &commit.state, id.owner, inline_bytes_max)?;
        let finished = commit.finished.iter();
        let finished =
            finished.map(|(call, results)| self.sealed_call(driver, *call, results, id.owner, inline_bytes_max));
        let finished = finished.collect::<Result<Vec<_>>>()?;
        let (sequence, heard) = (commit.sequence, commit.heard.clone());
        let about = About::Commit(WireCommit { incarnation, sequence, state, finished, heard });
        driver.send(id.owner, &Message::Actor { actor: id, about });
        Ok(())
    }

    fn sealed_call<'a>(
        &self,
        driver: &impl Driver,
        call: TaskId,
        results: &'a Results,
        to: Rank,
        inline_bytes_max: usize,
    ) -> Result<WireFinished<'a>> {
        let sealed = results.iter().map(|result| match result {
            Ok(parcel) => self.sealed(driver, parcel, to, inline_bytes_max).map(Ok),
            Err(error) => Ok(Err(error.clone())),
        });
        Ok(WireFinished { call, results: sealed.collect::<Result<_>>()? })
    }

    /// A parcel to be kept as it is, for another rank: with bytes and objects of this rank's own.
    fn kept_parcel(&self, driver: &impl Driver, wire: &WireParcel<'_>, from: Rank, pulled: &Pulled) -> Result<Parcel> {
        let mut parcel = self.opened(driver, wire, from, pulled)?;
        self.references.hold_own(&mut parcel.attachments);
        for attachment in &mut parcel.attachments {
            if let Attachment::Array(memory) = &*attachment {
                // The bytes are those of the rank whose death they are kept for.
                let own: Arc<dyn ArrayMemory> = driver.store(memory.bytes())?;
                *attachment = Attachment::Array(own);
            }
        }
        Ok(parcel)
    }

    fn kept_calls(
        &self,
        driver: &impl Driver,
        calls: &[WireFinished<'_>],
        from: Rank,
        pulled: &Pulled,
    ) -> Vec<(TaskId, Results)> {
        let kept = calls.iter().map(|call| {
            let results = call.results.iter();
            let results = results.map(|result| match result {
                Ok(wire) => self.kept_parcel(driver, wire, from, pulled),
                Err(error) => Err(error.clone()),
            });
            (call.call, Arc::new(results.collect::<Vec<_>>()))
        });
        kept.collect()
    }

    /// The home of an actor of this rank sends what is to be kept: in place of what was before, and all of it or nothing.
    fn on_commit(&self, driver: &impl Driver, from: Rank, id: ObjectId, commit: &WireCommit<'_>, pulled: &Pulled) {
        let WireCommit { incarnation, sequence, .. } = *commit;
        // What travels beside is counted, also where it is dropped again.
        let calls = self.kept_calls(driver, &commit.finished, from, pulled);
        let state = match self.kept_parcel(driver, &commit.state, from, pulled) {
            Ok(state) => Arc::new(state),
            Err(error) => {
                let reason = format!("its owner has no room for its state: {error}");
                let about = About::Kill { reason, last: false };
                return driver.send(from, &Message::Actor { actor: id, about });
            }
        };
        self.keep(driver, (from, id), (incarnation, sequence), (state, calls), &commit.heard);
    }

    /// Keeps the state and the results of an actor that lives at `from`, and says so.
    fn keep(
        &self,
        driver: &impl Driver,
        (from, id): (Rank, ObjectId),
        (incarnation, sequence): (u32, u64),
        (state, calls): (Arc<Parcel>, Vec<(TaskId, Results)>),
        heard_below: &[(Rank, u64)],
    ) {
        // What is not kept any more is dropped after the lock.
        let before;
        let mut heard = Vec::new();
        {
            let mut made = lock(&self.made.0);
            let entry = made.get_mut(&id).filter(|entry| entry.home == from && entry.incarnation == incarnation);
            // Another incarnation than that of now is not listened to.
            let Some(restart) = entry.and_then(|entry| entry.restart.as_mut()) else { return };
            let saved = restart.saved.get_or_insert_with(|| Saved::nothing(&state));
            if sequence <= saved.sequence {
                return;
            }
            saved.sequence = sequence;
            before = std::mem::replace(&mut saved.state, state);
            saved.finished.extend(calls);
            for (rank, below) in heard_below {
                let gone = |call: &&TaskId| call.owner == *rank && call.number < *below;
                let gone: Vec<TaskId> = saved.finished.keys().filter(gone).copied().collect();
                heard.extend(gone.iter().filter_map(|call| saved.finished.remove(call)));
            }
        }
        drop((before, heard));
        driver.send(from, &Message::Actor { actor: id, about: About::Kept { incarnation, sequence } });
    }

    /// Calls that ran in an earlier life of an actor that will be built here.
    pub(super) fn on_finished(
        &self,
        driver: &impl Driver,
        from: Rank,
        id: ObjectId,
        calls: &[WireFinished<'_>],
        pulled: &Pulled,
    ) {
        let calls = self.kept_calls(driver, calls, from, pulled);
        self.actors.restore(id, calls.into_iter());
    }

    /// Sends a constructor to an actor's home, or what was saved to its `restore`.
    ///
    /// # Errors
    /// Where the store has no room for it.
    pub(super) fn send_constructor(
        &self,
        driver: &impl Driver,
        actor: &ActorRef,
        (home, incarnation): (Rank, u32),
        constructor: &Constructor,
        restored: Option<Restored>,
    ) -> Result<()> {
        let restore = constructor.function.checkpoint.and_then(|checkpoint| driver.entry(checkpoint.restore));
        let (function, args, finished) = match (&restored, restore) {
            (Some((state, finished)), Some(restore)) => (restore, &**state, Some(finished)),
            _ => (constructor.function, &constructor.args, None),
        };
        let target = Target { actor: actor.id, incarnation, heard_below: 0 };
        let task = TaskId { owner: self.rank, number: self.away.fresh_number() };
        let options = &constructor.options;
        if home == self.rank {
            let calls = finished.into_iter().flatten().map(|(call, results)| (*call, results.clone()));
            self.actors.restore(actor.id, calls);
            let mut header = Header::new(Some(Box::new(options.clone())), 0);
            header.origin = Some(task);
            let task = (function.decode)(args.clone(), header)?;
            self.actors.build(driver, actor.id, incarnation, task);
            return Ok(());
        }
        let finished: Vec<(&TaskId, &Results)> = finished.into_iter().flatten().collect();
        for calls in finished.chunks(CALLS_A_MESSAGE) {
            let parcels = calls.iter().map(|(_, results)| results.len()).sum::<usize>().max(1);
            let sealed = calls
                .iter()
                .map(|(call, results)| self.sealed_call(driver, **call, results, home, INLINE_BYTES_MAX / parcels));
            let about = About::Finished { calls: sealed.collect::<Result<_>>()? };
            driver.send(home, &Message::Actor { actor: actor.id, about });
        }
        let run = Run {
            task,
            function: function.key,
            caller: 0,
            number: 0,
            actor: Some(target),
            stealable: false,
            hops: 0,
            options: Some(wire_of(options)),
            args: self.sealed(driver, args, home, INLINE_BYTES_MAX)?,
        };
        driver.send(home, &Message::Run(run));
        Ok(())
    }

    /// Something about an actor was said.
    pub(super) fn on_about(&self, driver: &impl Driver, from: Rank, id: ObjectId, about: About<'_>, pulled: &Pulled) {
        match about {
            About::Kill { reason, last } => self.on_kill(driver, id, &reason, last),
            About::Where { incarnation } => self.on_where(driver, from, id, incarnation),
            About::Lives { incarnation, home } => {
                if from == id.owner {
                    self.on_lives(driver, id, incarnation, home);
                }
            }
            About::Ended { incarnation, error } => self.on_ended(driver, from, id, incarnation, error),
            About::Commit(commit) => self.on_commit(driver, from, id, &commit, pulled),
            About::Kept { incarnation, sequence } => {
                if from == id.owner {
                    self.actors.kept(driver, id, incarnation, sequence);
                }
            }
            About::Finished { calls } => {
                if from == id.owner {
                    self.on_finished(driver, from, id, &calls, pulled);
                }
            }
            About::Bears { name } => self.on_bears(driver, from, id, name),
            About::Heard { below } => self.actors.heard(id, from, below),
        }
    }

    /// A rank is gone: what became of the actors that lived there, that it made, whose names it kept.
    pub(super) fn actors_lost(&self, driver: &impl Driver, rank: Rank, error: &Error) {
        self.actors.lost(driver, rank, error);
        self.made_lost(driver, rank, error);
        self.homes_lost(driver, rank, error);
        self.names.lost(rank);
        self.ask_orphans(driver, rank);
        for home in self.actors.orphans(driver) {
            if let Some((name, kind, handle)) = home.orphan(self.rank)
                && (handle.actor.owner == rank || self.was_keeper(driver, &name, rank))
            {
                self.name_orphan(driver, name, kind, handle);
            }
        }
    }
}

/// What an actor's home must know of its options.
fn wire_of(options: &Options) -> WireOptions {
    WireOptions {
        num_cpus: options.num_cpus,
        num_gpus: options.num_gpus,
        resources: options.resources.clone(),
        name: options.name.clone(),
        seat: options.seat(),
        max_restarts: options.max_restarts,
    }
}
