//! What ranks say to each other: the messages, and how they are written and checked.
//!
//! Owns: the wire form of every message and of what travels in it. Never: sends one, or acts on one.
//!
//! Invariants:
//! - P1: bytes from a peer become a `Message` only through `Message::decode`, which refuses what is not one.
//! - P2: what a message names (ranks, objects, functions) is looked up before it is used; a miss is an error to its
//!   sender or a line in the log, never a panic.

mod message;

pub use message::{Bytes, Message, Question, Run, WireAttachment, WireOptions, WireParcel, WirePlace};
