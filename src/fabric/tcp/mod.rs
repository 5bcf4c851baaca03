//! What a road by TCP uses: the handshake.

mod frame;
pub mod handshake;
mod inbox;
mod interface;

pub use interface::Addresses;
