//! The common part of two programs that do not match.

use mobula::prelude::*;
use std::process::ExitCode;

/// Starts a cluster, and a task if that succeeds.
pub fn start(task: impl FnOnce() -> ObjectRef<u64>) -> ExitCode {
    let outcome = mobula::init(Config::default().store_bytes(32 << 20)).and_then(|cluster| {
        if cluster.rank() == 0 {
            println!("started, and got {}", *task().get()?);
            cluster.shutdown()
        } else {
            cluster.serve()
        }
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
