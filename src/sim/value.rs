//! Values of the simulated cluster: real references, real handles, real arrays, through the runtime's own encoding.

use crate::objects::{Array, ArrayMemory, ObjectRef};
use crate::protocol::ActorHandle;
use crate::sim::random::mix;
use crate::sim::script::Load;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A reference of the simulated cluster.
pub type Reference = ObjectRef<SimValue>;

/// What a simulated script holds and passes on.
pub type SimLoad = Load<Reference, ActorHandle>;

/// A value of a simulated task.
#[derive(Clone, Serialize, Deserialize)]
pub struct SimValue {
    number: u64,
    references: Vec<Reference>,
    actors: Vec<ActorHandle>,
    array: Option<Array<u8>>,
    /// How many bytes the array stands for.
    array_bytes: u32,
}

impl SimValue {
    /// The value of a load; `memory` allocates its array, given the bytes and how many they stand for.
    pub fn new(load: SimLoad, memory: impl FnOnce(Vec<u8>, u64) -> Arc<dyn ArrayMemory>) -> SimValue {
        let Load { number, references, actors, array_bytes } = load;
        let bytes = (array_bytes > 0).then(|| pattern(number, array_bytes));
        let array = bytes.and_then(|bytes| {
            let length = bytes.len();
            Array::over(memory(bytes, u64::from(array_bytes)), 0, length)
        });
        SimValue { number, references, actors, array, array_bytes }
    }

    /// Its number, if it holds nothing else.
    pub fn plain_number(&self) -> Option<u64> {
        let is_plain = self.references.is_empty() && self.actors.is_empty() && self.array.is_none();
        is_plain.then_some(self.number)
    }

    /// What a script sees of it.
    ///
    /// # Panics
    /// If the array does not hold what was written: its memory was reused too early.
    pub fn load(&self) -> SimLoad {
        if let Some(array) = &self.array {
            assert!(**array == pattern(self.number, self.array_bytes), "an array holds what was not written into it");
        }
        let (references, actors) = (self.references.clone(), self.actors.clone());
        Load { number: self.number, references, actors, array_bytes: self.array_bytes }
    }
}

/// Bytes of an array that are really there, at most.
const REAL_BYTES_MAX: u32 = 4_096;

/// The contents of the array that goes with a number. A large array is represented by a few bytes.
fn pattern(number: u64, array_bytes: u32) -> Vec<u8> {
    let length = if array_bytes > REAL_BYTES_MAX { 64 } else { array_bytes };
    let chunk = |index: u64| mix(number, index).to_le_bytes();
    (0..u64::from(length.div_ceil(8))).flat_map(chunk).take(length as usize).collect()
}
