//! The sizes of a protocol's tables, to detect leaks; its invariants; its end.

use crate::base::ObjectId;
use crate::protocol::Protocol;
use crate::protocol::locks::lock;

/// The sizes of tables, by kind of entry; empty tables are left out.
pub type TableSizes = Vec<(&'static str, usize)>;

/// What the tables hold that they must not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenInvariant {
    /// An object of this rank has no count.
    #[error("object {0} is retained, and no rank holds it")]
    Retained(u64),
    /// An object of another rank, for a reference in flight, has no count.
    #[error("{0} is pinned, and no reference to it is in flight")]
    Pinned(ObjectId),
    /// An object of another rank has no count.
    #[error("{0} is imported, and there is no grant for it")]
    Imported(ObjectId),
    /// Nothing will complete a value.
    #[error("an unfetched value waits for nothing")]
    WaitsForNothing,
    /// A value is unfetched, and there.
    #[error("PROTOCOL-FETCH-1: the promise of an unfetched value is complete")]
    CompleteUnfetched,
}

impl Protocol {
    /// The sizes of all tables. Empty in a cluster that is idle and whose user holds no references.
    #[cfg_attr(not(feature = "sim"), allow(dead_code))]
    pub fn table_sizes(&self) -> TableSizes {
        let mut sizes = self.objects.references.table_sizes();
        sizes.extend(self.objects.unfetched.table_sizes());
        sizes.push(("blocks being fetched", self.objects.copies.fetching_count()));
        sizes.push(("tasks on other ranks", self.tasks.remote.len()));
        sizes.push(("cancelled tasks", self.tasks.cancelled.len()));
        sizes.push(("living actors", self.actors.instance.living().len()));
        sizes.push(("owned actors", lock(&self.actors.owner.actors).len()));
        sizes.push(("names", self.names.len()));
        sizes.push(("senders with deferred messages", self.inbound.deferred.len()));
        sizes.retain(|(_, count)| *count > 0);
        sizes
    }

    /// Checks the invariants, between two events.
    #[cfg_attr(not(feature = "sim"), allow(dead_code))]
    pub fn check(&self) -> Result<(), BrokenInvariant> {
        self.objects.references.check()?;
        self.objects.unfetched.check()
    }

    /// Forgets everything at shutdown. What this drops sends nothing if `Environment::is_stopping` is true.
    #[cfg_attr(not(feature = "sim"), allow(dead_code))]
    pub fn clear(&self) {
        drop((
            self.tasks.remote.clear(),
            self.actors.instance.clear(),
            self.names.clear(),
            self.inbound.deferred.clear(),
            self.objects.unfetched.clear(),
        ));
        drop(self.actors.owner.clear());
        self.tasks.cancelled.clear();
        self.objects.copies.clear();
        self.objects.references.clear();
    }
}
