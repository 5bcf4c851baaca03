//! The actors of a rank.

mod views;

use crate::base::sync::lock;
use crate::base::{Error, ObjectId, Rank, TaskId};
use crate::protocol::Message;
use crate::protocol::actor_message::Target;
use crate::protocol::commits::Commits;
use crate::protocol::dependencies::when_arguments;
use crate::protocol::driver::Driver;
use crate::protocol::handles::{ActorRef, label_of};
use crate::protocol::home::{ActorHome, Caller, Kept, Life, bury, refuse, schedule};
use crate::protocol::made::Results;
use crate::protocol::requests::request_of_actor;
use crate::registry::{Kind, Runnable, State};
use rustc_hash::FxHashMap as HashMap;
use std::sync::{Arc, Mutex};

/// The actors that live on a rank, and those that ended there: these for as long as somebody may call them.
#[derive(Default)]
pub struct Actors {
    homes: Mutex<HashMap<ObjectId, Arc<ActorHome>>>,
}

impl Actors {
    /// The actor, known or expected: a call of a third rank may overtake the constructor.
    fn home(&self, id: ObjectId) -> Arc<ActorHome> {
        lock(&self.homes).entry(id).or_insert_with(|| ActorHome::expected(id)).clone()
    }

    fn known(&self, id: ObjectId) -> Option<Arc<ActorHome>> {
        lock(&self.homes).get(&id).cloned()
    }

    /// Calls that ran in an earlier life of an actor whose constructor comes after them.
    pub(super) fn restore(&self, id: ObjectId, calls: impl Iterator<Item = (TaskId, Results)>) {
        let home = self.home(id);
        lock(&home.inner).restored.extend(calls);
    }

    /// The constructor came.
    pub fn build(&self, driver: &impl Driver, id: ObjectId, incarnation: u32, task: Arc<dyn Runnable>) {
        let home = self.home(id);
        {
            let mut inner = lock(&home.inner);
            let header = task.header();
            if let Some(options) = &header.options {
                inner.request = request_of_actor(options);
                inner.name = options.name.clone();
                // On its owner's own rank it ends with its owner, unless that is where it was moved to.
                let restarts = options.max_restarts.is_some_and(|restarts| restarts > 0);
                inner.restarts = restarts && (id.owner != driver.rank() || incarnation > 0);
            }
            inner.kind = header.entry.map_or("actor", |entry| entry.name);
            inner.label = label_of(inner.kind, inner.name.as_deref()).into();
            inner.incarnation = incarnation;
            let checkpoint = header.entry.and_then(|entry| entry.checkpoint).filter(|_| inner.restarts);
            let restored = std::mem::take(&mut inner.restored);
            inner.kept = checkpoint.map(|checkpoint| Box::new(Kept { checkpoint, commits: Commits::new(restored) }));
        }
        when_arguments(driver, &task.clone(), move |driver| {
            let mut inner = lock(&home.inner);
            if let Life::Dead(error) = &inner.life {
                let error = error.clone();
                let name = inner.name.take();
                drop(inner);
                if let Some(name) = name {
                    // Who ended it before it was built knew of no name.
                    let keeper = driver.protocol().keeper_of(driver, &name);
                    driver.send(keeper, &Message::NameFree { name, actor: home.id });
                }
                return refuse(driver, &task, &error);
            }
            inner.life = Life::Ready(task);
            schedule(driver, &home, &mut inner);
        });
    }

    /// A call came, from this rank or another.
    pub fn call(&self, driver: &impl Driver, target: Target, caller: Caller, task: Arc<dyn Runnable>) {
        let Some(home) = self.home_of_call(driver, target.actor) else {
            let error = driver.death_of(target.actor.owner);
            let reason = format!("it ended with the rank that made it: {error}");
            return refuse(driver, &task, &Arc::new(Error::ActorDied { actor: target.actor.to_string(), reason }));
        };
        let mut complete = true;
        if !task.all_values() {
            task.references(&mut |slot| complete &= slot.core().is_complete());
        }
        // Dropped after the lock, as the task is: it may hold handles of this very actor.
        let _forgotten;
        let mut inner = lock(&home.inner);
        if let Life::Dead(error) = &inner.life {
            let error = error.clone();
            drop(inner);
            return refuse(driver, &task, &error);
        }
        _forgotten = inner.kept.as_mut().map(|kept| kept.commits.heard(caller.0, target.heard_below));
        if inner.restarts
            && let Some(id) = task.header().origin
            && !inner.queued.insert(id)
        {
            // It is here already.
            return drop(inner);
        }
        inner.mailbox.push(caller, task.clone(), complete);
        if complete {
            schedule(driver, &home, &mut inner);
            return;
        }
        drop(inner);
        when_arguments(driver, &task.clone(), move |driver| {
            let mut inner = lock(&home.inner);
            inner.mailbox.completed(caller, |call| Arc::ptr_eq(call, &task));
            schedule(driver, &home, &mut inner);
        });
    }

    /// The actor that lives here and that this call is for, and its state, where the call is the next to run and none runs.
    /// Who waits for the call runs it on the spot and then says `called`.
    pub fn lend(&self, call: &Arc<dyn Runnable>) -> Option<(Arc<ActorHome>, State)> {
        call.header().entry.filter(|entry| entry.kind == Kind::Method)?;
        let actor = call.header().target()?.downcast::<ActorRef>().ok()?;
        let home = self.known(actor.id)?;
        let state = home.lend(call)?;
        Some((home, state))
    }

    /// The home that a call is for; `None` where there is none, and none can come because its owner is gone.
    fn home_of_call(&self, driver: &impl Driver, id: ObjectId) -> Option<Arc<ActorHome>> {
        if driver.is_dead(id.owner) { self.known(id) } else { Some(self.home(id)) }
    }

    /// The callers of that rank have their results below this number.
    pub(super) fn heard(&self, id: ObjectId, from: Rank, below: u64) {
        if let Some(home) = self.known(id) {
            let mut inner = lock(&home.inner);
            let forgotten = inner.kept.as_mut().map(|kept| kept.commits.heard(from, below));
            drop(inner);
            drop(forgotten);
        }
    }

    /// The owner keeps what was sent.
    pub(super) fn kept(&self, driver: &impl Driver, id: ObjectId, incarnation: u32, sequence: u64) {
        if let Some(home) = self.known(id) {
            home.on_kept(driver, incarnation, sequence);
        }
    }

    /// An actor that never was: every call holds the reason.
    pub fn stillborn(&self, id: ObjectId, error: Error) {
        lock(&self.home(id).inner).life = Life::Dead(Arc::new(error));
    }

    /// Ends an actor: its state goes, its calls fail, its resources and its name are free. Where it is the last that is said of
    /// it, nothing is left.
    pub fn kill(&self, driver: &impl Driver, id: ObjectId, reason: &str, last: bool) {
        let home = if last { self.known(id) } else { Some(self.home(id)) };
        let Some(home) = home else { return };
        let actor = home.label().to_string();
        bury(driver, &home, Error::ActorDied { actor, reason: reason.to_string() });
        if last {
            let _dropped_outside_of_the_lock = lock(&self.homes).remove(&id);
        }
    }

    /// A rank is gone: the actors that it made elsewhere end with it. It counted their handles: nobody else would ever end
    /// them, and what they hold would be lost. Those with a name stay, as they are.
    pub fn lost(&self, driver: &impl Driver, rank: Rank, error: &Error) {
        let homes: Vec<_> = lock(&self.homes).values().cloned().collect();
        for home in homes {
            let (actor, named, dead, forgotten) = {
                let mut inner = lock(&home.inner);
                let forgotten = inner.kept.as_mut().map(|kept| kept.commits.lost(rank));
                (inner.label.to_string(), inner.name.is_some(), matches!(inner.life, Life::Dead(_)), forgotten)
            };
            drop(forgotten);
            if home.id.owner != rank {
                continue;
            }
            if named && !dead {
                home.unkept(driver);
                schedule(driver, &home, &mut lock(&home.inner));
                continue;
            }
            bury(driver, &home, Error::ActorDied { actor, reason: error.to_string() });
            let _dropped_outside_of_the_lock = lock(&self.homes).remove(&home.id);
        }
    }

    /// The named actors here whose owner is gone.
    pub(super) fn orphans(&self, driver: &impl Driver) -> Vec<Arc<ActorHome>> {
        lock(&self.homes).values().filter(|home| driver.is_dead(home.id.owner)).cloned().collect()
    }

    /// Those that live, or are expected to.
    pub fn living(&self) -> Vec<ObjectId> {
        let homes = lock(&self.homes);
        let living = homes.values().filter(|home| !matches!(lock(&home.inner).life, Life::Dead(_)));
        let mut living: Vec<_> = living.map(|home| home.id).collect();
        living.sort_unstable();
        living
    }

    /// Names the owners that have a commit of an actor here and have not said so.
    pub(super) fn awaited(&self, note: &mut impl FnMut(Rank)) {
        let homes = lock(&self.homes);
        let awaits = |home: &ActorHome| lock(&home.inner).kept.as_ref().is_some_and(|kept| kept.commits.awaits_owner());
        homes.values().filter(|home| awaits(home)).for_each(|home| note(home.id.owner));
    }

    /// Forgets everything: the end. Returns what is to be dropped.
    pub fn clear(&self) -> impl Sized + use<> {
        std::mem::take(&mut *lock(&self.homes))
    }

    /// How many actors are remembered.
    #[cfg(test)]
    pub fn remembered(&self) -> usize {
        lock(&self.homes).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::bench::Bench;
    use crate::protocol::home::Step;
    use crate::registry::{
        Actor, ActorFn, ActorNew, Checkpoint, Failure, Header, MethodOf, NewOf, Options, Single, State, Task, save,
    };
    use crate::scheduling::Grant;

    /// A count, and how to save it.
    struct Count(u64);
    struct New;
    struct Add;

    impl Actor for Count {
        type Handle = ();
        const NAME: &'static str = "Count";
        const CHECKPOINT: Option<&'static Checkpoint> =
            Some(&Checkpoint::of::<New>(|state| save(state, |count: &Count| count.0)));
    }

    impl ActorNew for New {
        type Actor = Count;
        type Args = ();
        const PATH: &'static str = "tests::Count.new";
        const SIGNATURE: &'static str = "fn new() -> Count";
        fn options() -> Options {
            Options::new()
        }
        fn make(_: ()) -> Result<Count, Failure> {
            Ok(Count(0))
        }
    }

    impl ActorFn for Add {
        type Actor = Count;
        type Args = ();
        type Value = u64;
        type Outputs = Single<u64>;
        const NAME: &'static str = "Count.add";
        const PATH: &'static str = "tests::Count.add";
        const SIGNATURE: &'static str = "fn add(&mut self) -> u64";
        fn call(count: &mut Count, _: ()) -> Result<u64, Failure> {
            count.0 += 1;
            Ok(count.0)
        }
    }

    const ACTOR: ObjectId = ObjectId { owner: 0, number: 5 };

    /// Runs all that may run; how many calls that were.
    fn work(bench: &Bench) -> usize {
        let mut calls = 0;
        for home in bench.ready() {
            loop {
                let blame = |failure: Failure| Error::config(format!("{failure:?}"));
                let run = |task: &Arc<dyn Runnable>, state: &mut State| {
                    assert!(task.header().claim_waiting());
                    task.invoke(state, &blame);
                };
                match home.next(bench) {
                    Step::Admit(_) => assert!(home.admitted(Grant::default()).is_none()),
                    Step::Construct(task) => {
                        let mut state = None;
                        run(&task, &mut state);
                        home.constructed(bench, &task, state);
                    }
                    Step::Call(task, mut state) => {
                        run(&task, &mut state);
                        home.called(bench, &task, state);
                        calls += 1;
                    }
                    Step::Nothing => break,
                }
            }
        }
        calls
    }

    fn built(bench: &Bench, max_restarts: u32) -> &Actors {
        use crate::protocol::Driver;
        let header = Header::new(Some(Box::new(Options::new().max_restarts(max_restarts))), 0);
        bench.protocol().actors.build(bench, ACTOR, 0, Task::<NewOf<New>>::new(header, ()));
        assert_eq!(work(bench), 0);
        &bench.protocol().actors
    }

    /// A call of rank 3.
    fn add(bench: &Bench, actors: &Actors, number: u64, heard_below: u64) {
        let mut header = Header::new(None, 0);
        header.origin = Some(TaskId { owner: 3, number });
        let target = Target { actor: ACTOR, incarnation: 0, heard_below };
        actors.call(bench, target, (3, 0), Task::<MethodOf<Add>>::new(header, ()));
    }

    #[test]
    fn who_ended_is_remembered_until_nobody_can_ask() {
        let bench = Bench::new(1);
        let actors = built(&bench, 0);
        actors.kill(&bench, ACTOR, "it was killed", false);
        add(&bench, actors, 1, 1);
        let sent = bench.sent();
        assert!(sent.iter().any(|(to, said)| *to == 3 && said.contains("it was killed")), "{sent:?}");
        assert_eq!(actors.remembered(), 1);
        actors.kill(&bench, ACTOR, "its last handle was dropped", true);
        actors.kill(&bench, ACTOR, "its last handle was dropped", true);
        assert_eq!(actors.remembered(), 0);
    }

    #[test]
    fn a_result_is_shown_once_the_owner_keeps_the_state_and_a_call_runs_once() {
        let bench = Bench::new(1);
        let actors = built(&bench, 1);
        assert!(bench.sent().is_empty());
        add(&bench, actors, 1, 1);
        add(&bench, actors, 1, 1);
        add(&bench, actors, 2, 1);
        assert_eq!(work(&bench), 2, "what came twice runs once");
        let sent = bench.sent();
        assert_eq!(sent.len(), 1, "the second commit waits for the first: {sent:?}");
        assert!(sent[0].0 == 0 && sent[0].1.contains("Commit"), "{sent:?}");
        actors.kept(&bench, ACTOR, 7, 1);
        assert!(bench.sent().is_empty(), "another incarnation's");
        actors.kept(&bench, ACTOR, 0, 1);
        let sent = bench.sent();
        assert!(sent.len() == 2 && sent[0].0 == 3 && sent[0].1.starts_with("Return { task: 1"), "{sent:?}");
        assert!(sent[1].0 == 0 && sent[1].1.contains("sequence: 2"), "{sent:?}");
        // Made again by a caller that did not hear: given again, not run again.
        add(&bench, actors, 1, 1);
        assert_eq!(work(&bench), 0);
        assert!(bench.sent().iter().all(|(to, said)| *to == 3 && said.starts_with("Return { task: 1")));
        // Heard: neither.
        actors.heard(ACTOR, 3, 2);
        add(&bench, actors, 1, 1);
        assert_eq!((work(&bench), bench.sent().len()), (0, 0));
    }
}
