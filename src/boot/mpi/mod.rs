//! Joining through MPI: the ranks of `mpirun`, `mpiexec` and `srun`, or of a communicator that the program hands over.
//!
//! Owns: MPI_Init and MPI_Finalize where the program did not call MPI_Init itself. Never: the program's communicators,
//! which are duplicated before anything is sent.
//!
//! The level of MPI_THREAD_MULTIPLE is asked for. Where the program started MPI below it, the collectives here are
//! called by the joining thread alone, and there is no road over MPI.

mod exchange;
mod library;
#[cfg(test)]
mod tests;
mod world;

pub use super::launched::{Launched, launched};
pub use crate::transport::mpi::RawComm;
pub use world::{join, join_comm};
