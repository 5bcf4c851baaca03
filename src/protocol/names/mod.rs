//! Names of actors.
//!
//! Owns: the part of the directory that this rank is the directory rank of.
//!
//! Invariants:
//! - NAMES-1: one actor has a name at a time; a repeated registration changes nothing.
//! - NAMES-2: when a directory rank dies, the owner of each named actor, or its location if the owner is dead,
//!   registers the name at the next directory rank.

pub mod directory;
pub mod error;
#[cfg(test)]
mod tests;
