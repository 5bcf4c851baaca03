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
    let finished = way.srun(&lab, &example("api")).arg(name).limit(Duration::from_secs(120)).run();
    show_failures(&format!("api {name} on the hosts of the lab"), &finished);
    finished.succeeded().said(&["passed "]);
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
