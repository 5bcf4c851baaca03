//! What ranks tell each other about copies.

use crate::base::{Error, ObjectId, Rank};
use serde::{Deserialize, Serialize};

/// Where the bytes of a block can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopySource {
    /// The block at that rank, original or copy; its owner's store holds it.
    pub block: ObjectId,
    /// Bytes from the start of that store.
    pub offset: u64,
}

/// What ranks tell each other about copies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum CopyMessage {
    /// To the block's cache rank on the sender's host: the sender needs it.
    Request {
        /// The block, and its location.
        original: CopySource,
        /// Its length.
        bytes: u64,
    },
    /// To a rank that the owner named: a request for its copy.
    ShareRequest {
        /// The block.
        block: ObjectId,
    },
    /// The reply to both, with a grant for the copy, or why there is none.
    CopyReply {
        /// The block, as requested.
        block: ObjectId,
        /// The copy's length.
        bytes: u64,
        /// The copy.
        copy: Result<CopySource, Error>,
    },
    /// To the owner: which ranks can serve it?
    Locate {
        /// The block.
        block: ObjectId,
        /// Its length.
        bytes: u64,
        /// Holders that could not serve it.
        excluded: Vec<Rank>,
    },
    /// The reply.
    Holders {
        /// The block.
        block: ObjectId,
        /// The ranks that are to serve it, or why none can.
        holders: Result<Holders, Error>,
    },
    /// To the owner: the copy is complete.
    CopyComplete {
        /// The block.
        block: ObjectId,
    },
    /// To the owner: there is no copy here, or no longer.
    CopyDropped {
        /// The block.
        block: ObjectId,
    },
    /// From the owner: the block was freed.
    Freed {
        /// The block.
        block: ObjectId,
    },
}

/// The holders from which a reader is to fetch a block.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holders {
    /// If the original is among them, with a grant: its offset in the owner's store.
    pub original: Option<u64>,
    /// Ranks that have copies, or are fetching one.
    pub others: Vec<Rank>,
}

impl CopyMessage {
    /// The highest rank that it names.
    pub fn highest_rank(&self) -> Rank {
        let highest = |ranks: &[Rank]| ranks.iter().copied().max().unwrap_or_default();
        match self {
            CopyMessage::CopyReply { block, copy: Ok(source), .. } => block.owner.max(source.block.owner),
            CopyMessage::Locate { block, excluded, .. } => block.owner.max(highest(excluded)),
            CopyMessage::Holders { block, holders: Ok(holders) } => block.owner.max(highest(&holders.others)),
            CopyMessage::Request { original, .. } => original.block.owner,
            CopyMessage::ShareRequest { block }
            | CopyMessage::CopyReply { block, .. }
            | CopyMessage::Holders { block, .. }
            | CopyMessage::CopyComplete { block }
            | CopyMessage::CopyDropped { block }
            | CopyMessage::Freed { block } => block.owner,
        }
    }
}
