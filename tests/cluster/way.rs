//! The ways in which `srun` starts ranks on the hosts of the lab.

use crate::lab::{HOSTS, Lab};
use crate::launcher::{Launch, no_ranks, uses_mpich};

/// Ranks that find each other without MPI, and the road between hosts that outlives a lost rank: turned on when both are there.
const TCP_READY: bool = true;

/// Ranks of a host.
pub const RANKS_PER_HOST: u32 = 2;

/// All ranks.
pub const RANKS: u32 = HOSTS * RANKS_PER_HOST;

/// How ranks are started, and with it what is between them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By a process manager that MPI knows; MPI is the road between hosts.
    Mpi,
    /// By `srun` alone: the ranks find each other by what Slurm says of them, and TCP is the road between hosts. The one launch
    /// that outlives the loss of ranks and of hosts.
    Tcp,
}

impl Way {
    /// Whether ranks can be started so; else a line says why not.
    pub fn is_there(self) -> bool {
        let reason = match self {
            // Seen with Debian's 4.0.2 over UCX: one rank waits in PMI's barrier, the other for an endpoint that only the first
            // could close. A program that only exchanges one number hangs so in one start of twelve.
            Way::Mpi if uses_mpich() => Some("MPICH's MPI_Finalize between hosts does not always return".to_string()),
            Way::Mpi => no_ranks(),
            Way::Tcp if TCP_READY => None,
            Way::Tcp => Some("ranks cannot find each other without MPI yet".to_string()),
        };
        if let Some(reason) = &reason {
            println!("left out: {reason}");
        }
        reason.is_none()
    }

    /// What `srun` is told of it.
    pub fn options(self) -> &'static [&'static str] {
        match self {
            Way::Mpi => &["--mpi=pmix"],
            Way::Tcp => &["--no-kill", "--kill-on-bad-exit=0"],
        }
    }

    /// `srun` of a program on every host of the lab.
    pub fn srun(self, lab: &Lab, program: &std::path::Path) -> Launch {
        let (hosts, ranks) = (format!("--nodes={HOSTS}"), format!("--ntasks-per-node={RANKS_PER_HOST}"));
        lab.launch(&[&["srun", &hosts, &ranks], self.options()].concat()).arg(program)
    }
}
