//! The Slurm step that this process is a task of, from the environment.

use super::hosts::expand;
use crate::base::{Error, Rank, Result};
use crate::boot::launcher::environment;

/// This task and its step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlurmStep {
    pub rank: Rank,
    pub size: u32,
    /// Cluster, job, step and restart, for banners.
    pub name: String,
    /// The host on which rank 0 runs.
    pub first_host: String,
    /// True if this task runs on the first host.
    pub is_on_first_host: bool,
}

/// The step of several tasks that this process belongs to; `None` in a batch script or in a step of one task.
///
/// # Errors
/// `Error::Fabric` if the environment does not name the hosts of the step.
pub fn step() -> Result<Option<SlurmStep>> {
    step_by(environment)
}

fn step_by(variable: impl Fn(&str) -> Option<String>) -> Result<Option<SlurmStep>> {
    let number = |name: &str| variable(name).and_then(|text| text.trim().parse::<u32>().ok());
    let list = ["SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST", "SLURM_NODELIST"];
    // A batch script has the job's SLURM_NTASKS; only srun sets the hosts of a step.
    let of_job = || number("SLURM_NTASKS").filter(|_| variable(list[0]).is_some());
    let (Some(rank), Some(size)) = (number("SLURM_PROCID"), number("SLURM_STEP_NUM_TASKS").or_else(of_job)) else {
        return Ok(None);
    };
    if size <= 1 {
        return Ok(None);
    }
    let or_default = |name: &str, otherwise: &str| variable(name).unwrap_or_else(|| otherwise.to_string());
    let job = variable("SLURM_JOB_ID").unwrap_or_else(|| or_default("SLURM_JOBID", "?"));
    let step = variable("SLURM_STEP_ID").unwrap_or_else(|| or_default("SLURM_STEPID", "?"));
    let name = format!(
        "cluster {} job {job} step {step} restart {}",
        or_default("SLURM_CLUSTER_NAME", "?"),
        or_default("SLURM_RESTART_COUNT", "0")
    );
    let nodes = list.iter().find_map(|name| Some((name, variable(name)?)));
    let (from, nodes) = nodes.ok_or_else(|| {
        Error::fabric(format!(
            "Slurm started {size} tasks and does not name their hosts: SLURM_STEP_NODELIST is not set"
        ))
    })?;
    let first_host = expand(&nodes).and_then(|hosts| hosts.into_iter().next()).ok_or_else(|| {
        Error::fabric(format!("Slurm's list of hosts is not understood: {from}={nodes}; set MOBULA_RENDEZVOUS instead"))
    })?;
    Ok(Some(SlurmStep { rank, size, name, first_host, is_on_first_host: number("SLURM_NODEID") == Some(0) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(variables: &[(&str, &str)]) -> Result<Option<SlurmStep>> {
        step_by(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string()))
    }

    const TASK: &[(&str, &str)] = &[
        ("SLURM_PROCID", "3"),
        ("SLURM_STEP_NUM_TASKS", "4"),
        ("SLURM_NTASKS", "9"),
        ("SLURM_STEP_NODELIST", "n[05-06]"),
        ("SLURM_JOB_NODELIST", "n[01-06]"),
        ("SLURM_JOB_ID", "71"),
        ("SLURM_STEP_ID", "2"),
        ("SLURM_NODEID", "1"),
    ];

    #[test]
    fn step_describes_the_task() {
        let step = by(TASK).unwrap().unwrap();
        assert_eq!((step.rank, step.size, step.first_host.as_str()), (3, 4, "n05"));
        assert!(!step.is_on_first_host);
        assert_eq!(step.name, "cluster ? job 71 step 2 restart 0");
        let again = [TASK, &[("SLURM_RESTART_COUNT", "1")]].concat();
        assert_ne!(by(&again).unwrap().unwrap().name, step.name, "a job that was requeued is another");
    }

    #[test]
    fn step_of_batch_script_or_of_one_task_is_none() {
        assert_eq!(by(&[]), Ok(None));
        let batch =
            [("SLURM_PROCID", "0"), ("SLURM_NTASKS", "8"), ("SLURM_JOB_ID", "1"), ("SLURM_JOB_NODELIST", "n[1-2]")];
        assert_eq!(by(&batch), Ok(None));
        assert_eq!(by(&[("SLURM_PROCID", "0"), ("SLURM_STEP_NUM_TASKS", "1")]), Ok(None));
        let old = [("SLURM_PROCID", "0"), ("SLURM_NTASKS", "8"), ("SLURM_STEP_NODELIST", "n[1-2]")];
        assert_eq!(by(&old).unwrap().map(|step| step.size), Some(8));
    }

    #[test]
    fn missing_or_malformed_host_list_is_an_error() {
        let missing = by(&TASK[..3]).unwrap_err().to_string();
        assert!(missing.contains("SLURM_STEP_NODELIST"), "{missing}");
        let spoilt = by(&[TASK[0], TASK[1], ("SLURM_STEP_NODELIST", "n[1-")]).unwrap_err().to_string();
        assert!(spoilt.contains("SLURM_STEP_NODELIST=n[1-") && spoilt.contains("MOBULA_RENDEZVOUS"), "{spoilt}");
    }
}
