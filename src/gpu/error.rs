//! Why this process sees no GPU.

use serde::{Deserialize, Serialize};

/// Why there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
// A build has the driver, or the reason that it has none.
#[allow(dead_code)]
pub enum GpuError {
    /// The build leaves CUDA out.
    #[error("built without the feature `cuda`")]
    NotBuilt,
    /// There is no driver.
    #[error("libcuda is not installed")]
    NoLibrary,
    /// The driver reports a failure.
    #[error("the CUDA driver does not start: {reason}")]
    Driver { reason: String },
}
