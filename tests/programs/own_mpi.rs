//! MPI as a program uses it that mobula runs in: the library is loaded for the whole program, and called directly. One
//! build runs under Open MPI and MPICH; no code of mobula takes part.
#![allow(dead_code)] // Each program uses a part of it.

use mobula::{Cluster, Config};
use std::ffi::{CStr, c_int, c_void};

/// Thread levels of MPI.
pub const LEVELS: [&str; 4] = ["SINGLE", "FUNNELED", "SERIALIZED", "MULTIPLE"];

/// A loaded library.
#[derive(Clone, Copy)]
pub struct Mpi {
    library: *mut c_void,
    is_open_mpi: bool,
}

/// A communicator.
#[derive(Clone, Copy)]
pub struct Comm {
    mpi: Mpi,
    /// An address with Open MPI, a number with MPICH.
    handle: usize,
}

/// Calls a function of MPI, all of whose arguments fit into words.
macro_rules! call {
    ($mpi:expr, $name:literal $(, $argument:expr)*) => {
        // SAFETY: the name is that of a function of the standard with these arguments.
        unsafe {
            let function: unsafe extern "C" fn($(call!(@word $argument)),*) -> c_int =
                std::mem::transmute($mpi.symbol($name));
            let code = function($($argument as usize),*);
            assert_eq!(code, 0, "{:?}", $name);
        }
    };
    (@word $argument:expr) => { usize };
}

impl Mpi {
    /// Loads the library of the launcher; without one, any.
    pub fn load() -> Mpi {
        let by_mpich = std::env::var_os("PMI_SIZE").is_some();
        let names = [(c"libmpi.so.40", !by_mpich), (c"libmpich.so.12", true), (c"libmpi.so.12", true)];
        // SAFETY: constructors of an MPI library may run at any time before MPI_Init.
        let open = |name: &CStr| unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
        let libraries = names.iter().filter(|(_, may)| *may).map(|(name, _)| open(name));
        let library = libraries.into_iter().find(|library| !library.is_null()).expect("an MPI library is installed");
        let mpi = Mpi { library, is_open_mpi: true };
        Mpi { is_open_mpi: !mpi.find(c"ompi_mpi_comm_world").is_null(), ..mpi }
    }

    fn find(self, name: &CStr) -> *mut c_void {
        // SAFETY: the library is never closed.
        unsafe { libc::dlsym(self.library, name.as_ptr()) }
    }

    fn symbol(self, name: &CStr) -> *mut c_void {
        let found = self.find(name);
        assert!(!found.is_null(), "{name:?}");
        found
    }

    /// A handle by Open MPI's variable and by MPICH's number.
    fn handle(self, variable: &CStr, number: usize) -> usize {
        if self.is_open_mpi { self.symbol(variable) as usize } else { number }
    }

    fn int(self) -> usize {
        self.handle(c"ompi_mpi_int", 0x4c00_0405)
    }

    /// Calls MPI_Init_thread for a level, an index of `LEVELS`; returns the level that was given.
    pub fn init(self, level: usize) -> usize {
        let mut given: c_int = 0;
        call!(self, c"MPI_Init_thread", 0, 0, level, &raw mut given);
        given as usize
    }

    pub fn finalize(self) {
        call!(self, c"MPI_Finalize");
    }

    /// The communicator of all ranks.
    pub fn world(self) -> Comm {
        Comm { mpi: self, handle: self.handle(c"ompi_mpi_comm_world", 0x4400_0000) }
    }
}

impl Comm {
    /// Starts a cluster on it.
    pub fn cluster(self, config: Config) -> mobula::Result<Cluster> {
        match self.mpi.is_open_mpi {
            true => mobula::init_with_comm(self.handle as *mut c_void, config),
            false => mobula::init_with_comm(self.handle as c_int, config),
        }
    }

    /// Starts a cluster with a handle of the other library.
    pub fn mistaken_cluster(self, config: Config) -> mobula::Result<Cluster> {
        match self.mpi.is_open_mpi {
            true => mobula::init_with_comm(self.handle as c_int, config),
            false => mobula::init_with_comm(self.handle as *mut c_void, config),
        }
    }

    pub fn rank(self) -> c_int {
        let mut rank: c_int = 0;
        call!(self.mpi, c"MPI_Comm_rank", self.handle, &raw mut rank);
        rank
    }

    pub fn size(self) -> c_int {
        let mut size: c_int = 0;
        call!(self.mpi, c"MPI_Comm_size", self.handle, &raw mut size);
        size
    }

    pub fn barrier(self) {
        call!(self.mpi, c"MPI_Barrier", self.handle);
    }

    pub fn send(self, value: c_int, to: c_int) {
        call!(self.mpi, c"MPI_Send", &raw const value, 1, self.mpi.int(), to, 0, self.handle);
    }

    pub fn receive(self, from: c_int) -> c_int {
        let mut value: c_int = 0;
        let mut status = [0u64; 8];
        let status = status.as_mut_ptr();
        call!(self.mpi, c"MPI_Recv", &raw mut value, 1, self.mpi.int(), from, 0, self.handle, status);
        value
    }

    /// The sum over all ranks.
    pub fn sum(self, value: c_int) -> c_int {
        let mut total: c_int = 0;
        let add = self.mpi.handle(c"ompi_mpi_op_sum", 0x5800_0003);
        let (from, into) = (&raw const value, &raw mut total);
        call!(self.mpi, c"MPI_Allreduce", from, into, 1, self.mpi.int(), add, self.handle);
        total
    }

    /// True if a message waits.
    pub fn has_message(self) -> bool {
        let mut found: c_int = 0;
        let mut status = [0u64; 8];
        let any_source: c_int = if self.mpi.is_open_mpi { -1 } else { -2 };
        let (any_tag, status): (c_int, _) = (-1, status.as_mut_ptr());
        call!(self.mpi, c"MPI_Iprobe", any_source, any_tag, self.handle, &raw mut found, status);
        found != 0
    }

    /// The ranks of this colour.
    pub fn split(self, colour: c_int) -> Comm {
        let mut handle = 0usize;
        call!(self.mpi, c"MPI_Comm_split", self.handle, colour, 0, &raw mut handle);
        Comm { mpi: self.mpi, handle }
    }
}
