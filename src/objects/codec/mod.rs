//! How values are written for other ranks and for checkpoints: each with a tag that says what follows.
//!
//! A value may be read by a `Deserialize` that does not ask for what the `Serialize` wrote: a field that was skipped
//! because it was zero, a variant that serde leaves out, an untagged enum. So the bytes say what they are:
//!
//! ```text
//!   message    value, tables, length of the tables (u32), END    or, without structs and enums:     value, END
//!   END        1: there are tables; 2: there are separate runs
//!   value      TAG and what the table in `Tag` says: a number has a fixed width, little-endian
//!   struct     STRUCT, shape (u32), value of each field         a shape is the list of the names of the fields
//!   variant    VARIANT, variant (u32), value                    a variant is its index and its name
//!   tables     the shapes, the variants: each once for a message
//! ```
//! A struct whose field names are those that its `Deserialize` expects is read in order, without a look at the names;
//! any other is read by names, as JSON is. A variant is found by its name.
//!
//! A vector of numbers is a run: its memory, wherever it lies in a value. Other readers get its numbers one by one.
//!
//! A long run, of numbers or of a text's bytes, need not be part of the message: where the caller has a place for it,
//! it is copied there, and becomes an attachment of the value. So it is written once and read once.

mod access;
mod depth;
mod deserializer;
mod error;
mod format;
mod numbers;
mod parts;
mod runs;
mod serializer;
mod shapes;
#[cfg(all(test, not(loom)))]
mod tests;
mod type_of;

pub use deserializer::{from_bytes, has_separate_runs};
pub use error::CodecError;
pub use format::StoreRun;
pub use serializer::to_bytes;
