//! What ranks tell each other about copies.

use crate::base::{Error, ObjectId, Rank};
use serde::{Deserialize, Serialize};

/// Where the bytes of a block can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The block there, original or copy; its owner's store holds it.
    pub block: ObjectId,
    /// Bytes from the start of that store.
    pub offset: u64,
}

/// What ranks tell each other about copies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum CopyMessage {
    /// To the block's keeper on the sender's host: it is needed here.
    Want {
        /// The block, and where it lies.
        original: Source,
        /// Its length.
        bytes: u64,
    },
    /// To a rank that the owner named: lend me your copy.
    Share {
        /// The block.
        block: ObjectId,
    },
    /// The answer to both, with a grant for the copy, or why there is none.
    Have {
        /// The block, as it was asked for.
        block: ObjectId,
        /// The copy's length.
        bytes: u64,
        /// The copy.
        copy: Result<Source, Error>,
    },
    /// To the owner: where can it be had?
    Where {
        /// The block.
        block: ObjectId,
        /// Its length.
        bytes: u64,
        /// Holders that could not serve.
        without: Vec<Rank>,
    },
    /// The answer.
    Holders {
        /// The block.
        block: ObjectId,
        /// Who is to serve it, or why nobody can.
        holders: Result<Holders, Error>,
    },
    /// To the owner: the copy is whole.
    Holds {
        /// The block.
        block: ObjectId,
    },
    /// To the owner: there is no copy here, or no more.
    Left {
        /// The block.
        block: ObjectId,
    },
    /// From the owner: the block is gone.
    Gone {
        /// The block.
        block: ObjectId,
    },
}

/// Whom a reader is to bring a block from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holders {
    /// The original, with a grant, where it is among them: its offset in the owner's store.
    pub original: Option<u64>,
    /// Ranks that have copies, or will have.
    pub others: Vec<Rank>,
}

impl CopyMessage {
    /// The highest rank that it names.
    pub fn highest_rank(&self) -> Rank {
        let highest = |ranks: &[Rank]| ranks.iter().copied().max().unwrap_or_default();
        match self {
            CopyMessage::Have { block, copy: Ok(source), .. } => block.owner.max(source.block.owner),
            CopyMessage::Where { block, without, .. } => block.owner.max(highest(without)),
            CopyMessage::Holders { block, holders: Ok(holders) } => block.owner.max(highest(&holders.others)),
            CopyMessage::Want { original, .. } => original.block.owner,
            CopyMessage::Share { block }
            | CopyMessage::Have { block, .. }
            | CopyMessage::Holders { block, .. }
            | CopyMessage::Holds { block }
            | CopyMessage::Left { block }
            | CopyMessage::Gone { block } => block.owner,
        }
    }
}
