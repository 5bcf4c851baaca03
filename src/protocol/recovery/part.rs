//! Recovery from losses.

use crate::protocol::recovery::drain::PendingDrains;

/// What a rank does about losses.
#[derive(Default)]
pub struct Recovery {
    pub(super) pending_drains: PendingDrains,
}
