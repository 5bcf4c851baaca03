//! Actors whose rank is killed (SIGKILL), with real processes: started again elsewhere, their calls and names go there.
//!
//! `tests/programs/restarted` holds the cases; to see one: `cargo build --examples`, then in five shells, one for each rank,
//! `MOBULA_RENDEZVOUS=localhost:5000 MOBULA_SIZE=5 MOBULA_RANK=0 target/debug/examples/restarted CASE`.

mod launcher;

use launcher::example;
use launcher::rendezvous::{TestFolder, all_ranks, launch_small_ranks};

/// Ranks of each cluster.
const RANKS: u32 = 5;

/// How the shell shows the end of a process that was killed.
const KILLED: u32 = 128 + 9;

/// Runs a case in which these ranks are killed.
#[track_caller]
fn passed(name: &str, road: &str, killed: &[u32]) {
    let folder = TestFolder::new(&format!("restarted-{name}-{road}"));
    let launch = launch_small_ranks(&example("restarted"), &all_ranks(RANKS), RANKS, &folder.meeting_file().display().to_string());
    let launch = if road == "tcp" { launch.env("MOBULA_FABRIC", "tcp") } else { launch };
    let finished = launch.arg(name).run();
    assert_eq!(
        finished.count(" ended with "),
        killed.len(),
        "only {killed:?} end otherwise than well:\n{}",
        finished.output
    );
    let said = |finished: launcher::Finished, rank: &u32| finished.printed(&[&format!("rank {rank} ended with {KILLED}")]);
    killed.iter().fold(finished, said).printed(&[&format!("passed {name}")]).did_not_print("panicked");
}

macro_rules! cases {
    ($($name:ident => $case:literal, $killed:expr;)*) => {
        $(#[test] fn $name() { passed($case, "shm", &$killed); })*
        mod over_tcp {
            use super::*;
            $(#[test] fn $name() { passed($case, "tcp", &$killed); })*
        }
    };
}

cases! {
    an_actor_is_built_anew => "anew", [1, 2];
    calls_under_way_fail_or_are_made_again => "under-way", [1];
    calls_keep_their_order => "in-order", [1];
    with_checkpoints_the_sum_is_exact => "exact", [1, 2];
    with_checkpoints_at_its_callers_and_at_its_owner => "at-home", [1, 2, 3, 4];
    a_large_result_outlives_the_rank_that_made_it => "large", [1];
    restarts_are_used_up => "used-up", [1, 2];
    what_was_killed_stays_dead => "killed", [1];
    a_constructor_fails_the_second_time => "fragile", [1];
    an_argument_of_the_constructor_is_lost => "argument-lost", [1, 2];
    its_owner_dies => "owner-dies", [1, 2];
    an_actor_goes_with_its_bundle => "seated", [1];
    a_name_leads_to_the_new_home => "named", [1];
    a_name_outlives_its_keeper => "keeper-dies", [1, 3];
}
