//! One rank alone, and how the environment says that there should be more.

use super::{Exchange, World};
use crate::base::Result;

/// This process as the whole world.
pub fn world() -> World {
    World { rank: 0, size: 1, launcher: "none".to_string(), exchange: Box::new(Alone), far: None }
}

/// Collectives of one rank.
struct Alone;

impl Exchange for Alone {
    fn allgather(&mut self, mine: &[u8]) -> Result<Vec<Vec<u8>>> {
        Ok(vec![mine.to_vec()])
    }

    fn barrier(&mut self) -> Result<()> {
        Ok(())
    }
}

/// What the environment says of who started this process, and of how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launched {
    /// The command: `mpirun`, `mpiexec` or `srun`.
    pub command: &'static str,
    /// The ranks that it says it started, where it says so.
    pub ranks: Option<u32>,
}

/// What the launcher left in this process's environment; nothing after a plain `./app`, also inside a Slurm job.
pub fn launched() -> Option<Launched> {
    launched_by(|variable| std::env::var(variable).ok())
}

/// The launcher that started more than one rank, for builds that cannot join them.
#[cfg(not(feature = "mpi"))]
pub fn foreign_launcher() -> Option<String> {
    launched().filter(Launched::has_several).map(|launched| launched.command.to_string())
}

impl Launched {
    /// Whether there are, or may be, other ranks.
    #[cfg(any(test, not(feature = "mpi")))]
    fn has_several(&self) -> bool {
        self.ranks.is_none_or(|ranks| ranks > 1)
    }
}

/// The innermost launcher comes first: `mpirun` in a Slurm job leaves the variables of both.
fn launched_by(variable: impl Fn(&str) -> Option<String>) -> Option<Launched> {
    let count = |name: &str| variable(name).and_then(|value| value.trim().parse::<u32>().ok());
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
    step.filter(|&ranks| ranks > 1).map(|ranks| Launched { command: "srun", ranks: Some(ranks) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(variables: &[(&str, &str)]) -> Option<Launched> {
        launched_by(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string()))
    }

    #[test]
    fn alone_everybody_is_rank_0() {
        let mut world = world();
        assert_eq!((world.rank, world.size, world.launcher.as_str()), (0, 1, "none"));
        assert_eq!(world.exchange.allgather(b"me").unwrap(), [b"me".to_vec()]);
        world.exchange.barrier().unwrap();
    }

    #[test]
    fn each_launcher_is_told_by_its_variables() {
        assert_eq!(by(&[]), None);
        assert_eq!(by(&[("OMPI_COMM_WORLD_SIZE", "4")]), Some(Launched { command: "mpirun", ranks: Some(4) }));
        assert_eq!(by(&[("PMI_SIZE", "3")]), Some(Launched { command: "mpiexec", ranks: Some(3) }));
        assert_eq!(by(&[("PMIX_RANK", "0")]), Some(Launched { command: "mpirun", ranks: None }));
        let step = ("SLURM_STEP_NUM_TASKS", "2");
        let task = ("SLURM_PROCID", "1");
        assert_eq!(by(&[step, task]), Some(Launched { command: "srun", ranks: Some(2) }));
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
}
