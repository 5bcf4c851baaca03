//! Peers that die, in every way that a peer can, and peers that speak nonsense.

use super::*;
use crate::base::limits::MESSAGE_BYTES_MAX;
use crate::transport::tcp::frame::{PIECE_BYTES_MAX, Request};
use rustix::net::sockopt::set_socket_linger;
use std::process::{Command, Stdio};

fn message(text: &[u8]) -> Vec<u8> {
    frame(Header::new(Kind::Message, text.len()), text)
}

#[test]
fn a_peer_that_dies_in_the_middle_of_a_message_is_lost_after_what_it_sent() {
    let stage = Stage::new();
    let mut stream = stage.call();
    let half = message(&[5; 1000]);
    stream.write_all(&[message(b"whole"), message(b"too"), half[..500].to_vec()].concat()).expect("written");
    drop(stream);
    let seen = stage.lost();
    assert_eq!(seen[..2], ["0< 1 whole", "0< 1 too"]);
    assert!(seen[2].contains("0 lost 1: rank 1 on played") && seen[2].contains("middle of a frame"), "{seen:?}");
    assert_eq!(stage.zero.send(1, &[b"still there?"]), Err(Refusal::Lost));
}

#[test]
fn a_reset_is_a_loss_at_once() {
    let stage = Stage::new();
    let mut stream = stage.call();
    stream.write_all(&message(b"last word")).expect("written");
    assert_eq!(poll_until(&[&stage.zero], |seen| !seen.is_empty()), ["0< 1 last word"]);
    set_socket_linger(&stream, Some(Duration::ZERO)).expect("set");
    drop(stream);
    assert!(stage.lost()[0].contains("reset"));
}

#[test]
fn loss_is_final() {
    let stage = Stage::new();
    drop(stage.call());
    stage.lost();
    let (_, first) = stage.call_as(1, &stage.secret);
    assert_eq!(first, Some(Kind::Goodbye), "who was given up does not come back");
    let block = stage.arena.allocate(64).expect("room");
    let (refusal, _block) = stage.zero.read(1, Place::in_store(0), block, 1).expect_err("lost");
    assert_eq!(refusal, Refusal::Lost);
}

#[test]
fn nonsense_is_a_loss_that_names_it() {
    let header = |kind, length| Header::new(kind, length);
    let unknown = {
        let mut bytes = header(Kind::Credit, 0).encode();
        bytes[0] = 77;
        bytes.to_vec()
    };
    let read = Request { offset: 0, bytes: 1 << 20 };
    let cases: [(&str, Vec<u8>); 9] = [
        ("kind 77", unknown),
        ("65537 bytes", header(Kind::Message, MESSAGE_BYTES_MAX + 1).encode().to_vec()),
        ("4294967295 bytes", header(Kind::Message, u32::MAX as usize).encode().to_vec()),
        ("announces 1048577", header(Kind::ReadData, PIECE_BYTES_MAX + 1).encode().to_vec()),
        ("a frame Welcome", header(Kind::Welcome, 0).encode().to_vec()),
        ("credit for messages", Header { credit: 1, ..header(Kind::Credit, 0) }.encode().to_vec()),
        ("a read 3", frame(Header { slot: 3, ..header(Kind::ReadData, 8) }, &[0; 8])),
        ("a read 9", frame(Header { slot: 9, ..header(Kind::ReadRefused, 2) }, b"no")),
        ("more reads at once", frame(header(Kind::ReadRequest, 16), &read.encode()).repeat(65)),
    ];
    for (name, bytes) in cases {
        let stage = Stage::new();
        let mut stream = stage.call();
        let _read = stage.arena.allocate(1 << 20).expect("room");
        stream.write_all(&bytes).expect("written");
        let seen = stage.lost();
        assert!(seen.iter().any(|line| line.contains("0 lost 1") && line.contains(name)), "{name}: {seen:?}");
        // The connection is closed: reading comes to an end, or to a reset.
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    }
}

#[test]
fn data_beyond_what_was_asked_for_is_a_loss_and_the_read_fails() {
    let stage = Stage::new();
    let mut stream = stage.call();
    let block = stage.arena.allocate(100).expect("room");
    stage.zero.read(1, Place::in_store(0), block, 5).expect("started");
    stream.write_all(&frame(Header::new(Kind::ReadData, 60), &[1; 60])).expect("written");
    stream.write_all(&frame(Header::new(Kind::ReadData, 41), &[1; 41])).expect("written");
    let seen = stage.lost();
    assert!(seen[0].starts_with("0 read 5 failed") && seen[1].contains("did not ask for it"), "{seen:?}");
}

#[test]
fn a_read_fails_when_its_peer_dies_in_the_middle_of_the_data() {
    let stage = Stage::new();
    let mut stream = stage.call();
    let used = stage.arena.used_bytes();
    let block = stage.arena.allocate(1 << 20).expect("room");
    stage.zero.read(1, Place::in_store(0), block, 6).expect("started");
    stream.write_all(&Header::new(Kind::ReadData, 1 << 20).encode()).expect("written");
    stream.write_all(&[9; 1000]).expect("written");
    drop(stream);
    let seen = stage.lost();
    assert!(seen.len() == 2 && seen[0].starts_with("0 read 6 failed"), "{seen:?}");
    assert_eq!(stage.arena.used_bytes(), used, "the block is free again");
}

#[test]
fn where_nobody_listens_the_peer_is_gone() {
    let stage = Stage::new();
    let Stage { zero, arena, door, .. } = stage;
    let address = door.local_addr().expect("bound");
    drop(door);
    zero.read(1, Place::in_store(0), arena.allocate(64).expect("room"), 1).expect("queued");
    zero.send(1, &[b"anybody?"]).expect("queued");
    let seen = poll_until(&[&zero], |seen| seen.len() == 2);
    assert!(seen[0].starts_with("0 read 1 failed"), "{seen:?}");
    let names =
        ["0 lost 1: rank 0 on ", "(127.0.0.1)", "cannot reach rank 1 on played at", &address.to_string(), "gone"];
    names.iter().for_each(|part| assert!(seen[1].contains(part), "{part}: {seen:?}"));
    assert_eq!(zero.send(1, &[b"anybody?"]), Err(Refusal::Lost));
}

#[test]
fn who_never_answers_is_lost_when_the_time_is_over() {
    // The system connects, and nobody ever reads the hello.
    let stage = Stage::with_silence(Duration::from_millis(300));
    stage.zero.send(1, &[b"anybody?"]).expect("queued");
    let seen = stage.lost();
    assert!(seen[0].contains("there is no answer within 0.3 s"), "{seen:?}");
}

#[test]
fn who_is_called_and_is_somebody_else_is_not_trusted() {
    let stage = Stage::new();
    stage.zero.send(1, &[b"secret plans"]).expect("queued");
    let (heard, seen) = stage.beside(|| {
        let (mut stream, _) = stage.door.accept().expect("called");
        let mut hello = [0; 56];
        stream.read_exact(&mut hello).expect("a hello");
        stream.write_all(&[0x55; ANSWER_BYTES]).expect("written");
        let mut rest = Vec::new();
        // A reset is as good an end as any.
        let _ = stream.read_to_end(&mut rest);
        rest
    });
    assert!(heard.is_empty(), "nothing is told to a stranger: {heard:?}");
    let seen = if seen.is_empty() { stage.lost() } else { seen };
    assert!(seen[0].contains("the other end is not mobula"), "{seen:?}");
}

#[test]
fn a_peer_that_hangs_up_during_the_handshake_is_called_again() {
    let stage = Stage::new();
    stage.zero.send(1, &[b"hello"]).expect("queued");
    let ((), seen) = stage.beside(|| {
        for _ in 0..2 {
            drop(stage.door.accept().expect("called"));
        }
        let (mut stream, _) = stage.door.accept().expect("called");
        let mut hello = [0; 56];
        stream.read_exact(&mut hello).expect("a hello");
        let server = crate::transport::tcp::handshake::Server::new(&stage.secret, Purpose::Road, 1, &hello);
        let server = server.expect("a rank's hello");
        stream.write_all(server.answer()).expect("written");
        let mut proof = [0; PROOF_BYTES];
        stream.read_exact(&mut proof).expect("a proof");
        assert_eq!(server.proven(&proof).expect("proven").client, 0);
        stream.write_all(&Header::new(Kind::Welcome, 0).encode()).expect("written");
        let mut expected = vec![0; message(b"hello").len()];
        stream.read_exact(&mut expected).expect("the message");
        assert_eq!(expected, message(b"hello"));
        stream.write_all(&Header::new(Kind::Goodbye, 0).encode()).expect("written");
    });
    assert!(seen.is_empty(), "{seen:?}");
}

const CHILD: &str = "MOBULA_TEST_TCP_CHILD";

/// The process that the next test kills: does nothing where it is not asked to.
#[test]
fn child_of_the_next_test() {
    let Ok(card) = std::env::var(CHILD) else { return };
    let number = |text: &str| u8::from_str_radix(text, 16).expect("hexadecimal");
    let bytes: Vec<u8> = (0..card.len()).step_by(2).map(|at| number(&card[at..at + 2])).collect();
    let (zero, secret): (TcpCard, [u8; 32]) = postcard::from_bytes(&bytes).expect("a card and a secret");
    let listener = Listener::open(&Addresses::loopback(), None).expect("bound");
    let cards = vec![zero, listener.card()];
    let one = TcpFabric::start(listener, 1, cards, &Secret::from_bytes(secret), SILENCE).expect("started");
    one.send(0, &[b"alive"]).expect("room");
    let began = Instant::now();
    while began.elapsed() < DEADLINE {
        one.poll(&mut |_| {});
        std::thread::yield_now();
    }
}

#[test]
fn a_killed_process_is_lost() {
    let secret = Secret::random();
    let listener = Listener::open(&Addresses::loopback(), None).expect("bound");
    let card = listener.card();
    // It never is called: it calls.
    let unknown = TcpCard { addresses: vec![], host: "child".to_string() };
    let bytes = postcard::to_allocvec(&(&card, secret.bytes())).expect("encoded");
    let zero = TcpFabric::start(listener, 0, vec![card, unknown], &secret, SILENCE).expect("started");
    let name = "transport::tcp::tests::deaths::child_of_the_next_test";
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", name])
        .env(CHILD, bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
        .stdout(Stdio::null())
        .spawn()
        .expect("started");
    assert_eq!(poll_until(&[&zero], |seen| !seen.is_empty()), ["0< 1 alive"]);
    child.kill().expect("killed");
    child.wait().expect("gone");
    let seen = poll_until(&[&zero], |seen| !seen.is_empty());
    assert!(seen[0].starts_with("0 lost 1: rank 1 on child"), "{seen:?}");
}
