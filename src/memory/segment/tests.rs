use super::*;
use crate::base::sync::Ordering;

#[test]
fn both_sides_see_what_one_writes() {
    let made = Segment::create("test", 100_000, Pages::Plain).expect("made");
    let opened = Segment::open(&made.card(), Access::Write).expect("opened");
    assert!(made.bytes() >= 100_000 && opened.bytes() == made.bytes());
    opened.cells()[7].store(42, Ordering::Release);
    assert_eq!(made.cells()[7].load(Ordering::Acquire), 42);
    let card = made.card();
    drop(made);
    assert_eq!(opened.cells()[7].load(Ordering::Relaxed), 42, "a mapping outlives its creator's");
    assert!(Segment::open(&card, Access::Read).is_err(), "the file went with its creator");
}

#[test]
fn a_card_that_does_not_match_is_refused_with_advice() {
    let made = Segment::create("test", 4096, Pages::Plain).expect("made");
    let refused = |card: SegmentCard| Segment::open(&card, Access::Read).expect_err("refused").to_string();
    let text = refused(SegmentCard { inode: made.card().inode + 1, ..made.card() });
    assert!(text.contains("inode") && text.contains("MOBULA_FABRIC=mpi"), "{text}");
    refused(SegmentCard { bytes: 1 << 40, ..made.card() });
    let text = refused(SegmentCard { pid: u32::MAX, ..made.card() });
    assert!(text.contains("process 4294967295"), "{text}");
}

#[test]
fn nobody_can_shrink_a_segment() {
    let made = Segment::create("test", 8192, Pages::Plain).expect("made");
    let file = OpenOptions::new().write(true).open(format!("/proc/self/fd/{}", made.card().fd)).expect("opened");
    assert!(file.set_len(4096).is_err() && file.set_len(1 << 20).is_err());
    assert_eq!(file.metadata().expect("there").mode() & 0o777, 0o600);
}

#[test]
#[should_panic(expected = "reading only")]
fn a_segment_opened_for_reading_shows_no_atomics() {
    let made = Segment::create("test", 4096, Pages::Plain).expect("made");
    let _ = Segment::open(&made.card(), Access::Read).expect("opened").cells();
}

#[test]
fn a_pool_too_small_names_the_pages_needed() {
    let bytes = (pages::hugepages_free() as usize + 3) * HUGE_PAGE_BYTES;
    let text = Segment::create("the store", bytes, Pages::Hugetlb).expect_err("too small").to_string();
    assert!(text.contains(&format!("needs {} huge pages", bytes / HUGE_PAGE_BYTES)), "{text}");
    assert!(text.contains("vm.nr_hugepages"), "{text}");
    assert_ne!(Segment::create("test", bytes, Pages::Auto).expect("falls back").page_kind(), PageKind::Hugetlb);
}
