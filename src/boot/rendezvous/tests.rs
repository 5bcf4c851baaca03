//! Ranks that are threads meet, are lost, and are disturbed by strangers.

use super::find::{Candidates, find};
use super::frame::{Card, Frame, Kind, Reader};
use super::listen::anywhere;
use super::meet::meet;
use super::party::Party;
use crate::base::{Rank, Result};
use crate::boot::Exchange;
use crate::transport::tcp::handshake::{ANSWER_BYTES, Client, HELLO_BYTES, Parties, Purpose, Secret};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// Long enough that a test which needs it has failed.
const LONG: Duration = Duration::from_secs(60);
/// For what never comes: the test takes as long.
const SHORT: Duration = Duration::from_secs(2);

type End = (Box<dyn Exchange>, Secret);

fn party(rank: Rank, size: u32, timeout: Duration) -> Party {
    Party { rank, size, timeout, host: format!("host-of-{rank}") }
}

/// Rank 0's listener, where it is, and the secret.
fn place() -> (TcpListener, SocketAddr, Secret) {
    let listener = anywhere(None).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, SocketAddr::from(([127, 0, 0, 1], port)), Secret::random())
}

fn host(listener: TcpListener, party: &Party, secret: &Secret) -> Result<End> {
    meet(listener, party, secret, "the test").map(|(hub, secret)| (Box::new(hub) as Box<dyn Exchange>, secret))
}

fn guest(address: SocketAddr, party: &Party, secret: &Secret) -> Result<End> {
    let whereabouts = || Ok(Candidates { addresses: vec![address], secret: secret.clone() });
    find(party, "the test", whereabouts).map(|(spoke, secret)| (Box::new(spoke) as Box<dyn Exchange>, secret))
}

/// Each rank of `size` meets and does its part; what each returns, by rank.
fn ranks<T: Send>(size: u32, part: impl Fn(Rank, End) -> T + Sync) -> Vec<T> {
    let (listener, address, secret) = place();
    let (secret, part) = (&secret, &part);
    std::thread::scope(|scope| {
        let zero = scope.spawn(move || part(0, host(listener, &party(0, size, LONG), secret).unwrap()));
        let others: Vec<_> = (1..size)
            .map(|rank| scope.spawn(move || part(rank, guest(address, &party(rank, size, LONG), secret).unwrap())))
            .collect();
        [zero].into_iter().chain(others).map(|rank| rank.join().unwrap()).collect()
    })
}

/// A rank whose every byte the test sends itself: it has come and was taken.
fn by_hand(address: SocketAddr, secret: &Secret, rank: Rank, size: u32) -> (TcpStream, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    let client = Client::new(secret, Parties { purpose: Purpose::Rendezvous, client: rank, server: 0 });
    stream.write_all(client.hello()).unwrap();
    let mut answer = [0; ANSWER_BYTES];
    stream.read_exact(&mut answer).unwrap();
    let card = Card { size, pid: 77, host: format!("hand-made-{rank}") };
    let rest = [&client.answered(&answer).unwrap()[..], &Frame::encode(Kind::Card, 0, &card.encode())].concat();
    stream.write_all(&rest).unwrap();
    let said = [&client.hello()[..], &rest].concat();
    (stream, said)
}

fn hear(stream: &mut TcpStream) -> Frame {
    Reader::new(1 << 20).read(stream).unwrap().unwrap()
}

fn text_of<T>(outcome: Result<T>) -> String {
    outcome.err().expect("an error").to_string()
}

#[track_caller]
fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{text:?} lacks {part:?}");
    }
}

#[test]
fn ranks_that_met_have_a_secret_of_their_own_and_exchange_what_they_like() {
    for size in [2, 5, 33] {
        let secrets = ranks(size, |rank, (mut exchange, secret)| {
            for round in 0..3 {
                // With 33 ranks the second round is more than a socket takes at once.
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
fn strangers_keep_nobody_out() {
    let (listener, address, secret) = place();
    std::thread::scope(|scope| {
        let zero = scope.spawn(|| host(listener, &party(0, 3, LONG), &secret));
        // More than may wait at once, and they say nothing for as long as the test lasts.
        let silent: Vec<TcpStream> = (0..300).map(|_| TcpStream::connect(address).unwrap()).collect();
        let mut noisy = TcpStream::connect(address).unwrap();
        let _ = noisy.write_all(&Secret::random().bytes().repeat(1000));
        let mut browser = TcpStream::connect(address).unwrap();
        browser.write_all(b"GET / HTTP/1.1\r\nHost: n1\r\nAccept: everything that there is\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        let _ = browser.read_to_end(&mut answer);
        assert!(answer.is_empty(), "a stranger gets no answer");

        let wrong = text_of(guest(address, &party(2, 3, SHORT), &Secret::random()));
        says(&wrong, &["rank 2 of 3", "host-of-2", "does not hold this job's secret", "MOBULA_SECRET"]);

        // A rank that comes, and everything that it said again by somebody who listened.
        let (mut first, said) = by_hand(address, &secret, 1, 3);
        assert_eq!(hear(&mut first).kind, Kind::Taken);
        let mut replay = TcpStream::connect(address).unwrap();
        let _ = replay.write_all(&said);
        let mut heard = Vec::new();
        let _ = replay.read_to_end(&mut heard);
        assert!(heard.len() <= ANSWER_BYTES, "it was answered, and no more: nobody was taken for rank 1 again");

        let mut newer = TcpStream::connect(address).unwrap();
        let mut hello = said[..HELLO_BYTES].to_vec();
        hello[8] = 99;
        newer.write_all(&hello).unwrap();
        let mut heard = [0; ANSWER_BYTES];
        newer.read_exact(&mut heard).unwrap();
        assert_eq!(newer.read(&mut [0]).unwrap(), 0, "an answer that tells the version, and then the end");

        let (_, theirs) = guest(address, &party(2, 3, LONG), &secret).unwrap();
        let (_, ours) = zero.join().unwrap().unwrap();
        assert_eq!(ours, theirs);
        assert_eq!(hear(&mut first).kind, Kind::Met);
        drop(silent);
    });
}

#[test]
fn a_rank_that_does_not_come_is_named_on_every_rank() {
    let (listener, address, secret) = place();
    std::thread::scope(|scope| {
        let zero = scope.spawn(|| host(listener, &party(0, 4, SHORT), &secret));
        let two = scope.spawn(|| guest(address, &party(2, 4, LONG), &secret));
        let one = scope.spawn(|| guest(address, &party(1, 4, LONG), &secret));
        let text = text_of(zero.join().unwrap());
        says(&text, &["rank 3 did not come", "3 of 4 ranks met", "host-of-0", "MOBULA_PEER_TIMEOUT_S"]);
        assert_eq!(text_of(one.join().unwrap()), text);
        assert_eq!(text_of(two.join().unwrap()), text);
    });
}

#[test]
fn rank_0_that_does_not_come_is_missed() {
    let (listener, address, secret) = place();
    drop(listener);
    let text = text_of(guest(address, &party(1, 2, SHORT), &secret));
    says(&text, &["rank 1 of 2 on host host-of-1 did not find rank 0", "refused"]);
}

#[test]
fn two_processes_of_one_number_are_both_named() {
    let (listener, address, secret) = place();
    std::thread::scope(|scope| {
        let zero = scope.spawn(|| host(listener, &party(0, 3, LONG), &secret));
        let (mut first, _) = by_hand(address, &secret, 1, 3);
        assert_eq!(hear(&mut first).kind, Kind::Taken);
        let second = text_of(guest(address, &party(1, 3, LONG), &secret));
        let text = text_of(zero.join().unwrap());
        says(&text, &["two processes are rank 1", "hand-made-1, pid 77", &format!("pid {}", std::process::id())]);
        assert_eq!(second, text);
        let told = hear(&mut first);
        assert_eq!((told.kind, String::from_utf8(told.payload).unwrap()), (Kind::Failed, text));
    });
}

#[test]
fn ranks_that_count_differently_are_named() {
    for (rank, theirs, expected) in [(1, 5, "counts 5"), (7, 3, "ranks 1 to 2 are awaited"), (0, 3, "ranks 1 to 2")] {
        let (listener, address, secret) = place();
        std::thread::scope(|scope| {
            let zero = scope.spawn(|| host(listener, &party(0, 3, LONG), &secret));
            let text = text_of(guest(address, &party(rank, theirs, LONG), &secret));
            says(&text, &[expected, &format!("rank {rank} (host ")]);
            assert_eq!(text_of(zero.join().unwrap()), text);
        });
    }
}

#[test]
fn a_rank_lost_before_all_met_is_named() {
    let (listener, address, secret) = place();
    std::thread::scope(|scope| {
        let zero = scope.spawn(|| host(listener, &party(0, 3, LONG), &secret));
        let (mut one, _) = by_hand(address, &secret, 1, 3);
        assert_eq!(hear(&mut one).kind, Kind::Taken);
        drop(one);
        says(&text_of(zero.join().unwrap()), &["rank 1 (host hand-made-1", "was lost while the ranks met"]);
    });
}

#[test]
fn a_rank_lost_at_the_start_is_an_error_on_every_rank_that_names_it() {
    let texts = ranks(4, |rank, (mut exchange, _)| {
        exchange.allgather(b"all are here").unwrap();
        if rank == 2 {
            return String::new();
        }
        text_of(exchange.allgather(b"one is not"))
    });
    for rank in [0, 1, 3] {
        says(&texts[rank], &["rank 2 (host ", "was lost", "while the ranks were starting"]);
    }
}

#[test]
fn at_the_end_a_lost_rank_counts_as_come() {
    ranks(4, |rank, (mut exchange, _)| {
        exchange.allgather(b"all are here").unwrap();
        if rank != 2 {
            exchange.barrier().unwrap();
            exchange.barrier().unwrap();
        }
    });
}

#[test]
fn where_rank_0_is_lost_nobody_waits() {
    let texts = ranks(4, |rank, (mut exchange, _)| {
        exchange.allgather(b"all are here").unwrap();
        if rank == 0 { String::new() } else { text_of(exchange.barrier()) }
    });
    for text in &texts[1..] {
        says(text, &["rank 0 (127.0.0.1:", "was lost"]);
    }
}

#[test]
fn ranks_that_are_out_of_step_are_told() {
    let texts = ranks(3, |rank, (mut exchange, _)| {
        text_of(if rank == 1 { exchange.barrier() } else { exchange.allgather(b"").map(drop) })
    });
    for text in texts {
        says(&text, &["rank 1 (host ", "Barrier", "Gather", "same binary"]);
    }
}

#[test]
fn what_a_rank_sends_is_checked() {
    let mut long = Frame::encode(Kind::Gather, 0, b"");
    long[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
    let twice = [Frame::encode(Kind::Gather, 0, b"x"), Frame::encode(Kind::Gather, 0, b"x")].concat();
    for (sent, expected) in [
        (long, "18446744073709551615 bytes"),
        (b"GET / HTTP/1.1\r\n".to_vec(), "no frame begins like this"),
        (Frame::encode(Kind::Gather, 0, b"cut off")[..20].to_vec(), "it closed the connection"),
        (twice, "two frames"),
    ] {
        let (listener, address, secret) = place();
        std::thread::scope(|scope| {
            let zero = scope.spawn(|| {
                let (mut exchange, _) = host(listener, &party(0, 3, LONG), &secret)?;
                exchange.allgather(b"mine")
            });
            let two = scope.spawn(|| guest(address, &party(2, 3, LONG), &secret).unwrap().0);
            let (mut one, _) = by_hand(address, &secret, 1, 3);
            assert_eq!(hear(&mut one).kind, Kind::Taken);
            assert_eq!(hear(&mut one).kind, Kind::Met);
            let mut two = two.join().unwrap();
            one.write_all(&sent).unwrap();
            one.shutdown(std::net::Shutdown::Write).unwrap();
            let text = text_of(zero.join().unwrap());
            says(&text, &["rank 1 (host hand-made-1", expected]);
            assert_eq!(text_of(two.allgather(b"mine")), text);
        });
    }
}
