//! Blocks that other ranks read, and blocks of theirs that are read here.

use super::{Keep, References};
use crate::base::sync::lock;
use crate::base::{ObjectId, Rank};
use crate::objects::ArrayMemory;
use crate::protocol::driver::Driver;
use std::sync::Arc;

impl References {
    /// This rank's block of that number, where another rank holds it.
    pub fn own_memory(&self, number: u64) -> Option<Arc<dyn ArrayMemory>> {
        match lock(&self.tables).exported.get(&number) {
            Some(Keep::Memory(memory)) => Some(memory.clone()),
            _ => None,
        }
    }

    /// A block named in a message from `from` is to be read: its grants are kept until `settled`.
    pub fn granted(&self, driver: &impl Driver, id: ObjectId, from: Rank) {
        let mut tables = lock(&self.tables);
        *tables.arriving.entry(id).or_default() += 1;
        Self::received(&mut tables, driver, id, from);
    }
}
