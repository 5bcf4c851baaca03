//! Values on the wire: what is opened on arrival, and what is sealed for the way.

use crate::base::{Error, Rank};
use crate::objects::{Attachment, Parcel};
use crate::protocol::blocks::Pulled;
use crate::protocol::driver::Driver;
use crate::protocol::{Bytes, Protocol, WireParcel, WirePlace};
use std::sync::Arc;

impl Protocol {
    /// A parcel from the wire: its bytes here, its attachments as this process uses them.
    pub(super) fn opened(
        &self,
        driver: &impl Driver,
        wire: &WireParcel<'_>,
        from: Rank,
        pulled: &Pulled,
    ) -> Result<Parcel, Error> {
        let Some(place) = wire.spilled else {
            let attachments = self.references.import(driver, &wire.attachments, from, pulled)?;
            return Ok(Parcel { bytes: wire.bytes.0.to_vec(), attachments });
        };
        let beside = self.references.import(driver, &wire.attachments, from, pulled);
        let memory = self.references.import_memory(driver, place, from, pulled)?;
        self.unfolded(driver, place, memory.bytes(), beside?, (from, pulled))
    }

    /// The parcel in the block of a large value, with what came beside it.
    pub(super) fn unfolded(
        &self,
        driver: &impl Driver,
        place: WirePlace,
        bytes: &[u8],
        beside: Vec<Attachment>,
        (from, pulled): (Rank, &Pulled),
    ) -> Result<Parcel, Error> {
        let lost = |reason: String| Error::ObjectLost { object: place.block.to_string(), reason };
        let inner: WireParcel<'_> = postcard::from_bytes(bytes)
            .map_err(|error| lost(format!("the block of a large value does not decode: {error}")))?;
        if inner.highest_rank() >= self.size || inner.spilled.is_some() {
            return Err(lost(format!("the block of a large value names rank {}", inner.highest_rank())));
        }
        let attachments = match beside.is_empty() {
            true => self.references.import(driver, &inner.attachments, from, pulled)?,
            false => beside,
        };
        Ok(Parcel { bytes: inner.bytes.0.to_vec(), attachments })
    }

    /// A parcel for the wire to `to`: in the message where it takes at most `inline_bytes_max`, else in a block of this
    /// store.
    pub fn sealed<'a>(
        &self,
        driver: &impl Driver,
        parcel: &'a Parcel,
        to: Rank,
        inline_bytes_max: usize,
    ) -> Result<WireParcel<'a>, Error> {
        let attachments = self.references.export(driver, &driver.in_the_store(&parcel.attachments)?, to)?;
        // An attachment takes at most about forty bytes, its label aside.
        let beside_bytes = attachments.len() * 64;
        if parcel.bytes.len() + beside_bytes <= inline_bytes_max {
            return Ok(WireParcel { bytes: Bytes(&parcel.bytes), spilled: None, attachments });
        }
        // What travels beside stays in the message where it has room there: the block can then be left where it lies.
        let (beside, inside) =
            if beside_bytes <= inline_bytes_max { (attachments, Vec::new()) } else { (Vec::new(), attachments) };
        let whole = WireParcel { bytes: Bytes(&parcel.bytes), spilled: None, attachments: inside };
        let bytes = postcard::to_allocvec(&whole).map_err(|error| Error::config(error.to_string()))?;
        let memory = driver.store(&bytes)?;
        let place = self.references.export_memory(driver, &memory, to)?;
        Ok(WireParcel { bytes: Bytes(&[]), spilled: Some(place), attachments: beside })
    }
}

/// The arguments of a task that goes.
pub(super) enum Packed {
    /// Kept here, to start it again.
    Kept(Arc<Parcel>),
    /// Gone once they are sent.
    Sent(Parcel),
}

impl Packed {
    pub(super) fn new(parcel: Parcel, keep: bool) -> Packed {
        if keep { Packed::Kept(Arc::new(parcel)) } else { Packed::Sent(parcel) }
    }

    pub(super) fn parcel(&self) -> &Parcel {
        match self {
            Packed::Kept(parcel) => parcel,
            Packed::Sent(parcel) => parcel,
        }
    }

    pub(super) fn kept(&self) -> Option<Arc<Parcel>> {
        match self {
            Packed::Kept(parcel) => Some(parcel.clone()),
            Packed::Sent(_) => None,
        }
    }
}
