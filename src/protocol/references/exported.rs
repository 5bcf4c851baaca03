//! Which blocks of this rank's store others hold.

use super::{Keep, References};
use crate::base::Rank;
use crate::base::sync::lock;
use crate::objects::ArrayMemory;
use crate::protocol::driver::Driver;
use std::sync::Arc;

/// A block of this rank's store that nobody needs but one rank which cannot read it where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lent {
    /// Its number among this rank's objects: the higher, the later it left.
    pub number: u64,
    /// Who holds it.
    pub to: Rank,
    /// Its length.
    pub bytes: u64,
}

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

    /// The blocks that a rank could be asked to let go of.
    pub fn lent(&self, driver: &impl Driver) -> Vec<Lent> {
        let tables = lock(&self.tables);
        let lent = tables.exported.iter().filter_map(|(number, keep)| {
            let Keep::Memory(memory) = keep else { return None };
            let is_asked = || tables.asked.contains(number) || tables.refused.contains(number);
            if Arc::strong_count(memory) > 1 || is_asked() {
                return None;
            }
            let &[to] = tables.counts.borrowers(*number).as_slice() else { return None };
            let place = driver.place_of(&**memory, &|| self.fresh_number())?;
            let is_own = place.block.owner == self.me;
            (is_own && !driver.is_mapped(to)).then_some(Lent { number: *number, to, bytes: place.bytes })
        });
        lent.collect()
    }

    /// Somebody is asked to let go of these.
    pub(in crate::protocol) fn ask_for(&self, blocks: &[u64]) {
        let mut tables = lock(&self.tables);
        let known = blocks.iter().filter(|number| tables.exported.contains_key(number)).copied();
        let known: Vec<u64> = known.collect();
        tables.asked.extend(known);
    }

    /// These are not let go of.
    pub(in crate::protocol) fn refused(&self, blocks: &[u64]) {
        let mut tables = lock(&self.tables);
        for number in blocks {
            if tables.asked.remove(number) {
                tables.refused.insert(*number);
            }
        }
    }

    /// Whether somebody was asked to let go of blocks, and has not answered.
    pub fn awaits_return(&self) -> bool {
        !lock(&self.tables).asked.is_empty()
    }
}
