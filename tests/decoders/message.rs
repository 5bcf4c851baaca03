//! Messages between ranks, and serialized values on the wire.

use crate::protocol::{Message, WireValue};

/// Takes bytes as a message. A message that decodes is equal after it is encoded and decoded again, and names the same
/// ranks.
pub fn message(bytes: &[u8]) {
    let Ok(message) = Message::decode(bytes) else { return wire_value(bytes) };
    let written = message.encode(Vec::new());
    match Message::decode(&written) {
        // Numbers may have been written longer than necessary, and NaN is not equal to itself: so the bytes are
        // compared.
        Ok(again) => {
            assert_eq!(again.encode(Vec::new()), written, "{message:?}");
            assert_eq!(again.highest_rank(), message.highest_rank(), "{message:?}");
            assert_eq!(again.is_link_control(), message.is_link_control());
        }
        // A re-encoded message is never longer than the received one.
        Err(error) => panic!("{message:?} is not read again: {error}"),
    }
}

/// Takes bytes as the content of a spilled value.
fn wire_value(bytes: &[u8]) {
    if let Ok(value) = postcard::from_bytes::<WireValue<'_>>(bytes) {
        let written = postcard::to_allocvec(&value).expect("plain data encodes");
        assert_eq!(postcard::from_bytes::<WireValue<'_>>(&written), Ok(value));
    }
}
