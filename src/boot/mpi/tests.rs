//! Joining under a launcher.

use super::{join, launched};
use crate::base::{Config, Error};
use crate::boot::World;
use crate::transport::mpi::launch;
use crate::transport::{Event, Fabric};
use std::sync::Arc;

#[test]
#[ignore = "one rank of the tests below, which start it under mpirun"]
fn a_rank() {
    let launched = launched().expect("started under a launcher");
    let World { rank, size, launcher, mut exchange, mpi, secret, outlives } =
        join(launched.clone(), &Config::default()).unwrap();
    assert_eq!(Some(size), launched.ranks);
    assert!(launcher.starts_with(launched.command) && launcher.contains("MPI"), "{launcher}");
    for round in 0..3 {
        let mine = vec![rank as u8; (rank as usize + round) * 1000];
        let all = exchange.allgather(&mine).unwrap();
        assert_eq!(all.len(), size as usize);
        for (peer, theirs) in all.iter().enumerate() {
            assert_eq!(*theirs, vec![peer as u8; (peer + round) * 1000]);
        }
        exchange.barrier().unwrap();
    }
    round_the_ring(&mpi.expect("MPI_THREAD_MULTIPLE gives a road"), rank, size);
    let secrets = exchange.allgather(secret.bytes()).unwrap();
    assert!(secrets.iter().all(|theirs| theirs == secret.bytes()), "one secret for all");
    assert!(!outlives, "a launcher of MPI ends all ranks with the first");
    exchange.barrier().unwrap();
    drop(exchange);
    let again = join(launched, &Config::default()).err().expect("MPI starts once");
    assert!(matches!(&again, Error::Config { message } if message.contains("init_with_comm")), "{again}");
    launch::passed(rank);
}

/// Each rank sends to the next one and hears from the one before.
fn round_the_ring(road: &Arc<dyn Fabric>, rank: u32, size: u32) {
    road.send((rank + 1) % size, &[&rank.to_le_bytes()]).unwrap();
    let mut heard = None;
    while heard.is_none() {
        road.poll(&mut |event| match event {
            Event::Message { from, bytes } => heard = Some((from, bytes.to_vec())),
            _ => panic!("nothing else was asked for"),
        });
        std::thread::yield_now();
    }
    let before = (rank + size - 1) % size;
    assert_eq!(heard, Some((before, before.to_le_bytes().to_vec())));
}

#[test]
fn two_ranks_join() {
    launch::ranks(2, &launch::test_name(module_path!(), "a_rank"));
}

#[test]
fn five_ranks_join() {
    launch::ranks(5, &launch::test_name(module_path!(), "a_rank"));
}
