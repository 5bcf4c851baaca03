//! Actors, by the side of the conversation.
//!
//! ```text
//!   caller                          instance                         owner
//!   has a handle, sends calls       runs the actor, one call at      created the actor, decides where it runs,
//!   to its location                 a time                           saves its state, restarts it
//!      | ------------ call -----------> |                               |
//!      | <---------- results ---------- | ---------- commit ----------> |
//!      | ------------------------ LocationRequest --------------------> |
//! ```
//! One rank may be all three.

pub mod caller;
pub mod instance;
pub mod owner;
pub mod part;
pub mod retained_values;

pub use part::Actors;
