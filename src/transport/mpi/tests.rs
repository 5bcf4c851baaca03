//! Runs the conformance suite of transports between processes.

pub(crate) mod launch;

use super::{Comm, LoadedMpi, MpiTransport, ReadMethod, THREAD_MULTIPLE};
use crate::base::Rank;
use crate::base::config::Pages;
use crate::memory::{Arena, Region};
use crate::transport::{Refusal, Transport, conformance};
use std::sync::Arc;

/// A rank with a store and a transport, after the ranks have chosen the read method.
struct Started {
    mpi: &'static LoadedMpi,
    transport: Arc<MpiTransport>,
    arena: Arc<Arena>,
    rank: Rank,
    size: u32,
}

fn started(requested: ReadMethod, store_bytes: u64) -> Started {
    let mpi = launch::library();
    mpi.initialize().unwrap();
    assert_eq!(mpi.thread_level(), THREAD_MULTIPLE as usize);
    let comm = Comm::world(mpi).unwrap();
    let (rank, size) = (comm.rank(), comm.size());
    assert!(size > 1, "started without a launcher");
    let transport = MpiTransport::new(comm, requested).unwrap();
    let arena = Arena::create(store_bytes, Pages::Plain).unwrap();
    transport.register(&Region::Host(arena.clone())).unwrap();
    transport.open_reads();
    println!("rank {rank} reads by {}", transport.read_method());
    Started { mpi, transport, arena, rank, size }
}

impl Started {
    fn run_suite(self) {
        self.run_suite_and_check(|| {});
    }

    fn run_suite_and_check(self, check: impl FnOnce()) {
        let Started { mpi, transport, arena, rank, size } = self;
        conformance::run(&*transport, rank, size, &arena).unwrap();
        check();
        assert!(transport.close(true), "the ranks close together, so their windows are freed");
        assert_eq!(transport.send((rank + 1) % size, &[b"late"]), Err(Refusal::Lost), "MPI-TRANSPORT-4");
        assert_eq!(transport.poll(&mut |_| panic!("an event after close")), 0);
        assert!(!transport.pending());
        drop(transport);
        mpi.finalize();
        launch::print_passed(rank);
    }
}

#[test]
#[ignore = "one rank of the tests below, which start it under mpirun"]
fn rank_reading_by_messages() {
    let started = started(ReadMethod::Messages, 64 << 20);
    assert_eq!(started.transport.read_method(), "messages (as requested)");
    started.run_suite();
}

#[test]
#[ignore = "one rank of the tests below, which start it under mpirun"]
fn rank_reading_by_gets() {
    let started = started(ReadMethod::Gets, 64 << 20);
    // If gets do not work, the suite passes all the same and the line printed above says why.
    let window = started.transport.with_reads(|reads| reads.gets_failed(0)) == Some(false);
    assert_eq!(started.transport.read_method().starts_with("MPI_Rget"), window);
    started.run_suite();
}

#[test]
#[ignore = "one rank of the tests below, which start it under mpirun"]
fn rank_choosing_the_read_method() {
    let started = started(ReadMethod::Faster, 64 << 20);
    let text = started.transport.read_method();
    assert!(text.contains("MPI_Rget") && text.contains("messages"), "it names the times of both methods: {text}");
    started.run_suite();
}

#[test]
#[ignore = "one rank of the tests below, which start it under mpirun"]
fn rank_whose_gets_fail() {
    let started = started(ReadMethod::Gets, 64 << 20);
    if started.transport.read_method().starts_with("MPI_Rget") {
        started.transport.with_reads(|reads| reads.break_gets());
    }
    let (transport, peer) = (started.transport.clone(), (started.rank + 1) % started.size);
    started.run_suite_and_check(|| {
        assert_eq!(
            transport.with_reads(|reads| reads.gets_failed(peer)),
            Some(true),
            "the suite read from rank {peer}"
        );
    });
}

#[test]
fn reads_use_messages_after_gets_fail() {
    launch::run_ranks(2, &launch::test_name(module_path!(), "rank_whose_gets_fail"));
}

#[test]
fn two_ranks_pass_the_suite_by_messages() {
    launch::run_ranks(2, &launch::test_name(module_path!(), "rank_reading_by_messages"));
}

#[test]
fn two_ranks_pass_the_suite_by_gets() {
    launch::run_ranks(2, &launch::test_name(module_path!(), "rank_reading_by_gets"));
}

#[test]
fn three_ranks_pass_the_suite_by_messages() {
    launch::run_ranks(3, &launch::test_name(module_path!(), "rank_reading_by_messages"));
}

#[test]
fn three_ranks_pass_the_suite_by_gets() {
    launch::run_ranks(3, &launch::test_name(module_path!(), "rank_reading_by_gets"));
}

#[test]
fn three_ranks_pass_the_suite_by_the_faster_method() {
    launch::run_ranks(3, &launch::test_name(module_path!(), "rank_choosing_the_read_method"));
}
