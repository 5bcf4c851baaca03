//! Which blocks of this rank's store others hold.

use super::{Keep, References};
use crate::base::Rank;
use crate::base::sync::lock;
use crate::object::ArrayMemory;
use std::sync::Arc;

impl References {
    /// The memory of this rank's store that others hold, with those ranks.
    pub fn exported_memory(&self) -> Vec<(Arc<dyn ArrayMemory>, Vec<Rank>)> {
        let tables = lock(&self.tables);
        let blocks = tables.exported.iter().filter_map(|(number, keep)| match keep {
            Keep::Memory(memory) => Some((memory.clone(), tables.counts.borrowers(*number))),
            _ => None,
        });
        blocks.collect()
    }
}
