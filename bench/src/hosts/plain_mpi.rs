//! MPI messages between the same two processes, on a communicator of their own.

use super::{OTHER, pieces, rate};
use crate::case::Run;
use crate::failure::{Failure, Result};
use crate::sample::us_each;
use mpi::topology::{Communicator, SimpleCommunicator};
use mpi::traits::{Destination, Source};
use std::time::Instant;

/// Ends the answering side.
const END: u64 = u64::MAX;

/// Answers on the rank that runs this until it is told to end.
#[mobula::remote(num_cpus = 0)]
fn answer() {
    let comm = SimpleCommunicator::world().duplicate();
    let asker = comm.process_at_rank(0);
    let bytes = vec![7u8; 64 << 20];
    loop {
        let (count, _) = asker.receive::<u64>();
        if count == END {
            return;
        }
        asker.send(&bytes[..count as usize]);
    }
}

/// With the two ends joined; every rank of the job but these two would have to join the communicator as well.
fn joined<T>(act: impl FnOnce(&SimpleCommunicator) -> Result<T>) -> Result<T> {
    if SimpleCommunicator::world().size() != 2 {
        return Err(Failure::Program { program: "plain MPI".to_string(), reason: "it takes two ranks".to_string() });
    }
    let answering = answer::on(OTHER).remote();
    let comm = SimpleCommunicator::world().duplicate();
    let outcome = act(&comm);
    comm.process_at_rank(OTHER as i32).send(&END);
    answering.get()?;
    outcome
}

fn ask(comm: &SimpleCommunicator, into: &mut [u8]) {
    let other = comm.process_at_rank(OTHER as i32);
    other.send(&(into.len() as u64));
    other.receive_into(into);
}

/// GiB a second of messages of this many bytes, one after the other, into one buffer.
pub fn messages<const BYTES: usize>(run: &Run) -> Result<f64> {
    let count = pieces(run, BYTES);
    let mut into = vec![0u8; BYTES];
    joined(|comm| {
        ask(comm, &mut into);
        let start = Instant::now();
        for _ in 0..count {
            ask(comm, &mut into);
        }
        Ok(rate(count * BYTES, start.elapsed()))
    })
}

/// Microseconds of eight bytes there and eight back.
pub fn round_trip(run: &Run) -> Result<f64> {
    let rounds = run.rounds(2000);
    joined(|comm| {
        let mut word = [0u8; 8];
        ask(comm, &mut word);
        us_each(rounds, || {
            ask(comm, &mut word);
            Ok(())
        })
    })
}
