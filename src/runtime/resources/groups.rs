//! Placement groups: carries out what `scheduling::Groups` decides for the groups of this rank, reserves bundles for
//! groups of other ranks.

use crate::base::limits::BUNDLES_MAX;
use crate::base::log::{Level, log};
use crate::base::panic::catch;
use crate::base::{BundleSlot, Error, ObjectId, Rank, Result};
use crate::objects::{AnySlot, ObjectRef};
use crate::protocol::{Message, request_of};
use crate::registry::{Bundle, Options, PlacementGroup};
use crate::runtime::Runtime;
use crate::runtime::resources::bundle_dispatch::slot_error;
use crate::runtime::resources::group_ready::GroupReady;
use crate::runtime::resources::placement::check_options;
use crate::scheduling::{GroupAction, GroupMessage, Groups, HostView, ResourceRequest, Strategy, fixed_of};
use std::sync::Arc;
use std::time::Duration;

/// Reserves resources together.
///
/// # Errors
/// `Unschedulable` if no host can ever hold them, naming what is missing; `Config` for invalid amounts.
pub fn create_group(runtime: &'static Runtime, bundles: Vec<Bundle>, strategy: Strategy) -> Result<PlacementGroup> {
    if bundles.is_empty() {
        return Err(Error::config("a placement group takes at least one bundle"));
    }
    if bundles.len() > BUNDLES_MAX {
        return Err(Error::config(format!(
            "a placement group takes at most {BUNDLES_MAX} bundles, not {}",
            bundles.len()
        )));
    }
    let requests = bundles.iter().map(request_of_bundle).collect::<Result<Vec<ResourceRequest>>>()?;
    let number = runtime.protocol.objects.references.fresh_number();
    let slot = GroupReady::new(runtime, number);
    runtime.resources.groups.insert(number, &slot);
    let id = ObjectId { owner: runtime.cluster.rank, number };
    let mut refused = None;
    decide(runtime, |groups, hosts, now_ns| {
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
pub fn remove_group(runtime: &'static Runtime, id: ObjectId) {
    if id.owner == runtime.cluster.rank {
        end_group(runtime, id.number);
    } else {
        runtime.send(id.owner, &Message::Group(GroupMessage::Remove { group: id.number }));
    }
}

pub fn end_group(runtime: &'static Runtime, number: u64) {
    decide(runtime, |groups, _, _| groups.remove(number));
}

/// Handles a message about groups.
pub fn on_group(runtime: &'static Runtime, from: Rank, message: GroupMessage) {
    let of = |number| ObjectId { owner: from, number };
    match message {
        GroupMessage::Reserve { group, attempt, bundles } => {
            let granted = runtime.resources.table.reserve(of(group), attempt, &bundles);
            let free = runtime.resources.table.free_totals();
            runtime.send(from, &Message::Group(GroupMessage::Reserved { group, attempt, granted, free }));
        }
        GroupMessage::Reserved { group, attempt, granted, free } => {
            decide(runtime, |groups, hosts, now_ns| {
                groups.on_reserved((group, attempt), from, (granted, free), hosts, now_ns)
            });
        }
        GroupMessage::Commit { group, attempt } => {
            runtime.resources.table.commit(of(group), attempt);
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
    runtime.resources.table.release(is_released);
    for actor in runtime.protocol.actors.instance.in_bundles(|slot| !runtime.resources.table.has_slot(slot)) {
        runtime.protocol.actors.instance.kill(&runtime, actor, reason, false);
    }
    runtime.readmit_pending();
    runtime.resources_freed();
}

/// A rank is dead: ends its groups, and replaces the bundles that it had reserved.
pub fn groups_on_peer_failed(runtime: &'static Runtime, rank: Rank, error: &Error) {
    release_bundles(runtime, |slot, _| slot.group.owner == rank, &error.to_string());
    if runtime.resources.groups.any() {
        let reason = error.to_string();
        decide(runtime, |groups, hosts, now_ns| groups.on_rank_failed(rank, &reason, hosts, now_ns));
    }
}

/// Retries groups whose pause is over; returns the time until the next retry. Only the progress thread calls it.
pub fn tick_groups(runtime: &'static Runtime) -> Option<Duration> {
    if !runtime.resources.groups.any() {
        return None;
    }
    if runtime.resources.groups.due()?.is_zero() {
        decide(runtime, |groups, hosts, now_ns| groups.tick(hosts, now_ns));
    }
    runtime.resources.groups.due()
}

/// Lets `Groups` decide about an event, and performs its actions. Actions decided by several threads are performed
/// in the order of the decisions, by one of the threads, and under no lock: a message to this rank itself comes
/// back here.
fn decide(runtime: &'static Runtime, event: impl FnOnce(&mut Groups, &[HostView], u64) -> Vec<GroupAction>) {
    let hosts = host_views(runtime);
    if !runtime.resources.groups.decide(|groups, now_ns| event(groups, &hosts, now_ns)) {
        return;
    }
    while let Some(action) = runtime.resources.groups.next_action() {
        // A waker or a `Drop` of the user may panic; the later actions are performed all the same.
        if catch(|| apply_group_action(runtime, action)).is_err() {
            log(Level::Error, || format!("rank {}: user code panicked as a group came or went", runtime.cluster.rank));
        }
    }
    if runtime.resources.groups.due().is_some() {
        // Wakes the progress thread, which retries.
        runtime.router.doorbell.notify_always();
    }
}

fn apply_group_action(runtime: &'static Runtime, action: GroupAction) {
    let id = |number| ObjectId { owner: runtime.cluster.rank, number };
    match action {
        GroupAction::Send(to, message) => runtime.send(to, &Message::Group(message)),
        GroupAction::Ready(number) => {
            let (slot, waiting) = runtime.resources.groups.on_ready(number);
            log(Level::Debug, || format!("placement group {} is ready", id(number)));
            if let Some(slot) = slot {
                slot.complete();
            }
            waiting.into_iter().for_each(|task| runtime.protocol.tasks.launch_here(&runtime, task));
        }
        GroupAction::Ended(number, reason) => {
            let (slot, waiting) = runtime.resources.groups.on_ended(number, &reason);
            if let Some(slot) = slot {
                let group = format!("placement group {}", id(number));
                slot.core().fail(Arc::new(Error::Unschedulable { task: group, missing: reason.to_string() }));
            }
            let slot = BundleSlot { group: id(number), bundle: None };
            waiting.iter().for_each(|task| {
                runtime.protocol.tasks.fail(&runtime, task, slot_error(task.header().name(), slot, &reason))
            });
        }
    }
}

fn host_views(runtime: &Runtime) -> Vec<HostView> {
    let living = |ranks: &[Rank]| ranks.iter().copied().filter(|rank| !runtime.is_dead(*rank)).collect();
    runtime
        .cluster
        .hosts
        .iter()
        .map(|host| HostView { totals: host.resources.totals.clone(), ranks: living(&host.ranks) })
        .collect()
}

fn request_of_bundle(bundle: &Bundle) -> Result<ResourceRequest> {
    let Bundle { cpus, gpus, resources } = bundle.clone();
    let options = Options { num_cpus: Some(cpus), num_gpus: Some(gpus), resources, ..Options::default() };
    check_options(&options, "a bundle")?;
    let request = request_of(&options);
    if bundle.gpus < 0.0 || fixed_of(bundle.cpus) + fixed_of(bundle.gpus) == 0 && request.custom.is_empty() {
        return Err(Error::config("a bundle that requests nothing: give it cpus, gpus or a resource"));
    }
    Ok(request)
}
