//! Every checkable sentence of the public API, as named cases: `api PARAGRAPH [CASE]`.
//!
//! Runs on one rank and under a launcher. Rank 0 is the driver and prints `ok CASE` for each; the last line is `passed
//! N`. With a second argument only the cases whose names contain it are run.

mod actor_lifetimes;
mod actors;
mod arrays;
mod bounds;
mod calls;
mod cases;
mod errors;
mod gate;
mod groups;
mod limits;
mod memory;
mod objects;
mod placement;
mod resources;
mod span;
mod start;
mod visualize;

use cases::Cases;
use mobula::prelude::*;
use std::process::ExitCode;

/// A part of the API.
struct Paragraph {
    name: &'static str,
    config: fn() -> Config,
    run: fn(&mut Cases),
}

const PARAGRAPHS: &[Paragraph] = &[
    Paragraph { name: "start", config: start::config, run: start::run },
    Paragraph { name: "calls", config: ten_cpus, run: calls::run },
    Paragraph { name: "placement", config: ten_cpus, run: placement::run },
    Paragraph { name: "resources", config: ten_cpus, run: resources::run },
    Paragraph { name: "groups", config: ten_cpus, run: groups::run },
    Paragraph { name: "objects", config: ten_cpus, run: objects::run },
    Paragraph { name: "arrays", config: arrays::config, run: arrays::run },
    Paragraph { name: "memory", config: ten_cpus, run: memory::run },
    Paragraph { name: "actors", config: ten_cpus, run: actors::run },
    Paragraph { name: "lifetimes", config: ten_cpus, run: actor_lifetimes::run },
    Paragraph { name: "errors", config: ten_cpus, run: errors::run },
    Paragraph { name: "limits", config: ten_cpus, run: limits::run },
    Paragraph { name: "visualize", config: ten_cpus, run: visualize::run },
];

/// More CPUs than most test hosts have: the runtime counts CPUs, it does not need as many cores.
fn ten_cpus() -> Config {
    Config::default().num_cpus(10.0).num_gpus(2.0).resource("Custom", 1.0).store_bytes(memory::STORE_BYTES)
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let requested = arguments.next().unwrap_or_default();
    let Some(paragraph) = PARAGRAPHS.iter().find(|paragraph| paragraph.name == requested) else {
        let names: Vec<&str> = PARAGRAPHS.iter().map(|paragraph| paragraph.name).collect();
        eprintln!("api PARAGRAPH [CASE]; the paragraphs are: {}", names.join(", "));
        return ExitCode::from(2);
    };
    match run(paragraph, arguments.next()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns true if every case passed.
fn run(paragraph: &Paragraph, only: Option<String>) -> mobula::Result<bool> {
    let cluster = mobula::init((paragraph.config)())?;
    if cluster.rank() != 0 {
        cluster.serve()?;
        return Ok(true);
    }
    let mut cases = Cases::new(only);
    (paragraph.run)(&mut cases);
    cluster.shutdown()?;
    Ok(cases.report())
}
