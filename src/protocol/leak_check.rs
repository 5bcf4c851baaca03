//! The sizes of a protocol's tables, to detect leaks; its invariants; its end.

use crate::base::sync::lock;
use crate::protocol::Protocol;

/// The sizes of tables, by kind of entry; empty tables are left out.
pub type TableSizes = Vec<(&'static str, usize)>;

impl Protocol {
    /// The sizes of all tables. Empty in a cluster that is idle and whose user holds no references.
    #[cfg_attr(not(feature = "sim"), allow(dead_code))]
    pub fn table_sizes(&self) -> TableSizes {
        let mut sizes = self.references.table_sizes();
        sizes.extend(self.unfetched.table_sizes());
        sizes.push(("tasks on other ranks", self.remote_tasks.len()));
        sizes.push(("cancelled tasks", self.cancelled.len()));
        sizes.push(("living actors", self.local_actors.living().len()));
        sizes.push(("owned actors", lock(&self.owned_actors.actors).len()));
        sizes.push(("names", self.names.len()));
        sizes.push(("senders with deferred messages", self.deferred.len()));
        sizes.retain(|(_, count)| *count > 0);
        sizes
    }

    /// Checks the invariants, between two events.
    #[cfg_attr(not(feature = "sim"), allow(dead_code))]
    pub fn check(&self) -> Result<(), String> {
        self.references.check()
    }

    /// Forgets everything at shutdown. What this drops sends nothing if `Environment::is_stopping` is true.
    #[cfg_attr(not(feature = "sim"), allow(dead_code))]
    pub fn clear(&self) {
        drop((self.remote_tasks.clear(), self.local_actors.clear(), self.names.clear(), self.deferred.clear(), self.unfetched.clear()));
        drop(self.owned_actors.clear());
        self.cancelled.clear();
        self.copies.clear();
        self.references.clear();
    }
}
