//! The objects of a rank.

use crate::base::Rank;
use crate::protocol::objects::fetch::blocks::HostCopies;
use crate::protocol::objects::fetch::pending::PendingValues;
use crate::protocol::objects::references::References;
use std::sync::Arc;

/// The objects that a rank shares with others.
pub struct Objects {
    /// Objects that were passed by reference to or from other ranks.
    pub references: References,
    /// Values that were left in the store of another host.
    pub unfetched: Arc<PendingValues>,
    /// Blocks of other hosts that are here or are being fetched.
    pub copies: HostCopies,
    /// True if the store of some rank is not mapped here.
    pub(in crate::protocol) has_unmapped_stores: bool,
}

impl Objects {
    /// The objects of rank `rank`.
    pub fn new(rank: Rank, has_unmapped_stores: bool) -> Objects {
        let (references, copies) = (References::new(rank), HostCopies::new(rank));
        Objects { references, unfetched: Arc::default(), copies, has_unmapped_stores }
    }

    /// True if the stores of some ranks are not mapped into this process.
    pub fn has_unmapped_stores(&self) -> bool {
        self.has_unmapped_stores
    }
}
