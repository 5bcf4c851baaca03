//! The TCP transport: between any two ranks, everywhere; it survives the loss of hosts.
//!
//! ```text
//!  any thread                 one thread at a time, in `poll`
//!  send --> SendQueue ------------------------------> socket      socket --> FrameBuffer --> deliver
//!           window, frames; written at once where     one a pair             frames, checked
//!           nothing waits, else by the poller         of ranks
//!  read --> SendQueue, Reads (the block waits)        socket --> straight into the block --> ReadDone
//!                                                     arena  --> socket, a piece at a time (serving rank's SendQueue)
//!
//!  first send to a peer --> Dial: its addresses in turn, handshake    --> Welcome --> connected
//!  incoming connection  --> PendingConnection: handshake within 5 s   --> Welcome --> connected
//! ```
//!
//! Every event shows on one descriptor (epoll), on which a rank sleeps: sockets, a wake-up when a send requests a first
//! connection, deadlines. Two ranks share one connection; `acceptor` has the rules by which two ranks that dial each
//! other agree on it. Frames are drawn in `frame`, the handshake in [`handshake`].
//!
//! Owns: sockets and what waits on them. Never: blocks (except for a second when it is dropped), starts a thread,
//! interprets a byte before its sender is authenticated as a rank of the job.
//!
//! Invariants:
//! - TCP-1: before `Welcome` neither end sends a frame, and of the two connections that a pair may make at most one is
//!   welcomed: so frames of one pair are in one stream (TRANSPORT-1).
//! - TCP-2: a rank has at most [`send_queue::WINDOW_BYTES`] of messages to a peer that were not handled there, headers
//!   included; `send` is `Full` where there would be more (TRANSPORT-2). The receiver returns the bytes of handled
//!   messages as credit. Of what a peer sends beyond that, a rank holds one buffer; the rest waits in the system's.
//! - TCP-3: a block that is read into is in `Reads`, or with the receiver of its data; when the read ends or the link
//!   fails, the block is returned or freed, once (TRANSPORT-3).
//! - TCP-4: a failed link stays failed: the peer's later connections are refused (TRANSPORT-4). Everything that arrived
//!   before is delivered first.
//! - TCP-5: at most [`acceptor::PENDING_MAX`] connections are unauthenticated, each for 5 s at most.
//!
//! How a peer's failure is detected: its process ends, and the system closes or resets the connection at once; or its
//! host is down, and acknowledges neither data nor keepalive probes for `peer_timeout`. A cable that is cut for less
//! than that loses nothing: TCP retransmits.
//!
//! Memory, per peer: before the first send, 24 bytes and its address record (some 100 bytes, of two addresses and a
//! short host name), so 1.3 MB for 10,000 peers. A connected idle peer has some 600 bytes here, and the system's
//! socket. While data is in flight: up to a window of frames (256 KiB) that the socket does not take, and a buffer of
//! 128 KiB while a frame has arrived in part, or more frames arrived than one poll handles. Data of reads is never
//! copied here.

mod acceptor;
mod dial;
pub mod frame;
pub mod frame_buffer;
pub mod handshake;
pub mod incoming;
mod interface;
mod listener;
mod peers;
mod poller;
mod reads;
mod receiver;
mod send_queue;
mod socket;
#[cfg(test)]
mod tests;
mod transport;

pub use interface::Addresses;
pub use listener::{Listener, TcpAddress};
pub use socket::{set_backlog, set_peer_timeout};
pub use transport::TcpTransport;
