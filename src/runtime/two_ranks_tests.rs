//! Two ranks in one process: a rank is a value, with its own threads, store, transports and tables.

use crate::base::{Config, Result};
use crate::boot::{Exchange, NoMpiTransport, World};
use crate::objects::Array;
use crate::runtime::lifecycle::start_rank;
use crate::runtime::{Runtime, Session};
use crate::transport::tcp::handshake::Secret;
use std::sync::{Arc, Barrier, Mutex};

/// Where the threads that stand for processes meet.
struct Meeting {
    bytes: Mutex<Vec<Vec<u8>>>,
    barrier: Barrier,
}

/// Collectives of the ranks of one process.
struct ThreadExchange {
    rank: usize,
    meeting: Arc<Meeting>,
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
    let meeting =
        Arc::new(Meeting { bytes: Mutex::new(vec![Vec::new(); size as usize]), barrier: Barrier::new(size as usize) });
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
