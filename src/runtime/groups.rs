//! Placement groups: does what the pure owner decides, holds bundles for the owners of others, and sends work to them.

mod slot;

use crate::base::log::{Level, say};
use crate::base::sync::{AtomicBool, Ordering, lock};
use crate::base::{Error, ObjectId, Rank, Result, Seat, clock};
use crate::objects::{AnySlot, ObjectRef};
use crate::protocol::{Message, request_of};
use crate::registry::{Bundle, Options, PlacementGroup, Runnable};
use crate::runtime::Runtime;
use crate::runtime::placing::check_amounts;
use crate::scheduling::{GroupAction, GroupMessage, Groups, Home, HostView, Request, Strategy, fixed_of};
use rustc_hash::FxHashMap;
use slot::GroupSlot;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

/// The groups that this rank owns.
pub struct OwnGroups {
    state: Mutex<State>,
    /// Whether there ever was one: who has none looks no further.
    any: AtomicBool,
}

struct State {
    groups: Groups,
    known: FxHashMap<u64, Known>,
    /// Decided and not done yet, in order; whether a thread is at it.
    actions: VecDeque<GroupAction>,
    performing: bool,
}

/// A group that somebody holds.
struct Known {
    slot: Weak<GroupSlot>,
    /// Work that waits until it is ready.
    waiting: Vec<Arc<dyn Runnable>>,
    /// Why it is gone, where it is.
    gone: Option<String>,
}

impl OwnGroups {
    /// None yet.
    pub fn new(seed: u64) -> OwnGroups {
        let state = State {
            groups: Groups::new(seed),
            known: FxHashMap::default(),
            actions: VecDeque::new(),
            performing: false,
        };
        OwnGroups { state: Mutex::new(state), any: AtomicBool::new(false) }
    }

    /// Names the ranks that were asked for room and have not answered.
    pub fn awaited(&self, note: &mut impl FnMut(Rank)) {
        if self.any.load(Ordering::Relaxed) {
            lock(&self.state).groups.awaited(note);
        }
    }

    /// The groups that are not ready, with what they ask for.
    pub fn pending(&self) -> Vec<(u64, String)> {
        if !self.any.load(Ordering::Relaxed) { Vec::new() } else { lock(&self.state).groups.pending() }
    }
}

impl Runtime {
    /// Reserves resources together.
    ///
    /// # Errors
    /// `Unschedulable` where no host can ever hold them, naming what is missing; `Config` for amounts that are none.
    pub fn create_group(&'static self, bundles: Vec<Bundle>, strategy: Strategy) -> Result<PlacementGroup> {
        if bundles.is_empty() {
            return Err(Error::config("a placement group takes at least one bundle"));
        }
        let requests = bundles.iter().map(request_of_bundle).collect::<Result<Vec<Request>>>()?;
        let number = self.protocol.references.fresh_number();
        let slot = GroupSlot::new(number);
        self.own_groups.any.store(true, Ordering::Relaxed);
        let known = Known { slot: Arc::downgrade(&slot), waiting: Vec::new(), gone: None };
        lock(&self.own_groups.state).known.insert(number, known);
        let id = ObjectId { owner: self.rank, number };
        let mut refused = None;
        self.decide(|groups, hosts, now_ns| {
            let created = groups.create(number, requests, strategy, hosts, now_ns);
            created.unwrap_or_else(|missing| {
                refused = Some(missing);
                Vec::new()
            })
        });
        match refused {
            Some(missing) => Err(Error::Unschedulable { task: "the placement group".to_string(), missing }),
            None => Ok(PlacementGroup { id, ready: ObjectRef::new(slot), bundles }),
        }
    }

    /// Nobody wants the group any more: what waits for it fails, its actors end, its resources are free when its tasks are over.
    pub fn remove_group(&'static self, id: ObjectId) {
        if id.owner == self.rank {
            self.group_ends(id.number);
        } else {
            self.send(id.owner, &Message::Group(GroupMessage::Remove { group: id.number }));
        }
    }

    fn group_ends(&'static self, number: u64) {
        self.decide(|groups, _, _| groups.remove(number));
    }

    /// A message about groups.
    pub fn on_group(&'static self, from: Rank, message: GroupMessage) {
        let of = |number| ObjectId { owner: from, number };
        match message {
            GroupMessage::Reserve { group, attempt, bundles } => {
                let granted = self.table.hold(of(group), attempt, &bundles);
                let free = self.table.free_totals();
                self.send(from, &Message::Group(GroupMessage::Reserved { group, attempt, granted, free }));
            }
            GroupMessage::Reserved { group, attempt, granted, free } => {
                self.decide(|groups, hosts, now_ns| {
                    groups.answered((group, attempt), from, (granted, free), hosts, now_ns)
                });
            }
            GroupMessage::Commit { group, attempt } => {
                self.table.commit(of(group), attempt);
                self.feed_starved();
            }
            GroupMessage::Release { group, attempt } => {
                let goes =
                    |seat: &Seat, by: u32| seat.group == of(group) && attempt.is_none_or(|attempt| attempt == by);
                self.release_bundles(goes, "its placement group was removed");
            }
            GroupMessage::Remove { group } => self.group_ends(group),
        }
    }

    /// Bundles are the host's again: their actors end, and work that waits for them fails.
    fn release_bundles(&'static self, goes: impl Fn(&Seat, u32) -> bool, reason: &str) {
        self.table.release(goes);
        for actor in self.protocol.actors.seated(|seat| !self.table.has_seat(seat)) {
            self.protocol.actors.kill(&self, actor, reason, false);
        }
        self.feed_starved();
        self.resources_freed();
    }

    /// A rank is gone, with the bundles that it held and the groups that it owned.
    pub fn groups_lost(&'static self, rank: Rank, error: &Error) {
        self.release_bundles(|seat, _| seat.group.owner == rank, &error.to_string());
        if self.own_groups.any.load(Ordering::Relaxed) {
            let reason = error.to_string();
            self.decide(|groups, hosts, now_ns| groups.lost(rank, &reason, hosts, now_ns));
        }
    }

    /// Groups that rested long enough try again; returns when the next one has. Only the progress thread calls it.
    pub fn groups_due(&'static self) -> Option<Duration> {
        if !self.own_groups.any.load(Ordering::Relaxed) {
            return None;
        }
        let left = |due_ns: u64| Duration::from_nanos(due_ns.saturating_sub(clock::now_ns()));
        let due = lock(&self.own_groups.state).groups.due_ns().map(left)?;
        if due.is_zero() {
            self.decide(|groups, hosts, now_ns| groups.tick(hosts, now_ns));
        }
        lock(&self.own_groups.state).groups.due_ns().map(left)
    }

    /// Lets the pure owner decide, and does what it says. What several threads have it decide is done in that order, by one of
    /// them, and under no lock: what it sends to this rank itself comes back here.
    fn decide(&'static self, event: impl FnOnce(&mut Groups, &[HostView], u64) -> Vec<GroupAction>) {
        let hosts = self.host_views();
        {
            let mut state = lock(&self.own_groups.state);
            let actions = event(&mut state.groups, &hosts, clock::now_ns());
            state.actions.extend(actions);
            if state.performing {
                return;
            }
            state.performing = true;
        }
        loop {
            let action = {
                let mut state = lock(&self.own_groups.state);
                let action = state.actions.pop_front();
                state.performing = action.is_some();
                action
            };
            match action {
                Some(action) => {
                    // A waker or a `Drop` of the user's may panic; what was decided after it is done all the same.
                    if catch_unwind(AssertUnwindSafe(|| self.perform_for_group(action))).is_err() {
                        say(Level::Error, || format!("rank {}: user code panicked as a group came or went", self.rank));
                    }
                }
                None => break,
            }
        }
        if lock(&self.own_groups.state).groups.due_ns().is_some() {
            // The progress thread is to wake for it.
            self.roads.bell.ring();
        }
    }

    fn perform_for_group(&'static self, action: GroupAction) {
        let id = |number| ObjectId { owner: self.rank, number };
        match action {
            GroupAction::Send(to, message) => self.send(to, &Message::Group(message)),
            GroupAction::Ready(number) => {
                let (slot, waiting) =
                    self.known(number, |known| (known.slot.upgrade(), std::mem::take(&mut known.waiting)));
                say(Level::Debug, || format!("placement group {} is ready", id(number)));
                if let Some(slot) = slot {
                    slot.complete();
                }
                waiting.into_iter().for_each(|task| self.launch_here(task));
            }
            GroupAction::Gone(number, reason) => {
                let (slot, waiting) = self.known(number, |known| {
                    known.gone = Some(reason.clone());
                    (known.slot.upgrade(), std::mem::take(&mut known.waiting))
                });
                if let Some(slot) = slot {
                    let group = format!("placement group {}", id(number));
                    slot.core().fail(Arc::new(Error::Unschedulable { task: group, missing: reason.clone() }));
                }
                let seat = Seat { group: id(number), bundle: None };
                waiting
                    .iter()
                    .for_each(|task| self.protocol.fail_task(&self, task, gone(task.header().name(), seat, &reason)));
            }
        }
    }

    fn known<T: Default>(&self, number: u64, body: impl FnOnce(&mut Known) -> T) -> T {
        lock(&self.own_groups.state).known.get_mut(&number).map_or_else(T::default, body)
    }

    fn host_views(&self) -> Vec<HostView> {
        let living = |ranks: &[Rank]| ranks.iter().copied().filter(|rank| !self.is_dead(*rank)).collect();
        self.hosts.iter().map(|host| HostView { totals: host.totals.clone(), ranks: living(&host.ranks) }).collect()
    }

    /// Where a task for that place goes first: to the group's owner, who knows where the place is; `None` where that is this rank.
    pub(super) fn group_owner(&self, seat: Seat) -> Result<Option<Rank>> {
        let owner = seat.group.owner;
        if owner >= self.size {
            return Err(Error::config(format!("{seat} is of another cluster")));
        }
        if self.is_dead(owner) {
            return Err(self.death_of(owner));
        }
        Ok((owner != self.rank).then_some(owner))
    }

    /// Whether a task for that place goes on here. Otherwise it was sent on, waits until the group is ready, or has failed.
    pub(super) fn is_seated(&'static self, task: &Arc<dyn Runnable>, seat: Seat) -> bool {
        if seat.group.owner != self.rank && self.table.has_seat(seat) {
            // Its owner has looked whether it fits.
            return true;
        }
        let request = task.header().options.as_deref().map(request_of).unwrap_or_default();
        let home = if seat.group.owner == self.rank {
            let mut state = lock(&self.own_groups.state);
            let home = state.home(seat, &request);
            if home == Home::Later
                && let Some(known) = state.known.get_mut(&seat.group.number)
            {
                known.waiting.push(task.clone());
                return false;
            }
            home
        } else {
            Home::Nowhere(format!("it is not on rank {} any more", self.rank))
        };
        match home {
            Home::At(rank) if rank == self.rank => return true,
            Home::At(rank) => self.launch_there(task.clone(), rank),
            Home::Later => {
                self.protocol.fail_task(&self, task, gone(task.header().name(), seat, "nobody holds it any more"))
            }
            Home::Nowhere(reason) => self.protocol.fail_task(&self, task, gone(task.header().name(), seat, &reason)),
        }
        false
    }

    /// Where that place in one of this rank's groups is; `None` while it is being reserved.
    pub(super) fn home_of_seat(&self, seat: Seat) -> Result<Option<Rank>, String> {
        match lock(&self.own_groups.state).home(seat, &Request::default()) {
            Home::At(rank) => Ok(Some(rank)),
            Home::Later => Ok(None),
            Home::Nowhere(reason) => Err(reason),
        }
    }

    /// Work for a place that is held here no more, or can never hold it, fails by name; true where it did.
    pub(super) fn unseat(&'static self, request: &Request, work: &crate::runtime::queues::Work) -> bool {
        let Some((seat, cpu)) = request.seat else { return false };
        let reason = if !self.table.has_seat(seat) {
            format!("it is not on rank {} any more", self.rank)
        } else if self.table.seat_is_too_small(seat, cpu, request) {
            format!("{} is more than it has", request.shown())
        } else {
            return false;
        };
        match work {
            crate::runtime::queues::Work::Actor(actor) => {
                self.protocol.actors.kill(&self, actor.id, &format!("{seat}: {reason}"), false);
            }
            crate::runtime::queues::Work::Task(task) => {
                if task.header().claim() {
                    let error = gone(task.header().name(), seat, &reason);
                    self.report(error.clone());
                    task.fail(Arc::new(error));
                    self.over(task);
                }
            }
        }
        true
    }
}

impl State {
    fn home(&mut self, seat: Seat, request: &Request) -> Home {
        match self.known.get(&seat.group.number).and_then(|known| known.gone.clone()) {
            Some(reason) => Home::Nowhere(reason),
            None => self.groups.home(seat.group.number, seat.bundle, request),
        }
    }
}

/// The error of work for a place that is gone, or that can never hold it.
pub(super) fn gone(name: &str, seat: Seat, reason: &str) -> Error {
    Error::Unschedulable { task: name.to_string(), missing: format!("{seat}: {reason}") }
}

fn request_of_bundle(bundle: &Bundle) -> Result<Request> {
    let mut options = Options::new().num_cpus(bundle.cpus).num_gpus(bundle.gpus);
    options.resources.clone_from(&bundle.resources);
    check_amounts(&options, "a bundle")?;
    if bundle.gpus < 0.0 || fixed_of(bundle.cpus) + fixed_of(bundle.gpus) == 0 && bundle.resources.is_empty() {
        return Err(Error::config("a bundle that asks for nothing: give it cpus, gpus or a resource"));
    }
    Ok(request_of(&options))
}
