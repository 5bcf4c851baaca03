//! Peers that fail in every way, and peers that send invalid frames.

use super::*;
use crate::base::limits::MESSAGE_BYTES_MAX;
use crate::transport::tcp::frame::{PIECE_BYTES_MAX, ReadRange};
use rustix::net::sockopt::set_socket_linger;
use std::process::{Command, Stdio};

fn message(text: &[u8]) -> Vec<u8> {
    frame(FrameHeader::new(FrameKind::Message, text.len()), text)
}

#[test]
fn peer_death_in_mid_message_reports_link_down_after_whole_messages() {
    let peer = FakePeer::new();
    let mut stream = peer.dial();
    let half = message(&[5; 1000]);
    stream.write_all(&[message(b"whole"), message(b"too"), half[..500].to_vec()].concat()).expect("written");
    drop(stream);
    let seen = peer.poll_until_link_down();
    assert_eq!(seen[..2], ["0< 1 whole", "0< 1 too"]);
    assert!(seen[2].contains("0 lost 1: rank 1 on played") && seen[2].contains("middle of a frame"), "{seen:?}");
    assert_eq!(peer.zero.send(1, &[b"still there?"]), Err(Refusal::Lost));
}

#[test]
fn connection_reset_reports_link_down() {
    let peer = FakePeer::new();
    let mut stream = peer.dial();
    stream.write_all(&message(b"last message")).expect("written");
    assert_eq!(poll_until(&[&peer.zero], |seen| !seen.is_empty()), ["0< 1 last message"]);
    set_socket_linger(&stream, Some(Duration::ZERO)).expect("set");
    drop(stream);
    assert!(peer.poll_until_link_down()[0].contains("reset"));
}

#[test]
fn peer_that_reconnects_after_link_down_is_refused() {
    let peer = FakePeer::new();
    drop(peer.dial());
    peer.poll_until_link_down();
    let (_, first) = peer.dial_as(1, &peer.secret);
    assert_eq!(first, Some(FrameKind::Goodbye), "a failed link is not re-established");
    let block = peer.arena.allocate(64).expect("space");
    let (refusal, _block) = peer.zero.read(1, RemoteAddress::in_store(0), block, 1).expect_err("refused");
    assert_eq!(refusal, Refusal::Lost);
}

#[test]
fn invalid_frame_reports_link_down_and_names_it() {
    let header = |kind, length| FrameHeader::new(kind, length);
    let unknown = {
        let mut bytes = header(FrameKind::Credit, 0).encode();
        bytes[0] = 77;
        bytes.to_vec()
    };
    let read = ReadRange { offset: 0, bytes: 1 << 20 };
    let cases: [(&str, Vec<u8>); 9] = [
        ("kind 77", unknown),
        ("65537 bytes", header(FrameKind::Message, MESSAGE_BYTES_MAX + 1).encode().to_vec()),
        ("4294967295 bytes", header(FrameKind::Message, u32::MAX as usize).encode().to_vec()),
        ("announces 1048577", header(FrameKind::ReadData, PIECE_BYTES_MAX + 1).encode().to_vec()),
        ("a frame Welcome", header(FrameKind::Welcome, 0).encode().to_vec()),
        ("credit for messages", FrameHeader { credit: 1, ..header(FrameKind::Credit, 0) }.encode().to_vec()),
        ("a read 3", frame(FrameHeader { slot: 3, ..header(FrameKind::ReadData, 8) }, &[0; 8])),
        ("a read 9", frame(FrameHeader { slot: 9, ..header(FrameKind::ReadRefused, 2) }, b"no")),
        ("more reads at once", frame(header(FrameKind::ReadRequest, 16), &read.encode()).repeat(65)),
    ];
    for (name, bytes) in cases {
        let peer = FakePeer::new();
        let mut stream = peer.dial();
        let _read = peer.arena.allocate(1 << 20).expect("space");
        stream.write_all(&bytes).expect("written");
        let seen = peer.poll_until_link_down();
        assert!(seen.iter().any(|line| line.contains("0 lost 1") && line.contains(name)), "{name}: {seen:?}");
        // The connection is closed: reading comes to an end, or to a reset.
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    }
}

#[test]
fn data_beyond_the_request_fails_the_read_and_the_link() {
    let peer = FakePeer::new();
    let mut stream = peer.dial();
    let block = peer.arena.allocate(100).expect("space");
    peer.zero.read(1, RemoteAddress::in_store(0), block, 5).expect("started");
    stream.write_all(&frame(FrameHeader::new(FrameKind::ReadData, 60), &[1; 60])).expect("written");
    stream.write_all(&frame(FrameHeader::new(FrameKind::ReadData, 41), &[1; 41])).expect("written");
    let seen = peer.poll_until_link_down();
    assert!(seen[0].starts_with("0 read 5 failed") && seen[1].contains("did not request it"), "{seen:?}");
}

#[test]
fn peer_death_in_mid_read_fails_the_read_and_frees_the_block() {
    let peer = FakePeer::new();
    let mut stream = peer.dial();
    let used = peer.arena.used_bytes();
    let block = peer.arena.allocate(1 << 20).expect("space");
    peer.zero.read(1, RemoteAddress::in_store(0), block, 6).expect("started");
    stream.write_all(&FrameHeader::new(FrameKind::ReadData, 1 << 20).encode()).expect("written");
    stream.write_all(&[9; 1000]).expect("written");
    drop(stream);
    let seen = peer.poll_until_link_down();
    assert!(seen.len() == 2 && seen[0].starts_with("0 read 6 failed"), "{seen:?}");
    assert_eq!(peer.arena.used_bytes(), used, "the block is free again");
}

#[test]
fn send_to_closed_port_reports_link_down_with_the_address() {
    let peer = FakePeer::new();
    let FakePeer { zero, arena, listener, .. } = peer;
    let address = listener.local_addr().expect("bound");
    drop(listener);
    zero.read(1, RemoteAddress::in_store(0), arena.allocate(64).expect("space"), 1).expect("queued");
    zero.send(1, &[b"message"]).expect("queued");
    let seen = poll_until(&[&zero], |seen| seen.len() == 2);
    assert!(seen[0].starts_with("0 read 1 failed"), "{seen:?}");
    let names =
        ["0 lost 1: rank 0 on ", "(127.0.0.1)", "cannot reach rank 1 on played at", &address.to_string(), "has ended"];
    names.iter().for_each(|part| assert!(seen[1].contains(part), "{part}: {seen:?}"));
    assert_eq!(zero.send(1, &[b"message"]), Err(Refusal::Lost));
}

#[test]
fn peer_without_response_reports_link_down_after_the_timeout() {
    // The system connects, and no process ever reads the hello.
    let peer = FakePeer::with_peer_timeout(Duration::from_millis(300));
    assert!(!peer.zero.is_connecting(1));
    peer.zero.send(1, &[b"message"]).expect("queued");
    assert!(peer.zero.is_connecting(1));
    let seen = peer.poll_until_link_down();
    assert!(seen[0].contains("there is no response within 0.3 s"), "{seen:?}");
    assert!(!peer.zero.is_connecting(1));
}

#[test]
fn listener_without_the_secret_receives_no_message() {
    let peer = FakePeer::new();
    peer.zero.send(1, &[b"secret plans"]).expect("queued");
    let (received, seen) = peer.run_while_polling(|| {
        let (mut stream, _) = peer.listener.accept().expect("dialed");
        let mut hello = [0; 56];
        stream.read_exact(&mut hello).expect("a hello");
        stream.write_all(&[0x55; RESPONSE_BYTES]).expect("written");
        let mut rest = Vec::new();
        // A reset is an acceptable end too.
        let _ = stream.read_to_end(&mut rest);
        rest
    });
    assert!(received.is_empty(), "an unauthenticated peer receives nothing: {received:?}");
    let seen = if seen.is_empty() { peer.poll_until_link_down() } else { seen };
    assert!(seen[0].contains("the other end is not mobula"), "{seen:?}");
}

#[test]
fn peer_that_hangs_up_during_the_handshake_is_dialed_again() {
    let peer = FakePeer::new();
    peer.zero.send(1, &[b"hello"]).expect("queued");
    let ((), seen) = peer.run_while_polling(|| {
        for _ in 0..2 {
            drop(peer.listener.accept().expect("dialed"));
        }
        let (mut stream, _) = peer.listener.accept().expect("dialed");
        let mut hello = [0; 56];
        stream.read_exact(&mut hello).expect("a hello");
        let server =
            crate::transport::tcp::handshake::Server::new(&peer.secret, ConnectionPurpose::Transport, 1, &hello);
        let server = server.expect("a rank's hello");
        stream.write_all(server.response()).expect("written");
        let mut proof = [0; PROOF_BYTES];
        stream.read_exact(&mut proof).expect("a proof");
        assert_eq!(server.verify_proof(&proof).expect("proven").client, 0);
        stream.write_all(&FrameHeader::new(FrameKind::Welcome, 0).encode()).expect("written");
        let mut expected = vec![0; message(b"hello").len()];
        stream.read_exact(&mut expected).expect("the message");
        assert_eq!(expected, message(b"hello"));
        stream.write_all(&FrameHeader::new(FrameKind::Goodbye, 0).encode()).expect("written");
    });
    assert!(seen.is_empty(), "{seen:?}");
}

const CHILD: &str = "MOBULA_TEST_TCP_CHILD";

/// The process that the next test kills: does nothing unless that test started it.
#[test]
fn process_that_the_next_test_kills() {
    let Ok(address) = std::env::var(CHILD) else { return };
    let number = |text: &str| u8::from_str_radix(text, 16).expect("hexadecimal");
    let bytes: Vec<u8> = (0..address.len()).step_by(2).map(|at| number(&address[at..at + 2])).collect();
    let (zero, secret): (TcpAddress, [u8; 32]) = postcard::from_bytes(&bytes).expect("an address and a secret");
    let listener = Listener::open(&Addresses::loopback(), None).expect("bound");
    let addresses = vec![zero, listener.address()];
    let one = TcpTransport::start(listener, 1, addresses, &Secret::from_bytes(secret), PEER_TIMEOUT).expect("started");
    one.send(0, &[b"alive"]).expect("space");
    let began = Instant::now();
    while began.elapsed() < DEADLINE {
        one.poll(&mut |_| {});
        std::thread::yield_now();
    }
}

#[test]
fn killed_process_reports_link_down() {
    let secret = Secret::random();
    let listener = Listener::open(&Addresses::loopback(), None).expect("bound");
    let address = listener.address();
    // It is never dialed: it dials.
    let unknown = TcpAddress { socket_addresses: vec![], host: "child".to_string() };
    let bytes = postcard::to_allocvec(&(&address, secret.bytes())).expect("encoded");
    let zero = TcpTransport::start(listener, 0, vec![address, unknown], &secret, PEER_TIMEOUT).expect("started");
    let name = "transport::tcp::tests::failures::process_that_the_next_test_kills";
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", name])
        .env(CHILD, bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
        .stdout(Stdio::null())
        .spawn()
        .expect("started");
    assert_eq!(poll_until(&[&zero], |seen| !seen.is_empty()), ["0< 1 alive"]);
    child.kill().expect("killed");
    child.wait().expect("ended");
    let seen = poll_until(&[&zero], |seen| !seen.is_empty());
    assert!(seen[0].starts_with("0 lost 1: rank 1 on child"), "{seen:?}");
}
