//! The placement groups that this rank owns: what `scheduling::Groups` decided for each, and the tasks that wait for
//! it.

use crate::base::sync::{AtomicBool, Ordering, lock};
use crate::base::{BundleSlot, Rank, clock};
use crate::registry::Runnable;
use crate::runtime::resources::group_ready::GroupReady;
use crate::scheduling::{GroupAction, GroupLocation, Groups, NoLocation, ResourceRequest};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
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
    ended: Option<NoLocation>,
}

/// The object of a group that still has handles, and the tasks that waited for the group.
type Waiters = (Option<Arc<GroupReady>>, Vec<Arc<dyn Runnable>>);

impl OwnedGroups {
    /// None yet.
    pub fn new(seed: u64) -> OwnedGroups {
        let (owned, actions) = (FxHashMap::default(), VecDeque::new());
        let state = State { groups: Groups::new(seed), owned, actions, performing: false };
        OwnedGroups { state: Mutex::new(state), any: AtomicBool::new(false) }
    }

    /// True once this rank has created a group.
    pub fn any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    /// Adds a group that is not decided yet.
    pub fn insert(&self, number: u64, slot: &Arc<GroupReady>) {
        self.any.store(true, Ordering::Relaxed);
        let group = OwnedGroup { slot: Arc::downgrade(slot), waiting: Vec::new(), ended: None };
        lock(&self.state).owned.insert(number, group);
    }

    /// Lets `Groups` decide about an event. True if the calling thread is to perform the actions, until `next_action`
    /// has none: another one does otherwise.
    pub fn decide(&self, event: impl FnOnce(&mut Groups, u64) -> Vec<GroupAction>) -> bool {
        let mut state = lock(&self.state);
        let actions = event(&mut state.groups, clock::now_ns());
        state.actions.extend(actions);
        !std::mem::replace(&mut state.performing, true)
    }

    /// The next action to perform.
    pub fn next_action(&self) -> Option<GroupAction> {
        let mut state = lock(&self.state);
        let action = state.actions.pop_front();
        state.performing = action.is_some();
        action
    }

    /// The time until groups are to be tried again, if any is.
    pub fn due(&self) -> Option<Duration> {
        let left = |due_ns: u64| Duration::from_nanos(due_ns.saturating_sub(clock::now_ns()));
        lock(&self.state).groups.due_ns().map(left)
    }

    /// A group is ready.
    pub fn on_ready(&self, number: u64) -> Waiters {
        lock(&self.state).owned.get_mut(&number).map(OwnedGroup::take_waiters).unwrap_or_default()
    }

    /// A group ended for that reason.
    pub fn on_ended(&self, number: u64, reason: &NoLocation) -> Waiters {
        let mut state = lock(&self.state);
        let Some(group) = state.owned.get_mut(&number) else { return Waiters::default() };
        group.ended = Some(reason.clone());
        group.take_waiters()
    }

    /// The last handle of a group was dropped: returns the tasks that wait for it.
    pub fn remove(&self, number: u64) -> Vec<Arc<dyn Runnable>> {
        lock(&self.state).owned.remove(&number).map_or_else(Vec::new, |group| group.waiting)
    }

    /// The location of that slot for that request.
    pub fn locate(&self, slot: BundleSlot, request: &ResourceRequest) -> GroupLocation {
        lock(&self.state).location(slot, request)
    }

    /// As `locate`, for `task`, which waits if the group is not ready: `None` then.
    pub fn locate_or_wait(
        &self,
        slot: BundleSlot,
        request: &ResourceRequest,
        task: &Arc<dyn Runnable>,
    ) -> Option<GroupLocation> {
        let mut state = lock(&self.state);
        let location = state.location(slot, request);
        if location == GroupLocation::Later
            && let Some(group) = state.owned.get_mut(&slot.group.number)
        {
            group.waiting.push(task.clone());
            return None;
        }
        Some(location)
    }

    /// Calls `visit` for each rank that was requested to reserve bundles and has not responded.
    pub fn each_awaited_rank(&self, visit: &mut impl FnMut(Rank)) {
        if self.any() {
            lock(&self.state).groups.visit_awaited(visit);
        }
    }

    /// The groups that are not ready, with what they request.
    pub fn pending(&self) -> Vec<(u64, String)> {
        if self.any() { lock(&self.state).groups.pending() } else { Vec::new() }
    }
}

impl OwnedGroup {
    fn take_waiters(&mut self) -> Waiters {
        (self.slot.upgrade(), std::mem::take(&mut self.waiting))
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
