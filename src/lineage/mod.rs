//! How to reconstruct a lost object: the call that produced it, with its arguments. Pure.
//!
//! Owns: lineages, and the ranks that died while a task ran there. Never: decides when one is needed, or runs anything.
//!
//! Invariants:
//! - LINEAGE-1: a lineage keeps no value alive that can itself be reconstructed: of such an argument it retains the
//!   lineage.
//! - LINEAGE-2: a lineage is used at most as often as its task may be retried, and so are the lineages of its inputs:
//!   so recovery ends.
//! - LINEAGE-3: a reclaimed value can always be reconstructed: the lineages of its inputs are used for that without
//!   being counted. It is reclaimed at most as often as its task may be retried, and only where few tasks produce it:
//!   so that ends too.

mod call;
mod deaths;

pub use call::{Lineage, Producer, ReconstructReason};
pub use deaths::{Blame, Deaths, NextStart};
