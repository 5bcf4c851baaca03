//! What Slurm says of the step that this process is a task of.

use super::hosts::expand;
use crate::base::{Error, Rank, Result};
use crate::boot::launched::environment;

/// A task among those of its step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub rank: Rank,
    pub size: u32,
    /// Cluster, job, step and restart in words, for banners.
    pub name: String,
    /// Where rank 0 runs.
    pub first_host: String,
    /// Whether this task runs there too.
    pub is_on_first_host: bool,
}

/// The step of several tasks that this process belongs to; nothing in a batch script, or in a step of one task.
///
/// # Errors
/// `Error::Fabric` where the step does not say where its tasks run.
pub fn step() -> Result<Option<Step>> {
    step_by(environment)
}

fn step_by(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Step>> {
    let number = |name: &str| variable(name).and_then(|text| text.trim().parse::<u32>().ok());
    let list = ["SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST", "SLURM_NODELIST"];
    // A batch script has SLURM_NTASKS too, of the job; only srun says which hosts a step has.
    let of_job = || number("SLURM_NTASKS").filter(|_| variable(list[0]).is_some());
    let (Some(rank), Some(size)) = (number("SLURM_PROCID"), number("SLURM_STEP_NUM_TASKS").or_else(of_job)) else {
        return Ok(None);
    };
    if size <= 1 {
        return Ok(None);
    }
    let said = |name: &str, otherwise: &str| variable(name).unwrap_or_else(|| otherwise.to_string());
    let job = variable("SLURM_JOB_ID").unwrap_or_else(|| said("SLURM_JOBID", "?"));
    let step = variable("SLURM_STEP_ID").unwrap_or_else(|| said("SLURM_STEPID", "?"));
    let name = format!(
        "cluster {} job {job} step {step} restart {}",
        said("SLURM_CLUSTER_NAME", "?"),
        said("SLURM_RESTART_COUNT", "0")
    );
    let nodes = list.iter().find_map(|name| Some((name, variable(name)?)));
    let (from, nodes) = nodes.ok_or_else(|| {
        Error::fabric(format!("Slurm started {size} tasks and does not say where: SLURM_STEP_NODELIST is not set"))
    })?;
    let first_host = expand(&nodes).and_then(|hosts| hosts.into_iter().next()).ok_or_else(|| {
        Error::fabric(format!("Slurm's list of hosts is not understood: {from}={nodes}; set MOBULA_RENDEZVOUS instead"))
    })?;
    Ok(Some(Step { rank, size, name, first_host, is_on_first_host: number("SLURM_NODEID") == Some(0) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(variables: &[(&str, &str)]) -> Result<Option<Step>> {
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
    fn a_task_knows_its_step() {
        let step = by(TASK).unwrap().unwrap();
        assert_eq!((step.rank, step.size, step.first_host.as_str()), (3, 4, "n05"));
        assert!(!step.is_on_first_host);
        assert_eq!(step.name, "cluster ? job 71 step 2 restart 0");
        let again = [TASK, &[("SLURM_RESTART_COUNT", "1")]].concat();
        assert_ne!(by(&again).unwrap().unwrap().name, step.name, "a job that was requeued is another");
    }

    #[test]
    fn a_batch_script_is_alone_and_so_is_a_step_of_one() {
        assert_eq!(by(&[]), Ok(None));
        let batch =
            [("SLURM_PROCID", "0"), ("SLURM_NTASKS", "8"), ("SLURM_JOB_ID", "1"), ("SLURM_JOB_NODELIST", "n[1-2]")];
        assert_eq!(by(&batch), Ok(None));
        assert_eq!(by(&[("SLURM_PROCID", "0"), ("SLURM_STEP_NUM_TASKS", "1")]), Ok(None));
        let old = [("SLURM_PROCID", "0"), ("SLURM_NTASKS", "8"), ("SLURM_STEP_NODELIST", "n[1-2]")];
        assert_eq!(by(&old).unwrap().map(|step| step.size), Some(8));
    }

    #[test]
    fn a_list_that_is_missing_or_spoilt_is_an_error() {
        let missing = by(&TASK[..3]).unwrap_err().to_string();
        assert!(missing.contains("SLURM_STEP_NODELIST"), "{missing}");
        let spoilt = by(&[TASK[0], TASK[1], ("SLURM_STEP_NODELIST", "n[1-")]).unwrap_err().to_string();
        assert!(spoilt.contains("SLURM_STEP_NODELIST=n[1-") && spoilt.contains("MOBULA_RENDEZVOUS"), "{spoilt}");
    }
}
