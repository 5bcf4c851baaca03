use super::*;
use crate::base::sync::Ordering;

#[test]
fn write_through_one_mapping_is_visible_in_the_other() {
    let made = Segment::create("test", 100_000, Pages::Plain).expect("made");
    let opened = Segment::open(&made.handle(), Access::Write).expect("opened");
    assert!(made.bytes() >= 100_000 && opened.bytes() == made.bytes());
    opened.cells()[7].store(42, Ordering::Release);
    assert_eq!(made.cells()[7].load(Ordering::Acquire), 42);
    let handle = made.handle();
    drop(made);
    assert_eq!(opened.cells()[7].load(Ordering::Relaxed), 42, "a mapping survives its creator's");
    assert!(Segment::open(&handle, Access::Read).is_err(), "the file went with its creator");
}

#[test]
fn opening_with_a_wrong_handle_is_refused_with_advice() {
    let made = Segment::create("test", 4096, Pages::Plain).expect("made");
    let refused = |handle: SegmentHandle| Segment::open(&handle, Access::Read).expect_err("refused").to_string();
    let text = refused(SegmentHandle { inode: made.handle().inode + 1, ..made.handle() });
    assert!(text.contains("inode") && text.contains("MOBULA_FABRIC=mpi"), "{text}");
    refused(SegmentHandle { bytes: 1 << 40, ..made.handle() });
    let text = refused(SegmentHandle { pid: u32::MAX, ..made.handle() });
    assert!(text.contains("process 4294967295"), "{text}");
}

#[test]
fn resizing_a_sealed_segment_is_refused() {
    let made = Segment::create("test", 8192, Pages::Plain).expect("made");
    let file = OpenOptions::new().write(true).open(format!("/proc/self/fd/{}", made.handle().fd)).expect("opened");
    assert!(file.set_len(4096).is_err() && file.set_len(1 << 20).is_err());
    assert_eq!(file.metadata().expect("there").mode() & 0o777, 0o600);
}

#[test]
#[should_panic(expected = "reading only")]
fn atomics_of_a_segment_opened_for_reading_panic() {
    let made = Segment::create("test", 4096, Pages::Plain).expect("made");
    let _ = Segment::open(&made.handle(), Access::Read).expect("opened").cells();
}

#[test]
fn too_small_a_huge_page_pool_names_the_pages_needed() {
    let bytes = (pages::hugepages_free() as usize + 3) * HUGE_PAGE_BYTES;
    let text = Segment::create("the store", bytes, Pages::Hugetlb).expect_err("too small").to_string();
    assert!(text.contains(&format!("needs {} huge pages", bytes / HUGE_PAGE_BYTES)), "{text}");
    assert!(text.contains("vm.nr_hugepages"), "{text}");
    assert_ne!(Segment::create("test", bytes, Pages::Auto).expect("falls back").page_kind(), PageKind::Hugetlb);
}
