//! The job scripts of `slurm/`, submitted with `sbatch` on the hosts of the lab.

use crate::lab::{self, Lab, slurm_script};
use crate::launch_mode::LaunchMode;
use crate::launcher::{Launch, example};
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A submitted job.
struct Job<'a> {
    lab: &'a Lab,
    number: String,
}

impl Job<'_> {
    /// Submits a script with options of `sbatch` and the program that the script runs.
    fn submit<'a>(lab: &'a Lab, script: &str, options: &[&str], program: &[&str]) -> Job<'a> {
        let output = format!("--output={}/job-%A.%a.out", lab.folder().display());
        let script = slurm_script(script).display().to_string();
        let launch = lab.launch(&[&["sbatch", "--parsable", &output], options, &[&script], program].concat());
        let number = launch.run().succeeded().last_line().to_string();
        Job { lab, number }
    }

    /// Its output so far; the elements of a job array one after the other.
    fn output(&self) -> String {
        let beginning = format!("job-{}.", self.number);
        let files = fs::read_dir(self.lab.folder()).expect("the lab's folder is there");
        let mut paths: Vec<PathBuf> = files.map(|file| file.expect("it can be listed").path()).collect();
        paths.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&beginning)));
        paths.sort();
        paths.iter().map(|path| String::from_utf8_lossy(&fs::read(path).expect("root may read")).into_owned()).collect()
    }

    /// Waits until it has printed `text`.
    fn wait_for(&self, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self.output().contains(text) {
            assert!(Instant::now() < deadline, "job {} did not print {text:?}:\n{}", self.number, self.output());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until it succeeded; returns its output.
    #[track_caller]
    fn finish(self) -> String {
        let words = ["squeue", "--noheader", "--format=%T", "--states=all", "--jobs", &self.number];
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            let states = self.lab.run_on("ctl", &words);
            if states.lines().all(|state| state == "COMPLETED") {
                return self.output();
            }
            let may_succeed =
                states.lines().all(|state| ["PENDING", "RUNNING", "COMPLETING", "COMPLETED"].contains(&state));
            assert!(may_succeed && Instant::now() < deadline, "job {}: {states}\n{}", self.number, self.output());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

#[track_caller]
fn assert_printed(output: &str, parts: &[&str]) {
    let printed = output.lines().any(|line| parts.iter().all(|part| line.contains(part)));
    assert!(printed, "no line with all of {parts:?}:\n{output}");
}

fn program(name: &str) -> String {
    example(name).display().to_string()
}

#[test]
fn mpi_sbatch_runs_all_ranks() {
    if !LaunchMode::Mpi.is_available() {
        return;
    }
    let Some(lab) = lab::shared() else { return };
    let output = Job::submit(&lab, "mpi.sbatch", &["--nodes=3"], &[&program("hello")]).finish();
    for rank in 0..6 {
        assert_printed(&output, &[&format!("hello world, from rank {rank}")]);
    }
    assert_printed(&output, &["ok: 13"]);
}

/// A driver that gets the preemption signal stops with a partial answer; the ranks that only serve ignore the signal.
#[test]
fn preempted_job_ends_with_a_partial_answer() {
    if !LaunchMode::Mpi.is_available() {
        return;
    }
    let Some(lab) = lab::shared() else { return };
    let job = Job::submit(&lab, "mpi.sbatch", &["--time=5"], &[&program("preempted")]);
    job.wait_for("at work");
    lab.run_on("ctl", &["scancel", "--signal=USR1", &job.number]);
    let output = job.finish();
    assert_printed(&output, &["preempted by signal 10, seconds left: Some(2"]); // 200 to 299 of 300
    assert_printed(&output, &["ok: a partial answer of 4 ranks"]);
}

/// No driver supports the lab's GPUs: the runtime counts the GPUs of the job all the same.
#[test]
fn gpus_of_a_job_are_counted() {
    let Some(lab) = lab::shared() else { return };
    let show = "echo visible $CUDA_VISIBLE_DEVICES; exec \"$@\"";
    let options = ["--nodes=1", "--ntasks=1", "--gres=gpu:2"];
    let job = Job::submit(&lab, "job.sbatch", &options, &["sh", "-c", show, "sh", &program("preempted")]);
    job.wait_for("at work");
    lab.run_on("ctl", &["scancel", "--signal=USR1", &job.number]);
    let output = job.finish();
    assert_printed(&output, &["visible 0,1"]);
    assert_printed(&output, &["\"GPU\": 2.0"]);
    assert_printed(&output, &["ok: a partial answer of 1 ranks"]);
}

#[test]
fn job_sbatch_runs_a_program() {
    if !LaunchMode::Tcp.is_available() {
        return;
    }
    let Some(lab) = lab::shared() else { return };
    let output = Job::submit(&lab, "job.sbatch", &["--nodes=3"], &[&program("monte_carlo")]).finish();
    assert_printed(&output, &["ok: pi is about 3.14"]);
}

#[test]
fn resilient_sbatch_runs_a_program() {
    if !LaunchMode::Tcp.is_available() {
        return;
    }
    let Some(lab) = lab::shared() else { return };
    let output = Job::submit(&lab, "resilient.sbatch", &["--nodes=3"], &[&program("survivor"), "5"]).finish();
    assert_printed(&output, &["survived: right answers, lost ranks []"]);
}

/// The shares of the array's elements add up to the whole sweep.
#[test]
fn array_sweep_sbatch_covers_the_sweep() {
    let Some(lab) = lab::shared() else { return };
    let sweep = program("parameter_sweep");
    let runs_and_steady = |output: &str| {
        let counts = output.lines().filter_map(|line| line.strip_prefix("ok: ")?.strip_suffix(" of them steady"));
        let counts: Vec<(u32, u32)> = counts
            .map(|line| line.split_once(" runs, ").expect("both"))
            .map(|(runs, steady)| (runs.parse().expect("a count"), steady.parse().expect("a count")))
            .collect();
        (counts.len(), counts.iter().map(|count| count.0).sum::<u32>(), counts.iter().map(|count| count.1).sum::<u32>())
    };
    let whole = runs_and_steady(&Launch::alone(&example("parameter_sweep")).run().succeeded().output);
    let shares = runs_and_steady(&Job::submit(&lab, "array-sweep.sbatch", &["--array=1-3"], &[&sweep]).finish());
    assert_eq!((shares.0, shares.1, shares.2), (3, whole.1, whole.2));
}

/// The prolog reserves the requested huge pages, and the epilog releases them. If this machine has none to spare, the
/// job runs without.
#[test]
fn hugepages_prolog_reserves_and_epilog_releases() {
    let Some(lab) = lab::shared() else { return };
    let show = "cat /run/mobula-hugepages/$SLURM_JOB_ID; exec \"$@\"";
    let options = ["--nodes=1", "--ntasks=1", "--nodelist=node1", "--comment=hugepages:64M"];
    let job = Job::submit(&lab, "job.sbatch", &options, &["sh", "-c", show, "sh", &program("hello")]);
    let number = job.number.clone();
    let output = job.finish();
    assert_printed(&output, &["ok: 13"]);
    let reserved: u32 = output.lines().next().and_then(|line| line.parse().ok()).expect("the prolog's file");
    assert!(reserved <= 32, "{reserved} pages of 2 MiB");
    println!("{reserved} huge pages were reserved");
    lab.run_on("node1", &["test", "!", "-e", &format!("/run/mobula-hugepages/{number}")]);
}
