//! The job scripts of `slurm/`, submitted as a person would, on the hosts of the lab.

use crate::lab::{self, Lab, slurm_script};
use crate::launcher::{Launch, example};
use crate::way::Way;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A job that was submitted.
struct Job<'a> {
    lab: &'a Lab,
    number: String,
}

impl Job<'_> {
    /// Submits a script with options of `sbatch`, and what the script runs.
    fn submit<'a>(lab: &'a Lab, script: &str, options: &[&str], program: &[&str]) -> Job<'a> {
        let output = format!("--output={}/job-%A.%a.out", lab.folder().display());
        let script = slurm_script(script).display().to_string();
        let launch = lab.launch(&[&["sbatch", "--parsable", &output], options, &[&script], program].concat());
        let number = launch.run().succeeded().last_line().to_string();
        Job { lab, number }
    }

    /// What it has printed so far; an array's elements one after the other.
    fn output(&self) -> String {
        let beginning = format!("job-{}.", self.number);
        let files = fs::read_dir(self.lab.folder()).expect("the lab's folder is there");
        let mut paths: Vec<PathBuf> = files.map(|file| file.expect("it can be listed").path()).collect();
        paths.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&beginning)));
        paths.sort();
        paths.iter().map(|path| String::from_utf8_lossy(&fs::read(path).expect("root may read")).into_owned()).collect()
    }

    /// Returns when it has printed this.
    fn wait_for(&self, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self.output().contains(text) {
            assert!(Instant::now() < deadline, "job {} did not print {text:?}:\n{}", self.number, self.output());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Returns when it has ended well, with what it printed.
    #[track_caller]
    fn finish(self) -> String {
        let words = ["squeue", "--noheader", "--format=%T", "--states=all", "--jobs", &self.number];
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            let states = self.lab.ask("ctl", &words);
            if states.lines().all(|state| state == "COMPLETED") {
                return self.output();
            }
            let goes_on =
                states.lines().all(|state| ["PENDING", "RUNNING", "COMPLETING", "COMPLETED"].contains(&state));
            assert!(goes_on && Instant::now() < deadline, "job {}: {states}\n{}", self.number, self.output());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

#[track_caller]
fn said(output: &str, parts: &[&str]) {
    let found = output.lines().any(|line| parts.iter().all(|part| line.contains(part)));
    assert!(found, "no line with all of {parts:?}:\n{output}");
}

fn program(name: &str) -> String {
    example(name).display().to_string()
}

#[test]
fn mpi_sbatch() {
    if !Way::Mpi.is_there() {
        return;
    }
    let Some(lab) = lab::shared() else { return };
    let output = Job::submit(&lab, "mpi.sbatch", &["--nodes=3"], &[&program("hello")]).finish();
    for rank in 0..6 {
        said(&output, &[&format!("hello world, from rank {rank}")]);
    }
    said(&output, &["ok: 13"]);
}

/// A driver that is told that its time nears the end stops, with an answer; the ranks that only serve outlive the signal.
#[test]
fn a_job_that_is_told_of_its_end() {
    if !Way::Mpi.is_there() {
        return;
    }
    let Some(lab) = lab::shared() else { return };
    let job = Job::submit(&lab, "mpi.sbatch", &["--time=5"], &[&program("preempted")]);
    job.wait_for("at work");
    lab.ask("ctl", &["scancel", "--signal=USR1", &job.number]);
    let output = job.finish();
    said(&output, &["told by signal 10, seconds left: Some(2"]); // 200 to 299 of 300
    said(&output, &["ok: a partial answer of 4 ranks"]);
}

/// No driver knows the lab's GPUs: what the job was given is counted all the same.
#[test]
fn a_job_with_gpus() {
    let Some(lab) = lab::shared() else { return };
    let shown = "echo visible $CUDA_VISIBLE_DEVICES; exec \"$@\"";
    let options = ["--nodes=1", "--ntasks=1", "--gres=gpu:2"];
    let job = Job::submit(&lab, "job.sbatch", &options, &["sh", "-c", shown, "sh", &program("preempted")]);
    job.wait_for("at work");
    lab.ask("ctl", &["scancel", "--signal=USR1", &job.number]);
    let output = job.finish();
    said(&output, &["visible 0,1"]);
    said(&output, &["\"GPU\": 2.0"]);
    said(&output, &["ok: a partial answer of 1 ranks"]);
}

#[test]
fn job_sbatch() {
    if !Way::Tcp.is_there() {
        return;
    }
    let Some(lab) = lab::shared() else { return };
    let output = Job::submit(&lab, "job.sbatch", &["--nodes=3"], &[&program("monte_carlo")]).finish();
    said(&output, &["ok: pi is about 3.14"]);
}

#[test]
fn resilient_sbatch() {
    if !Way::Tcp.is_there() {
        return;
    }
    let Some(lab) = lab::shared() else { return };
    let output = Job::submit(&lab, "resilient.sbatch", &["--nodes=3"], &[&program("survivor"), "5"]).finish();
    said(&output, &["survived: right answers, lost ranks []"]);
}

/// The elements' shares are the whole sweep.
#[test]
fn array_sweep_sbatch() {
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

/// The prolog reserves what the job asks for, and the epilog gives it back. Where this machine has no huge pages to spare, the
/// job runs without.
#[test]
fn hugepages_prolog() {
    let Some(lab) = lab::shared() else { return };
    let note = "cat /run/mobula-hugepages/$SLURM_JOB_ID; exec \"$@\"";
    let options = ["--nodes=1", "--ntasks=1", "--nodelist=node1", "--comment=hugepages:64M"];
    let job = Job::submit(&lab, "job.sbatch", &options, &["sh", "-c", note, "sh", &program("hello")]);
    let number = job.number.clone();
    let output = job.finish();
    said(&output, &["ok: 13"]);
    let reserved: u32 = output.lines().next().and_then(|line| line.parse().ok()).expect("the prolog's note");
    assert!(reserved <= 32, "{reserved} pages of 2 MiB");
    println!("{reserved} huge pages were reserved");
    lab.ask("node1", &["test", "!", "-e", &format!("/run/mobula-hugepages/{number}")]);
}
