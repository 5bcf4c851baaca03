//! Every way to start and to end: the attribute, the library forms, inside an MPI program; and every example.

mod launcher;

use launcher::{Finished, Launch, example, no_ranks};
use std::time::Duration;

/// Starts a program alone, or on so many ranks where there is a launcher.
fn launch(name: &str, ranks: u32) -> Option<Launch> {
    let launch = match (ranks, no_ranks()) {
        (1, _) => Launch::alone(&example(name)),
        (_, None) => Launch::on_ranks(ranks, &example(name)),
        (_, Some(reason)) => {
            println!("left out: {reason}");
            return None;
        }
    };
    Some(launch.limit(Duration::from_secs(90)))
}

/// Runs it without arguments alone and on 2 ranks; each must succeed with a line that begins with `ok:`.
fn alone_and_with_2_ranks(name: &str) {
    for ranks in [1, 2] {
        let Some(launch) = launch(name, ranks) else { continue };
        let finished = launch.run().succeeded();
        assert!(finished.last_line().starts_with("ok:"), "{name} with {ranks} ranks:\n{}", finished.output);
    }
}

#[test]
fn example_hello() {
    alone_and_with_2_ranks("hello");
}

#[test]
fn example_parameter_sweep() {
    alone_and_with_2_ranks("parameter_sweep");
}

#[test]
fn example_monte_carlo() {
    alone_and_with_2_ranks("monte_carlo");
}

#[test]
fn example_actor_service() {
    alone_and_with_2_ranks("actor_service");
}

#[test]
fn example_mpi_coexist() {
    if cfg!(feature = "mpi") {
        alone_and_with_2_ranks("mpi_coexist");
    }
}

#[test]
fn the_library_form_alone() {
    launch("lifecycle", 1).expect("it needs no launcher").run().succeeded().said(&["ok: started and stopped"]);
}

#[test]
fn the_library_form_with_3_ranks() {
    let Some(launch) = launch("lifecycle", 3) else { return };
    launch
        .run()
        .succeeded()
        .said(&["ok: started and stopped"])
        .said(&["served: rank 1 of 3"])
        .said(&["served: rank 2 of 3"]);
}

#[test]
fn inside_an_mpi_program() {
    if !cfg!(feature = "mpi") {
        return;
    }
    for (ranks, threads) in [(1, "multiple"), (2, "multiple"), (5, "multiple"), (2, "single")] {
        let Some(launch) = launch("communicator", ranks) else { continue };
        launch.arg(threads).run().succeeded().said(&[&format!("ok: {ranks} ranks")]);
    }
}

/// Below MULTIPLE only the program's own thread may call MPI: mobula does so while it starts and stops, runs tasks over
/// shared memory in between, and says so.
#[test]
fn at_every_thread_level() {
    if !cfg!(feature = "mpi") {
        return;
    }
    for level in ["single", "funneled", "serialized", "multiple"] {
        let Some(launch) = launch("communicator", 2) else { continue };
        let finished = launch.arg(level).env("MOBULA_LOG", "info").run().succeeded().said(&["ok: 2 ranks"]);
        // A library may give more than was asked for.
        let given = ["SINGLE", "FUNNELED", "SERIALIZED", "MULTIPLE"];
        let given = given.iter().find(|level| finished.count(&format!("MPI gave {level}")) == 1).expect("it says so");
        let said = finished.count(&format!("MPI thread level {given}: no MPI road after start"));
        assert_eq!(said > 0, *given != "MULTIPLE", "asked for {level}, given {given}:\n{}", finished.output);
    }
}

#[test]
fn a_rank_blocked_in_mpi_serves_its_arrays() {
    if !cfg!(feature = "mpi") {
        return;
    }
    for ranks in [2, 3] {
        let Some(launch) = launch("blocked_in_mpi", ranks) else { continue };
        let finished = launch.env("MOBULA_FABRIC", "mpi").env("MOBULA_LOG", "info").run().succeeded();
        finished.said(&["bulk reads over MPI: "]).said(&[&format!("ok: {ranks} ranks")]);
    }
}

#[test]
fn every_rank_drives() {
    for ranks in [1, 2, 5] {
        let Some(launch) = launch("every_rank_drives", ranks) else { continue };
        let finished = launch.run().succeeded();
        for rank in 0..ranks {
            assert_eq!(finished.count(&format!("ok: rank {rank} of {ranks}")), 1, "{}", finished.output);
        }
    }
}

fn attribute(ranks: u32, way: &str) -> Option<Finished> {
    launch("attribute", ranks).map(|launch| launch.arg(way).run())
}

#[test]
fn a_body_that_ends_well() {
    for ranks in [1, 2] {
        let Some(finished) = attribute(ranks, "well") else { continue };
        let finished = finished.succeeded().said(&[&format!("ok: {ranks} ranks")]);
        assert_eq!(finished.count("the body ended"), 1, "rank 0 alone runs the body:\n{}", finished.output);
        let Some(finished) = attribute(ranks, "early") else { continue };
        finished.succeeded().did_not_say("the body ended");
    }
}

#[test]
fn a_body_that_returns_an_error() {
    for ranks in [1, 2] {
        let Some(finished) = attribute(ranks, "error") else { continue };
        finished.failed().said(&["the task failed"]).did_not_say("the body ended");
    }
}

#[test]
fn a_body_that_panics_leaves_nobody_waiting() {
    for ranks in [1, 2] {
        let Some(finished) = attribute(ranks, "panic") else { continue };
        finished.failed().said(&["the body panicked"]).did_not_say("the body ended");
    }
}

#[test]
fn a_driver_that_exits_leaves_nobody_waiting() {
    for ranks in [1, 2] {
        let Some(finished) = attribute(ranks, "exit") else { continue };
        finished.failed().did_not_say("the body ended");
    }
}

/// What all the other tests rely on: a program that hangs is ended with its descendants, and its output shown.
#[test]
#[should_panic(expected = "did not end in time; until then it printed:\nstarted")]
fn a_program_that_hangs_is_ended() {
    let shell = launcher::found("sh").expect("every system has one");
    let hangs = Launch::alone(&shell).arg("-c").arg("sleep 1000 & echo started; wait");
    hangs.limit(Duration::from_millis(300)).run();
}

#[test]
fn more_ranks_than_cores() {
    let Some(launch) = launch("monte_carlo", 8) else { return };
    assert!(launch.run().succeeded().last_line().starts_with("ok:"));
}
