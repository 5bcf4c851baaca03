//! Why a transport did not read, or cannot be read from.

use super::RemoteAddress;
use super::verbs::VerbsError;
use crate::base::{Error, Rank};
use crate::memory::{DeviceMemory, RegionNumber};
use std::error::Error as StdError;
use std::sync::Arc;

/// Why a bulk read did not fill its block.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
// Without the features `mpi` and `verbs` some of them do not occur.
#[allow(dead_code)]
pub enum ReadError {
    /// The peer's region is smaller.
    #[error("{bytes} bytes at {offset} are outside region {region} of rank {peer}")]
    Outside { bytes: usize, offset: u64, region: RegionNumber, peer: Rank },
    /// The peer has no such region that this transport can read.
    #[error("rank {peer} offers no region {region} over {over}")]
    NoRegion { peer: Rank, region: RegionNumber, over: String },
    /// This rank's device cannot write into the block.
    #[error("the block to read into is in no store of rank {rank} that is registered with {device}")]
    NotRegistered { rank: Rank, device: String },
    /// The peer checked the range and refused.
    #[error("{peer} refused a read: {reason}")]
    Refused { peer: String, reason: String },
    /// The peer failed before the read had ended.
    #[error("the read from rank {peer} failed because that rank has failed")]
    PeerFailed { peer: Rank },
    /// The transfer failed.
    #[error("the read from rank {peer} failed: {source}")]
    Transfer { peer: Rank, source: Box<dyn StdError + Send + Sync> },
    /// The link failed, as its `LinkDown` says.
    #[error("{0}")]
    LinkFailed(Arc<str>),
}

impl ReadError {
    /// `bytes` from an address on are not all in the region.
    pub(super) fn outside(peer: Rank, from: RemoteAddress, bytes: usize) -> ReadError {
        ReadError::Outside { bytes, offset: from.offset, region: from.region, peer }
    }
}

/// Why a transport does not reach a region of this rank.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
// Without the feature `verbs` no device refuses.
#[allow(dead_code)]
pub enum RegisterError {
    /// The CPU serves the reads of this transport.
    #[error(transparent)]
    OnDevice(#[from] DeviceMemory),
    /// The RDMA device refused.
    #[error(transparent)]
    Verbs(#[from] VerbsError),
}

impl From<RegisterError> for Error {
    fn from(error: RegisterError) -> Error {
        Error::fabric_from(&error)
    }
}
