//! What a rank finds under a Slurm without plugins that bind tasks and limit memory, as the lab's is (`task/none`).

use crate::lab;
use crate::launcher::{Finished, example};

fn found(words: &[&str]) -> Option<Finished> {
    let lab = lab::shared()?;
    let program = example("field").display().to_string();
    Some(lab.launch(&[words, &[&program, "found"]].concat()).run().succeeded())
}

/// `srun` tells its tasks their CPUs, and not what its own `--mem` asked for; `salloc` and `sbatch` tell both.
#[test]
fn step_takes_what_slurm_granted_and_no_more() {
    let Some(finished) = found(&["srun", "-N1", "-n1", "-c1"]) else { return };
    finished.printed(&["found: hosts=1 ranks=1 cpus=1"]);
    for (job, seen) in [
        (["-N1", "-n1", "--mem=1000", "-c1"], "found: hosts=1 ranks=1 cpus=1 memory=1000"),
        (["-N1", "-n1", "--mem-per-cpu=300", "-c2"], "found: hosts=1 ranks=1 cpus=2 memory=600"),
        (["-N2", "-n2", "--mem=1000", "-c1"], "found: hosts=2 ranks=2 cpus=2 memory=2000"),
    ] {
        let in_job = [&["salloc", "-Q"], &job[..], &["srun", job[3]]].concat();
        if let Some(finished) = found(&in_job) {
            finished.printed(&[seen]);
        }
    }
}

/// The shell of `salloc` runs on a host that is none of the job's: its variables say nothing of that host.
#[test]
fn shell_of_salloc_counts_its_own_host() {
    let unlimited = found(&["env"]);
    let Some(alone) = unlimited else { return };
    let line = alone.output.lines().find(|line| line.starts_with("found:")).expect("it printed").to_string();
    let Some(finished) = found(&["salloc", "-Q", "-N1", "-n1", "-c1", "--mem=1000"]) else { return };
    finished.printed(&[&line]);
}

#[test]
fn step_within_a_larger_job_takes_its_own_cpus() {
    let Some(finished) = found(&["salloc", "-Q", "-N1", "-n2", "--mem=1200", "srun", "-n1", "-c1"]) else { return };
    finished.printed(&["cpus=1 memory=1200"]);
    let terminal = ["salloc", "-Q", "-N1", "-n2", "script", "-qec"];
    let lab = lab::shared().expect("as before");
    let step = format!("srun --pty -n1 -c1 {} found", example("field").display());
    let launch = lab.launch(&[&terminal[..], &[&step, "/dev/null"]].concat());
    launch.run().succeeded().printed(&["found: hosts=1 ranks=1 cpus=1"]);
}

/// Two jobs of one user on one host: each may use one of its CPUs, and neither is pinned to the first.
#[test]
fn two_jobs_on_a_host_do_not_choose_the_same_core() {
    let Some(lab) = lab::shared() else { return };
    let program = example("field").display().to_string();
    let step = format!("srun -w node1 -n1 -c1 {program} found");
    let both = format!("{step} & {step}; wait $!");
    let finished = lab.launch(&["sh", "-c", &both]).run().succeeded();
    assert_eq!(finished.count("found: hosts=1 ranks=1 cpus=1 "), 2, "{}", finished.output);
    let cpus: Vec<&str> = finished.output.lines().filter(|line| line.starts_with("Cpus_allowed_list")).collect();
    let all = lab.run_on("node1", &["sh", "-c", "grep Cpus_allowed_list /proc/self/status"]);
    assert!(cpus.iter().all(|cpus| *cpus == all.trim()), "{cpus:?}, and the host has {all}");
}
