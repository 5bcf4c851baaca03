//! Messages between ranks, and parcels on their way.

use crate::protocol::{Message, WireParcel};

/// Bytes as a message: what decodes comes back the same when it is written and read again, and names the same ranks.
pub fn message(bytes: &[u8]) {
    let Ok(message) = Message::decode(bytes) else { return wire_parcel(bytes) };
    let written = message.encode(Vec::new());
    match Message::decode(&written) {
        // Numbers may have been written longer than they need be, and NaN is not equal to itself: the bytes tell.
        Ok(again) => {
            assert_eq!(again.encode(Vec::new()), written, "{message:?}");
            assert_eq!(again.highest_rank(), message.highest_rank(), "{message:?}");
            assert_eq!(again.is_about_roads(), message.is_about_roads());
        }
        // A message that came with short numbers is never longer when it is written again.
        Err(error) => panic!("{message:?} is not read again: {error}"),
    }
}

/// Bytes as what a spilled parcel holds.
fn wire_parcel(bytes: &[u8]) {
    if let Ok(parcel) = postcard::from_bytes::<WireParcel<'_>>(bytes) {
        let written = postcard::to_allocvec(&parcel).expect("plain data encodes");
        assert_eq!(postcard::from_bytes::<WireParcel<'_>>(&written), Ok(parcel));
    }
}
