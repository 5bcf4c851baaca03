//! Decisions about where and when work runs. Pure: events in, decisions out; no clock, no thread, no I/O.
//!
//! Owns: amounts of resources and what fits, the stealing protocol, where a task goes, placement groups, the order of an
//! actor's calls.
//!
//! Invariants:
//! - D1: amounts are whole ten-thousandths, so that fractions add up exactly.
//! - D2: an idle rank has at most one steal request under way, and a quiescent cluster none: after its tries a thief is
//!   remembered by its victim (a lifeline) and hears from it when there is work.
//! - D3: the calls of one caller of an actor run in the order made; a call that misses arguments holds up only its caller.
//! - D4: the bundles of a group are held all together or not at all, but for the time of one attempt; nobody waits for a rank
//!   while it holds.

mod bundle;
mod groups;
mod mailbox;
mod place;
mod plan;
mod resources;
mod stall;
mod steal;

pub use bundle::{Account, Share};
pub use groups::{Action as GroupAction, GroupMessage, Groups, Home, HostView};
pub use mailbox::Mailbox;
pub use place::{Candidate, Costs, choose};
pub use plan::Strategy;
pub use resources::{Grant, Request, Totals, UNIT, amount_of, fixed_of};
pub use stall::{Driver, Verdict as StallVerdict, Wait, Waits, verdict as stall_verdict};
pub use steal::{Stealing, Verdict};
