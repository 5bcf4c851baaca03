//! Every paragraph of the public API: with 1, 2 and 5 ranks, over shared memory, MPI and TCP; and, if root runs the
//! tests, on the three hosts of a lab, under Slurm. Slurm and failures of hosts are tested there too.
//!
//! `tests/programs/api` holds the cases. To run one: `cargo test --no-run`, then
//! `mpirun -n 2 target/debug/examples/api PARAGRAPH [CASE]`, or
//! `tests/lab/cluster with 3 srun --mpi=pmix -N3 --ntasks-per-node=2 target/debug/examples/api PARAGRAPH [CASE]`.

/// Passes the names of all paragraphs to a macro.
macro_rules! each_paragraph {
    ($with:ident) => {
        $with! { start calls placement resources groups objects arrays memory actors lifetimes errors visualize }
    };
}

#[path = "cluster/copies.rs"]
mod copies;
#[path = "cluster/grants.rs"]
mod grants;
#[path = "cluster/hosts.rs"]
mod hosts;
mod lab;
#[path = "cluster/launch_mode.rs"]
mod launch_mode;
mod launcher;
#[path = "cluster/networks.rs"]
mod networks;
#[path = "cluster/outages.rs"]
mod outages;
#[path = "cluster/short_calls.rs"]
mod short_calls;
#[path = "cluster/slurm.rs"]
mod slurm;
#[path = "cluster/step_ends.rs"]
mod step_ends;

use launcher::rendezvous::{TestFolder, all_ranks, launch_ranks};
use launcher::{Finished, Launch, example, no_ranks, show_failures};
use std::time::Duration;

/// The transport between ranks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Transport {
    /// The one that the runtime chooses.
    Default,
    Mpi,
    /// Without a launcher: the ranks meet through a file.
    Tcp,
}

/// `MOBULA_STORE_WAIT_S` of the paragraph `memory`, which fills the store of each rank in turn and frees nothing.
const STORE_WAIT_S: &str = "1";

/// Runs a paragraph and checks its last line. `None` if ranks cannot be started here.
fn paragraph(name: &str, ranks: u32, transport: Transport) -> Option<Finished> {
    let program = example("api");
    let folder = (transport == Transport::Tcp).then(|| TestFolder::new(&format!("{name}-{ranks}")));
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
    let launch = if transport == Transport::Mpi { launch.env("MOBULA_FABRIC", "mpi") } else { launch };
    let launch = if name == "memory" { launch.env("MOBULA_STORE_WAIT_S", STORE_WAIT_S) } else { launch };
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
                paragraph(stringify!($name), 1, Transport::Default);
            }

            #[test]
            fn with_2_ranks() {
                paragraph(stringify!($name), 2, Transport::Default);
            }

            #[test]
            fn with_5_ranks() {
                paragraph(stringify!($name), 5, Transport::Default);
            }

            #[test]
            fn with_2_ranks_over_mpi() {
                paragraph(stringify!($name), 2, Transport::Mpi);
            }

            #[test]
            fn with_5_ranks_over_mpi() {
                paragraph(stringify!($name), 5, Transport::Mpi);
            }

            #[test]
            fn with_2_ranks_over_tcp() {
                paragraph(stringify!($name), 2, Transport::Tcp);
            }
        }
    )*};
}

each_paragraph! { paragraphs }

/// Only some paragraphs: all of them would double the time of the tests.
#[test]
fn some_paragraphs_with_5_ranks_over_tcp() {
    for name in ["calls", "lifetimes", "placement"] {
        paragraph(name, 5, Transport::Tcp);
    }
}

/// The driver prints the lines and errors of tasks after the task's name and place.
#[test]
fn failures_and_lines_of_other_ranks_are_printed_by_the_driver() {
    let Some(finished) = paragraph("errors", 2, Transport::Default) else { return };
    finished
        .printed(&["(panics rank=1 host=", "pid=", ") ", "number 501 is not available"])
        .printed(&["(pours rank=1 host=", "7 litres are missing"])
        .printed(&["(prints rank=1 host=", ") a line of task number 1"])
        .printed(&["an error line of task number 1"]);
}

#[test]
fn failures_in_the_driver_s_process_are_printed_too() {
    let finished = paragraph("errors", 1, Transport::Default).expect("it needs no launcher");
    finished.printed(&["(panics rank=0 host=", "number 500 is not available"]).printed(&["a line of task number 0"]);
}
