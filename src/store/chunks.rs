//! A large read in chunks, several in flight, from one holder or several: which chunk is read from which source next.
//!
//! Each chunk is read from the source with the fewest chunks in flight, so that each source serves as much as it is
//! fast. A source that fails twice on the same chunk is not used again, and its chunks are read from the others.

use std::collections::VecDeque;

/// Bytes of a chunk.
pub const CHUNK_BYTES: usize = 8 << 20;

/// Chunks in flight from one source: enough that it never waits for the next request.
const IN_FLIGHT_MAX: u32 = 4;

/// One holder of the bytes.
#[derive(Clone, Debug, Default)]
struct ChunkSource {
    in_flight: u32,
    failed: bool,
}

/// The state of one read.
#[derive(Debug)]
pub struct Chunks {
    waiting: VecDeque<u32>,
    /// By chunk: how often it failed at the source that was last used for it.
    failures: Vec<u8>,
    sources: Vec<ChunkSource>,
    left: u32,
}

impl Chunks {
    /// A read of `bytes`, from this many sources.
    pub fn new(bytes: usize, sources: usize) -> Chunks {
        // An empty block is read once too: its source says if it exists.
        let count = bytes.div_ceil(CHUNK_BYTES).max(1) as u32;
        Chunks {
            waiting: (0..count).collect(),
            failures: vec![0; count as usize],
            sources: vec![ChunkSource::default(); sources],
            left: count,
        }
    }

    /// The next chunk to be read, and the index of the source to read it from; both count as in flight.
    pub fn next(&mut self) -> Option<(u32, usize)> {
        let chunk = *self.waiting.front()?;
        let sources = self.sources.iter().enumerate();
        let able = sources.filter(|(_, source)| !source.failed && source.in_flight < IN_FLIGHT_MAX);
        let (source, _) = able.min_by_key(|(_, source)| source.in_flight)?;
        self.waiting.pop_front();
        self.sources[source].in_flight += 1;
        Some((chunk, source))
    }

    /// The transport has no capacity now: the chunk waits again.
    pub fn put_back(&mut self, chunk: u32, source: usize) {
        self.sources[source].in_flight -= 1;
        self.waiting.push_front(chunk);
    }

    /// A chunk has arrived.
    pub fn on_done(&mut self, source: usize) {
        self.sources[source].in_flight -= 1;
        self.left -= 1;
    }

    /// A chunk could not be read from a source. If there is `another_transport` to it, the first failure is ignored.
    pub fn on_failed(&mut self, chunk: u32, source: usize, another_transport: bool) {
        self.sources[source].in_flight -= 1;
        let failures = &mut self.failures[chunk as usize];
        *failures += 1;
        if !another_transport || *failures > 1 {
            self.sources[source].failed = true;
            *failures = 0;
        }
        self.waiting.push_back(chunk);
    }

    /// The bytes read so far are lost: every chunk waits again. None is in flight.
    pub fn restart(&mut self) {
        let count = self.failures.len() as u32;
        self.waiting = (0..count).collect();
        self.left = count;
    }

    /// True if all chunks have arrived.
    pub fn is_complete(&self) -> bool {
        self.left == 0
    }

    /// How many chunks are in flight.
    pub fn in_flight(&self) -> u32 {
        self.sources.iter().map(|source| source.in_flight).sum()
    }

    /// True if no source is left to read from.
    pub fn has_no_source(&self) -> bool {
        self.sources.iter().all(|source| source.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faster_source_serves_more_chunks() {
        let mut chunks = Chunks::new(10 * CHUNK_BYTES + 1, 2);
        let mut taken: Vec<(u32, usize)> = std::iter::from_fn(|| chunks.next()).collect();
        assert_eq!(taken.len(), 8, "four in flight from each");
        assert_eq!(taken.iter().filter(|(_, source)| *source == 0).count(), 4);
        // The first source is twice as fast.
        let mut read_from = [0; 2];
        for turn in 0.. {
            let fast = usize::from(turn % 3 == 2);
            let Some(index) = taken.iter().position(|(_, source)| *source == fast).or((!taken.is_empty()).then_some(0))
            else {
                break;
            };
            let (_, source) = taken.remove(index);
            read_from[source] += 1;
            chunks.on_done(source);
            taken.extend(chunks.next());
        }
        assert!(chunks.is_complete() && read_from[0] > read_from[1], "{read_from:?}");
    }

    #[test]
    fn failed_chunk_is_read_from_another_source() {
        let mut chunks = Chunks::new(CHUNK_BYTES, 2);
        assert_eq!(chunks.next(), Some((0, 0)));
        chunks.on_failed(0, 0, true);
        assert_eq!(chunks.next(), Some((0, 0)), "over another transport");
        chunks.on_failed(0, 0, true);
        assert_eq!(chunks.next(), Some((0, 1)));
        assert!(!chunks.has_no_source());
        chunks.on_failed(0, 1, false);
        assert!(chunks.has_no_source() && chunks.next().is_none() && chunks.in_flight() == 0);
    }

    #[test]
    fn full_transport_is_no_failure() {
        let mut chunks = Chunks::new(0, 1);
        let (chunk, source) = chunks.next().unwrap();
        chunks.put_back(chunk, source);
        assert_eq!(chunks.next(), Some((chunk, source)));
        chunks.on_done(source);
        assert!(chunks.is_complete());
    }
}
