//! Which blocks of this rank's store others hold.

use super::{Keep, References};
use crate::base::Rank;
use crate::base::sync::lock;
use crate::node::memory::OwnMemory;

impl References {
    /// The blocks of this rank's store that others hold, by where they begin, with those ranks.
    pub fn exported_blocks(&self) -> Vec<(u64, Vec<Rank>)> {
        let tables = lock(&self.tables);
        let blocks = tables.exported.iter().filter_map(|(number, keep)| match keep {
            Keep::Memory(memory) => Some((number, memory.as_any().downcast_ref::<OwnMemory>()?.place().0)),
            _ => None,
        });
        blocks.map(|(number, offset)| (offset, tables.counts.borrowers(*number))).collect()
    }
}
