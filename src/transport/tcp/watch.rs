//! One descriptor that becomes readable when anything is to be done: sockets, a nudge from another thread, a deadline.

use rustix::event::{EventfdFlags, Timespec, epoll, eventfd};
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

/// Descriptors that one look finds.
pub const FOUND_MAX: usize = 64;

/// What a descriptor is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// Another thread wants something.
    Nudge,
    /// A deadline came.
    Timer,
    /// A listening socket, by number.
    Listener(u32),
    /// A connection from outside that has proven nothing yet, by number.
    Guest(u32),
    /// A connection to a peer that is being made, by number.
    Dial(u32),
    /// A connection to a rank.
    Peer(u32),
}

impl Source {
    fn encode(self) -> epoll::EventData {
        let (kind, number) = match self {
            Source::Nudge => (0, 0),
            Source::Timer => (1, 0),
            Source::Listener(number) => (2, number),
            Source::Guest(number) => (3, number),
            Source::Dial(number) => (4, number),
            Source::Peer(rank) => (5, rank),
        };
        epoll::EventData::new_u64(kind << 32 | u64::from(number))
    }

    fn decode(data: epoll::EventData) -> Source {
        let number = data.u64() as u32;
        match data.u64() >> 32 {
            0 => Source::Nudge,
            1 => Source::Timer,
            2 => Source::Listener(number),
            3 => Source::Guest(number),
            4 => Source::Dial(number),
            _ => Source::Peer(number),
        }
    }
}

/// What is waited for on a descriptor. That it failed or was closed is always found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Nothing else.
    None,
    /// Something to read.
    Read,
    /// Room to write.
    Write,
    /// Either.
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

/// A descriptor on which something can be done.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// Whose it is.
    pub source: Source,
    /// Whether there is something to read, or an end or error to be found by reading.
    pub reads: bool,
    /// Whether there is room to write, or an error to be found by writing.
    pub writes: bool,
}

/// The watched descriptors.
pub struct Watch {
    epoll: OwnedFd,
    nudge: OwnedFd,
    timer: OwnedFd,
}

impl Watch {
    /// Watches nothing but nudges and the timer.
    ///
    /// # Errors
    /// Where the system has no descriptors left.
    pub fn new() -> io::Result<Watch> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let nudge = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK)?;
        let watch = Watch { epoll, nudge, timer };
        watch.add(&watch.nudge, Source::Nudge, Interest::Read)?;
        watch.add(&watch.timer, Source::Timer, Interest::Read)?;
        Ok(watch)
    }

    /// Readable while anything is to be done.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }

    /// Watches one more descriptor, until it is closed.
    ///
    /// # Errors
    /// What the system says.
    pub fn add(&self, descriptor: &OwnedFd, source: Source, interest: Interest) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, descriptor, source.encode(), interest.flags())?)
    }

    /// Watches a descriptor for something else, or as something else's.
    ///
    /// # Errors
    /// What the system says.
    pub fn change(&self, descriptor: &OwnedFd, source: Source, interest: Interest) -> io::Result<()> {
        Ok(epoll::modify(&self.epoll, descriptor, source.encode(), interest.flags())?)
    }

    /// What can be done, waiting for it at most so long; fills `found` from its start and returns how much.
    pub fn look(&self, found: &mut [Option<Found>; FOUND_MAX], wait: Duration) -> usize {
        let mut events = [MaybeUninit::<epoll::Event>::uninit(); FOUND_MAX];
        let wait = Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: i64::from(wait.subsec_nanos()) };
        // Interrupted is as good as nothing: the next look finds it.
        let Ok((events, _)) = epoll::wait(&self.epoll, &mut events, Some(&wait)) else { return 0 };
        for (place, event) in found.iter_mut().zip(events.iter()) {
            let (flags, data) = (event.flags, event.data);
            let ended = epoll::EventFlags::HUP | epoll::EventFlags::ERR;
            *place = Some(Found {
                source: Source::decode(data),
                reads: flags.intersects(epoll::EventFlags::IN | ended),
                writes: flags.intersects(epoll::EventFlags::OUT | ended),
            });
        }
        events.len()
    }

    /// Whether there is nothing to be done.
    pub fn is_quiet(&self) -> bool {
        let mut one = [MaybeUninit::<epoll::Event>::uninit(); 1];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        epoll::wait(&self.epoll, &mut one, Some(&now)).is_ok_and(|(events, _)| events.is_empty())
    }

    /// Makes the descriptor readable until the next [`Watch::calm`].
    pub fn nudge(&self) {
        // It fails only where it was nudged 2^64 times already.
        let _ = rustix::io::write(&self.nudge, &1_u64.to_ne_bytes());
    }

    /// Takes the nudges that came.
    pub fn calm(&self) {
        let _ = rustix::io::read(&self.nudge, &mut [0_u8; 8]);
    }

    /// The timer is due in so long, once, or not at all; what was set before is forgotten.
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
    fn a_nudge_and_the_timer_make_it_readable() {
        let watch = Watch::new().expect("made");
        let mut found = [None; FOUND_MAX];
        assert!(watch.is_quiet());
        watch.nudge();
        assert!(!watch.is_quiet());
        assert_eq!(watch.look(&mut found, Duration::ZERO), 1);
        assert_eq!(found[0].map(|found| found.source), Some(Source::Nudge));
        watch.calm();
        assert_eq!(watch.look(&mut found, Duration::ZERO), 0);
        watch.set_timer(Some(Duration::ZERO));
        assert_eq!(watch.look(&mut found, Duration::from_secs(60)), 1);
        assert_eq!(found[0].map(|found| found.source), Some(Source::Timer));
        watch.set_timer(None);
        assert!(watch.is_quiet());
    }

    #[test]
    fn sources_keep_their_numbers() {
        let sources = [
            Source::Nudge,
            Source::Timer,
            Source::Listener(1),
            Source::Guest(2),
            Source::Dial(u32::MAX),
            Source::Peer(9),
        ];
        assert_eq!(sources.map(|source| Source::decode(source.encode())), sources);
    }
}
