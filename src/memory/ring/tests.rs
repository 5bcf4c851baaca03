use super::*;
use crate::base::config::Pages;
use crate::memory::segment::Access;

/// Both ends of a new ring, through two mappings, and the segment.
fn ring() -> (RingProducer, Consumer, Arc<Segment>) {
    let created = Arc::new(Segment::create("test", 128 + RING_SEGMENT_BYTES, Pages::Plain).expect("created"));
    let opened = Arc::new(Segment::open(&created.handle(), Access::Write).expect("opened"));
    let producer = RingProducer::claim(opened, 128).expect("free");
    (producer, Consumer::claim(created.clone(), 128).expect("free"), created)
}

fn popped(consumer: &mut Consumer) -> Option<Vec<u8>> {
    let mut message = None;
    match consumer.pop(|bytes| {
        assert!(bytes.as_ptr().addr().is_multiple_of(8));
        message = Some(bytes.to_vec());
    }) {
        Popped::Message => Some(message.expect("delivered")),
        Popped::Empty => None,
        Popped::Corrupt => panic!("corrupt"),
    }
}

#[test]
fn claiming_an_end_twice_is_refused() {
    let (_producer, _consumer, segment) = ring();
    assert!(RingProducer::claim(segment.clone(), 128).is_none() && Consumer::claim(segment, 128).is_none());
}

#[test]
fn messages_of_all_sizes_arrive_whole_and_in_order() {
    let (mut producer, mut consumer, _) = ring();
    let view = consumer.view();
    for round in 0..400_usize {
        let length = [0, 1, 7, 8, 9, 1000, MESSAGE_BYTES_MAX, MESSAGE_BYTES_MAX - 1][round % 8] / (1 + round % 3);
        let bytes: Vec<u8> = (0..length).map(|index| (index + round) as u8).collect();
        assert!(consumer.is_empty() && view.is_empty());
        let (first, second) = bytes.split_at(length / 3);
        assert!(producer.push(&[first, &[], second]));
        assert!(!consumer.is_empty() && !view.is_empty());
        assert_eq!(popped(&mut consumer), Some(bytes));
        assert_eq!(popped(&mut consumer), None);
    }
}

#[test]
fn push_to_full_ring_is_refused_until_the_consumer_frees_space() {
    let (mut producer, mut consumer, _) = ring();
    let message = vec![7; MESSAGE_BYTES_MAX - PREFIX_BYTES];
    for _ in 0..RING_BYTES / MESSAGE_BYTES_MAX {
        assert!(producer.push(&[&message]));
    }
    assert!(!producer.push(&[]));
    assert!(!producer.push(&[b"more"]));
    for _ in 0..RING_BYTES / MESSAGE_BYTES_MAX {
        assert_eq!(popped(&mut consumer).as_ref(), Some(&message));
    }
    // The lines that were read are freed once there is nothing more to read.
    assert_eq!((popped(&mut consumer), popped(&mut consumer)), (None, None));
    assert!(producer.push(&[b"more"]));
    assert_eq!(popped(&mut consumer).as_deref(), Some(&b"more"[..]));
}

#[test]
fn stream_between_two_threads_arrives_in_order() {
    const MESSAGES: u64 = 200_000;
    let (mut producer, mut consumer, _) = ring();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for number in 0..MESSAGES {
                let filler = [number as u8; 300];
                while !producer.push(&[&number.to_le_bytes(), &filler[..number as usize % 300]]) {
                    std::thread::yield_now();
                }
            }
        });
        for number in 0..MESSAGES {
            let message = loop {
                match popped(&mut consumer) {
                    Some(message) => break message,
                    None => std::thread::yield_now(),
                }
            };
            assert_eq!(message[..8], number.to_le_bytes());
            assert!(
                message.len() == 8 + number as usize % 300 && message[8..].iter().all(|byte| *byte == number as u8)
            );
        }
    });
}

/// Overwrites the 8 bytes at `offset` of the ring in the segment.
fn break_at(segment: &Segment, offset: usize, value: i64) {
    segment.cells()[(128 + offset) / 8].store(value, Ordering::SeqCst);
}

#[test]
fn invalid_length_makes_every_later_pop_corrupt() {
    for word in [MESSAGE_BYTES_MAX as i64 + 2, i64::MAX, i64::MIN, PAD as i64] {
        let (mut producer, mut consumer, segment) = ring();
        assert!(producer.push(&[b"sixteen bytes ok"]));
        break_at(&segment, size_of::<Indices>(), word);
        for _ in 0..2 {
            assert_eq!(consumer.pop(|_| panic!("delivered {word}")), Popped::Corrupt);
        }
    }
}

#[test]
fn invalid_head_gives_the_producer_no_space() {
    let (mut producer, _consumer, segment) = ring();
    while producer.push(&[&[0; 1000]]) {}
    for head in [-8, 4, i64::MAX, RING_BYTES as i64 * 2] {
        break_at(&segment, 0, head);
        assert!(!producer.push(&[&[0; 1000]]), "{head}");
    }
}

#[test]
fn producer_killed_before_publishing_leaves_no_message() {
    let (mut producer, mut consumer, segment) = ring();
    assert!(producer.push(&[b"whole"]));
    // A producer's writes before it publishes: the next frame's bytes, without the word that publishes them.
    break_at(&segment, size_of::<Indices>() + frame_bytes(5) + 8, 1 << 40);
    assert_eq!(popped(&mut consumer).as_deref(), Some(&b"whole"[..]));
    assert_eq!(popped(&mut consumer), None);
    assert!(producer.push(&[b"next"]));
    assert_eq!(popped(&mut consumer).as_deref(), Some(&b"next"[..]));
}

#[test]
fn bytes_of_the_previous_lap_are_never_read_as_a_message() {
    let (mut producer, mut consumer, _) = ring();
    // Every word of these bytes would read as a length.
    let bytes: Vec<u8> = 9u64.to_le_bytes().repeat(2000);
    for round in 0..200 {
        let length = 8 * (1 + round * 37 % 2000);
        assert!(producer.push(&[&bytes[..length]]));
        assert_eq!(popped(&mut consumer).as_deref(), Some(&bytes[..length]));
        assert_eq!((popped(&mut consumer), popped(&mut consumer)), (None, None));
    }
}
