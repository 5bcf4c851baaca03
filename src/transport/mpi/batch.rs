//! Small messages that share one MPI message: the body of a `Batch`.
//!
//! ```text
//!   | length: 8 | its bytes, then zeros up to a multiple of 8 | length: 8 | ...
//! ```

/// Messages of a batch, at most: a poll delivers all of them.
pub const BATCH_MESSAGES_MAX: usize = 32;

/// Bytes of a message that may share, at most.
pub const SHARED_BYTES_MAX: usize = 1024;

const LENGTH_BYTES: usize = 8;

/// Bytes that a message of `length` takes in a batch.
pub fn entry_bytes(length: usize) -> usize {
    LENGTH_BYTES + length.next_multiple_of(8)
}

/// Bytes of the longest batch.
pub const BATCH_BYTES_MAX: usize = BATCH_MESSAGES_MAX * (LENGTH_BYTES + SHARED_BYTES_MAX);

/// Writes a message of `parts`, `length` bytes in all, to the space that it takes.
pub fn write_entry(space: &mut [u8], length: usize, parts: &[&[u8]]) {
    space[..LENGTH_BYTES].copy_from_slice(&(length as u64).to_le_bytes());
    let mut at = LENGTH_BYTES;
    for part in parts {
        space[at..at + part.len()].copy_from_slice(part);
        at += part.len();
    }
    space[at..].fill(0);
}

/// The first message of a batch and the rest; `None` where it is not whole.
pub fn split_first(batch: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = batch.split_first_chunk::<LENGTH_BYTES>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok().filter(|length| *length <= SHARED_BYTES_MAX)?;
    let (message, rest) = rest.split_at_checked(length.next_multiple_of(8))?;
    Some((&message[..length], rest))
}

/// True if bytes of a peer are a batch: whole messages, no more than a sender puts into one.
pub fn is_batch(mut bytes: &[u8]) -> bool {
    let mut messages = 0;
    while !bytes.is_empty() {
        let Some((_, rest)) = split_first(bytes) else { return false };
        messages += 1;
        bytes = rest;
    }
    (1..=BATCH_MESSAGES_MAX).contains(&messages)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(messages: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for message in messages {
            let mut space = vec![7; entry_bytes(message.len())];
            write_entry(&mut space, message.len(), &[message]);
            bytes.extend(space);
        }
        bytes
    }

    #[test]
    fn messages_come_back_in_order_and_aligned() {
        let sent: [&[u8]; 4] = [b"first", b"", b"12345678", b"the last one"];
        let bytes = batch(&sent);
        assert!(is_batch(&bytes));
        let mut rest = &bytes[..];
        for expected in sent {
            let (message, after) = split_first(rest).expect("whole");
            assert_eq!(message, expected);
            assert!((bytes.len() - rest.len()).is_multiple_of(8));
            rest = after;
        }
        assert!(rest.is_empty());
    }

    #[test]
    fn torn_and_hostile_batches_are_refused() {
        let whole = batch(&[b"first", b"second"]);
        assert!((0..whole.len()).filter(|length| *length != 16).all(|length| !is_batch(&whole[..length])));
        for length in [SHARED_BYTES_MAX as u64 + 1, u64::MAX] {
            let mut hostile = whole.clone();
            hostile[..8].copy_from_slice(&length.to_le_bytes());
            assert!(!is_batch(&hostile));
        }
        let full = [&b"x"[..]; BATCH_MESSAGES_MAX + 1];
        assert!(is_batch(&batch(&full[1..])) && !is_batch(&batch(&full)));
    }
}
