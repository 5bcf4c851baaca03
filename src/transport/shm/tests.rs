use super::*;
use crate::base::Rank;
use crate::base::config::Pages;
use crate::base::limits::RANKS_PER_HOST_MAX;
use crate::memory::{Access, Arena, PeerArena, Segment};
use crate::transport::{Event, Fabric, Place, Refusal, conformance};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Fabrics of `ranks` as if each were a process of its own, with their arenas.
fn host(ranks: &[Rank]) -> Vec<(ShmFabric, Arc<Arena>)> {
    let inboxes: Vec<Inbox> = ranks.iter().map(|me| Inbox::create(*me, ranks).expect("made")).collect();
    let cards: Vec<_> = ranks.iter().copied().zip(inboxes.iter().map(Inbox::card)).collect();
    let arenas: Vec<_> = ranks.iter().map(|_| Arena::create(16 << 20, Pages::Plain).expect("made")).collect();
    let join = |(inbox, arena): (Inbox, &Arc<Arena>)| {
        let fabric = ShmFabric::join(inbox, &cards).expect("joined");
        let open = |(rank, arena): (&Rank, &Arc<Arena>)| (*rank, PeerArena::open(&arena.card()).expect("opened"));
        fabric.set_arenas(ranks.iter().zip(&arenas).map(open).collect());
        (fabric, arena.clone())
    };
    inboxes.into_iter().zip(&arenas).map(join).collect()
}

fn conforms(size: u32) {
    let ends = host(&(0..size).collect::<Vec<_>>());
    conformance::full(&ends[0].0, 0, &ends[1].0, 1).expect("full and empty again");
    std::thread::scope(|scope| {
        let ranks: Vec<_> = (0..size)
            .zip(&ends)
            .map(|(rank, (fabric, arena))| scope.spawn(move || conformance::run(fabric, rank, size, arena)))
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
fn ranks_of_a_host_need_not_be_neighbours() {
    let ends = host(&[9, 3, 1000]);
    ends[0].0.send(1000, &[b"from 9"]).expect("room");
    ends[1].0.send(1000, &[b"from 3"]).expect("room");
    let mut seen = Vec::new();
    ends[2].0.poll(&mut |event| match event {
        Event::Message { from, bytes } => seen.push((from, bytes.to_vec())),
        _ => panic!("a message"),
    });
    seen.sort();
    assert_eq!(seen, [(3, b"from 3".to_vec()), (9, b"from 9".to_vec())]);
}

#[test]
fn a_message_rings_the_bell_of_a_rank_that_does_not_poll() {
    let ends = host(&[0, 1]);
    let bell = ends[0].0.bell_of(1);
    bell.look();
    ends[0].0.send(1, &[b"seen anyhow"]).expect("room");
    assert_eq!(bell.rung(), 0);
    bell.lie_down();
    ends[0].0.send(1, &[b"wakes"]).expect("room");
    assert_eq!(bell.rung(), 1);
    bell.sleep(0, None);
    assert!(ends[1].0.pending());
}

#[test]
fn a_peer_that_writes_nonsense_is_lost_once_and_for_all() {
    let inboxes = [Inbox::create(0, &[0, 1]).expect("made"), Inbox::create(1, &[0, 1]).expect("made")];
    let cards = [(0, inboxes[0].card()), (1, inboxes[1].card())];
    let memory = Segment::open(&cards[1].1, Access::Write).expect("opened");
    let [zero, one] = inboxes.map(|inbox| ShmFabric::join(inbox, &cards).expect("joined"));
    zero.send(1, &[b"message"]).expect("room");
    let prefix =
        memory.cells().iter().position(|cell| cell.load(Ordering::Relaxed) == i64::from_le_bytes(*b"message\0"));
    memory.cells()[prefix.expect("the message lies there") - 1].store(-2, Ordering::Relaxed);
    let mut lost = Vec::new();
    for _ in 0..3 {
        one.poll(&mut |event| match event {
            Event::Lost { peer, .. } => lost.push(peer),
            _ => panic!("delivered nonsense"),
        });
    }
    assert_eq!(lost, [0]);
    assert!(!one.pending());
    assert_eq!(one.send(0, &[b"anybody?"]), Err(Refusal::Lost));
}

#[test]
fn too_many_ranks_are_refused_with_advice() {
    let ranks: Vec<Rank> = (0..=RANKS_PER_HOST_MAX as Rank).collect();
    let text = Inbox::create(0, &ranks).err().expect("refused").to_string();
    assert!(text.contains("257 ranks") && text.contains("MOBULA_WORKERS"), "{text}");
}

#[test]
fn reads_without_arenas_hand_the_block_back() {
    let inboxes = [Inbox::create(0, &[0, 1]).expect("made"), Inbox::create(1, &[0, 1]).expect("made")];
    let cards = [(0, inboxes[0].card()), (1, inboxes[1].card())];
    let [zero, _one] = inboxes.map(|inbox| ShmFabric::join(inbox, &cards).expect("joined"));
    let arena = Arena::create(2 << 20, Pages::Plain).expect("made");
    let (refusal, block) = zero.read(1, Place::in_store(0), arena.allocate(64).expect("room"), 1).expect_err("refused");
    assert_eq!((refusal, block.len()), (Refusal::Lost, 64));
}
