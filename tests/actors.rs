//! Actors whose rank is killed (SIGKILL), in real processes: they are restarted elsewhere, and their calls and names
//! lead there.
//!
//! `tests/programs/restarted` holds the cases; to run one: `cargo build --examples`, then in five shells, one for each
//! rank, `MOBULA_RENDEZVOUS=localhost:5000 MOBULA_SIZE=5 MOBULA_RANK=0 target/debug/examples/restarted CASE`.

mod launcher;

use launcher::example;
use launcher::rendezvous::{TestFolder, all_ranks, launch_small_ranks};

/// Ranks of each cluster.
const RANKS: u32 = 5;

/// The shell's exit code of a process that was killed.
const KILLED: u32 = 128 + 9;

/// Runs a case in which these ranks are killed.
#[track_caller]
fn passed(name: &str, transport: &str, killed: &[u32]) {
    let folder = TestFolder::new(&format!("restarted-{name}-{transport}"));
    let launch = launch_small_ranks(
        &example("restarted"),
        &all_ranks(RANKS),
        RANKS,
        &folder.meeting_file().display().to_string(),
    );
    let launch = if transport == "tcp" { launch.env("MOBULA_FABRIC", "tcp") } else { launch };
    let finished = launch.arg(name).run();
    assert_eq!(
        finished.count(" ended with "),
        killed.len(),
        "only {killed:?} may end with an exit code other than 0:\n{}",
        finished.output
    );
    let ended =
        |finished: launcher::Finished, rank: &u32| finished.printed(&[&format!("rank {rank} ended with {KILLED}")]);
    killed.iter().fold(finished, ended).printed(&[&format!("passed {name}")]).did_not_print("panicked");
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
    actor_of_a_dead_rank_is_constructed_again => "anew", [1, 2];
    calls_under_way_fail_or_are_retried => "under-way", [1];
    retried_calls_keep_their_order => "in-order", [1];
    actor_with_checkpoints_keeps_an_exact_sum => "exact", [1, 2];
    actor_with_checkpoints_moves_to_its_owner_at_last => "on-caller-and-owner", [1, 2, 3, 4];
    large_result_survives_its_producer_s_rank => "large", [1];
    actor_without_restarts_left_ends => "used-up", [1, 2];
    killed_actor_is_not_restarted => "killed", [1];
    constructor_failure_at_restart_ends_the_actor => "fragile", [1];
    lost_constructor_argument_ends_the_actor => "argument-lost", [1, 2];
    actor_of_a_dead_owner_is_not_restarted => "owner-dies", [1, 2];
    actor_in_a_bundle_is_restarted_with_it => "in-bundle", [1];
    name_leads_to_the_new_location => "named", [1];
    name_survives_its_directory_rank => "directory-dies", [1, 3];
}
