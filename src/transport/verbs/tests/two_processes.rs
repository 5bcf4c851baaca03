//! Two processes: failures that threads of one process might not show, and a rank that is killed.

use super::harness::until;
use crate::base::Rank;
use crate::base::config::Pages;
use crate::base::sync::lock;
use crate::memory::{Arena, Region};
use crate::transport::verbs::endpoint::VerbsEndpoint;
use crate::transport::verbs::transport::VerbsTransport;
use crate::transport::verbs::{ControlChannel, OpenPort, VerbsAddress, VerbsPeers};
use crate::transport::{RemoteAddress, Transport, TransportEvent};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Starts a line that holds a control message: the test's own output uses the same pipe.
const PREFIX: &str = "control:";
const READ_BYTES: usize = 3 << 20;

/// A control channel over the pipes between a process and its child.
struct PipeChannel<W>(Mutex<W>);

impl<W: Write + Send> ControlChannel for PipeChannel<W> {
    fn send(&self, _peer: Rank, bytes: &[u8]) {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut pipe = lock(&self.0);
        // If the other process has died, the queue pair fails.
        let _ = writeln!(pipe, "\n{PREFIX}{hex}").and_then(|()| pipe.flush());
    }
}

type ReceivedLines = Arc<Mutex<VecDeque<Vec<u8>>>>;

/// The control messages of the other process, read by a thread of their own until the pipe closes.
fn read_lines(from: impl Read + Send + 'static) -> ReceivedLines {
    let received = ReceivedLines::default();
    let queue = received.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let Some(hex) = line.strip_prefix(PREFIX) else { continue };
            let bytes = (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16));
            lock(&queue).push_back(bytes.collect::<Result<_, _>>().expect("hexadecimal"));
        }
    });
    received
}

/// Starts the transport of `me` of two ranks, once both have sent their addresses over the pipes.
fn start_transport(
    me: Rank,
    device: &str,
    received: &ReceivedLines,
    to_other: impl Write + Send + 'static,
) -> (VerbsTransport, Arc<Arena>) {
    let endpoint = VerbsEndpoint::open_named(device).expect("opened");
    let channel = Arc::new(PipeChannel(Mutex::new(to_other)));
    channel.send(1 - me, &postcard::to_allocvec(&endpoint.address()).expect("encoded"));
    until("the peer's address", || !lock(received).is_empty());
    let address: VerbsAddress = postcard::from_bytes(&lock(received).pop_front().expect("one")).expect("an address");
    let mut addresses = vec![Some(endpoint.address()); 2];
    addresses[1 - me as usize] = Some(address);
    let peers = VerbsPeers { me, addresses, control: channel, peer_timeout: Duration::from_secs(3) };
    let transport = VerbsTransport::start(endpoint, peers, 1).expect("started");
    let arena = Arena::create(16 << 20, Pages::Plain).expect("created");
    transport.register(&Region::Host(arena.clone())).expect("registered");
    (transport, arena)
}

fn poll(
    transport: &VerbsTransport,
    peer: Rank,
    received: &ReceivedLines,
    deliver: &mut dyn FnMut(TransportEvent<'_>),
) -> usize {
    loop {
        let message = lock(received).pop_front();
        let Some(message) = message else { break };
        transport.on_control_message(peer, &message);
    }
    transport.poll(deliver)
}

#[test]
#[ignore = "the process that the test below starts and kills"]
fn the_process_that_is_killed() {
    let received = read_lines(std::io::stdin());
    let (transport, arena) = start_transport(1, "rxe1", &received, std::io::stdout());
    let mut block = arena.allocate(READ_BYTES).expect("space");
    block.as_mut_slice().iter_mut().enumerate().for_each(|(at, byte)| *byte = (at >> 3) as u8);
    let mut echoes: VecDeque<Vec<u8>> = VecDeque::from([block.offset().to_le_bytes().to_vec()]);
    // The reader thread drops its reference to the queue when the pipe closes, that is when the parent process ends.
    while Arc::strong_count(&received) > 1 {
        while echoes.front().is_some_and(|echo| transport.send(0, &[echo]).is_ok()) {
            echoes.pop_front();
        }
        poll(&transport, 0, &received, &mut |event| match event {
            TransportEvent::Message { bytes, .. } => echoes.push_back(bytes.to_vec()),
            _ => panic!("another event"),
        });
        std::thread::yield_now();
    }
}

#[test]
#[ignore = "needs RDMA devices: tests/rdma/run"]
fn killed_process_is_lost_and_unacked_messages_are_known() {
    let program = std::env::current_exe().expect("this program");
    let victim = "transport::verbs::tests::two_processes::the_process_that_is_killed";
    let mut child = Command::new(program)
        .args(["--ignored", "--exact", "--nocapture", victim])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("started");
    let received = read_lines(child.stdout.take().expect("piped"));
    let (transport, arena) = start_transport(0, "rxe0", &received, child.stdin.take().expect("piped"));
    let (mut sent, mut echoed, mut offset) = (0_u64, 0_u64, None);
    until("it echoes", || {
        if transport.send(1, &[&sent.to_le_bytes()]).is_ok() {
            sent += 1;
        }
        poll(&transport, 1, &received, &mut |event| {
            let TransportEvent::Message { bytes, .. } = event else { panic!("a message") };
            let number = u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
            if offset.is_none() {
                offset = Some(number);
            } else {
                assert_eq!(number, echoed);
                echoed += 1;
            }
        });
        echoed > 500
    });
    let into = arena.allocate(READ_BYTES).expect("space");
    let from = RemoteAddress::in_store(offset.expect("sent first"));
    transport.read(1, from, into, 5).map_err(|(refusal, _)| refusal).expect("space");
    let mut read = None;
    until("it is read", || {
        poll(&transport, 1, &received, &mut |event| match event {
            TransportEvent::ReadDone { block, .. } => read = Some(block.expect("read")),
            TransportEvent::Message { .. } => echoed += 1,
            TransportEvent::LinkDown { reason, .. } => panic!("{reason}"),
        });
        read.is_some()
    });
    let block = read.expect("read");
    assert!(block.as_slice().iter().enumerate().all(|(at, byte)| *byte == (at >> 3) as u8), "other bytes");

    child.kill().expect("killed");
    child.wait().expect("ended");
    let mut failure = None;
    until("the failure is reported", || {
        if transport.send(1, &[&sent.to_le_bytes()]).is_ok() {
            sent += 1;
        }
        poll(&transport, 1, &received, &mut |event| match event {
            TransportEvent::LinkDown { peer: 1, reason } => failure = Some(reason),
            TransportEvent::Message { .. } => echoed += 1,
            _ => panic!("another event"),
        });
        failure.is_some()
    });
    eprintln!("{}", failure.expect("failed"));
    let left = transport.take_unacked(1).expect("it is known");
    assert_eq!(left.delivered, echoed + 1, "the echoes, and the offset of its block");
    assert_eq!(left.first + left.messages.len() as u64, sent);
    let unacked = left.messages.iter().map(|bytes| u64::from_le_bytes(bytes[..].try_into().expect("eight bytes")));
    assert!(unacked.eq(left.first..sent), "all messages from the first unacknowledged one on");
}
