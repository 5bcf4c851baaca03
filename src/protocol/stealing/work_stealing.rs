//! Work stealing between ranks: requests, replies, and idle ranks that are remembered.

use crate::base::Rank;
use crate::base::sync::{AtomicBool, Ordering};
use crate::protocol::Message;
use crate::protocol::environment::{Environment, Messenger, WorkQueue};
use crate::protocol::locks::lock;
use crate::scheduling::{StealDecision, StealState};
use std::sync::Mutex;

/// The work stealing of a rank.
pub struct WorkStealing {
    state: Mutex<StealState>,
    /// True if another rank is remembered as idle.
    stealers: AtomicBool,
}

impl WorkStealing {
    /// Stealing as `state` decides it.
    pub fn new(state: StealState) -> WorkStealing {
        WorkStealing { state: Mutex::new(state), stealers: AtomicBool::new(false) }
    }

    /// Another rank sent its load.
    pub fn on_load(&self, rank: Rank, load: u8) {
        lock(&self.state).record_load(rank, load);
    }

    /// How many tasks are queued on another rank at least, by its last message.
    pub fn queued_on(&self, rank: Rank) -> u64 {
        match lock(&self.state).load_of(rank) {
            0 => 0,
            class => 1 << (class - 1).min(32),
        }
    }

    /// True if another rank is remembered as idle.
    #[inline]
    pub fn has_stealers(&self) -> bool {
        self.stealers.load(Ordering::Relaxed)
    }

    fn decide<R>(&self, decision: impl FnOnce(&mut StealState) -> R) -> R {
        let mut state = lock(&self.state);
        let decided = decision(&mut state);
        self.stealers.store(state.has_waiting(), Ordering::Relaxed);
        decided
    }

    /// The rank that was asked for work and has not replied.
    pub fn awaited(&self) -> Option<Rank> {
        lock(&self.state).awaited()
    }

    /// A rank died.
    pub fn on_peer_failed(&self, rank: Rank) {
        self.decide(|state| state.on_rank_failed(rank));
    }
}

impl WorkStealing {
    /// A worker is idle: requests work from another rank, or to be remembered there.
    pub fn request_work(&self, env: &impl Messenger) {
        if env.size() < 2 {
            return;
        }
        if let Some((victim, remember)) = self.decide(StealState::next_victim) {
            env.send(victim, &Message::Steal { remember });
        }
    }

    /// A rank requests work.
    pub(in crate::protocol) fn on_request(&self, env: &impl Environment, stealer: Rank, remember: bool) {
        // One task is left for each worker that is about to take it: two idle ranks would pass the last one to and fro.
        let surplus = if env.has_capacity(stealer) { env.surplus().saturating_sub(env.idle_workers()) } else { 0 };
        let count = match self.decide(|state| state.on_request(stealer, remember, surplus)) {
            StealDecision::Give(count) => count,
            StealDecision::Nothing => 0,
        };
        if env.protocol().tasks.send_stolen(env, stealer, count, true) == 0 && remember {
            self.decide(|state| state.add_waiting(stealer));
        }
    }

    /// There may be work for a rank that is remembered as idle.
    pub fn serve_stealers(&self, env: &impl Environment) {
        // One task is left for this rank's own worker.
        let surplus = env.surplus().saturating_sub(1);
        if surplus == 0 {
            return;
        }
        let Some((stealer, count)) = self.decide(|state| state.next_share(surplus)) else { return };
        let sent =
            if env.has_capacity(stealer) { env.protocol().tasks.send_stolen(env, stealer, count, false) } else { 0 };
        if sent == 0 {
            self.decide(|state| state.add_waiting(stealer));
        }
    }

    /// Tasks arrived in reply to `Steal`, or because this rank was remembered as idle.
    pub(in crate::protocol) fn on_reply(&self, env: &(impl Messenger + WorkQueue), tasks: usize, is_response: bool) {
        if !is_response {
            return self.decide(StealState::found_work);
        }
        self.decide(|state| state.on_reply(tasks));
        // The tasks may be finished by now and the worker idle again: it could not request work while the reply was in
        // flight.
        if (tasks == 0 || env.is_idle()) && !env.has_work() {
            self.request_work(env);
        }
    }
}
