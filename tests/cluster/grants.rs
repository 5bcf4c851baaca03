//! What a rank finds under a Slurm without plugins that bind tasks and limit memory, as the lab's is (`task/none`), and
//! under one with them.

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

fn found_with(plugins: &str, step: &[&str]) -> Option<Finished> {
    let program = example("field").display().to_string();
    let launch = lab::launch_with_plugins(plugins, &[&["srun", "-N1"], step, &[&program, "found"]].concat())?;
    Some(launch.run().succeeded())
}

/// Each task is bound to cores of its own by `sched_setaffinity`, or in a control group.
#[test]
fn tasks_that_slurm_binds_count_the_cores_to_which_they_are_bound() {
    for plugins in ["task/affinity", "task/cgroup,task/affinity"] {
        let Some(finished) = found_with(plugins, &["-n1", "-c1", "--mem=1000"]) else { continue };
        let finished = finished.printed(&["found: hosts=1 ranks=1 cpus=1 "]);
        let bound = finished.output.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        assert!(bound.is_some_and(|cpus| cpus.trim().parse::<u32>().is_ok()), "one core:\n{}", finished.output);
        if std::thread::available_parallelism().is_ok_and(|cpus| cpus.get() > 1) {
            let two = found_with(plugins, &["-n2", "-c1", "--mem=1000"]).expect("as before");
            two.printed(&["found: hosts=1 ranks=2 cpus=2 "]);
        }
    }
}

/// What `srun --mem` asked for is in no variable of its tasks, but in the control group.
#[test]
fn memory_of_the_step_s_control_group_counts() {
    for (step, memory) in [(["-n1", "-c1", "--mem=1000"], 1000), (["-n1", "-c1", "--mem-per-cpu=700"], 700)] {
        let Some(finished) = found_with("task/cgroup", &step) else { return };
        finished.printed(&[&format!("found: hosts=1 ranks=1 cpus=1 memory={memory}")]);
    }
}
