//! The sizes of a protocol's tables, to detect leaks; its invariants; its end.

use crate::protocol::Protocol;
use crate::protocol::locks::lock;
use crate::protocol::objects::fetch::unfetched::StuckValue;
use crate::protocol::objects::references::UncountedReference;

/// The sizes of tables, by kind of entry; empty tables are left out.
pub type TableSizes = Vec<(&'static str, usize)>;

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenInvariant {
    /// Of the reference tables.
    #[error(transparent)]
    Reference(#[from] UncountedReference),
    /// Of the values that are fetched.
    #[error(transparent)]
    Value(#[from] StuckValue),
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
        Ok(self.objects.unfetched.check()?)
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
