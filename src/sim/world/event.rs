//! Events by whom they happen to, in words and as numbers.

use super::Event;
use crate::base::Rank;
use crate::protocol::{ENVELOPE_BYTES, Message};
use crate::sim::random::mix;

impl Event {
    /// Whom it happens to. What goes wrong does so from outside of all ranks.
    pub(super) fn rank(&self) -> Option<Rank> {
        match self {
            Event::Work(rank) | Event::Continue(rank, _) | Event::Pulled { rank, .. } => Some(*rank),
            Event::Arrives { to, .. } => Some(*to),
            Event::Noticed { by, .. } => Some(*by),
            Event::Fault(_) | Event::Resumes(_) | Event::Fenced(_) => None,
        }
    }

    /// In words.
    pub(super) fn told(&self) -> String {
        match self {
            Event::Work(rank) => format!("rank {rank} looks for work"),
            Event::Continue(rank, slot) => format!("rank {rank} goes on with {slot}"),
            Event::Arrives { from, to, bytes } => {
                let message = Message::decode(&bytes[ENVELOPE_BYTES..]);
                let message = message.map_or_else(|error| error, |message| format!("{message:?}"));
                format!("rank {from} -> rank {to}  {:02x?} {message}", &bytes[..ENVELOPE_BYTES])
            }
            Event::Pulled { rank, token, sources, .. } => format!("rank {rank} has read {sources:?} for {token}"),
            Event::Fault(index) => format!("fault {index}"),
            Event::Noticed { by, gone } => format!("rank {by} finds rank {gone} gone"),
            Event::Resumes(rank) => format!("rank {rank} goes on"),
            Event::Fenced(rank) => format!("rank {rank} finds itself given up"),
        }
    }

    pub(super) fn digest(&self) -> u64 {
        let (kind, detail) = match self {
            Event::Work(_) => (1, 0),
            Event::Continue(_, slot) => (2, *slot as u64),
            Event::Arrives { from, bytes, .. } => {
                (3, bytes.iter().fold(u64::from(*from), |seen, byte| seen.rotate_left(5) ^ u64::from(*byte)))
            }
            Event::Pulled { token, .. } => (4, *token),
            Event::Fault(index) => (5, *index as u64),
            Event::Noticed { gone, .. } => (6, u64::from(*gone)),
            Event::Resumes(rank) => (7, u64::from(*rank)),
            Event::Fenced(rank) => (8, u64::from(*rank)),
        };
        mix(kind << 32 | u64::from(self.rank().unwrap_or(0)), detail)
    }
}
