//! One descriptor that becomes readable on any event: sockets, a wake-up from another thread, a deadline.

use rustix::event::{EventfdFlags, Timespec, epoll, eventfd};
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

/// Descriptors that one call of [`EpollSet::wait`] finds, at most.
const READY_MAX: usize = 64;

/// The longest wait that every kernel takes: a longer one ends early, as an empty one.
const WAIT_MAX: Duration = Duration::from_millis(i32::MAX as u64);

/// What a watched descriptor belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Watched {
    /// The wake-up of another thread.
    Wake,
    /// The timer of the next deadline.
    Timer,
    /// A listening socket, by number.
    Listener(u32),
    /// An incoming connection whose other end is not known yet, by number.
    Pending(u32),
    /// A dial of a rank.
    Dial(u32),
    /// A connection to a rank.
    Peer(u32),
    /// An RDMA device.
    Device,
}

impl Watched {
    fn encode(self) -> epoll::EventData {
        let (kind, number) = match self {
            Watched::Wake => (0, 0),
            Watched::Timer => (1, 0),
            Watched::Listener(number) => (2, number),
            Watched::Pending(number) => (3, number),
            Watched::Dial(rank) => (4, rank),
            Watched::Peer(rank) => (5, rank),
            Watched::Device => (6, 0),
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
            5 => Watched::Peer(number),
            _ => Watched::Device,
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
    /// The end of what the peer sends, found once, as readability; data is not.
    HangUp,
}

impl Interest {
    fn flags(self) -> epoll::EventFlags {
        match self {
            Interest::None => epoll::EventFlags::empty(),
            Interest::Read => epoll::EventFlags::IN,
            Interest::Write => epoll::EventFlags::OUT,
            Interest::Both => epoll::EventFlags::IN | epoll::EventFlags::OUT,
            Interest::HangUp => epoll::EventFlags::RDHUP | epoll::EventFlags::ONESHOT,
        }
    }
}

/// A descriptor that is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    /// What it belongs to.
    pub source: Watched,
    /// True if there is something to read, or an end or error to be found by reading.
    pub reads: bool,
    /// True if it is writable, or there is an error to be found by writing.
    pub writes: bool,
}

/// The watched descriptors.
#[derive(Debug)]
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
    pub fn add(&self, descriptor: impl AsFd, source: Watched, interest: Interest) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, descriptor, source.encode(), interest.flags())?)
    }

    /// Changes the events of a watched descriptor, or what it belongs to.
    ///
    /// # Errors
    /// An error of the system.
    pub fn change(&self, descriptor: impl AsFd, source: Watched, interest: Interest) -> io::Result<()> {
        Ok(epoll::modify(&self.epoll, descriptor, source.encode(), interest.flags())?)
    }

    /// Waits at most `wait` for ready descriptors, without limit if that is `None`; puts some of them into `found`,
    /// instead of what it held.
    pub fn wait(&self, found: &mut Vec<Ready>, wait: Option<Duration>) {
        found.clear();
        let mut events = [MaybeUninit::<epoll::Event>::uninit(); READY_MAX];
        let wait = wait.map(|wait| timespec(wait.min(WAIT_MAX)));
        // An interrupted wait counts as an empty one: the next wait finds the events.
        let Ok((events, _)) = epoll::wait(&self.epoll, &mut events, wait.as_ref()) else { return };
        let ended = epoll::EventFlags::HUP | epoll::EventFlags::RDHUP | epoll::EventFlags::ERR;
        found.extend(events.iter().map(|event| {
            let (flags, data) = (event.flags, event.data);
            Ready {
                source: Watched::decode(data),
                reads: flags.intersects(epoll::EventFlags::IN | ended),
                writes: flags.intersects(epoll::EventFlags::OUT | ended),
            }
        }));
    }

    /// True if no watched descriptor is ready.
    pub fn is_quiet(&self) -> bool {
        let mut one = [MaybeUninit::<epoll::Event>::uninit(); 1];
        epoll::wait(&self.epoll, &mut one, Some(&timespec(Duration::ZERO))).is_ok_and(|(events, _)| events.is_empty())
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
        let once = Itimerspec { it_interval: timespec(Duration::ZERO), it_value: timespec(after) };
        // It fails for a malformed time only.
        let _ = timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once);
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec { tv_sec: duration.as_secs() as i64, tv_nsec: i64::from(duration.subsec_nanos()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    fn ready(set: &EpollSet, wait: Option<Duration>) -> Vec<Ready> {
        let mut found = Vec::new();
        set.wait(&mut found, wait);
        found
    }

    #[test]
    fn wake_and_timer_make_the_set_readable() {
        let set = EpollSet::new().expect("made");
        let sources = |wait| ready(&set, Some(wait)).iter().map(|found| found.source).collect::<Vec<_>>();
        assert!(set.is_quiet());
        set.wake();
        assert!(!set.is_quiet());
        assert_eq!(sources(Duration::ZERO), [Watched::Wake]);
        set.clear_wake();
        assert_eq!(sources(Duration::ZERO), []);
        set.set_timer(Some(Duration::ZERO));
        assert_eq!(sources(Duration::from_secs(60)), [Watched::Timer]);
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
            Watched::Device,
        ];
        assert_eq!(sources.map(|source| Watched::decode(source.encode())), sources);
    }

    #[test]
    fn wait_reports_readable_and_writable_sockets() {
        let (set, source) = (EpollSet::new().expect("made"), Watched::Peer(8));
        let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
        set.add(&listener, Watched::Listener(7), Interest::Read).expect("added");
        assert_eq!(ready(&set, Some(Duration::ZERO)), []);
        let mut client = TcpStream::connect(listener.local_addr().expect("bound")).expect("connected");
        assert_eq!(ready(&set, None), [Ready { source: Watched::Listener(7), reads: true, writes: false }]);
        let (mut server, _) = listener.accept().expect("it waits");
        drop(listener);
        set.add(&server, source, Interest::Both).expect("added");
        assert_eq!(ready(&set, None), [Ready { source, reads: false, writes: true }]);
        set.change(&server, source, Interest::Read).expect("changed");
        client.write_all(b"x").expect("written");
        assert_eq!(ready(&set, None), [Ready { source, reads: true, writes: false }]);
        server.read_exact(&mut [0]).expect("read");
        drop(client);
        assert!(ready(&set, None)[0].reads, "a hang-up is reported as readable");
    }
}
