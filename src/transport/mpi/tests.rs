//! The suite that every fabric passes, between processes.

use super::{Comm, MpiFabric, ReadsBy, launch};
use crate::base::Rank;
use crate::base::config::Pages;
use crate::memory::{Arena, Region};
use crate::transport::{Fabric, Refusal, conformance};
use ::mpi::Threading;
use ::mpi::environment::Universe;
use std::sync::Arc;

/// A rank with a store and a road, whose ranks have decided how reads come.
struct Started {
    universe: Universe,
    road: Arc<MpiFabric>,
    arena: Arc<Arena>,
    rank: Rank,
    size: u32,
}

fn started(wanted: ReadsBy, store_bytes: u64) -> Started {
    let (universe, level) = ::mpi::initialize_with_threading(Threading::Multiple).expect("MPI starts once");
    assert_eq!(level, Threading::Multiple);
    let comm = Comm::world().unwrap();
    let (rank, size) = (comm.rank(), comm.size());
    assert!(size > 1, "started without a launcher");
    let road = MpiFabric::new(comm, wanted).unwrap();
    let arena = Arena::create(store_bytes, Pages::Plain).unwrap();
    road.offer(&Region::Host(arena.clone())).unwrap();
    road.open_reads();
    println!("rank {rank} reads by {}", road.reads_by());
    Started { universe, road, arena, rank, size }
}

impl Started {
    fn passes_the_suite(self) {
        self.passes_the_suite_and(|| {});
    }

    fn passes_the_suite_and(self, check: impl FnOnce()) {
        let Started { universe, road, arena, rank, size } = self;
        conformance::run(&*road, rank, size, &arena).unwrap();
        check();
        assert!(road.close(true), "the ranks part together, so their windows are freed");
        assert_eq!(road.send((rank + 1) % size, &[b"late"]), Err(Refusal::Lost), "M4");
        assert_eq!(road.poll(&mut |_| panic!("an event after close")), 0);
        assert!(!road.pending());
        drop(universe);
        drop(road);
        launch::passed(rank);
    }
}

#[test]
#[ignore = "one rank of the tests below, which start it under mpirun"]
fn a_rank_that_asks() {
    let started = started(ReadsBy::Answers, 64 << 20);
    assert_eq!(started.road.reads_by(), "answers to messages (as asked for)");
    started.passes_the_suite();
}

#[test]
#[ignore = "one rank of the tests below, which start it under mpirun"]
fn a_rank_that_gets() {
    let started = started(ReadsBy::Gets, 64 << 20);
    // Where gets do not work, the suite passes all the same and the line above says why.
    let window = started.road.with_reads(|reads| reads.refused(0)) == Some(false);
    assert_eq!(started.road.reads_by().starts_with("MPI_Rget"), window);
    started.passes_the_suite();
}

#[test]
#[ignore = "one rank of the tests below, which start it under mpirun"]
fn a_rank_that_decides() {
    let started = started(ReadsBy::Faster, 64 << 20);
    let text = started.road.reads_by();
    assert!(text.contains("MPI_Rget") && text.contains("answers"), "it says of both ways what they took: {text}");
    started.passes_the_suite();
}

#[test]
#[ignore = "one rank of the tests below, which start it under mpirun"]
fn a_rank_whose_gets_fail() {
    let started = started(ReadsBy::Gets, 64 << 20);
    if started.road.reads_by().starts_with("MPI_Rget") {
        started.road.with_reads(|reads| reads.break_gets());
    }
    let (road, peer) = (started.road.clone(), (started.rank + 1) % started.size);
    started.passes_the_suite_and(|| {
        assert_eq!(road.with_reads(|reads| reads.refused(peer)), Some(true), "the suite read from rank {peer}");
    });
}

#[test]
fn reads_whose_gets_fail_come_in_answers() {
    launch::ranks(2, &launch::test_name(module_path!(), "a_rank_whose_gets_fail"));
}

#[test]
fn two_ranks_pass_the_suite_by_answers() {
    launch::ranks(2, &launch::test_name(module_path!(), "a_rank_that_asks"));
}

#[test]
fn two_ranks_pass_the_suite_by_gets() {
    launch::ranks(2, &launch::test_name(module_path!(), "a_rank_that_gets"));
}

#[test]
fn three_ranks_pass_the_suite_by_answers() {
    launch::ranks(3, &launch::test_name(module_path!(), "a_rank_that_asks"));
}

#[test]
fn three_ranks_pass_the_suite_by_gets() {
    launch::ranks(3, &launch::test_name(module_path!(), "a_rank_that_gets"));
}

#[test]
fn three_ranks_pass_the_suite_as_they_decide() {
    launch::ranks(3, &launch::test_name(module_path!(), "a_rank_that_decides"));
}
