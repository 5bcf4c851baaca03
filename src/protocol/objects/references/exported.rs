//! The blocks of this rank's store that other ranks hold.

use super::{ExportPin, References};
use crate::base::Rank;
use crate::objects::ArrayMemory;
use crate::protocol::locks::lock;
use std::sync::Arc;

impl References {
    /// The memory in this rank's store that others hold, with those ranks.
    pub fn exported_memory(&self) -> Vec<(Arc<dyn ArrayMemory>, Vec<Rank>)> {
        let tables = lock(&self.tables);
        let blocks = tables.exported.iter().filter_map(|(number, pin)| match pin {
            ExportPin::Memory(memory) => Some((memory.clone(), tables.counts.borrowers(*number))),
            _ => None,
        });
        blocks.collect()
    }
}
