//! The sizes of the reference tables, and their invariants.

use crate::base::ObjectId;
use crate::protocol::leak_check::{BrokenInvariant, TableSizes};
use crate::protocol::locks::lock;
use crate::protocol::objects::references::References;

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
    pub fn check(&self) -> Result<(), BrokenInvariant> {
        let tables = lock(&self.tables);
        for number in tables.exported.keys() {
            if !tables.counts.is_exported(*number) {
                return Err(BrokenInvariant::Retained(*number));
            }
        }
        for id in tables.pinned.keys() {
            if !tables.counts.is_pinned(*id) {
                return Err(BrokenInvariant::Pinned(*id));
            }
        }
        for id in tables.imported.keys() {
            if !tables.counts.is_imported(*id) {
                return Err(BrokenInvariant::Imported(*id));
            }
        }
        Ok(())
    }
}
