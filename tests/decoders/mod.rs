//! Bytes from peers, given to the decoders that read them: for fuzzers, for property tests, and for the fuzzers'
//! corpus.
//!
//! Part of the library under `cfg(test)` and `cfg(fuzzing)`, because the decoders are private. Each target takes any
//! bytes: it returns, or panics if a decoder violated its contract. The fuzzers are in `tests/fuzz`; the inputs worth
//! keeping are in
//! `tests/fuzz/corpus`, in one folder for each target.

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod frame_generators;
#[cfg(test)]
mod generators;
mod handshake;
mod message;
#[cfg(test)]
mod properties;
mod rendezvous_frame;
mod serialized_value;
mod tcp_frame;
#[cfg(test)]
mod value_generators;

pub use handshake::handshake;
pub use message::message;
pub use rendezvous_frame::rendezvous_frame;
pub use serialized_value::serialized_value;
pub use tcp_frame::tcp_frame;

/// A target and its name.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 5] = [
    ("handshake", handshake),
    ("message", message),
    ("rendezvous_frame", rendezvous_frame),
    ("serialized_value", serialized_value),
    ("tcp_frame", tcp_frame),
];
