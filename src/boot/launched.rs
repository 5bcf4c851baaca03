//! What launchers leave in the environment: who started this process, and which rank of how many it is.

use crate::base::Rank;

/// What the environment says of who started this process, and of how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launched {
    /// The command: `mpirun`, `mpiexec` or `srun`.
    pub command: &'static str,
    /// The ranks that it says it started, where it says so.
    pub ranks: Option<u32>,
}

/// The launcher whose variables an MPI library joins the ranks by; nothing after a plain `./app`, also inside a Slurm job,
/// nor in a step of `srun` that speaks no PMI.
pub fn launched() -> Option<Launched> {
    launched_by(environment)
}

/// This process's number, and of how many, as its launcher says: for ranks that meet at MOBULA_RENDEZVOUS.
pub fn numbered() -> Option<(Rank, u32)> {
    numbered_by(environment)
}

/// A variable of this process.
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Launched {
    /// Whether there are, or may be, other ranks.
    #[cfg(any(test, not(feature = "mpi")))]
    pub fn has_several(&self) -> bool {
        self.ranks.is_none_or(|ranks| ranks > 1)
    }
}

/// A variable that holds a number.
pub(super) fn number(variable: &impl Fn(&str) -> Option<String>, name: &str) -> Option<u32> {
    variable(name).and_then(|value| value.trim().parse().ok())
}

/// The innermost launcher comes first: `mpirun` in a Slurm job leaves the variables of both.
fn launched_by(variable: impl Fn(&str) -> Option<String>) -> Option<Launched> {
    let count = |name: &str| number(&variable, name);
    if let Some(ranks) = count("OMPI_COMM_WORLD_SIZE") {
        return Some(Launched { command: "mpirun", ranks: Some(ranks) });
    }
    // Set by srun for each task of a step; a batch script has only SLURM_NTASKS.
    let step = count("SLURM_STEP_NUM_TASKS").filter(|_| variable("SLURM_PROCID").is_some());
    if let Some(ranks) = count("PMI_SIZE") {
        return Some(Launched { command: if step == Some(ranks) { "srun" } else { "mpiexec" }, ranks: Some(ranks) });
    }
    if variable("PMIX_RANK").is_some() {
        return Some(Launched { command: if step.is_some() { "srun" } else { "mpirun" }, ranks: step });
    }
    None
}

/// The innermost launcher comes first, as above.
fn numbered_by(variable: impl Fn(&str) -> Option<String>) -> Option<(Rank, u32)> {
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

    fn by(variables: &[(&str, &str)]) -> Option<Launched> {
        launched_by(of(variables))
    }

    #[test]
    fn each_launcher_is_told_by_its_variables() {
        assert_eq!(by(&[]), None);
        assert_eq!(by(&[("OMPI_COMM_WORLD_SIZE", "4")]), Some(Launched { command: "mpirun", ranks: Some(4) }));
        assert_eq!(by(&[("PMI_SIZE", "3")]), Some(Launched { command: "mpiexec", ranks: Some(3) }));
        assert_eq!(by(&[("PMIX_RANK", "0")]), Some(Launched { command: "mpirun", ranks: None }));
        let step = ("SLURM_STEP_NUM_TASKS", "2");
        let task = ("SLURM_PROCID", "1");
        assert_eq!(by(&[step, task]), None, "MPI knows nothing of a step without PMI");
        assert_eq!(by(&[step, task, ("PMI_SIZE", "2")]), Some(Launched { command: "srun", ranks: Some(2) }));
        assert_eq!(by(&[step, task, ("PMIX_RANK", "1")]), Some(Launched { command: "srun", ranks: Some(2) }));
    }

    #[test]
    fn a_plain_start_inside_a_job_is_alone() {
        assert_eq!(by(&[("SLURM_NTASKS", "8"), ("SLURM_PROCID", "0"), ("SLURM_JOB_ID", "1")]), None);
    }

    #[test]
    fn the_innermost_launcher_counts() {
        let all = [("SLURM_STEP_NUM_TASKS", "2"), ("SLURM_PROCID", "1"), ("OMPI_COMM_WORLD_SIZE", "8")];
        assert_eq!(by(&all), Some(Launched { command: "mpirun", ranks: Some(8) }));
        let hydra = [("SLURM_STEP_NUM_TASKS", "2"), ("SLURM_PROCID", "1"), ("PMI_SIZE", "8")];
        assert_eq!(by(&hydra), Some(Launched { command: "mpiexec", ranks: Some(8) }));
    }

    #[test]
    fn one_rank_needs_nobody_to_join() {
        assert!(!by(&[("PMI_SIZE", "1")]).unwrap().has_several());
        assert!(by(&[("PMI_SIZE", "2")]).unwrap().has_several());
        assert!(by(&[("PMIX_RANK", "0")]).unwrap().has_several());
    }

    #[test]
    fn a_launcher_may_number_ranks_that_meet_elsewhere() {
        let step = [("SLURM_PROCID", "1"), ("SLURM_STEP_NUM_TASKS", "2")];
        assert_eq!(numbered_by(of(&step)), Some((1, 2)));
        let inner = [step[0], step[1], ("OMPI_COMM_WORLD_RANK", "5"), ("OMPI_COMM_WORLD_SIZE", "8")];
        assert_eq!(numbered_by(of(&inner)), Some((5, 8)));
        assert_eq!(numbered_by(of(&[("PMI_RANK", "2"), ("PMI_SIZE", "2")])), None, "no such rank");
        assert_eq!(numbered_by(of(&[("SLURM_PROCID", "0")])), None, "a batch script");
    }
}
