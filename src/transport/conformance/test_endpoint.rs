//! One rank's side of the checks: sends that poll while there is no space, and received messages by sender.

use crate::base::Rank;
use crate::memory::Block;
use crate::transport::{ReadError, Refusal, RemoteAddress, Transport, TransportEvent};
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// How long nothing may move; a guard against hanging, not a measure.
pub(super) const DEADLINE: Duration = Duration::from_secs(60);

pub(super) struct TestEndpoint<'a> {
    pub(super) transport: &'a dyn Transport,
    pub(super) rank: Rank,
    pub(super) size: u32,
    received: Vec<VecDeque<Vec<u8>>>,
    reads: HashMap<u64, Result<Block, ReadError>>,
    next_token: u64,
    progressed: Instant,
}

impl<'a> TestEndpoint<'a> {
    pub(super) fn new(transport: &'a dyn Transport, rank: Rank, size: u32) -> TestEndpoint<'a> {
        let received = (0..size).map(|_| VecDeque::new()).collect();
        TestEndpoint {
            transport,
            rank,
            size,
            received,
            reads: HashMap::new(),
            next_token: 1,
            progressed: Instant::now(),
        }
    }

    pub(super) fn peers(&self) -> Vec<Rank> {
        (0..self.size).filter(|peer| *peer != self.rank).collect()
    }

    pub(super) fn poll(&mut self) -> Result<(), String> {
        self.poll_with(&mut |_| {})
    }

    /// Polls once and keeps what arrived; `inspect` sees each event first.
    pub(super) fn poll_with(&mut self, inspect: &mut dyn FnMut(&TransportEvent<'_>)) -> Result<(), String> {
        let (received, reads, mut wrong) = (&mut self.received, &mut self.reads, None);
        let mut delivered = 0;
        let events = self.transport.poll(&mut |event| {
            inspect(&event);
            delivered += 1;
            match event {
                TransportEvent::Message { from, bytes } => {
                    if !bytes.as_ptr().addr().is_multiple_of(8) {
                        wrong = Some(format!("a message from {from} is not aligned to 8"));
                    }
                    match received.get_mut(from as usize) {
                        Some(queue) => queue.push_back(bytes.to_vec()),
                        None => wrong = Some(format!("a message from {from}, which is no rank")),
                    }
                }
                TransportEvent::ReadDone { token, block } => {
                    if reads.insert(token, block).is_some() {
                        wrong = Some(format!("read {token} ended twice"));
                    }
                }
                TransportEvent::LinkDown { peer, reason } => {
                    wrong = Some(format!("the link to rank {peer} failed: {reason}"))
                }
            }
        });
        if events != delivered {
            wrong = Some(format!("a poll returned {events} events and delivered {delivered}"));
        }
        if events > 0 {
            self.progressed = Instant::now();
        } else if self.progressed.elapsed() > DEADLINE {
            return Err(format!("rank {} waits, and nothing has come for {DEADLINE:?}", self.rank));
        } else {
            std::thread::yield_now();
        }
        wrong.map_or(Ok(()), Err)
    }

    pub(super) fn send(&mut self, peer: Rank, parts: &[&[u8]]) -> Result<(), String> {
        loop {
            match self.transport.send(peer, parts) {
                Ok(()) => return Ok(()),
                Err(Refusal::Full) => self.poll()?,
                Err(Refusal::Lost) => return Err(format!("the link to rank {peer} failed")),
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

    /// Checks that the next message of `peer` is this one.
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
        while let Err((refusal, block)) = self.transport.read(peer, RemoteAddress::in_store(offset), into, token) {
            if refusal == Refusal::Lost {
                return Err(format!("the link to rank {peer} failed"));
            }
            into = block;
            self.poll()?;
        }
        loop {
            if let Some(block) = self.reads.remove(&token) {
                return block.map_err(|error| error.to_string());
            }
            self.poll()?;
        }
    }

    /// Returns when every rank has called it.
    pub(super) fn barrier(&mut self, name: &str) -> Result<(), String> {
        self.peers().into_iter().try_for_each(|peer| self.send(peer, &[b"barrier ", name.as_bytes()]))?;
        let expected = format!("barrier {name}");
        self.peers().into_iter().try_for_each(|peer| self.expect(peer, expected.as_bytes()))
    }

    /// Checks that nothing arrived that was not sent.
    pub(super) fn nothing_is_left(&self) -> Result<(), String> {
        match self.received.iter().position(|queue| !queue.is_empty()) {
            Some(peer) => Err(format!("rank {} received more from {peer} than was sent", self.rank)),
            None if self.reads.is_empty() => Ok(()),
            None => Err(format!("rank {} received reads that it did not start", self.rank)),
        }
    }
}
