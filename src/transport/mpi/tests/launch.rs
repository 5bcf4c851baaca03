//! Runs one test of this binary as several ranks, under `MPIRUN` or `mpirun`.

use crate::transport::mpi::{Abi, LoadedMpi, open};
use std::process::Command;

/// Prints that a rank has passed its test: the exit codes of launchers prove little.
pub fn print_passed(rank: u32) {
    println!("rank {rank} passed");
}

/// The library of the launcher of this rank.
pub fn library() -> &'static LoadedMpi {
    let abi = if std::env::var_os("PMI_SIZE").is_some() { Abi::Mpich } else { Abi::OpenMpi };
    open(None, &[abi]).expect("the launcher's library is installed")
}

/// Starts `count` ranks that each run the ignored test `name` (as libtest names it), and checks that each passed.
pub fn run_ranks(count: u32, name: &str) {
    let named = std::env::var("MPIRUN").ok().filter(|name| !name.is_empty());
    let launchers: Vec<&str> = named.as_deref().into_iter().chain(["mpirun.openmpi", "mpirun"]).collect();
    let program = std::env::current_exe().expect("the path of this test");
    for launcher in &launchers {
        let ran = Command::new(launcher)
            .args(["-n", &count.to_string()])
            .arg(&program)
            .args(["--exact", name, "--ignored", "--nocapture", "--test-threads=1"])
            .envs([("OMPI_ALLOW_RUN_AS_ROOT", "1"), ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")])
            .envs([
                ("OMPI_MCA_rmaps_base_oversubscribe", "1"),
                ("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe"),
            ])
            .output();
        let Ok(output) = ran else { continue };
        let stdout = String::from_utf8_lossy(&output.stdout);
        let missing: Vec<u32> = (0..count).filter(|rank| !stdout.contains(&format!("rank {rank} passed"))).collect();
        assert!(
            missing.is_empty() && output.status.success(),
            "{launcher} -n {count} {name}: {}, ranks {missing:?} did not pass\n{stdout}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        return;
    }
    panic!("none of {launchers:?} is installed: this test needs a launcher of MPI");
}

/// The name by which libtest knows the test `function` of the module whose `module_path!()` is given.
pub fn test_name(module_path: &str, function: &str) -> String {
    let inside = module_path.split_once("::").map_or(module_path, |(_, inside)| inside);
    format!("{inside}::{function}")
}
