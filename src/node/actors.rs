//! Actors at home: built once, then one call at a time, in the order of each caller.
//!
//! An actor is work for the rank's workers while it has a call that may run, and nothing otherwise. Its state is taken
//! out while a call runs, so that no lock is held across user code.

use crate::base::sync::lock;
use crate::base::{Error, ObjectId, Rank};
use crate::node::context::Context;
use crate::node::notes::Account;
use crate::node::placing::request_of;
use crate::node::queues::Work;
use crate::node::table::Grant;
use crate::node::tasks::failed_argument;
use crate::node::{Node, worker};
use crate::protocol::Message;
use crate::registry::{Runnable, State};
use crate::sched::{Mailbox, Request};
use rustc_hash::FxHashMap as HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

mod standing;

use standing::Standing;

/// Calls that an actor runs before its worker looks at other work.
const TURN_CALLS: usize = 64;

/// An actor as its handles know it: one value a process, shared by the handles.
pub struct ActorRef {
    /// Its name; the owner made it and counts who holds handles.
    pub id: ObjectId,
    /// The rank that it runs on.
    pub home: Rank,
    /// Its type, and its name where it has one.
    pub label: String,
}

impl Drop for ActorRef {
    fn drop(&mut self) {
        let Some(node) = Node::current() else { return };
        if self.id.owner != node.rank {
            node.references.released(node, self.id, std::ptr::from_ref(self).addr());
        } else if !node.stopping() {
            let reason = "its last handle was dropped".to_string();
            node.send(self.home, &Message::Kill { actor: self.id, reason });
        }
    }
}

/// A caller: calls of one caller keep their order.
type Caller = (Rank, u64);

enum Life {
    /// Its constructor has not come yet, or its arguments are missing.
    Expected,
    /// Its constructor may run.
    Ready(Arc<dyn Runnable>),
    Alive,
    Dead(Arc<Error>),
}

struct Inner {
    life: Life,
    mailbox: Mailbox<Caller, Arc<dyn Runnable>>,
    /// A worker has it, or will.
    scheduled: bool,
    state: State,
    request: Request,
    grant: Option<Grant>,
    account: Option<Arc<Account>>,
    name: Option<String>,
    label: String,
}

/// An actor on its own rank.
pub struct ActorHome {
    id: ObjectId,
    inner: Mutex<Inner>,
}

/// The actors of a rank, and the names that it keeps.
#[derive(Default)]
pub struct Actors {
    homes: Mutex<HashMap<ObjectId, Arc<ActorHome>>>,
    /// Name to type and handle.
    names: Mutex<HashMap<String, (String, Arc<ActorRef>)>>,
}

impl Actors {
    /// The actor, known or expected: a call of a third rank may overtake the constructor.
    fn home(&self, id: ObjectId) -> Arc<ActorHome> {
        let mut homes = lock(&self.homes);
        let expected = || {
            Arc::new(ActorHome {
                id,
                inner: Mutex::new(Inner {
                    life: Life::Expected,
                    mailbox: Mailbox::default(),
                    scheduled: false,
                    state: None,
                    request: Request::default(),
                    grant: None,
                    account: None,
                    name: None,
                    label: "an actor".to_string(),
                }),
            })
        };
        homes.entry(id).or_insert_with(expected).clone()
    }

    /// The constructor came.
    pub fn build(&self, node: &'static Node, id: ObjectId, task: Arc<dyn Runnable>) {
        let home = self.home(id);
        {
            let mut inner = lock(&home.inner);
            let header = task.header();
            if let Some(options) = &header.options {
                let asked = request_of(options);
                inner.request = Request { cpu: if options.num_cpus.is_some() { asked.cpu } else { 0 }, ..asked };
                inner.name = options.name.clone();
            }
            inner.label = label_of(header.entry.map_or("actor", |entry| entry.name), inner.name.as_deref());
            inner.account = header.options.as_ref().and_then(|options| Account::new(options, &inner.label));
        }
        node.when_arguments(&task.clone(), move |node| {
            let mut inner = lock(&home.inner);
            if let Life::Dead(error) = &inner.life {
                let error = error.clone();
                drop(inner);
                task.header().claim_waiting();
                task.fail(error);
                return node.over(&task);
            }
            inner.life = Life::Ready(task);
            schedule(node, &home, &mut inner);
        });
    }

    /// A call came, from this rank or another.
    pub fn call(&self, node: &'static Node, id: ObjectId, caller: Caller, task: Arc<dyn Runnable>) {
        let home = self.home(id);
        let mut complete = true;
        if !task.all_values() {
            task.references(&mut |slot| complete &= slot.core().is_complete());
        }
        let mut inner = lock(&home.inner);
        if let Life::Dead(error) = &inner.life {
            let error = error.clone();
            drop(inner);
            return refuse(node, &task, &error);
        }
        inner.mailbox.push(caller, task.clone(), complete);
        if complete {
            schedule(node, &home, &mut inner);
            return;
        }
        drop(inner);
        node.when_arguments(&task.clone(), move |node| {
            let mut inner = lock(&home.inner);
            inner.mailbox.completed(caller, |call| Arc::ptr_eq(call, &task));
            schedule(node, &home, &mut inner);
        });
    }

    /// An actor that never was: every call holds the reason.
    pub fn stillborn(&self, id: ObjectId, error: Error) {
        lock(&self.home(id).inner).life = Life::Dead(Arc::new(error));
    }

    /// Ends an actor: its state goes, its calls fail, its resources and its name are free.
    pub fn kill(&self, node: &'static Node, id: ObjectId, reason: &str) {
        let home = self.home(id);
        let label = lock(&home.inner).label.clone();
        bury(node, &home, Error::ActorDied { actor: label, reason: reason.to_string() });
    }

    /// Runs an actor's constructor or next calls, on the calling worker's fiber.
    pub fn run(&self, node: &'static Node, home: &Arc<ActorHome>) {
        for _ in 0..TURN_CALLS {
            let mut inner = lock(&home.inner);
            if let Life::Ready(_) = inner.life {
                if inner.grant.is_none() && !admit(node, &mut inner) {
                    let request = inner.request.clone();
                    drop(inner);
                    return node.starve(request, Work::Actor(home.clone()));
                }
                let Life::Ready(task) = std::mem::replace(&mut inner.life, Life::Expected) else { return };
                drop(inner);
                construct(node, home, &task);
                continue;
            }
            let call = inner.mailbox.pop();
            let Some(call) = call.filter(|_| matches!(inner.life, Life::Alive)) else {
                inner.scheduled = false;
                return;
            };
            let mut state = inner.state.take();
            let standing = inner.standing();
            drop(inner);
            perform(node, &call, &mut state, &standing);
            let mut inner = lock(&home.inner);
            if matches!(inner.life, Life::Alive) {
                inner.state = state;
            } else {
                drop(inner);
                drop_state(node, state);
            }
        }
        // The others had to wait long enough.
        node.push(Work::Actor(home.clone()));
    }

    /// Gives a name to an actor; why not, where it has another bearer.
    pub fn name_set(&self, name: String, kind: String, actor: Arc<ActorRef>) -> Result<(), String> {
        let mut names = lock(&self.names);
        if names.contains_key(&name) {
            return Err(format!("the name {name:?} belongs to another actor"));
        }
        names.insert(name, (kind, actor));
        Ok(())
    }

    /// Whose name it is.
    pub fn name_get(&self, name: &str, kind: &str) -> Result<Arc<ActorRef>, String> {
        match lock(&self.names).get(name) {
            None => Err(format!("no actor is named {name:?}")),
            Some((own, _)) if own != kind => Err(format!("the actor named {name:?} is a {own}, not a {kind}")),
            Some((_, actor)) => Ok(actor.clone()),
        }
    }

    /// The bearer of the name is gone.
    pub fn name_free(&self, name: &str, actor: ObjectId) {
        let mut names = lock(&self.names);
        let bearer = names.get(name).is_some_and(|(_, bearer)| bearer.id == actor);
        let _dropped_outside_of_the_lock = if bearer { names.remove(name) } else { None };
        drop(names);
    }

    /// A rank is gone: the names of its actors can be given again, and the actors that it made elsewhere end with it. It
    /// counted their handles: nobody else would ever end them, and what they hold would be lost. Those with a name stay.
    pub fn lost(&self, node: &'static Node, rank: Rank, error: &Error) {
        let mut names = lock(&self.names);
        let (gone, kept) = names.drain().partition(|(_, (_, actor))| actor.home == rank);
        *names = kept;
        drop(names);
        let _dropped_outside_of_the_lock: HashMap<_, _> = gone;
        let homes: Vec<_> = lock(&self.homes).values().filter(|home| home.id.owner == rank).cloned().collect();
        for home in homes {
            let (label, name) = {
                let inner = lock(&home.inner);
                (inner.label.clone(), inner.name.clone())
            };
            if name.is_none() {
                bury(node, &home, Error::ActorDied { actor: label, reason: error.to_string() });
            }
        }
    }

    /// Forgets everything: the end.
    pub fn clear(&self) {
        let homes = std::mem::take(&mut *lock(&self.homes));
        let names = std::mem::take(&mut *lock(&self.names));
        let _ = catch_unwind(AssertUnwindSafe(|| drop((homes, names))));
    }
}

/// How an actor is called in errors.
pub fn label_of(kind: &str, name: Option<&str>) -> String {
    name.map_or_else(|| kind.to_string(), |name| format!("{kind} {name:?}"))
}

/// Makes the actor work for the workers, where it has something to do and is not so already.
fn schedule(node: &'static Node, home: &Arc<ActorHome>, inner: &mut Inner) {
    let has_work = match inner.life {
        Life::Ready(_) => true,
        Life::Alive => inner.mailbox.has_ready(),
        _ => false,
    };
    if has_work && !inner.scheduled {
        inner.scheduled = true;
        node.push(Work::Actor(home.clone()));
    }
}

/// Takes what the actor asked for, for as long as it lives.
fn admit(node: &'static Node, inner: &mut Inner) -> bool {
    let Some(grant) = node.table.take_rest(&inner.request) else { return false };
    if !node.table.take_cpu(inner.request.cpu) {
        node.give_back(&grant);
        return false;
    }
    inner.grant = Some(grant);
    true
}

fn construct(node: &'static Node, home: &Arc<ActorHome>, task: &Arc<dyn Runnable>) {
    let standing = lock(&home.inner).standing();
    let mut state: State = None;
    perform(node, task, &mut state, &standing);
    let mut inner = lock(&home.inner);
    if matches!(inner.life, Life::Dead(_)) {
        drop(inner);
        return drop_state(node, state);
    }
    if state.is_some() {
        inner.state = state;
        inner.life = Life::Alive;
        return;
    }
    drop(inner);
    let reason = task.clone().slots().iter().find_map(|slot| slot.core().failure());
    let reason = reason
        .map_or_else(|| "its constructor made nothing".to_string(), |error| format!("its constructor failed: {error}"));
    bury(node, home, Error::ActorDied { actor: standing.label, reason });
}

/// Runs one call, or passes on the failure that one of its arguments holds.
fn perform(node: &'static Node, task: &Arc<dyn Runnable>, state: &mut State, standing: &Standing) {
    if !task.header().claim_waiting() {
        return;
    }
    if let Some(error) = failed_argument(task) {
        task.fail(error);
        task.header().release_target();
        return node.over(task);
    }
    let began_ns = node.traces.on(task).then(crate::base::clock::now_ns);
    let worker = worker::here();
    let before = worker.map(|worker| worker.set_running_cpu(0));
    let printing = node.printing(task.header());
    {
        let context =
            Context::of_call(task.header(), &standing.gpus, &standing.label).on_account(standing.account.as_ref());
        let _running = context.enter();
        task.invoke(state, &|failure| node.blame(task.header(), failure));
    }
    drop(printing);
    if let (Some(worker), Some(before)) = (worker, before) {
        worker.set_running_cpu(before);
    }
    if let Some(began_ns) = began_ns {
        node.traces.ran(node, task, began_ns, worker.map_or(u32::MAX, |worker| worker.shared.index as u32));
    }
    task.header().release_target();
    node.over(task);
}

fn bury(node: &'static Node, home: &Arc<ActorHome>, error: Error) {
    let error = Arc::new(error);
    let mut inner = lock(&home.inner);
    if matches!(inner.life, Life::Dead(_)) {
        return;
    }
    let before = std::mem::replace(&mut inner.life, Life::Dead(error.clone()));
    let calls = inner.mailbox.drain();
    let (state, grant, name) = (inner.state.take(), inner.grant.take(), inner.name.take());
    let cpu = inner.request.cpu;
    drop(inner);
    drop_state(node, state);
    if let Life::Ready(task) = before {
        refuse(node, &task, &error);
    }
    calls.iter().for_each(|call| refuse(node, call, &error));
    if let Some(grant) = grant {
        node.give_back(&grant);
        node.give_back_cpu(cpu);
    }
    if let Some(name) = name {
        let keeper = node.keeper_of(&name);
        node.send(keeper, &Message::NameFree { name, actor: home.id });
    }
}

fn refuse(node: &'static Node, task: &Arc<dyn Runnable>, error: &Arc<Error>) {
    if task.header().claim_waiting() {
        task.fail(error.clone());
        task.header().release_target();
        node.over(task);
    }
}

/// Drops an actor's state; a panic in its `Drop` is said and goes no further.
fn drop_state(node: &'static Node, state: State) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(state))) {
        let text = crate::object::panic_text(&*panic);
        crate::base::log::say(crate::base::log::Level::Error, || {
            format!("rank {}: an actor's Drop panicked: {text}", node.rank)
        });
    }
}
