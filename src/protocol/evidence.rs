//! What a rank knows that suspects another one.

use serde::{Deserialize, Serialize};

/// How a rank was found to be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Evidence {
    /// The road between the two broke.
    Road,
    /// Its process was seen to have ended, or to stand still, by a rank of its host.
    Process,
    /// It says nothing, though it was asked.
    Silence,
}
