//! The C interface: what `include/mobula.h` declares, and documents.
//!
//! Every function that C calls is one of `extern "C"` here, by the file of its section in the header: `start`,
//! `objects`, `tasks`, `call` (inside of a task), `actors`. Each runs in [`status::guard`], which lets no panic out and
//! keeps the failure for `mobula_last_error`.
//!
//! A program in Rust that has parts in C depends on this crate, whose functions those parts call: see
//! [`reference_for_c`], and "With Rust" in `docs/guide/c.md`.
//!
//! Pointers from C are checked for NULL, and beyond that are what the header asks for: that is the contract which every
//! `// SAFETY:` of this crate relies on ("the header's contract").

mod actors;
mod call;
mod cluster;
mod communicator;
mod given;
mod layout;
mod objects;
mod options;
mod pointers;
mod reference;
mod start;
mod status;
mod tasks;

pub use reference::{CReference, reference_for_c, reference_from_c};
