//! The least cost of anything between two cores: the round trip of a cache line.
//!
//! It shows what the hardware, or the virtual machine, makes of two cores while the other cases run.

use crate::case::Run;
use crate::cpus;
use crate::failure::Result;
use crate::sample::us_each;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{hint, thread};

/// Polls of the line before the thread yields its core: both threads may have to share one.
const POLLS: u32 = 10_000;

/// The number that ends the responding thread; no round has it.
const END: u32 = u32::MAX;

/// A number with a cache line, and the one that processors fetch along with it, to itself.
#[repr(align(128))]
struct Line(AtomicU32);

/// Microseconds of a round trip between two threads of this process.
pub fn cache_line(run: &Run) -> Result<f64> {
    let (request, response) = (Line(AtomicU32::new(0)), Line(AtomicU32::new(0)));
    thread::scope(|scope| {
        let responder = || {
            let mut round = 0;
            while round != END {
                round = changed(&request, round);
                response.0.store(round, Ordering::Release); // with `changed` of the asking thread
            }
        };
        cpus::on_all(|| scope.spawn(responder));
        let mut round = 0;
        let outcome = us_each(run.rounds(20_000), || {
            round += 1;
            request.0.store(round, Ordering::Release); // with `changed` of the answering thread
            Ok(changed(&response, round - 1))
        });
        request.0.store(END, Ordering::Release);
        outcome
    })
}

/// Waits until the line no longer holds `old`; returns its new number.
fn changed(line: &Line, old: u32) -> u32 {
    loop {
        for _ in 0..POLLS {
            let seen = line.0.load(Ordering::Acquire); // with the stores of the other thread
            if seen != old {
                return seen;
            }
            hint::spin_loop();
        }
        thread::yield_now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_comes_back_and_the_thread_ends() {
        assert!(cache_line(&Run { repeat: 1, quick: true, seed: 0 }).unwrap() > 0.0);
    }
}
