//! Placement groups: carries out what `scheduling::Groups` decides for the groups of this rank, reserves bundles for
//! groups of other ranks, and sends work to bundles.

mod ready;

use crate::base::log::{Level, log};
use crate::base::sync::{AtomicBool, Ordering, lock};
use crate::base::{BundleSlot, Error, ObjectId, Rank, Result, clock};
use crate::objects::{AnySlot, ObjectRef};
use crate::protocol::{Message, request_of};
use crate::registry::{Bundle, Options, PlacementGroup, Runnable};
use crate::runtime::resources::placement::check_amounts;
use crate::runtime::{Runtime, tasks};
use crate::scheduling::{
    GroupAction, GroupLocation, GroupMessage, Groups, HostView, ResourceRequest, Strategy, fixed_of,
};
use ready::GroupReady;
use rustc_hash::FxHashMap;
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

/// Reserves resources together.
///
/// # Errors
/// `Unschedulable` if no host can ever hold them, naming what is missing; `Config` for invalid amounts.
pub fn create_group(runtime: &'static Runtime, bundles: Vec<Bundle>, strategy: Strategy) -> Result<PlacementGroup> {
    if bundles.is_empty() {
        return Err(Error::config("a placement group takes at least one bundle"));
    }
    let requests = bundles.iter().map(request_of_bundle).collect::<Result<Vec<ResourceRequest>>>()?;
    let number = runtime.protocol.references.fresh_number();
    let slot = GroupReady::new(runtime, number);
    runtime.resources.groups.any.store(true, Ordering::Relaxed);
    let group = OwnedGroup { slot: Arc::downgrade(&slot), waiting: Vec::new(), ended: None };
    lock(&runtime.resources.groups.state).owned.insert(number, group);
    let id = ObjectId { owner: runtime.cluster.rank, number };
    let mut refused = None;
    decide(runtime, |groups, hosts, now_ns| {
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

/// Removes a group: tasks that wait for it fail, its actors end, its resources are free when its tasks have
/// finished.
pub fn remove_group(runtime: &'static Runtime, id: ObjectId) {
    if id.owner == runtime.cluster.rank {
        end_group(runtime, id.number);
    } else {
        runtime.send(id.owner, &Message::Group(GroupMessage::Remove { group: id.number }));
    }
}

fn end_group(runtime: &'static Runtime, number: u64) {
    decide(runtime, |groups, _, _| groups.remove(number));
}

/// Handles a message about groups.
pub fn on_group(runtime: &'static Runtime, from: Rank, message: GroupMessage) {
    let of = |number| ObjectId { owner: from, number };
    match message {
        GroupMessage::Reserve { group, attempt, bundles } => {
            let granted = runtime.resources.table().reserve(of(group), attempt, &bundles);
            let free = runtime.resources.table().free_totals();
            runtime.send(from, &Message::Group(GroupMessage::Reserved { group, attempt, granted, free }));
        }
        GroupMessage::Reserved { group, attempt, granted, free } => {
            decide(runtime, |groups, hosts, now_ns| {
                groups.on_reserved((group, attempt), from, (granted, free), hosts, now_ns)
            });
        }
        GroupMessage::Commit { group, attempt } => {
            runtime.resources.table().commit(of(group), attempt);
            runtime.readmit_pending();
        }
        GroupMessage::Release { group, attempt } => {
            let is_released =
                |slot: &BundleSlot, by: u32| slot.group == of(group) && attempt.is_none_or(|attempt| attempt == by);
            release_bundles(runtime, is_released, "its placement group was removed");
        }
        GroupMessage::Remove { group } => end_group(runtime, group),
    }
}

/// Returns bundles to the host: their actors end, and work that waits for them fails.
fn release_bundles(runtime: &'static Runtime, is_released: impl Fn(&BundleSlot, u32) -> bool, reason: &str) {
    runtime.resources.table().release(is_released);
    for actor in runtime.protocol.local_actors.in_bundles(|slot| !runtime.resources.table().has_slot(slot)) {
        runtime.protocol.local_actors.kill(&runtime, actor, reason, false);
    }
    runtime.readmit_pending();
    runtime.resources_freed();
}

/// A rank is dead: ends its groups, and replaces the bundles that it had reserved.
pub fn groups_on_peer_failed(runtime: &'static Runtime, rank: Rank, error: &Error) {
    release_bundles(runtime, |slot, _| slot.group.owner == rank, &error.to_string());
    if runtime.resources.groups.any.load(Ordering::Relaxed) {
        let reason = error.to_string();
        decide(runtime, |groups, hosts, now_ns| groups.on_rank_failed(rank, &reason, hosts, now_ns));
    }
}

/// Retries groups whose pause is over; returns the time until the next retry. Only the progress thread calls it.
pub fn tick_groups(runtime: &'static Runtime) -> Option<Duration> {
    if !runtime.resources.groups.any.load(Ordering::Relaxed) {
        return None;
    }
    let left = |due_ns: u64| Duration::from_nanos(due_ns.saturating_sub(clock::now_ns()));
    let due = lock(&runtime.resources.groups.state).groups.due_ns().map(left)?;
    if due.is_zero() {
        decide(runtime, |groups, hosts, now_ns| groups.tick(hosts, now_ns));
    }
    lock(&runtime.resources.groups.state).groups.due_ns().map(left)
}

/// Lets `Groups` decide about an event, and performs its actions. Actions decided by several threads are performed
/// in the order of the decisions, by one of the threads, and under no lock: a message to this rank itself comes
/// back here.
fn decide(runtime: &'static Runtime, event: impl FnOnce(&mut Groups, &[HostView], u64) -> Vec<GroupAction>) {
    let hosts = host_views(runtime);
    {
        let mut state = lock(&runtime.resources.groups.state);
        let actions = event(&mut state.groups, &hosts, clock::now_ns());
        state.actions.extend(actions);
        if state.performing {
            return;
        }
        state.performing = true;
    }
    loop {
        let action = {
            let mut state = lock(&runtime.resources.groups.state);
            let action = state.actions.pop_front();
            state.performing = action.is_some();
            action
        };
        match action {
            Some(action) => {
                // A waker or a `Drop` of the user may panic; the later actions are performed all the same.
                if catch_unwind(AssertUnwindSafe(|| apply_group_action(runtime, action))).is_err() {
                    log(Level::Error, || {
                        format!("rank {}: user code panicked as a group came or went", runtime.cluster.rank)
                    });
                }
            }
            None => break,
        }
    }
    if lock(&runtime.resources.groups.state).groups.due_ns().is_some() {
        // Wakes the progress thread, which retries.
        runtime.router.doorbell().notify_always();
    }
}

fn apply_group_action(runtime: &'static Runtime, action: GroupAction) {
    let id = |number| ObjectId { owner: runtime.cluster.rank, number };
    match action {
        GroupAction::Send(to, message) => runtime.send(to, &Message::Group(message)),
        GroupAction::Ready(number) => {
            let (slot, waiting) =
                with_group(runtime, number, |group| (group.slot.upgrade(), std::mem::take(&mut group.waiting)));
            log(Level::Debug, || format!("placement group {} is ready", id(number)));
            if let Some(slot) = slot {
                slot.complete();
            }
            waiting.into_iter().for_each(|task| tasks::launch_here(runtime, task));
        }
        GroupAction::Ended(number, reason) => {
            let (slot, waiting) = with_group(runtime, number, |group| {
                group.ended = Some(reason.clone());
                (group.slot.upgrade(), std::mem::take(&mut group.waiting))
            });
            if let Some(slot) = slot {
                let group = format!("placement group {}", id(number));
                slot.core().fail(Arc::new(Error::Unschedulable { task: group, missing: reason.clone() }));
            }
            let slot = BundleSlot { group: id(number), bundle: None };
            waiting.iter().for_each(|task| {
                runtime.protocol.fail_task(&runtime, task, slot_error(task.header().name(), slot, &reason))
            });
        }
    }
}

fn with_group<T: Default>(runtime: &Runtime, number: u64, body: impl FnOnce(&mut OwnedGroup) -> T) -> T {
    lock(&runtime.resources.groups.state).owned.get_mut(&number).map_or_else(T::default, body)
}

fn host_views(runtime: &Runtime) -> Vec<HostView> {
    let living = |ranks: &[Rank]| ranks.iter().copied().filter(|rank| !runtime.is_dead(*rank)).collect();
    runtime
        .cluster
        .hosts()
        .iter()
        .map(|host| HostView { totals: host.totals.clone(), ranks: living(&host.ranks) })
        .collect()
}

/// The rank to which a task for that slot goes first: the group's owner, which knows the slot's location; `None` if
/// that is this rank.
pub fn group_owner(runtime: &Runtime, slot: BundleSlot) -> Result<Option<Rank>> {
    let owner = slot.group.owner;
    if owner >= runtime.cluster.size {
        return Err(Error::config(format!("{slot} is of another cluster")));
    }
    if runtime.is_dead(owner) {
        return Err(runtime.cluster.death_of(owner));
    }
    Ok((owner != runtime.cluster.rank).then_some(owner))
}

/// Returns true if a task for that slot runs here. Otherwise it was sent on, waits until the group is ready, or
/// failed.
pub fn dispatch_to_slot(runtime: &'static Runtime, task: &Arc<dyn Runnable>, slot: BundleSlot) -> bool {
    if slot.group.owner != runtime.cluster.rank && runtime.resources.table().has_slot(slot) {
        // The group's owner has checked that it fits.
        return true;
    }
    let request = task.header().options.as_deref().map(request_of).unwrap_or_default();
    let location = if slot.group.owner == runtime.cluster.rank {
        let mut state = lock(&runtime.resources.groups.state);
        let location = state.location(slot, &request);
        if location == GroupLocation::Later
            && let Some(group) = state.owned.get_mut(&slot.group.number)
        {
            group.waiting.push(task.clone());
            return false;
        }
        location
    } else {
        GroupLocation::Nowhere(format!("it is not on rank {} any more", runtime.cluster.rank))
    };
    match location {
        GroupLocation::At(rank) if rank == runtime.cluster.rank => return true,
        GroupLocation::At(rank) => tasks::launch_on(runtime, task.clone(), rank),
        GroupLocation::Later => runtime.protocol.fail_task(
            &runtime,
            task,
            slot_error(task.header().name(), slot, "its last handle was dropped"),
        ),
        GroupLocation::Nowhere(reason) => {
            runtime.protocol.fail_task(&runtime, task, slot_error(task.header().name(), slot, &reason))
        }
    }
    false
}

/// The location of that slot of one of this rank's groups; `None` while it is being reserved.
pub fn location_of_slot(runtime: &Runtime, slot: BundleSlot) -> Result<Option<Rank>, String> {
    match lock(&runtime.resources.groups.state).location(slot, &ResourceRequest::default()) {
        GroupLocation::At(rank) => Ok(Some(rank)),
        GroupLocation::Later => Ok(None),
        GroupLocation::Nowhere(reason) => Err(reason),
    }
}

/// Fails work for a slot that is no longer reserved here, or is too small; returns true if it did.
pub fn fail_without_slot(
    runtime: &'static Runtime,
    request: &ResourceRequest,
    work: &crate::runtime::workers::Work,
) -> bool {
    let Some((slot, cpu)) = request.bundle else { return false };
    let reason = if !runtime.resources.table().has_slot(slot) {
        format!("it is not on rank {} any more", runtime.cluster.rank)
    } else if runtime.resources.table().slot_is_too_small(slot, cpu, request) {
        format!("{} is more than it has", request.displayed())
    } else {
        return false;
    };
    match work {
        crate::runtime::workers::Work::Actor(actor) => {
            runtime.protocol.local_actors.kill(&runtime, actor.id, &format!("{slot}: {reason}"), false);
        }
        crate::runtime::workers::Work::Task(task) => {
            if task.header().claim() {
                let error = slot_error(task.header().name(), slot, &reason);
                runtime.report(error.clone());
                task.fail(Arc::new(error));
                tasks::on_finished(runtime, task);
            }
        }
    }
    true
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
pub fn slot_error(name: &str, slot: BundleSlot, reason: &str) -> Error {
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
