//! Stores that are too small: what is spilled to disk, which allocations wait, which are refused, and what a killed
//! process leaves behind.
//!
//! `tests/programs/pressure` holds the cases; to run one: `cargo build --examples`, then
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

/// All entries under a folder, deepest last.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    let inner: Vec<PathBuf> = all.iter().filter(|path| path.is_dir()).flat_map(|path| entries(path)).collect();
    all.extend(inner);
    all
}

/// A case on one rank, which may spill under `folder`.
fn alone(name: &str, folder: &Path) -> Launch {
    Launch::alone(&example("pressure")).arg(name).env("MOBULA_SPILL_DIR", folder).limit(Duration::from_secs(300))
}

/// A case on one rank, which may not spill.
fn in_memory(name: &str) -> Launch {
    alone(name, Path::new("off"))
}

/// Runs a case, which must succeed and leave no file behind.
#[track_caller]
fn passed(name: &str, launch: impl FnOnce(&Path) -> Launch) -> Finished {
    // Tests run concurrently, some with the same case.
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let folder = TestFolder::new(&format!("memory-{name}-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
    let finished = launch(&folder.0).run().succeeded().printed(&[&format!("passed {name}")]);
    assert_eq!(
        entries(&folder.0).iter().filter(|path| **path != folder.meeting_file()).count(),
        0,
        "files were left behind"
    );
    finished.did_not_print("panicked")
}

#[test]
fn chain_of_ten_stores_is_read_back_unchanged() {
    passed("chain", |folder| alone("chain", folder)).did_not_print("are not written");
}

#[test]
fn chain_of_ten_stores_over_two_ranks_is_read_back_unchanged() {
    passed("chain", |folder| {
        let meet = folder.join("meet").display().to_string();
        let launch =
            launch_ranks(&example("pressure"), &all_ranks(2), 2, &meet).arg("chain").env("MOBULA_SPILL_DIR", folder);
        launch.limit(Duration::from_secs(300))
    });
}

#[test]
fn small_arrays_are_spilled_as_well() {
    passed("small", |folder| alone("small", folder)).did_not_print("are not written");
}

#[test]
fn objects_with_arrays_inside_are_spilled_and_read_back() {
    passed("puts", |folder| alone("puts", folder));
}

#[test]
fn array_in_use_stays_at_its_address() {
    passed("pinned", |folder| alone("pinned", folder));
}

#[test]
fn removed_spill_folder_loses_no_object() {
    passed("folder_removed", |folder| alone("folder_removed", folder)).did_not_print("are not written");
}

#[test]
fn cut_spill_file_fails_only_its_readers() {
    passed("file_cut", |folder| alone("file_cut", folder));
}

/// Asserts that spilling failed for `reason`, which was logged once, and that the store was then full.
#[track_caller]
fn refused(finished: Finished, reason: &str) {
    let finished = finished.printed(&["are not written to", reason]).printed(&["kept ", "then the error", "on disk"]);
    assert_eq!(finished.count("are not written to"), 1, "{}", finished.output);
}

#[test]
fn missing_spill_folder_is_logged_and_does_not_hang() {
    let launch = |folder: &Path| alone("kept_objects", &folder.join("no")).env("MOBULA_STORE_WAIT_S", "1");
    let finished = passed("kept_objects", launch).printed(&["are not written to", "No such file"]);
    assert_eq!(finished.count("are not written to"), 1, "{}", finished.output);
}

/// A small mounted file system.
struct Mount(PathBuf);

impl Mount {
    /// `None` if this process may not mount one.
    fn new(folder: &Path, options: &str) -> Option<Mount> {
        let path = folder.join("disk");
        fs::create_dir(&path).expect("a folder");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "mobula"]).arg(&path).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Mount(path));
        }
        println!("left out: only root may mount a file system");
        fs::remove_dir(&path).expect("the test's own folder");
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
fn read_only_spill_folder_is_logged_and_does_not_hang() {
    let folder = TestFolder::new("memory-read-only");
    let Some(mount) = Mount::new(&folder.0, "ro,size=32M") else { return };
    let finished = alone("kept_objects", &mount.0).env("MOBULA_STORE_WAIT_S", "1").run().succeeded();
    let finished = finished.printed(&["are not written to", "Read-only"]);
    assert_eq!(finished.count("are not written to"), 1, "{}", finished.output);
}

#[test]
fn disk_is_used_until_the_share_of_others_is_left() {
    let folder = TestFolder::new("memory-full-disk");
    let Some(mount) = Mount::new(&folder.0, "size=33M") else { return };
    refused(alone("kept_objects", &mount.0).env("MOBULA_STORE_WAIT_S", "1").run().succeeded(), "No space left");
    assert_eq!(entries(&mount.0), Vec::<PathBuf>::new());
}

#[test]
fn spill_files_are_private_and_removed_by_the_next_start_after_a_kill() {
    let folder = TestFolder::new("memory-killed");
    let mut idle = alone("idles", &folder.0).arg("no such file").start();
    idle.wait_for("idle");
    let written = entries(&folder.0);
    let mode = |path: &PathBuf| fs::metadata(path).expect("it is there").mode() & 0o777;
    let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) = written.into_iter().partition(|path| path.is_dir());
    assert!(folders.len() == 1 && files.len() > 1, "{folders:?} {files:?}");
    assert!(folders.iter().all(|path| mode(path) == 0o700) && files.iter().all(|path| mode(path) == 0o600));
    let bytes: u64 = files.iter().map(|path| fs::metadata(path).expect("a file").len()).sum();
    assert!(bytes >= 18 << 23, "two stores' worth are on disk: {bytes}");
    signal("KILL", &idle.pid().to_string());
    idle.finish().failed();
    assert!(folders[0].exists(), "no process removed it");
    alone("too_large", &folder.0).run().succeeded();
    assert_eq!(entries(&folder.0), Vec::<PathBuf>::new());
}

#[test]
fn start_keeps_the_spill_files_of_a_living_process() {
    let folder = TestFolder::new("memory-two");
    let go = folder.0.join("go");
    let neighbour = Command::new(example("pressure"))
        .args(["idles", &go.display().to_string()])
        .env("MOBULA_SPILL_DIR", &folder.0)
        .stdout(std::process::Stdio::piped())
        .spawn();
    let mut neighbour = neighbour.expect("it starts");
    let mut line = String::new();
    let output = neighbour.stdout.as_mut().expect("a pipe");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line).expect("a line");
    assert_eq!(line.trim(), "idle");
    alone("pinned", &folder.0).run().succeeded();
    fs::write(&go, "").expect("written");
    assert!(neighbour.wait().expect("a child").success(), "it read back everything");
}

#[test]
fn full_store_error_lists_the_holders() {
    let finished = passed("full", |folder| alone("full", folder).env("MOBULA_STORE_WAIT_S", "1"));
    finished.printed(&[
        "the store of rank 0 is full",
        "of make",
        "Array<u64>",
        "read here",
        "of a driver",
        "in use here",
    ]);
}

#[test]
fn full_store_of_another_rank_lists_the_holders() {
    let finished = passed("read_elsewhere", |folder| {
        let meet = folder.join("meet").display().to_string();
        let launch = launch_ranks(&example("pressure"), &all_ranks(2), 2, &meet)
            .arg("read_elsewhere")
            .env("MOBULA_SPILL_DIR", folder);
        launch.env("MOBULA_STORE_WAIT_S", "1")
    });
    finished.printed(&["the store of rank 1 is full", "of make", "held by rank 0"]);
}

/// Over TCP each rank has its own copies. They are dropped and fetched again.
#[test]
fn copies_are_evicted_for_others_and_fetched_again() {
    passed("copies", |folder| {
        let meet = folder.join("meet").display().to_string();
        let launch =
            launch_ranks(&example("pressure"), &all_ranks(3), 3, &meet).arg("copies").env("MOBULA_FABRIC", "tcp");
        launch.env("MOBULA_SPILL_DIR", "off").env("MOBULA_STORE_WAIT_S", "2")
    });
}

#[test]
fn producer_waits_for_its_consumers() {
    passed("stream", |_| in_memory("stream"));
    passed("graph", |_| in_memory("graph"));
    passed("freed_by_a_task", |_| in_memory("freed_by_a_task"));
}

/// An array that can never fit is refused without the wait for space, which is set to an hour.
#[test]
fn array_larger_than_the_store_is_refused_without_waiting() {
    let launch = |_: &Path| in_memory("too_large").env("MOBULA_STORE_WAIT_S", "3600").limit(Duration::from_secs(60));
    passed("too_large", launch);
}

#[test]
fn allocation_above_its_limit_is_refused() {
    passed("limits", |_| in_memory("limits")).printed(&["hoard has reached its limit of 20971520 bytes"]);
    passed("amounts", |_| in_memory("amounts").env("MOBULA_MEMORY_BYTES", "64M"));
}

/// A case on ranks that are hosts of their own, because they use TCP; nothing can be spilled.
fn on_hosts(name: &str, ranks: u32, folder: &Path) -> Launch {
    let (meet, no) = (folder.join("meet").display().to_string(), folder.join("no"));
    let launch =
        launch_ranks(&example("pressure"), &all_ranks(ranks), ranks, &meet).arg(name).env("MOBULA_FABRIC", "tcp");
    launch.env("COUNT", folder.join("count")).env("MOBULA_SPILL_DIR", no)
}

/// Results without space are released and recomputed.
#[test]
fn results_are_released_for_others_and_recomputed() {
    for case in ["recompute_arrays", "recompute_lists"] {
        let finished = passed(case, |folder| on_hosts(case, 3, folder));
        finished.printed(&["runs for 24 results"]).did_not_print("are not written");
    }
}

/// A fetch was once refused at once if the store was full at that moment.
#[test]
fn fetch_from_another_host_waits_for_space() {
    passed("fetches", |folder| on_hosts("fetches", 2, folder).env("MOBULA_STORE_WAIT_S", "2"));
}
