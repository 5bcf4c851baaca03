//! How a rank failed, as far as the rank that suspects it knows.

use serde::{Deserialize, Serialize};

/// The kind of failure of a suspected rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailureKind {
    /// The link between the two ranks broke.
    Link,
    /// A rank of its host saw its process end or stop.
    Process,
    /// It did not respond to a probe in time.
    Timeout,
}
