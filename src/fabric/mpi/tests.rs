//! The suite that every fabric passes, between processes.

use super::{Comm, MpiFabric, launch};
use crate::base::config::Pages;
use crate::fabric::{Fabric, Refusal, conformance};
use crate::mem::Arena;
use ::mpi::Threading;

#[test]
#[ignore = "one rank of the tests below, which start it under mpirun"]
fn a_rank() {
    let (universe, level) = ::mpi::initialize_with_threading(Threading::Multiple).expect("MPI starts once");
    assert_eq!(level, Threading::Multiple);
    let comm = Comm::world().unwrap();
    let (rank, size) = (comm.rank(), comm.size());
    assert!(size > 1, "started without a launcher");
    let road = MpiFabric::new(comm).unwrap();
    let arena = Arena::create(64 << 20, Pages::Plain).unwrap();
    road.set_arena(arena.clone());
    conformance::run(&*road, rank, size, &arena).unwrap();
    road.close();
    assert_eq!(road.send((rank + 1) % size, &[b"late"]), Err(Refusal::Lost), "M4");
    assert_eq!(road.poll(&mut |_| panic!("an event after close")), 0);
    assert!(!road.pending());
    drop(universe);
    drop(road);
    launch::passed(rank);
}

#[test]
fn two_ranks_pass_the_suite() {
    launch::ranks(2, &launch::test_name(module_path!(), "a_rank"));
}

#[test]
fn three_ranks_pass_the_suite() {
    launch::ranks(3, &launch::test_name(module_path!(), "a_rank"));
}
