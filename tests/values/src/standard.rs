//! Types of the standard library, as serde writes them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, LinkedList, VecDeque};
use std::ffi::{CString, OsString};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::num::{NonZeroI8, NonZeroU128, NonZeroUsize, Saturating, Wrapping};
use std::ops::{Bound, Range, RangeFrom, RangeInclusive, RangeTo};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

type Twelve = (u8, i8, u16, i16, u32, i32, u64, i64, f32, f64, bool, char);

crate::values! {
    standard {
        unit: () = [()];
        boolean: bool = [true, false];
        u_8: u8 = [0, u8::MAX];
        u_16: u16 = [u16::MAX];
        u_32: u32 = [u32::MAX];
        u_64: u64 = [u64::MAX];
        u_128: u128 = [0, u128::from(u64::MAX), u128::MAX];
        u_size: usize = [usize::MAX];
        i_8: i8 = [i8::MIN, -1, i8::MAX];
        i_16: i16 = [i16::MIN];
        i_32: i32 = [i32::MIN];
        i_64: i64 = [i64::MIN, -1];
        i_128: i128 = [i128::MIN, -1, 0, i128::MAX];
        i_size: isize = [isize::MIN];
        character: char = ['a', '\0', 'é', char::MAX];
        text: String = [String::new(), "é".repeat(300)];
        path: PathBuf = [PathBuf::from("/a/é"), PathBuf::new()];
        os_string: OsString = [OsString::from("no text? text")];
        c_string: CString = [c"ends".to_owned()];
        boxed: Box<Box<u8>> = [Box::new(Box::new(7))];
        boxed_text: Box<str> = ["boxed".into()];
        boxed_slice: Box<[u16]> = [vec![1, 2].into(), Box::default()];
        shared: Arc<String> = [Arc::new("shared".into())];
        shared_text: Arc<str> = ["shared".into()];
        shared_slice: Arc<[Option<u8>]> = [vec![None, Some(1)].into()];
        copy_on_write: Cow<'static, str> = [Cow::Borrowed("borrowed"), Cow::Owned("owned".into())];
        copied_bytes: Cow<'static, [u8]> = [Cow::from(vec![1, 255]), Cow::default()];
        option: Option<u8> = [None, Some(0)];
        option_of_unit: Option<()> = [None, Some(())];
        options: Option<Option<Option<u8>>> = [None, Some(None), Some(Some(None)), Some(Some(Some(3)))];
        result: Option<Result<u8, String>> = [Some(Ok(1)), Some(Err("no".into()))];
        results: [Result<Option<()>, Result<(), u8>>; 4] = [[Ok(None), Ok(Some(())), Err(Ok(())), Err(Err(9))]];
        vector: Vec<u8> = [vec![], vec![1; 1000]];
        floats: Vec<f32> = [vec![0.5; 1000], vec![]];
        vector_of_bools: Vec<bool> = [vec![true, false, true]];
        vector_of_options: Vec<Option<u32>> = [vec![Some(1), None, Some(2)], vec![None]];
        vector_of_texts: Vec<String> = [vec!["a".into(), String::new()]];
        vector_of_vectors: Vec<Vec<f64>> = [vec![vec![1.0], vec![], vec![2.0, -3.0]]];
        vector_of_units: Vec<()> = [vec![(); 3]];
        vector_of_pairs: Vec<(u8, String)> = [vec![(1, "one".into()), (2, "two".into())]];
        vector_of_results: Vec<Result<u8, i8>> = [vec![Ok(1), Err(-1)]];
        deque: VecDeque<u64> = [VecDeque::from([1, 2, 3])];
        list: LinkedList<char> = [LinkedList::from(['a', 'b'])];
        sorted_set: BTreeSet<i16> = [BTreeSet::from([3, -1])];
        set: HashSet<String> = [HashSet::from(["a".into(), "b".into()])];
        sorted_map: BTreeMap<String, u8> = [BTreeMap::from([("a".into(), 1)]), BTreeMap::new()];
        map_of_numbers: HashMap<u64, f32> = [HashMap::from([(1, 0.5), (u64::MAX, 1.5)])];
        map_of_signed: BTreeMap<i32, Vec<u8>> = [BTreeMap::from([(-1, vec![1]), (7, vec![])])];
        map_of_chars: BTreeMap<char, bool> = [BTreeMap::from([('é', true)])];
        map_of_bools: BTreeMap<bool, ()> = [BTreeMap::from([(false, ()), (true, ())])];
        map_of_pairs: BTreeMap<(u8, String), u8> = [BTreeMap::from([((1, "a".into()), 2)])];
        map_of_options: BTreeMap<Option<u8>, u8> = [BTreeMap::from([(None, 0), (Some(1), 1)])];
        map_of_vectors: BTreeMap<Vec<u8>, BTreeMap<u8, u8>> = [BTreeMap::from([(vec![1], BTreeMap::from([(2, 3)]))])];
        map_of_units: BTreeMap<(), u8> = [BTreeMap::from([((), 7)])];
        no_array: [String; 0] = [[]];
        array: [u16; 5] = [[1, 2, 3, 4, 5]];
        long_array: [i64; 32] = [[-3; 32]];
        arrays: [[Option<u8>; 2]; 2] = [[[None, Some(1)], [Some(2), None]]];
        one: (String,) = [("one".into(),)];
        twelve: Twelve = [(1, -1, 2, -2, 3, -3, 4, -4, 5.5, -5.5, true, 'z')];
        nested: (u8, ((), (String, (i8,)))) = [(1, ((), ("a".into(), (-1,))))];
        duration: Duration = [Duration::ZERO, Duration::new(u64::MAX, 999_999_999)];
        time: SystemTime = [SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000, 123_456_789)];
        range: Range<u32> = [1..9, 0..0];
        range_inclusive: RangeInclusive<i8> = [-1..=9];
        range_from: RangeFrom<u8> = [7..];
        range_to: RangeTo<u8> = [..7];
        bound: (Bound<u8>, Bound<u8>, Bound<String>) = [
            (Bound::Included(1), Bound::Unbounded, Bound::Excluded("z".into())),
        ];
        wrapping: Wrapping<u8> = [Wrapping(255)];
        saturating: Saturating<i8> = [Saturating(-128)];
        non_zero: NonZeroI8 = [NonZeroI8::MIN];
        non_zero_option: Option<NonZeroUsize> = [None, Some(NonZeroUsize::MAX)];
        non_zero_128: NonZeroU128 = [NonZeroU128::MAX];
        reverse: std::cmp::Reverse<u8> = [std::cmp::Reverse(3)];
        phantom: std::marker::PhantomData<String> = [std::marker::PhantomData];
        ip: IpAddr = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        ip_v4: Ipv4Addr = [Ipv4Addr::new(1, 2, 3, 4)];
        ip_v6: Ipv6Addr = [Ipv6Addr::new(1, 2, 3, 4, 5, 6, 7, 8)];
        socket: SocketAddr = [
            SocketAddr::from(([127, 0, 0, 1], 80)),
            SocketAddr::V6(SocketAddrV6::new(Ipv6Addr::LOCALHOST, 8080, 0, 0)),
        ];
    }
}
