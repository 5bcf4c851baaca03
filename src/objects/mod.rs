//! Objects as this process sees them: typed values that may not be there yet, arrays, and references to both.
//!
//! Owns: cells, who waits for them, `ObjectRef`, `Array`, and how a value becomes bytes with what travels beside them.
//! Never: blocks, sends a message, or knows which ranks there are; it calls the [`Links`] that the node gives it.
//!
//! Invariants:
//! - O1: a cell is completed once; its value never changes afterwards.
//! - O2: a waiter registered on a cell is told exactly once, also when the cell was complete already.
//! - O3: bytes of an array are never copied by encoding or decoding; its memory lives as long as any handle.
//! - O4: an `ObjectRef` encoded in a parcel keeps its object alive until the parcel is dropped.
//! - O5: memory of an array that anything but a keeper holds never moves: a `Ref` and an `Array` stay where they are.

mod array;
mod cell;
pub(crate) mod numbers;
mod packed;
mod parcel;
mod reference;

pub(crate) use array::Draft;
pub use array::{Array, ArrayMemory, ArrayMut};
pub use cell::{Cell, Core, Waiter};
pub use packed::Keeper;
pub use parcel::{Arrival, Attachment, Links, Parcel, decode, decode_list, encode, encode_list};
pub(crate) use parcel::{attach, attached, in_context, panic_text};
pub use reference::{AnySlot, Object, ObjectRef, Ref, Slot, Value};
pub(crate) use reference::{complete_cell, complete_value, encode_cell, offer};
