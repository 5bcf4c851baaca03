//! What every fabric keeps, checked from the outside: each rank runs [`run`] at the same time, as threads or processes.
//!
//! A stage relies only on messages of one pair arriving in order, so ranks need not be in the same stage at once.

mod desk;

use crate::base::Rank;
use crate::base::limits::MESSAGE_BYTES_MAX;
use crate::base::sync::{AtomicBool, Ordering};
use crate::memory::Arena;
use crate::transport::{Event, Fabric, Refusal};
use desk::{DEADLINE, Desk};
use std::sync::Arc;
use std::time::Instant;

type Stage<'a> = dyn Fn(&mut Desk<'_>) -> Result<(), String> + 'a;

/// Checks `fabric`, which joins `size` ranks of which this is `rank`, and serves reads from `arena`.
///
/// # Errors
/// What the fabric did wrong, in words; also where nothing moves for a minute.
pub fn run(fabric: &dyn Fabric, rank: Rank, size: u32, arena: &Arc<Arena>) -> Result<(), String> {
    let mut desk = Desk::new(fabric, rank, size);
    let reads = |desk: &mut Desk<'_>| bulk_reads(desk, arena);
    let stages: [(&str, &Stage<'_>); 5] = [
        ("sizes", &sizes),
        ("flood", &flood),
        ("senders", &concurrent_senders),
        ("polls", &polls_exclude_each_other),
        ("reads", &reads),
    ];
    for (name, stage) in stages {
        let at = |error: String| format!("{} fabric, stage {name}: {error}", fabric.name());
        stage(&mut desk).and_then(|()| desk.barrier(name)).map_err(at)?;
    }
    desk.nothing_is_left()
}

/// Messages of every kind of size, in one part and in many, arrive whole and in order.
fn sizes(desk: &mut Desk<'_>) -> Result<(), String> {
    let edges = [0, 1, 7, 8, 9, 63, 64, 65, 4095, 4096, 4097, MESSAGE_BYTES_MAX - 1, MESSAGE_BYTES_MAX];
    let spread = (0..40).map(|step| step * step * 41 % (MESSAGE_BYTES_MAX + 1));
    let lengths: Vec<usize> = edges.into_iter().chain(spread).collect();
    for (sequence, &length) in lengths.iter().enumerate() {
        for peer in desk.peers() {
            let bytes = pattern(desk.rank, peer, sequence, length);
            match sequence % 3 {
                0 => desk.send(peer, &[&bytes])?,
                1 => desk.send(peer, &[&[], &bytes[..length / 3], &[], &bytes[length / 3..]])?,
                _ => desk.send(peer, &bytes.chunks(1 + length / 7).collect::<Vec<_>>())?,
            }
        }
    }
    for (sequence, &length) in lengths.iter().enumerate() {
        for peer in desk.peers() {
            let expected = pattern(peer, desk.rank, sequence, length);
            desk.expect(peer, &expected)?;
        }
    }
    Ok(())
}

/// All ranks send far more than fits towards all others, before any of them asks for what it was sent.
fn flood(desk: &mut Desk<'_>) -> Result<(), String> {
    const MESSAGES: usize = 3000;
    let length = |sequence: usize| if sequence.is_multiple_of(100) { MESSAGE_BYTES_MAX } else { sequence % 200 };
    for sequence in 0..MESSAGES {
        for peer in desk.peers() {
            let bytes = pattern(desk.rank, peer, sequence, length(sequence));
            desk.send(peer, &[&bytes])?;
        }
    }
    for sequence in 0..MESSAGES {
        for peer in desk.peers() {
            let expected = pattern(peer, desk.rank, sequence, length(sequence));
            desk.expect(peer, &expected)?;
        }
    }
    Ok(())
}

/// Threads of one rank send at once: each message arrives once, those of one thread in order.
fn concurrent_senders(desk: &mut Desk<'_>) -> Result<(), String> {
    const THREADS: usize = 4;
    const MESSAGES: u32 = 1000;
    let (fabric, peers, rank) = (desk.fabric, desk.peers(), desk.rank);
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..THREADS)
            .map(|thread| {
                let peers = &peers;
                scope.spawn(move || send_numbers(fabric, peers, thread as u32, MESSAGES))
            })
            .collect();
        for peer in &peers {
            let mut next = [0_u32; THREADS];
            for _ in 0..THREADS as u32 * MESSAGES {
                let message = desk.receive(*peer)?;
                let words: Option<(&[u8; 4], &[u8; 4])> = message.first_chunk().zip(message.last_chunk());
                let (thread, number) = words
                    .map(|(thread, number)| (u32::from_le_bytes(*thread), u32::from_le_bytes(*number)))
                    .filter(|(thread, _)| message.len() == 8 && (*thread as usize) < THREADS)
                    .ok_or_else(|| format!("rank {rank} received {} strange bytes from {peer}", message.len()))?;
                let expected = &mut next[thread as usize];
                if number != *expected {
                    return Err(format!("rank {peer}'s thread {thread} sent {expected}, and {number} arrived"));
                }
                *expected += 1;
            }
        }
        while senders.iter().any(|sender| !sender.is_finished()) {
            desk.poll()?;
        }
        senders.into_iter().try_for_each(|sender| sender.join().map_err(|_| "a sender panicked".to_string())?)
    })
}

fn send_numbers(fabric: &dyn Fabric, peers: &[Rank], thread: u32, messages: u32) -> Result<(), String> {
    let began = Instant::now();
    for number in 0..messages {
        for peer in peers {
            loop {
                match fabric.send(*peer, &[&thread.to_le_bytes(), &number.to_le_bytes()]) {
                    Ok(()) => break,
                    Err(Refusal::Lost) => return Err(format!("rank {peer} is lost")),
                    Err(Refusal::Full) if began.elapsed() > DEADLINE => return Err(format!("rank {peer} stays full")),
                    Err(Refusal::Full) => std::thread::yield_now(),
                }
            }
        }
    }
    Ok(())
}

/// While one thread is handed a message, a poll of another one finds nothing and comes back.
fn polls_exclude_each_other(desk: &mut Desk<'_>) -> Result<(), String> {
    const MESSAGES: usize = 50;
    let (fabric, rank) = (desk.fabric, desk.rank);
    for peer in desk.peers() {
        for sequence in 0..MESSAGES {
            desk.send(peer, &[&pattern(rank, peer, sequence, 100)])?;
        }
    }
    let tried = AtomicBool::new(false);
    while !tried.load(Ordering::Relaxed) && desk.size > 1 {
        let mut second = Ok(());
        desk.poll_with(&mut |_| {
            tried.store(true, Ordering::Relaxed);
            let other = || fabric.poll(&mut |_| {});
            let found = std::thread::scope(|scope| scope.spawn(other).join());
            if !matches!(found, Ok(0)) {
                second = Err(format!("a second poll during a delivery found {found:?}"));
            }
        })?;
        second?;
    }
    for sequence in 0..MESSAGES {
        for peer in desk.peers() {
            desk.expect(peer, &pattern(peer, rank, sequence, 100))?;
        }
    }
    Ok(())
}

/// Reads bring the bytes of the other rank's block; those that leave its arena fail without harm.
fn bulk_reads(desk: &mut Desk<'_>, arena: &Arc<Arena>) -> Result<(), String> {
    const BYTES: usize = 1 << 20;
    let no_room = || "no room for the blocks of the test".to_string();
    let mut source = arena.allocate(BYTES).ok_or_else(no_room)?;
    source.as_mut_slice().copy_from_slice(&pattern(desk.rank, desk.rank, 0, BYTES));
    for peer in desk.peers() {
        desk.send(peer, &[&source.offset().to_le_bytes(), &arena.bytes().to_le_bytes()])?;
    }
    for peer in desk.peers() {
        let message = desk.receive(peer)?;
        let whereabouts: Option<(&[u8; 8], &[u8; 8])> = message.first_chunk().zip(message.last_chunk());
        let (offset, bytes) = whereabouts.ok_or("whereabouts of less than 8 bytes")?;
        let (offset, arena_bytes) = (u64::from_le_bytes(*offset), u64::from_le_bytes(*bytes));
        let expected = pattern(peer, peer, 0, BYTES);
        for (start, length) in [(0, 1), (5, 8), (4093, 4099), (0, 64 << 10), (100, 300_000), (0, BYTES), (7, 0)] {
            let into = arena.allocate(length).ok_or_else(no_room)?;
            let block = desk.read(peer, offset + start as u64, into)?;
            if block.as_slice() != &expected[start..start + length] {
                return Err(format!("a read of {length} bytes at {start} of rank {peer}'s block brought other bytes"));
            }
        }
        for beyond in [arena_bytes - 8, arena_bytes, arena_bytes + (1 << 40), u64::MAX - 7] {
            let into = arena.allocate(4096).ok_or_else(no_room)?;
            if desk.read(peer, beyond, into).is_ok() {
                return Err(format!("a read at {beyond} of rank {peer}'s {arena_bytes} bytes succeeded"));
            }
        }
    }
    // The block is kept until everybody has read it.
    desk.barrier("block")
}

/// A send towards a rank that does not poll is refused at last, nothing of it arrives, and there is room again later.
///
/// Both ends are in this process and nobody else polls them.
///
/// # Errors
/// As [`run`].
pub fn full(sender: &dyn Fabric, from: Rank, receiver: &dyn Fabric, to: Rank) -> Result<(), String> {
    for round in 0..3 {
        let mut sent = 0;
        let began = Instant::now();
        // That there is room again may be on its way.
        while round > 0 && sender.send(to, &[&pattern(from, to, 0, 4096)]).is_err() && began.elapsed() < DEADLINE {
            sender.poll(&mut |_| {});
        }
        sent += usize::from(round > 0);
        while sender.send(to, &[&pattern(from, to, sent, 4096)]).is_ok() {
            sent += 1;
            if sent == 1 << 20 {
                return Err("4 GiB were taken and none of it was received".to_string());
            }
        }
        if sent == 0 {
            return Err(format!("nothing was taken in round {round}"));
        }
        if sender.send(to, &[&[0; MESSAGE_BYTES_MAX]]) != Err(Refusal::Full) {
            return Err("what is full took a large message".to_string());
        }
        let (mut received, mut wrong) = (0, None);
        let began = Instant::now();
        // A road that asks the system cannot tell without a poll whether something came.
        while received < sent || receiver.pending() {
            if began.elapsed() > DEADLINE {
                return Err(format!("{sent} messages were taken, and {received} arrived"));
            }
            receiver.poll(&mut |event| {
                let expected = pattern(from, to, received, 4096);
                if !matches!(event, Event::Message { from: sender, bytes } if sender == from && bytes == expected) {
                    wrong = Some(received);
                }
                received += 1;
            });
            sender.poll(&mut |_| {});
        }
        if wrong.is_some() || received != sent {
            return Err(format!("{sent} messages were taken, {received} arrived, the wrong one was {wrong:?}"));
        }
    }
    Ok(())
}

/// Bytes that tell who sent them, to whom, and as which message.
fn pattern(from: Rank, to: Rank, sequence: usize, length: usize) -> Vec<u8> {
    let seed = from as usize * 59 + to as usize * 31 + sequence * 7;
    (0..length).map(|index| (seed + index + (index >> 8) * 13) as u8).collect()
}
