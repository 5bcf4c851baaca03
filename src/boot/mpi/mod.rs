//! Joins the ranks through MPI: those of `mpirun`, `mpiexec` and `srun`, or those of a communicator that the program
//! passes.
//!
//! The library is found at run time: the one that the program uses itself, else the launcher's (`library`).
//!
//! Owns: MPI_Init and MPI_Finalize if the program did not call MPI_Init itself. Never: uses the program's
//! communicators, which are duplicated before anything is sent.
//!
//! MPI_THREAD_MULTIPLE is requested. If the program initialized MPI below that level, only the joining thread calls the
//! collectives here, and there is no transport over MPI.

mod exchange;
mod library;
#[cfg(test)]
mod tests;
mod world;

pub use super::launcher::{Launcher, detect_launcher};
pub use crate::transport::mpi::RawComm;
pub use world::{join, join_comm};
