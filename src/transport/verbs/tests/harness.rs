//! Ranks that are threads of one process, over whatever devices there are, with a control channel of plain queues.
#![allow(unsafe_code)]

use crate::base::Rank;
use crate::base::config::Pages;
use crate::base::sync::lock;
use crate::memory::{Arena, Block, Region};
use crate::transport::verbs::choice::CandidatePort;
use crate::transport::verbs::endpoint::VerbsEndpoint;
use crate::transport::verbs::sysfs::{CLASS, candidates};
use crate::transport::verbs::transport::VerbsTransport;
use crate::transport::verbs::{ControlChannel, OpenPort, VerbsPeers};
use crate::transport::{Refusal, RemoteAddress, Transport, TransportEvent, Unacked};
use std::collections::VecDeque;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Longer than a test takes.
pub const PEER_TIMEOUT: Duration = Duration::from_secs(20);

type Mailboxes = Vec<Mutex<VecDeque<(Rank, Vec<u8>)>>>;

/// Control messages in flight, by receiver.
struct QueueChannel {
    me: Rank,
    mailboxes: Arc<Mailboxes>,
}

impl ControlChannel for QueueChannel {
    fn send(&self, peer: Rank, bytes: &[u8]) {
        lock(&self.mailboxes[peer as usize]).push_back((self.me, bytes.to_vec()));
    }
}

/// One rank. As a transport it handles its control messages whenever it polls.
pub struct TestRank {
    pub me: Rank,
    pub transport: VerbsTransport,
    pub arena: Arc<Arena>,
    mailboxes: Arc<Mailboxes>,
}

/// `size` ranks, on each device in turn.
pub fn test_ranks(size: u32) -> Vec<TestRank> {
    ranks_with_timeout(size, PEER_TIMEOUT)
}

pub fn ranks_with_timeout(size: u32, peer_timeout: Duration) -> Vec<TestRank> {
    ranks_with_links_max(size, peer_timeout, size)
}

/// As `test_ranks`, each with at most `links_limit` links.
pub fn ranks_with_links_max(size: u32, peer_timeout: Duration, links_limit: u32) -> Vec<TestRank> {
    let devices: Vec<CandidatePort> = candidates(Path::new(CLASS));
    assert!(!devices.is_empty(), "no RDMA device: start this with tests/rdma/run");
    let open = |rank: usize| VerbsEndpoint::open_named(&devices[rank % devices.len()].device).expect("opened");
    let endpoints: Vec<VerbsEndpoint> = (0..size as usize).map(open).collect();
    let addresses: Vec<_> = endpoints.iter().map(|endpoint| Some(endpoint.address())).collect();
    let mailboxes: Arc<Mailboxes> = Arc::new((0..size).map(|_| Mutex::default()).collect());
    let rank = |(me, endpoint): (Rank, VerbsEndpoint)| {
        let channel = Arc::new(QueueChannel { me, mailboxes: mailboxes.clone() });
        let peers = VerbsPeers { me, addresses: addresses.clone(), control: channel, peer_timeout };
        let transport = VerbsTransport::start(endpoint, peers, links_limit).expect("started");
        let arena = Arena::create(32 << 20, Pages::Plain).expect("created");
        transport.register(&Region::Host(arena.clone())).expect("registered");
        (0..size).filter(|peer| *peer != me).for_each(|peer| transport.check_reachable(peer).expect("in reach"));
        TestRank { me, transport, arena, mailboxes: mailboxes.clone() }
    };
    (0..).zip(endpoints).map(rank).collect()
}

/// One rank with a store of `bytes`, or why the device cannot register it.
pub fn try_rank_with_store(bytes: u64) -> Result<VerbsTransport, Box<dyn std::error::Error>> {
    let endpoint = VerbsEndpoint::open(None, None)?;
    let address = Some(endpoint.address());
    let channel = Arc::new(QueueChannel { me: 0, mailboxes: Arc::default() });
    let peers = VerbsPeers { me: 0, addresses: vec![address], control: channel, peer_timeout: PEER_TIMEOUT };
    let transport = VerbsTransport::start(endpoint, peers, 1)?;
    let arena = Arena::create(bytes, Pages::Plain)?;
    transport.register(&Region::Host(arena))?;
    Ok(transport)
}

/// Returns when `done`; the minute only guards against hanging.
pub fn until(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_secs(60), "not in a minute: {what}");
        std::thread::yield_now();
    }
}

/// True if the descriptor on which a rank sleeps became readable in time.
pub fn readable(rank: &TestRank, wait_ms: i32) -> bool {
    let descriptor = rank.transport.wake_fd().expect("one").as_raw_fd();
    let mut entry = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry, a local.
    unsafe { libc::poll(&mut entry, 1, wait_ms) == 1 }
}

impl TestRank {
    /// Handles the control messages queued for this rank.
    fn receive_control_messages(&self) {
        loop {
            // Unlocked before it is handled: the reply is put into the peer's queue, and the peer may be doing the
            // same.
            let message = lock(&self.mailboxes[self.me as usize]).pop_front();
            let Some((from, bytes)) = message else { break };
            self.transport.on_control_message(from, &bytes);
        }
    }

    /// Connects the two ranks, with a message each way.
    pub fn open(&self, other: &TestRank) {
        for (from, to) in [(self, other), (other, self)] {
            until("connected", || {
                other.receive_control_messages();
                from.send(to.me, &[b"open"]).is_ok()
            });
            let mut got = 0;
            until("the first message", || {
                from.poll(&mut |_| {});
                to.poll(&mut |event| got += usize::from(matches!(event, TransportEvent::Message { .. })));
                got == 1
            });
        }
    }
}

impl Transport for TestRank {
    fn name(&self) -> &'static str {
        self.transport.name()
    }

    fn send(&self, peer: Rank, parts: &[&[u8]]) -> Result<(), Refusal> {
        self.receive_control_messages();
        self.transport.send(peer, parts)
    }

    fn poll(&self, deliver: &mut dyn FnMut(TransportEvent<'_>)) -> usize {
        self.receive_control_messages();
        self.transport.poll(deliver)
    }

    fn pending(&self) -> bool {
        self.transport.pending()
    }

    fn uses_doorbell(&self) -> bool {
        self.transport.uses_doorbell()
    }

    fn read(&self, peer: Rank, from: RemoteAddress, into: Block, token: u64) -> Result<(), (Refusal, Block)> {
        self.transport.read(peer, from, into, token)
    }

    fn take_unacked(&self, peer: Rank) -> Option<Unacked> {
        self.transport.take_unacked(peer)
    }
}
