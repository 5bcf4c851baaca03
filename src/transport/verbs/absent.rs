//! The types of this module in a build without the feature `verbs`: no endpoint opens, so none of them has a value.

use super::{ControlChannel, VerbsAddress, VerbsError};
use crate::base::Rank;
use crate::base::error::Result;
use crate::memory::{Block, Region};
use crate::transport::{Refusal, RemoteAddress, Transport, TransportEvent};
use std::sync::Arc;
use std::time::Duration;

/// Stands in for `VerbsEndpoint`; has no value.
#[derive(Debug)]
pub enum AbsentEndpoint {}

impl AbsentEndpoint {
    /// Fails: this build has no verbs.
    ///
    /// # Errors
    /// Always.
    pub fn open(_numa: Option<u32>, _interface: Option<&str>) -> std::result::Result<AbsentEndpoint, VerbsError> {
        Err(VerbsError::NotBuilt)
    }

    /// Never called.
    ///
    /// # Errors
    /// Never.
    pub fn register(&mut self, _region: &Region) -> std::result::Result<(), VerbsError> {
        match *self {}
    }

    /// Never called.
    pub fn address(&self) -> VerbsAddress {
        match *self {}
    }

    /// Never called.
    pub fn describe(&self) -> String {
        match *self {}
    }
}

/// Stands in for `VerbsTransport`; has no value.
#[derive(Debug)]
pub enum AbsentTransport {}

impl AbsentTransport {
    /// Never called.
    ///
    /// # Errors
    /// Never.
    pub fn start(
        endpoint: AbsentEndpoint,
        _me: Rank,
        _addresses: Vec<Option<VerbsAddress>>,
        _control: Arc<dyn ControlChannel>,
        _peer_timeout: Duration,
    ) -> Result<AbsentTransport> {
        match endpoint {}
    }

    /// Never called.
    pub fn on_control_message(&self, _from: Rank, _bytes: &[u8]) {
        match *self {}
    }
}

impl Transport for AbsentTransport {
    fn name(&self) -> &'static str {
        match *self {}
    }

    fn send(&self, _peer: Rank, _parts: &[&[u8]]) -> std::result::Result<(), Refusal> {
        match *self {}
    }

    fn poll(&self, _deliver: &mut dyn FnMut(TransportEvent<'_>)) -> usize {
        match *self {}
    }

    fn pending(&self) -> bool {
        match *self {}
    }

    fn uses_doorbell(&self) -> bool {
        match *self {}
    }

    fn read(
        &self,
        _peer: Rank,
        _from: RemoteAddress,
        _into: Block,
        _token: u64,
    ) -> std::result::Result<(), (Refusal, Block)> {
        match *self {}
    }
}
