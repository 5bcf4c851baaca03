//! The road over TCP, between any two ranks, and what else connects by TCP uses: the handshake.

pub mod handshake;
