//! What a rank finds and says where CPUs, memory, files or descriptors are limited: `docs/where-it-runs.md` has the
//! table. Limits are real ones, set by `prlimit`; control groups and file systems are those of a mount namespace, which
//! needs root.

mod launcher;

use launcher::rendezvous::{TestFolder, all_ranks, launch_ranks};
use launcher::{Finished, Launch, example};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// Runs the program after shell lines.
fn found_after(prepare: &str) -> Launch {
    Launch::alone(&example("field")).arg("found").inside(&["sh", "-c", &format!("{prepare}\nexec \"$@\""), "sh"])
}

/// Runs it after shell lines in a mount namespace of its own; `None` if this user may not make one.
fn in_mounts(program: Launch, prepare: &str) -> Option<Launch> {
    if !Command::new("unshare").args(["-m", "true"]).status().is_ok_and(|status| status.success()) {
        println!("left out: a mount namespace needs root");
        return None;
    }
    let script = format!("set -e\n{prepare}\nexec \"$@\"");
    Some(program.inside(&["unshare", "-m", "sh", "-c", &script, "sh"]))
}

fn found() -> Launch {
    Launch::alone(&example("field")).arg("found")
}

fn two_ranks(folder: &TestFolder) -> Launch {
    launch_ranks(&example("field"), &all_ranks(2), 2, &folder.meeting_file().display().to_string()).arg("found")
}

/// A tree of control groups, bound over this process's own.
fn in_groups(name: &str, membership: &str, files: &[(&str, &str)]) -> Option<Finished> {
    let folder = TestFolder::new(&format!("groups-{name}"));
    fs::write(folder.0.join("membership"), membership).expect("written");
    for (path, text) in files {
        let path = folder.0.join("tree").join(path);
        fs::create_dir_all(path.parent().expect("in the tree")).expect("a folder");
        fs::write(path, text).expect("written");
    }
    let at = folder.0.display();
    let bind = format!("mount --rbind {at}/tree /sys/fs/cgroup\nmount --bind {at}/membership /proc/$$/cgroup");
    Some(in_mounts(found(), &bind)?.run().succeeded())
}

#[test]
fn quota_and_memory_of_control_groups_count_in_both_versions() {
    let groups = [("job/cpu.max", "50000 100000\n"), ("job/memory.max", "1073741824\n"), ("job/memory.current", "0\n")];
    if let Some(finished) = in_groups("v2", "0::/job/step\n", &groups) {
        finished.printed(&["cpus=1 memory=1024"]);
    }
    let groups = [("job/memory.high", "805306368\n"), ("job/memory.max", "max\n"), ("job/memory.current", "0\n")];
    if let Some(finished) = in_groups("high", "0::/job\n", &groups) {
        finished.printed(&["memory=768"]);
    }
    let groups = [
        ("cpu/job/cpu.cfs_quota_us", "100000\n"),
        ("cpu/job/cpu.cfs_period_us", "100000\n"),
        ("memory/job/memory.limit_in_bytes", "2147483648\n"),
        ("memory/job/memory.usage_in_bytes", "0\n"),
    ];
    if let Some(finished) = in_groups("v1", "4:memory:/job\n3:cpu,cpuacct:/job\n", &groups) {
        finished.printed(&["cpus=1 memory=2048"]);
    }
}

/// Which of its CPUs a job with a quota may use nobody says: it does not choose the first.
#[test]
fn rank_under_a_quota_is_not_pinned() {
    let before = found_after("").env("MOBULA_PIN", "0").run().succeeded();
    let all = before.output.lines().find(|line| line.starts_with("Cpus_allowed_list")).expect("printed").to_string();
    if let Some(finished) = in_groups("pin", "0::/job\n", &[("job/cpu.max", "100000 100000\n")]) {
        finished.printed(&[&all]);
    }
}

#[test]
fn cpus_of_the_affinity_mask_count() {
    found().inside(&["taskset", "-c", "0"]).run().succeeded().printed(&["cpus=1"]);
}

#[test]
fn store_fits_the_limits_of_memory() {
    found_after("ulimit -v 4000000").run().succeeded().printed(&["found: hosts=1"]);
    found_after("ulimit -v 1500000").run().succeeded().printed(&["found: hosts=1"]);
    found_after("ulimit -f 100000").run().succeeded().printed(&["found: hosts=1"]);
    let folder = TestFolder::new("address-space");
    let wrapped = two_ranks(&folder).inside(&["prlimit", "--as=4096000000"]);
    wrapped.run().succeeded().printed(&["found: hosts=1 ranks=2"]);
}

#[test]
fn store_that_does_not_fit_is_refused_by_limit_and_setting() {
    let large = || found_after("ulimit -v 4000000").env("MOBULA_STORE_BYTES", "6G");
    large().run().failed().printed(&["MOBULA_STORE_BYTES", "ulimit -v"]);
    let file = || found_after("ulimit -f 10000").env("MOBULA_STORE_BYTES", "1G");
    file().run().failed().printed(&["MOBULA_STORE_BYTES", "ulimit -f"]);
}

#[test]
fn two_ranks_need_few_descriptors() {
    for (descriptors, transport) in [(512, "auto"), (128, "auto"), (128, "tcp"), (64, "auto")] {
        let folder = TestFolder::new(&format!("descriptors-{descriptors}-{transport}"));
        let limited = two_ranks(&folder).inside(&["prlimit", &format!("--nofile={descriptors}")]);
        limited.env("MOBULA_FABRIC", transport).run().succeeded().printed(&["ranks=2"]);
    }
    let folder = TestFolder::new("descriptors-few");
    let limited = two_ranks(&folder).inside(&["prlimit", "--nofile=30"]).env("MOBULA_PEER_TIMEOUT_S", "3");
    limited.run().failed().printed(&["ulimit -n"]);
}

#[test]
fn rank_runs_without_shared_memory_folder_and_with_spoilt_tmp() {
    for prepare in [
        "mount -t tmpfs -o size=64k none /dev/shm",
        "mount -t tmpfs -o ro,size=64k none /dev/shm",
        "mount -t tmpfs -o ro none /tmp",
        "mount -t tmpfs -o noexec none /tmp",
        "unset HOME",
    ] {
        let Some(launch) = in_mounts(found(), &format!("cp \"$1\" /run/\n{prepare}\nset -- /run/field found")) else {
            return;
        };
        let script = "mount -t tmpfs none /run";
        in_mounts(launch, script).expect("as before").run().succeeded().printed(&["found: hosts=1 ranks=1"]);
    }
}

/// `/dev` as a container without shared memory has it.
#[test]
fn ranks_run_where_there_is_no_shared_memory_folder() {
    let devices = "mkdir -p \"$HOME/dev\" && mount -t tmpfs none \"$HOME/dev\"
        for device in null zero random urandom; do
            touch \"$HOME/dev/$device\" && mount --bind \"/dev/$device\" \"$HOME/dev/$device\"
        done
        mount --rbind \"$HOME/dev\" /dev
        [ ! -e /dev/shm ]";
    let folder = TestFolder::new("no-shm");
    for transport in ["auto", "tcp"] {
        let launch = two_ranks(&folder).env("HOME", &folder.0).env("MOBULA_FABRIC", transport);
        let Some(launch) = in_mounts(launch, devices) else { return };
        launch.run().succeeded().printed(&["ranks=2"]);
    }
}

#[test]
fn ranks_start_under_a_name_that_does_not_resolve() {
    let script = "hostname nosuchname.invalid; exec \"$@\"";
    for options in ["--uts", "--map-root-user --uts"] {
        let inside: Vec<&str> =
            ["unshare"].into_iter().chain(options.split(' ')).chain(["sh", "-c", script, "sh"]).collect();
        let tried = Command::new("unshare").args(options.split(' ')).arg("true").status();
        if !tried.is_ok_and(|tried| tried.success()) {
            println!("left out: the kernel does not let this user run unshare {options}");
            continue;
        }
        for transport in ["auto", "tcp"] {
            let folder = TestFolder::new("no-name");
            let launch = two_ranks(&folder).inside(&inside).env("MOBULA_FABRIC", transport);
            launch.run().succeeded().printed(&["hosts=1 ranks=2"]);
        }
    }
}

/// Root has no such limit.
#[test]
fn too_few_threads_are_refused_by_the_limit() {
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    let tried = Command::new(nobody[0]).args(&nobody[1..]).arg("true").status();
    if !tried.is_ok_and(|tried| tried.success()) {
        println!("left out: only root can run a program as another user");
        return;
    }
    // Another user may not reach the folder of this build.
    let folder = TestFolder::new("few-threads");
    let copy = folder.0.join("program");
    fs::copy(example("field"), &copy).expect("space");
    fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o755)).expect("our own");
    let limited = |threads: &str| {
        let inside: Vec<&str> = nobody.into_iter().chain(["prlimit", threads]).collect();
        Launch::alone(&copy).arg("found").inside(&inside).run()
    };
    limited("--nproc=2").failed().printed(&["does not start", "2 threads of this user (ulimit -u)"]);
    limited("--nproc=64").succeeded();
}

/// A chain of ten stores: it needs to spill nine of them.
fn chain() -> Launch {
    Launch::alone(&example("pressure")).arg("chain")
}

#[test]
fn folder_in_memory_is_passed_over_for_one_on_a_disk() {
    let folder = TestFolder::new("in-memory");
    let memory = folder.0.join("memory");
    fs::create_dir(&memory).expect("a folder");
    let mount = format!("mount -t tmpfs -o size=64m none {}", memory.display());
    let Some(launch) = in_mounts(chain(), &mount) else { return };
    let finished = launch.env("TMPDIR", &memory).run().succeeded().printed(&["passed chain"]);
    finished.did_not_print("in memory").did_not_print("not written");
    let missing = chain().env("TMPDIR", folder.0.join("no")).run().succeeded();
    missing.printed(&["passed chain"]).did_not_print("not written");
}

/// As `apptainer --writable-tmpfs` mounts it: the folder says that it is of the overlay, whose files are in memory.
#[test]
fn overlay_over_a_folder_in_memory_is_passed_over_as_well() {
    let folder = TestFolder::new("overlay");
    let mount = format!(
        "cd {}\nmkdir memory overlay\nmount -t tmpfs -o size=64m none memory\nmkdir memory/l memory/u memory/w
        mount -t overlay -o lowerdir=memory/l,upperdir=$PWD/memory/u,workdir=memory/w none overlay || exit 77",
        folder.0.display()
    );
    let overlay = folder.0.join("overlay");
    let on_overlay = |variable: &str| {
        let finished = in_mounts(chain().env(variable, &overlay).env("MOBULA_STORE_WAIT_S", "1"), &mount)?.run();
        fs::remove_dir_all(folder.0.join("memory")).expect("outside of the mounts it is empty");
        fs::remove_dir_all(&overlay).expect("as above");
        if finished.status.code() == Some(77) {
            println!("left out: the kernel mounts no overlay here");
            return None;
        }
        Some(finished)
    };
    let Some(finished) = on_overlay("TMPDIR") else { return };
    finished.succeeded().printed(&["passed chain"]).did_not_print("in memory").did_not_print("not written");
    let named = on_overlay("MOBULA_SPILL_DIR").expect("as before").failed();
    named.printed(&["overlay, which is in memory", "MOBULA_SPILL_DIR"]).printed(&["left to others"]);
}

/// A file system of its own with a quota of 300 MiB: more than a store, and less than what is spilled. Of the file
/// systems with quotas, btrfs is the one whose quotas need no further part of the kernel.
#[test]
fn quota_of_the_disk_is_named_and_what_does_not_fit_stays_in_memory() {
    let folder = TestFolder::new("quota");
    let prepare = format!(
        "cd {}\ntruncate -s 2G image\nmkdir -p disk\n{{ mkfs.btrfs -q image\nmount -o loop image disk
        btrfs subvolume create disk/user\nbtrfs quota enable disk
        btrfs qgroup limit 300M disk/user; }} >log 2>&1 || exit 77",
        folder.0.display()
    );
    let user = folder.0.join("disk/user");
    let launch = chain().env("MOBULA_SPILL_DIR", &user).env("MOBULA_STORE_WAIT_S", "1");
    let Some(launch) = in_mounts(launch, &prepare) else { return };
    let finished = launch.run();
    if finished.status.code() == Some(77) {
        let reason = fs::read_to_string(folder.0.join("log")).unwrap_or_default();
        return println!("left out: no btrfs with a quota (Debian: btrfs-progs; root; loop devices): {reason}");
    }
    let finished = finished.failed().printed(&["are not written to", "Disk quota exceeded", "MOBULA_SPILL_DIR"]);
    finished.printed(&["StoreFull"]).did_not_print("SIGBUS").did_not_print("panicked");
}

#[test]
fn spilling_is_off_where_every_folder_is_in_memory_with_one_warning() {
    let mounts =
        "mkdir -p /run/copy\nmount -t tmpfs none /run/copy\ncp \"$1\" /run/copy/\nset -- /run/copy/pressure chain
                  mount -t tmpfs none /tmp\nmount -t tmpfs -o ro none /var/tmp";
    let launch = chain().env("TMPDIR", "/no such folder").env("MOBULA_STORE_WAIT_S", "1");
    let Some(launch) = in_mounts(launch, mounts) else { return };
    let finished = launch.run().failed();
    assert_eq!(finished.count("no folder is usable for them"), 1, "{}", finished.output);
    finished.printed(&["/tmp is in memory, /var/tmp cannot be written", "MOBULA_SPILL_DIR"]);
}

/// The folder that the user names is used, and what it costs is said; it is too small here, and a share of it is left.
#[test]
fn named_folder_in_memory_is_used_with_a_warning() {
    let folder = TestFolder::new("named");
    let named = |size: &str| {
        let mount = format!("mount -t tmpfs -o size={size} none {}", folder.0.display());
        in_mounts(chain().env("MOBULA_SPILL_DIR", &folder.0).env("MOBULA_STORE_WAIT_S", "1"), &mount)
    };
    let Some(launch) = named("4g") else { return };
    launch.run().succeeded().printed(&["which is in memory", "MOBULA_SPILL_DIR"]).printed(&["passed chain"]);
    let small = named("16m").expect("as before").run().failed();
    small.printed(&[&folder.0.display().to_string(), "left to others", "MOBULA_SPILL_DIR"]).did_not_print("SIGBUS");
}

#[test]
fn files_as_large_as_the_limit_allows_are_spilled() {
    let folder = TestFolder::new("file-size");
    let spill = |launch: Launch| launch.env("MOBULA_SPILL_DIR", &folder.0).env("MOBULA_STORE_WAIT_S", "1");
    // 1024 bytes each: 300 MiB is more than a store, and less than what is spilled.
    let limited = |kib: u32| chain().inside(&["sh", "-c", &format!("ulimit -f {}\nexec \"$@\"", 2 * kib), "sh"]);
    spill(limited(300 << 10)).run().succeeded().printed(&["passed chain"]);
    assert!(Path::new(&folder.0).read_dir().expect("still there").next().is_none(), "files were left behind");
}
