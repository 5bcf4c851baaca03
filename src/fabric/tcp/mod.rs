//! What a road by TCP uses: the handshake.

mod frame;
pub mod handshake;
mod inbox;
mod interface;
mod outbox;
mod reads;

pub use interface::Addresses;
