//! The ways in which `srun` starts ranks on the hosts of the lab.

use crate::lab::{HOSTS, Lab};
use crate::launcher::{Launch, no_ranks, uses_mpich};

/// Ranks on each host.
pub const RANKS_PER_HOST: u32 = 2;

/// All ranks.
pub const RANKS: u32 = HOSTS * RANKS_PER_HOST;

/// How ranks are started, which decides the transport between hosts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum LaunchMode {
    /// By a process manager that MPI supports; MPI is the transport between hosts.
    Mpi,
    /// By `srun` alone: the ranks find each other through Slurm's variables, and TCP is the transport between hosts.
    /// Only this launch survives the loss of ranks and of hosts.
    Tcp,
}

impl LaunchMode {
    /// Returns true if ranks can be started so; otherwise prints why not.
    pub fn is_available(self) -> bool {
        let reason = match self {
            // Seen with Debian's 4.0.2 over UCX: one rank waits in PMI's barrier, the other for an endpoint that only
            // the first can close. A program that exchanges a single number hangs so in one of twelve starts.
            LaunchMode::Mpi if uses_mpich() => {
                Some("MPICH's MPI_Finalize between hosts does not always return".to_string())
            }
            LaunchMode::Mpi => no_ranks(),
            LaunchMode::Tcp => None,
        };
        if let Some(reason) = &reason {
            println!("left out: {reason}");
        }
        reason.is_none()
    }

    /// The options of `srun`.
    pub fn options(self) -> &'static [&'static str] {
        match self {
            LaunchMode::Mpi => &["--mpi=pmix"],
            LaunchMode::Tcp => &["--no-kill", "--kill-on-bad-exit=0"],
        }
    }

    /// `srun` with a program on every host of the lab.
    pub fn srun(self, lab: &Lab, program: &std::path::Path) -> Launch {
        let (hosts, ranks) = (format!("--nodes={HOSTS}"), format!("--ntasks-per-node={RANKS_PER_HOST}"));
        lab.launch(&[&["srun", &hosts, &ranks], self.options()].concat()).arg(program)
    }
}
