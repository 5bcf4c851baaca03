//! Mixed work during which ranks are killed: the memory of every other process stays the same, and so does the number
//! of its descriptors and threads. `make soak MINUTES=n` runs it for n minutes.

mod launcher;

use launcher::rendezvous::{TestFolder, all_ranks, launch_small_ranks};
use launcher::{Finished, example};
use std::time::Duration;

const RANKS: u32 = 5;

/// The time without `SOAK_MINUTES`: long enough to see that the program works and finds leaks.
const MINUTES: f64 = 0.2;

fn soak(name: &str, ranks: u32, minutes: f64, leak: &str) -> Finished {
    let folder = TestFolder::new(name);
    let meeting = folder.meeting_file().display().to_string();
    let launch = launch_small_ranks(&example("soak"), &all_ranks(ranks), ranks, &meeting);
    // The work stops by itself; the rest is the time to start and to end.
    let limit = Duration::from_secs_f64(minutes * 60.0 + 60.0);
    launch.limit(limit).arg(minutes.to_string()).arg(leak).run()
}

/// The driver says so; the exit code of the whole tells of the ranks that were killed.
#[test]
fn mixed_work_and_deaths_leave_nothing_behind() {
    let minutes = std::env::var("SOAK_MINUTES").map_or(MINUTES, |text| text.parse().expect("a number of minutes"));
    let finished = soak("soak", RANKS, minutes, "");
    println!("{}", finished.output);
    finished.printed(&["flat after"]);
}

#[test]
fn leaks_are_found() {
    soak("leaks-memory", 2, 0.05, "leak-memory").failed().printed(&["its memory grew"]);
    soak("leaks-descriptors", 2, 0.05, "leak-descriptor").failed().printed(&["descriptors and has"]);
}
