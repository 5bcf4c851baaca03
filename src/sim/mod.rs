//! A cluster of thousands of ranks on one core: the runtime's own code, with a clock, roads and faults made from a seed.
//!
//! Owns: the simulated clock, network, faults and bodies of tasks, the sequential run that says what must come out, and the
//! measurements. Never: a thread, a socket, the real time; a decision that the runtime makes.
//!
//! Invariants:
//! - Z1: a seed is one run: the same events in the same order each time, whatever machine it is on.
//! - Z2: what a simulated task computes follows from its [`Spec`] and arguments alone; a run's answers are those of the
//!   sequential run, or name a rank that died.
//! - Z3: a store goes above its limit by what somebody reads or waits for, and by nothing else.

mod acting;
mod agenda;
mod driver;
mod faults;
mod feats;
mod gravity;
mod holding;
mod judge;
mod ledger;
mod measure;
mod memory;
mod naming;
mod network;
mod oracle;
mod random;
mod room;
mod running;
mod scenario;
mod script;
mod setting;
mod site;
mod state;
mod stock;
mod task;
mod tasks;
mod value;
mod world;

#[cfg(test)]
mod tests;

pub use judge::{judge, run, tried};
pub use measure::{Measured, measure};
pub use network::Traffic;
pub use network::Weather;
pub use oracle::{Answer as Right, answer};
pub use scenario::Scenario;
pub use script::{Features, Length, Life, Name, Program, Spec};
pub use setting::{Costs, Fault, FaultKind, Setting, StoreLimit};
pub use world::Outcome;
