//! Two processes: what threads of one process might not show, and a rank that is killed.

use super::laid::until;
use crate::base::Rank;
use crate::base::config::Pages;
use crate::base::sync::lock;
use crate::memory::{Arena, Region};
use crate::transport::verbs::{SideRoad, VerbsCard, VerbsEndpoint, VerbsFabric};
use crate::transport::{Event, Fabric, Place};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// In front of what one process says to the other: the test's own lines go the same way.
const SAYS: &str = "says:";
const READ_BYTES: usize = 3 << 20;

/// A side road over the pipes between a process and its child.
struct Pipes<W>(Mutex<W>);

impl<W: Write + Send> SideRoad for Pipes<W> {
    fn send(&self, _peer: Rank, bytes: &[u8]) {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut pipe = lock(&self.0);
        // Where the other is gone, the queue pair tells.
        let _ = writeln!(pipe, "\n{SAYS}{hex}").and_then(|()| pipe.flush());
    }
}

type Heard = Arc<Mutex<VecDeque<Vec<u8>>>>;

/// What the other process says, read by a thread of its own until the pipe ends.
fn hear(from: impl Read + Send + 'static) -> Heard {
    let heard = Heard::default();
    let queue = heard.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let Some(hex) = line.strip_prefix(SAYS) else { continue };
            let bytes = (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16));
            lock(&queue).push_back(bytes.collect::<Result<_, _>>().expect("hexadecimal"));
        }
    });
    heard
}

/// Lays the road of `me` of two ranks, once both said their cards over the pipes.
fn lay(me: Rank, device: &str, heard: &Heard, to_other: impl Write + Send + 'static) -> (VerbsFabric, Arc<Arena>) {
    let endpoint = VerbsEndpoint::open_named(device).expect("opened");
    let side = Arc::new(Pipes(Mutex::new(to_other)));
    side.send(1 - me, &postcard::to_allocvec(&endpoint.card()).expect("encoded"));
    until("the other's card", || !lock(heard).is_empty());
    let card: VerbsCard = postcard::from_bytes(&lock(heard).pop_front().expect("one")).expect("a card");
    let mut cards = vec![Some(endpoint.card()); 2];
    cards[1 - me as usize] = Some(card);
    let fabric = VerbsFabric::start(endpoint, me, cards, side, Duration::from_secs(3)).expect("started");
    let arena = Arena::create(16 << 20, Pages::Plain).expect("made");
    fabric.offer(&Region::Host(arena.clone())).expect("registered");
    (fabric, arena)
}

fn poll(fabric: &VerbsFabric, peer: Rank, heard: &Heard, deliver: &mut dyn FnMut(Event<'_>)) -> usize {
    loop {
        let said = lock(heard).pop_front();
        let Some(said) = said else { break };
        fabric.side_message(peer, &said);
    }
    fabric.poll(deliver)
}

#[test]
#[ignore = "the process that the test below starts and kills"]
fn the_one_that_is_killed() {
    let heard = hear(std::io::stdin());
    let (fabric, arena) = lay(1, "rxe1", &heard, std::io::stdout());
    let mut block = arena.allocate(READ_BYTES).expect("room");
    block.as_mut_slice().iter_mut().enumerate().for_each(|(at, byte)| *byte = (at >> 3) as u8);
    let mut echoes: VecDeque<Vec<u8>> = VecDeque::from([block.offset().to_le_bytes().to_vec()]);
    // The reader's share of the queue goes with the pipe, and that with whoever started this.
    while Arc::strong_count(&heard) > 1 {
        while echoes.front().is_some_and(|echo| fabric.send(0, &[echo]).is_ok()) {
            echoes.pop_front();
        }
        poll(&fabric, 0, &heard, &mut |event| match event {
            Event::Message { bytes, .. } => echoes.push_back(bytes.to_vec()),
            _ => panic!("nothing else"),
        });
        std::thread::yield_now();
    }
}

#[test]
#[ignore = "needs RDMA devices: tests/rdma/run"]
fn a_killed_process_is_lost_and_what_it_had_is_known() {
    let program = std::env::current_exe().expect("this program");
    let victim = "transport::verbs::tests::apart::the_one_that_is_killed";
    let mut child = Command::new(program)
        .args(["--ignored", "--exact", "--nocapture", victim])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("started");
    let heard = hear(child.stdout.take().expect("piped"));
    let (fabric, arena) = lay(0, "rxe0", &heard, child.stdin.take().expect("piped"));
    let (mut sent, mut echoed, mut offset) = (0_u64, 0_u64, None);
    until("it echoes", || {
        if fabric.send(1, &[&sent.to_le_bytes()]).is_ok() {
            sent += 1;
        }
        poll(&fabric, 1, &heard, &mut |event| {
            let Event::Message { bytes, .. } = event else { panic!("a message") };
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
    let into = arena.allocate(READ_BYTES).expect("room");
    let from = Place::in_store(offset.expect("said first"));
    fabric.read(1, from, into, 5).map_err(|(refusal, _)| refusal).expect("room");
    let mut read = None;
    until("it is read", || {
        poll(&fabric, 1, &heard, &mut |event| match event {
            Event::ReadDone { block, .. } => read = Some(block.expect("read")),
            Event::Message { .. } => echoed += 1,
            Event::Lost { reason, .. } => panic!("{reason}"),
        });
        read.is_some()
    });
    let block = read.expect("read");
    assert!(block.as_slice().iter().enumerate().all(|(at, byte)| *byte == (at >> 3) as u8), "other bytes");

    child.kill().expect("killed");
    child.wait().expect("gone");
    let mut lost = None;
    until("it is noticed", || {
        if fabric.send(1, &[&sent.to_le_bytes()]).is_ok() {
            sent += 1;
        }
        poll(&fabric, 1, &heard, &mut |event| match event {
            Event::Lost { peer: 1, reason } => lost = Some(reason),
            Event::Message { .. } => echoed += 1,
            _ => panic!("nothing else"),
        });
        lost.is_some()
    });
    eprintln!("{}", lost.expect("lost"));
    let left = fabric.salvage(1).expect("it can tell");
    assert_eq!(left.delivered, echoed + 1, "the echoes, and where its block is");
    assert_eq!(left.first + left.unconfirmed.len() as u64, sent);
    let kept = left.unconfirmed.iter().map(|bytes| u64::from_le_bytes(bytes[..].try_into().expect("eight bytes")));
    assert!(kept.eq(left.first..sent), "what it may not have is all from the first on");
}
