//! The ideas of tasks, objects and actors, run live: one line for each, with the values that came out.
//!
//! Owns: the order of the tour. Never: a value that is printed without being checked.

mod actors;
mod failures;
mod objects;
mod resources;
mod tasks;
mod tour;

pub use tour::{config, run};
