//! Calls of an actor, on this rank or the other, beside a thread that serves a channel.

use crate::case::Run;
use crate::failure::{Result, check};
use crate::sample::us_each;
use mobula::prelude::*;
use std::sync::mpsc::{Sender, channel};
use std::thread;

/// Calls that are made before the first result is read.
pub const IN_FLIGHT: u32 = 10_000;

/// An actor that adds: the smallest call whose effect can be checked.
struct Adder {
    sum: u64,
}

#[mobula::actor]
impl Adder {
    pub fn new() -> Self {
        Adder { sum: 0 }
    }

    pub fn add(&mut self, value: u64) -> u64 {
        self.sum += value;
        self.sum
    }
}

/// Microseconds of a call of an actor on `RANK` whose result is waited for.
pub fn one_by_one<const RANK: u32>(run: &Run) -> Result<f64> {
    let adder = Adder::on(RANK).remote();
    let mut sum = 0;
    us_each(run.rounds(5_000), || {
        sum += 1;
        let reply = *adder.add(1).get()?;
        check(reply == sum, || format!("an actor counted {reply} calls where {sum} were made"))
    })
}

/// Millions of calls a second of an actor on `RANK`, [`IN_FLIGHT`] of them in flight.
pub fn in_flight<const RANK: u32>(run: &Run) -> Result<f64> {
    let adder = Adder::on(RANK).remote();
    let mut sum = 0;
    let us = us_each(run.rounds(10), || {
        let responses: Vec<ObjectRef<u64>> = (0..IN_FLIGHT).map(|_| adder.add(1)).collect();
        sum += u64::from(IN_FLIGHT);
        let last = mobula::get_all(&responses)?.last().map_or(0, |last| **last);
        check(last == sum, || format!("an actor counted {last} calls where {sum} were made"))
    })?;
    Ok(f64::from(IN_FLIGHT) / us)
}

/// The same as [`one_by_one`] by two channels and a thread.
pub fn channel_one_by_one(run: &Run) -> Result<f64> {
    with_channel_adder(|adder| {
        us_each(run.rounds(5_000), || {
            let (reply, response) = channel();
            check(adder.send((1, reply)).is_ok() && response.recv().is_ok(), || "the thread has ended".to_string())
        })
    })
}

/// The same as [`in_flight`] by channels and a thread.
pub fn channel_in_flight(run: &Run) -> Result<f64> {
    with_channel_adder(|adder| {
        let us = us_each(run.rounds(10), || {
            let calls = (0..IN_FLIGHT).map(|_| {
                let (reply, response) = channel();
                adder.send((1, reply)).ok().map(|()| response)
            });
            let responses: Vec<_> = calls.collect();
            let all =
                responses.iter().all(|response| response.as_ref().is_some_and(|response| response.recv().is_ok()));
            check(all, || "the thread has ended".to_string())
        })?;
        Ok(f64::from(IN_FLIGHT) / us)
    })
}

/// A call of the peer: the number to add, and the channel for its response.
type ChannelCall = (u64, Sender<u64>);

/// Runs `body` with a thread that adds what it is sent.
fn with_channel_adder(body: impl FnOnce(&Sender<ChannelCall>) -> Result<f64>) -> Result<f64> {
    let (adder, calls) = channel::<ChannelCall>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut sum = 0;
            for (value, reply) in calls {
                sum += value;
                // A caller that no longer waits is not the thread's fault.
                let _ = reply.send(sum);
            }
        });
        let outcome = body(&adder);
        drop(adder);
        outcome
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_channel_adder_answers_and_ends() {
        let run = Run { repeat: 1, quick: true, seed: 0 };
        assert!(channel_one_by_one(&run).unwrap() > 0.0);
        assert!(channel_in_flight(&run).unwrap() > 0.0);
    }
}
