//! How a Slurm step ends with its driver, and when `srun` gets a signal.

use crate::lab;
use crate::launcher::example;
use crate::launcher::processes::{descendants, signal};
use std::fs;
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

/// The processes of the program that sleeps.
fn sleepers() -> Vec<u32> {
    let processes = fs::read_dir("/proc").expect("it is mounted").flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let command = format!("{}\0driver\0sleep\0", example("ends").display());
    let is_sleeper = |number: &u32| {
        let words = fs::read(format!("/proc/{number}/cmdline")).unwrap_or_default();
        words == command.as_bytes()
    };
    numbers.filter(is_sleeper).collect()
}

/// SIGKILL is not among them: Slurm keeps the step of a killed `srun`, whatever program it runs, until `scancel`.
#[test]
fn signals_to_srun_end_all_ranks() {
    let Some(lab) = lab::shared() else { return };
    let program = example("ends").display().to_string();
    for name in ["TERM", "HUP", "QUIT"] {
        let mut started = lab.launch(&["srun", "-N2", "-n2", &program, "driver", "sleep"]).start();
        started.wait_for("the driver ends by sleep");
        assert_eq!(sleepers().len(), 2);
        let name_of = |process: &u32| fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
        let srun = descendants(started.pid()).into_iter().find(|process| name_of(process).trim() == "srun");
        signal(name, &srun.expect("it runs").to_string());
        let deadline = Instant::now() + Duration::from_secs(60);
        while !sleepers().is_empty() {
            assert!(Instant::now() < deadline, "after {name} these ranks go on: {:?}", sleepers());
            std::thread::sleep(Duration::from_millis(20));
        }
        started.finish().failed();
    }
}
