//! The sizes of the reference tables, and their invariants.

use crate::base::ObjectId;
use crate::protocol::TableSizes;
use crate::protocol::locks::lock;
use crate::protocol::objects::references::References;

/// What the tables hold without a count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UncountedReference {
    /// An object of this rank.
    #[error("object {0} is retained, and no rank holds it")]
    Retained(u64),
    /// An object of another rank, for a reference in flight.
    #[error("{0} is pinned, and no reference to it is in flight")]
    Pinned(ObjectId),
    /// An object of another rank.
    #[error("{0} is imported, and there is no grant for it")]
    Imported(ObjectId),
}

impl References {
    /// True if this rank has grants for that object of another rank.
    #[cfg_attr(not(feature = "sim"), allow(dead_code))]
    pub fn has_grants(&self, id: ObjectId) -> bool {
        lock(&self.tables).counts.is_imported(id)
    }

    /// The sizes of the tables.
    pub fn table_sizes(&self) -> TableSizes {
        let tables = lock(&self.tables);
        let [exports, imports, pins] = tables.counts.table_sizes();
        vec![
            ("objects that others hold", tables.exported.len()),
            ("objects pinned for references in flight", tables.pinned.len()),
            ("objects of others", tables.imported.len()),
            ("references being decoded", tables.arriving.len()),
            ("objects with counts", exports),
            ("objects of others with grants", imports),
            ("objects with references in flight", pins),
        ]
    }

    /// Checks that what is counted is retained, and what is retained is counted.
    pub fn check(&self) -> Result<(), UncountedReference> {
        let tables = lock(&self.tables);
        for number in tables.exported.keys() {
            if !tables.counts.is_exported(*number) {
                return Err(UncountedReference::Retained(*number));
            }
        }
        for id in tables.pinned.keys() {
            if !tables.counts.is_pinned(*id) {
                return Err(UncountedReference::Pinned(*id));
            }
        }
        for id in tables.imported.keys() {
            if !tables.counts.is_imported(*id) {
                return Err(UncountedReference::Imported(*id));
            }
        }
        Ok(())
    }
}
