//! Frames of the TCP transport, as they come out of a peer's stream.

use crate::transport::tcp::frame::{FrameError, FrameHeader, FrameKind, REQUEST_BYTES, ReadRange};
use crate::transport::tcp::frame_buffer::{Frame, FrameBuffer, FreeBuffers};

/// A frame of any kind with its data.
pub type CompleteFrame = (FrameHeader, Vec<u8>);

/// Takes bytes as a stream that arrives in pieces; the first byte gives their length. However a stream is cut, the
/// decoder yields the same frames or the same fault, and each header is encoded to the bytes it was decoded from.
pub fn tcp_frame(bytes: &[u8]) {
    let Some((piece, stream)) = bytes.split_first() else { return };
    let frames = decode(stream, &[usize::from(*piece) + 1]);
    assert_eq!(frames, decode(stream, &[stream.len().max(1)]));
    for (header, body) in frames.iter().flatten() {
        assert_eq!(FrameHeader::decode(&header.encode()), Ok(*header));
        if header.kind == FrameKind::ReadRequest {
            assert_eq!(body.len(), REQUEST_BYTES, "a header of another length is a fault");
            assert_eq!(ReadRange::decode(body).map(|request| request.encode().to_vec()), Ok(body.clone()));
        }
    }
}

/// Frames as they are sent.
#[cfg(test)]
pub fn bytes_of(frames: &[CompleteFrame]) -> Vec<u8> {
    let mut stream = Vec::new();
    for (header, body) in frames {
        stream.extend(header.encode());
        stream.extend(body);
        stream.resize(stream.len().next_multiple_of(8), 0);
    }
    stream
}

/// Feeds `stream` in pieces of these lengths, cyclically, and returns every frame.
pub fn decode(stream: &[u8], pieces: &[usize]) -> Result<Vec<CompleteFrame>, FrameError> {
    let (mut buffer, mut free_buffers) = (FrameBuffer::default(), FreeBuffers::default());
    let (mut frames, mut position): (Vec<CompleteFrame>, usize) = (Vec::new(), 0);
    for piece in pieces.iter().cycle() {
        if position == stream.len() {
            break;
        }
        // In the order in which one system call fills the two: first the block, then the buffer.
        let direct = buffer.raw_bytes();
        let space = buffer.space(&mut free_buffers);
        let count = (*piece).min(stream.len() - position).min(direct + space.len());
        let buffered = count.saturating_sub(direct);
        space[..buffered].copy_from_slice(&stream[position + count - buffered..position + count]);
        let raw = buffer.on_received(count);
        if raw > 0 {
            frames.last_mut().expect("data has a header").1.extend(&stream[position..position + raw]);
        }
        position += count;
        while buffer.raw_bytes() == 0 {
            let Some(Frame { header, body }) = buffer.next()? else { break };
            assert!(body.as_ptr().addr().is_multiple_of(8) || body.is_empty());
            let mut body = body.to_vec();
            if buffer.raw_bytes() > 0 {
                body.resize(buffer.raw_bytes(), 0);
                let taken = buffer.take_raw(&mut body);
                body.truncate(taken);
            }
            frames.push((header, body));
        }
        buffer.release_if_empty(&mut free_buffers);
    }
    Ok(frames)
}
