//! Every paragraph of the public API on three hosts with two ranks each, started by Slurm: over MPI and over TCP.

use crate::lab;
use crate::launcher::{example, show_failures};
use crate::way::Way;
use std::time::Duration;

fn paragraph(name: &str, way: Way) {
    if !way.is_there() {
        return;
    }
    let Some(lab) = lab::shared() else { return };
    let launch = way.srun(&lab, &example("api")).arg(name).limit(Duration::from_secs(120));
    let launch = if name == "memory" { launch.env("MOBULA_STORE_WAIT_S", crate::IMPATIENT_S) } else { launch };
    let finished = launch.run();
    show_failures(&format!("api {name} on the hosts of the lab"), &finished);
    finished.succeeded().printed(&["passed "]);
}

macro_rules! on_hosts {
    ($($name:ident)*) => {$(
        mod $name {
            use super::*;

            #[test]
            fn on_3_hosts_over_mpi() {
                paragraph(stringify!($name), Way::Mpi);
            }

            #[test]
            fn on_3_hosts_over_tcp() {
                paragraph(stringify!($name), Way::Tcp);
            }
        }
    )*};
}

each_paragraph! { on_hosts }

/// Below MPI_THREAD_MULTIPLE only the thread that joined may call MPI: between hosts TCP serves, and the banner says why.
#[test]
fn a_program_with_one_mpi_thread_is_served_by_tcp() {
    if !Way::Mpi.is_there() {
        return;
    }
    let Some(lab) = lab::shared() else { return };
    let launch = Way::Mpi.srun(&lab, &example("communicator")).env("MOBULA_LOG", "info").arg("funneled");
    let finished = launch.limit(Duration::from_secs(120)).run();
    finished.succeeded().printed(&["t = tcp: other host", "MPI thread level FUNNELED"]).printed(&["ok: 6 ranks"]);
}
