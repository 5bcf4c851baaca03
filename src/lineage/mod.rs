//! How to make a lost object again: the call that made it, with its arguments. Pure.
//!
//! Owns: recipes. Never: decides when one is needed, or runs anything.
//!
//! Invariants:
//! - L1: a recipe keeps no value alive that can be made again itself: of such an argument it keeps that one's recipe.
//! - L2: a recipe is used at most as often as its task may be started again, its makers' recipes likewise: so recovery ends.
//! - L3: what was let go to make room can always be made again: its makers' recipes are used for that without being counted. It
//!   is let go at most as often again, and only where few tasks make it: so that ends too.

mod recipe;

pub use recipe::{Maker, Recipe, Why};
