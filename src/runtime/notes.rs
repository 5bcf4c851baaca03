//! What is known of the blocks of this rank's store that are worth a word: who made them, and on whose account they go.

use crate::base::sync::{AtomicU64, Ordering, lock};
use crate::base::{Error, Result};
use crate::registry::{Header, Options};
use crate::runtime::Runtime;
use crate::runtime::context;
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex};

/// Blocks from this size on are noted: below, a note would cost more than the bytes.
const NOTED_BYTES_MIN: usize = 64 << 10;

/// Who made which block, by where it begins in the store.
#[derive(Default)]
pub struct Notes(Mutex<FxHashMap<u64, Maker>>);

/// Who made a block.
#[derive(Clone, Copy)]
pub struct Maker {
    /// The task's function, or that it was a driver.
    pub name: &'static str,
    /// The block's length.
    pub bytes: u64,
}

impl Notes {
    /// All of them.
    pub fn all(&self) -> Vec<(u64, Maker)> {
        lock(&self.0).iter().map(|(offset, maker)| (*offset, *maker)).collect()
    }
}

/// The note of one block; crossed out with it.
pub struct Note {
    runtime: &'static Runtime,
    offset: u64,
}

impl Note {
    /// Of a block at `offset`, which the calling task made; none where it is small.
    pub fn of(runtime: &'static Runtime, offset: u64, bytes: usize) -> Option<Note> {
        if bytes < NOTED_BYTES_MIN {
            return None;
        }
        let name = context::function().unwrap_or("a driver");
        lock(&runtime.notes.0).insert(offset, Maker { name, bytes: bytes as u64 });
        Some(Note { runtime, offset })
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        lock(&self.runtime.notes.0).remove(&self.offset);
    }
}

/// What a task, or an actor, may have in the store at once of what it makes.
pub struct Account {
    name: String,
    limit_bytes: u64,
    used_bytes: AtomicU64,
}

impl Account {
    /// Of a task that asked for memory; `None` where it did not.
    #[inline]
    pub fn of(header: &Header) -> Option<Arc<Account>> {
        let options = header.options.as_ref()?;
        Account::new(options, header.name())
    }

    /// Of what `options` ask for, on behalf of `name`.
    pub fn new(options: &Options, name: &str) -> Option<Arc<Account>> {
        let limit_bytes = options.memory_bytes()?;
        Some(Arc::new(Account { name: name.to_string(), limit_bytes, used_bytes: AtomicU64::new(0) }))
    }

    /// Takes room on the account, until the charge is dropped.
    ///
    /// # Errors
    /// `MemoryLimit` where it is more than what is left.
    fn charge(self: Arc<Account>, bytes: u64) -> Result<Charge> {
        let more = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= self.limit_bytes);
        match self.used_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more) {
            Ok(_) => Ok(Charge { account: self, bytes }),
            Err(used_bytes) => Err(Error::MemoryLimit {
                task: self.name.clone(),
                limit_bytes: self.limit_bytes,
                used_bytes,
                wanted_bytes: bytes,
            }),
        }
    }
}

/// Room that a block takes on an account.
pub struct Charge {
    account: Arc<Account>,
    bytes: u64,
}

impl Charge {
    /// Room for `bytes` on the account of the calling task, where it has one.
    ///
    /// # Errors
    /// `MemoryLimit`.
    pub fn for_caller(bytes: usize) -> Result<Option<Charge>> {
        context::account().map(|account| account.charge(bytes as u64)).transpose()
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.account.used_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_its_room_back_with_each_charge() {
        let account = Arc::new(Account { name: "greedy".to_string(), limit_bytes: 100, used_bytes: AtomicU64::new(0) });
        let most = account.clone().charge(90).unwrap();
        let error = account.clone().charge(11).err().unwrap().to_string();
        assert!(
            error.contains("greedy") && error.contains("100") && error.contains("90") && error.contains("11"),
            "{error}"
        );
        assert!(account.clone().charge(u64::MAX).is_err());
        let rest = account.clone().charge(10).unwrap();
        drop((most, rest));
        assert!(account.charge(100).is_ok());
    }
}
