//! Every sentence of the public API that can be checked, as named cases: `api PARAGRAPH [CASE]`.
//!
//! Runs alone and under a launcher. Rank 0 drives and prints `ok CASE` for each; the last line is `passed N`. With a second
//! argument only the cases whose names contain it are run.

mod actor_lives;
mod actors;
mod arrays;
mod calls;
mod cases;
mod errors;
mod gate;
mod groups;
mod limits;
mod memory;
mod objects;
mod placing;
mod resources;
mod seeing;
mod span;
mod start;

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
    Paragraph { name: "placing", config: ten_cpus, run: placing::run },
    Paragraph { name: "resources", config: ten_cpus, run: resources::run },
    Paragraph { name: "groups", config: ten_cpus, run: groups::run },
    Paragraph { name: "objects", config: ten_cpus, run: objects::run },
    Paragraph { name: "arrays", config: arrays::config, run: arrays::run },
    Paragraph { name: "memory", config: ten_cpus, run: memory::run },
    Paragraph { name: "actors", config: ten_cpus, run: actors::run },
    Paragraph { name: "lives", config: ten_cpus, run: actor_lives::run },
    Paragraph { name: "errors", config: ten_cpus, run: errors::run },
    Paragraph { name: "limits", config: ten_cpus, run: limits::run },
    Paragraph { name: "seeing", config: ten_cpus, run: seeing::run },
];

/// More CPUs than most hosts that run tests have: what runs at once is a matter of counting, not of cores.
fn ten_cpus() -> Config {
    Config::default().num_cpus(10.0).num_gpus(2.0).resource("Custom", 1.0).store_bytes(memory::STORE_BYTES)
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let wanted = arguments.next().unwrap_or_default();
    let Some(paragraph) = PARAGRAPHS.iter().find(|paragraph| paragraph.name == wanted) else {
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

/// Whether every case passed.
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
