//! What peers send, given to what reads it: for fuzzers, for property tests, and for the corpus that fuzzers left.
//!
//! Part of the library under `cfg(test)` and `cfg(fuzzing)`, since the decoders are its own. Each target takes any bytes: it
//! returns, or panics where a decoder broke its word. The fuzzers are in `tests/fuzz`, what they found worth keeping is in
//! `tests/fuzz/corpus`, a folder a target.

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod generators;
mod handshake;
mod message;
mod parcel;
#[cfg(test)]
mod properties;
mod rendezvous_frame;
mod tcp_frame;

pub use handshake::handshake;
pub use message::message;
pub use parcel::parcel;
pub use rendezvous_frame::rendezvous_frame;
pub use tcp_frame::tcp_frame;

/// A target and its name.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 5] = [
    ("handshake", handshake),
    ("message", message),
    ("parcel", parcel),
    ("rendezvous_frame", rendezvous_frame),
    ("tcp_frame", tcp_frame),
];
