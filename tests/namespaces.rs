//! Ranks that differ in their folders and namespaces, and programs that ranks start: real launchers, real `unshare`.
//! `docs/where-it-runs.md` has the table of what each row finds and says.

mod launcher;

use launcher::processes::{descendants, signal};
use launcher::rendezvous::{TestFolder, all_ranks, launch_ranks};
use launcher::{Finished, Launch, Started, example, find_program, no_ranks, uses_mpich};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(120);

fn program() -> PathBuf {
    example("namespaces")
}

/// Two ranks of mpirun, each started by this script, which `exec "$@"`.
fn wrapped(script: &str) -> Launch {
    let shell = find_program("sh").expect("every system has one");
    let launch = Launch::on_ranks(2, &shell).arg("-c").arg(script).arg("sh").arg(program());
    launch.env("MOBULA_LOG", "info").limit(LIMIT)
}

/// True, after a line that tells why, if ranks of mpirun cannot be started here.
fn no_mpirun() -> bool {
    no_ranks().inspect(|reason| println!("left out: {reason}")).is_some()
}

/// True if these namespaces can be created here; a line tells if not.
fn can_unshare(options: &str) -> bool {
    let tried = Command::new("sh").args(["-c", &format!("unshare {options} true 2>/dev/null")]).status();
    let works = tried.is_ok_and(|tried| tried.success());
    if !works {
        println!("left out: the kernel does not let this user run unshare {options}");
    }
    works
}

/// The CPUs in the line that the program printed.
fn cpus(finished: &Finished) -> f64 {
    let line = finished.output.lines().find(|line| line.contains("found: ")).expect("a line of the program");
    let words: Vec<&str> = line.split(' ').collect();
    words[words.len() - 2].parse().expect("a number")
}

#[test]
fn folders_of_ranks_may_differ() {
    if no_mpirun() {
        return;
    }
    let long = "x".repeat(3000);
    for variables in [
        "TMPDIR=$(mktemp -d); export TMPDIR; trap 'rmdir $TMPDIR' EXIT; \"$@\"; exit $?",
        "unset TMPDIR; [ \"$OMPI_COMM_WORLD_RANK\" = 1 ] && export TMPDIR=/does/not/exist",
        "[ \"$OMPI_COMM_WORLD_RANK\" = 1 ] && unset TMPDIR || export TMPDIR=/proc",
        "export TMPDIR=$(printf '/tmp/\\377')",
        &format!("export TMPDIR=/tmp/{long}"),
        "unset HOME XDG_RUNTIME_DIR",
        "export HOME=/does/not/exist XDG_RUNTIME_DIR=/run/user/$OMPI_COMM_WORLD_RANK",
    ] {
        println!("{:.100}", variables);
        wrapped(&format!("{variables}; exec \"$@\"")).run().succeeded().printed(&["found: 2 ranks, 1 hosts"]);
    }
}

#[test]
fn program_behind_wrappers_is_a_rank() {
    if no_mpirun() {
        return;
    }
    for wrapper in ["exec \"$@\"", "\"$@\"; exit $?", "exec env A=b nice timeout 100 \"$@\"", "exec setsid -w \"$@\""] {
        println!("{wrapper}");
        wrapped(wrapper).run().succeeded().printed(&["found: 2 ranks"]);
    }
}

#[test]
fn namespaces_that_leave_memory_shared_make_no_host() {
    if no_mpirun() {
        return;
    }
    for options in ["--ipc", "--mount", "--cgroup"] {
        if can_unshare(options) {
            println!("{options}");
            wrapped(&format!("exec unshare {options} \"$@\"")).run().succeeded().printed(&["found: 2 ranks, 1 hosts"]);
        }
    }
    // A folder for temporary files that is each rank's own, under one name.
    let folder = TestFolder::new("own-tmp");
    if can_unshare("--mount") {
        let script = format!("mount -t tmpfs tmpfs '{0}' && export TMPDIR='{0}' && exec \"$@\"", folder.0.display());
        let own = wrapped("exec unshare --mount sh -c \"$SCRIPT\" sh \"$@\"").env("SCRIPT", script);
        own.run().succeeded().printed(&["found: 2 ranks, 1 hosts"]);
    }
}

#[test]
fn namespaces_around_all_ranks_change_nothing() {
    if no_mpirun() {
        return;
    }
    let usual = Launch::on_ranks(2, &program()).limit(LIMIT).run().succeeded().printed(&["found: 2 ranks, 1 hosts"]);
    for options in ["--pid --fork --mount-proc", "--uts", "--user --map-root-user", "--ipc", "--mount"] {
        if !can_unshare(options) {
            continue;
        }
        println!("{options}");
        let words: Vec<&str> = ["unshare"].into_iter().chain(options.split(' ')).collect();
        let all = Launch::on_ranks(2, &program()).inside(&words).limit(LIMIT).run().succeeded();
        assert_eq!(cpus(&all.printed(&["found: 2 ranks, 1 hosts"])), cpus(&usual), "{options}");
    }
}

#[test]
fn ranks_that_cannot_share_memory_divide_their_machine() {
    if no_mpirun() {
        return;
    }
    let usual = Launch::on_ranks(2, &program()).limit(LIMIT).run().succeeded();
    for options in [
        "--user --map-root-user",
        "--uts",
        "--pid --fork",
        "--pid --fork --mount-proc",
        "--user --map-root-user --pid --fork --uts --ipc --mount",
    ] {
        if !can_unshare(options) {
            continue;
        }
        println!("{options}");
        let own = wrapped(&format!("exec unshare {options} \"$@\"")).run().succeeded();
        let own =
            own.printed(&["found: 2 ranks, 2 hosts"]).printed(&["2 of them on a machine whose ranks cannot share"]);
        assert_eq!(cpus(&own), cpus(&usual).max(2.0), "{options}: counted once");
    }
}

#[test]
fn program_that_its_user_may_not_read_runs_on_ranks() {
    use std::os::unix::fs::PermissionsExt;
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    let tried = Command::new(nobody[0]).args(&nobody[1..]).arg("true").stderr(std::process::Stdio::null()).status();
    if !tried.is_ok_and(|tried| tried.success()) {
        println!("left out: only root can run a program as another user");
        return;
    }
    let folder = TestFolder::new("unreadable");
    let set_mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("our own");
    };
    set_mode(&folder.0, 0o777);
    let copy = folder.0.join("program");
    std::fs::copy(program(), &copy).expect("space");
    set_mode(&copy, 0o711);
    let launch = launch_ranks(&copy, &all_ranks(2), 2, &folder.meeting_file().display().to_string());
    let finished = launch.inside(&nobody).env("MOBULA_LOG", "info").limit(LIMIT).run().succeeded();
    finished.printed(&["found: 2 ranks, 2 hosts"]).printed(&["cannot share memory"]);
}

#[test]
fn rank_with_a_network_of_its_own_fails_at_once() {
    if no_mpirun() || uses_mpich() {
        return;
    }
    for options in ["--net", "--net --pid --fork --mount-proc", "--user --map-root-user --net"] {
        if can_unshare(options) {
            println!("{options}");
            let finished = wrapped(&format!("exec unshare {options} \"$@\"")).run().failed();
            finished.printed(&["rank", "network namespace", "MOBULA_RENDEZVOUS"]);
        }
    }
}

/// Commands that a task runs: each starts the program in another way.
const STARTS: &[&str] = &[
    "exec \"$@\"",
    "\"$@\"; exit $?",
    "sh -c 'sh -c \"\\\"\\$@\\\" | cat\" sh \"$@\"' sh \"$@\"",
    "exec env -u OMPI_COMM_WORLD_RANK -u PMIX_NAMESPACE -u MOBULA_SIZE \"$@\"",
    "exec env -i \"PATH=$PATH\" \"$@\"",
    "exec setsid -w \"$@\"",
];

/// Runs the program on two ranks, by mpirun and at a meeting point; it starts a shell with this script.
fn each_outer(test: &str, mode: &str, script: &str, check: impl Fn(Finished)) {
    let folder = TestFolder::new(&format!("outer-{test}"));
    let meet = folder.meeting_file().display().to_string();
    let mut launches = vec![launch_ranks(&program(), &all_ranks(2), 2, &meet)];
    if !no_mpirun() {
        launches.push(Launch::on_ranks(2, &program()));
    }
    for launch in launches {
        let launch = launch.arg(mode).arg("sh").arg("-c").arg(script).arg("sh").arg(program());
        check(launch.env("MOBULA_LOG", "info").limit(LIMIT).run());
    }
}

#[test]
fn program_that_a_task_starts_runs_alone() {
    for script in STARTS {
        println!("{script}");
        each_outer("alone", "starts", script, |finished| {
            drop(finished.succeeded().printed(&["inner:", "found: 1 ranks, 1 hosts"]));
        });
    }
    each_outer("alone", "starts", STARTS[0], |finished| {
        finished.succeeded().printed(&["inner:", "started by process", "a rank of another cluster"]);
    });
    each_outer("alone", "starts-after-shutdown", STARTS[0], |finished| {
        finished.succeeded().printed(&["inner:", "found: 1 ranks"]);
    });
}

#[test]
fn ranks_that_a_task_launches_are_a_cluster() {
    let folder = TestFolder::new("inner");
    let inner = folder.0.join("inner");
    let script = format!(
        "export MOBULA_RENDEZVOUS='{}' MOBULA_SIZE=2; MOBULA_RANK=1 \"$@\" & MOBULA_RANK=0 \"$@\"; wait",
        inner.display()
    );
    each_outer("cluster", "starts", &script, |finished| {
        finished.succeeded().printed(&["inner:", "found: 2 ranks"]);
    });
    if no_mpirun() || uses_mpich() {
        return;
    }
    // Open MPI refuses to start mpirun with the variables of a rank.
    let script = format!(
        "unset MOBULA_RENDEZVOUS MOBULA_RANK MOBULA_SIZE \\
             $(env | sed -n 's/^\\(OMPI_[^=]*\\|PMIX_[^=]*\\|PMI_[^=]*\\)=.*/\\1/p' | grep -v -e ROOT -e rmaps)
         exec {} -n 2 \"$@\"",
        mpirun_name()
    );
    each_outer("cluster", "starts", &script, |finished| {
        finished.succeeded().printed(&["inner:", "found: 2 ranks"]);
    });
}

fn mpirun_name() -> String {
    let name = std::env::var("MPIRUN").unwrap_or_default();
    if name.is_empty() { "mpirun.openmpi".to_string() } else { name }
}

/// The program with the variables of a task of a Slurm step of two.
fn as_slurm_task() -> Launch {
    let variables = [
        ("SLURM_JOB_ID", "7"),
        ("SLURM_STEP_ID", "0"),
        ("SLURM_PROCID", "0"),
        ("SLURM_STEP_NUM_TASKS", "2"),
        ("SLURM_STEP_NODELIST", "localhost"),
        ("SLURM_NODEID", "0"),
        ("MOBULA_PEER_TIMEOUT_S", "2"),
        ("MOBULA_SECRET", "of these tests"),
    ];
    variables.iter().fold(Launch::alone(&program()), |launch, (name, value)| launch.env(name, *value)).limit(LIMIT)
}

#[test]
fn left_over_variables_of_a_slurm_step_are_noticed() {
    let first = std::fs::read_link("/proc/self/ns/pid").is_ok_and(|link| link.as_os_str() == "pid:[4026531836]");
    if first {
        as_slurm_task().run().succeeded().printed(&["runs alone", "slurmstepd"]).printed(&["found: 1 ranks"]);
    } else {
        println!("left out: only in the first PID namespace all processes are seen");
    }
    if can_unshare("--pid --fork --mount-proc") {
        let unsure = as_slurm_task().inside(&["unshare", "--pid", "--fork", "--mount-proc"]);
        unsure.run().failed().printed(&["waits for the 2 tasks", "env -u SLURM_PROCID"]);
    }
    // The job's variables alone, as in a shell of salloc and in a batch script.
    let job = Launch::alone(&program()).env("SLURM_JOB_ID", "7").env("SLURM_NTASKS", "8").env("SLURM_PROCID", "0");
    job.limit(LIMIT).run().succeeded().printed(&["found: 1 ranks"]);
}

/// The process of this rank, once it runs the program.
fn process_of_rank(started: &Started, variable: &str) -> u32 {
    let deadline = Instant::now() + LIMIT;
    loop {
        let found = descendants(started.pid()).into_iter().find(|pid| {
            let variables = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let name = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
            name == program() && variables.split(|byte| *byte == 0).any(|text| text == variable.as_bytes())
        });
        if let Some(pid) = found {
            return pid;
        }
        assert!(Instant::now() < deadline, "no process has {variable}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The rank that is killed, and what the other one says.
#[test]
fn rank_killed_while_ranks_meet_is_named_and_leaves_no_file() {
    for killed in [0, 1] {
        let folder = TestFolder::new(&format!("killed-{killed}"));
        // The third rank never comes.
        let ranks = launch_ranks(&program(), &all_ranks(2), 3, &folder.meeting_file().display().to_string());
        let started = ranks.env("MOBULA_PEER_TIMEOUT_S", "5").limit(LIMIT).start();
        let pid = process_of_rank(&started, &format!("MOBULA_RANK={killed}"));
        let deadline = Instant::now() + LIMIT;
        while !folder.meeting_file().exists() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(2));
        }
        signal("KILL", &pid.to_string());
        started.finish().failed().printed(&[&format!("rank {killed}")]);
        let left: Vec<_> =
            std::fs::read_dir(&folder.0).expect("ours").flatten().map(|entry| entry.file_name()).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn rank_killed_while_ranks_of_mpirun_meet_leaves_no_file() {
    if no_mpirun() || uses_mpich() {
        return;
    }
    let folder = TestFolder::new("killed-mpirun");
    let script = "[ \"$OMPI_COMM_WORLD_RANK\" = 1 ] && exec sleep 600; exec \"$@\"";
    let started = wrapped(script).env("TMPDIR", &folder.0).start();
    let pid = process_of_rank(&started, "OMPI_COMM_WORLD_RANK=0");
    signal("KILL", &pid.to_string());
    // What mpirun says of it depends on how far the rank had come.
    drop(started.finish().failed());
    let names = std::fs::read_dir(&folder.0).expect("ours").flatten().map(|entry| entry.file_name());
    let left: Vec<_> = names.filter(|name| name.to_string_lossy().contains("mobula")).collect();
    assert!(left.is_empty(), "{left:?}");
}
