//! How a rank gets this transport, if its build and its host have it.

use super::address::VerbsAddress;
use super::error::VerbsError;
use crate::base::{Rank, Result};
use crate::memory::Region;
use crate::transport::Transport;
use std::sync::Arc;
use std::time::Duration;

/// A channel to peers that works before a queue pair exists, for the few control messages that connect two queue pairs.
pub trait ControlChannel: Send + Sync {
    /// Sends `bytes` to `peer`, which passes them to its transport's `on_control_message`, in order, each once. Does
    /// not block and does not call this transport back, because one of its links is locked during the call. It may drop
    /// what it cannot send: a link that is not connected within the peer time-out fails.
    fn send(&self, peer: Rank, bytes: &[u8]);
}

/// The ranks between which a transport is started.
pub struct VerbsPeers {
    /// This rank.
    pub me: Rank,
    /// By rank; `None` for a rank without a device.
    pub addresses: Vec<Option<VerbsAddress>>,
    /// Leads to all of them.
    pub control: Arc<dyn ControlChannel>,
    /// A link fails if the peer or its device does not answer for so long.
    pub peer_timeout: Duration,
}

/// An open device and the port that this rank uses, before its transport is started.
pub trait OpenPort: Send {
    /// Registers memory that peers may read. Called before the transport starts: a rank that cannot register its memory
    /// has no verbs transport.
    ///
    /// # Errors
    /// What the device or the limits of this process refuse.
    fn register(&mut self, region: &Region) -> Result<(), VerbsError>;

    /// The address that peers need to connect.
    fn address(&self) -> VerbsAddress;

    /// For the banner: the device, its port and its link.
    fn describe(&self) -> String;

    /// Starts the transport. A queue pair is created when a peer is first used.
    ///
    /// # Errors
    /// What the device refused.
    fn start(self: Box<Self>, peers: VerbsPeers) -> Result<Arc<dyn Transport>>;
}

/// Opens the port that `interface` names, else the fastest of those that are nearest to NUMA node `numa`.
///
/// # Errors
/// Why there is none, in one line for the banner: not built, no library, no device, no link, no permission.
#[cfg_attr(not(feature = "verbs"), expect(unused_variables))]
pub fn open(numa: Option<u32>, interface: Option<&str>) -> Result<Box<dyn OpenPort>, VerbsError> {
    #[cfg(feature = "verbs")]
    return Ok(Box::new(super::endpoint::VerbsEndpoint::open(numa, interface)?));
    #[cfg(not(feature = "verbs"))]
    return Err(VerbsError::NotBuilt);
}
