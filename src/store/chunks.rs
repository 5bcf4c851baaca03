//! A large read in chunks, several under way, from one holder or several: which chunk is read from whom next.
//!
//! Each chunk goes to the source that has the fewest under way, so sources share a read as fast as each is. One that fails
//! twice on the same chunk is not asked again, and its chunks go to the others.

use std::collections::VecDeque;

/// Bytes of a chunk.
pub const CHUNK_BYTES: usize = 8 << 20;

/// Chunks under way from one source: enough that it never waits for the next request.
const UNDER_WAY_MAX: u32 = 4;

/// One holder that is read from.
#[derive(Clone, Debug, Default)]
struct Source {
    under_way: u32,
    failed: bool,
}

/// The state of one read.
#[derive(Debug)]
pub struct Chunks {
    waiting: VecDeque<u32>,
    /// By chunk: how often it failed at the source that it was tried at last.
    failures: Vec<u8>,
    sources: Vec<Source>,
    left: u32,
}

impl Chunks {
    /// A read of `bytes`, from so many sources.
    pub fn new(bytes: usize, sources: usize) -> Chunks {
        // Also nothing is read once: its source says whether it is there.
        let count = bytes.div_ceil(CHUNK_BYTES).max(1) as u32;
        Chunks {
            waiting: (0..count).collect(),
            failures: vec![0; count as usize],
            sources: vec![Source::default(); sources],
            left: count,
        }
    }

    /// A chunk to be read, and the place of the source to read it from; both count as under way.
    pub fn next(&mut self) -> Option<(u32, usize)> {
        let chunk = *self.waiting.front()?;
        let sources = self.sources.iter().enumerate();
        let able = sources.filter(|(_, source)| !source.failed && source.under_way < UNDER_WAY_MAX);
        let (place, _) = able.min_by_key(|(_, source)| source.under_way)?;
        self.waiting.pop_front();
        self.sources[place].under_way += 1;
        Some((chunk, place))
    }

    /// The road took no more now: the chunk waits again.
    pub fn put_back(&mut self, chunk: u32, source: usize) {
        self.sources[source].under_way -= 1;
        self.waiting.push_front(chunk);
    }

    /// A chunk is there.
    pub fn done(&mut self, source: usize) {
        self.sources[source].under_way -= 1;
        self.left -= 1;
    }

    /// A chunk could not be read from a source. Where there is `another_road` to it, the first time is forgiven.
    pub fn failed(&mut self, chunk: u32, source: usize, another_road: bool) {
        self.sources[source].under_way -= 1;
        let failures = &mut self.failures[chunk as usize];
        *failures += 1;
        if !another_road || *failures > 1 {
            self.sources[source].failed = true;
            *failures = 0;
        }
        self.waiting.push_back(chunk);
    }

    /// What was read is lost: every chunk waits again. None is under way.
    pub fn start_again(&mut self) {
        let count = self.failures.len() as u32;
        self.waiting = (0..count).collect();
        self.left = count;
    }

    /// Whether all of it is there.
    pub fn is_whole(&self) -> bool {
        self.left == 0
    }

    /// How many chunks are under way.
    pub fn under_way(&self) -> u32 {
        self.sources.iter().map(|source| source.under_way).sum()
    }

    /// Whether no source is left to read from.
    pub fn is_stranded(&self) -> bool {
        self.sources.iter().all(|source| source.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_share_a_read() {
        let mut chunks = Chunks::new(10 * CHUNK_BYTES + 1, 2);
        let mut taken: Vec<(u32, usize)> = std::iter::from_fn(|| chunks.next()).collect();
        assert_eq!(taken.len(), 8, "four under way from each");
        assert_eq!(taken.iter().filter(|(_, source)| *source == 0).count(), 4);
        // The first source is twice as fast.
        let mut read_from = [0; 2];
        for turn in 0.. {
            let fast = usize::from(turn % 3 == 2);
            let Some(place) = taken.iter().position(|(_, source)| *source == fast).or((!taken.is_empty()).then_some(0))
            else {
                break;
            };
            let (_, source) = taken.remove(place);
            read_from[source] += 1;
            chunks.done(source);
            taken.extend(chunks.next());
        }
        assert!(chunks.is_whole() && read_from[0] > read_from[1], "{read_from:?}");
    }

    #[test]
    fn a_chunk_that_fails_is_read_from_another_source() {
        let mut chunks = Chunks::new(CHUNK_BYTES, 2);
        assert_eq!(chunks.next(), Some((0, 0)));
        chunks.failed(0, 0, true);
        assert_eq!(chunks.next(), Some((0, 0)), "over another road");
        chunks.failed(0, 0, true);
        assert_eq!(chunks.next(), Some((0, 1)));
        assert!(!chunks.is_stranded());
        chunks.failed(0, 1, false);
        assert!(chunks.is_stranded() && chunks.next().is_none() && chunks.under_way() == 0);
    }

    #[test]
    fn a_full_road_is_no_failure() {
        let mut chunks = Chunks::new(0, 1);
        let (chunk, source) = chunks.next().unwrap();
        chunks.put_back(chunk, source);
        assert_eq!(chunks.next(), Some((chunk, source)));
        chunks.done(source);
        assert!(chunks.is_whole());
    }
}
