//! Frames of the road over TCP, as they come out of a peer's stream.

use crate::transport::tcp::frame::{Fault, Header, Kind, REQUEST_BYTES, Request};
use crate::transport::tcp::inbox::{Frame, Inbox, Spares};

/// A frame with its data, whatever its kind.
pub type Whole = (Header, Vec<u8>);

/// Bytes as a stream that comes in pieces: the first byte says how long those are. However a stream is cut, the same frames or
/// the same fault come out of it, and each frame is written as it came.
pub fn tcp_frame(bytes: &[u8]) {
    let Some((piece, stream)) = bytes.split_first() else { return };
    let frames = decode(stream, &[usize::from(*piece) + 1]);
    assert_eq!(frames, decode(stream, &[stream.len().max(1)]));
    for (header, body) in frames.iter().flatten() {
        assert_eq!(Header::decode(&header.encode()), Ok(*header));
        if header.kind == Kind::ReadRequest {
            assert_eq!(body.len(), REQUEST_BYTES, "a header of another length is a fault");
            assert_eq!(Request::decode(body).map(|request| request.encode().to_vec()), Ok(body.clone()));
        }
    }
}

/// Frames as they travel.
#[cfg(test)]
pub fn bytes_of(frames: &[Whole]) -> Vec<u8> {
    let mut stream = Vec::new();
    for (header, body) in frames {
        stream.extend(header.encode());
        stream.extend(body);
        stream.resize(stream.len().next_multiple_of(8), 0);
    }
    stream
}

/// Feeds `stream` in pieces of these lengths, repeated, and takes every frame.
pub fn decode(stream: &[u8], pieces: &[usize]) -> Result<Vec<Whole>, Fault> {
    let (mut inbox, mut spares) = (Inbox::default(), Spares::default());
    let (mut frames, mut at): (Vec<Whole>, usize) = (Vec::new(), 0);
    for piece in pieces.iter().cycle() {
        if at == stream.len() {
            break;
        }
        // As one system call fills the block first, and then the buffer.
        let direct = inbox.raw_bytes();
        let room = inbox.room(&mut spares);
        let count = (*piece).min(stream.len() - at).min(direct + room.len());
        let buffered = count.saturating_sub(direct);
        room[..buffered].copy_from_slice(&stream[at + count - buffered..at + count]);
        let raw = inbox.came(count);
        if raw > 0 {
            frames.last_mut().expect("data has a header").1.extend(&stream[at..at + raw]);
        }
        at += count;
        while inbox.raw_bytes() == 0 {
            let Some(Frame { header, body }) = inbox.next()? else { break };
            assert!(body.as_ptr().addr().is_multiple_of(8) || body.is_empty());
            let mut body = body.to_vec();
            if inbox.raw_bytes() > 0 {
                body.resize(inbox.raw_bytes(), 0);
                let taken = inbox.take_raw(&mut body);
                body.truncate(taken);
            }
            frames.push((header, body));
        }
        inbox.rest(&mut spares);
    }
    Ok(frames)
}
