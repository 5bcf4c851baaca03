//! Blocks that other ranks read, and blocks of other ranks that are read here.

use super::{ExportPin, Imported, References, Tables, send_counts};
use crate::base::{ObjectId, Rank};
use crate::objects::ArrayMemory;
use crate::protocol::BlockAddress;
use crate::protocol::environment::{Environment, Messenger};
use crate::protocol::locks::lock;
use crate::protocol::objects::fetch::unfetched::UnfetchedBlock;
use std::sync::Arc;

impl References {
    /// This rank's block of that number, if another rank holds it.
    pub fn own_memory(&self, number: u64) -> Option<Arc<dyn ArrayMemory>> {
        match lock(&self.tables).exported.get(&number) {
            Some(ExportPin::Memory(memory)) => Some(memory.clone()),
            _ => None,
        }
    }

    /// A block named in a message from `from` is going to be read: retains its grants until `on_decoded`.
    pub fn retain_grants(&self, env: &impl Messenger, id: ObjectId, from: Rank) {
        let mut tables = lock(&self.tables);
        *tables.arriving.entry(id).or_default() += 1;
        let borrow = tables.counts.received(id, from);
        drop(tables);
        send_counts(env, borrow);
    }

    /// A block named in a message from `from` that is not fetched.
    pub fn import_unfetched(&self, env: &impl Environment, address: BlockAddress, from: Rank) -> Arc<UnfetchedBlock> {
        let (borrow, block) = {
            let mut tables = lock(&self.tables);
            (tables.counts.received(address.block, from), tables.represent_unfetched(env, address))
        };
        send_counts(env, borrow);
        block
    }
}

impl Tables {
    /// What represents a received block that is not fetched.
    fn represent_unfetched(&mut self, env: &impl Environment, address: BlockAddress) -> Arc<UnfetchedBlock> {
        if let Some((_, Imported::Unfetched(block))) = self.imported.get(&address.block)
            && let Some(block) = block.upgrade()
        {
            return block;
        }
        let block = Arc::new(UnfetchedBlock::new(address, env.links()));
        self.imported.insert(address.block, (Arc::as_ptr(&block).addr(), Imported::Unfetched(Arc::downgrade(&block))));
        block
    }
}
