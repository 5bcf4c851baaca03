//! Tasks that end the process of their rank, and drivers that end, in every way: what the others say, which exit code
//! the launch has, and that nothing is left. `tests/programs/ends` holds the cases.

mod launcher;

use launcher::processes::{descendants, is_alive, signal};
use launcher::rendezvous::{TestFolder, all_ranks, launch_small_ranks, own_host_command};
use launcher::{Finished, Launch, Started, example, find_program, mpirun, no_ranks, uses_mpich};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn ranks(name: &str, count: u32) -> (TestFolder, Launch) {
    let folder = TestFolder::new(name);
    let launch =
        launch_small_ranks(&example("ends"), &all_ranks(count), count, &folder.meeting_file().display().to_string());
    (folder, launch)
}

/// Runs a case in which tasks end ranks, and the driver lives.
#[track_caller]
fn driver_lives(case: &str, how: &str, count: u32) -> Finished {
    let (_folder, launch) = ranks(&format!("{case}-{how}-{count}"), count);
    let finished = launch.arg(case).arg(how).run().printed(&["the driver has ended"]);
    finished.did_not_print("rank 0 ended with").did_not_print("panicked")
}

/// Each way to end, and what the errors call it.
const WAYS: &[(&str, &str)] = &[
    ("abort", "signal 6 (SIGABRT)"),
    ("fault", "signal 11 (SIGSEGV)"),
    ("overflow", "signal 6 (SIGABRT)"),
    ("memory", "signal 6 (SIGABRT)"),
    ("exit-0", "exit code 0"),
    ("exit-3", "exit code 3"),
    ("kill", "signal 9 (SIGKILL"),
    ("term", "signal 15 (SIGTERM)"),
];

/// The driver waits for all of them: ranks 1 to 3 would end one after the other, and then rank 0.
#[test]
fn task_that_ends_two_ranks_fails_by_name_with_both() {
    for (how, end) in WAYS {
        let finished = driver_lives("sweep", how, 4);
        let listed = ["task 5: rank", end, "task step has ended 2 ranks and is not started again; before: rank 1 on"];
        let finished = finished.printed(&listed).printed(&["task 5: rank", "while it ran step"]);
        assert_eq!(finished.count("task 5: "), 1, "{}", finished.output);
        let living = finished.output.lines().find_map(|line| line.strip_prefix("living: ")).expect("it was printed");
        assert!(living.starts_with("[0, ") && living.matches(',').count() == 1, "{how}:\n{}", finished.output);
    }
}

#[test]
fn task_is_not_started_on_the_last_rank_that_must_not_end() {
    for how in ["abort", "exit-3", "kill"] {
        let finished = driver_lives("sweep", how, 2);
        let finished = finished.printed(&["task 5: rank 1 on", "task step ended it, and only ranks are left"]);
        finished.printed(&["living: [0]"]);
    }
}

/// No rank of the same host can say what it ran.
#[test]
fn task_that_ends_ranks_that_are_alone_on_their_hosts_fails() {
    let Some(own_host) = own_host_command() else { return };
    for how in ["abort", "kill"] {
        let (_folder, launch) = ranks(&format!("own-hosts-{how}"), 4);
        let launch = launch.env("MOBULA_FABRIC", "tcp").env("OWN_HOST", own_host);
        let finished = launch.arg("sweep").arg(how).run().printed(&["the driver has ended"]);
        finished.did_not_print("rank 0 ended with").did_not_print("panicked").printed(&["task 5: rank", "task step"]);
    }
}

#[test]
fn task_of_a_task_counts_for_it() {
    for how in ["abort", "exit-3", "kill"] {
        let finished = driver_lives("child", how, 4);
        finished.printed(&["task 1: rank", "task parent has ended 2 ranks and is not started again"]);
    }
}

#[test]
fn tasks_that_ran_beside_it_start_again_elsewhere() {
    for how in ["kill", "abort"] {
        let (_folder, launch) = ranks(&format!("suspects-{how}"), 4);
        let launch = launch.env("MOBULA_WORKERS", "3").env("MOBULA_NUM_CPUS", "12").arg("suspects").arg(how);
        let finished = launch.run().printed(&["the driver has ended"]).did_not_print("rank 0 ended with");
        let again = finished.output.lines().find_map(|line| line.split("again on ").nth(1)).expect("it was printed");
        if how == "kill" {
            assert!(!again.contains('0'), "none may end rank 0:\n{}", finished.output);
        }
        assert!(!again.contains('1'), "{}", finished.output);
    }
}

#[test]
fn error_of_a_dead_rank_names_task_and_end() {
    for (how, end) in WAYS {
        let finished = driver_lives("named", how, 2);
        let finished = finished.printed(&["the task: rank 1 on host", "its process (", end, "while it ran leaf"]);
        finished.printed(&["another task: rank 1 on host", "its process (", end, "while it ran leaf"]);
    }
}

/// A control group of the memory controller, version 1; dropping it removes it.
struct MemoryGroup(PathBuf);

impl MemoryGroup {
    fn new(bytes: u64) -> Option<MemoryGroup> {
        let path = Path::new("/sys/fs/cgroup/memory").join(format!("mobula-test-{}", std::process::id()));
        fs::create_dir(&path).ok()?;
        let group = MemoryGroup(path);
        fs::write(group.0.join("memory.limit_in_bytes"), bytes.to_string()).ok()?;
        Some(group)
    }
}

impl Drop for MemoryGroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn task_that_the_kernel_ends_for_its_memory_is_named() {
    let Some(group) = MemoryGroup::new(200 << 20) else {
        return println!("left out: no memory control group of version 1 can be created");
    };
    let folder = TestFolder::new("memory-group");
    let script = folder.0.join("ends");
    let join = format!("[ \"$MOBULA_RANK\" = 0 ] || echo $$ >{}/cgroup.procs", group.0.display());
    fs::write(&script, format!("#!/bin/sh\n{join}\nexec '{}' \"$@\"\n", example("ends").display())).expect("ours");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("ours");
    let launch = launch_small_ranks(&script, &all_ranks(2), 2, &folder.meeting_file().display().to_string());
    let finished = launch.arg("named").arg("hog").run().printed(&["the driver has ended"]);
    let finished = finished.printed(&["the task: rank 1 on host", "signal 9 (SIGKILL", "while it ran leaf"]);
    finished.printed(&["rank 1 ended with 137"]).did_not_print("rank 0 ended with");
}

#[test]
fn actor_that_ends_its_ranks_is_not_created_on_rank_0() {
    for case in ["actor", "constructor"] {
        for how in ["abort", "kill", "exit-3"] {
            let finished = driver_lives(case, how, 3);
            let finished = finished.printed(&["the call: actor Fragile is not alive", "only ranks are left"]);
            finished.printed(&["living: [0]"]);
        }
    }
}

/// How a driver ends, and the exit code that a shell sees of it.
const DRIVER_ENDS: &[(&str, i32)] = &[
    ("return", 0),
    ("error", 1),
    ("panic", 101),
    ("exit-0", 0),
    ("exit-3", 3),
    ("abort", 128 + 6),
    ("memory", 128 + 6),
    ("fault", 128 + 11),
    ("kill", 128 + 9),
    ("term", 128 + 15),
];

/// Lines that the program prints on each rank before its driver ends.
const LINES: usize = 20;

/// What of mobula lies in folders that outlive a job.
fn left_behind(folder: &Path) -> BTreeSet<String> {
    let names = |folder: &Path| -> Vec<String> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| format!("{}", entry.path().display())).collect()
    };
    let folders = [folder, Path::new("/dev/shm"), Path::new("/run"), Path::new("/run/user/0")];
    let all = folders.into_iter().flat_map(names);
    // The lab of other tests may run meanwhile.
    all.filter(|name| name.contains("mobula") && !name.contains("mobula-lab") && !name.contains("mobula-test"))
        .collect()
}

/// Waits until these processes are gone.
#[track_caller]
fn await_ends(what: &str, processes: &[u32]) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while processes.iter().any(|process| is_alive(*process)) {
        assert!(Instant::now() < deadline, "{what} left processes of {processes:?}");
        std::thread::yield_now();
    }
}

/// Checks a launch whose driver ended so: `finish` returned, so no process holds its output any more.
#[track_caller]
fn check_driver(what: &str, finished: &Finished, ranks: u32, folder: &TestFolder) {
    for rank in 0..ranks {
        let lines = finished.count(&format!(" of {rank}"));
        assert_eq!(lines, LINES, "{what}: lines of rank {rank}:\n{}", finished.output);
    }
    assert_eq!(left_behind(&folder.0), BTreeSet::new(), "{what}");
}

#[test]
fn launch_has_the_exit_code_of_its_driver_and_leaves_nothing() {
    for (how, code) in DRIVER_ENDS {
        let folder = TestFolder::new(&format!("alone-{how}"));
        let tmp = folder.0.display().to_string();
        // A shell, so that a signal has an exit code here as under a launcher.
        let program = example("ends").display().to_string();
        let launch = Launch::alone(Path::new("/bin/sh")).arg("-c").arg("\"$0\" driver \"$1\"; exit $?");
        let finished = launch.arg(program).arg(*how).env("TMPDIR", &tmp).run();
        assert_eq!(finished.status.code(), Some(*code), "alone, {how}:\n{}", finished.output);
        check_driver(&format!("alone, {how}"), &finished, 1, &folder);
    }
}

#[test]
fn ranks_without_a_launcher_end_with_their_driver() {
    for (how, code) in DRIVER_ENDS {
        for count in [2, 4] {
            let (folder, launch) = ranks(&format!("driver-{how}-{count}"), count);
            let tmp = folder.0.display().to_string();
            let finished = launch.arg("driver").arg(*how).env("TMPDIR", &tmp).run();
            let what = format!("{count} ranks, {how}");
            let ended = format!("rank 0 ended with {code}");
            assert_eq!(finished.count(&ended), usize::from(*code != 0), "{what}:\n{}", finished.output);
            let others = (1..count)
                .filter(|rank| finished.output.lines().any(|line| line == format!("rank {rank} ended with 1")));
            // They serve: a driver that a signal ends could not tell them.
            let failed = if *code < 128 { 0 } else { count as usize - 1 };
            assert_eq!(others.count(), failed, "{what}:\n{}", finished.output);
            check_driver(&what, &finished, count, &folder);
        }
    }
}

#[test]
fn launcher_has_the_exit_code_of_the_driver() {
    if let Some(reason) = no_ranks() {
        return println!("left out: {reason}");
    }
    for (how, code) in DRIVER_ENDS {
        for count in [1, 2, 4] {
            let folder = TestFolder::new(&format!("mpirun-{how}-{count}"));
            let launch = Launch::on_ranks(count, &example("ends")).arg("driver").arg(*how);
            let finished = launch.env("TMPDIR", folder.0.display().to_string()).run();
            let what = format!("mpirun -n {count}, {how}");
            // Hydra has codes of its own for a rank that a signal ended.
            let exact = !uses_mpich() || *code < 128;
            let is_right = if exact { finished.status.code() == Some(*code) } else { !finished.status.success() };
            assert!(is_right, "{what}: {} instead of {code}:\n{}", finished.status, finished.output);
            check_driver(&what, &finished, count, &folder);
        }
    }
}

/// Starts a driver that sleeps while every rank runs a task.
fn sleeping(launch: Launch) -> Started {
    let mut started = launch.arg("driver").arg("sleep").start();
    started.wait_for("the driver ends by sleep");
    started
}

#[test]
fn signals_to_the_driver_end_all_ranks() {
    // Jobs in the background of a shell ignore INT and QUIT.
    for name in ["TERM", "HUP", "KILL"] {
        let (folder, launch) = ranks(&format!("signal-{name}"), 2);
        let started = sleeping(launch);
        let processes = descendants(started.pid());
        let is_driver = |process: &&u32| {
            let environment = fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable == b"MOBULA_RANK=0")
        };
        let driver = processes.iter().find(is_driver).expect("rank 0 runs");
        signal(name, &driver.to_string());
        let finished = started.finish().failed().printed(&["rank 1 ended with 1"]);
        await_ends(name, &processes);
        assert_eq!(left_behind(&folder.0), BTreeSet::new(), "{name}:\n{}", finished.output);
    }
}

#[test]
fn signals_to_the_launcher_end_all_ranks() {
    if let Some(reason) = no_ranks() {
        return println!("left out: {reason}");
    }
    for name in ["TERM", "INT", "HUP", "KILL", "QUIT"] {
        let folder = TestFolder::new(&format!("launcher-{name}"));
        let launch = Launch::on_ranks(2, &example("ends")).env("TMPDIR", folder.0.display().to_string());
        let started = sleeping(launch);
        let processes = descendants(started.pid());
        signal(name, &started.pid().to_string());
        let finished = started.finish().failed();
        await_ends(name, &processes);
        assert_eq!(left_behind(&folder.0), BTreeSet::new(), "{name}:\n{}", finished.output);
    }
}

/// `timeout` returns 124, as without mobula.
#[test]
fn launcher_that_timeout_ends_leaves_nothing() {
    if let Some(reason) = no_ranks() {
        return println!("left out: {reason}");
    }
    let folder = TestFolder::new("timeout");
    let launch = Launch::on_ranks(2, &example("ends")).env("TMPDIR", folder.0.display().to_string());
    let started = sleeping(launch.inside(&["timeout", "8"]));
    let processes = descendants(started.pid());
    let finished = started.finish();
    assert_eq!(finished.status.code(), Some(124), "{}", finished.output);
    await_ends("timeout", &processes);
    assert_eq!(left_behind(&folder.0), BTreeSet::new(), "{}", finished.output);
}

/// The program's terminal closes, as when a connection breaks: alone, and with ranks of a launcher.
#[test]
fn lost_terminal_ends_all_ranks() {
    let Some(script) = find_program("script") else { return println!("left out: no script, of util-linux") };
    let program = format!("'{}' driver sleep", example("ends").display());
    let launcher = if no_ranks().is_none() { mpirun() } else { None };
    let launched = launcher.map(|mpirun| format!("'{}' -n 2 {program}", mpirun.display()));
    for command in [Some(program), launched].into_iter().flatten() {
        let folder = TestFolder::new("terminal");
        let launch = Launch::alone(&script).arg("-qec").arg(&command).arg("/dev/null");
        let mut started = launch.env("TMPDIR", folder.0.display().to_string()).start();
        started.wait_for("the driver ends by sleep");
        let processes = descendants(started.pid());
        signal("KILL", &started.pid().to_string());
        await_ends(&command, &processes);
        started.finish().failed();
        assert_eq!(left_behind(&folder.0), BTreeSet::new(), "{command}");
    }
}

#[test]
fn call_that_the_driver_runs_can_be_cancelled() {
    let launch = Launch::alone(&example("ends")).arg("cancelled-call").env("MOBULA_WORKERS", "1");
    let finished = launch.env("MOBULA_NUM_CPUS", "2").run().succeeded();
    let finished = finished.printed(&["the call: task Slow.until_cancelled was cancelled"]);
    // After the only worker, 0.
    finished.printed(&["the call runs on worker 1"]);
}
