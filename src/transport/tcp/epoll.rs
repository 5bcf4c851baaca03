//! One descriptor that becomes readable on any event: sockets, a wake-up from another thread, a deadline.

use rustix::event::{EventfdFlags, Timespec, epoll, eventfd};
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

/// Descriptors that one call of [`EpollSet::wait`] finds, at most.
pub const READY_MAX: usize = 64;

/// What a watched descriptor belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Watched {
    /// The wake-up of another thread.
    Wake,
    /// The timer of the next deadline.
    Timer,
    /// A listening socket, by number.
    Listener(u32),
    /// An incoming connection that is not authenticated yet, by number.
    Pending(u32),
    /// A dial, by number.
    Dial(u32),
    /// A connection to a rank.
    Peer(u32),
}

impl Watched {
    fn encode(self) -> epoll::EventData {
        let (kind, number) = match self {
            Watched::Wake => (0, 0),
            Watched::Timer => (1, 0),
            Watched::Listener(number) => (2, number),
            Watched::Pending(number) => (3, number),
            Watched::Dial(number) => (4, number),
            Watched::Peer(rank) => (5, rank),
        };
        epoll::EventData::new_u64(kind << 32 | u64::from(number))
    }

    fn decode(data: epoll::EventData) -> Watched {
        let number = data.u64() as u32;
        match data.u64() >> 32 {
            0 => Watched::Wake,
            1 => Watched::Timer,
            2 => Watched::Listener(number),
            3 => Watched::Pending(number),
            4 => Watched::Dial(number),
            _ => Watched::Peer(number),
        }
    }
}

/// The events awaited on a descriptor. Errors and hang-ups are always found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Only errors and hang-ups.
    None,
    /// Readability.
    Read,
    /// Writability.
    Write,
    /// Readability and writability.
    Both,
}

impl Interest {
    fn flags(self) -> epoll::EventFlags {
        match self {
            Interest::None => epoll::EventFlags::empty(),
            Interest::Read => epoll::EventFlags::IN,
            Interest::Write => epoll::EventFlags::OUT,
            Interest::Both => epoll::EventFlags::IN | epoll::EventFlags::OUT,
        }
    }
}

/// A descriptor that is ready.
#[derive(Clone, Copy, Debug)]
pub struct Ready {
    /// What it belongs to.
    pub source: Watched,
    /// True if there is something to read, or an end or error to be found by reading.
    pub reads: bool,
    /// True if it is writable, or there is an error to be found by writing.
    pub writes: bool,
}

/// The watched descriptors.
pub struct EpollSet {
    epoll: OwnedFd,
    wake_fd: OwnedFd,
    timer: OwnedFd,
}

impl EpollSet {
    /// Watches only wake-ups and the timer.
    ///
    /// # Errors
    /// Where the system has no descriptors left.
    pub fn new() -> io::Result<EpollSet> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let wake_fd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK)?;
        let set = EpollSet { epoll, wake_fd, timer };
        set.add(&set.wake_fd, Watched::Wake, Interest::Read)?;
        set.add(&set.timer, Watched::Timer, Interest::Read)?;
        Ok(set)
    }

    /// Readable while any watched descriptor is ready.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }

    /// Watches one more descriptor, until it is closed.
    ///
    /// # Errors
    /// An error of the system.
    pub fn add(&self, descriptor: &OwnedFd, source: Watched, interest: Interest) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, descriptor, source.encode(), interest.flags())?)
    }

    /// Changes the events of a watched descriptor, or what it belongs to.
    ///
    /// # Errors
    /// An error of the system.
    pub fn change(&self, descriptor: &OwnedFd, source: Watched, interest: Interest) -> io::Result<()> {
        Ok(epoll::modify(&self.epoll, descriptor, source.encode(), interest.flags())?)
    }

    /// Waits at most `wait` for ready descriptors; fills `found` from its start and returns their number.
    pub fn wait(&self, found: &mut [Option<Ready>; READY_MAX], wait: Duration) -> usize {
        let mut events = [MaybeUninit::<epoll::Event>::uninit(); READY_MAX];
        let wait = Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: i64::from(wait.subsec_nanos()) };
        // An interrupted wait counts as an empty one: the next wait finds the events.
        let Ok((events, _)) = epoll::wait(&self.epoll, &mut events, Some(&wait)) else { return 0 };
        for (entry, event) in found.iter_mut().zip(events.iter()) {
            let (flags, data) = (event.flags, event.data);
            let ended = epoll::EventFlags::HUP | epoll::EventFlags::ERR;
            *entry = Some(Ready {
                source: Watched::decode(data),
                reads: flags.intersects(epoll::EventFlags::IN | ended),
                writes: flags.intersects(epoll::EventFlags::OUT | ended),
            });
        }
        events.len()
    }

    /// True if no watched descriptor is ready.
    pub fn is_quiet(&self) -> bool {
        let mut one = [MaybeUninit::<epoll::Event>::uninit(); 1];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        epoll::wait(&self.epoll, &mut one, Some(&now)).is_ok_and(|(events, _)| events.is_empty())
    }

    /// Makes the descriptor readable until the next [`EpollSet::clear_wake`].
    pub fn wake(&self) {
        // It fails only after 2^64 wake-ups.
        let _ = rustix::io::write(&self.wake_fd, &1_u64.to_ne_bytes());
    }

    /// Clears the wake-ups that arrived.
    pub fn clear_wake(&self) {
        let _ = rustix::io::read(&self.wake_fd, &mut [0_u8; 8]);
    }

    /// Sets the timer to expire once after this time, or never; replaces an earlier setting.
    pub fn set_timer(&self, after: Option<Duration>) {
        // Zero would mean never.
        let after = after.map_or(Duration::ZERO, |after| after.max(Duration::from_nanos(1)));
        let value = Timespec { tv_sec: after.as_secs() as i64, tv_nsec: i64::from(after.subsec_nanos()) };
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
        // It fails for a malformed time only.
        let _ = timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wake_and_timer_make_the_set_readable() {
        let set = EpollSet::new().expect("made");
        let mut found = [None; READY_MAX];
        assert!(set.is_quiet());
        set.wake();
        assert!(!set.is_quiet());
        assert_eq!(set.wait(&mut found, Duration::ZERO), 1);
        assert_eq!(found[0].map(|found| found.source), Some(Watched::Wake));
        set.clear_wake();
        assert_eq!(set.wait(&mut found, Duration::ZERO), 0);
        set.set_timer(Some(Duration::ZERO));
        assert_eq!(set.wait(&mut found, Duration::from_secs(60)), 1);
        assert_eq!(found[0].map(|found| found.source), Some(Watched::Timer));
        set.set_timer(None);
        assert!(set.is_quiet());
    }

    #[test]
    fn encoded_sources_decode_to_themselves() {
        let sources = [
            Watched::Wake,
            Watched::Timer,
            Watched::Listener(1),
            Watched::Pending(2),
            Watched::Dial(u32::MAX),
            Watched::Peer(9),
        ];
        assert_eq!(sources.map(|source| Watched::decode(source.encode())), sources);
    }
}
