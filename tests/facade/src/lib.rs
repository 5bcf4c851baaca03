//! A facade: its users reach mobula through it alone.
pub use mobula;
