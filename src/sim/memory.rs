//! Memory of simulated arrays.

use crate::object::ArrayMemory;
use std::any::Any;

/// A sealed block of a simulated store.
pub struct SimMemory {
    bytes: Box<[u8]>,
}

impl SimMemory {
    /// That holds these bytes.
    pub fn new(bytes: Vec<u8>) -> SimMemory {
        SimMemory { bytes: bytes.into() }
    }
}

impl ArrayMemory for SimMemory {
    fn bytes(&self) -> &[u8] {
        &self.bytes
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}
