//! The CPUs and the memory of this host that Slurm granted the job. Without its plugins `task/affinity` and
//! `task/cgroup` nothing else says them: a process may use the whole host, and others' jobs run there too.
//!
//! ```text
//!   variable                   set by        counts if this process runs on a host of the job, and
//!   SLURM_CPUS_ON_NODE         slurmd        SLURMD_NODENAME is this host: else it is of the host of mpirun
//!   SLURM_JOB_CPUS_PER_NODE    salloc, too   the list of the job's hosts has this one, whose entry it is
//!   SLURM_CPUS_PER_TASK        -c            the ranks are the tasks of the step: so much for each
//!   SLURM_MEM_PER_NODE         --mem         as SLURM_CPUS_ON_NODE or SLURM_JOB_CPUS_PER_NODE
//!   SLURM_MEM_PER_CPU, _GPU                  the same, for each granted CPU or GPU
//! ```
//! `srun` does not tell its tasks what its own `--mem` asked for: `sbatch` and `salloc` set these variables.
//! In the shell of `salloc` on a login node, which is no host of the job, nothing counts.

use super::hosts::expand;
use crate::base::host::host_name;
use crate::boot::launcher::{environment, number};

/// What the job may use of a host; `None` where Slurm does not say it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobGrant {
    /// CPUs as Slurm counts them: at most as many as hardware threads.
    pub cpus: Option<u32>,
    /// Bytes of memory.
    pub memory_bytes: Option<u64>,
}

/// What Slurm granted on this host, where `ranks` of the cluster run.
pub fn job_grant(ranks: usize) -> JobGrant {
    grant_by(environment, &host_name(), ranks as u64)
}

fn grant_by(variable: impl Fn(&str) -> Option<String>, host: &str, ranks: u64) -> JobGrant {
    let count = |name: &str| number(&variable, name).filter(|count| *count > 0);
    let is_here = |node: &str| short(node) == short(host);
    let nodes = variable("SLURM_JOB_NODELIST").and_then(|list| expand(&list)).unwrap_or_default();
    let position = nodes.iter().position(|node| is_here(node));
    // A site may give nodes other names in Slurm: then the list does not have this host, and slurmd's word counts.
    let by_slurmd = variable("SLURMD_NODENAME").is_some_and(|node| is_here(&node) || position.is_none());
    if !by_slurmd && position.is_none() {
        return JobGrant::default();
    }
    let on_node = if by_slurmd { count("SLURM_CPUS_ON_NODE") } else { None };
    let of_job = position.and_then(|at| entry(&variable("SLURM_JOB_CPUS_PER_NODE")?, at));
    let node_cpus = on_node.or(of_job);

    let tasks = count("SLURM_STEP_NUM_TASKS").filter(|_| variable("SLURM_PROCID").is_some());
    let launched = count("OMPI_COMM_WORLD_SIZE").or_else(|| count("PMI_SIZE"));
    let are_tasks = by_slurmd && tasks.is_some() && launched.is_none_or(|ranks| Some(ranks) == tasks);
    let per_task = count("SLURM_CPUS_PER_TASK").filter(|_| are_tasks);
    let of_tasks = per_task.map(|cpus| u32::try_from(u64::from(cpus) * ranks).unwrap_or(u32::MAX));
    let cpus = [node_cpus, of_tasks].into_iter().flatten().min();

    let times = |name: &str, units: Option<u32>| Some(u64::from(count(name)?) * u64::from(units?));
    let mebibytes = [
        count("SLURM_MEM_PER_NODE").map(u64::from),
        times("SLURM_MEM_PER_CPU", node_cpus),
        times("SLURM_MEM_PER_GPU", count("SLURM_GPUS_ON_NODE")),
    ];
    JobGrant { cpus, memory_bytes: mebibytes.into_iter().flatten().min().map(|mebibytes| mebibytes << 20) }
}

/// A host's name without its domain.
fn short(name: &str) -> &str {
    name.split('.').next().unwrap_or_default()
}

/// Entry `at` of a list such as `8(x2),4`.
fn entry(list: &str, at: usize) -> Option<u32> {
    let mut before = 0;
    for part in list.split(',') {
        let (value, times) = match part.split_once("(x") {
            Some((value, times)) => (value, times.strip_suffix(')')?.parse::<usize>().ok()?),
            None => (part, 1),
        };
        before += times;
        if at < before {
            return value.trim().parse().ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The grant on host `n2.site`, where `ranks` run, by variables as `NAME=value` without `SLURM_`.
    fn on_n2(ranks: u64, variables: &str) -> (Option<u32>, Option<u64>) {
        let by = |name: &str| {
            let mut words = variables.split(' ').filter_map(|word| word.split_once('='));
            let short = name.strip_prefix("SLURM_").unwrap_or(name);
            words.find_map(|(known, value)| (known == short).then(|| value.to_string()))
        };
        let grant = grant_by(by, "n2.site", ranks);
        (grant.cpus, grant.memory_bytes.map(|bytes| bytes >> 20))
    }

    #[test]
    fn step_s_cpus_and_memory_count() {
        let step = "JOB_NODELIST=n[1-2] SLURMD_NODENAME=n2 PROCID=1 STEP_NUM_TASKS=2";
        assert_eq!(on_n2(1, &format!("{step} CPUS_ON_NODE=1 MEM_PER_NODE=500")), (Some(1), Some(500)));
        assert_eq!(on_n2(2, &format!("{step} CPUS_ON_NODE=8 CPUS_PER_TASK=3")), (Some(6), None));
        assert_eq!(on_n2(1, &format!("{step} CPUS_ON_NODE=2 CPUS_PER_TASK=1")).0, Some(1), "both threads of a core");
        assert_eq!(on_n2(1, &format!("{step} CPUS_ON_NODE=4 MEM_PER_CPU=100")), (Some(4), Some(400)));
        assert_eq!(on_n2(1, &format!("{step} MEM_PER_GPU=100 GPUS_ON_NODE=2")), (None, Some(200)));
        assert_eq!(on_n2(1, &format!("{step} MEM_PER_GPU=100")), (None, None), "no GPU is known");
        assert_eq!(on_n2(1, &format!("{step} CPUS_ON_NODE=4 MEM_PER_NODE=0")), (Some(4), None), "all of the host's");
        assert_eq!(on_n2(1, &format!("{step} CPUS_ON_NODE=x MEM_PER_NODE=-5")), (None, None), "no numbers");
    }

    #[test]
    fn ranks_of_mpirun_are_no_tasks() {
        let daemon = "JOB_NODELIST=n[1-2] SLURMD_NODENAME=n2 PROCID=1 STEP_NUM_TASKS=2 CPUS_PER_TASK=1 CPUS_ON_NODE=8";
        assert_eq!(on_n2(4, &format!("{daemon} OMPI_COMM_WORLD_SIZE=8")).0, Some(8));
        assert_eq!(on_n2(4, &format!("{daemon} PMI_SIZE=8")).0, Some(8));
        assert_eq!(on_n2(1, &format!("{daemon} PMI_SIZE=2")).0, Some(1), "srun --mpi=pmi2");
    }

    #[test]
    fn batch_script_counts_what_slurmd_says() {
        let script = "JOB_NODELIST=n2 SLURMD_NODENAME=n2 PROCID=0 NTASKS=4 CPUS_PER_TASK=2 CPUS_ON_NODE=8";
        assert_eq!(on_n2(1, script).0, Some(8), "one process may use what four tasks may");
    }

    #[test]
    fn variables_of_other_hosts_do_not_count() {
        let shell = "JOB_NODELIST=n[5-6] JOB_CPUS_PER_NODE=8(x2) MEM_PER_NODE=100 CPUS_PER_TASK=2";
        assert_eq!(on_n2(1, shell), (None, None), "salloc's shell on a login node");
        let on_a_host = "JOB_NODELIST=n[1-3] JOB_CPUS_PER_NODE=8,2,4 MEM_PER_NODE=100";
        assert_eq!(on_n2(1, on_a_host), (Some(2), Some(100)), "the same on a host of the job");
        let copied = "JOB_NODELIST=n[1-2] SLURMD_NODENAME=n1 CPUS_ON_NODE=8 JOB_CPUS_PER_NODE=8,2 PMI_SIZE=10";
        assert_eq!(on_n2(2, copied).0, Some(2), "mpiexec copied the environment of the first host");
        let renamed = "JOB_NODELIST=cloud[1-2] SLURMD_NODENAME=cloud1 CPUS_ON_NODE=3";
        assert_eq!(on_n2(1, renamed).0, Some(3), "Slurm's name of this host is not the kernel's");
        assert_eq!(on_n2(1, ""), (None, None));
    }

    #[test]
    fn list_of_counts_is_read_and_a_malformed_one_is_nothing() {
        let list = "8(x2),4,16(x3)";
        assert_eq!((0..7).map(|at| entry(list, at).unwrap_or(0)).collect::<Vec<_>>(), [8, 8, 4, 16, 16, 16, 0]);
        for malformed in ["", "x", "8(x", "8(xx)", "(x2)"] {
            assert_eq!(entry(malformed, 0), None, "{malformed}");
        }
    }
}
