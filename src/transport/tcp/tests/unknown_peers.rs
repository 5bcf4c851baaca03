//! Connections of programs that are no rank of the job.

use super::*;
use crate::transport::tcp::acceptor::PENDING_MAX;
use crate::transport::tcp::handshake::{HELLO_BYTES, WIRE_VERSION};

/// Returns true if the other end closes the connection without sending a byte.
fn hangs_up(peer: &FakePeer, mut stream: TcpStream) -> bool {
    let (ended, _) = peer.run_while_polling(move || stream.read(&mut [0; 1]));
    !matches!(ended, Ok(1))
}

fn connect(peer: &FakePeer) -> TcpStream {
    TcpStream::connect(peer.address).expect("it listens")
}

fn hello(secret: &Secret) -> [u8; HELLO_BYTES] {
    *Client::new(secret, Endpoints { purpose: ConnectionPurpose::Transport, client: 1, server: 0 }).hello()
}

#[test]
fn hello_of_another_program_is_refused() {
    let peer = FakePeer::new();
    for bytes in [&b"GET / HTTP/1.1\r\nHost: a-web-server.example\r\n\r\n"[..], &[0; 4096], &[255; 100]] {
        let mut stream = connect(&peer);
        stream.write_all(bytes).expect("written");
        assert!(hangs_up(&peer, stream));
    }
    peer.assert_still_serves();
}

#[test]
fn dial_with_a_wrong_secret_is_refused() {
    let peer = FakePeer::new();
    assert_eq!(peer.dial_as(1, &Secret::random()).1, None);
    peer.assert_still_serves();
}

#[test]
fn dial_with_an_impossible_rank_is_refused() {
    let peer = FakePeer::new();
    for rank in [0, 2, u32::MAX] {
        assert_eq!(peer.dial_as(rank, &peer.secret).1, None, "rank {rank}");
    }
    peer.assert_still_serves();
}

#[test]
fn hello_of_another_version_is_answered_with_ours_and_refused() {
    let peer = FakePeer::new();
    let mut newer = hello(&peer.secret);
    newer[8..12].copy_from_slice(&(WIRE_VERSION + 1).to_le_bytes());
    let (response, _) = peer.run_while_polling(|| {
        let mut stream = connect(&peer);
        stream.write_all(&newer).expect("written");
        let mut response = Vec::new();
        stream.read_to_end(&mut response).expect("a response, then the end");
        response
    });
    assert_eq!((response.len(), &response[8..12]), (RESPONSE_BYTES, &WIRE_VERSION.to_le_bytes()[..]));
    peer.assert_still_serves();
}

#[test]
fn replayed_handshake_is_refused() {
    let peer = FakePeer::new();
    let client = Client::new(&peer.secret, Endpoints { purpose: ConnectionPurpose::Transport, client: 1, server: 0 });
    let (proof, _) = peer.run_while_polling(|| {
        let mut stream = connect(&peer);
        stream.write_all(client.hello()).expect("written");
        let mut response = [0; RESPONSE_BYTES];
        stream.read_exact(&mut response).expect("a response");
        // The recorded rank fails before its proof arrives.
        client.verify_response(&response).expect("the job's secret")
    });
    let mut replay = connect(&peer);
    replay.write_all(&[&client.hello()[..], &proof].concat()).expect("written");
    let (rest, _) = peer.run_while_polling(move || {
        let mut rest = Vec::new();
        let _ = replay.read_to_end(&mut rest);
        rest
    });
    assert!(rest.len() <= RESPONSE_BYTES, "no welcome follows the response");
    peer.assert_still_serves();
}

#[test]
fn silent_connections_are_bounded_and_closed_after_the_timeout() {
    let peer = FakePeer::new();
    let mut connections: Vec<TcpStream> = (0..PENDING_MAX + 20).map(|_| connect(&peer)).collect();
    // One of them is slow: a byte, and never the rest.
    connections[0].write_all(&hello(&peer.secret)[..1]).expect("written");
    poll_until(&[&peer.zero], |_| peer.zero.pending_connections() == PENDING_MAX);
    // A rank waits behind them, and is accepted when they are closed.
    peer.assert_still_serves();
    for connection in connections {
        assert!(hangs_up(&peer, connection));
    }
    poll_until(&[&peer.zero], |_| peer.zero.pending_connections() == 0);
}

/// Connections to a local port that the programs of this host hold open.
fn open_connections(port: u16) -> usize {
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
fn two_hundred_refused_connections_leave_nothing_behind() {
    let peer = FakePeer::new();
    let secret = Secret::random();
    for round in 0..200 {
        let mut stream = connect(&peer);
        // Some send nothing, some invalid bytes, some half of a hello, some a hello of another job.
        let hello = hello(&secret);
        let bytes = [vec![], vec![round as u8; 77], hello[..30].to_vec(), hello.to_vec()];
        stream.write_all(&bytes[round % 4]).expect("written");
        if round % 3 == 0 {
            drop(stream);
        } else {
            // It may have been refused already, which is fine too.
            let _ = peer.run_while_polling(move || stream.shutdown(std::net::Shutdown::Write));
        }
    }
    poll_until(&[&peer.zero], |_| peer.zero.pending_connections() == 0 && open_connections(peer.address.port()) == 0);
    let stream = peer.dial();
    assert_eq!(open_connections(peer.address.port()), 1);
    drop(stream);
}
