//! All forms of start and shutdown: the attribute, the library forms, inside an MPI program; and all examples.

mod launcher;

use launcher::{Finished, Launch, example, find_program, no_ranks};
use std::process::Command;
use std::time::Duration;

/// Launches a program alone, or on several ranks if there is a launcher.
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

/// Runs a program without arguments alone and on 2 ranks; each run must succeed with a line that begins with `ok:`.
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

/// The MPI library is the launcher's, whichever that is; the program names none.
#[test]
fn one_build_runs_under_every_launcher_that_is_installed() {
    if !cfg!(feature = "mpi") {
        return;
    }
    let program = example("lifecycle");
    let linked = Command::new("ldd").arg(&program).output().expect("ldd is there");
    let linked = String::from_utf8_lossy(&linked.stdout).into_owned();
    assert!(!linked.contains("libmpi"), "{linked}");
    for (launcher, library) in [("mpirun.openmpi", "(Open MPI"), ("mpirun.mpich", "(MPICH")] {
        let Some(launcher) = find_program(launcher) else {
            println!("left out: there is no {launcher}");
            continue;
        };
        let launch = Launch::alone(&launcher).arg("-n").arg("2").arg(&program).env("MOBULA_FABRIC", "mpi");
        let finished = launch.limit(Duration::from_secs(90)).env("MOBULA_LOG", "info").run().succeeded();
        finished.printed(&[library]).printed(&["served: rank 1 of 2"]);
    }
}

#[test]
fn library_form_alone_succeeds() {
    launch("lifecycle", 1).expect("it needs no launcher").run().succeeded().printed(&["ok: started and stopped"]);
}

#[test]
fn library_form_with_3_ranks_succeeds() {
    let Some(launch) = launch("lifecycle", 3) else { return };
    launch
        .run()
        .succeeded()
        .printed(&["ok: started and stopped"])
        .printed(&["served: rank 1 of 3"])
        .printed(&["served: rank 2 of 3"]);
}

#[test]
fn cluster_inside_an_mpi_program_succeeds() {
    if !cfg!(feature = "mpi") {
        return;
    }
    for (ranks, threads) in [(1, "multiple"), (2, "multiple"), (5, "multiple"), (2, "single")] {
        let Some(launch) = launch("communicator", ranks) else { continue };
        launch.arg(threads).run().succeeded().printed(&[&format!("ok: {ranks} ranks")]);
    }
}

/// Below MULTIPLE only the program's own thread may call MPI: mobula does so during start and shutdown, runs tasks over
/// shared memory in between, and logs it.
#[test]
fn cluster_runs_at_every_mpi_thread_level() {
    if !cfg!(feature = "mpi") {
        return;
    }
    for level in ["single", "funneled", "serialized", "multiple"] {
        let Some(launch) = launch("communicator", 2) else { continue };
        let finished = launch.arg(level).env("MOBULA_LOG", "info").run().succeeded().printed(&["ok: 2 ranks"]);
        // A library may give more than was requested.
        let given = ["SINGLE", "FUNNELED", "SERIALIZED", "MULTIPLE"];
        let given =
            given.iter().find(|level| finished.count(&format!("MPI gave {level}")) == 1).expect("the level is printed");
        let logged = finished.count(&format!("MPI thread level {given}: no MPI transport after start"));
        assert_eq!(logged > 0, *given != "MULTIPLE", "requested {level}, given {given}:\n{}", finished.output);
    }
}

#[test]
fn rank_blocked_in_mpi_serves_its_arrays() {
    if !cfg!(feature = "mpi") {
        return;
    }
    for ranks in [2, 3] {
        let Some(launch) = launch("blocked_in_mpi", ranks) else { continue };
        let finished = launch.env("MOBULA_FABRIC", "mpi").env("MOBULA_LOG", "info").run().succeeded();
        finished.printed(&["bulk reads over MPI: "]).printed(&[&format!("ok: {ranks} ranks")]);
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

fn attribute(ranks: u32, case: &str) -> Option<Finished> {
    launch("attribute", ranks).map(|launch| launch.arg(case).run())
}

#[test]
fn body_that_returns_succeeds() {
    for ranks in [1, 2] {
        let Some(finished) = attribute(ranks, "well") else { continue };
        let finished = finished.succeeded().printed(&[&format!("ok: {ranks} ranks")]);
        assert_eq!(finished.count("the body ended"), 1, "rank 0 alone runs the body:\n{}", finished.output);
        let Some(finished) = attribute(ranks, "early") else { continue };
        finished.succeeded().did_not_print("the body ended");
    }
}

#[test]
fn body_that_returns_an_error_fails_the_launch() {
    for ranks in [1, 2] {
        let Some(finished) = attribute(ranks, "error") else { continue };
        finished.failed().printed(&["the task failed"]).did_not_print("the body ended");
    }
}

#[test]
fn body_that_panics_ends_all_ranks() {
    for ranks in [1, 2] {
        let Some(finished) = attribute(ranks, "panic") else { continue };
        finished.failed().printed(&["the body panicked"]).did_not_print("the body ended");
    }
}

#[test]
fn driver_that_exits_ends_all_ranks() {
    for ranks in [1, 2] {
        let Some(finished) = attribute(ranks, "exit") else { continue };
        finished.failed().did_not_print("the body ended");
    }
}

/// All other tests rely on this: a program that hangs is killed with its descendants, and its output is shown.
#[test]
#[should_panic(expected = "did not end in time; until then it printed:\nstarted")]
fn program_that_hangs_is_killed() {
    let shell = launcher::find_program("sh").expect("every system has one");
    let hangs = Launch::alone(&shell).arg("-c").arg("sleep 1000 & echo started; wait");
    hangs.limit(Duration::from_millis(300)).run();
}

#[test]
fn more_ranks_than_cores_succeed() {
    let Some(launch) = launch("monte_carlo", 8) else { return };
    assert!(launch.run().succeeded().last_line().starts_with("ok:"));
}
