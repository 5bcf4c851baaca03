//! Objects as this process sees them: typed values that may not exist yet, arrays, and references to both.
//!
//! Owns: promises and their waiters, `ObjectRef`, `Array`, and how a value is encoded as bytes with attachments. Never:
//! blocks, sends a message, or knows which ranks there are; it calls the [`Links`] that the runtime passes to it.
//!
//! Invariants:
//! - OBJECTS-1: a promise is completed once; its value never changes afterwards.
//! - OBJECTS-2: a waiter registered on a promise is notified exactly once, also if the promise was complete already.
//! - OBJECTS-3: bytes of an array are never copied by encoding or decoding; its memory lives as long as any handle.
//! - OBJECTS-4: an `ObjectRef` in a serialized value keeps its object alive until the serialized value is dropped.
//! - OBJECTS-5: memory of an array never moves while anything but a pin holds it: the data behind a `Ref` and an
//!   `Array` stays in place.

mod array;
mod codec;
mod encoding;
pub(crate) mod form;
mod packed;
mod promise;
mod reference;
mod slot;

pub(crate) use array::ArrayDraft;
pub use array::{Array, ArrayMemory, ArrayMut};
pub use codec::StoreRun;
pub use encoding::{
    Attachment, Links, ReceivedReference, SerializedValue, check, decode, encode, encode_for_peer, encode_list,
};
pub(crate) use encoding::{attach, attached, in_context, refused};
pub use packed::Pin;
pub use promise::{Promise, PromiseCore, Waiter};
pub use reference::{Object, ObjectRef, Ref, Value};
pub(crate) use reference::{complete_encoded, complete_value, encode_carried, encode_promise};
pub use slot::{AnySlot, Slot};
pub(crate) use slot::{offer, slot};
