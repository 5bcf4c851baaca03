//! The same in a build without the feature: nothing opens, and what cannot be made has no values.

use super::{SideRoad, VerbsCard};
use crate::base::Rank;
use crate::base::error::Result;
use crate::memory::{Block, Region};
use crate::transport::{Event, Fabric, Place, Refusal};
use std::sync::Arc;
use std::time::Duration;

/// There is none.
#[derive(Debug)]
pub enum VerbsEndpoint {}

impl VerbsEndpoint {
    /// Says so.
    ///
    /// # Errors
    /// Always.
    pub fn open(_numa: Option<u32>, _interface: Option<&str>) -> std::result::Result<VerbsEndpoint, String> {
        Err(super::probe::probe().err().unwrap_or_default())
    }

    /// Never called.
    ///
    /// # Errors
    /// Never.
    pub fn register(&mut self, _region: &Region) -> std::result::Result<(), String> {
        match *self {}
    }

    /// Never called.
    pub fn card(&self) -> VerbsCard {
        match *self {}
    }

    /// Never called.
    pub fn describe(&self) -> String {
        match *self {}
    }
}

/// There is none.
#[derive(Debug)]
pub enum VerbsFabric {}

impl VerbsFabric {
    /// Never called.
    ///
    /// # Errors
    /// Never.
    pub fn start(
        endpoint: VerbsEndpoint,
        _me: Rank,
        _cards: Vec<Option<VerbsCard>>,
        _side: Arc<dyn SideRoad>,
        _silence: Duration,
    ) -> Result<VerbsFabric> {
        match endpoint {}
    }

    /// Never called.
    pub fn side_message(&self, _from: Rank, _bytes: &[u8]) {
        match *self {}
    }
}

impl Fabric for VerbsFabric {
    fn name(&self) -> &'static str {
        match *self {}
    }

    fn send(&self, _peer: Rank, _parts: &[&[u8]]) -> std::result::Result<(), Refusal> {
        match *self {}
    }

    fn poll(&self, _deliver: &mut dyn FnMut(Event<'_>)) -> usize {
        match *self {}
    }

    fn pending(&self) -> bool {
        match *self {}
    }

    fn rings(&self) -> bool {
        match *self {}
    }

    fn read(&self, _peer: Rank, _from: Place, _into: Block, _token: u64) -> std::result::Result<(), (Refusal, Block)> {
        match *self {}
    }
}
