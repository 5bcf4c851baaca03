//! How a Slurm step ends with its driver, and when `srun` gets a signal.

use crate::lab;
use crate::launcher::example;
use crate::launcher::processes::{descendants, running, signal};
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How the driver ends, and what `srun` returns then.
const ENDS: &[(&str, i32)] =
    &[("return", 0), ("error", 1), ("panic", 101), ("exit-3", 3), ("abort", 134), ("kill", 137), ("term", 143)];

#[test]
fn step_has_the_exit_code_of_its_driver() {
    let Some(lab) = lab::shared() else { return };
    for (how, code) in ENDS {
        let program = example("ends").display().to_string();
        // Slurm's daemons allow core files, the tests do not.
        let task = format!("ulimit -c 0; exec {program} driver {how}");
        let finished = lab.launch(&["srun", "-N2", "-n2", "sh", "-c", &task]).run();
        assert_eq!(finished.status.code(), Some(*code), "{how}:\n{}", finished.output);
        // Of the driver's host and of the other one.
        finished.printed(&["line 19 of 0"]).printed(&["line 19 of 1"]);
    }
}

/// A variable that the processes of a run have, and those that other runs left do not.
const RUN: &str = "STEP_ENDS_RUN";

/// The ranks that sleep, of the run of that name.
fn sleepers(run: &str) -> Vec<u32> {
    running(&[&example("ends").display().to_string(), "driver", "sleep"], (RUN, run))
}

#[test]
fn processes_of_another_run_are_not_counted() {
    let (name, other) = (format!("this-{}", std::process::id()), format!("other-{}", std::process::id()));
    let mut command = Command::new(example("ends"));
    let mut process = command.args(["driver", "sleep"]).env(RUN, &other).stdout(Stdio::piped()).spawn().expect("built");
    // For a moment after the spawn, /proc shows no words and no variables of the new program yet.
    let mut line = String::new();
    BufReader::new(process.stdout.take().expect("piped")).read_line(&mut line).expect("it prints");
    let found = (sleepers(&name), sleepers(&other));
    process.kill().expect("our own child");
    process.wait().expect("our own child");
    assert_eq!(found, (Vec::new(), vec![process.id()]));
}

/// SIGKILL is not among them: Slurm keeps the step of a killed `srun`, whatever program it runs, until `scancel`.
#[test]
fn signals_to_srun_end_all_ranks() {
    let Some(lab) = lab::shared() else { return };
    let program = example("ends").display().to_string();
    for name in ["TERM", "HUP", "QUIT"] {
        let run = format!("{name}-{}", std::process::id());
        let launch = lab.launch(&["srun", "-N2", "-n2", &program, "driver", "sleep"]);
        let mut started = launch.env(RUN, &run).start();
        started.wait_for("the driver ends by sleep");
        assert_eq!(sleepers(&run).len(), 2);
        let name_of = |process: &u32| fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
        let srun = descendants(started.pid()).into_iter().find(|process| name_of(process).trim() == "srun");
        signal(name, &srun.expect("it runs").to_string());
        let deadline = Instant::now() + Duration::from_secs(60);
        while !sleepers(&run).is_empty() {
            assert!(Instant::now() < deadline, "after {name} these ranks go on: {:?}", sleepers(&run));
            std::thread::sleep(Duration::from_millis(20));
        }
        started.finish().failed();
    }
}
