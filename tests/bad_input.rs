//! Mistakes of users and systems: each ends with one clear error and leaves nothing behind.

mod launcher;

use launcher::processes::{descendants, is_alive, signal};
use launcher::{Finished, Launch, example, mpirun, no_ranks, uses_mpich};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// A launch of the program `mistakes`, alone or on several ranks if there is a launcher.
fn mistakes(ranks: u32, what: &str) -> Option<Launch> {
    let launch = match (ranks, no_ranks()) {
        (1, _) => Launch::alone(&example("mistakes")),
        (_, None) => Launch::on_ranks(ranks, &example("mistakes")),
        (_, Some(reason)) => {
            println!("left out: {reason}");
            return None;
        }
    };
    Some(launch.arg(what).env("MOBULA_STORE_BYTES", "64M").limit(Duration::from_secs(60)))
}

/// Starts and stops a cluster with a variable set.
fn started_with(ranks: u32, name: &str, value: &str) -> Option<Finished> {
    mistakes(ranks, "start").map(|launch| launch.env(name, value).run())
}

#[test]
fn unknown_setting_fails_and_lists_the_known_ones() {
    for ranks in [1, 2] {
        let Some(finished) = started_with(ranks, "MOBULA_WORKER", "2") else { continue };
        finished.failed().printed(&["MOBULA_WORKER is not", "MOBULA_WORKERS"]).did_not_print("panicked");
    }
}

#[test]
fn invalid_value_fails_and_names_valid_ones() {
    for (name, value, right) in [
        ("MOBULA_WORKERS", "many", "worker threads per rank"),
        ("MOBULA_WORKERS", "1000000", "1 to 1024"),
        ("MOBULA_PAGES", "giant", "hugetlb"),
        ("MOBULA_FABRIC", "pigeon", "shm"),
        ("MOBULA_STORE_BYTES", "much", "512M"),
        ("MOBULA_STACK_BYTES", "1K", "64K"),
        ("MOBULA_LOG", "loud", "debug"),
        ("MOBULA_NUM_CPUS", "-3", "CPUs per host"),
        ("MOBULA_NUM_CPUS", "NaN", "CPUs per host"),
        ("MOBULA_RESOURCES", "Custom:1", "Custom=2"),
    ] {
        let finished = started_with(1, name, value).expect("it needs no launcher");
        finished.failed().printed(&[name, value, right]).did_not_print("panicked");
    }
    let Some(finished) = started_with(2, "MOBULA_PAGES", "giant") else { return };
    finished.failed().printed(&["MOBULA_PAGES", "giant"]);
}

#[test]
fn valid_values_are_accepted() {
    for (name, value) in [
        ("MOBULA_WORKERS", "1"),
        ("MOBULA_PIN", "0"),
        ("MOBULA_PAGES", "plain"),
        ("MOBULA_PAGES", "thp"),
        ("MOBULA_STORE_BYTES", "8M"),
        ("MOBULA_STACK_BYTES", "128K"),
        ("MOBULA_NUM_CPUS", "0.5"),
        ("MOBULA_TRACE_TASKS", "0"),
        ("MOBULA_SPIN_US", "0"),
        ("MOBULA_FABRIC", "shm"),
        ("MOBULA_LOG", "debug"),
    ] {
        let check = |finished: Finished| {
            // A task requests one CPU; half a CPU makes it unschedulable.
            if name == "MOBULA_NUM_CPUS" {
                finished.failed().printed(&["CPU"])
            } else {
                finished.succeeded().printed(&["ok: start"])
            }
        };
        check(started_with(1, name, value).expect("it needs no launcher"));
        if let Some(finished) = started_with(2, name, value) {
            check(finished);
        }
    }
}

#[test]
fn store_larger_than_memory_is_refused() {
    for ranks in [1, 2] {
        let Some(finished) = started_with(ranks, "MOBULA_STORE_BYTES", "64T") else { continue };
        finished.failed().printed(&["MOBULA_STORE_BYTES", "memory"]).did_not_print("panicked");
    }
}

/// More bytes than there are free huge pages; `None` if the kernel allocates huge pages on demand.
fn more_than_huge_pages() -> Option<String> {
    let number = |name: &str| -> u64 {
        let line = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let value = line.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("0").trim_start_matches(':').trim();
        value.split_whitespace().next().unwrap_or("0").parse().unwrap_or(0)
    };
    let overcommit = fs::read_to_string("/proc/sys/vm/nr_overcommit_hugepages").unwrap_or_default();
    let free = number("HugePages_Free") * (number("Hugepagesize") << 10);
    let enough = number("MemAvailable") << 10 > free + (512 << 20);
    (matches!(overcommit.trim(), "" | "0") && enough).then(|| (free + (64 << 20)).to_string())
}

#[test]
fn missing_huge_pages_fall_back_and_are_reported() {
    let Some(bytes) = more_than_huge_pages() else {
        return println!("left out: this kernel allocates huge pages on demand");
    };
    let launch = mistakes(1, "start").expect("it needs no launcher");
    let finished = launch.env("MOBULA_LOG", "info").env("MOBULA_STORE_BYTES", &bytes).run().succeeded();
    let reported = finished.output.lines().filter(|line| !line.contains("MOBULA_PAGES=")).any(|line| {
        let line = line.to_lowercase();
        line.contains("pages") && ["transparent", "plain", "4 kib"].iter().any(|kind| line.contains(kind))
    });
    assert!(reported, "the banner does not name the pages that are used instead:\n{}", finished.output);
}

#[test]
fn missing_huge_pages_that_are_required_are_an_error() {
    let Some(bytes) = more_than_huge_pages() else {
        return println!("left out: this kernel allocates huge pages on demand");
    };
    for ranks in [1, 2] {
        let Some(launch) = mistakes(ranks, "start") else { continue };
        let finished = launch.env("MOBULA_PAGES", "hugetlb").env("MOBULA_STORE_BYTES", &bytes).run();
        finished.failed().printed(&["huge"]).printed(&["MOBULA_PAGES"]).did_not_print("panicked");
    }
}

#[test]
fn banner_shows_the_source_of_each_setting() {
    let launch = mistakes(1, "start").expect("it needs no launcher");
    launch
        .env("MOBULA_LOG", "info")
        .env("MOBULA_WORKERS", "2")
        .run()
        .succeeded()
        .printed(&["MOBULA_WORKERS=2 (environment)"])
        .printed(&["MOBULA_PIN=1 (default)"]);
}

/// A command that runs another in its own mount namespace, after `prepare`; `None` if that is not permitted.
fn in_own_mounts(prepare: &str) -> Option<Vec<String>> {
    let script = format!("{prepare} && exec \"$@\"");
    let wrapper: Vec<String> =
        ["unshare", "-m", "sh", "-c", &script, "sh"].iter().map(|word| word.to_string()).collect();
    let works = Command::new(&wrapper[0]).args(&wrapper[1..]).arg("true").status().is_ok_and(|status| status.success());
    if !works {
        println!("left out: mounts need root and unshare");
    }
    works.then_some(wrapper)
}

fn inside(launch: Launch, wrapper: &[String]) -> Launch {
    launch.inside(&wrapper.iter().map(String::as_str).collect::<Vec<&str>>())
}

#[test]
fn tiny_dev_shm_is_enough_for_one_rank() {
    let Some(wrapper) = in_own_mounts("mount -t tmpfs -o size=64k none /dev/shm") else { return };
    let launch = mistakes(1, "start").expect("it needs no launcher");
    inside(launch, &wrapper).run().succeeded().printed(&["ok: start with 1 ranks"]);
}

#[test]
fn tiny_dev_shm_with_2_ranks_works_or_is_named() {
    let Some(wrapper) = in_own_mounts("mount -t tmpfs -o size=64k none /dev/shm") else { return };
    let Some(launch) = mistakes(2, "start") else { return };
    // The MPI library may need the folder itself; its error then names it.
    let finished = inside(launch, &wrapper).run();
    if finished.status.success() {
        finished.printed(&["ok: start with 2 ranks"]);
    } else if uses_mpich() {
        // Its launcher loses at times what ranks print before they abort, one run in forty here.
        finished.did_not_print("panicked");
    } else {
        finished.printed(&["shm"]).did_not_print("panicked");
    }
}

/// The files of MPI libraries: those that the system's loader knows, and those beside the launcher.
fn mpi_libraries() -> Vec<PathBuf> {
    let known = Command::new("ldconfig").arg("-p").output().map(|output| output.stdout).unwrap_or_default();
    let known = String::from_utf8_lossy(&known).into_owned();
    let known = known.lines().filter_map(|line| line.split(" => ").nth(1)).map(PathBuf::from);
    let launcher = mpirun().and_then(|launcher| fs::canonicalize(launcher).ok());
    let folder = launcher.and_then(|launcher| Some(launcher.parent()?.parent()?.join("lib")));
    let beside = folder.and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten();
    let all = known.chain(beside.filter_map(|entry| Some(entry.ok()?.path())));
    let mut files: Vec<PathBuf> = all
        .filter(|path| path.to_string_lossy().contains("/libmpi"))
        .filter_map(|path| fs::canonicalize(path).ok())
        .collect();
    files.sort();
    files.dedup();
    files
}

/// Starts two ranks that meet through MPI: those of Open MPI on one host would meet without it.
fn ranks_of_mpi() -> Option<Launch> {
    mistakes(2, "start").map(|launch| launch.env("MOBULA_FABRIC", "mpi").limit(Duration::from_secs(60)))
}

#[test]
fn missing_mpi_library_is_named_with_what_was_looked_for() {
    let Some(launch) = ranks_of_mpi() else { return };
    let hidden: Vec<String> =
        mpi_libraries().iter().map(|file| format!("mount --bind /dev/null '{}'", file.display())).collect();
    let Some(wrapper) = in_own_mounts(&hidden.join(" && ")) else { return };
    let finished = inside(launch, &wrapper).run().failed().did_not_print("panicked");
    finished.printed(&["started 2 ranks for MPI to join", "looked for libmpi", "set MOBULA_MPI_LIBRARY"]);
}

#[test]
fn named_mpi_library_that_cannot_be_used_is_reported() {
    for library in ["/no/such/libmpi.so", "libc.so.6"] {
        let Some(launch) = ranks_of_mpi() else { return };
        let finished = launch.env("MOBULA_MPI_LIBRARY", library).run().failed().did_not_print("panicked");
        finished.printed(&[&format!("MOBULA_MPI_LIBRARY={library}: "), "name the libmpi.so of the MPI that"]);
    }
}

#[test]
fn library_of_another_mpi_than_the_launcher_s_is_reported() {
    let other = if uses_mpich() { "libmpi.so.40" } else { "libmpich.so.12" };
    if !mpi_libraries().iter().any(|file| file.to_string_lossy().contains(other)) {
        return println!("left out: there is no {other}");
    }
    let Some(launch) = ranks_of_mpi() else { return };
    let finished = launch.env("MOBULA_MPI_LIBRARY", other).run();
    let finished = finished.failed().printed(&["of the 2 ranks", "same MPI library", " on host "]);
    finished.printed(&["rank 0 on host"]).did_not_print("panicked");
}

/// Beside the program's own library, which mobula cannot call, it opened the launcher's as a second one.
#[test]
fn program_whose_own_mpi_is_unknown_can_only_meet_without_mpi() {
    let library = std::env::temp_dir().join(format!("mobula-libmpi-{}.so", std::process::id()));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/other_mpi.c");
    let mut compile = Command::new("cc");
    compile.args(["-shared", "-fPIC", "-DVERSION=\"HPE MPT 2.30\"", "-o"]).arg(&library).arg(source);
    let Some(launch) = ranks_of_mpi() else { return };
    assert!(compile.status().expect("there is a C compiler").success());
    let finished = launch.env("LD_PRELOAD", &library).run().failed().did_not_print("panicked");
    finished.printed(&[
        " on host ",
        "cannot be used: its ABI is not known",
        "HPE MPT 2.30",
        "MOBULA_RENDEZVOUS set to",
    ]);
    let meeting_point = library.with_extension("meet");
    let launch = mistakes(2, "start").expect("it did above").env("LD_PRELOAD", &library);
    launch.env("MOBULA_RENDEZVOUS", &meeting_point).run().succeeded().printed(&["ok: start with 2 ranks"]);
    let _ = (fs::remove_file(library), fs::remove_file(meeting_point));
}

#[test]
fn two_different_binaries_are_refused() {
    if let Some(reason) = no_ranks() {
        return println!("left out: {reason}");
    }
    let (a, b) = (example("binary_a"), example("binary_b"));
    let finished = Launch::several(&[(1, &a), (1, &b)]).run();
    let finished = finished.failed().did_not_print("started").did_not_print("panicked");
    let functions = ["only_in_a", "only_in_b"];
    let named = finished.output.lines().any(|line| {
        line.contains("rank") && line.contains('0') && line.contains('1') && functions.iter().any(|f| line.contains(f))
    });
    assert!(named, "no line names both ranks and the first function that differs:\n{}", finished.output);
    // A job of one of them works.
    for program in [&a, &b] {
        Launch::on_ranks(2, program).run().succeeded().printed(&["started"]);
    }
}

#[test]
fn codecs_that_fail_or_panic_are_an_error_at_get() {
    for ranks in [1, 2] {
        let Some(launch) = mistakes(ranks, "codecs") else { continue };
        launch.run().succeeded().printed(&["ok: codecs"]);
    }
}

#[test]
fn panic_in_drop_ends_no_process() {
    for ranks in [1, 2] {
        let Some(launch) = mistakes(ranks, "drops") else { continue };
        launch.run().succeeded().printed(&["the bomb went off"]).printed(&["ok: drops"]);
    }
}

#[test]
fn stack_overflow_names_the_task_and_the_setting() {
    for ranks in [1, 2] {
        let Some(launch) = mistakes(ranks, "overflow") else { continue };
        let finished = launch.run().failed().did_not_print("no overflow");
        finished.printed(&["descend", "MOBULA_STACK_BYTES"]);
    }
}

#[test]
fn larger_stack_setting_prevents_the_overflow() {
    for ranks in [1, 2] {
        let Some(launch) = mistakes(ranks, "descend") else { continue };
        launch.env("MOBULA_STACK_BYTES", "64M").run().succeeded().printed(&["ok: descend"]);
    }
}

#[test]
fn too_many_blocked_tasks_fail_and_name_the_setting() {
    for ranks in [1, 2] {
        let Some(launch) = mistakes(ranks, "blocked") else { continue };
        launch.env("MOBULA_FIBERS", "16").run().succeeded().printed(&["ok: blocked"]);
    }
}

/// The entries of these folders, through which programs share memory and files.
fn left_in(folders: &[&Path]) -> BTreeSet<PathBuf> {
    folders
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect()
}

/// Returns true if a living process maps the file, or if the file no longer exists.
fn is_mapped(path: &Path) -> bool {
    let name = path.display().to_string();
    let maps = fs::read_dir("/proc").expect("Linux").flatten().map(|entry| entry.path().join("maps"));
    let mapped = maps.filter_map(|maps| fs::read_to_string(maps).ok()).any(|maps| maps.contains(&name));
    mapped || !path.exists()
}

/// Interrupts a program at work: all its processes must end, and none of its files may remain. Its time-outs are set so
/// long that none of them can be what ends a process.
fn check_interrupt(launch: Launch) {
    let own = std::env::temp_dir().join(format!("mobula-interrupted-{}", std::process::id()));
    fs::create_dir_all(&own).expect("a folder of this test");
    let shared = Path::new("/dev/shm");
    let before = left_in(&[shared]);
    let launch = launch.env("TMPDIR", own.as_os_str()).env("MOBULA_PEER_TIMEOUT_S", "3600");
    let mut started = launch.limit(Duration::from_secs(60)).start();
    started.wait_for("at work");
    let mut processes = descendants(started.pid());
    processes.push(started.pid());

    signal("INT", &started.pid().to_string());
    // The exit code depends on the launcher.
    let finished = started.finish();
    let deadline = Instant::now() + Duration::from_secs(30);
    while processes.iter().any(|pid| is_alive(*pid)) {
        assert!(Instant::now() < deadline, "some of {processes:?} still run:\n{}", finished.output);
        std::thread::sleep(Duration::from_millis(5));
    }

    // Other programs use the folder as well: only names of mobula or MPI count.
    let ours = |path: &&PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        ["mobula", "vader", "ompi", "mpi", "pmix", "shm_"].iter().any(|part| name.contains(part))
    };
    let after = left_in(&[shared]);
    // Other tests start ranks at the same time: a file that a living process maps is not left behind.
    let left: Vec<&PathBuf> = after.difference(&before).filter(ours).filter(|path| !is_mapped(path)).collect();
    assert!(left.is_empty(), "left behind: {left:?}");
    let files = left_in(&[&own]);
    let left: Vec<&PathBuf> = files.iter().filter(ours).collect();
    assert!(left.is_empty(), "left behind: {left:?}");
    let _ = fs::remove_dir_all(&own);
}

#[test]
fn interrupt_ends_a_single_rank() {
    check_interrupt(Launch::alone(&example("forever")));
}

#[test]
fn interrupt_ends_every_rank() {
    match no_ranks() {
        None => check_interrupt(Launch::on_ranks(2, &example("forever"))),
        Some(reason) => println!("left out: {reason}"),
    }
}

#[test]
fn interrupt_ends_every_rank_over_mpi() {
    match no_ranks() {
        None => check_interrupt(Launch::on_ranks(2, &example("forever")).env("MOBULA_FABRIC", "mpi")),
        Some(reason) => println!("left out: {reason}"),
    }
}
