//! The road over TCP: between any two ranks, everywhere; the one that outlives lost hosts.
//!
//! ```text
//!  any thread                 one thread at a time, in `poll`
//!  send --> Outbox ---------------------------------> socket      socket --> Inbox --> deliver
//!           window, frames; written at once where     one a pair             frames, checked
//!           nothing waits, else by the poller         of ranks
//!  read --> Outbox, Reads (the block waits)           socket --> straight into the block --> ReadDone
//!                                                     arena  --> socket, a piece at a time (Outbox of the rank asked)
//!
//!  first send to a peer --> Dial: its addresses in turn, handshake --> Welcome --> connected
//!  a connection comes   --> Guest: handshake within 5 s            --> Welcome --> connected
//! ```
//!
//! Everything that can happen shows on one descriptor (epoll), which is what a rank sleeps on: sockets, a nudge when a send
//! wants a first connection, deadlines. Between two ranks there is one connection; `doors` has the rules by which
//! two that call each other agree on it. Frames are drawn in `frame`, the handshake in [`handshake`].
//!
//! Owns: sockets and what waits on them. Never: waits (but for a second when it is dropped), starts a thread, interprets a
//! byte before its sender has proven that it is a rank of the job.
//!
//! Invariants:
//! - T1: before `Welcome` nobody sends a frame, and of the two connections that a pair may make at most one is welcomed:
//!   so frames of one pair are in one stream (F1).
//! - T2: a peer's messages that were not handled here take at most [`outbox::WINDOW_BYTES`], headers included; what is
//!   handled is given back. A peer that takes more is lost, and `send` is `Full` before it comes to that (F2).
//! - T3: a block that is read into is in `Reads`, or with the receiver of its data; when the read is over or the peer is
//!   lost it is handed back or freed, once (F3).
//! - T4: a lost peer stays lost: its later connections are refused (F4). Everything that came before is delivered first.
//! - T5: at most [`doors::GUESTS_MAX`] connections have proven nothing, each for 5 s at most.
//!
//! How a peer's death shows: its process ends, and the system closes or resets the connection, at once; its host is gone,
//! and it does not acknowledge what was sent or the questions of keepalive for the time of `silence`. A cable that is cut
//! for less than that loses nothing: TCP sends again.
//!
//! Memory, per peer: while nothing was said, 24 bytes and its card (some 100 bytes, of two addresses and a short host name),
//! so 1.3 MB for 10,000 peers. A connected peer that is silent has some 600 bytes here, and the system's socket. While
//! something is on the way: up to a window of frames (256 KiB) that the socket does not take, and a buffer of 128 KiB
//! while a frame has come in part, or more frames came than one poll handles. Data of reads is never copied here.

mod dial;
mod doors;
pub mod frame;
mod guest;
pub mod handshake;
pub mod inbox;
mod incoming;
mod interface;
mod listener;
mod outbox;
mod peers;
mod poller;
mod reads;
mod road;
mod socket;
#[cfg(test)]
mod tests;
mod watch;

pub use interface::Addresses;
pub use listener::{Listener, TcpCard};
pub use road::TcpFabric;
pub use socket::notice_silence;
