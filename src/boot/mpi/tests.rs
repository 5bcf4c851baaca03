//! Joining under a launcher.

use super::{detect_launcher, join};
use crate::base::{Config, Error};
use crate::boot::World;
use crate::transport::mpi::launch;
use crate::transport::{Transport, TransportEvent};
use std::sync::Arc;

#[test]
#[ignore = "one rank of the tests below, which start it under mpirun"]
fn a_rank() {
    let launched_by = detect_launcher().expect("started under a launcher");
    let World { rank, size, launcher, mut exchange, mpi, secret, survives_rank_death } =
        join(launched_by.clone(), &Config::default()).unwrap();
    assert_eq!(Some(size), launched_by.ranks);
    assert!(launcher.starts_with(launched_by.command) && launcher.contains("MPI"), "{launcher}");
    for round in 0..3 {
        let mine = vec![rank as u8; (rank as usize + round) * 1000];
        let all = exchange.allgather(&mine).unwrap();
        assert_eq!(all.len(), size as usize);
        for (peer, theirs) in all.iter().enumerate() {
            assert_eq!(*theirs, vec![peer as u8; (peer + round) * 1000]);
        }
        exchange.barrier().unwrap();
    }
    send_around_the_ring(&mpi.expect("MPI_THREAD_MULTIPLE gives a transport"), rank, size);
    let secrets = exchange.allgather(secret.bytes()).unwrap();
    assert!(secrets.iter().all(|theirs| theirs == secret.bytes()), "one secret for all");
    assert!(!survives_rank_death, "a launcher of MPI ends all ranks with the first");
    exchange.barrier().unwrap();
    drop(exchange);
    let again = join(launched_by, &Config::default()).err().expect("MPI starts once");
    assert!(matches!(&again, Error::Config { message, .. } if message.contains("init_with_comm")), "{again}");
    launch::print_passed(rank);
}

/// Each rank sends to the next one and receives from the previous one.
fn send_around_the_ring(transport: &Arc<dyn Transport>, rank: u32, size: u32) {
    transport.send((rank + 1) % size, &[&rank.to_le_bytes()]).unwrap();
    let mut received = None;
    while received.is_none() {
        transport.poll(&mut |event| match event {
            TransportEvent::Message { from, bytes } => received = Some((from, bytes.to_vec())),
            _ => panic!("nothing else was requested"),
        });
        std::thread::yield_now();
    }
    let before = (rank + size - 1) % size;
    assert_eq!(received, Some((before, before.to_le_bytes().to_vec())));
}

#[test]
fn two_ranks_join() {
    launch::run_ranks(2, &launch::test_name(module_path!(), "a_rank"));
}

#[test]
fn five_ranks_join() {
    launch::run_ranks(5, &launch::test_name(module_path!(), "a_rank"));
}
