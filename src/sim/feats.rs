//! What occurred in a run: a generator that stops drawing something is noticed by who counts these over many seeds.

use crate::base::sync::{AtomicU64, Ordering};
use std::collections::BTreeMap;

macro_rules! feats {
    ($($(#[$doc:meta])* $feat:ident = $name:literal,)+) => {
        /// Something that occurred.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Feat { $($(#[$doc])* $feat,)+ }

        const NAMES: &[&str] = &[$($name,)+];
    };
}

feats! {
    /// Idle copies that a keeper kept left a full store.
    CopiesEvicted = "kept copies evicted",
    /// A copy that packed values need, and nobody reads, left a full store.
    CopiesLeft = "needed copies left",
    /// A copy that had left was fetched again for a reader.
    CopiesFetchedAgain = "copies fetched again",
    /// An original went to disk.
    Spilled = "originals spilled",
    /// A rank let go of blocks of another rank's store.
    ShedForOthers = "blocks shed for others",
    /// A block was to be brought and had no room.
    StoreFull = "blocks without room",
}

/// How often each occurred.
#[derive(Default)]
pub struct Feats([AtomicU64; NAMES.len()]);

impl Feats {
    /// It occurred.
    pub fn saw(&self, feat: Feat) {
        self.0[feat as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How often each occurred, by name; also those that never did.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        NAMES.iter().zip(&self.0).map(|(name, count)| (*name, count.load(Ordering::Relaxed))).collect()
    }
}
