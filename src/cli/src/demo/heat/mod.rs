//! The heat equation in two dimensions: actors that each hold a part of the plate and exchange its edges.
//!
//! ```text
//!      block 0   | step(above, below) -> its edges |
//!                      ^ bottom of 0 ... top of 1 v
//!      block 1   | step(above, below) -> its edges |
//! ```
//!
//! The driver passes references to edges from one actor's call to another's; the edges themselves go from store to
//! store. A cell's new value is computed by the same expression in every block, so that any number of blocks gives the
//! same bits.
//!
//! Owns: the plate's rule, the blocks, the picture. Never: the order of calls beyond the dependences of the references.

mod block;
mod command;
mod grid;
mod picture;

pub use command::{Options, run};
