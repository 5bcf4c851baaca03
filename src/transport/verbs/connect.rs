//! Links are connected at their first use: each rank creates a queue pair, and control messages connect the two.

use super::connection::VerbsConnection;
use super::control::{ConnectRequest, ConnectState, ControlMessage};
use super::error::VerbsError;
use super::queue_pair::{QueuePair, RemoteEnd};
use super::reads::VerbsReads;
use super::transport::{VerbsLink, VerbsTransport};
use crate::base::Rank;
use crate::base::clock::now_ns;
use crate::base::sync::lock;
use crate::transport::{Refusal, TransportEvent, Unacked};

impl VerbsTransport {
    /// The connection, if messages can be sent over it; starts to connect a link that was never used.
    pub(super) fn open_link<'a>(
        &self,
        peer: Rank,
        link: &'a mut VerbsLink,
    ) -> Result<&'a mut VerbsConnection, Refusal> {
        if let VerbsLink::Idle = link {
            self.begin_link(peer, link, None);
        }
        let VerbsLink::Live(connection) = link else { return Err(Refusal::Lost) };
        if connection.failed.is_some() {
            return Err(Refusal::Lost);
        }
        if !connection.is_open() {
            return Err(Refusal::Full);
        }
        let regions = self.remote_keys();
        if connection.announced < regions.len() {
            match connection.announce_regions(&regions) {
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

    pub(super) fn on_control(&self, from: Rank, bytes: &[u8]) {
        let Some(link) = self.links.get(from as usize) else { return };
        let mut link = lock(link);
        let Some(message) = ControlMessage::decode(bytes) else {
            let fault = format!("sent {} bytes as a control message that are none", bytes.len());
            return self.refuse(from, &mut link, VerbsError::Protocol { peer: from, fault }, true);
        };
        match (message, &mut *link) {
            (ControlMessage::Broken(reason), _) => {
                let fault = format!("closed the link: {reason}");
                self.refuse(from, &mut link, VerbsError::Protocol { peer: from, fault }, false);
            }
            (ControlMessage::Connect(request), VerbsLink::Idle) => self.begin_link(from, &mut link, Some(request)),
            (_, VerbsLink::Failed(_)) => {
                self.control.send(from, &ControlMessage::Broken(format!("rank {} has closed it", self.me)).encode());
            }
            (message, VerbsLink::Live(connection)) => {
                if let Err(reason) = self.advance_state(from, connection, message) {
                    self.fail_link(from, connection, reason);
                }
            }
            (ControlMessage::Ready, VerbsLink::Idle) => {
                let fault = "is ready for a connection that was not requested".to_string();
                self.refuse(from, &mut link, VerbsError::Protocol { peer: from, fault }, true);
            }
        }
    }

    /// Creates this rank's end; if the peer's connect request came first, connects it to the peer's.
    fn begin_link(&self, peer: Rank, link: &mut VerbsLink, peer_request: Option<ConnectRequest>) {
        let created = self.create_connection(peer).and_then(|mut connection| {
            let regions = self.remote_keys();
            let (queue_pair, first_packet) = (connection.pair.number(), connection.first_packet);
            let is_reply = peer_request.is_some();
            if let Some(peer_request) = peer_request {
                self.connect(peer, &mut connection, peer_request)?;
                connection.state = ConnectState::Connected;
            }
            connection.announced = regions.len();
            let request = ConnectRequest { queue_pair, first_packet, is_reply, regions: regions.to_vec() };
            Ok((connection, request))
        });
        match created {
            Ok((connection, request)) => {
                lock(&self.by_number).insert(request.queue_pair, peer);
                *link = VerbsLink::Live(Box::new(connection));
                self.control.send(peer, &ControlMessage::Connect(request).encode());
            }
            Err(reason) => self.refuse(peer, link, reason, true),
        }
    }

    fn create_connection(&self, peer: Rank) -> Result<VerbsConnection, VerbsError> {
        self.reachable_address(peer)?;
        self.parts.receives.add_buffers()?;
        let pair = QueuePair::new(&self.parts)?;
        let mut random = [0; 4];
        getrandom::fill(&mut random).map_err(VerbsError::NoRandomNumber)?;
        // Random, so that a packet of an earlier queue pair with the same number is not taken for one of this pair.
        Ok(VerbsConnection::new(pair, u32::from_le_bytes(random) >> 8))
    }

    fn advance_state(
        &self,
        peer: Rank,
        connection: &mut VerbsConnection,
        message: ControlMessage,
    ) -> Result<(), VerbsError> {
        let (next, request) = match message {
            ControlMessage::Connect(request) => (connection.state.on_connect_request(request.is_reply), Some(request)),
            _ => (connection.state.on_ready(), None),
        };
        let out_of_order = || VerbsError::Protocol { peer, fault: "sent a control message out of order".to_string() };
        let next = next.ok_or_else(out_of_order)?;
        if let Some(request) = request {
            self.connect(peer, connection, request)?;
            self.control.send(peer, &ControlMessage::Ready.encode());
        }
        connection.state = next;
        connection.last_progress_ns = now_ns();
        Ok(())
    }

    fn connect(&self, peer: Rank, connection: &mut VerbsConnection, request: ConnectRequest) -> Result<(), VerbsError> {
        let address = self.reachable_address(peer)?;
        let end = RemoteEnd { address, queue_pair: request.queue_pair, first_packet: request.first_packet };
        connection.pair.connect(end, connection.first_packet)?;
        connection.reads = VerbsReads::new(connection.pair.reads_under_way(address), self.transfer_bytes_max);
        connection.regions = request.regions;
        Ok(())
    }

    /// Fails a link, or refuses to connect one.
    fn refuse(&self, peer: Rank, link: &mut VerbsLink, reason: VerbsError, notify_peer: bool) {
        match link {
            VerbsLink::Live(connection) => {
                if notify_peer {
                    self.fail_link(peer, connection, reason);
                } else {
                    self.fail_without_notice(peer, connection, reason.into());
                }
            }
            VerbsLink::Idle => {
                if notify_peer {
                    self.control.send(peer, &ControlMessage::Broken(reason.to_string()).encode());
                }
                *link = VerbsLink::Failed(Some(Unacked::default()));
                self.queue_event(TransportEvent::LinkDown { peer, reason: reason.to_string() });
            }
            VerbsLink::Failed(_) => {}
        }
    }
}
