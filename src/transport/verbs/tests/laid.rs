//! Ends of a road between ranks of one process, over whatever devices there are, with a side road of plain queues.
#![allow(unsafe_code)]

use crate::base::Rank;
use crate::base::config::Pages;
use crate::base::sync::lock;
use crate::memory::{Arena, Block, Region};
use crate::transport::verbs::choice::Candidate;
use crate::transport::verbs::sysfs::{CLASS, candidates};
use crate::transport::verbs::{SideRoad, VerbsEndpoint, VerbsFabric};
use crate::transport::{Event, Fabric, Place, Refusal, Salvage};
use std::collections::VecDeque;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// More than a test takes.
pub const SILENCE: Duration = Duration::from_secs(20);

type Post = Vec<Mutex<VecDeque<(Rank, Vec<u8>)>>>;

/// What is said to whom, by receiver.
struct Side {
    me: Rank,
    post: Arc<Post>,
}

impl SideRoad for Side {
    fn send(&self, peer: Rank, bytes: &[u8]) {
        lock(&self.post[peer as usize]).push_back((self.me, bytes.to_vec()));
    }
}

/// One rank. As a fabric it hears its side road whenever it polls.
pub struct End {
    pub me: Rank,
    pub fabric: VerbsFabric,
    pub arena: Arc<Arena>,
    post: Arc<Post>,
}

/// `size` ranks, on each device in turn.
pub fn ends(size: u32) -> Vec<End> {
    ends_with(size, SILENCE)
}

pub fn ends_with(size: u32, silence: Duration) -> Vec<End> {
    ends_bounded(size, silence, size)
}

/// Each with at most `links_most` links.
pub fn ends_bounded(size: u32, silence: Duration, links_most: u32) -> Vec<End> {
    let devices: Vec<Candidate> = candidates(Path::new(CLASS));
    assert!(!devices.is_empty(), "no RDMA device: start this with tests/rdma/run");
    let open = |rank: usize| VerbsEndpoint::open_named(&devices[rank % devices.len()].device).expect("opened");
    let endpoints: Vec<VerbsEndpoint> = (0..size as usize).map(open).collect();
    let cards: Vec<_> = endpoints.iter().map(|endpoint| Some(endpoint.card())).collect();
    let post: Arc<Post> = Arc::new((0..size).map(|_| Mutex::default()).collect());
    let end = |(me, endpoint): (Rank, VerbsEndpoint)| {
        let side = Arc::new(Side { me, post: post.clone() });
        let fabric = VerbsFabric::start_bounded(endpoint, me, cards.clone(), side, silence, links_most);
        let fabric = fabric.expect("started");
        let arena = Arena::create(32 << 20, Pages::Plain).expect("made");
        fabric.offer(&Region::Host(arena.clone())).expect("registered");
        (0..size).filter(|peer| *peer != me).for_each(|peer| fabric.reaches(peer).expect("in reach"));
        End { me, fabric, arena, post: post.clone() }
    };
    (0..).zip(endpoints).map(end).collect()
}

/// One rank with a store of `bytes`, or why the device does not reach it.
pub fn try_end_with_store(bytes: u64) -> Result<VerbsFabric, String> {
    let endpoint = VerbsEndpoint::open(None, None)?;
    let card = Some(endpoint.card());
    let side = Arc::new(Side { me: 0, post: Arc::default() });
    let fabric = VerbsFabric::start(endpoint, 0, vec![card], side, SILENCE).map_err(|error| error.to_string())?;
    let arena = Arena::create(bytes, Pages::Plain).map_err(|error| error.to_string())?;
    fabric.offer(&Region::Host(arena))?;
    Ok(fabric)
}

/// Comes back when `done`; a minute is a guard against hanging, not a measure.
pub fn until(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_secs(60), "not in a minute: {what}");
        std::thread::yield_now();
    }
}

/// Whether what a rank sleeps on became readable in time.
pub fn readable(end: &End, wait_ms: i32) -> bool {
    let descriptor = end.fabric.wake_fd().expect("one").as_raw_fd();
    let mut entry = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry, which is exclusively ours.
    unsafe { libc::poll(&mut entry, 1, wait_ms) == 1 }
}

impl End {
    /// Hears what was said over the side road.
    fn hear(&self) {
        loop {
            // Unlocked before it is heard: the answer goes into the other's queue, and the other may do the same.
            let said = lock(&self.post[self.me as usize]).pop_front();
            let Some((from, bytes)) = said else { break };
            self.fabric.side_message(from, &bytes);
        }
    }

    /// Joins the two, with a message each way.
    pub fn open(&self, other: &End) {
        for (from, to) in [(self, other), (other, self)] {
            until("room", || {
                other.hear();
                from.send(to.me, &[b"open"]).is_ok()
            });
            let mut got = 0;
            until("the first message", || {
                from.poll(&mut |_| {});
                to.poll(&mut |event| got += usize::from(matches!(event, Event::Message { .. })));
                got == 1
            });
        }
    }
}

impl Fabric for End {
    fn name(&self) -> &'static str {
        self.fabric.name()
    }

    fn send(&self, peer: Rank, parts: &[&[u8]]) -> Result<(), Refusal> {
        self.hear();
        self.fabric.send(peer, parts)
    }

    fn poll(&self, deliver: &mut dyn FnMut(Event<'_>)) -> usize {
        self.hear();
        self.fabric.poll(deliver)
    }

    fn pending(&self) -> bool {
        self.fabric.pending()
    }

    fn rings(&self) -> bool {
        self.fabric.rings()
    }

    fn read(&self, peer: Rank, from: Place, into: Block, token: u64) -> Result<(), (Refusal, Block)> {
        self.fabric.read(peer, from, into, token)
    }

    fn salvage(&self, peer: Rank) -> Option<Salvage> {
        self.fabric.salvage(peer)
    }
}
