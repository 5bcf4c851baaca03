//! Waits on file descriptors, of transports and of processes, and wakes the sleeping rank.
//!
//! A rank sleeps on its doorbell, which peers of its host notify. TCP and RDMA devices signal through descriptors
//! instead, and so does the end of a process (pidfd): one thread sleeps on those, and notifies the doorbell. It polls
//! the transports' descriptors only while the rank sleeps: a polling thread needs no wake-up. For ends of processes it
//! always waits, which costs nothing until there is one.
//!
//! A pidfd names a process and not its number, which another process may get later. It is opened while the ranks start,
//! before a collective call in which the process takes part: so it is the rank's own.

use crate::base::Rank;
use crate::base::log::{Level, log};
use crate::base::sync::{AtomicBool, AtomicU8, Ordering, lock};
use crate::memory::Doorbell;
use crate::runtime::router::process_end::ProcessEnd;
use crate::transport::Transport;
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// The rank is awake.
const AWAKE: u8 = 0;
/// The rank sleeps, or is about to.
const ASLEEP: u8 = 1;
/// The thread is to end.
const STOPPED: u8 = 2;

struct FdPollerState {
    mode: AtomicU8,
    /// An eventfd, readable when the state changed.
    changed: OwnedFd,
    /// Ranks whose processes ended and that `take_ended` has not returned yet.
    ended: Mutex<Vec<(Rank, ProcessEnd)>>,
    has_ended: AtomicBool,
}

/// The process of another rank of this host.
pub struct LocalPeer {
    rank: Rank,
    pid: u32,
    process: OwnedFd,
}

impl LocalPeer {
    /// The process `pid`, rank `rank`, which lives and will take part in one more collective call; `None` if the system
    /// does not let this process watch it: then the failure detector notices its end by other means.
    pub fn open(rank: Rank, pid: u32) -> Option<LocalPeer> {
        let number = pid;
        let opened = i32::try_from(pid).ok().and_then(Pid::from_raw).map(|pid| pidfd_open(pid, PidfdFlags::empty()));
        match opened {
            Some(Ok(process)) => Some(LocalPeer { rank, pid: number, process }),
            other => {
                let reason =
                    other.and_then(Result::err).map_or("no such number".to_string(), |error| error.to_string());
                log(Level::Debug, || {
                    format!(
                        "process {pid} of rank {rank} cannot be watched ({reason}): its end will be noticed by missing \
                         heartbeats"
                    )
                });
                None
            }
        }
    }
}

/// The thread and its control.
pub struct FdPoller {
    shared: Arc<FdPollerState>,
    /// True if there are transports with descriptors.
    has_transports: bool,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl FdPoller {
    /// Starts the thread for the transports that have a descriptor, and these processes; `None` if there are neither.
    pub fn start(
        transports: &[Arc<dyn Transport>],
        local_peers: Vec<LocalPeer>,
        doorbell: &Arc<Doorbell>,
    ) -> Option<FdPoller> {
        let transports: Vec<_> = transports.iter().filter(|transport| transport.wake_fd().is_some()).cloned().collect();
        if transports.is_empty() && local_peers.is_empty() {
            return None;
        }
        let has_transports = !transports.is_empty();
        let shared = Arc::new(FdPollerState {
            mode: AtomicU8::new(AWAKE),
            changed: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).ok()?,
            ended: Mutex::default(),
            has_ended: AtomicBool::new(false),
        });
        let doorbell = doorbell.clone();
        let body = {
            let shared = shared.clone();
            move || run(&shared, &transports, local_peers, &doorbell)
        };
        let thread = std::thread::Builder::new().name("mobula-fd-poll".to_string()).spawn(body).ok()?;
        Some(FdPoller { shared, has_transports, thread: Mutex::new(Some(thread)) })
    }

    /// The rank is about to sleep: from now on transports wake it.
    pub fn arm(&self) {
        let mode = &self.shared.mode;
        if self.has_transports && mode.compare_exchange(AWAKE, ASLEEP, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            self.shared.wake();
        }
    }

    /// The ranks whose processes ended since the last call, and how.
    pub fn take_ended(&self) -> Vec<(Rank, ProcessEnd)> {
        // Acquire, by the swap: pairs with the Release in `run`. Loaded first, so that the usual case writes nothing.
        if !self.shared.has_ended.load(Ordering::Relaxed) || !self.shared.has_ended.swap(false, Ordering::AcqRel) {
            return Vec::new();
        }
        std::mem::take(&mut *lock(&self.shared.ended))
    }

    /// Ends the thread, which drops its transports.
    pub fn stop(&self) {
        self.shared.mode.store(STOPPED, Ordering::Release);
        self.shared.wake();
        if let Some(thread) = lock(&self.thread).take() {
            let _ = thread.join();
        }
    }
}

impl FdPollerState {
    fn wake(&self) {
        // It fails only after 2^64 unread writes.
        let _ = rustix::io::write(&self.changed, &1_u64.to_ne_bytes());
    }
}

fn run(
    shared: &FdPollerState,
    transports: &[Arc<dyn Transport>],
    mut local_peers: Vec<LocalPeer>,
    doorbell: &Doorbell,
) {
    loop {
        let mode = shared.mode.load(Ordering::Acquire);
        if mode == STOPPED {
            return;
        }
        let polled = if mode == ASLEEP { transports } else { &[] };
        let mut fds = vec![PollFd::new(&shared.changed, PollFlags::IN)];
        fds.extend(local_peers.iter().map(|local_peer| PollFd::new(&local_peer.process, PollFlags::IN)));
        let fds_of_transports = polled.iter().filter_map(|transport| transport.wake_fd());
        fds.extend(fds_of_transports.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        if poll(&mut fds, None).is_err() {
            // Interrupted: nothing is known of any descriptor.
            continue;
        }
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        if ready[0] {
            let _ = rustix::io::read(&shared.changed, &mut [0_u8; 8]);
        }
        let (of_peers, of_transports) = ready[1..].split_at(local_peers.len());
        let how = |LocalPeer { rank, pid, process }: &LocalPeer| (*rank, ProcessEnd::of(*pid, process.as_fd()));
        let ended: Vec<(Rank, ProcessEnd)> = local_peers
            .iter()
            .zip(of_peers)
            .filter(|(_, ended)| **ended)
            .map(|(local_peer, _)| how(local_peer))
            .collect();
        let transport_ready = of_transports.contains(&true);
        if transport_ready {
            let _ = shared.mode.compare_exchange(ASLEEP, AWAKE, Ordering::AcqRel, Ordering::Relaxed);
        }
        if !ended.is_empty() {
            local_peers.retain(|local_peer| ended.iter().all(|(rank, _)| *rank != local_peer.rank));
            lock(&shared.ended).extend(&ended);
            // Release: pairs with the swap in `ended`.
            shared.has_ended.store(true, Ordering::Release);
        }
        if transport_ready || !ended.is_empty() {
            doorbell.notify_always();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;
    use std::time::{Duration, Instant};

    #[test]
    fn end_of_a_process_wakes_the_rank_and_is_returned_once() {
        let mut local_peers = ["1", "2"].map(|_| Command::new("sleep").arg("60").spawn().expect("it starts"));
        let doorbell = Arc::new(Doorbell::private());
        let watched = local_peers
            .iter()
            .zip(1..)
            .map(|(local_peer, rank)| LocalPeer::open(rank, local_peer.id()).expect("a child"))
            .collect();
        let fd_poller = FdPoller::start(&[], watched, &doorbell).expect("there is something to watch");
        assert!(fd_poller.take_ended().is_empty());
        for (local_peer, rank) in local_peers.iter_mut().zip(1..) {
            let seen = doorbell.notified();
            local_peer.kill().expect("it lives");
            let deadline = Instant::now() + Duration::from_secs(30);
            while doorbell.notified() == seen && Instant::now() < deadline {
                doorbell.sleep(seen, Some(Duration::from_secs(1)));
            }
            let killed = (rank, ProcessEnd::Signal(libc::SIGKILL));
            assert_eq!(fd_poller.take_ended(), [killed], "also before its parent has waited for it");
            assert!(fd_poller.take_ended().is_empty());
            local_peer.wait().expect("a child");
        }
        fd_poller.stop();
    }

    #[test]
    fn missing_process_is_not_watched() {
        let mut child = Command::new("true").spawn().expect("it starts");
        child.wait().expect("a child");
        assert!(
            LocalPeer::open(1, child.id()).is_none()
                && LocalPeer::open(1, 0).is_none()
                && LocalPeer::open(1, u32::MAX).is_none()
        );
        assert!(FdPoller::start(&[], Vec::new(), &Arc::new(Doorbell::private())).is_none());
    }
}
