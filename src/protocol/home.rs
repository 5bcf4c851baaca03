//! One actor at home: built once, then one call at a time, in the order of each caller.
//!
//! An actor is work for the rank's workers while it has a call that may run, and nothing otherwise. Its state is taken
//! out while a call runs, so that no lock is held across user code.

use crate::base::log::{Level, say};
use crate::base::sync::lock;
use crate::base::{Error, ObjectId, Rank, TaskId};
use crate::objects::{Parcel, panic_text};
use crate::protocol::actor_message::{About, WireActor};
use crate::protocol::commits::{Commit, Commits, Seen};
use crate::protocol::driver::Driver;
use crate::protocol::made::Results;
use crate::protocol::{Message, Protocol};
use crate::registry::{Checkpoint, Runnable, State};
use crate::scheduling::{Grant, Mailbox, Request};
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock};

/// A caller: calls of one caller keep their order.
pub(super) type Caller = (Rank, u64);

pub(super) enum Life {
    /// Its constructor has not come yet, or its arguments are missing, or it runs.
    Expected,
    /// Its constructor may run.
    Ready(Arc<dyn Runnable>),
    Alive,
    Dead(Arc<Error>),
}

/// What the owner of an actor keeps of it, as its home sees it.
pub(super) struct Kept {
    pub(super) checkpoint: &'static Checkpoint,
    pub(super) commits: Commits<Arc<Parcel>, Results>,
}

pub(super) struct Inner {
    pub(super) life: Life,
    pub(super) mailbox: Mailbox<Caller, Arc<dyn Runnable>>,
    /// A worker has it, or will.
    pub(super) scheduled: bool,
    pub(super) state: State,
    pub(super) request: Request,
    pub(super) grant: Option<Grant>,
    pub(super) name: Option<String>,
    pub(super) kind: &'static str,
    pub(super) label: Arc<str>,
    pub(super) incarnation: u32,
    /// Whether its owner starts it again when this rank dies.
    pub(super) restarts: bool,
    /// Its calls of other ranks that are not over, where it may be started again: what is made again may come twice.
    pub(super) queued: HashSet<TaskId>,
    /// Calls that ran in an earlier life; they come before the constructor.
    pub(super) restored: HashMap<TaskId, Results>,
    pub(super) kept: Option<Box<Kept>>,
}

/// An actor on its own rank.
pub struct ActorHome {
    /// Its name.
    pub id: ObjectId,
    /// What its driver keeps with it.
    pub kept: OnceLock<Arc<dyn Any + Send + Sync>>,
    pub(super) inner: Mutex<Inner>,
}

/// What an actor's worker is to do next. After each step but `Nothing` it asks again.
pub enum Step {
    /// Take this for as long as the actor lives, and say so with `admitted`.
    Admit(Request),
    /// Run the constructor, then say `constructed`.
    Construct(Arc<dyn Runnable>),
    /// Run the call on the state, then say `called`.
    Call(Arc<dyn Runnable>, State),
    /// The actor is no work any more, until `Driver::enqueue_actor` says otherwise.
    Nothing,
}

impl ActorHome {
    pub(super) fn expected(id: ObjectId) -> Arc<ActorHome> {
        let inner = Inner {
            life: Life::Expected,
            mailbox: Mailbox::default(),
            scheduled: false,
            state: None,
            request: Request::default(),
            grant: None,
            name: None,
            kind: "actor",
            label: "an actor".into(),
            incarnation: 0,
            restarts: false,
            queued: HashSet::default(),
            restored: HashMap::default(),
            kept: None,
        };
        Arc::new(ActorHome { id, kept: OnceLock::new(), inner: Mutex::new(inner) })
    }

    /// How it is called in errors.
    pub fn label(&self) -> Arc<str> {
        lock(&self.inner).label.clone()
    }

    /// The same, and the GPUs that it was given.
    pub fn label_and_gpus(&self) -> (Arc<str>, Vec<(u32, i64)>) {
        let inner = lock(&self.inner);
        (inner.label.clone(), inner.grant.as_ref().map_or_else(Vec::new, |grant| grant.gpus.clone()))
    }

    /// The handle of an actor whose owner is gone, its name and its type.
    pub(super) fn orphan(&self, me: Rank) -> Option<(String, String, WireActor)> {
        let inner = lock(&self.inner);
        let (Some(name), false) = (inner.name.clone(), matches!(inner.life, Life::Dead(_))) else { return None };
        let (incarnation, label) = (inner.incarnation, inner.label.to_string());
        Some((name, inner.kind.to_string(), WireActor { actor: self.id, home: me, incarnation, terms: None, label }))
    }

    /// What to do next.
    pub fn next(&self, driver: &impl Driver) -> Step {
        loop {
            let mut inner = lock(&self.inner);
            match std::mem::replace(&mut inner.life, Life::Expected) {
                Life::Ready(task) if inner.grant.is_none() => {
                    inner.life = Life::Ready(task);
                    return Step::Admit(inner.request.clone());
                }
                Life::Ready(task) => return Step::Construct(task),
                Life::Alive => {
                    inner.life = Life::Alive;
                    if inner.state.is_none() {
                        // It was lent; `called` makes it work again.
                        inner.scheduled = false;
                        return Step::Nothing;
                    }
                    let full = inner.kept.as_ref().is_some_and(|kept| kept.commits.is_full());
                    let Some(call) = (if full { None } else { inner.mailbox.pop() }) else {
                        inner.scheduled = false;
                        return Step::Nothing;
                    };
                    let origin = call.header().origin;
                    let seen = origin.zip(inner.kept.as_ref()).map(|(id, kept)| (id, kept.commits.seen(id)));
                    let Some((id, seen)) = seen.filter(|(_, seen)| !matches!(seen, Seen::Never)) else {
                        return Step::Call(call, inner.state.take());
                    };
                    // It ran in an earlier life (K2).
                    inner.queued.remove(&id);
                    drop(inner);
                    if call.header().claim_waiting() {
                        call.fail(Arc::new(Error::config("it ran before")));
                    }
                    if let Seen::Finished(results) = seen {
                        driver.protocol().give_results(driver, id, &results);
                    }
                }
                other => {
                    inner.life = other;
                    inner.scheduled = false;
                    return Step::Nothing;
                }
            }
        }
    }

    /// The state for this call, where it is the next and none runs: who waits for it runs it on the spot, then says `called`.
    pub(super) fn lend(&self, call: &Arc<dyn Runnable>) -> Option<State> {
        let mut inner = lock(&self.inner);
        let is_free = matches!(inner.life, Life::Alive) && inner.state.is_some() && inner.kept.is_none();
        if !is_free || !inner.mailbox.first().is_some_and(|next| Arc::ptr_eq(next, call)) {
            return None;
        }
        inner.mailbox.pop();
        Some(inner.state.take())
    }

    /// What it asks for was taken; handed back where it died meanwhile.
    pub fn admitted(&self, grant: Grant) -> Option<(Grant, i64)> {
        let mut inner = lock(&self.inner);
        if matches!(inner.life, Life::Dead(_)) {
            return Some((grant, inner.request.cpu));
        }
        inner.grant = Some(grant);
        None
    }

    /// The constructor ran, and made `state` or nothing.
    pub fn constructed(self: &Arc<Self>, driver: &impl Driver, task: &Arc<dyn Runnable>, state: State) {
        task.header().take_target();
        let mut inner = lock(&self.inner);
        if matches!(inner.life, Life::Dead(_)) {
            drop(inner);
            drop_state(driver.rank(), state);
        } else if state.is_some() {
            inner.state = state;
            inner.life = Life::Alive;
            drop(inner);
        } else {
            let (label, again) = (inner.label.to_string(), inner.incarnation);
            drop(inner);
            let reason = task.clone().slots().iter().find_map(|slot| slot.core().failure());
            let mut reason = reason.map_or_else(
                || "its constructor made nothing".to_string(),
                |error| format!("its constructor failed: {error}"),
            );
            if again > 0 {
                reason.push_str(&format!(" (it was being started again, time {again})"));
            }
            bury(driver, self, Error::ActorDied { actor: label, reason });
        }
        driver.protocol().over(driver, task);
    }

    /// A call ran on `state`.
    pub fn called(self: &Arc<Self>, driver: &impl Driver, task: &Arc<dyn Runnable>, state: State) {
        task.header().take_target();
        let mut inner = lock(&self.inner);
        let origin = task.header().origin;
        if inner.restarts
            && let Some(id) = origin
        {
            inner.queued.remove(&id);
        }
        if !matches!(inner.life, Life::Alive) {
            drop(inner);
            drop_state(driver.rank(), state);
            return driver.protocol().over(driver, task);
        }
        let kept = inner.kept.as_ref().map(|kept| kept.checkpoint);
        let (Some(checkpoint), Some(id)) = (kept, origin) else {
            inner.state = state;
            schedule(driver, self, &mut inner);
            drop(inner);
            return driver.protocol().over(driver, task);
        };
        drop(inner);
        self.commit(driver, checkpoint, id, task, state);
    }

    /// A call ran that may be shown only once its effect is kept (K1).
    fn commit(
        self: &Arc<Self>,
        driver: &impl Driver,
        checkpoint: &Checkpoint,
        id: TaskId,
        task: &Arc<dyn Runnable>,
        state: State,
    ) {
        let results: Results = Arc::new(task.clone().slots().iter().map(|slot| slot.encode()).collect());
        let saved = (checkpoint.save)(&state);
        let mut inner = lock(&self.inner);
        let dead = !matches!(inner.life, Life::Alive);
        let gone = if dead {
            state
        } else {
            inner.state = state;
            None
        };
        let (label, incarnation) = (inner.label.to_string(), inner.incarnation);
        let (commit, replaced) = match (&mut inner.kept, saved) {
            (Some(kept), Ok(saved)) if !dead => kept.commits.ran(id, results, Arc::new(saved)),
            (Some(_), Err(error)) if !dead => {
                drop(inner);
                bury(driver, self, Error::ActorDied { actor: label, reason: format!("it cannot be saved: {error}") });
                return driver.protocol().give_results(driver, id, &results);
            }
            // Its owner is gone, or it was ended: nothing can be lost any more.
            _ => {
                drop(inner);
                drop_state(driver.rank(), gone);
                return driver.protocol().give_results(driver, id, &results);
            }
        };
        drop(inner);
        drop(replaced);
        self.send_commit(driver, incarnation, commit);
    }

    /// Sends what the owner is to keep. One that cannot be sent ends the actor: what it did could not be shown.
    fn send_commit(
        self: &Arc<Self>,
        driver: &impl Driver,
        incarnation: u32,
        commit: Option<Commit<Arc<Parcel>, Results>>,
    ) {
        let Some(commit) = commit else { return };
        if let Err(error) = driver.protocol().send_commit(driver, self.id, incarnation, &commit) {
            let actor = self.label().to_string();
            bury(driver, self, Error::ActorDied { actor, reason: format!("its state cannot be kept: {error}") });
        }
    }

    /// The owner keeps the commit of that number.
    pub(super) fn on_kept(self: &Arc<Self>, driver: &impl Driver, incarnation: u32, sequence: u64) {
        let (shown, commit) = {
            let mut inner = lock(&self.inner);
            if inner.incarnation != incarnation {
                return;
            }
            let Some(kept) = &mut inner.kept else { return };
            let (shown, commit) = (kept.commits.kept(sequence), kept.commits.next());
            schedule(driver, self, &mut inner);
            (shown, commit)
        };
        shown.iter().for_each(|(id, results)| driver.protocol().give_results(driver, *id, results));
        self.send_commit(driver, incarnation, commit);
    }

    /// Nobody keeps its state any more: what ran is shown.
    pub(super) fn unkept(&self, driver: &impl Driver) {
        let kept = lock(&self.inner).kept.take();
        let shown = kept.map_or_else(Vec::new, |kept| kept.commits.give_up());
        shown.iter().for_each(|(id, results)| driver.protocol().give_results(driver, *id, results));
    }
}

/// Makes the actor work for the workers, where it has something to do and is not so already.
pub(super) fn schedule(driver: &impl Driver, home: &Arc<ActorHome>, inner: &mut Inner) {
    let has_work = match inner.life {
        Life::Ready(_) => true,
        Life::Alive => inner.mailbox.has_ready() && inner.kept.as_ref().is_none_or(|kept| !kept.commits.is_full()),
        _ => false,
    };
    if has_work && !inner.scheduled {
        inner.scheduled = true;
        driver.enqueue_actor(home.clone());
    }
}

/// Ends an actor for good.
pub(super) fn bury(driver: &impl Driver, home: &Arc<ActorHome>, error: Error) {
    let error = Arc::new(error);
    let mut inner = lock(&home.inner);
    if matches!(inner.life, Life::Dead(_)) {
        return;
    }
    let before = std::mem::replace(&mut inner.life, Life::Dead(error.clone()));
    let calls = inner.mailbox.drain();
    let (state, grant, name) = (inner.state.take(), inner.grant.take(), inner.name.take());
    let (cpu, incarnation, concerns_owner) = (inner.request.cpu, inner.incarnation, inner.restarts || name.is_some());
    let restored = std::mem::take(&mut inner.restored);
    inner.queued = HashSet::default();
    drop(inner);
    drop(restored);
    drop_state(driver.rank(), state);
    home.unkept(driver);
    if let Life::Ready(task) = before {
        refuse(driver, &task, &error);
    }
    calls.iter().for_each(|call| refuse(driver, call, &error));
    if let Some(grant) = grant {
        driver.give_back(grant, cpu);
    }
    if let Some(name) = name {
        let keeper = driver.protocol().keeper_of(driver, &name);
        driver.send(keeper, &Message::NameFree { name, actor: home.id });
    }
    if concerns_owner {
        let about = About::Ended { incarnation, error: (*error).clone() };
        driver.send(home.id.owner, &Message::Actor { actor: home.id, about });
    }
}

pub(super) fn refuse(driver: &impl Driver, task: &Arc<dyn Runnable>, error: &Arc<Error>) {
    if task.header().claim_waiting() {
        task.fail(error.clone());
        task.header().take_target();
        driver.protocol().over(driver, task);
    }
}

/// Drops an actor's state; a panic in its `Drop` is said and goes no further.
fn drop_state(rank: Rank, state: State) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(state))) {
        let text = panic_text(&*panic);
        say(Level::Error, || format!("rank {rank}: an actor's Drop panicked: {text}"));
    }
}

impl Protocol {
    /// Tells a call's owner what it gave; also once more.
    pub(super) fn give_results(&self, driver: &impl Driver, call: TaskId, results: &Results) {
        if call.owner == self.rank {
            self.complete_own(driver, call.number, results.to_vec());
        } else {
            self.send_results(driver, call, results);
        }
    }
}
