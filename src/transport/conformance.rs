//! Checks from the outside what every transport guarantees: all ranks run [`run`] at the same time, as threads or
//! processes.
//!
//! A stage relies only on messages of one pair arriving in order, so ranks need not be in the same stage at once.

mod in_process;
mod test_endpoint;

use crate::base::Rank;
use crate::base::limits::MESSAGE_BYTES_MAX;
use crate::base::sync::{AtomicBool, Ordering};
use crate::memory::Arena;
use crate::transport::{Refusal, Transport, TransportEvent};
use std::sync::Arc;
use std::time::Instant;
use test_endpoint::{DEADLINE, TestEndpoint};

type Stage<'a> = dyn Fn(&mut TestEndpoint<'_>) -> Result<(), String> + 'a;

/// Checks `transport`, which joins `size` ranks of which this is `rank`, and serves reads from `arena`.
///
/// # Errors
/// What the transport did wrong; also where nothing moves for a minute.
pub fn run(transport: &dyn Transport, rank: Rank, size: u32, arena: &Arc<Arena>) -> Result<(), String> {
    let mut endpoint = TestEndpoint::new(transport, rank, size);
    let reads = |endpoint: &mut TestEndpoint<'_>| bulk_reads(endpoint, arena);
    let stages: [(&str, &Stage<'_>); 5] = [
        ("sizes", &sizes),
        ("flood", &flood),
        ("senders", &concurrent_senders),
        ("polls", &polls_exclude_each_other),
        ("reads", &reads),
    ];
    for (name, stage) in stages {
        let at = |error: String| format!("{} transport, stage {name}: {error}", transport.name());
        stage(&mut endpoint).and_then(|()| endpoint.barrier(name)).map_err(at)?;
    }
    endpoint.nothing_is_left()
}

/// Messages of every kind of size, in one part and in many, arrive whole and in order.
fn sizes(endpoint: &mut TestEndpoint<'_>) -> Result<(), String> {
    let edges = [0, 1, 7, 8, 9, 63, 64, 65, 4095, 4096, 4097, MESSAGE_BYTES_MAX - 1, MESSAGE_BYTES_MAX];
    let spread = (0..40).map(|step| step * step * 41 % (MESSAGE_BYTES_MAX + 1));
    let lengths: Vec<usize> = edges.into_iter().chain(spread).collect();
    for (sequence, &length) in lengths.iter().enumerate() {
        for peer in endpoint.peers() {
            let bytes = pattern(endpoint.rank, peer, sequence, length);
            match sequence % 3 {
                0 => endpoint.send(peer, &[&bytes])?,
                1 => endpoint.send(peer, &[&[], &bytes[..length / 3], &[], &bytes[length / 3..]])?,
                _ => endpoint.send(peer, &bytes.chunks(1 + length / 7).collect::<Vec<_>>())?,
            }
        }
    }
    for (sequence, &length) in lengths.iter().enumerate() {
        for peer in endpoint.peers() {
            let expected = pattern(peer, endpoint.rank, sequence, length);
            endpoint.expect(peer, &expected)?;
        }
    }
    Ok(())
}

/// All ranks send far more than fits towards all others, before any of them takes a message.
fn flood(endpoint: &mut TestEndpoint<'_>) -> Result<(), String> {
    const MESSAGES: usize = 3000;
    let length = |sequence: usize| if sequence.is_multiple_of(100) { MESSAGE_BYTES_MAX } else { sequence % 200 };
    for sequence in 0..MESSAGES {
        for peer in endpoint.peers() {
            let bytes = pattern(endpoint.rank, peer, sequence, length(sequence));
            endpoint.send(peer, &[&bytes])?;
        }
    }
    for sequence in 0..MESSAGES {
        for peer in endpoint.peers() {
            let expected = pattern(peer, endpoint.rank, sequence, length(sequence));
            endpoint.expect(peer, &expected)?;
        }
    }
    Ok(())
}

/// Threads of one rank send at once: each message arrives once, those of one thread in order.
fn concurrent_senders(endpoint: &mut TestEndpoint<'_>) -> Result<(), String> {
    const THREADS: usize = 4;
    const MESSAGES: u32 = 1000;
    let (transport, peers, rank) = (endpoint.transport, endpoint.peers(), endpoint.rank);
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..THREADS)
            .map(|thread| {
                let peers = &peers;
                scope.spawn(move || send_numbers(transport, peers, thread as u32, MESSAGES))
            })
            .collect();
        for peer in &peers {
            let mut next = [0_u32; THREADS];
            for _ in 0..THREADS as u32 * MESSAGES {
                let message = endpoint.receive(*peer)?;
                let words: Option<(&[u8; 4], &[u8; 4])> = message.first_chunk().zip(message.last_chunk());
                let (thread, number) = words
                    .map(|(thread, number)| (u32::from_le_bytes(*thread), u32::from_le_bytes(*number)))
                    .filter(|(thread, _)| message.len() == 8 && (*thread as usize) < THREADS)
                    .ok_or_else(|| format!("rank {rank} received {} unexpected bytes from {peer}", message.len()))?;
                let expected = &mut next[thread as usize];
                if number != *expected {
                    return Err(format!("rank {peer}'s thread {thread} sent {expected}, and {number} arrived"));
                }
                *expected += 1;
            }
        }
        while senders.iter().any(|sender| !sender.is_finished()) {
            endpoint.poll()?;
        }
        senders.into_iter().try_for_each(|sender| sender.join().map_err(|_| "a sender panicked".to_string())?)
    })
}

fn send_numbers(transport: &dyn Transport, peers: &[Rank], thread: u32, messages: u32) -> Result<(), String> {
    let began = Instant::now();
    for number in 0..messages {
        for peer in peers {
            loop {
                match transport.send(*peer, &[&thread.to_le_bytes(), &number.to_le_bytes()]) {
                    Ok(()) => break,
                    Err(Refusal::Lost) => return Err(format!("the link to rank {peer} failed")),
                    Err(Refusal::Full) if began.elapsed() > DEADLINE => return Err(format!("rank {peer} stays full")),
                    Err(Refusal::Full) => std::thread::yield_now(),
                }
            }
        }
    }
    Ok(())
}

/// While a message is delivered to one thread, a poll by another thread finds nothing and returns.
fn polls_exclude_each_other(endpoint: &mut TestEndpoint<'_>) -> Result<(), String> {
    const MESSAGES: usize = 50;
    let (transport, rank) = (endpoint.transport, endpoint.rank);
    for peer in endpoint.peers() {
        for sequence in 0..MESSAGES {
            endpoint.send(peer, &[&pattern(rank, peer, sequence, 100)])?;
        }
    }
    let tried = AtomicBool::new(false);
    while !tried.load(Ordering::Relaxed) && endpoint.size > 1 {
        let mut second = Ok(());
        endpoint.poll_with(&mut |_| {
            tried.store(true, Ordering::Relaxed);
            let other = || transport.poll(&mut |_| {});
            let found = std::thread::scope(|scope| scope.spawn(other).join());
            if !matches!(found, Ok(0)) {
                second = Err(format!("a second poll during a delivery found {found:?}"));
            }
        })?;
        second?;
    }
    for sequence in 0..MESSAGES {
        for peer in endpoint.peers() {
            endpoint.expect(peer, &pattern(peer, rank, sequence, 100))?;
        }
    }
    Ok(())
}

/// Reads fetch the bytes of the other rank's block; reads beyond its arena fail without harm.
fn bulk_reads(endpoint: &mut TestEndpoint<'_>, arena: &Arc<Arena>) -> Result<(), String> {
    const BYTES: usize = 1 << 20;
    let no_space = || "no space for the blocks of the test".to_string();
    let mut source = arena.allocate(BYTES).ok_or_else(no_space)?;
    source.as_mut_slice().copy_from_slice(&pattern(endpoint.rank, endpoint.rank, 0, BYTES));
    for peer in endpoint.peers() {
        endpoint.send(peer, &[&source.offset().to_le_bytes(), &arena.bytes().to_le_bytes()])?;
    }
    for peer in endpoint.peers() {
        let message = endpoint.receive(peer)?;
        let location: Option<(&[u8; 8], &[u8; 8])> = message.first_chunk().zip(message.last_chunk());
        let (offset, bytes) = location.ok_or("a location of less than 8 bytes")?;
        let (offset, arena_bytes) = (u64::from_le_bytes(*offset), u64::from_le_bytes(*bytes));
        let expected = pattern(peer, peer, 0, BYTES);
        for (start, length) in [(0, 1), (5, 8), (4093, 4099), (0, 64 << 10), (100, 300_000), (0, BYTES), (7, 0)] {
            let into = arena.allocate(length).ok_or_else(no_space)?;
            let block = endpoint.read(peer, offset + start as u64, into)?;
            if block.as_slice() != &expected[start..start + length] {
                return Err(format!("a read of {length} bytes at {start} of rank {peer}'s block returned other bytes"));
            }
        }
        for beyond in [arena_bytes - 8, arena_bytes, arena_bytes + (1 << 40), u64::MAX - 7] {
            let into = arena.allocate(4096).ok_or_else(no_space)?;
            if endpoint.read(peer, beyond, into).is_ok() {
                return Err(format!("a read at {beyond} of rank {peer}'s {arena_bytes} bytes succeeded"));
            }
        }
    }
    // The block is kept until every rank has read it.
    endpoint.barrier("block")
}

/// Sends towards a rank that does not poll are refused eventually, nothing of a refused message arrives, and there is
/// space again later.
///
/// Both ends are in this process and no other thread polls them.
///
/// # Errors
/// As [`run`].
pub fn full(sender: &dyn Transport, from: Rank, receiver: &dyn Transport, to: Rank) -> Result<(), String> {
    for round in 0..3 {
        let mut sent = 0;
        let began = Instant::now();
        // The notification that there is space again may still be in flight.
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
            return Err("a full transport accepted a large message".to_string());
        }
        let (mut received, mut wrong) = (0, None);
        let began = Instant::now();
        // A transport that must ask the system does not know without a poll if something arrived.
        while received < sent || receiver.pending() {
            if began.elapsed() > DEADLINE {
                return Err(format!("{sent} messages were taken, and {received} arrived"));
            }
            receiver.poll(&mut |event| {
                let expected = pattern(from, to, received, 4096);
                let matches = match event {
                    TransportEvent::Message { from: sender, bytes } => sender == from && bytes == expected,
                    _ => false,
                };
                if !matches {
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

/// Bytes that identify the sender, the receiver and the message.
fn pattern(from: Rank, to: Rank, sequence: usize, length: usize) -> Vec<u8> {
    let seed = from as usize * 59 + to as usize * 31 + sequence * 7;
    (0..length).map(|index| (seed + index + (index >> 8) * 13) as u8).collect()
}
