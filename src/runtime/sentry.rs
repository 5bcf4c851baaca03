//! Waits for what only the system can wait for, so that a sleeping rank is rung by it too: roads, and the ends of processes.
//!
//! A rank sleeps on its bell, which peers of its host ring. TCP and RDMA devices signal through descriptors instead, and
//! so does the end of a process (pidfd): one thread sleeps on those, and rings. At roads it looks only while the rank
//! sleeps: who polls needs no wake-up. The ends of processes it always waits for, which costs nothing until there is one.
//!
//! A pidfd names a process and not its number, which may come to be another's. It is opened while the ranks start, before
//! a collective call that the process takes part in: so it is the rank's own.

use crate::base::Rank;
use crate::base::log::{Level, say};
use crate::base::sync::{AtomicBool, AtomicU8, Ordering, lock};
use crate::memory::Bell;
use crate::transport::Fabric;
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// The rank is awake.
const OFF: u8 = 0;
/// The rank sleeps, or is about to.
const ON: u8 = 1;
/// The end.
const OVER: u8 = 2;

struct Shared {
    duty: AtomicU8,
    /// Readable when the duty changed.
    changed: OwnedFd,
    /// Ranks whose processes ended and nobody has been told of.
    ended: Mutex<Vec<Rank>>,
    has_ended: AtomicBool,
}

/// The process of another rank of this host.
pub struct Mate {
    rank: Rank,
    process: OwnedFd,
}

impl Mate {
    /// The process `pid`, rank `rank`, which lives and will take part in one more collective call; `None` where the system
    /// does not let this one watch it: then its end shows by other means.
    pub fn open(rank: Rank, pid: u32) -> Option<Mate> {
        let opened = i32::try_from(pid).ok().and_then(Pid::from_raw).map(|pid| pidfd_open(pid, PidfdFlags::empty()));
        match opened {
            Some(Ok(process)) => Some(Mate { rank, process }),
            other => {
                let reason =
                    other.and_then(Result::err).map_or("no such number".to_string(), |error| error.to_string());
                say(Level::Debug, || {
                    format!("process {pid} of rank {rank} cannot be watched ({reason}): its end shows by its silence")
                });
                None
            }
        }
    }
}

/// The thread, and how it is told.
pub struct Sentry {
    shared: Arc<Shared>,
    /// Whether there are roads to look at.
    has_roads: bool,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Sentry {
    /// Over the roads that have a descriptor, and these processes; `None` where there are neither.
    pub fn over(roads: &[Arc<dyn Fabric>], mates: Vec<Mate>, bell: &Arc<Bell>) -> Option<Sentry> {
        let roads: Vec<_> = roads.iter().filter(|road| road.wake_fd().is_some()).cloned().collect();
        if roads.is_empty() && mates.is_empty() {
            return None;
        }
        let has_roads = !roads.is_empty();
        let shared = Arc::new(Shared {
            duty: AtomicU8::new(OFF),
            changed: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).ok()?,
            ended: Mutex::default(),
            has_ended: AtomicBool::new(false),
        });
        let bell = bell.clone();
        let watch = {
            let shared = shared.clone();
            move || stand(&shared, &roads, mates, &bell)
        };
        let thread = std::thread::Builder::new().name("mobula-sentry".to_string()).spawn(watch).ok()?;
        Some(Sentry { shared, has_roads, thread: Mutex::new(Some(thread)) })
    }

    /// The rank is about to sleep: from now on it is rung.
    pub fn post(&self) {
        let duty = &self.shared.duty;
        if self.has_roads && duty.compare_exchange(OFF, ON, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            self.shared.nudge();
        }
    }

    /// The ranks whose processes ended since the last call.
    pub fn ended(&self) -> Vec<Rank> {
        // Acquire, by the swap: pairs with the Release in `stand`. Read first, so that the usual answer changes nothing.
        if !self.shared.has_ended.load(Ordering::Relaxed) || !self.shared.has_ended.swap(false, Ordering::AcqRel) {
            return Vec::new();
        }
        std::mem::take(&mut *lock(&self.shared.ended))
    }

    /// Ends the thread; it lets go of the roads.
    pub fn dismiss(&self) {
        self.shared.duty.store(OVER, Ordering::Release);
        self.shared.nudge();
        if let Some(thread) = lock(&self.thread).take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn nudge(&self) {
        // It fails only where it was nudged 2^64 times already.
        let _ = rustix::io::write(&self.changed, &1_u64.to_ne_bytes());
    }
}

fn stand(shared: &Shared, roads: &[Arc<dyn Fabric>], mut mates: Vec<Mate>, bell: &Bell) {
    loop {
        let duty = shared.duty.load(Ordering::Acquire);
        if duty == OVER {
            return;
        }
        let looked_at = if duty == ON { roads } else { &[] };
        let mut fds = vec![PollFd::new(&shared.changed, PollFlags::IN)];
        fds.extend(mates.iter().map(|mate| PollFd::new(&mate.process, PollFlags::IN)));
        let fds_of_roads = looked_at.iter().filter_map(|road| road.wake_fd());
        fds.extend(fds_of_roads.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        if poll(&mut fds, None).is_err() {
            // Interrupted: nothing is known of any descriptor.
            continue;
        }
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        if ready[0] {
            let _ = rustix::io::read(&shared.changed, &mut [0_u8; 8]);
        }
        let (of_mates, of_roads) = ready[1..].split_at(mates.len());
        let ended: Vec<Rank> =
            mates.iter().zip(of_mates).filter(|(_, ended)| **ended).map(|(mate, _)| mate.rank).collect();
        let something_came = of_roads.contains(&true);
        if something_came {
            let _ = shared.duty.compare_exchange(ON, OFF, Ordering::AcqRel, Ordering::Relaxed);
        }
        if !ended.is_empty() {
            mates.retain(|mate| !ended.contains(&mate.rank));
            lock(&shared.ended).extend(&ended);
            // Release: pairs with the swap in `ended`.
            shared.has_ended.store(true, Ordering::Release);
        }
        if something_came || !ended.is_empty() {
            bell.ring();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;
    use std::time::{Duration, Instant};

    #[test]
    fn the_end_of_a_process_rings_and_is_told_once() {
        let mut mates = ["1", "2"].map(|_| Command::new("sleep").arg("60").spawn().expect("it starts"));
        let bell = Arc::new(Bell::private());
        let watched = mates.iter().zip(1..).map(|(mate, rank)| Mate::open(rank, mate.id()).expect("a child")).collect();
        let sentry = Sentry::over(&[], watched, &bell).expect("there is something to watch");
        assert!(sentry.ended().is_empty());
        for (mate, rank) in mates.iter_mut().zip(1..) {
            let seen = bell.rung();
            mate.kill().expect("it lives");
            let patience = Instant::now() + Duration::from_secs(30);
            while bell.rung() == seen && Instant::now() < patience {
                bell.sleep(seen, Some(Duration::from_secs(1)));
            }
            assert_eq!(sentry.ended(), [rank], "also before its parent has asked how it ended");
            assert!(sentry.ended().is_empty());
            mate.wait().expect("a child");
        }
        sentry.dismiss();
    }

    #[test]
    fn a_process_that_is_not_there_is_not_watched() {
        let mut child = Command::new("true").spawn().expect("it starts");
        child.wait().expect("a child");
        assert!(Mate::open(1, child.id()).is_none() && Mate::open(1, 0).is_none() && Mate::open(1, u32::MAX).is_none());
        assert!(Sentry::over(&[], Vec::new(), &Arc::new(Bell::private())).is_none());
    }
}
