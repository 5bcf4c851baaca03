//! Detects the launcher from the environment: which command started this process, and which rank of how many it is.

use crate::base::Rank;

/// How a launcher tells an MPI library of the other ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireUp {
    /// The launcher is Open MPI's own.
    OpenMpi,
    /// PMIx: Open MPI, and others that were built for it.
    Pmix,
    /// PMI of Hydra or Slurm: MPICH, and others that were built for it.
    Pmi,
}

/// The launcher of this process, as the environment shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launcher {
    /// The command: `mpirun`, `mpiexec` or `srun`.
    pub command: &'static str,
    /// The number of ranks it started, if the environment tells.
    pub ranks: Option<u32>,
    /// How it tells MPI of them.
    #[cfg_attr(not(feature = "mpi"), allow(dead_code))]
    pub wire_up: WireUp,
}

/// The launcher through whose variables an MPI library finds the ranks. `None` after a plain `./app`, also inside a
/// Slurm job, and in a step of `srun` without PMI.
pub fn detect_launcher() -> Option<Launcher> {
    detect_launcher_by(environment)
}

/// This process's rank and the number of ranks as the launcher numbers them, for ranks that meet at MOBULA_RENDEZVOUS.
pub fn rank_and_size() -> Option<(Rank, u32)> {
    rank_and_size_by(environment)
}

/// An environment variable of this process.
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Launcher {
    /// True if there are, or may be, other ranks.
    #[cfg(any(test, not(feature = "mpi")))]
    pub fn has_several(&self) -> bool {
        self.ranks.is_none_or(|ranks| ranks > 1)
    }
}

/// An environment variable that holds a number.
pub(super) fn number(variable: &impl Fn(&str) -> Option<String>, name: &str) -> Option<u32> {
    variable(name).and_then(|value| value.trim().parse().ok())
}

/// Variables of the innermost launcher have precedence: `mpirun` in a Slurm job leaves the variables of both.
fn detect_launcher_by(variable: impl Fn(&str) -> Option<String>) -> Option<Launcher> {
    let count = |name: &str| number(&variable, name);
    if let Some(ranks) = count("OMPI_COMM_WORLD_SIZE") {
        return Some(Launcher { command: "mpirun", ranks: Some(ranks), wire_up: WireUp::OpenMpi });
    }
    // Set by srun for each task of a step; a batch script has only SLURM_NTASKS.
    let step = count("SLURM_STEP_NUM_TASKS").filter(|_| variable("SLURM_PROCID").is_some());
    if let Some(ranks) = count("PMI_SIZE") {
        let command = if step == Some(ranks) { "srun" } else { "mpiexec" };
        return Some(Launcher { command, ranks: Some(ranks), wire_up: WireUp::Pmi });
    }
    if variable("PMIX_RANK").is_some() {
        let command = if step.is_some() { "srun" } else { "mpirun" };
        return Some(Launcher { command, ranks: step, wire_up: WireUp::Pmix });
    }
    None
}

/// Variables of the innermost launcher have precedence, as above.
fn rank_and_size_by(variable: impl Fn(&str) -> Option<String>) -> Option<(Rank, u32)> {
    let pairs = [
        ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
        ("PMI_RANK", "PMI_SIZE"),
        ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
    ];
    pairs.iter().find_map(|(rank, size)| {
        let (rank, size) = (number(&variable, rank)?, number(&variable, size)?);
        (rank < size).then_some((rank, size))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<'a>(variables: &'a [(&str, &str)]) -> impl Fn(&str) -> Option<String> + 'a {
        |name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string())
    }

    fn by(variables: &[(&str, &str)]) -> Option<Launcher> {
        detect_launcher_by(of(variables))
    }

    fn found(command: &'static str, ranks: Option<u32>, wire_up: WireUp) -> Option<Launcher> {
        Some(Launcher { command, ranks, wire_up })
    }

    #[test]
    fn detect_launcher_recognizes_each_launcher() {
        assert_eq!(by(&[]), None);
        assert_eq!(by(&[("OMPI_COMM_WORLD_SIZE", "4")]), found("mpirun", Some(4), WireUp::OpenMpi));
        assert_eq!(by(&[("PMI_SIZE", "3")]), found("mpiexec", Some(3), WireUp::Pmi));
        assert_eq!(by(&[("PMIX_RANK", "0")]), found("mpirun", None, WireUp::Pmix));
        let step = ("SLURM_STEP_NUM_TASKS", "2");
        let task = ("SLURM_PROCID", "1");
        assert_eq!(by(&[step, task]), None, "MPI cannot see a step without PMI");
        assert_eq!(by(&[step, task, ("PMI_SIZE", "2")]), found("srun", Some(2), WireUp::Pmi));
        assert_eq!(by(&[step, task, ("PMIX_RANK", "1")]), found("srun", Some(2), WireUp::Pmix));
    }

    #[test]
    fn plain_start_inside_a_job_has_no_launcher() {
        assert_eq!(by(&[("SLURM_NTASKS", "8"), ("SLURM_PROCID", "0"), ("SLURM_JOB_ID", "1")]), None);
    }

    #[test]
    fn innermost_launcher_has_precedence() {
        let all = [("SLURM_STEP_NUM_TASKS", "2"), ("SLURM_PROCID", "1"), ("OMPI_COMM_WORLD_SIZE", "8")];
        assert_eq!(by(&all), found("mpirun", Some(8), WireUp::OpenMpi));
        let hydra = [("SLURM_STEP_NUM_TASKS", "2"), ("SLURM_PROCID", "1"), ("PMI_SIZE", "8")];
        assert_eq!(by(&hydra), found("mpiexec", Some(8), WireUp::Pmi));
    }

    #[test]
    fn launcher_of_one_rank_has_not_several() {
        assert!(!by(&[("PMI_SIZE", "1")]).unwrap().has_several());
        assert!(by(&[("PMI_SIZE", "2")]).unwrap().has_several());
        assert!(by(&[("PMIX_RANK", "0")]).unwrap().has_several());
    }

    #[test]
    fn rank_and_size_come_from_the_innermost_launcher() {
        let step = [("SLURM_PROCID", "1"), ("SLURM_STEP_NUM_TASKS", "2")];
        assert_eq!(rank_and_size_by(of(&step)), Some((1, 2)));
        let inner = [step[0], step[1], ("OMPI_COMM_WORLD_RANK", "5"), ("OMPI_COMM_WORLD_SIZE", "8")];
        assert_eq!(rank_and_size_by(of(&inner)), Some((5, 8)));
        assert_eq!(rank_and_size_by(of(&[("PMI_RANK", "2"), ("PMI_SIZE", "2")])), None, "no such rank");
        assert_eq!(rank_and_size_by(of(&[("SLURM_PROCID", "0")])), None, "a batch script");
    }
}
