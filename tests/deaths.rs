//! Ranks that are killed (SIGKILL) or stand still, at every point of a cluster's life, over shared memory and over TCP. What is
//! lost is an error that names it, everything else goes on, and nobody waits for the dead.
//!
//! `tests/programs/mortal` holds the cases; to see one: `cargo test --no-run`, then in four shells, one for each rank,
//! `MOBULA_RENDEZVOUS=localhost:5000 MOBULA_SIZE=4 MOBULA_RANK=0 target/debug/examples/mortal CASE`.

mod launcher;

use launcher::family::{descendants, is_alive, signal};
use launcher::meeting::{Folder, all, small};
use launcher::{Finished, Launch, Started, example};
use std::collections::BTreeSet;
use std::fs;
use std::time::Instant;

/// Ranks of each cluster.
const RANKS: u32 = 4;

/// How the shell shows the end of a process that was killed, and of one that ended itself in the midst.
const KILLED: u32 = 128 + 9;
const ABORTED: u32 = 128 + 6;

fn ranks(program: &str, folder: &Folder, road: &str) -> Launch {
    let launch = small(&example(program), &all(RANKS), RANKS, &folder.file().display().to_string());
    if road == "tcp" { launch.env("MOBULA_FABRIC", "tcp") } else { launch }
}

/// These ranks ended so, and all others well.
#[track_caller]
fn ended(finished: Finished, ends: &[(u32, u32)]) -> Finished {
    assert_eq!(
        finished.count(" ended with "),
        ends.len(),
        "only {ends:?} end otherwise than well:\n{}",
        finished.output
    );
    let said =
        |finished: Finished, (rank, end): &(u32, u32)| finished.said(&[&format!("rank {rank} ended with {end}")]);
    ends.iter().fold(finished, said)
}

/// Runs a case of `mortal`.
#[track_caller]
fn case(name: &str, road: &str, ends: &[(u32, u32)]) -> Finished {
    let folder = Folder::new(&format!("{name}-{road}"));
    let finished = ranks("mortal", &folder, road).arg(name).run();
    ended(finished, ends).did_not_say("panicked")
}

#[track_caller]
fn passed(name: &str, road: &str, killed: &[u32]) {
    let ends: Vec<(u32, u32)> = killed.iter().map(|rank| (*rank, KILLED)).collect();
    case(name, road, &ends).said(&[&format!("passed {name}")]);
}

/// The process of a rank of `survivor`.
fn process_of(started: &mut Started, rank: u32) -> String {
    let line = started.wait_for(&format!("rank {rank} is process "));
    line.split_whitespace().nth(4).expect("rank R is process P").to_string()
}

#[track_caller]
fn survived(road: &str, lost: &[u32]) {
    let folder = Folder::new(&format!("survivor-{}-{road}", lost.len()));
    let mut started = ranks("survivor", &folder, road).arg("8").start();
    let processes: Vec<String> = (0..RANKS).map(|rank| process_of(&mut started, rank)).collect();
    for (position, rank) in lost.iter().enumerate() {
        started.wait_for(&format!("round {}", 2 * position + 1));
        signal("KILL", &processes[*rank as usize]);
    }
    let ends: Vec<(u32, u32)> = lost.iter().map(|rank| (*rank, KILLED)).collect();
    let finished = ended(started.finish(), &ends).said(&["round 7 was worked out by ranks"]);
    let lost = BTreeSet::from_iter(lost);
    let lost: Vec<_> = lost.into_iter().collect();
    finished.said(&[&format!("survived: right answers, lost ranks {lost:?}")]).did_not_say("panicked");
}

/// Files that processes share memory through, by the names that we or MPI give them.
fn shared_files() -> BTreeSet<String> {
    let entries = fs::read_dir("/dev/shm").expect("Linux").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().to_lowercase());
    names.filter(|name| name.contains("mobula")).collect()
}

/// Without rank 0 there is no cluster: every other process says so and ends, also where a task of it goes on for ever.
fn driver_killed(road: &str) {
    let folder = Folder::new(&format!("driver-{road}"));
    let before = shared_files();
    let mut started = ranks("forever", &folder, road).env("MOBULA_STORE_BYTES", "64M").start();
    started.wait_for("at work");
    let shell = started.pid();
    let family = descendants(shell);
    let is_rank_0 = |pid: &&u32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == b"MOBULA_RANK=0")
    };
    let driver = family.iter().find(is_rank_0).expect("it is at work");
    let killed_at = Instant::now();
    signal("KILL", &driver.to_string());
    let finished = started.finish();
    println!("all had ended {} ms after the driver was killed", killed_at.elapsed().as_millis());
    let finished = ended(finished.failed(), &[(0, KILLED), (1, 1), (2, 1), (3, 1)]);
    assert!(finished.count("rank 0 on host") >= 3, "every other rank names rank 0:\n{}", finished.output);
    finished.did_not_say("panicked");
    assert!(!family.iter().any(|pid| is_alive(*pid)), "no process is left of {family:?}");
    assert!(!folder.file().exists(), "the file where they met is gone");
    let after = shared_files();
    assert!(after.is_subset(&before), "left in /dev/shm: {:?}", after.difference(&before));
}

macro_rules! over_each_road {
    ($($(#[$meta:meta])* $name:ident => $body:expr;)*) => {
        mod over_shm {
            use super::*;
            $($(#[$meta])* #[test] fn $name() { let test: fn(&str) = $body; test("shm"); })*
        }
        mod over_tcp {
            use super::*;
            $($(#[$meta])* #[test] fn $name() { let test: fn(&str) = $body; test("tcp"); })*
        }
    };
}

over_each_road! {
    a_rank_is_killed_at_work => |road| survived(road, &[2]);
    two_are_killed_one_after_the_other => |road| survived(road, &[3, 1]);
    the_driver_is_killed => driver_killed;
    a_task_without_retries_fails_by_name => |road| passed("no-retries", road, &[1]);
    lists_of_a_task_that_died => |road| passed("lists", road, &[1]);
    what_is_sent_to_the_dead_fails_by_name => |road| passed("sent-to-the-dead", road, &[1]);
    thieves_die_with_what_they_stole => |road| passed("stolen", road, &[1, 3]);
    calls_of_an_actor_that_died => |road| passed("calls", road, &[1]);
    names_are_kept_and_given_again => |road| passed("names", road, &[1]);
    an_actor_whose_maker_died => |road| passed("orphans", road, &[1]);
    objects_of_the_dead => |road| passed("objects", road, &[1]);
    a_resource_comes_back => |road| passed("resource", road, &[1]);
    the_first_ranks_of_a_host_die => |road| passed("first-of-the-host", road, &[1, 2]);
    an_idle_rank_dies => |road| passed("idle", road, &[2]);
    a_rank_that_stands_still_is_not_lost => |road| passed("stopped", road, &[]);
    a_rank_dies_before_its_last_word => |road| {
        case("while-others-leave", road, &[(1, ABORTED)]).said(&["passed while-others-leave"]);
    };
    a_rank_dies_while_the_others_part => |road| passed("while-ranks-part", road, &[1]);
    the_driver_dies_while_the_others_stop => |road| {
        case("driver-leaves", road, &[(0, ABORTED), (1, 1), (2, 1), (3, 1)]).said(&["rank 0", "was lost"]);
    };
}
