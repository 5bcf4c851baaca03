//! One rank's side of the checks: sends that poll while there is no room, and what has arrived, by sender.

use crate::base::Rank;
use crate::memory::Block;
use crate::transport::{Event, Fabric, Place, Refusal};
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// For how long nothing may move; a guard against hanging, not a measure.
pub(super) const DEADLINE: Duration = Duration::from_secs(60);

pub(super) struct Desk<'a> {
    pub(super) fabric: &'a dyn Fabric,
    pub(super) rank: Rank,
    pub(super) size: u32,
    received: Vec<VecDeque<Vec<u8>>>,
    reads: HashMap<u64, Result<Block, String>>,
    next_token: u64,
    moved: Instant,
}

impl<'a> Desk<'a> {
    pub(super) fn new(fabric: &'a dyn Fabric, rank: Rank, size: u32) -> Desk<'a> {
        let received = (0..size).map(|_| VecDeque::new()).collect();
        Desk { fabric, rank, size, received, reads: HashMap::new(), next_token: 1, moved: Instant::now() }
    }

    pub(super) fn peers(&self) -> Vec<Rank> {
        (0..self.size).filter(|peer| *peer != self.rank).collect()
    }

    pub(super) fn poll(&mut self) -> Result<(), String> {
        self.poll_with(&mut |_| {})
    }

    /// Polls once and keeps what came; `glance` sees each event first.
    pub(super) fn poll_with(&mut self, glance: &mut dyn FnMut(&Event<'_>)) -> Result<(), String> {
        let (received, reads, mut wrong) = (&mut self.received, &mut self.reads, None);
        let mut delivered = 0;
        let events = self.fabric.poll(&mut |event| {
            glance(&event);
            delivered += 1;
            match event {
                Event::Message { from, bytes } => {
                    if !bytes.as_ptr().addr().is_multiple_of(8) {
                        wrong = Some(format!("a message from {from} is not aligned to 8"));
                    }
                    match received.get_mut(from as usize) {
                        Some(queue) => queue.push_back(bytes.to_vec()),
                        None => wrong = Some(format!("a message from {from}, which is no rank")),
                    }
                }
                Event::ReadDone { token, block } => {
                    if reads.insert(token, block).is_some() {
                        wrong = Some(format!("read {token} was over twice"));
                    }
                }
                Event::Lost { peer, reason } => wrong = Some(format!("rank {peer} was lost: {reason}")),
            }
        });
        if events != delivered {
            wrong = Some(format!("a poll said {events} events and delivered {delivered}"));
        }
        if events > 0 {
            self.moved = Instant::now();
        } else if self.moved.elapsed() > DEADLINE {
            return Err(format!("rank {} waits, and nothing has come for {DEADLINE:?}", self.rank));
        } else {
            std::thread::yield_now();
        }
        wrong.map_or(Ok(()), Err)
    }

    pub(super) fn send(&mut self, peer: Rank, parts: &[&[u8]]) -> Result<(), String> {
        loop {
            match self.fabric.send(peer, parts) {
                Ok(()) => return Ok(()),
                Err(Refusal::Full) => self.poll()?,
                Err(Refusal::Lost) => return Err(format!("rank {peer} is lost")),
            }
        }
    }

    pub(super) fn receive(&mut self, peer: Rank) -> Result<Vec<u8>, String> {
        loop {
            if let Some(message) = self.received[peer as usize].pop_front() {
                return Ok(message);
            }
            self.poll()?;
        }
    }

    /// The next message of `peer` is this one.
    pub(super) fn expect(&mut self, peer: Rank, expected: &[u8]) -> Result<(), String> {
        let message = self.receive(peer)?;
        if message == expected {
            return Ok(());
        }
        let start = |bytes: &[u8]| format!("{:?}", &bytes[..bytes.len().min(16)]);
        Err(format!(
            "rank {} expected {} bytes {} from {peer} and received {} bytes {}",
            self.rank,
            expected.len(),
            start(expected),
            message.len(),
            start(&message)
        ))
    }

    pub(super) fn read(&mut self, peer: Rank, offset: u64, mut into: Block) -> Result<Block, String> {
        let token = self.next_token;
        self.next_token += 1;
        while let Err((refusal, block)) = self.fabric.read(peer, Place::in_store(offset), into, token) {
            if refusal == Refusal::Lost {
                return Err(format!("rank {peer} is lost"));
            }
            into = block;
            self.poll()?;
        }
        loop {
            if let Some(block) = self.reads.remove(&token) {
                return block;
            }
            self.poll()?;
        }
    }

    /// Returns when every rank has come here.
    pub(super) fn barrier(&mut self, name: &str) -> Result<(), String> {
        self.peers().into_iter().try_for_each(|peer| self.send(peer, &[b"barrier ", name.as_bytes()]))?;
        let expected = format!("barrier {name}");
        self.peers().into_iter().try_for_each(|peer| self.expect(peer, expected.as_bytes()))
    }

    /// Nothing arrived that nobody sent.
    pub(super) fn nothing_is_left(&self) -> Result<(), String> {
        match self.received.iter().position(|queue| !queue.is_empty()) {
            Some(peer) => Err(format!("rank {} received more from {peer} than was sent", self.rank)),
            None if self.reads.is_empty() => Ok(()),
            None => Err(format!("rank {} was handed reads that it did not start", self.rank)),
        }
    }
}
