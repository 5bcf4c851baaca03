//! Why the cores of this host are not known, or a thread is not pinned to some of them.

use crate::base::Error;
use std::io;
use std::sync::Arc;

/// A failure of hwloc or of the kernel.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
// Each build has one of the two discoverers, and tests have both.
#[allow(dead_code)]
pub enum TopologyError {
    /// hwloc reported a failure.
    #[error("{0}")]
    Hwloc(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// A description of a host cannot be used.
    #[error("{path}: {source}")]
    Description { path: String, source: Arc<dyn std::error::Error + Send + Sync> },
    /// Pinning by the topology of another host would do nothing.
    #[error("hwloc was told to describe another host (HWLOC_XMLFILE or HWLOC_SYNTHETIC is set)")]
    OtherHost,
    /// The CPUs are outside the affinity of the job, or there are none.
    #[error("the job may not use them")]
    NotAllowed,
    /// The number is above every CPU that the kernel can have.
    #[error("there is no CPU {cpu}")]
    NoCpu { cpu: u32 },
    /// The kernel refused to pin the thread.
    #[error("{0}")]
    SetAffinity(#[source] Arc<io::Error>),
    /// There is no `/proc/meminfo`.
    #[error("/proc/meminfo: {0}")]
    Meminfo(#[source] Arc<io::Error>),
    /// `/proc/meminfo` has another form.
    #[error("/proc/meminfo has no MemTotal")]
    NoMemTotal,
}

impl TopologyError {
    /// A failure that a function of hwloc returned.
    #[cfg(feature = "hwloc")]
    pub(super) fn hwloc(error: impl std::error::Error + Send + Sync + 'static) -> TopologyError {
        TopologyError::Hwloc(Arc::new(error))
    }
}

impl From<TopologyError> for Error {
    fn from(error: TopologyError) -> Error {
        Error::config_from(&error)
    }
}
