use crate::objects::codec::format::Tag;
use crate::objects::codec::{CodecError, StoreRun};
use crate::objects::{ArrayMemory, Attachment, Object, SerializedValue, attach, decode, encode, encode_for_peer};
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_bytes::ByteBuf;
use std::any::Any;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet, LinkedList, VecDeque};
use std::fmt::{self, Debug};
use std::sync::Arc;

/// Memory of a run, which begins so many bytes after an aligned address.
struct Memory(Vec<u8>, usize);

impl ArrayMemory for Memory {
    fn bytes(&self) -> &[u8] {
        &self.0[self.1..]
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn store_run(bytes: &[u8]) -> Option<u32> {
    attach(Attachment::Array(Arc::new(Memory(bytes.to_vec(), 0))))
}

/// As another host's store may have it.
fn store_unaligned(bytes: &[u8]) -> Option<u32> {
    attach(Attachment::Array(Arc::new(Memory([&[0], bytes].concat(), 1))))
}

const STORES: [Option<StoreRun>; 3] = [None, Some(store_run), Some(store_unaligned)];

/// Read as an `R`, the value has to be this one, also from memory of its own.
fn assert_read_as<W: Serialize + 'static, R: Object + PartialEq + Debug>(written: &W, read: &R) {
    for store_run in STORES {
        let SerializedValue { bytes, attachments } = encode_for_peer(written, store_run).unwrap();
        assert_eq!(decode::<R>(&bytes, attachments).unwrap(), *read);
    }
}

fn assert_arrives<T: Object + PartialEq + Debug>(value: T) {
    assert_read_as(&value, &value);
}

/// So many that they lie in memory of their own.
const LONG: usize = 50_000;

macro_rules! each_number {
    ($($number:ty)*) => {
        $(let list: Vec<$number> = (0..LONG).map(|number| (number % 251) as $number).collect();
        assert_arrives(list.clone());
        assert_arrives(vec![list[..3].to_vec(), Vec::new(), list.clone()]);
        assert_arrives((list.clone().into_boxed_slice(), vec![<$number>::MIN, <$number>::MAX], Some(list)));)*
    };
}

#[test]
fn vectors_of_each_number_arrive() {
    each_number!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64);
    assert_arrives((0..LONG).map(|number| number % 3 == 0).collect::<Vec<bool>>());
    assert_arrives(vec![vec![true, false], Vec::new()]);
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Field {
    name: String,
    values: Vec<f64>,
    mask: Box<[bool]>,
    shared: Cow<'static, [u32]>,
    at: BTreeMap<u8, Vec<i16>>,
    nested: Option<Box<Field>>,
}

fn field(length: usize) -> Field {
    Field {
        name: "field".to_string(),
        values: (0..length).map(|number| number as f64 / 7.0).collect(),
        mask: (0..length).map(|number| number % 2 == 0).collect(),
        shared: Cow::Owned(vec![7; length]),
        at: BTreeMap::from([(1, vec![-1; length]), (2, Vec::new())]),
        nested: None,
    }
}

#[test]
fn vectors_within_other_values_are_runs() {
    assert_arrives(Field { nested: Some(Box::new(field(3))), ..field(LONG) });
    assert_arrives(vec![field(0), field(2), field(LONG)]);
    let SerializedValue { bytes, attachments } = encode_for_peer(&field(LONG), STORES[1]).unwrap();
    assert_eq!(attachments.len(), 4, "each of the four vectors");
    assert!(bytes.len() < 200, "{} bytes besides", bytes.len());
    let (with, without) = (encode(&field(1000)).unwrap().bytes.len(), encode(&field(0)).unwrap().bytes.len());
    // The lengths take one byte more each.
    assert_eq!(with - without, 1000 * (8 + 1 + 4 + 2) + 4);
}

#[test]
fn other_lists_of_numbers_are_read_from_runs_and_runs_from_them() {
    let numbers: Vec<u32> = (0..LONG as u32).collect();
    assert_read_as(&numbers, &VecDeque::from(numbers.clone()));
    assert_read_as(&numbers, &numbers.iter().copied().collect::<HashSet<u32>>());
    assert_read_as(&numbers, &numbers.iter().map(|number| Some(*number)).collect::<Vec<Option<u32>>>());
    assert_read_as(&numbers, &numbers.iter().map(|number| i64::from(*number)).collect::<Vec<i64>>());
    assert_read_as(&numbers, &numbers.iter().map(|number| f64::from(*number)).collect::<Vec<f64>>());
    assert_read_as(&vec![3u8, 2, 1], &(3u8, 2u8, 1u8));
    assert_read_as(&vec![3u8, 2, 1], &[3u8, 2, 1]);
    assert_read_as(&vec![7u128, 8], &vec![7u8, 8]);
    assert_read_as(&VecDeque::from(numbers.clone()), &numbers);
    assert_read_as(&numbers.iter().copied().collect::<LinkedList<u32>>(), &numbers);
    assert_read_as(&(1u8, 2u8), &vec![1u8, 2]);
    assert_read_as(&ByteBuf::from([1, 2, 3]), &vec![1u8, 2, 3]);
    assert_read_as(&ByteBuf::from(vec![5; LONG]), &vec![5u16; LONG]);
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Metres(f32);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Either {
    Texts(Vec<String>),
    Numbers { values: Vec<f32> },
    Bare(Vec<Metres>),
}

#[test]
fn runs_are_read_where_serde_keeps_them_before_it_knows_the_type() {
    assert_arrives(Either::Numbers { values: vec![0.5; LONG] });
    assert_read_as(&vec![0.5f32, 1.5], &Either::Bare(vec![Metres(0.5), Metres(1.5)]));
    assert_read_as(&vec![0.5f32, 1.5], &vec![Metres(0.5), Metres(1.5)]);
}

/// A vector that its own `Deserialize` reads, with a visitor that is not serde's and changes what it reads.
#[derive(Debug, PartialEq, Serialize)]
struct Doubled(Vec<f64>);

impl<'de> Deserialize<'de> for Doubled {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Doubled, D::Error> {
        struct Twice;
        impl<'de> Visitor<'de> for Twice {
            type Value = Vec<f64>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("numbers")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<Vec<f64>, A::Error> {
                let mut doubled = Vec::new();
                while let Some(number) = numbers.next_element::<f64>()? {
                    doubled.push(2.0 * number);
                }
                Ok(doubled)
            }
        }
        deserializer.deserialize_seq(Twice).map(Doubled)
    }
}

#[test]
fn a_visitor_of_the_user_gets_the_numbers() {
    assert_read_as(&vec![1.0f64, 2.0], &Doubled(vec![2.0, 4.0]));
    assert_read_as(&VecDeque::from([1.0f64, 2.0]), &Doubled(vec![2.0, 4.0]));
}

#[test]
fn damaged_runs_are_refused() {
    let run = |tag: u8, number: u8, count: u8, bytes: &[u8]| [&[tag, number, count], bytes, &[0]].concat();
    let numbers = Tag::Numbers as u8;
    assert_eq!(decode::<Vec<u16>>(&run(numbers, Tag::U16 as u8, 2, &[1, 0, 2, 0]), Vec::new()).unwrap(), [1, 2]);
    for (number, count, bytes) in
        [(Tag::U16, 3, &[1, 0, 2, 0][..]), (Tag::U16, 1, &[1, 0, 2, 0]), (Tag::Str, 1, &[1]), (Tag::Numbers, 1, &[1])]
    {
        let run = run(numbers, number as u8, count, bytes);
        assert!(decode::<Vec<u16>>(&run, Vec::new()).is_err(), "{run:?}");
    }
    let all = u64::MAX.to_le_bytes();
    let uniform = [&[Tag::Seq as u8], &all[..], &all, &[Tag::F64 as u8], &[0; 16], &[0]].concat();
    assert!(decode::<Vec<f64>>(&uniform, Vec::new()).is_err());
    let separate = [Tag::SeparateNumbers as u8, 0, 0, 0, 0, Tag::U32 as u8, 2];
    let memory = |length| vec![Attachment::Array(Arc::new(Memory(vec![1; length], 0)))];
    assert_eq!(decode::<Vec<u32>>(&separate, memory(8)).unwrap(), [0x0101_0101; 2]);
    assert!(decode::<Vec<u32>>(&separate, memory(7)).is_err());
    assert!(decode::<Vec<u32>>(&separate, Vec::new()).is_err());
    assert!(decode::<(u32,)>(&separate, memory(8)).is_err(), "a number is left");
}

#[test]
fn a_value_of_too_many_bytes_is_refused_before_they_are_copied() {
    let encoded = super::super::to_bytes(&vec![0u64; LONG], Vec::new(), 1000, None);
    assert!(matches!(encoded, Err(CodecError::TooLong(1000))));
}
