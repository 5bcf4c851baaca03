//! Requested values of other ranks.

use crate::base::Rank;
use crate::protocol::locks::lock;
use crate::protocol::objects::references::{Imported, References};

impl References {
    /// Visits the owners, among those for which `concerns` is true, that owe this rank a requested value.
    pub fn awaited(&self, concerns: &impl Fn(Rank) -> bool, visit: &mut impl FnMut(Rank)) {
        let slots: Vec<_> =
            {
                let tables = lock(&self.tables);
                let others = tables.imported.iter().filter(|(id, _)| concerns(id.owner));
                others
                    .filter_map(|(id, (_, imported))| {
                        if let Imported::Slot(slot) = imported { Some((id.owner, slot.upgrade()?)) } else { None }
                    })
                    .collect()
            };
        // Examined and dropped after the lock is released: dropping the last reference to an object takes it.
        slots.iter().filter(|(_, slot)| slot.is_requested()).for_each(|(owner, _)| visit(*owner));
    }
}
