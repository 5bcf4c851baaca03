//! MPI messages between the same two processes, on a communicator of their own.

use super::{OTHER, pieces, rate};
use crate::case::Run;
use crate::failure::{Failure, Result};
use crate::sample::us_each;
use mpi::topology::{Communicator, SimpleCommunicator};
use mpi::traits::{Destination, Source};
use std::time::Instant;

/// Ends the responding side.
const END: u64 = u64::MAX;

/// Responds on the rank that runs this until it receives `END`.
#[mobula::remote(num_cpus = 0)]
fn serve() {
    let comm = SimpleCommunicator::world().duplicate();
    let requester = comm.process_at_rank(0);
    let bytes = vec![7u8; 64 << 20];
    loop {
        let (count, _) = requester.receive::<u64>();
        if count == END {
            return;
        }
        requester.send(&bytes[..count as usize]);
    }
}

/// Runs `action` with a communicator of the two ranks; every other rank of the job would have to join the communicator
/// as well.
fn with_communicator<T>(action: impl FnOnce(&SimpleCommunicator) -> Result<T>) -> Result<T> {
    if SimpleCommunicator::world().size() != 2 {
        return Err(Failure::Program { program: "plain MPI".to_string(), reason: "it takes two ranks".to_string() });
    }
    let serving = serve::on(OTHER).remote();
    let comm = SimpleCommunicator::world().duplicate();
    let outcome = action(&comm);
    comm.process_at_rank(OTHER as i32).send(&END);
    serving.get()?;
    outcome
}

fn request(comm: &SimpleCommunicator, into: &mut [u8]) {
    let other = comm.process_at_rank(OTHER as i32);
    other.send(&(into.len() as u64));
    other.receive_into(into);
}

/// GiB a second of messages of this many bytes, one after the other, into one buffer.
pub fn messages<const BYTES: usize>(run: &Run) -> Result<f64> {
    let count = pieces(run, BYTES);
    let mut into = vec![0u8; BYTES];
    with_communicator(|comm| {
        request(comm, &mut into);
        let start = Instant::now();
        for _ in 0..count {
            request(comm, &mut into);
        }
        Ok(rate(count * BYTES, start.elapsed()))
    })
}

/// Microseconds of eight bytes there and eight back.
pub fn round_trip(run: &Run) -> Result<f64> {
    let rounds = run.rounds(2000);
    with_communicator(|comm| {
        let mut bytes = [0u8; 8];
        request(comm, &mut bytes);
        us_each(rounds, || {
            request(comm, &mut bytes);
            Ok(())
        })
    })
}
