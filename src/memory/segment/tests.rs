use super::*;
use crate::base::sync::Ordering;

#[test]
fn write_through_one_mapping_is_visible_in_the_other() {
    let created = Segment::create("test", 100_000, Pages::Plain).expect("created");
    let opened = Segment::open(&created.handle(), Access::Write).expect("opened");
    assert!(created.bytes() >= 100_000 && opened.bytes() == created.bytes());
    opened.cells()[7].store(42, Ordering::Release);
    assert_eq!(created.cells()[7].load(Ordering::Acquire), 42);
    let handle = created.handle();
    drop(created);
    assert_eq!(opened.cells()[7].load(Ordering::Relaxed), 42, "a mapping survives its creator's");
    assert!(Segment::open(&handle, Access::Read).is_err(), "the file went with its creator");
}

#[test]
fn opening_with_a_wrong_handle_is_refused_with_advice() {
    let created = Segment::create("test", 4096, Pages::Plain).expect("created");
    let refused = |handle: SegmentHandle| Segment::open(&handle, Access::Read).expect_err("refused").to_string();
    let text = refused(SegmentHandle { inode: created.handle().inode + 1, ..created.handle() });
    assert!(text.contains("inode") && text.contains("MOBULA_FABRIC=mpi"), "{text}");
    refused(SegmentHandle { bytes: 1 << 40, ..created.handle() });
    let text = refused(SegmentHandle { pid: u32::MAX, ..created.handle() });
    assert!(text.contains("process 4294967295"), "{text}");
}

#[test]
fn resizing_a_sealed_segment_is_refused() {
    let created = Segment::create("test", 8192, Pages::Plain).expect("created");
    let file = OpenOptions::new().write(true).open(format!("/proc/self/fd/{}", created.handle().fd)).expect("opened");
    assert!(file.set_len(4096).is_err() && file.set_len(1 << 20).is_err());
    assert_eq!(file.metadata().expect("there").mode() & 0o777, 0o600);
}

#[test]
#[should_panic(expected = "reading only")]
fn atomics_of_a_segment_opened_for_reading_panic() {
    let created = Segment::create("test", 4096, Pages::Plain).expect("created");
    let _ = Segment::open(&created.handle(), Access::Read).expect("opened").cells();
}

#[test]
fn too_small_a_huge_page_pool_names_the_pages_needed() {
    let bytes = (pages::hugepages_free() as usize + 3) * HUGE_PAGE_BYTES;
    let text = Segment::create("the store", bytes, Pages::Hugetlb).expect_err("too small").to_string();
    assert!(text.contains(&format!("needs {} huge pages", bytes / HUGE_PAGE_BYTES)), "{text}");
    assert!(text.contains("vm.nr_hugepages"), "{text}");
    assert_ne!(Segment::create("test", bytes, Pages::Auto).expect("falls back").page_kind(), PageKind::Hugetlb);
}

/// The flags of the mapping that has this address, as the kernel lists them.
fn flags_at(address: NonNull<u8>) -> String {
    let mappings = std::fs::read_to_string("/proc/self/smaps").expect("Linux");
    let start = format!("{:x}-", address.addr());
    let mut lines = mappings.lines().skip_while(|line| !line.starts_with(&start));
    lines.find_map(|line| line.strip_prefix("VmFlags: ")).expect("the mapping is listed").to_string()
}

#[test]
fn core_dumps_leave_segments_out() {
    let created = Segment::create("test", 100_000, Pages::Auto).expect("created");
    let opened = Segment::open(&created.handle(), Access::Read).expect("opened");
    created.populate(0, created.bytes()).expect("there is memory");
    for segment in [&created, &opened] {
        let flags = flags_at(segment.address());
        assert!(flags.split(' ').any(|flag| flag == "dd"), "{flags}");
    }
}
