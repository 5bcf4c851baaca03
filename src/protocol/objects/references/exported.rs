//! The blocks of this rank's store that other ranks hold.

use super::{ExportPin, References};
use crate::base::Rank;
use crate::base::sync::lock;
use crate::objects::ArrayMemory;
use crate::protocol::environment::Environment;
use std::sync::Arc;

/// A block of this rank's store that is needed only by one rank, which cannot map it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReclaimableBlock {
    /// Its number among this rank's objects: the higher, the later it was sent.
    pub number: u64,
    /// The rank that holds it.
    pub to: Rank,
    /// Its length in bytes.
    pub bytes: u64,
}

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

    /// The blocks whose holder could be asked to release them.
    pub fn reclaimable_blocks(&self, env: &impl Environment) -> Vec<ReclaimableBlock> {
        let tables = lock(&self.tables);
        let blocks = tables.exported.iter().filter_map(|(number, pin)| {
            let ExportPin::Memory(memory) = pin else { return None };
            let was_requested = || tables.reclaim_requested.contains(number) || tables.reclaim_refused.contains(number);
            if Arc::strong_count(memory) > 1 || was_requested() {
                return None;
            }
            let &[to] = tables.counts.borrowers(*number).as_slice() else { return None };
            let address = env.address_of(&**memory, &|| self.fresh_number())?;
            let is_own = address.block.owner == self.rank;
            (is_own && !env.is_mapped(to)).then_some(ReclaimableBlock { number: *number, to, bytes: address.bytes })
        });
        blocks.collect()
    }

    /// Records that these blocks were requested back.
    pub(in crate::protocol) fn mark_reclaim_requested(&self, blocks: &[u64]) {
        let mut tables = lock(&self.tables);
        let known = blocks.iter().filter(|number| tables.exported.contains_key(number)).copied();
        let known: Vec<u64> = known.collect();
        tables.reclaim_requested.extend(known);
    }

    /// Records that these blocks are not released.
    pub(in crate::protocol) fn mark_reclaim_refused(&self, blocks: &[u64]) {
        let mut tables = lock(&self.tables);
        for number in blocks {
            if tables.reclaim_requested.remove(number) {
                tables.reclaim_refused.insert(*number);
            }
        }
    }

    /// True while a holder that was asked to release blocks has not replied.
    pub fn awaits_reclaim(&self) -> bool {
        !lock(&self.tables).reclaim_requested.is_empty()
    }
}
