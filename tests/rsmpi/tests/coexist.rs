//! A program that is linked with an MPI library: mobula finds that library in it, and its handles fit.
#![cfg(feature = "mpi")]

#[path = "../../launcher/mod.rs"]
mod launcher;

use launcher::{Launch, no_ranks, uses_mpich};
use std::path::Path;
use std::process::Command;

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_mpi_coexist"))
}

/// True if the program is linked with the library of the launcher.
fn is_of_launcher() -> bool {
    let linked = Command::new("ldd").arg(program()).output().expect("ldd is there");
    let linked = String::from_utf8_lossy(&linked.stdout).into_owned();
    assert!(linked.contains("libmpi"), "the crate mpi links a library:\n{linked}");
    // Open MPI's is libmpi.so.40; MPICH's is libmpich.so.12, or libmpi.so.12 outside of Debian.
    (linked.contains("libmpich") || linked.contains("libmpi.so.12")) == uses_mpich()
}

#[test]
fn tasks_run_beside_the_program_s_own_mpi() {
    Launch::alone(program()).run().succeeded().printed(&["ok: MPI", "1 ranks"]);
    if let Some(reason) = no_ranks() {
        return println!("left out: {reason}");
    }
    if !is_of_launcher() {
        return println!("left out: the program is linked with another library than the launcher's");
    }
    Launch::on_ranks(2, program()).run().succeeded().printed(&["ok: MPI", "2 ranks"]);
}
