use super::*;
use crate::base::Rank;
use crate::base::config::Pages;
use crate::base::limits::RANKS_PER_HOST_MAX;
use crate::memory::{Access, Arena, PeerArena, Segment};
use crate::transport::{Refusal, RemoteAddress, Transport, TransportEvent, conformance};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Transports of `ranks` as if each were a process of its own, with their arenas.
fn host(ranks: &[Rank]) -> Vec<(ShmTransport, Arc<Arena>)> {
    let inboxes: Vec<Inbox> = ranks.iter().map(|me| Inbox::create(*me, ranks).expect("made")).collect();
    let handles: Vec<_> = ranks.iter().copied().zip(inboxes.iter().map(Inbox::handle)).collect();
    let arenas: Vec<_> = ranks.iter().map(|_| Arena::create(16 << 20, Pages::Plain).expect("made")).collect();
    let join = |(inbox, arena): (Inbox, &Arc<Arena>)| {
        let transport = ShmTransport::join(inbox, &handles).expect("joined");
        let open = |(rank, arena): (&Rank, &Arc<Arena>)| (*rank, PeerArena::open(&arena.handle()).expect("opened"));
        transport.set_arenas(ranks.iter().zip(&arenas).map(open).collect());
        (transport, arena.clone())
    };
    inboxes.into_iter().zip(&arenas).map(join).collect()
}

fn conforms(size: u32) {
    let ends = host(&(0..size).collect::<Vec<_>>());
    conformance::full(&ends[0].0, 0, &ends[1].0, 1).expect("full and empty again");
    std::thread::scope(|scope| {
        let ranks: Vec<_> = (0..size)
            .zip(&ends)
            .map(|(rank, (transport, arena))| scope.spawn(move || conformance::run(transport, rank, size, arena)))
            .collect();
        for (rank, thread) in ranks.into_iter().enumerate() {
            thread.join().expect("no panic").unwrap_or_else(|error| panic!("rank {rank}: {error}"));
        }
    });
}

#[test]
fn two_ranks_conform() {
    conforms(2);
}

#[test]
fn five_ranks_conform() {
    conforms(5);
}

#[test]
fn ranks_of_a_host_with_any_numbers_exchange_messages() {
    let ends = host(&[9, 3, 1000]);
    ends[0].0.send(1000, &[b"from 9"]).expect("space");
    ends[1].0.send(1000, &[b"from 3"]).expect("space");
    let mut seen = Vec::new();
    ends[2].0.poll(&mut |event| match event {
        TransportEvent::Message { from, bytes } => seen.push((from, bytes.to_vec())),
        _ => panic!("a message"),
    });
    seen.sort();
    assert_eq!(seen, [(3, b"from 3".to_vec()), (9, b"from 9".to_vec())]);
}

#[test]
fn send_to_sleeping_rank_notifies_its_doorbell() {
    let ends = host(&[0, 1]);
    let doorbell = ends[0].0.doorbell_of(1);
    doorbell.set_awake();
    ends[0].0.send(1, &[b"no wake-up needed"]).expect("space");
    assert_eq!(doorbell.notified(), 0);
    doorbell.set_asleep();
    ends[0].0.send(1, &[b"wakes"]).expect("space");
    assert_eq!(doorbell.notified(), 1);
    doorbell.sleep(0, None);
    assert!(ends[1].0.pending());
}

#[test]
fn corrupt_ring_reports_link_down_once_and_refuses_sends() {
    let inboxes = [Inbox::create(0, &[0, 1]).expect("made"), Inbox::create(1, &[0, 1]).expect("made")];
    let handles = [(0, inboxes[0].handle()), (1, inboxes[1].handle())];
    let memory = Segment::open(&handles[1].1, Access::Write).expect("opened");
    let [zero, one] = inboxes.map(|inbox| ShmTransport::join(inbox, &handles).expect("joined"));
    zero.send(1, &[b"message"]).expect("space");
    let prefix =
        memory.cells().iter().position(|cell| cell.load(Ordering::Relaxed) == i64::from_le_bytes(*b"message\0"));
    memory.cells()[prefix.expect("the message lies there") - 1].store(-2, Ordering::Relaxed);
    let mut failed = Vec::new();
    for _ in 0..3 {
        one.poll(&mut |event| match event {
            TransportEvent::LinkDown { peer, .. } => failed.push(peer),
            _ => panic!("delivered a corrupt message"),
        });
    }
    assert_eq!(failed, [0]);
    assert!(!one.pending());
    assert_eq!(one.send(0, &[b"refused"]), Err(Refusal::Lost));
}

#[test]
fn inbox_for_too_many_ranks_is_refused_with_advice() {
    let ranks: Vec<Rank> = (0..=RANKS_PER_HOST_MAX as Rank).collect();
    let text = Inbox::create(0, &ranks).err().expect("refused").to_string();
    assert!(text.contains("257 ranks") && text.contains("MOBULA_WORKERS"), "{text}");
}

#[test]
fn read_before_arenas_are_set_returns_the_block() {
    let inboxes = [Inbox::create(0, &[0, 1]).expect("made"), Inbox::create(1, &[0, 1]).expect("made")];
    let handles = [(0, inboxes[0].handle()), (1, inboxes[1].handle())];
    let [zero, _one] = inboxes.map(|inbox| ShmTransport::join(inbox, &handles).expect("joined"));
    let arena = Arena::create(2 << 20, Pages::Plain).expect("made");
    let (refusal, block) =
        zero.read(1, RemoteAddress::in_store(0), arena.allocate(64).expect("space"), 1).expect_err("refused");
    assert_eq!((refusal, block.len()), (Refusal::Lost, 64));
}
