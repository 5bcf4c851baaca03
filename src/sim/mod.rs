//! A cluster of thousands of ranks on one core: the runtime's own code, with a clock, transports and faults made from a
//! seed.
//!
//! Owns: the simulated clock, network, faults and bodies of tasks, the sequential run that computes the expected
//! answer, and the measurements. Never: a thread, a socket, the real time; a decision that the runtime makes.
//!
//! Invariants:
//! - SIM-1: a seed is one run: the same events in the same order each time, on every machine.
//! - SIM-2: what a simulated task computes follows from its [`Spec`] and arguments alone; a run's answers are those of
//!   the sequential run, or name a rank that died.
//! - SIM-3: a store exceeds its limit by what a task reads or waits for, and by nothing else.

mod actor_model;
mod actors;
mod check;
mod coverage;
mod environment;
mod event_queue;
mod eviction;
mod faults;
mod invariants;
mod locality;
mod measure;
mod memory;
mod names;
mod network;
mod node;
mod random;
mod reference_model;
mod resident;
mod scenario;
mod script;
mod scripts;
mod setting;
mod state;
mod task;
mod tasks;
mod value;
mod world;

#[cfg(test)]
mod tests;

pub use check::{check_run, check_with_coverage, run};
pub use measure::{Measurement, measure};
pub use network::NetworkModel;
pub use network::Traffic;
pub use reference_model::{ReferenceAnswer, reference_answer};
pub use scenario::Scenario;
pub use script::{Features, Length, Life, Name, Program, Spec};
pub use setting::{Costs, Fault, FaultKind, SimSetting, StoreLimit};
pub use world::RunOutcome;
