//! One case in which a rank dies or stands still: `mortal CASE`, on 4 ranks. Rank 0 drives and kills (SIGKILL), looks at what every part of
//! the API says then, and at last prints `passed CASE`.

mod actors;
mod afar;
mod ends;
mod groups;
mod lineage;
mod objects;
mod resources;
mod still;
mod tasks;
mod victims;

use mobula::prelude::*;
use std::process::ExitCode;

/// What a case says: an error or a panic is a failure.
pub type Outcome = Result<(), Box<dyn std::error::Error>>;

const CASES: &[(&str, fn() -> Outcome)] = &[
    ("no-retries", tasks::no_retries),
    ("lists", tasks::lists),
    ("sent-to-the-dead", tasks::sent_to_the_dead),
    ("arguments-gone", tasks::arguments_gone),
    ("stolen", tasks::stolen),
    ("calls", actors::calls),
    ("names", actors::names),
    ("orphans", actors::orphans),
    ("objects", objects::objects),
    ("made-again", lineage::made_again),
    ("resource", resources::resource),
    ("groups", groups::groups),
    ("first-of-the-host", resources::first_of_the_host),
    ("idle", ends::idle),
    ("stopped", ends::stopped),
    ("given-up", still::given_up),
    ("still-while-others-leave", still::while_others_leave),
    ("given-up-afar", afar::given_up),
    ("busy-afar", afar::busy),
    ("quiet-afar", afar::quiet),
    ("told-by-another", afar::told_by_another),
    ("driver-stands-still", afar::driver_stands_still),
    ("host-is-lost", afar::host_is_lost),
    ("while-others-leave", ends::while_others_leave),
    ("while-ranks-part", ends::while_ranks_part),
    ("driver-leaves", ends::driver_leaves),
];

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let Some((name, case)) = CASES.iter().find(|(name, _)| *name == wanted) else {
        let names: Vec<&str> = CASES.iter().map(|(name, _)| *name).collect();
        eprintln!("mortal CASE; the cases are: {}", names.join(", "));
        return ExitCode::from(2);
    };
    // More CPUs than most hosts that run tests have: what runs at once is a matter of counting, not of cores.
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

/// Whether this rank ran the case.
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
