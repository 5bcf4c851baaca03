//! Values of other ranks that somebody here asked for.

use crate::base::Rank;
use crate::base::sync::lock;
use crate::protocol::references::{Live, References};

impl References {
    /// Names the owners, among those that `concerns` names, that were asked for a value and have not answered.
    pub fn awaited(&self, concerns: &impl Fn(Rank) -> bool, note: &mut impl FnMut(Rank)) {
        let slots: Vec<_> = {
            let tables = lock(&self.tables);
            let far = tables.live.iter().filter(|(id, _)| concerns(id.owner));
            far.filter_map(
                |(id, (_, live))| if let Live::Slot(slot) = live { Some((id.owner, slot.upgrade()?)) } else { None },
            )
            .collect()
        };
        // Looked at, and let go, after the lock: the last holder of a slot takes it.
        slots.iter().filter(|(_, slot)| slot.is_requested()).for_each(|(owner, _)| note(*owner));
    }
}
