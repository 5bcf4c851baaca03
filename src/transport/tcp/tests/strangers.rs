//! Connections of programs that are no rank of the job.

use super::*;
use crate::transport::tcp::doors::GUESTS_MAX;
use crate::transport::tcp::handshake::{HELLO_BYTES, WIRE_VERSION};

/// Whether the other end closes the connection without a word.
fn hangs_up(stage: &Stage, mut stream: TcpStream) -> bool {
    let (ended, _) = stage.beside(move || stream.read(&mut [0; 1]));
    !matches!(ended, Ok(1))
}

fn connect(stage: &Stage) -> TcpStream {
    TcpStream::connect(stage.address).expect("it listens")
}

fn hello(secret: &Secret) -> [u8; HELLO_BYTES] {
    *Client::new(secret, Parties { purpose: Purpose::Road, client: 1, server: 0 }).hello()
}

#[test]
fn other_programs_are_turned_away() {
    let stage = Stage::new();
    for bytes in
        [&b"GET / HTTP/1.1\r\nHost: somebody-looks-for-a-web-server.example\r\n\r\n"[..], &[0; 4096], &[255; 100]]
    {
        let mut stream = connect(&stage);
        stream.write_all(bytes).expect("written");
        assert!(hangs_up(&stage, stream));
    }
    stage.still_serves();
}

#[test]
fn who_lacks_the_secret_is_turned_away() {
    let stage = Stage::new();
    assert_eq!(stage.call_as(1, &Secret::random()).1, None);
    stage.still_serves();
}

#[test]
fn a_rank_that_cannot_be_is_turned_away() {
    let stage = Stage::new();
    for rank in [0, 2, u32::MAX] {
        assert_eq!(stage.call_as(rank, &stage.secret).1, None, "rank {rank}");
    }
    stage.still_serves();
}

#[test]
fn another_version_is_told_ours_and_turned_away() {
    let stage = Stage::new();
    let mut newer = hello(&stage.secret);
    newer[8..12].copy_from_slice(&(WIRE_VERSION + 1).to_le_bytes());
    let (answer, _) = stage.beside(|| {
        let mut stream = connect(&stage);
        stream.write_all(&newer).expect("written");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer, then the end");
        answer
    });
    assert_eq!((answer.len(), &answer[8..12]), (ANSWER_BYTES, &WIRE_VERSION.to_le_bytes()[..]));
    stage.still_serves();
}

#[test]
fn a_recorded_handshake_opens_nothing() {
    let stage = Stage::new();
    let client = Client::new(&stage.secret, Parties { purpose: Purpose::Road, client: 1, server: 0 });
    let (proof, _) = stage.beside(|| {
        let mut stream = connect(&stage);
        stream.write_all(client.hello()).expect("written");
        let mut answer = [0; ANSWER_BYTES];
        stream.read_exact(&mut answer).expect("answered");
        // The recorded rank dies before its proof arrives.
        client.answered(&answer).expect("the job's secret")
    });
    let mut replay = connect(&stage);
    replay.write_all(&[&client.hello()[..], &proof].concat()).expect("written");
    let (rest, _) = stage.beside(move || {
        let mut rest = Vec::new();
        let _ = replay.read_to_end(&mut rest);
        rest
    });
    assert!(rest.len() <= ANSWER_BYTES, "no welcome follows the answer");
    stage.still_serves();
}

#[test]
fn silent_guests_are_bounded_and_go_when_their_time_is_over() {
    let stage = Stage::new();
    let mut guests: Vec<TcpStream> = (0..GUESTS_MAX + 20).map(|_| connect(&stage)).collect();
    // One of them is slow: a byte, and never the rest.
    guests[0].write_all(&hello(&stage.secret)[..1]).expect("written");
    poll_until(&[&stage.zero], |_| stage.zero.guests() == GUESTS_MAX);
    // A rank waits behind them, and is let in when they are gone.
    stage.still_serves();
    for guest in guests {
        assert!(hangs_up(&stage, guest));
    }
    poll_until(&[&stage.zero], |_| stage.zero.guests() == 0);
}

/// Connections to a port that this host's programs hold open at the port's end.
fn held_open(port: u16) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the system's table");
    let held = |line: &&str| {
        let mut words = line.split_whitespace().skip(1);
        let local = words.next().is_some_and(|address| address.ends_with(&format!(":{port:04X}")));
        // Established, or closed by the other end only.
        local && words.nth(1).is_some_and(|state| state == "01" || state == "08")
    };
    table.lines().filter(held).count()
}

#[test]
fn two_hundred_strangers_leave_nothing_behind() {
    let stage = Stage::new();
    let secret = Secret::random();
    for round in 0..200 {
        let mut stream = connect(&stage);
        // Some say nothing, some nonsense, some half of a hello, some a hello of another job.
        let hello = hello(&secret);
        let bytes = [vec![], vec![round as u8; 77], hello[..30].to_vec(), hello.to_vec()];
        stream.write_all(&bytes[round % 4]).expect("written");
        if round % 3 == 0 {
            drop(stream);
        } else {
            // It may have been turned away already, which is as good.
            let _ = stage.beside(move || stream.shutdown(std::net::Shutdown::Write));
        }
    }
    poll_until(&[&stage.zero], |_| stage.zero.guests() == 0 && held_open(stage.address.port()) == 0);
    let stream = stage.call();
    assert_eq!(held_open(stage.address.port()), 1);
    drop(stream);
}
