//! Stores that are too small: what leaves them for the disk, who waits, what is refused, and what stays behind when a process is
//! killed.
//!
//! `tests/programs/pressure` holds the cases; to see one: `cargo build --examples`, then
//! `MOBULA_SPILL_DIR=/tmp target/debug/examples/pressure CASE`.

mod launcher;

use launcher::processes::signal;
use launcher::rendezvous::{TestFolder, all_ranks, launch_ranks};
use launcher::{Finished, Launch, example};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What is on the disk under a folder, deepest last.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("one").path()).collect();
    let inner: Vec<PathBuf> = all.iter().filter(|path| path.is_dir()).flat_map(|path| entries(path)).collect();
    all.extend(inner);
    all
}

/// A case alone, which may write under `folder`.
fn alone(name: &str, folder: &Path) -> Launch {
    Launch::alone(&example("pressure")).arg(name).env("MOBULA_SPILL_DIR", folder).limit(Duration::from_secs(300))
}

/// A case alone, which may write nothing.
fn in_memory(name: &str) -> Launch {
    alone(name, Path::new("off"))
}

/// Runs a case, which leaves nothing behind.
#[track_caller]
fn passed(name: &str, launch: impl FnOnce(&Path) -> Launch) -> Finished {
    // Tests run at the same time, some of the same case.
    static TURN: AtomicUsize = AtomicUsize::new(0);
    let folder = TestFolder::new(&format!("memory-{name}-{}", TURN.fetch_add(1, Ordering::Relaxed)));
    let finished = launch(&folder.0).run().succeeded().printed(&[&format!("passed {name}")]);
    assert_eq!(
        entries(&folder.0).iter().filter(|path| **path != folder.meeting_file()).count(),
        0,
        "something was left behind"
    );
    finished.did_not_print("panicked")
}

#[test]
fn a_chain_of_ten_stores_is_whole() {
    passed("chain", |folder| alone("chain", folder)).did_not_print("are not written");
}

#[test]
fn a_chain_of_ten_stores_over_two_ranks_is_whole() {
    passed("chain", |folder| {
        let meet = folder.join("meet").display().to_string();
        let launch = launch_ranks(&example("pressure"), &all_ranks(2), 2, &meet).arg("chain").env("MOBULA_SPILL_DIR", folder);
        launch.limit(Duration::from_secs(300))
    });
}

#[test]
fn small_arrays_leave_as_well() {
    passed("small", |folder| alone("small", folder)).did_not_print("are not written");
}

#[test]
fn objects_with_arrays_inside_leave_and_come_back() {
    passed("puts", |folder| alone("puts", folder));
}

#[test]
fn what_is_read_does_not_move() {
    passed("stays", |folder| alone("stays", folder));
}

#[test]
fn a_folder_that_vanishes_takes_nothing_along() {
    passed("vanishes", |folder| alone("vanishes", folder)).did_not_print("are not written");
}

#[test]
fn a_file_that_is_cut_is_an_error_for_its_readers_alone() {
    passed("cut", |folder| alone("cut", folder));
}

/// Nothing can be written: said once, then a full store is a full store.
#[track_caller]
fn refused(finished: Finished, reason: &str) {
    let finished = finished.printed(&["are not written to", reason]).printed(&["kept ", "then it says", "on disk"]);
    assert_eq!(finished.count("are not written to"), 1, "{}", finished.output);
}

#[test]
fn a_folder_that_is_not_there_is_said_and_no_hang() {
    let keeps = |folder: &Path| alone("keeps", &folder.join("no")).env("MOBULA_STORE_WAIT_S", "1");
    let finished = passed("keeps", keeps).printed(&["are not written to", "No such file"]);
    assert_eq!(finished.count("are not written to"), 1, "{}", finished.output);
}

/// A small disk of its own; `None` where none can be mounted.
struct Mount(PathBuf);

impl Mount {
    fn new(folder: &Path, options: &str) -> Option<Mount> {
        let path = folder.join("disk");
        fs::create_dir(&path).expect("a folder");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "mobula"]).arg(&path).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Mount(path));
        }
        println!("left out: only root may mount a disk");
        fs::remove_dir(&path).expect("our own");
        None
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn a_folder_that_is_read_only_is_said_and_no_hang() {
    let folder = TestFolder::new("memory-read-only");
    let Some(mount) = Mount::new(&folder.0, "ro,size=32M") else { return };
    let finished = alone("keeps", &mount.0).env("MOBULA_STORE_WAIT_S", "1").run().succeeded();
    let finished = finished.printed(&["are not written to", "Read-only"]);
    assert_eq!(finished.count("are not written to"), 1, "{}", finished.output);
}

#[test]
fn a_disk_that_is_full_is_used_until_it_is() {
    let folder = TestFolder::new("memory-full-disk");
    let Some(mount) = Mount::new(&folder.0, "size=33M") else { return };
    refused(alone("keeps", &mount.0).env("MOBULA_STORE_WAIT_S", "1").run().succeeded(), "No space left");
    assert_eq!(entries(&mount.0), Vec::<PathBuf>::new());
}

#[test]
fn files_are_private_and_gone_after_a_kill_with_the_next_start() {
    let folder = TestFolder::new("memory-killed");
    let mut sitting = alone("sits", &folder.0).arg("for ever").start();
    sitting.wait_for("sitting");
    let written = entries(&folder.0);
    let mode = |path: &PathBuf| fs::metadata(path).expect("it is there").mode() & 0o777;
    let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) = written.into_iter().partition(|path| path.is_dir());
    assert!(folders.len() == 1 && files.len() > 1, "{folders:?} {files:?}");
    assert!(folders.iter().all(|path| mode(path) == 0o700) && files.iter().all(|path| mode(path) == 0o600));
    let bytes: u64 = files.iter().map(|path| fs::metadata(path).expect("a file").len()).sum();
    assert!(bytes >= 18 << 23, "two stores' worth are on disk: {bytes}");
    signal("KILL", &sitting.pid().to_string());
    sitting.finish().failed();
    assert!(folders[0].exists(), "nobody was there to remove it");
    alone("too_large", &folder.0).run().succeeded();
    assert_eq!(entries(&folder.0), Vec::<PathBuf>::new());
}

#[test]
fn a_process_leaves_the_files_of_one_that_lives() {
    let folder = TestFolder::new("memory-two");
    let meet = folder.0.join("go");
    let neighbour = Command::new(example("pressure"))
        .args(["sits", &meet.display().to_string()])
        .env("MOBULA_SPILL_DIR", &folder.0)
        .stdout(std::process::Stdio::piped())
        .spawn();
    let mut neighbour = neighbour.expect("it starts");
    let mut line = String::new();
    let output = neighbour.stdout.as_mut().expect("a pipe");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line).expect("a line");
    assert_eq!(line.trim(), "sitting");
    alone("stays", &folder.0).run().succeeded();
    fs::write(&meet, "").expect("written");
    assert!(neighbour.wait().expect("our own").success(), "it read all that it had written");
}

#[test]
fn a_full_store_says_who_holds_what() {
    let finished = passed("full", |folder| alone("full", folder).env("MOBULA_STORE_WAIT_S", "1"));
    finished.printed(&["the store of rank 0 is full", "of make", "Array<u64>", "read here", "of a driver", "in use here"]);
}

#[test]
fn a_full_store_of_another_rank_says_who_holds_it() {
    let finished = passed("lent", |folder| {
        let meet = folder.join("meet").display().to_string();
        let launch = launch_ranks(&example("pressure"), &all_ranks(2), 2, &meet).arg("lent").env("MOBULA_SPILL_DIR", folder);
        launch.env("MOBULA_STORE_WAIT_S", "1")
    });
    finished.printed(&["the store of rank 1 is full", "of make", "held by rank 0"]);
}

/// Over TCP each rank has copies of its own. They are dropped and fetched again.
#[test]
fn copies_make_room_for_others_and_come_again() {
    passed("copies", |folder| {
        let meet = folder.join("meet").display().to_string();
        let launch = launch_ranks(&example("pressure"), &all_ranks(3), 3, &meet).arg("copies").env("MOBULA_FABRIC", "tcp");
        launch.env("MOBULA_SPILL_DIR", "off").env("MOBULA_STORE_WAIT_S", "2")
    });
}

#[test]
fn a_producer_waits_for_its_consumers() {
    passed("stream", |_| in_memory("stream"));
    passed("graph", |_| in_memory("graph"));
    passed("late", |_| in_memory("late"));
}

/// With an hour of patience, what can never have room is refused all the same.
#[test]
fn more_than_the_store_is_refused_at_once() {
    let launch = |_: &Path| in_memory("too_large").env("MOBULA_STORE_WAIT_S", "3600").limit(Duration::from_secs(60));
    passed("too_large", launch);
}

#[test]
fn what_is_above_its_limit_is_refused() {
    passed("limits", |_| in_memory("limits")).printed(&["hoard has reached its limit of 20971520 bytes"]);
    passed("accounts", |_| in_memory("accounts").env("MOBULA_MEMORY_BYTES", "64M"));
}

/// A case on ranks of which each is a host of its own, as over TCP; nothing can be written to disk.
fn on_hosts(name: &str, ranks: u32, folder: &Path) -> Launch {
    let (meet, no) = (folder.join("meet").display().to_string(), folder.join("no"));
    let launch = launch_ranks(&example("pressure"), &all_ranks(ranks), ranks, &meet).arg(name).env("MOBULA_FABRIC", "tcp");
    launch.env("COUNT", folder.join("count")).env("MOBULA_SPILL_DIR", no)
}

/// What has no room is let go and made again.
#[test]
fn results_make_room_for_others_and_are_made_again() {
    for case in ["again", "lists_again"] {
        let finished = passed(case, |folder| on_hosts(case, 3, folder));
        finished.printed(&["runs for 24 results"]).did_not_print("are not written");
    }
}

/// What was to be brought here was refused at once where the store was full just then.
#[test]
fn what_another_host_has_comes_when_there_is_room() {
    passed("pulls", |folder| on_hosts("pulls", 2, folder).env("MOBULA_STORE_WAIT_S", "2"));
}
