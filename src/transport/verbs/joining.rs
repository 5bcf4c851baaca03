//! Links begin at their first use: the queue pair is made, and what both ends say over the side road joins them.

use super::connection::Connection;
use super::greeting::{Greeting, Joining, Step, Word};
use super::queue_pair::{Peer, QueuePair};
use super::reads::Reads;
use super::road::{Link, Notice, VerbsFabric};
use crate::base::Rank;
use crate::base::clock::now_ns;
use crate::base::sync::lock;
use crate::transport::{Refusal, Salvage};

impl VerbsFabric {
    /// The link, where messages can go over it; begins it where it was never used.
    pub(super) fn open_link<'a>(&self, peer: Rank, link: &'a mut Link) -> Result<&'a mut Connection, Refusal> {
        if let Link::Idle = link {
            self.begin(peer, link, None);
        }
        let Link::Live(connection) = link else { return Err(Refusal::Lost) };
        if connection.failed.is_some() {
            return Err(Refusal::Lost);
        }
        if !connection.is_open() {
            return Err(Refusal::Full);
        }
        let regions = self.remote_keys();
        if connection.announced < regions.len() {
            match connection.announce(&regions) {
                Ok(true) => {}
                Ok(false) => return Err(Refusal::Full),
                Err(reason) => {
                    self.fail_link(peer, connection, reason);
                    return Err(Refusal::Lost);
                }
            }
        }
        Ok(connection)
    }

    /// What `from` said over the side road.
    pub fn side_message(&self, from: Rank, bytes: &[u8]) {
        let Some(place) = self.links.get(from as usize) else { return };
        let mut link = lock(place);
        let Some(word) = Word::decode(bytes) else {
            let reason = format!("rank {from} said {} bytes over the side road that are no word", bytes.len());
            return self.refuse(from, &mut link, reason, true);
        };
        match (word, &mut *link) {
            (Word::Broken(reason), _) => {
                self.refuse(from, &mut link, format!("rank {from} gave the link up: {reason}"), false);
            }
            (Word::Greeting(greeting), Link::Idle) => self.begin(from, &mut link, Some(greeting)),
            (_, Link::Lost(_)) => {
                self.side.send(from, &Word::Broken(format!("rank {} has lost it", self.me)).encode());
            }
            (Word::Greeting(greeting), Link::Live(connection)) => {
                let step = connection.joining.greeted(greeting.heard);
                if let Err(reason) = self.step(from, connection, step, Some(greeting)) {
                    self.fail_link(from, connection, reason);
                }
            }
            (Word::Ready, Link::Live(connection)) => {
                let step = connection.joining.ready();
                if let Err(reason) = self.step(from, connection, step, None) {
                    self.fail_link(from, connection, reason);
                }
            }
            (Word::Ready, Link::Idle) => {
                self.refuse(from, &mut link, format!("rank {from} is ready for nothing"), true);
            }
        }
    }

    /// Makes this rank's end; where the peer greeted first, joins it to the peer's.
    fn begin(&self, peer: Rank, link: &mut Link, heard: Option<Greeting>) {
        let made = self.make(peer).and_then(|mut connection| {
            let regions = self.remote_keys();
            let (queue_pair, first_packet) = (connection.pair.number(), connection.first_packet);
            let answers = heard.is_some();
            if let Some(heard) = heard {
                self.join(peer, &mut connection, heard)?;
                connection.joining = Joining::Joined;
            }
            connection.announced = regions.len();
            let greeting = Greeting { queue_pair, first_packet, heard: answers, regions: regions.to_vec() };
            Ok((connection, greeting))
        });
        match made {
            Ok((connection, greeting)) => {
                lock(&self.by_number).insert(greeting.queue_pair, peer);
                *link = Link::Live(Box::new(connection));
                self.side.send(peer, &Word::Greeting(greeting).encode());
            }
            Err(reason) => self.refuse(peer, link, reason, true),
        }
    }

    fn make(&self, peer: Rank) -> Result<Connection, String> {
        self.reaches_card(peer)?;
        self.parts.receives.add()?;
        let pair = QueuePair::new(&self.parts)?;
        let mut random = [0; 4];
        getrandom::fill(&mut random).map_err(|error| format!("the system gives no random number: {error}"))?;
        // Random, so that a packet of an earlier pair of the same number is not taken for one of this.
        Ok(Connection::new(pair, u32::from_le_bytes(random) >> 8))
    }

    fn step(
        &self,
        peer: Rank,
        connection: &mut Connection,
        step: Option<(Joining, Step)>,
        greeting: Option<Greeting>,
    ) -> Result<(), String> {
        let (next, step) = step.ok_or_else(|| format!("rank {peer} greeted out of order"))?;
        if let (Step::JoinAndSayReady, Some(greeting)) = (step, greeting) {
            self.join(peer, connection, greeting)?;
            self.side.send(peer, &Word::Ready.encode());
        }
        connection.joining = next;
        connection.heard_ns = now_ns();
        Ok(())
    }

    fn join(&self, peer: Rank, connection: &mut Connection, greeting: Greeting) -> Result<(), String> {
        let card = self.reaches_card(peer)?;
        let end = Peer { card, queue_pair: greeting.queue_pair, first_packet: greeting.first_packet };
        connection.pair.join(end, connection.first_packet)?;
        connection.reads = Reads::new(connection.pair.reads_under_way(card), self.transfer_bytes_max);
        connection.regions = greeting.regions;
        Ok(())
    }

    /// The link ends before it began, or fails.
    fn refuse(&self, peer: Rank, link: &mut Link, reason: String, tell: bool) {
        match link {
            Link::Live(connection) => {
                if tell {
                    self.fail_link(peer, connection, reason);
                } else {
                    self.fail_silently(peer, connection, reason);
                }
            }
            Link::Idle => {
                if tell {
                    self.side.send(peer, &Word::Broken(reason.clone()).encode());
                }
                *link = Link::Lost(Some(Salvage::default()));
                self.notify(Notice::Lost { peer, reason });
            }
            Link::Lost(_) => {}
        }
    }
}
