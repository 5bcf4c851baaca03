//! Decisions about where and when work runs. Pure: events in, decisions out; no clock, no thread, no I/O.
//!
//! Owns: amounts of resources and what fits, the stealing protocol, where a task goes, placement groups, the order of
//! an actor's calls.
//!
//! Invariants:
//! - SCHEDULING-1: amounts are whole ten-thousandths, so that fractions add up exactly.
//! - SCHEDULING-2: an idle rank has at most one steal request in flight, and a quiescent cluster none: after its tries
//!   a stealer is remembered by its victim (a lifeline), which sends it work when there is some.
//! - SCHEDULING-3: the calls of one caller of an actor run in the order made; a call with missing arguments delays only
//!   its caller.
//! - SCHEDULING-4: the bundles of a group are reserved all together or not at all, except during one attempt; no rank
//!   waits for another while it holds a bundle.

mod bundle;
mod groups;
mod locality;
mod mailbox;
mod plan;
mod resources;
mod stall;
mod steal;

pub use bundle::BundleShare;
pub use groups::{GroupAction, GroupLocation, GroupMessage, Groups, HostView, NoLocation};
pub use locality::{PlacementCandidate, PlacementCosts, choose_rank};
pub use mailbox::Mailbox;
pub use plan::Strategy;
pub use resources::{Grant, ResourceRequest, Totals, UNIT, amount_of, fixed_of};
pub use stall::{BlockedOutside, BlockedTask, DriverState, RankActivity, StallStatus, stall_status};
pub use steal::{StealDecision, StealState};
