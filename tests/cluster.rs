//! Every paragraph of the public API: alone, with 2 and with 5 ranks, over shared memory, MPI and TCP; and, where root runs
//! the tests, on the three hosts of a lab, under Slurm. What Slurm and failures add is tested there too.
//!
//! `tests/programs/api` holds the cases. To see one alone: `cargo test --no-run`, then
//! `mpirun -n 2 target/debug/examples/api PARAGRAPH [CASE]`, or
//! `tests/lab/cluster with 3 srun --mpi=pmix -N3 --ntasks-per-node=2 target/debug/examples/api PARAGRAPH [CASE]`.

/// Hands the names of all paragraphs to a macro.
macro_rules! each_paragraph {
    ($with:ident) => {
        $with! { start calls placement resources groups objects arrays memory actors lifetimes errors visualize }
    };
}

#[path = "cluster/copies.rs"]
mod copies;
#[path = "cluster/hosts.rs"]
mod hosts;
mod lab;
mod launcher;
#[path = "cluster/networks.rs"]
mod networks;
#[path = "cluster/outages.rs"]
mod outages;
#[path = "cluster/slurm.rs"]
mod slurm;
#[path = "cluster/way.rs"]
mod way;

use launcher::rendezvous::{TestFolder, all_ranks, launch_ranks};
use launcher::{Finished, Launch, example, no_ranks, show_failures};
use std::time::Duration;

/// Roads between ranks that are forced.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Road {
    Default,
    Mpi,
    /// Without a launcher: the ranks meet through a file.
    Tcp,
}

/// Stores are filled there on each rank in turn, and nobody makes room: how long that is waited for.
const IMPATIENT_S: &str = "1";

/// Runs a paragraph and looks at its last line. `None` where no ranks can be started.
fn paragraph(name: &str, ranks: u32, road: Road) -> Option<Finished> {
    let program = example("api");
    let folder = (road == Road::Tcp).then(|| TestFolder::new(&format!("{name}-{ranks}")));
    let launch = match (&folder, ranks, no_ranks()) {
        (Some(folder), ..) => {
            let launch = launch_ranks(&program, &all_ranks(ranks), ranks, &folder.meeting_file().display().to_string());
            launch.env("MOBULA_FABRIC", "tcp")
        }
        (None, 1, _) => Launch::alone(&program),
        (None, _, None) => Launch::on_ranks(ranks, &program),
        (None, _, Some(reason)) => {
            println!("left out: {reason}");
            return None;
        }
    };
    let launch = if road == Road::Mpi { launch.env("MOBULA_FABRIC", "mpi") } else { launch };
    let launch = if name == "memory" { launch.env("MOBULA_STORE_WAIT_S", IMPATIENT_S) } else { launch };
    let finished = launch.arg(name).limit(Duration::from_secs(300)).run();
    show_failures(&format!("api {name} with {ranks} ranks"), &finished);
    Some(finished.succeeded().printed(&["passed "]))
}

macro_rules! paragraphs {
    ($($name:ident)*) => {$(
        mod $name {
            use super::*;

            #[test]
            fn alone() {
                paragraph(stringify!($name), 1, Road::Default);
            }

            #[test]
            fn with_2_ranks() {
                paragraph(stringify!($name), 2, Road::Default);
            }

            #[test]
            fn with_5_ranks() {
                paragraph(stringify!($name), 5, Road::Default);
            }

            #[test]
            fn with_2_ranks_over_mpi() {
                paragraph(stringify!($name), 2, Road::Mpi);
            }

            #[test]
            fn with_5_ranks_over_mpi() {
                paragraph(stringify!($name), 5, Road::Mpi);
            }

            #[test]
            fn with_2_ranks_over_tcp() {
                paragraph(stringify!($name), 2, Road::Tcp);
            }
        }
    )*};
}

each_paragraph! { paragraphs }

/// Some of them with more ranks; all of them would take twice as long as the rest.
#[test]
fn with_5_ranks_over_tcp() {
    for name in ["calls", "lifetimes", "placement"] {
        paragraph(name, 5, Road::Tcp);
    }
}

/// The lines that the driver prints as tasks fail and speak: who and where first, then what.
#[test]
fn failures_and_lines_of_other_ranks_reach_the_driver() {
    let Some(finished) = paragraph("errors", 2, Road::Default) else { return };
    finished
        .printed(&["(panics rank=1 host=", "pid=", ") ", "number 501 is not to be had"])
        .printed(&["(pours rank=1 host=", "7 litres are missing"])
        .printed(&["(speaks rank=1 host=", ") a line of task number 1"])
        .printed(&["an error line of task number 1"]);
}

#[test]
fn failures_of_the_driver_s_own_process_are_printed_too() {
    let finished = paragraph("errors", 1, Road::Default).expect("it needs no launcher");
    finished.printed(&["(panics rank=0 host=", "number 500 is not to be had"]).printed(&["a line of task number 0"]);
}
