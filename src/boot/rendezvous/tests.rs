//! Ranks that are threads meet, fail, and are disturbed by unknown peers.

use super::Met;
use super::find::find;
use super::frame::{FrameReader, ParticipantInfo, RendezvousFrame, RendezvousKind};
use super::listen::bind_any;
use super::meet::meet;
use super::rank_spec::RankSpec;
use crate::base::{Rank, Result};
use crate::transport::tcp::handshake::{Client, ConnectionPurpose, Endpoints, HELLO_BYTES, RESPONSE_BYTES, Secret};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// A time-out that only a failed test reaches.
const LONG: Duration = Duration::from_secs(60);
/// A time-out that the test waits for.
const SHORT: Duration = Duration::from_secs(2);

fn spec(rank: Rank, size: u32, timeout: Duration) -> RankSpec {
    RankSpec { rank, size, timeout, host: format!("host-of-{rank}") }
}

/// Rank 0's listener, its address, and the secret.
fn rendezvous_point() -> (TcpListener, SocketAddr, Secret) {
    let listener = bind_any(None).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, SocketAddr::from(([127, 0, 0, 1], port)), Secret::random())
}

fn coordinator_end(listener: TcpListener, spec: &RankSpec, secret: &Secret) -> Result<Met> {
    meet(listener, spec, secret, "the test")
}

fn participant_end(address: SocketAddr, spec: &RankSpec, secret: &Secret) -> Result<Met> {
    let locate = || Ok((vec![address], secret.clone()));
    find(spec, "the test", locate)
}

/// Each rank of `size` meets and runs `part`; returns the results, by rank.
fn ranks<T: Send>(size: u32, part: impl Fn(Rank, Met) -> T + Sync) -> Vec<T> {
    let (listener, address, secret) = rendezvous_point();
    let (secret, part) = (&secret, &part);
    std::thread::scope(|scope| {
        let zero = scope.spawn(move || part(0, coordinator_end(listener, &spec(0, size, LONG), secret).unwrap()));
        let others: Vec<_> = (1..size)
            .map(|rank| {
                scope.spawn(move || part(rank, participant_end(address, &spec(rank, size, LONG), secret).unwrap()))
            })
            .collect();
        [zero].into_iter().chain(others).map(|rank| rank.join().unwrap()).collect()
    })
}

/// A rank whose every byte the test sends itself: it is authenticated at rank 0. Returns the bytes that it sent.
fn authenticate_by_hand(address: SocketAddr, secret: &Secret, rank: Rank) -> (TcpStream, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    let client = Client::new(secret, Endpoints { purpose: ConnectionPurpose::Rendezvous, client: rank, server: 0 });
    stream.write_all(client.hello()).unwrap();
    let mut response = [0; RESPONSE_BYTES];
    stream.read_exact(&mut response).unwrap();
    let proof = client.verify_response(&response).unwrap();
    stream.write_all(&proof).unwrap();
    (stream, [&client.hello()[..], &proof].concat())
}

/// As `authenticate_by_hand`; it has also joined.
fn meet_by_hand(address: SocketAddr, secret: &Secret, rank: Rank, size: u32) -> (TcpStream, Vec<u8>) {
    let (mut stream, sent) = authenticate_by_hand(address, secret, rank);
    let info = ParticipantInfo { size, pid: 77, host: format!("hand-made-{rank}") };
    let join = RendezvousFrame::encode(RendezvousKind::Join, 0, &info.encode());
    stream.write_all(&join).unwrap();
    (stream, [sent, join].concat())
}

fn receive(stream: &mut TcpStream) -> RendezvousFrame {
    FrameReader::new(1 << 20).read(stream).unwrap().unwrap()
}

fn text_of<T>(outcome: Result<T>) -> String {
    outcome.err().expect("an error").to_string()
}

#[track_caller]
fn assert_contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{text:?} lacks {part:?}");
    }
}

#[test]
fn ranks_that_met_share_a_new_secret_and_run_collectives() {
    for size in [2, 5, 33] {
        let secrets = ranks(size, |rank, (mut exchange, secret)| {
            for round in 0..3 {
                // With 33 ranks the second round is longer than a socket buffer.
                let mine = vec![rank as u8; (rank as usize + 1) * [1, 10_000, 0][round]];
                let all = exchange.allgather(&mine).unwrap();
                assert_eq!(all.len(), size as usize);
                for (peer, theirs) in all.iter().enumerate() {
                    assert_eq!(*theirs, vec![peer as u8; (peer + 1) * [1, 10_000, 0][round]]);
                }
                exchange.barrier().unwrap();
            }
            secret
        });
        assert!(secrets.iter().all(|secret| *secret == secrets[0]));
    }
}

#[test]
fn unknown_peers_do_not_keep_ranks_out() {
    let (listener, address, secret) = rendezvous_point();
    std::thread::scope(|scope| {
        let zero = scope.spawn(|| coordinator_end(listener, &spec(0, 3, LONG), &secret));
        // More than may be pending at once; they send nothing for as long as the test lasts.
        let silent: Vec<TcpStream> = (0..300).map(|_| TcpStream::connect(address).unwrap()).collect();
        let mut noisy = TcpStream::connect(address).unwrap();
        let _ = noisy.write_all(&Secret::random().bytes().repeat(1000));
        let mut browser = TcpStream::connect(address).unwrap();
        browser.write_all(b"GET / HTTP/1.1\r\nHost: n1\r\nAccept: everything that there is\r\n\r\n").unwrap();
        let mut response = Vec::new();
        let _ = browser.read_to_end(&mut response);
        assert!(response.is_empty(), "an unknown peer gets no response");

        let wrong = text_of(participant_end(address, &spec(2, 3, SHORT), &Secret::random()));
        assert_contains(&wrong, &["rank 2 of 3", "host-of-2", "does not hold this job's secret", "MOBULA_SECRET"]);

        // A rank that meets, and a replay of everything that it sent.
        let (mut first, sent) = meet_by_hand(address, &secret, 1, 3);
        assert_eq!(receive(&mut first).kind, RendezvousKind::Taken);
        let mut replay = TcpStream::connect(address).unwrap();
        let _ = replay.write_all(&sent);
        let mut received = Vec::new();
        let _ = replay.read_to_end(&mut received);
        assert!(
            received.len() <= RESPONSE_BYTES,
            "it got the challenge and no more: the replay was not accepted as rank 1"
        );

        let mut newer = TcpStream::connect(address).unwrap();
        let mut hello = sent[..HELLO_BYTES].to_vec();
        hello[8] = 99;
        newer.write_all(&hello).unwrap();
        let mut received = [0; RESPONSE_BYTES];
        newer.read_exact(&mut received).unwrap();
        assert_eq!(newer.read(&mut [0]).unwrap(), 0, "a response with the version, then the connection is closed");

        let (_, theirs) = participant_end(address, &spec(2, 3, LONG), &secret).unwrap();
        let (_, ours) = zero.join().unwrap().unwrap();
        assert_eq!(ours, theirs);
        assert_eq!(receive(&mut first).kind, RendezvousKind::AllMet);
        drop(silent);
    });
}

/// Its place was kept until the peer time-out: only the handshake had a deadline, and not the frame after it.
#[test]
fn rank_that_authenticates_and_does_not_join_loses_its_place() {
    let (listener, address, secret) = rendezvous_point();
    std::thread::scope(|scope| {
        let zero = scope.spawn(|| coordinator_end(listener, &spec(0, 2, LONG), &secret));
        let (mut silent, _) = authenticate_by_hand(address, &secret, 1);
        silent.set_read_timeout(Some(LONG / 2)).unwrap();
        assert_eq!(silent.read(&mut [0]).unwrap(), 0, "rank 0 closes the connection, long before the peer time-out");
        participant_end(address, &spec(1, 2, LONG), &secret).unwrap();
        zero.join().unwrap().unwrap();
    });
}

#[test]
fn missing_rank_is_named_on_every_rank() {
    let (listener, address, secret) = rendezvous_point();
    std::thread::scope(|scope| {
        let zero = scope.spawn(|| coordinator_end(listener, &spec(0, 4, SHORT), &secret));
        let two = scope.spawn(|| participant_end(address, &spec(2, 4, LONG), &secret));
        let one = scope.spawn(|| participant_end(address, &spec(1, 4, LONG), &secret));
        let text = text_of(zero.join().unwrap());
        assert_contains(&text, &["rank 3 did not come", "3 of 4 ranks met", "host-of-0", "MOBULA_PEER_TIMEOUT_S"]);
        assert_eq!(text_of(one.join().unwrap()), text);
        assert_eq!(text_of(two.join().unwrap()), text);
    });
}

#[test]
fn missing_rank_0_is_an_error() {
    let (listener, address, secret) = rendezvous_point();
    drop(listener);
    let text = text_of(participant_end(address, &spec(1, 2, SHORT), &secret));
    assert_contains(&text, &["rank 1 of 2 on host host-of-1 did not find rank 0", "refused"]);
}

#[test]
fn two_processes_with_one_rank_are_both_named() {
    let (listener, address, secret) = rendezvous_point();
    std::thread::scope(|scope| {
        let zero = scope.spawn(|| coordinator_end(listener, &spec(0, 3, LONG), &secret));
        let (mut first, _) = meet_by_hand(address, &secret, 1, 3);
        assert_eq!(receive(&mut first).kind, RendezvousKind::Taken);
        let second = text_of(participant_end(address, &spec(1, 3, LONG), &secret));
        let text = text_of(zero.join().unwrap());
        assert_contains(
            &text,
            &["two processes are rank 1", "hand-made-1, pid 77", &format!("pid {}", std::process::id())],
        );
        assert_eq!(second, text);
        let failure = receive(&mut first);
        assert_eq!((failure.kind, String::from_utf8(failure.payload).unwrap()), (RendezvousKind::Failed, text));
    });
}

#[test]
fn rank_with_another_size_is_named() {
    for (rank, theirs, expected) in [(1, 5, "counts 5"), (7, 3, "ranks 1 to 2 are awaited"), (0, 3, "ranks 1 to 2")] {
        let (listener, address, secret) = rendezvous_point();
        std::thread::scope(|scope| {
            let zero = scope.spawn(|| coordinator_end(listener, &spec(0, 3, LONG), &secret));
            let text = text_of(participant_end(address, &spec(rank, theirs, LONG), &secret));
            assert_contains(&text, &[expected, &format!("rank {rank} (host ")]);
            assert_eq!(text_of(zero.join().unwrap()), text);
        });
    }
}

#[test]
fn rank_lost_while_ranks_meet_is_named() {
    let (listener, address, secret) = rendezvous_point();
    std::thread::scope(|scope| {
        let zero = scope.spawn(|| coordinator_end(listener, &spec(0, 3, LONG), &secret));
        let (mut one, _) = meet_by_hand(address, &secret, 1, 3);
        assert_eq!(receive(&mut one).kind, RendezvousKind::Taken);
        drop(one);
        assert_contains(&text_of(zero.join().unwrap()), &["rank 1 (host hand-made-1", "was lost while the ranks met"]);
    });
}

#[test]
fn rank_lost_during_start_is_an_error_on_every_rank() {
    let texts = ranks(4, |rank, (mut exchange, _)| {
        exchange.allgather(b"all are here").unwrap();
        if rank == 2 {
            return String::new();
        }
        text_of(exchange.allgather(b"one is not"))
    });
    for rank in [0, 1, 3] {
        assert_contains(&texts[rank], &["rank 2 (host ", "was lost", "while the ranks were starting"]);
    }
}

#[test]
fn barrier_ends_although_a_rank_is_lost() {
    ranks(4, |rank, (mut exchange, _)| {
        exchange.allgather(b"all are here").unwrap();
        if rank != 2 {
            exchange.barrier().unwrap();
            exchange.barrier().unwrap();
        }
    });
}

#[test]
fn barrier_without_rank_0_is_an_error_at_once() {
    let texts = ranks(4, |rank, (mut exchange, _)| {
        exchange.allgather(b"all are here").unwrap();
        if rank == 0 { String::new() } else { text_of(exchange.barrier()) }
    });
    for text in &texts[1..] {
        assert_contains(text, &["rank 0 (127.0.0.1:", "was lost"]);
    }
}

#[test]
fn ranks_out_of_step_get_an_error() {
    let texts = ranks(3, |rank, (mut exchange, _)| {
        text_of(if rank == 1 { exchange.barrier() } else { exchange.allgather(b"").map(drop) })
    });
    for text in texts {
        assert_contains(&text, &["rank 1 (host ", "Barrier", "Gather", "same binary"]);
    }
}

#[test]
fn malformed_frames_are_refused() {
    let mut long = RendezvousFrame::encode(RendezvousKind::Gather, 0, b"");
    long[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
    let twice = [
        RendezvousFrame::encode(RendezvousKind::Gather, 0, b"x"),
        RendezvousFrame::encode(RendezvousKind::Gather, 0, b"x"),
    ]
    .concat();
    for (sent, expected) in [
        (long, "18446744073709551615 bytes"),
        (b"GET / HTTP/1.1\r\n".to_vec(), "no frame begins like this"),
        (RendezvousFrame::encode(RendezvousKind::Gather, 0, b"cut off")[..20].to_vec(), "it closed the connection"),
        (twice, "two frames"),
    ] {
        let (listener, address, secret) = rendezvous_point();
        std::thread::scope(|scope| {
            let zero = scope.spawn(|| {
                let (mut exchange, _) = coordinator_end(listener, &spec(0, 3, LONG), &secret)?;
                exchange.allgather(b"mine")
            });
            let two = scope.spawn(|| participant_end(address, &spec(2, 3, LONG), &secret).unwrap().0);
            let (mut one, _) = meet_by_hand(address, &secret, 1, 3);
            assert_eq!(receive(&mut one).kind, RendezvousKind::Taken);
            assert_eq!(receive(&mut one).kind, RendezvousKind::AllMet);
            let mut two = two.join().unwrap();
            one.write_all(&sent).unwrap();
            one.shutdown(std::net::Shutdown::Write).unwrap();
            let text = text_of(zero.join().unwrap());
            assert_contains(&text, &["rank 1 (host hand-made-1", expected]);
            assert_eq!(text_of(two.allgather(b"mine")), text);
        });
    }
}
