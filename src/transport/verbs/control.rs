//! Control messages that connect a queue pair of this rank to one of a peer, and the state of a connection set-up.
//! Pure.
//!
//! ```text
//! first use at A                                        first use at both
//!   A: Connect ------------------> B: connects            A: Connect --> <-- B: Connect
//!   A: connects, open <-- Connect, is_reply               A: connects, Ready --> <-- B: connects, Ready
//!   A: Ready --------------------> B: open                A: open              B: open
//! ```
//!
//! A rank sends over its queue pair only in the state `Open`, when it knows that the other end has connected and does
//! not drop what comes.

use super::regions::RegionKeys;
use serde::{Deserialize, Serialize};

/// What a rank sends to a peer over the control channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ControlMessage {
    /// The sender's end of the pair.
    Connect(ConnectRequest),
    /// The sender has connected its end to the receiver's.
    Ready,
    /// The sender's end has failed, and why.
    Broken(String),
}

/// One end of a pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectRequest {
    /// The number of the queue pair.
    pub queue_pair: u32,
    /// The packet sequence number at which it starts.
    pub first_packet: u32,
    /// True if it replies to the receiver's request: the sender has connected its end then.
    pub is_reply: bool,
    /// The sender's regions that the receiver may read.
    pub regions: Vec<RegionKeys>,
}

impl ControlMessage {
    /// The message as sent.
    pub fn encode(&self) -> Vec<u8> {
        postcard::to_allocvec(self).expect("every control message can be encoded")
    }

    /// Decodes a peer's bytes; `None` if they are no control message or hold impossible values.
    pub fn decode(bytes: &[u8]) -> Option<ControlMessage> {
        let (message, rest) = postcard::take_from_bytes::<ControlMessage>(bytes).ok()?;
        let is_valid = match &message {
            ControlMessage::Connect(request) => {
                request.queue_pair < 1 << 24
                    && request.first_packet < 1 << 24
                    && request.regions.iter().all(RegionKeys::is_valid)
            }
            ControlMessage::Ready | ControlMessage::Broken(_) => true,
        };
        (rest.is_empty() && is_valid).then_some(message)
    }
}

/// The state of the connection set-up of one pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectState {
    /// This rank has sent its connect request and has not received the peer's.
    Requested,
    /// This end has connected; whether the peer's has is not known.
    Connected,
    /// Both ends have connected: segments may be sent.
    Open,
}

impl ConnectState {
    /// The peer's connect request came after this rank had sent its own: this rank connects its end, sends `Ready` and
    /// enters the state returned. `None` if no request is due.
    pub fn on_connect_request(self, is_reply: bool) -> Option<ConnectState> {
        let next = if is_reply { ConnectState::Open } else { ConnectState::Connected };
        (self == ConnectState::Requested).then_some(next)
    }

    /// The peer has connected its end: it sent `Ready` or a segment. `None` if this rank has not connected its own.
    pub fn on_ready(self) -> Option<ConnectState> {
        (self != ConnectState::Requested).then_some(ConnectState::Open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(is_reply: bool) -> ConnectRequest {
        let region = RegionKeys { number: 0, address: 1 << 40, bytes: 4096, chunk_bytes: 4096, keys: vec![7] };
        ConnectRequest { queue_pair: 17, first_packet: 0xff_ffff, is_reply, regions: vec![region] }
    }

    #[test]
    fn decode_returns_the_encoded_message() {
        for message in
            [ControlMessage::Connect(request(true)), ControlMessage::Ready, ControlMessage::Broken("why".into())]
        {
            assert_eq!(ControlMessage::decode(&message.encode()), Some(message));
        }
    }

    #[test]
    fn decode_of_malformed_bytes_returns_none() {
        assert_eq!(ControlMessage::decode(&[]), None);
        assert_eq!(ControlMessage::decode(&[9]), None);
        let mut long = ControlMessage::Ready.encode();
        long.push(0);
        assert_eq!(ControlMessage::decode(&long), None);
        let strange = ConnectRequest { queue_pair: 1 << 24, ..request(false) };
        assert_eq!(ControlMessage::decode(&ControlMessage::Connect(strange).encode()), None);
        let mut whole = ControlMessage::Connect(request(false)).encode();
        whole.pop();
        assert_eq!(ControlMessage::decode(&whole), None);
    }

    /// In every order in which the messages of both ends can be sent and received, both ends open.
    #[test]
    fn any_order_of_messages_opens_both_ends() {
        for (both, first) in [(false, 0), (true, 0), (true, 1)] {
            let mut ends: [Option<ConnectState>; 2] =
                [Some(ConnectState::Requested), both.then_some(ConnectState::Requested)];
            let mut channels = [Vec::new(), Vec::new()];
            channels[1].push(ControlMessage::Connect(request(false)));
            if both {
                channels[0].push(ControlMessage::Connect(request(false)));
            }
            let mut turn = first;
            while channels.iter().any(|channel| !channel.is_empty()) {
                let (me, peer) = (turn % 2, 1 - turn % 2);
                turn += 1;
                if channels[me].is_empty() {
                    continue;
                }
                let message = channels[me].remove(0);
                let (next, reply) = match (message, ends[me]) {
                    (ControlMessage::Connect(_), None) => {
                        (ConnectState::Connected, Some(ControlMessage::Connect(request(true))))
                    }
                    (ControlMessage::Connect(request), Some(state)) => {
                        (state.on_connect_request(request.is_reply).expect("in order"), Some(ControlMessage::Ready))
                    }
                    (_, state) => (state.expect("requested").on_ready().expect("in order"), None),
                };
                ends[me] = Some(next);
                channels[peer].extend(reply);
            }
            assert_eq!(ends, [Some(ConnectState::Open); 2], "both {both}, first {first}");
        }
    }

    #[test]
    fn messages_out_of_order_are_refused() {
        assert_eq!(ConnectState::Requested.on_ready(), None);
        assert_eq!(ConnectState::Connected.on_connect_request(false), None);
        assert_eq!(ConnectState::Open.on_connect_request(true), None);
    }
}
