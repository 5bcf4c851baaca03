//! Two ranks in one process: a rank is a value, with its own threads, store, transports and tables.

use crate::base::{Config, Result};
use crate::boot::{Exchange, NoMpiTransport, World};
use crate::objects::{Array, ObjectRef};
use crate::runtime::lifecycle::start_rank;
use crate::runtime::{Runtime, Session, put_array};
use crate::transport::tcp::handshake::Secret;
use std::sync::{Arc, Barrier, Mutex};

/// Where the threads that stand for processes meet.
struct TestMeeting {
    bytes: Mutex<Vec<Vec<u8>>>,
    barrier: Barrier,
}

/// Collectives of the ranks of one process.
struct ThreadExchange {
    rank: usize,
    meeting: Arc<TestMeeting>,
}

impl Exchange for ThreadExchange {
    fn allgather(&mut self, mine: &[u8]) -> Result<Vec<Vec<u8>>> {
        self.meeting.bytes.lock().expect("no panic")[self.rank] = mine.to_vec();
        self.meeting.barrier.wait();
        let all = self.meeting.bytes.lock().expect("no panic").clone();
        self.meeting.barrier.wait();
        Ok(all)
    }

    fn barrier(&mut self) -> Result<()> {
        self.meeting.barrier.wait();
        Ok(())
    }
}

/// Runs `body` with the session of each rank, on a thread each.
fn with_ranks(size: u32, body: impl Fn(&Session) + Sync) {
    let meeting = Arc::new(TestMeeting {
        bytes: Mutex::new(vec![Vec::new(); size as usize]),
        barrier: Barrier::new(size as usize),
    });
    let secret = Secret::from_bytes([7; 32]);
    std::thread::scope(|scope| {
        for rank in 0..size {
            let (meeting, secret, body) = (meeting.clone(), secret.clone(), &body);
            scope.spawn(move || {
                let world = World {
                    rank,
                    size,
                    launcher: "a test".to_string(),
                    exchange: Box::new(ThreadExchange { rank: rank as usize, meeting }),
                    mpi: Err(NoMpiTransport::NotStarted),
                    secret,
                    survives_rank_death: true,
                };
                let config = Config::default().workers(1).num_cpus(f64::from(size)).store_bytes(8 << 20).pin(false);
                let session = start_rank(world, config, Runtime::bind_thread).expect("it starts");
                body(&session);
                session.shutdown().expect("it stops");
            });
        }
    });
}

#[mobula::remote]
fn rank_and_sum(numbers: Array<u64>) -> (u32, u64) {
    (mobula::context().rank(), numbers.as_slice().iter().sum())
}

/// Each rank's reference, that of the other rank's array, and an array of its own, which the program keeps.
type KeptValues = (ObjectRef<Array<u64>>, ObjectRef<Array<u64>>, Array<u64>);

#[mobula::remote]
fn ones(length: u64) -> Result<Array<u64>> {
    put_array(&vec![1; length as usize])
}

/// The next cluster had objects of the same numbers, and other bytes at the same places of its stores: those arrived.
#[test]
fn values_of_an_ended_cluster_arrive_as_they_were_in_the_next_one() {
    const LENGTH: u64 = 50_000;
    let kept: Mutex<Vec<(u32, KeptValues)>> = Mutex::new(Vec::new());
    with_ranks(2, |session| {
        let rank = session.runtime().cluster.rank;
        let (own, others) = (ones::on(rank).remote(LENGTH), ones::on(1 - rank).remote(LENGTH));
        for (at, reference) in [(1 - rank, &own), (rank, &others), (1 - rank, &others)] {
            assert_eq!(*rank_and_sum::on(at).remote(reference).get().expect("it runs"), (at, LENGTH));
        }
        let array = put_array(&vec![2; LENGTH as usize]).expect("there is space");
        kept.lock().expect("no panic").push((rank, (own, others, array)));
    });
    with_ranks(2, |session| {
        let rank = session.runtime().cluster.rank;
        let other = 1 - rank;
        let (zeros, unused) = (vec![0; LENGTH as usize], vec![3; 10]);
        let news: Vec<_> = (0..4).map(|_| mobula::put_array(&zeros).expect("there is space")).collect();
        // Of the numbers that the kept ones had, if they began again.
        let references: Vec<_> = (0..20).map(|_| mobula::put(unused.clone()).expect("there is space")).collect();
        let sent = news.iter().map(|array| rank_and_sum::on(other).remote(array));
        sent.for_each(|sum| assert_eq!(*sum.get().expect("it runs"), (other, 0)));
        let own = |(of, _): &(u32, KeptValues)| *of == rank;
        let kept: Vec<KeptValues> =
            kept.lock().expect("no panic").iter().filter(|kept| own(kept)).map(|(_, kept)| kept.clone()).collect();
        for (created_here, created_there, array) in &kept {
            for reference in [created_here, created_there] {
                assert_eq!(*rank_and_sum::on(other).remote(reference).get().expect("it runs"), (other, LENGTH));
            }
            assert_eq!(*rank_and_sum::on(other).remote(array.clone()).get().expect("it runs"), (other, 2 * LENGTH));
        }
        assert_eq!((kept.len(), references.len()), (1, 20));
    });
}

#[test]
fn two_ranks_of_one_process_run_each_others_tasks_and_read_each_others_arrays() {
    with_ranks(2, |session| {
        let runtime = session.runtime();
        assert_eq!(Runtime::current().map(|current| current.cluster.rank), Some(runtime.cluster.rank));
        let numbers: Vec<u64> = (0..10_000).collect();
        let array = mobula::put_array(&numbers).expect("there is space");
        for rank in [0, 1, 0, 1] {
            let result = rank_and_sum::on(rank).remote(&array).get().expect("it runs");
            assert_eq!(*result, (rank, 49_995_000));
        }
    });
}
