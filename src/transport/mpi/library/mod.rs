//! The MPI library, found at run time, whichever ABI it has: one build of a program runs under Open MPI and MPICH, and
//! under the libraries that descend from them.
//!
//! ```text
//! the program has one loaded ------------------------------> its functions          LoadedMpi
//! else MOBULA_MPI_LIBRARY names one -----------------------> open it                open
//! else the launcher's folders, LD_LIBRARY_PATH, those of
//! the mpirun on PATH, and what the system's loader finds --> open the first of the  search
//!                                                            ABI that the launcher
//!                                                            speaks to
//! ```
//!
//! Owns: the library's functions and constants, for the life of the process. Never: initializes MPI, closes a library
//! that it has chosen, calls one of an ABI that it does not know.
//!
//! Invariants:
//! - MPI-LIBRARY-1: a process has one MPI library, chosen once. The one that the program has loaded has precedence: two
//!   in one process would find each other's functions.
//! - MPI-LIBRARY-2: a handle is made and passed by one library only, in its ABI: constants, layouts and functions come
//!   together in one [`LoadedMpi`].

mod abi;
mod functions;
mod handle;
mod lifecycle;
mod loaded;
mod open;
mod search;
mod status;

pub use abi::{Abi, ERROR_STRING_MAX, SUCCESS, THREAD_MULTIPLE};
pub use handle::{Handle, RawComm, Request, RequestList};
pub use lifecycle::{MpiState, mpi_state};
pub use loaded::{LoadedMpi, loaded};
pub use open::{MpiLibraryError, open};
pub use status::{MpiStatus, StatusList, StatusMemory};
