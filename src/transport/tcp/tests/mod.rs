//! Ranks as threads of one process, joined over loopback; strangers and broken peers as plain sockets.

mod deaths;
mod strangers;

use super::frame::{HEADER_BYTES, Header, Kind};
use super::handshake::{ANSWER_BYTES, Client, PROOF_BYTES, Parties, Purpose, Secret};
use super::{Addresses, Listener, TcpCard, TcpFabric};
use crate::base::Rank;
use crate::base::config::Pages;
use crate::memory::{Arena, Region};
use crate::transport::{Event, Fabric, Place, Refusal, conformance};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A guard against hanging, not a measure.
const DEADLINE: Duration = Duration::from_secs(60);

const SILENCE: Duration = Duration::from_secs(30);

struct Job {
    ranks: Vec<TcpFabric>,
    arenas: Vec<Arc<Arena>>,
}

impl Job {
    fn new(size: u32) -> Job {
        Job::over(size, &Addresses(vec![Ipv4Addr::LOCALHOST.into()]))
    }

    fn over(size: u32, addresses: &Addresses) -> Job {
        let secret = Secret::random();
        let listeners: Vec<_> = (0..size).map(|_| Listener::open(addresses, None).expect("bound")).collect();
        let cards: Vec<_> = listeners.iter().map(Listener::card).collect();
        let arenas: Vec<_> = (0..size).map(|_| Arena::create(16 << 20, Pages::Plain).expect("made")).collect();
        let start = |(me, listener)| {
            let fabric = TcpFabric::start(listener, me, cards.clone(), &secret, SILENCE).expect("started");
            fabric.offer(&Region::Host(arenas[me as usize].clone())).expect("host memory");
            fabric
        };
        let ranks = (0..size).zip(listeners).map(start).collect();
        Job { ranks, arenas }
    }

    /// Polls all ranks until `done` is satisfied with the events so far, each written as text.
    fn poll_until(&self, done: impl FnMut(&[String]) -> bool) -> Vec<String> {
        poll_until(&self.ranks.iter().collect::<Vec<_>>(), done)
    }
}

/// Polls until `done` is satisfied with the events so far: `RANK< FROM TEXT`, `RANK read TOKEN ...`, `RANK lost PEER ...`.
fn poll_until(ranks: &[&TcpFabric], mut done: impl FnMut(&[String]) -> bool) -> Vec<String> {
    let began = Instant::now();
    let mut seen = Vec::new();
    while !done(&seen) {
        assert!(began.elapsed() < DEADLINE, "nothing more than {seen:?}");
        for (at, rank) in ranks.iter().enumerate() {
            rank.poll(&mut |event| {
                seen.push(match event {
                    Event::Message { from, bytes } => format!("{at}< {from} {}", String::from_utf8_lossy(bytes)),
                    Event::ReadDone { token, block } => match block {
                        Ok(block) => format!("{at} read {token} of {} bytes", block.len()),
                        Err(reason) => format!("{at} read {token} failed: {reason}"),
                    },
                    Event::Lost { peer, reason } => format!("{at} lost {peer}: {reason}"),
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
                let (fabric, arena) = (&job.ranks[rank as usize], &job.arenas[rank as usize]);
                scope.spawn(move || conformance::run(fabric, rank, size, arena))
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
fn three_ranks_conform_over_version_6() {
    conforms(3, &[Ipv6Addr::LOCALHOST.into()]);
}

#[test]
fn five_ranks_conform_with_an_address_of_each_version() {
    conforms(5, &[Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()]);
}

/// The steps of both ends in many orders, by seed: who sends when, and who looks when.
#[test]
fn both_ends_may_call_at_once_and_no_message_is_lost_or_reordered() {
    const MESSAGES: u32 = 4;
    for seed in 1..=300_u64 {
        let job = Job::new(2);
        let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut draw = |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        let (mut sent, mut seen) = ([0; 2], [Vec::new(), Vec::new()]);
        let began = Instant::now();
        while seen.iter().any(|seen| seen.len() < MESSAGES as usize) {
            assert!(began.elapsed() < DEADLINE, "seed {seed}: {seen:?}");
            let me = draw(2) as usize;
            if sent[me] < MESSAGES && draw(4) == 0 {
                job.ranks[me].send(1 - me as Rank, &[&[sent[me] as u8]]).expect("room");
                sent[me] += 1;
            }
            job.ranks[me].poll(&mut |event| match event {
                Event::Message { bytes, .. } => seen[me].push(bytes[0]),
                Event::Lost { reason, .. } => panic!("seed {seed}: {reason}"),
                Event::ReadDone { .. } => panic!("seed {seed}: nothing was read"),
            });
        }
        assert_eq!(seen, [vec![0, 1, 2, 3], vec![0, 1, 2, 3]], "seed {seed}");
    }
}

#[test]
fn nobody_is_called_before_there_is_something_to_say() {
    let job = Job::new(3);
    job.ranks.iter().for_each(|rank| assert!(rank.arm(), "nothing is to be done"));
    job.ranks[0].send(2, &[b"hello"]).expect("room");
    assert!(!job.ranks[0].arm(), "a connection is wanted");
    assert_eq!(job.poll_until(|seen| !seen.is_empty()), ["2< 0 hello"]);
    assert!(job.ranks[1].arm(), "rank 1 has nothing to do with it");
}

#[test]
fn the_descriptor_wakes_who_sleeps() {
    let job = Job::new(2);
    let [zero, one] = &job.ranks[..] else { panic!("two ranks") };
    zero.send(1, &[b"first"]).expect("room");
    job.poll_until(|seen| seen.len() == 1);
    // What is left of the handshake and of credits may need a look or two.
    while !one.arm() {
        one.poll(&mut |_| {});
    }
    assert!(!one.pending(), "who sleeps need not look now and then");
    let descriptor = one.wake_fd().expect("there is one");
    let mut watched = [rustix::event::PollFd::from_borrowed_fd(descriptor, rustix::event::PollFlags::IN)];
    zero.send(1, &[b"wake up"]).expect("room");
    let found = rustix::event::poll(&mut watched, Some(&rustix::event::Timespec { tv_sec: 60, tv_nsec: 0 }));
    assert_eq!(found, Ok(1));
    assert!(!one.arm());
    assert_eq!(poll_until(&[zero, one], |seen| !seen.is_empty()), ["1< 0 wake up"]);
}

#[test]
fn answers_go_out_when_the_turn_ends() {
    let job = Job::new(2);
    job.ranks[0].send(1, &[b"question"]).expect("room");
    let began = Instant::now();
    let mut answered = false;
    while !answered {
        assert!(began.elapsed() < DEADLINE);
        job.ranks[1].poll(&mut |event| {
            if let Event::Message { from, bytes } = event {
                job.ranks[1].send(from, &[b"answer to ", bytes]).expect("room");
            }
        });
        job.ranks[0].poll(&mut |event| {
            assert!(matches!(event, Event::Message { from: 1, bytes: b"answer to question" }));
            answered = true;
        });
    }
}

#[test]
fn many_reads_at_once_are_served_in_turn_and_bounded() {
    let job = Job::new(3);
    let mut source = job.arenas[1].allocate(3 << 20).expect("room");
    source.as_mut_slice().iter_mut().enumerate().for_each(|(at, byte)| *byte = (at % 253) as u8);
    let (reader, into) = (&job.ranks[0], &job.arenas[0]);
    let mut under_way = 0;
    let refused = loop {
        let block = into.allocate(100_000).expect("room");
        match reader.read(1, Place::in_store(source.offset() + under_way), block, under_way) {
            Ok(()) => under_way += 1,
            Err((refusal, _)) => break refusal,
        }
    };
    assert_eq!((refused, under_way), (Refusal::Full, super::reads::READS_MAX as u64));
    job.ranks[1].send(0, &[b"meanwhile"]).expect("room");
    let began = Instant::now();
    let mut done = 0;
    while done < under_way {
        assert!(began.elapsed() < DEADLINE);
        job.ranks[1].poll(&mut |_| {});
        reader.poll(&mut |event| {
            if let Event::ReadDone { token, block } = event {
                let block = block.expect("inside");
                let expected = &source.as_slice()[token as usize..token as usize + 100_000];
                assert!(block.as_slice() == expected);
                done += 1;
            }
        });
    }
}

#[test]
fn memory_that_no_processor_reads_is_refused_in_words() {
    use crate::memory::CudaRegion;
    let job = Job::new(2);
    let device = CudaRegion { number: 1, device: 0, address: 0, bytes: 64, dmabuf: None, keep: Box::new(()) };
    assert!(job.ranks[0].offer(&Region::Cuda(Arc::new(device))).unwrap_err().contains("GPU 0"));
    let block = job.arenas[0].allocate(64).expect("room");
    job.ranks[0].read(1, Place { region: 1, offset: 0 }, block, 7).expect("taken");
    let seen = job.poll_until(|seen| !seen.is_empty());
    assert!(seen[0].starts_with("0 read 7 failed: rank 1") && seen[0].contains("region 1"), "{seen:?}");
}

#[test]
fn who_leaves_in_order_is_lost_only_to_who_wants_something() {
    let mut job = Job::new(3);
    for peer in [1, 2] {
        job.ranks[0].send(peer, &[b"hello"]).expect("room");
    }
    job.poll_until(|seen| seen.len() == 2);
    let two = job.ranks.pop().expect("rank 2");
    two.send(0, &[b"last word"]).expect("room");
    drop(two);
    assert_eq!(job.poll_until(|seen| !seen.is_empty()), ["0< 2 last word"]);
    // The goodbye came with it, or comes next: a send is refused at last, and only then is the peer reported.
    let began = Instant::now();
    while job.ranks[0].send(2, &[b"still there?"]).is_ok() {
        assert!(began.elapsed() < DEADLINE);
        job.ranks[0].poll(&mut |_| {});
    }
    assert_eq!(job.ranks[0].send(2, &[b"still there?"]), Err(Refusal::Lost));
    job.ranks[1].send(0, &[b"I am"]).expect("room");
    job.poll_until(|seen| seen.iter().any(|line| line == "0< 1 I am"));
}

#[test]
fn a_rank_beyond_the_job_is_an_error() {
    let listener = Listener::open(&Addresses::loopback(), None).expect("bound");
    let cards = vec![listener.card()];
    let error = TcpFabric::start(listener, 1, cards, &Secret::random(), SILENCE).err().expect("refused");
    assert!(error.to_string().contains("rank 1"));
}

/// Rank 0 of a job of two whose rank 1 the test plays, through plain sockets.
struct Stage {
    zero: TcpFabric,
    arena: Arc<Arena>,
    secret: Secret,
    /// Where rank 1 listens.
    door: TcpListener,
    /// Where rank 0 listens.
    address: SocketAddr,
}

impl Stage {
    fn new() -> Stage {
        Stage::with_silence(SILENCE)
    }

    fn with_silence(silence: Duration) -> Stage {
        let secret = Secret::random();
        let listener = Listener::open(&Addresses::loopback(), None).expect("bound");
        let door = TcpListener::bind("127.0.0.1:0").expect("bound");
        let played = TcpCard { addresses: vec![door.local_addr().expect("bound")], host: "played".to_string() };
        let card = listener.card();
        let address = card.addresses[0];
        let zero = TcpFabric::start(listener, 0, vec![card, played], &secret, silence).expect("started");
        let arena = Arena::create(16 << 20, Pages::Plain).expect("made");
        zero.offer(&Region::Host(arena.clone())).expect("host memory");
        Stage { zero, arena, secret, door, address }
    }

    /// Runs `act` beside a rank 0 that polls; what it returned, and what rank 0 was handed.
    fn beside<T: Send>(&self, act: impl FnOnce() -> T + Send) -> (T, Vec<String>) {
        std::thread::scope(|scope| {
            let acting = scope.spawn(act);
            let seen = poll_until(&[&self.zero], |_| acting.is_finished());
            (acting.join().expect("no panic"), seen)
        })
    }

    /// Calls rank 0 as this rank with this secret; the connection, and the first frame that came, if any did.
    fn call_as(&self, rank: Rank, secret: &Secret) -> (TcpStream, Option<Kind>) {
        let (answered, _) = self.beside(|| {
            let mut stream = TcpStream::connect(self.address).expect("it listens");
            let client = Client::new(secret, Parties { purpose: Purpose::Road, client: rank, server: 0 });
            let first = prove(&mut stream, &client);
            (stream, first)
        });
        answered
    }

    /// Calls rank 0 as rank 1 does.
    fn call(&self) -> TcpStream {
        let (stream, first) = self.call_as(1, &self.secret);
        assert_eq!(first, Some(Kind::Welcome));
        stream
    }

    fn lost(&self) -> Vec<String> {
        poll_until(&[&self.zero], |seen| seen.iter().any(|line| line.starts_with("0 lost")))
    }

    /// Rank 0 still serves who proves to be rank 1.
    fn still_serves(&self) {
        let mut stream = self.call();
        stream.write_all(&frame(Header::new(Kind::Message, 5), b"hello")).expect("written");
        assert_eq!(poll_until(&[&self.zero], |seen| !seen.is_empty()), ["0< 1 hello"]);
    }
}

/// The client's side of the handshake; the first frame after it, where the other end did not hang up.
fn prove(stream: &mut TcpStream, client: &Client) -> Option<Kind> {
    stream.write_all(client.hello()).ok()?;
    let mut answer = [0; ANSWER_BYTES];
    stream.read_exact(&mut answer).ok()?;
    // A wrong secret shows in the answer already; who lacks it can only guess a proof.
    let proof = client.answered(&answer).unwrap_or([7; PROOF_BYTES]);
    stream.write_all(&proof).ok()?;
    let mut header = [0; HEADER_BYTES];
    stream.read_exact(&mut header).ok()?;
    Some(Header::decode(&header).expect("a frame").kind)
}

/// A frame as it travels.
fn frame(header: Header, body: &[u8]) -> Vec<u8> {
    let mut bytes = [&header.encode()[..], body].concat();
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}
