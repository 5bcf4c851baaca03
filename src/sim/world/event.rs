//! Events: the rank that each concerns, its description and its digest.

use super::Event;
use crate::base::Rank;
use crate::protocol::{MESSAGE_HEADER_BYTES, Message};
use crate::sim::random::mix;

impl Event {
    /// The rank that it concerns. Faults come from outside of all ranks.
    pub(super) fn rank(&self) -> Option<Rank> {
        match self {
            Event::Work(rank) | Event::Continue(rank, _) | Event::ReadDone { rank, .. } => Some(*rank),
            Event::MessageArrives { to, .. } => Some(*to),
            Event::DeathNoticed { by, .. } => Some(*by),
            Event::Fault(_) | Event::Resumes(_) | Event::Fenced(_) => None,
        }
    }

    /// A line that describes it.
    pub(super) fn describe(&self) -> String {
        match self {
            Event::Work(rank) => format!("rank {rank} looks for work"),
            Event::Continue(rank, slot) => format!("rank {rank} goes on with {slot}"),
            Event::MessageArrives { from, to, bytes } => {
                let message = Message::decode(&bytes[MESSAGE_HEADER_BYTES..]);
                let message = message.map_or_else(|error| error.to_string(), |message| format!("{message:?}"));
                format!("rank {from} -> rank {to}  {:02x?} {message}", &bytes[..MESSAGE_HEADER_BYTES])
            }
            Event::ReadDone { rank, token, sources, .. } => format!("rank {rank} has read {sources:?} for {token}"),
            Event::Fault(index) => format!("fault {index}"),
            Event::DeathNoticed { by, dead } => format!("rank {by} finds rank {dead} dead"),
            Event::Resumes(rank) => format!("rank {rank} goes on"),
            Event::Fenced(rank) => format!("rank {rank} learns that it was declared dead"),
        }
    }

    pub(super) fn digest(&self) -> u64 {
        let (kind, detail) = match self {
            Event::Work(_) => (1, 0),
            Event::Continue(_, slot) => (2, *slot as u64),
            Event::MessageArrives { from, bytes, .. } => {
                (3, bytes.iter().fold(u64::from(*from), |seen, byte| seen.rotate_left(5) ^ u64::from(*byte)))
            }
            Event::ReadDone { token, .. } => (4, *token),
            Event::Fault(index) => (5, *index as u64),
            Event::DeathNoticed { dead, .. } => (6, u64::from(*dead)),
            Event::Resumes(rank) => (7, u64::from(*rank)),
            Event::Fenced(rank) => (8, u64::from(*rank)),
        };
        mix(kind << 32 | u64::from(self.rank().unwrap_or(0)), detail)
    }
}
