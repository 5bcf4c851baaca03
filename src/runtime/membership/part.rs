//! What a rank needs to tell which other ranks live.

use crate::boot::DeathNotifier;
use crate::runtime::membership::arbitration::Arbitration;
use std::sync::Mutex;

/// What a rank needs to tell which other ranks live. Which ones it knows to be dead is the router's: it sends nothing
/// to those.
pub struct Membership {
    /// Reports ranks that died, if the launcher offers that.
    pub(super) death_notifier: Mutex<Option<DeathNotifier>>,
    /// Suspicions on which rank 0 has not decided yet.
    pub(super) arbitration: Mutex<Arbitration>,
    /// How many messages had come from rank 0 when another rank reported that it is silent.
    pub(super) rank_0_suspected_at: Mutex<Option<u32>>,
}

impl Membership {
    /// All ranks live.
    pub fn new(death_notifier: Option<DeathNotifier>) -> Membership {
        Membership {
            death_notifier: Mutex::new(death_notifier),
            arbitration: Mutex::default(),
            rank_0_suspected_at: Mutex::default(),
        }
    }
}
