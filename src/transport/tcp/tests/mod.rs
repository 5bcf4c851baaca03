//! Ranks as threads of one process, joined over loopback; unknown and faulty peers as plain sockets.

mod failures;
mod unknown_peers;

use super::frame::{FrameHeader, FrameKind, HEADER_BYTES};
use super::handshake::{Client, ConnectionPurpose, Endpoints, PROOF_BYTES, RESPONSE_BYTES, Secret};
use super::{Addresses, Listener, TcpAddress, TcpTransport};
use crate::base::Rank;
use crate::base::config::Pages;
use crate::memory::{Arena, Region};
use crate::transport::{Refusal, RemoteAddress, Transport, TransportEvent, conformance};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A guard against hanging, not a measure.
const DEADLINE: Duration = Duration::from_secs(60);

const PEER_TIMEOUT: Duration = Duration::from_secs(30);

struct Job {
    ranks: Vec<TcpTransport>,
    arenas: Vec<Arc<Arena>>,
}

impl Job {
    fn new(size: u32) -> Job {
        Job::over(size, &Addresses(vec![Ipv4Addr::LOCALHOST.into()]))
    }

    fn over(size: u32, addresses: &Addresses) -> Job {
        let secret = Secret::random();
        let listeners: Vec<_> = (0..size).map(|_| Listener::open(addresses, None).expect("bound")).collect();
        let addresses: Vec<_> = listeners.iter().map(Listener::address).collect();
        let arenas: Vec<_> = (0..size).map(|_| Arena::create(16 << 20, Pages::Plain).expect("created")).collect();
        let start = |(me, listener)| {
            let transport =
                TcpTransport::start(listener, me, addresses.clone(), &secret, PEER_TIMEOUT).expect("started");
            transport.register(&Region::Host(arenas[me as usize].clone())).expect("host memory");
            transport
        };
        let ranks = (0..size).zip(listeners).map(start).collect();
        Job { ranks, arenas }
    }

    /// Polls all ranks until `done` accepts the events so far, each written as text.
    fn poll_until(&self, done: impl FnMut(&[String]) -> bool) -> Vec<String> {
        poll_until(&self.ranks.iter().collect::<Vec<_>>(), done)
    }
}

/// Polls until `done` accepts the events so far: `RANK< FROM TEXT`, `RANK read TOKEN ...`, `RANK lost PEER ...`.
fn poll_until(ranks: &[&TcpTransport], mut done: impl FnMut(&[String]) -> bool) -> Vec<String> {
    let began = Instant::now();
    let mut seen = Vec::new();
    while !done(&seen) {
        assert!(began.elapsed() < DEADLINE, "nothing more than {seen:?}");
        for (at, rank) in ranks.iter().enumerate() {
            rank.poll(&mut |event| {
                seen.push(match event {
                    TransportEvent::Message { from, bytes } => {
                        format!("{at}< {from} {}", String::from_utf8_lossy(bytes))
                    }
                    TransportEvent::ReadDone { token, block } => match block {
                        Ok(block) => format!("{at} read {token} of {} bytes", block.len()),
                        Err(reason) => format!("{at} read {token} failed: {reason}"),
                    },
                    TransportEvent::LinkDown { peer, reason } => format!("{at} lost {peer}: {reason}"),
                });
            });
        }
        std::thread::yield_now();
    }
    seen
}

fn conforms(size: u32, addresses: &[IpAddr]) {
    let job = Job::over(size, &Addresses(addresses.to_vec()));
    conformance::full(&job.ranks[0], 0, &job.ranks[1], 1).expect("full and empty again");
    std::thread::scope(|scope| {
        let ranks: Vec<_> = (0..size)
            .map(|rank| {
                let (transport, arena) = (&job.ranks[rank as usize], &job.arenas[rank as usize]);
                scope.spawn(move || conformance::run(transport, rank, size, arena))
            })
            .collect();
        for (rank, thread) in ranks.into_iter().enumerate() {
            thread.join().expect("no panic").unwrap_or_else(|error| panic!("rank {rank}: {error}"));
        }
    });
}

#[test]
fn two_ranks_conform() {
    conforms(2, &[Ipv4Addr::LOCALHOST.into()]);
}

#[test]
fn three_ranks_conform_over_ipv6() {
    conforms(3, &[Ipv6Addr::LOCALHOST.into()]);
}

#[test]
fn five_ranks_conform_with_an_address_of_each_version() {
    conforms(5, &[Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()]);
}

/// The steps of both ends, sends and polls, in many orders, by seed.
#[test]
fn simultaneous_dials_lose_and_reorder_no_message() {
    const MESSAGES: u32 = 4;
    for seed in 1..=300_u64 {
        let job = Job::new(2);
        let mut random = fastrand::Rng::with_seed(seed);
        let mut draw = |below: u64| random.u64(..below);
        let (mut sent, mut seen) = ([0; 2], [Vec::new(), Vec::new()]);
        let began = Instant::now();
        while seen.iter().any(|seen| seen.len() < MESSAGES as usize) {
            assert!(began.elapsed() < DEADLINE, "seed {seed}: {seen:?}");
            let me = draw(2) as usize;
            if sent[me] < MESSAGES && draw(4) == 0 {
                job.ranks[me].send(1 - me as Rank, &[&[sent[me] as u8]]).expect("space");
                sent[me] += 1;
            }
            job.ranks[me].poll(&mut |event| match event {
                TransportEvent::Message { bytes, .. } => seen[me].push(bytes[0]),
                TransportEvent::LinkDown { reason, .. } => panic!("seed {seed}: {reason}"),
                TransportEvent::ReadDone { .. } => panic!("seed {seed}: nothing was read"),
            });
        }
        assert_eq!(seen, [vec![0, 1, 2, 3], vec![0, 1, 2, 3]], "seed {seed}");
    }
}

#[test]
fn first_send_opens_the_connection() {
    let job = Job::new(3);
    job.ranks.iter().for_each(|rank| assert!(rank.arm(), "nothing is to be done"));
    job.ranks[0].send(2, &[b"hello"]).expect("space");
    assert!(!job.ranks[0].arm(), "a connection is requested");
    assert_eq!(job.poll_until(|seen| !seen.is_empty()), ["2< 0 hello"]);
    assert!(job.ranks[1].arm(), "rank 1 has nothing to do with it");
}

#[test]
fn message_makes_the_armed_descriptor_readable() {
    let job = Job::new(2);
    let [zero, one] = &job.ranks[..] else { panic!("two ranks") };
    zero.send(1, &[b"first"]).expect("space");
    job.poll_until(|seen| seen.len() == 1);
    // The rest of the handshake and of the credits may need a poll or two.
    while !one.arm() {
        one.poll(&mut |_| {});
    }
    assert!(!one.pending(), "a sleeping rank need not poll from time to time");
    let descriptor = one.wake_fd().expect("there is one");
    let mut watched = [rustix::event::PollFd::from_borrowed_fd(descriptor, rustix::event::PollFlags::IN)];
    zero.send(1, &[b"wake up"]).expect("space");
    let found = rustix::event::poll(&mut watched, Some(&rustix::event::Timespec { tv_sec: 60, tv_nsec: 0 }));
    assert_eq!(found, Ok(1));
    assert!(!one.arm());
    assert_eq!(poll_until(&[zero, one], |seen| !seen.is_empty()), ["1< 0 wake up"]);
}

#[test]
fn messages_sent_in_a_callback_are_written_by_the_same_poll() {
    let job = Job::new(2);
    job.ranks[0].send(1, &[b"request"]).expect("space");
    let began = Instant::now();
    let mut dialed = false;
    while !dialed {
        assert!(began.elapsed() < DEADLINE);
        job.ranks[1].poll(&mut |event| {
            if let TransportEvent::Message { from, bytes } = event {
                job.ranks[1].send(from, &[b"response to ", bytes]).expect("space");
            }
        });
        job.ranks[0].poll(&mut |event| {
            assert!(matches!(event, TransportEvent::Message { from: 1, bytes: b"response to request" }));
            dialed = true;
        });
    }
}

#[test]
fn concurrent_reads_are_bounded_and_all_served() {
    let job = Job::new(3);
    let mut source = job.arenas[1].allocate(3 << 20).expect("space");
    source.as_mut_slice().iter_mut().enumerate().for_each(|(at, byte)| *byte = (at % 253) as u8);
    let (reader, into) = (&job.ranks[0], &job.arenas[0]);
    let mut under_way = 0;
    let refused = loop {
        let block = into.allocate(100_000).expect("space");
        match reader.read(1, RemoteAddress::in_store(source.offset() + under_way), block, under_way) {
            Ok(()) => under_way += 1,
            Err((refusal, _)) => break refusal,
        }
    };
    assert_eq!((refused, under_way), (Refusal::Full, super::reads::READS_MAX as u64));
    job.ranks[1].send(0, &[b"meanwhile"]).expect("space");
    let began = Instant::now();
    let mut done = 0;
    while done < under_way {
        assert!(began.elapsed() < DEADLINE);
        job.ranks[1].poll(&mut |_| {});
        reader.poll(&mut |event| {
            if let TransportEvent::ReadDone { token, block } = event {
                let block = block.expect("inside");
                let expected = &source.as_slice()[token as usize..token as usize + 100_000];
                assert!(block.as_slice() == expected);
                done += 1;
            }
        });
    }
}

#[test]
fn device_memory_is_refused_with_a_reason() {
    use crate::memory::CudaRegion;
    let job = Job::new(2);
    let device = CudaRegion { number: 1, device: 0, address: 0, bytes: 64, dmabuf: None, owner: Box::new(()) };
    assert!(job.ranks[0].register(&Region::Cuda(Arc::new(device))).unwrap_err().to_string().contains("GPU 0"));
    let block = job.arenas[0].allocate(64).expect("space");
    job.ranks[0].read(1, RemoteAddress { region: 1, offset: 0 }, block, 7).expect("taken");
    let seen = job.poll_until(|seen| !seen.is_empty());
    assert!(seen[0].starts_with("0 read 7 failed: rank 1") && seen[0].contains("region 1"), "{seen:?}");
}

#[test]
fn orderly_close_reports_link_down_only_to_ranks_that_send() {
    let mut job = Job::new(3);
    for peer in [1, 2] {
        job.ranks[0].send(peer, &[b"hello"]).expect("space");
    }
    job.poll_until(|seen| seen.len() == 2);
    let two = job.ranks.pop().expect("rank 2");
    two.send(0, &[b"last message"]).expect("space");
    drop(two);
    assert_eq!(job.poll_until(|seen| !seen.is_empty()), ["0< 2 last message"]);
    // The goodbye arrived with it, or arrives next: a send is refused eventually, and only then is the peer reported.
    let began = Instant::now();
    while job.ranks[0].send(2, &[b"still there?"]).is_ok() {
        assert!(began.elapsed() < DEADLINE);
        job.ranks[0].poll(&mut |_| {});
    }
    assert_eq!(job.ranks[0].send(2, &[b"still there?"]), Err(Refusal::Lost));
    job.ranks[1].send(0, &[b"I am"]).expect("space");
    job.poll_until(|seen| seen.iter().any(|line| line == "0< 1 I am"));
}

#[test]
fn rank_beyond_the_job_is_an_error() {
    let listener = Listener::open(&Addresses::loopback(), None).expect("bound");
    let addresses = vec![listener.address()];
    let error = TcpTransport::start(listener, 1, addresses, &Secret::random(), PEER_TIMEOUT).err().expect("refused");
    assert!(error.to_string().contains("rank 1"));
}

/// Rank 0 of a job of two whose rank 1 the test imitates, through plain sockets.
struct FakePeer {
    zero: TcpTransport,
    arena: Arc<Arena>,
    secret: Secret,
    /// The socket at which rank 1 listens.
    listener: TcpListener,
    /// The address at which rank 0 listens.
    address: SocketAddr,
}

impl FakePeer {
    fn new() -> FakePeer {
        FakePeer::with_peer_timeout(PEER_TIMEOUT)
    }

    fn with_peer_timeout(peer_timeout: Duration) -> FakePeer {
        let secret = Secret::random();
        let zero_listener = Listener::open(&Addresses::loopback(), None).expect("bound");
        let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
        let socket_addresses = vec![listener.local_addr().expect("bound")];
        let addresses = vec![zero_listener.address(), TcpAddress { socket_addresses, host: "played".to_string() }];
        let address = addresses[0].socket_addresses[0];
        let zero = TcpTransport::start(zero_listener, 0, addresses, &secret, peer_timeout).expect("started");
        let arena = Arena::create(16 << 20, Pages::Plain).expect("created");
        zero.register(&Region::Host(arena.clone())).expect("host memory");
        FakePeer { zero, arena, secret, listener, address }
    }

    /// Runs `act` while rank 0 polls; returns its result and the events that rank 0 received.
    fn run_while_polling<T: Send>(&self, act: impl FnOnce() -> T + Send) -> (T, Vec<String>) {
        std::thread::scope(|scope| {
            let acting = scope.spawn(act);
            let seen = poll_until(&[&self.zero], |_| acting.is_finished());
            (acting.join().expect("no panic"), seen)
        })
    }

    /// Dials rank 0 as this rank with this secret; returns the connection, and the first frame, if one arrived.
    fn dial_as(&self, rank: Rank, secret: &Secret) -> (TcpStream, Option<FrameKind>) {
        let (dialed, _) = self.run_while_polling(|| {
            let mut stream = TcpStream::connect(self.address).expect("it listens");
            let client =
                Client::new(secret, Endpoints { purpose: ConnectionPurpose::Transport, client: rank, server: 0 });
            let first = prove(&mut stream, &client);
            (stream, first)
        });
        dialed
    }

    /// Dials rank 0 as rank 1.
    fn dial(&self) -> TcpStream {
        let (stream, first) = self.dial_as(1, &self.secret);
        assert_eq!(first, Some(FrameKind::Welcome));
        stream
    }

    fn poll_until_link_down(&self) -> Vec<String> {
        poll_until(&[&self.zero], |seen| seen.iter().any(|line| line.starts_with("0 lost")))
    }

    /// Checks that rank 0 still serves an authenticated rank 1.
    fn assert_still_serves(&self) {
        let mut stream = self.dial();
        stream.write_all(&frame(FrameHeader::new(FrameKind::Message, 5), b"hello")).expect("written");
        assert_eq!(poll_until(&[&self.zero], |seen| !seen.is_empty()), ["0< 1 hello"]);
    }
}

/// The client's side of the handshake; the first frame after it, where the other end did not hang up.
fn prove(stream: &mut TcpStream, client: &Client) -> Option<FrameKind> {
    stream.write_all(client.hello()).ok()?;
    let mut response = [0; RESPONSE_BYTES];
    stream.read_exact(&mut response).ok()?;
    // A wrong secret shows in the response already; a client without it can only guess a proof.
    let proof = client.verify_response(&response).unwrap_or([7; PROOF_BYTES]);
    stream.write_all(&proof).ok()?;
    let mut header = [0; HEADER_BYTES];
    stream.read_exact(&mut header).ok()?;
    Some(FrameHeader::decode(&header).expect("a frame").kind)
}

/// The bytes of a frame on the wire.
fn frame(header: FrameHeader, body: &[u8]) -> Vec<u8> {
    let mut bytes = [&header.encode()[..], body].concat();
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}
