//! Placement groups: carries out what `scheduling::Groups` decides for the groups of this rank, reserves bundles for
//! groups of other ranks, and sends work to bundles.

mod ready;

use crate::base::log::{Level, log};
use crate::base::sync::{AtomicBool, Ordering, lock};
use crate::base::{Error, ObjectId, Rank, Result, BundleSlot, clock};
use crate::objects::{AnySlot, ObjectRef};
use crate::protocol::{Message, request_of};
use crate::registry::{Bundle, Options, PlacementGroup, Runnable};
use crate::runtime::Runtime;
use crate::runtime::placement::check_amounts;
use crate::scheduling::{GroupAction, GroupMessage, Groups, GroupLocation, HostView, ResourceRequest, Strategy, fixed_of};
use rustc_hash::FxHashMap;
use ready::GroupReady;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

/// The groups that this rank owns.
pub struct OwnedGroups {
    state: Mutex<State>,
    /// True once this rank has created a group: a fast path for those that never do.
    any: AtomicBool,
}

struct State {
    groups: Groups,
    owned: FxHashMap<u64, OwnedGroup>,
    /// Actions decided and not performed yet, in order.
    actions: VecDeque<GroupAction>,
    /// True while a thread performs them.
    performing: bool,
}

/// A group that has handles.
struct OwnedGroup {
    slot: Weak<GroupReady>,
    /// Tasks that wait until the group is ready.
    waiting: Vec<Arc<dyn Runnable>>,
    /// Why it ended, if it did.
    ended: Option<String>,
}

impl OwnedGroups {
    /// None yet.
    pub fn new(seed: u64) -> OwnedGroups {
        let state = State {
            groups: Groups::new(seed),
            owned: FxHashMap::default(),
            actions: VecDeque::new(),
            performing: false,
        };
        OwnedGroups { state: Mutex::new(state), any: AtomicBool::new(false) }
    }

    /// Calls `visit` for each rank that was requested to reserve bundles and has not responded.
    pub fn each_awaited_rank(&self, visit: &mut impl FnMut(Rank)) {
        if self.any.load(Ordering::Relaxed) {
            lock(&self.state).groups.visit_awaited(visit);
        }
    }

    /// The groups that are not ready, with what they request.
    pub fn pending(&self) -> Vec<(u64, String)> {
        if !self.any.load(Ordering::Relaxed) { Vec::new() } else { lock(&self.state).groups.pending() }
    }
}

impl Runtime {
    /// Reserves resources together.
    ///
    /// # Errors
    /// `Unschedulable` if no host can ever hold them, naming what is missing; `Config` for invalid amounts.
    pub fn create_group(&'static self, bundles: Vec<Bundle>, strategy: Strategy) -> Result<PlacementGroup> {
        if bundles.is_empty() {
            return Err(Error::config("a placement group takes at least one bundle"));
        }
        let requests = bundles.iter().map(request_of_bundle).collect::<Result<Vec<ResourceRequest>>>()?;
        let number = self.protocol.references.fresh_number();
        let slot = GroupReady::new(number);
        self.owned_groups.any.store(true, Ordering::Relaxed);
        let group = OwnedGroup { slot: Arc::downgrade(&slot), waiting: Vec::new(), ended: None };
        lock(&self.owned_groups.state).owned.insert(number, group);
        let id = ObjectId { owner: self.rank, number };
        let mut refused = None;
        self.decide(|groups, hosts, now_ns| {
            let created = groups.create(number, requests, strategy, hosts, now_ns);
            created.unwrap_or_else(|error| {
                refused = Some(error.missing);
                Vec::new()
            })
        });
        match refused {
            Some(missing) => Err(Error::Unschedulable { task: "the placement group".to_string(), missing }),
            None => Ok(PlacementGroup { id, ready: ObjectRef::new(slot), bundles }),
        }
    }

    /// Removes a group: tasks that wait for it fail, its actors end, its resources are free when its tasks have
    /// finished.
    pub fn remove_group(&'static self, id: ObjectId) {
        if id.owner == self.rank {
            self.end_group(id.number);
        } else {
            self.send(id.owner, &Message::Group(GroupMessage::Remove { group: id.number }));
        }
    }

    fn end_group(&'static self, number: u64) {
        self.decide(|groups, _, _| groups.remove(number));
    }

    /// Handles a message about groups.
    pub fn on_group(&'static self, from: Rank, message: GroupMessage) {
        let of = |number| ObjectId { owner: from, number };
        match message {
            GroupMessage::Reserve { group, attempt, bundles } => {
                let granted = self.table.reserve(of(group), attempt, &bundles);
                let free = self.table.free_totals();
                self.send(from, &Message::Group(GroupMessage::Reserved { group, attempt, granted, free }));
            }
            GroupMessage::Reserved { group, attempt, granted, free } => {
                self.decide(|groups, hosts, now_ns| {
                    groups.on_reserved((group, attempt), from, (granted, free), hosts, now_ns)
                });
            }
            GroupMessage::Commit { group, attempt } => {
                self.table.commit(of(group), attempt);
                self.readmit_pending();
            }
            GroupMessage::Release { group, attempt } => {
                let is_released =
                    |slot: &BundleSlot, by: u32| slot.group == of(group) && attempt.is_none_or(|attempt| attempt == by);
                self.release_bundles(is_released, "its placement group was removed");
            }
            GroupMessage::Remove { group } => self.end_group(group),
        }
    }

    /// Returns bundles to the host: their actors end, and work that waits for them fails.
    fn release_bundles(&'static self, is_released: impl Fn(&BundleSlot, u32) -> bool, reason: &str) {
        self.table.release(is_released);
        for actor in self.protocol.local_actors.in_bundles(|slot| !self.table.has_slot(slot)) {
            self.protocol.local_actors.kill(&self, actor, reason, false);
        }
        self.readmit_pending();
        self.resources_freed();
    }

    /// A rank is dead: ends its groups, and replaces the bundles that it had reserved.
    pub fn groups_on_peer_failed(&'static self, rank: Rank, error: &Error) {
        self.release_bundles(|slot, _| slot.group.owner == rank, &error.to_string());
        if self.owned_groups.any.load(Ordering::Relaxed) {
            let reason = error.to_string();
            self.decide(|groups, hosts, now_ns| groups.on_rank_failed(rank, &reason, hosts, now_ns));
        }
    }

    /// Retries groups whose pause is over; returns the time until the next retry. Only the progress thread calls it.
    pub fn tick_groups(&'static self) -> Option<Duration> {
        if !self.owned_groups.any.load(Ordering::Relaxed) {
            return None;
        }
        let left = |due_ns: u64| Duration::from_nanos(due_ns.saturating_sub(clock::now_ns()));
        let due = lock(&self.owned_groups.state).groups.due_ns().map(left)?;
        if due.is_zero() {
            self.decide(|groups, hosts, now_ns| groups.tick(hosts, now_ns));
        }
        lock(&self.owned_groups.state).groups.due_ns().map(left)
    }

    /// Lets `Groups` decide about an event, and performs its actions. Actions decided by several threads are performed
    /// in the order of the decisions, by one of the threads, and under no lock: a message to this rank itself comes
    /// back here.
    fn decide(&'static self, event: impl FnOnce(&mut Groups, &[HostView], u64) -> Vec<GroupAction>) {
        let hosts = self.host_views();
        {
            let mut state = lock(&self.owned_groups.state);
            let actions = event(&mut state.groups, &hosts, clock::now_ns());
            state.actions.extend(actions);
            if state.performing {
                return;
            }
            state.performing = true;
        }
        loop {
            let action = {
                let mut state = lock(&self.owned_groups.state);
                let action = state.actions.pop_front();
                state.performing = action.is_some();
                action
            };
            match action {
                Some(action) => {
                    // A waker or a `Drop` of the user may panic; the later actions are performed all the same.
                    if catch_unwind(AssertUnwindSafe(|| self.apply_group_action(action))).is_err() {
                        log(Level::Error, || format!("rank {}: user code panicked as a group came or went", self.rank));
                    }
                }
                None => break,
            }
        }
        if lock(&self.owned_groups.state).groups.due_ns().is_some() {
            // Wakes the progress thread, which retries.
            self.router.doorbell.notify_always();
        }
    }

    fn apply_group_action(&'static self, action: GroupAction) {
        let id = |number| ObjectId { owner: self.rank, number };
        match action {
            GroupAction::Send(to, message) => self.send(to, &Message::Group(message)),
            GroupAction::Ready(number) => {
                let (slot, waiting) =
                    self.with_group(number, |group| (group.slot.upgrade(), std::mem::take(&mut group.waiting)));
                log(Level::Debug, || format!("placement group {} is ready", id(number)));
                if let Some(slot) = slot {
                    slot.complete();
                }
                waiting.into_iter().for_each(|task| self.launch_here(task));
            }
            GroupAction::Ended(number, reason) => {
                let (slot, waiting) = self.with_group(number, |group| {
                    group.ended = Some(reason.clone());
                    (group.slot.upgrade(), std::mem::take(&mut group.waiting))
                });
                if let Some(slot) = slot {
                    let group = format!("placement group {}", id(number));
                    slot.core().fail(Arc::new(Error::Unschedulable { task: group, missing: reason.clone() }));
                }
                let slot = BundleSlot { group: id(number), bundle: None };
                waiting
                    .iter()
                    .for_each(|task| self.protocol.fail_task(&self, task, slot_error(task.header().name(), slot, &reason)));
            }
        }
    }

    fn with_group<T: Default>(&self, number: u64, body: impl FnOnce(&mut OwnedGroup) -> T) -> T {
        lock(&self.owned_groups.state).owned.get_mut(&number).map_or_else(T::default, body)
    }

    fn host_views(&self) -> Vec<HostView> {
        let living = |ranks: &[Rank]| ranks.iter().copied().filter(|rank| !self.is_dead(*rank)).collect();
        self.hosts.iter().map(|host| HostView { totals: host.totals.clone(), ranks: living(&host.ranks) }).collect()
    }

    /// The rank to which a task for that slot goes first: the group's owner, which knows the slot's location; `None` if
    /// that is this rank.
    pub(super) fn group_owner(&self, slot: BundleSlot) -> Result<Option<Rank>> {
        let owner = slot.group.owner;
        if owner >= self.size {
            return Err(Error::config(format!("{slot} is of another cluster")));
        }
        if self.is_dead(owner) {
            return Err(self.death_of(owner));
        }
        Ok((owner != self.rank).then_some(owner))
    }

    /// Returns true if a task for that slot runs here. Otherwise it was sent on, waits until the group is ready, or
    /// failed.
    pub(super) fn dispatch_to_slot(&'static self, task: &Arc<dyn Runnable>, slot: BundleSlot) -> bool {
        if slot.group.owner != self.rank && self.table.has_slot(slot) {
            // The group's owner has checked that it fits.
            return true;
        }
        let request = task.header().options.as_deref().map(request_of).unwrap_or_default();
        let location = if slot.group.owner == self.rank {
            let mut state = lock(&self.owned_groups.state);
            let location = state.location(slot, &request);
            if location == GroupLocation::Later
                && let Some(group) = state.owned.get_mut(&slot.group.number)
            {
                group.waiting.push(task.clone());
                return false;
            }
            location
        } else {
            GroupLocation::Nowhere(format!("it is not on rank {} any more", self.rank))
        };
        match location {
            GroupLocation::At(rank) if rank == self.rank => return true,
            GroupLocation::At(rank) => self.launch_on(task.clone(), rank),
            GroupLocation::Later => {
                self.protocol.fail_task(&self, task, slot_error(task.header().name(), slot, "its last handle was dropped"))
            }
            GroupLocation::Nowhere(reason) => self.protocol.fail_task(&self, task, slot_error(task.header().name(), slot, &reason)),
        }
        false
    }

    /// The location of that slot of one of this rank's groups; `None` while it is being reserved.
    pub(super) fn location_of_slot(&self, slot: BundleSlot) -> Result<Option<Rank>, String> {
        match lock(&self.owned_groups.state).location(slot, &ResourceRequest::default()) {
            GroupLocation::At(rank) => Ok(Some(rank)),
            GroupLocation::Later => Ok(None),
            GroupLocation::Nowhere(reason) => Err(reason),
        }
    }

    /// Fails work for a slot that is no longer reserved here, or is too small; returns true if it did.
    pub(super) fn fail_without_slot(&'static self, request: &ResourceRequest, work: &crate::runtime::queues::Work) -> bool {
        let Some((slot, cpu)) = request.bundle else { return false };
        let reason = if !self.table.has_slot(slot) {
            format!("it is not on rank {} any more", self.rank)
        } else if self.table.slot_is_too_small(slot, cpu, request) {
            format!("{} is more than it has", request.displayed())
        } else {
            return false;
        };
        match work {
            crate::runtime::queues::Work::Actor(actor) => {
                self.protocol.local_actors.kill(&self, actor.id, &format!("{slot}: {reason}"), false);
            }
            crate::runtime::queues::Work::Task(task) => {
                if task.header().claim() {
                    let error = slot_error(task.header().name(), slot, &reason);
                    self.report(error.clone());
                    task.fail(Arc::new(error));
                    self.on_finished(task);
                }
            }
        }
        true
    }
}

impl State {
    fn location(&mut self, slot: BundleSlot, request: &ResourceRequest) -> GroupLocation {
        match self.owned.get(&slot.group.number).and_then(|group| group.ended.clone()) {
            Some(reason) => GroupLocation::Nowhere(reason),
            None => self.groups.locate(slot.group.number, slot.bundle, request),
        }
    }
}

/// The error of work for a slot that was removed, or that is too small.
pub(super) fn slot_error(name: &str, slot: BundleSlot, reason: &str) -> Error {
    Error::Unschedulable { task: name.to_string(), missing: format!("{slot}: {reason}") }
}

fn request_of_bundle(bundle: &Bundle) -> Result<ResourceRequest> {
    let mut options = Options::new().num_cpus(bundle.cpus).num_gpus(bundle.gpus);
    options.resources.clone_from(&bundle.resources);
    check_amounts(&options, "a bundle")?;
    if bundle.gpus < 0.0 || fixed_of(bundle.cpus) + fixed_of(bundle.gpus) == 0 && bundle.resources.is_empty() {
        return Err(Error::config("a bundle that requests nothing: give it cpus, gpus or a resource"));
    }
    Ok(request_of(&options))
}
