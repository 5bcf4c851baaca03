//! What the references of a rank hold, and what cannot be.

use crate::base::ObjectId;
use crate::base::sync::lock;
use crate::protocol::Census;
use crate::protocol::references::References;

impl References {
    /// Whether grants for that object of another rank are held.
    #[cfg_attr(not(feature = "sim"), allow(dead_code))]
    pub fn holds(&self, id: ObjectId) -> bool {
        lock(&self.tables).counts.imports(id)
    }

    /// What is held, by kind.
    pub fn census(&self) -> Census {
        let tables = lock(&self.tables);
        let [exports, imports, pins] = tables.counts.census();
        vec![
            ("objects that others hold", tables.exported.len()),
            ("objects kept for references under way", tables.pinned.len()),
            ("objects of others", tables.live.len()),
            ("references that arrive", tables.arriving.len()),
            ("objects with counts", exports),
            ("objects of others with grants", imports),
            ("objects with references under way", pins),
        ]
    }

    /// What cannot be: something counted and not kept, or kept and not counted.
    pub fn check(&self) -> Result<(), String> {
        let tables = lock(&self.tables);
        for number in tables.exported.keys() {
            if !tables.counts.exports(*number) {
                return Err(format!("object {number} is kept, and nobody holds it"));
            }
        }
        for id in tables.pinned.keys() {
            if !tables.counts.pins(*id) {
                return Err(format!("{id} is kept, and no reference to it is under way"));
            }
        }
        for id in tables.live.keys() {
            if !tables.counts.imports(*id) {
                return Err(format!("{id} is here, and no grant for it"));
            }
        }
        Ok(())
    }
}
