//! One case in which a rank dies or is stopped: `mortal CASE`, on 4 ranks. Rank 0 is the driver: it kills (SIGKILL),
//! checks what every part of the API then returns, and finally prints `passed CASE`.

mod actors;
mod ends;
mod groups;
mod lineage;
mod objects;
mod other_hosts;
mod resources;
mod stopped;
mod tasks;
mod victims;

use mobula::prelude::*;
use std::process::ExitCode;

/// The result of a case: an error or a panic is a failure.
pub type Outcome = Result<(), Box<dyn std::error::Error>>;

const CASES: &[(&str, fn() -> Outcome)] = &[
    ("no-retries", tasks::no_retries),
    ("lists", tasks::lists),
    ("sent-to-dead-rank", tasks::sent_to_dead_rank),
    ("arguments-lost", tasks::arguments_lost),
    ("stolen", tasks::stolen),
    ("calls", actors::calls),
    ("names", actors::names),
    ("owner-dies", actors::owner_dies),
    ("objects", objects::objects),
    ("recomputed", lineage::recomputed),
    ("resource", resources::resource),
    ("groups", groups::groups),
    ("first-of-host", resources::first_of_host),
    ("idle", ends::idle),
    ("stopped", ends::stopped),
    ("stopped-too-long", stopped::too_long),
    ("stopped-during-shutdown", stopped::during_shutdown),
    ("silent-host", other_hosts::silent),
    ("busy-hosts", other_hosts::busy),
    ("quiet-hosts", other_hosts::quiet),
    ("suspected-by-another", other_hosts::suspected_by_another),
    ("silent-driver", other_hosts::silent_driver),
    ("host-lost", other_hosts::host_lost),
    ("dies-before-shutdown-ready", ends::dies_before_shutdown_ready),
    ("dies-during-shutdown", ends::dies_during_shutdown),
    ("driver-dies-during-shutdown", ends::driver_dies_during_shutdown),
];

fn main() -> ExitCode {
    let requested = std::env::args().nth(1).unwrap_or_default();
    let Some((name, case)) = CASES.iter().find(|(name, _)| *name == requested) else {
        let names: Vec<&str> = CASES.iter().map(|(name, _)| *name).collect();
        eprintln!("mortal CASE; the cases are: {}", names.join(", "));
        return ExitCode::from(2);
    };
    // More CPUs than most test hosts have: the runtime counts CPUs, it does not need as many cores.
    match run(*case, Config::default().num_cpus(10.0).resource("Key", 1.0)) {
        Ok(true) => println!("passed {name}"),
        Ok(false) => {}
        Err(error) => {
            eprintln!("FAILED {name}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Returns true if this rank ran the case.
fn run(case: fn() -> Outcome, config: Config) -> Result<bool, Box<dyn std::error::Error>> {
    let cluster = mobula::init(config)?;
    if cluster.rank() != 0 {
        cluster.serve()?;
        return Ok(false);
    }
    case()?;
    cluster.shutdown()?;
    Ok(true)
}
