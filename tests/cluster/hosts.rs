//! Every paragraph of the public API on three hosts with two ranks each, started by Slurm: over MPI and over TCP.

use crate::lab;
use crate::launch_mode::LaunchMode;
use crate::launcher::{example, show_failures};
use std::time::Duration;

fn paragraph(name: &str, mode: LaunchMode) {
    if !mode.is_available() {
        return;
    }
    let Some(lab) = lab::shared() else { return };
    let launch = mode.srun(&lab, &example("api")).arg(name).limit(Duration::from_secs(120));
    let launch = if name == "memory" { launch.env("MOBULA_STORE_WAIT_S", crate::STORE_WAIT_S) } else { launch };
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
                paragraph(stringify!($name), LaunchMode::Mpi);
            }

            #[test]
            fn on_3_hosts_over_tcp() {
                paragraph(stringify!($name), LaunchMode::Tcp);
            }
        }
    )*};
}

each_paragraph! { on_hosts }

/// Below MPI_THREAD_MULTIPLE only the thread that joined may call MPI: TCP connects the hosts, and the banner tells
/// why.
#[test]
fn program_with_one_mpi_thread_uses_tcp_between_hosts() {
    if !LaunchMode::Mpi.is_available() {
        return;
    }
    let Some(lab) = lab::shared() else { return };
    let launch = LaunchMode::Mpi.srun(&lab, &example("communicator")).env("MOBULA_LOG", "info").arg("funneled");
    let finished = launch.limit(Duration::from_secs(120)).run();
    finished.succeeded().printed(&["t = tcp: other host", "MPI thread level FUNNELED"]).printed(&["ok: 6 ranks"]);
}
