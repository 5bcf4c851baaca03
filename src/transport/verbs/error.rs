//! What can fail in this module, and how it becomes an error of the user's.

use super::choice::LinkLayer;
use crate::base::{Error, Rank};
use std::io;
use std::time::Duration;

/// A failure of this host's devices, of the limits of this process, or of a link.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerbsError {
    // The host.
    #[error("built without the feature `verbs`")]
    NotBuilt,
    #[error("libibverbs is not installed")]
    NoLibrary,
    #[error("no RDMA device")]
    NoDevice,
    #[error("no permission to use the RDMA devices")]
    NoPermission,
    #[error("ibv_get_device_list failed: {0}")]
    DeviceList(#[source] io::Error),
    #[cfg(test)]
    #[error("there is no RDMA device {0}")]
    UnknownDevice(String),
    #[error("no link is up: {}", ports.join(", "))]
    NoLinkUp { ports: Vec<String> },

    // A device.
    #[error("{device} is not among the devices of libibverbs: is its provider installed?")]
    NoProvider { device: String },
    #[error("{device} port {port} has no address: is its network up?")]
    PortWithoutAddress { device: String, port: u8 },
    /// A call of libibverbs failed.
    #[error("{device} {fault}: {source}")]
    Device { device: String, fault: String, source: io::Error },
    #[error("the device cannot be polled for completions")]
    Poll,
    #[error("no descriptor to sleep on: {0}")]
    NoWaker(#[source] io::Error),
    #[error("the system gives no random number: {0}")]
    NoRandomNumber(getrandom::Error),

    // Memory.
    #[error("no memory to pin the store of {bytes} bytes: lower MOBULA_STORE_BYTES")]
    StoreNotPopulated { bytes: u64 },
    #[error(
        "{device} cannot pin {bytes} bytes {}: {source}{}",
        of.text(),
        pin_advice(source, *bytes, *locked_bytes_max)
    )]
    Pin { device: String, bytes: u64, of: PinnedMemory, locked_bytes_max: Option<u64>, source: io::Error },
    #[error(
        "{device} cannot reach the memory of GPU {gpu}: {source}; it needs dmabuf (Linux 5.12, an open GPU driver) or \
         the module nvidia_peermem"
    )]
    GpuMemory { device: String, gpu: u32, source: io::Error },
    #[error(transparent)]
    Segment(#[from] Error),
    #[error(transparent)]
    EncodeKeys(#[from] postcard::Error),

    // Links.
    #[error("rank {peer} has no RDMA device")]
    PeerWithoutDevice { peer: Rank },
    #[error("{device} is on {link_layer:?} and the peer's {peer_device} on {peer_link_layer:?}")]
    DifferentNetworks { device: String, link_layer: LinkLayer, peer_device: String, peer_link_layer: LinkLayer },
    #[error("the peer's {device} {fault}")]
    UnusablePeer { device: String, fault: &'static str },
    #[error("all {links} links of this rank over {device} are taken")]
    LinksTaken { links: u32, device: String },
    #[error("it did not answer for {waited:?} while a queue pair of {device} was being connected")]
    NoAnswer { waited: Duration, device: String },
    #[error("{device} delivered nothing to it for {waited:?}")]
    NothingDelivered { waited: Duration, device: String },
    #[error("{device}: {status}")]
    WorkFailed { device: String, status: String },
    #[error("a read leaves the region that it was checked against")]
    ReadLeavesRegion,

    // Messages of a peer.
    #[error("rank {peer} closed the link: {reason}")]
    ClosedByPeer { peer: Rank, reason: String },
    #[error("rank {peer} {fault}")]
    Protocol { peer: Rank, fault: String },
}

/// What the memory that could not be pinned was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinnedMemory {
    Store,
    Messages,
}

impl PinnedMemory {
    fn text(self) -> &'static str {
        match self {
            PinnedMemory::Store => "of the store",
            PinnedMemory::Messages => "for messages",
        }
    }
}

/// What the user can do about memory that could not be pinned; mostly the limit on locked memory is too low.
fn pin_advice(error: &io::Error, bytes: u64, locked_bytes_max: Option<u64>) -> String {
    match (error.raw_os_error(), locked_bytes_max) {
        (Some(libc::ENOMEM | libc::EAGAIN | libc::EPERM), Some(limit)) => format!(
            ". RLIMIT_MEMLOCK is {limit} bytes: raise it (ulimit -l unlimited; LimitMEMLOCK=infinity for slurmd, and \
             PropagateResourceLimitsExcept=MEMLOCK in slurm.conf)"
        ),
        (Some(libc::ENOMEM), None) => format!(". Lower MOBULA_STORE_BYTES ({bytes} bytes were requested)"),
        _ => String::new(),
    }
}

impl From<VerbsError> for Error {
    fn from(error: VerbsError) -> Error {
        Error::fabric_from(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;

    #[test]
    fn failure_to_pin_memory_names_the_limit_and_what_raises_it() {
        let error = |limit| VerbsError::Pin {
            device: "mlx5_0".to_string(),
            bytes: 4096,
            of: PinnedMemory::Store,
            locked_bytes_max: limit,
            source: io::Error::from_raw_os_error(libc::ENOMEM),
        };
        let text = error(Some(65536)).to_string();
        assert!(text.starts_with("mlx5_0 cannot pin 4096 bytes of the store: "), "{text}");
        assert!(text.contains(". RLIMIT_MEMLOCK is 65536 bytes: raise it (ulimit -l unlimited;"), "{text}");
        assert!(error(None).to_string().ends_with(". Lower MOBULA_STORE_BYTES (4096 bytes were requested)"));
        let whole = Error::from(error(None));
        assert!(matches!(whole, Error::Fabric { .. }) && whole.source().is_some(), "{whole:?}");
    }
}
