//! Why a transport did not read, or cannot be read from.

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
    /// The peer's store is smaller.
    #[error(
        "{bytes} bytes at {offset} of region {region} of rank {peer} are outside of its store of {store_bytes} bytes"
    )]
    OutsideStore { bytes: usize, offset: u64, region: RegionNumber, peer: Rank, store_bytes: u64 },
    /// The peer's region is smaller.
    #[error("{bytes} bytes at {offset} are outside region {region} of rank {peer}")]
    OutsideRegion { bytes: usize, offset: u64, region: RegionNumber, peer: Rank },
    /// The peer's MPI window is smaller.
    #[error("the range is not in rank {peer}'s store")]
    OutsideWindow { peer: Rank },
    /// The peer has no such region that this transport can read.
    #[error("rank {peer} offers no region {region} over {device}")]
    NoRegion { peer: Rank, region: RegionNumber, device: String },
    /// MPI reads stores only.
    #[error("the MPI transport cannot read region {region} of rank {peer}")]
    NotOverMpi { peer: Rank, region: RegionNumber },
    /// This rank's device cannot write into its own store.
    #[error("the store of rank {rank} is not registered with {device}")]
    NotRegistered { rank: Rank, device: String },
    /// This rank's device cannot write into the block.
    #[error("the block to read into is not in the store of rank {rank}")]
    BlockOutsideStore { rank: Rank },
    /// The peer checked the range and refused.
    #[error("rank {peer} refused the read: the range is not in its arena")]
    Refused { peer: Rank },
    /// The peer refused, and says why.
    #[error("{peer} refused a read: {reason}")]
    RefusedBecause { peer: String, reason: String },
    /// The peer failed before the read was requested.
    #[error("the read from rank {peer} failed: the peer has failed")]
    PeerFailed { peer: Rank },
    /// The peer failed before the read had ended.
    #[error("the read from rank {peer} was abandoned because that rank has failed")]
    Abandoned { peer: Rank },
    /// The transfer failed.
    #[error("the read from rank {peer} failed: {source}")]
    Transfer { peer: Rank, source: Box<dyn StdError + Send + Sync> },
    /// The link failed, as its `LinkDown` says.
    #[error("{0}")]
    LinkFailed(Arc<str>),
    /// There was no block to read into.
    #[error("no space")]
    NoSpace,
    /// The transport did not accept the read in time.
    #[error("{0:?}")]
    NotAccepted(super::Refusal),
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
