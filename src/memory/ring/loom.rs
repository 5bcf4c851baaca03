//! A ring of four lines, filled and emptied several times over, in every order.
#![allow(unsafe_code)]

use super::*;
use crate::base::sync::{UnsafeCell, explore, thread};

const LINES: usize = RING_BYTES / LINE_BYTES;

/// A ring's words and bytes as loom sees them: the first word of each line is an atomic; the other bytes of the line,
/// none of which may be read while it is written, are a cell.
struct ModelMemory {
    head: AtomicU64,
    words: [AtomicU64; LINES],
    bodies: [UnsafeCell<[u8; LINE_BYTES]>; LINES],
}

// SAFETY: the model checker itself detects concurrent access to the cells.
unsafe impl Sync for ModelMemory {}
// SAFETY: as above.
unsafe impl Send for ModelMemory {}

impl ModelMemory {
    fn new() -> Arc<ModelMemory> {
        Arc::new(ModelMemory {
            head: AtomicU64::new(0),
            words: std::array::from_fn(|_| AtomicU64::new(0)),
            bodies: std::array::from_fn(|_| UnsafeCell::new([0; LINE_BYTES])),
        })
    }
}

/// The lines that `length` bytes at `at` touch, each with the range within the line and the range within the bytes.
fn parts(at: usize, length: usize) -> impl Iterator<Item = (usize, std::ops::Range<usize>, std::ops::Range<usize>)> {
    let end = at + length;
    assert!(end <= RING_BYTES);
    (at / LINE_BYTES..end.div_ceil(LINE_BYTES)).filter(move |_| length > 0).map(move |line| {
        let (from, to) = (at.max(line * LINE_BYTES), end.min((line + 1) * LINE_BYTES));
        (line, from - line * LINE_BYTES..to - line * LINE_BYTES, from - at..to - at)
    })
}

impl Lines for Arc<ModelMemory> {
    fn head(&self) -> &AtomicU64 {
        &self.head
    }

    fn word(&self, position: usize) -> &AtomicU64 {
        &self.words[position / LINE_BYTES]
    }

    unsafe fn write(&self, at: usize, bytes: &[u8]) {
        for (line, within, theirs) in parts(at, bytes.len()) {
            if within.start < PREFIX_BYTES {
                // A word that both sides access as an atomic is written as one here, Relaxed.
                self.words[line].store(u64::MAX / 3, Ordering::Relaxed);
            }
            // SAFETY: the checker detects a write concurrent with another access.
            self.bodies[line].with_mut(|body| unsafe { (&mut *body)[within].copy_from_slice(&bytes[theirs]) });
        }
    }

    unsafe fn read(&self, at: usize, length: usize, show: impl FnOnce(&[u8])) {
        let mut bytes = [0; 2 * LINE_BYTES];
        for (line, within, ours) in parts(at, length) {
            // SAFETY: the checker detects a read concurrent with a write.
            self.bodies[line].with(|body| bytes[ours].copy_from_slice(unsafe { &(&*body)[within] }));
        }
        show(&bytes[..length]);
    }
}

/// Lengths of one line and of two, with which the ring is full, wraps with a pad and wraps without one.
const LENGTHS: [usize; 5] = [3, 64, 56, 60, 1];

#[test]
fn messages_arrive_whole_and_in_order() {
    explore(2, || {
        let memory = ModelMemory::new();
        let mut producer = RingProducer::over(memory.clone());
        let sending = thread::spawn(move || {
            for (number, length) in LENGTHS.into_iter().enumerate() {
                let bytes = [number as u8; MESSAGE_BYTES_MAX];
                let (first, second) = bytes[..length].split_at(length / 2);
                while !producer.push(&[first, second]) {
                    thread::yield_now();
                }
            }
        });
        let mut consumer = Consumer::over(memory);
        for (number, length) in LENGTHS.into_iter().enumerate() {
            let mut came = false;
            while !came {
                let popped = consumer.pop(|bytes| {
                    assert_eq!(bytes, vec![number as u8; length]);
                    came = true;
                });
                match popped {
                    Popped::Message => {}
                    Popped::Empty => thread::yield_now(),
                    Popped::Corrupt => panic!("corrupt"),
                }
            }
        }
        sending.join().unwrap();
        assert_eq!(consumer.pop(|_| panic!("one too many")), Popped::Empty);
    });
}

#[test]
fn push_to_full_ring_succeeds_after_lines_are_freed() {
    explore(3, || {
        let memory = ModelMemory::new();
        let mut producer = RingProducer::over(memory.clone());
        // Four lines: one frame of two, two of one.
        assert!(producer.push(&[&[0; 64]]) && producer.push(&[&[1; 8]]) && producer.push(&[&[2; 8]]));
        assert!(!producer.push(&[]));
        let emptying = thread::spawn(move || {
            let mut consumer = Consumer::over(memory);
            let mut popped = 0;
            while popped < 2 {
                consumer.pop(|bytes| assert_eq!(bytes[0], popped));
                popped += 1;
            }
            consumer
        });
        // Refused or taken: unread messages are not overwritten, as the consumer checks.
        let taken = producer.push(&[&[3; 64]]);
        let mut consumer = emptying.join().unwrap();
        let mut body = Vec::new();
        while consumer.pop(|bytes| body.push(bytes[0])) == Popped::Message {}
        assert_eq!(body, if taken { vec![2, 3] } else { vec![2] });
    });
}
