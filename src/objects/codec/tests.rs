use crate::objects::codec::{CodecError, from_bytes, to_bytes};
use proptest::prelude::*;
use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Debug};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

fn encoded(value: &impl Serialize) -> Vec<u8> {
    to_bytes(value, Vec::new(), usize::MAX, None).unwrap()
}

fn assert_arrives<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T) {
    let bytes = encoded(&value);
    assert_eq!(from_bytes::<T>(&bytes).unwrap(), value);
    from_bytes::<IgnoredAny>(&bytes).unwrap();
    for end in 0..bytes.len() {
        assert!(from_bytes::<T>(&bytes[..end]).is_err(), "{end} of {} bytes were enough", bytes.len());
    }
}

#[test]
fn plain_values_arrive() {
    assert_arrives((1u8, u16::MAX, u32::MAX, u64::MAX, u128::MAX, usize::MAX));
    assert_arrives((i8::MIN, i16::MIN, i32::MIN, i64::MIN, i128::MIN, -7isize));
    assert_arrives((7u128, -7i128, 1.5f32, f64::NEG_INFINITY, 'ß', true));
    assert_arrives(("text".to_string(), String::new(), ()));
    assert_arrives(vec![Some(Some(1u8)), Some(None), None]);
    assert_arrives(vec![Some(()), None]);
    assert_arrives(BTreeMap::from([((1, 'a'), vec![1.5]), ((2, 'b'), vec![])]));
    assert_arrives([[1u32; 3]; 2]);
    assert_arrives(Ok::<u8, String>(3));
    assert_arrives("x".repeat(100_000));
    assert!(from_bytes::<f64>(&encoded(&f64::NAN)).unwrap().is_nan());
}

#[test]
fn elements_of_one_kind_take_no_tags() {
    let length = |value: &dyn Fn() -> Vec<u8>| value().len();
    let header = length(&|| encoded(&Vec::<u8>::new()));
    assert_eq!(length(&|| encoded(&vec![7u8; 1000])), header + 1 + 1000);
    assert_eq!(length(&|| encoded(&vec![0.5f64; 1000])), header + 1 + 8000);
    assert_eq!(length(&|| encoded(&vec![true; 1000])), header + 1 + 1000);
    assert_arrives(vec![vec![1u64, 2], vec![], vec![3]]);
    assert_arrives(vec![('a', vec![1i8]), ('b', vec![])]);
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Number {
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    List(Vec<Number>),
    Named { name: String, at: Option<u8> },
}

#[test]
fn untagged_enums_arrive_whatever_follows_what() {
    use Number::{Float, List, Named, Signed, Unsigned};
    let named = |at| Named { name: "n".to_string(), at };
    assert_arrives(vec![Unsigned(1), Signed(-1), Float(0.5), Unsigned(2), named(None)]);
    assert_arrives(List(vec![named(Some(3)), List(vec![]), Float(1.0), Float(2.0), Signed(-9)]));
}

fn is_zero(value: &u8) -> bool {
    *value == 0
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Skips {
    #[serde(skip_serializing_if = "is_zero", default)]
    first: u8,
    bytes: Vec<u8>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    last: Option<Box<Skips>>,
}

#[test]
fn skipped_fields_are_not_mistaken_for_others() {
    let skips = |first, last: Option<Skips>| Skips { first, bytes: vec![1, 7], last: last.map(Box::new) };
    assert_arrives(skips(0, None));
    assert_arrives(vec![
        skips(1, None),
        skips(0, Some(skips(0, None))),
        skips(2, Some(skips(3, None))),
        skips(0, None),
    ]);
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct SkipsInTuple(u8, #[serde(skip_serializing_if = "is_zero", default)] u8);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    One { value: u8 },
    Two(Inner),
    Unit,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "content")]
enum Adjacent {
    One(u8),
    Two(u8, String),
    Three { value: Vec<u16> },
    Unit,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Inner {
    x: u32,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Flat {
    id: u8,
    #[serde(flatten)]
    inner: Inner,
    #[serde(flatten)]
    rest: HashMap<String, Vec<Number>>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum LeavesOneOut {
    #[serde(skip)]
    #[allow(dead_code)]
    Never,
    #[serde(rename = "first", alias = "one")]
    First,
    Second(u8),
    #[serde(alias = "b")]
    Third {
        #[serde(alias = "c")]
        b: u8,
    },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum TwoNames {
    First,
    #[serde(rename(serialize = "written", deserialize = "read"))]
    Second {
        a: u8,
        #[serde(rename(serialize = "written", deserialize = "read"))]
        b: u8,
    },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
struct ByText(u8);

impl From<String> for ByText {
    fn from(text: String) -> ByText {
        ByText(text.len() as u8)
    }
}

impl From<ByText> for String {
    fn from(value: ByText) -> String {
        "x".repeat(value.0.into())
    }
}

impl Clone for ByText {
    fn clone(&self) -> ByText {
        ByText(self.0)
    }
}

#[test]
fn attributes_of_serde_arrive() {
    assert_arrives((SkipsInTuple(1, 0), SkipsInTuple(1, 2)));
    assert_arrives(vec![Tagged::One { value: 3 }, Tagged::Two(Inner { x: 4 }), Tagged::Unit]);
    let adjacent = vec![Adjacent::One(1), Adjacent::Two(2, "two".into()), Adjacent::Three { value: vec![3] }];
    assert_arrives((adjacent, Adjacent::Unit));
    let rest = HashMap::from([("more".to_string(), vec![Number::Unsigned(9), Number::Float(0.5)])]);
    assert_arrives(Flat { id: 1, inner: Inner { x: 7 }, rest });
    assert_arrives(vec![
        LeavesOneOut::First,
        LeavesOneOut::Second(2),
        LeavesOneOut::Third { b: 2 },
        LeavesOneOut::First,
    ]);
    assert_arrives(vec![TwoNames::Second { a: 1, b: 2 }, TwoNames::First]);
    assert_arrives(vec![ByText(3), ByText(0)]);
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Place {
    Address(IpAddr),
    Socket { socket: SocketAddr, at: Duration },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct AtPlace {
    id: u8,
    #[serde(flatten)]
    places: BTreeMap<String, Place>,
}

/// Such types have two forms. What serde keeps in memory, for a part that is untagged, tagged or flattened, is read in
/// the form for people, whatever the format says: addresses there did not decode.
#[test]
fn types_of_two_forms_arrive_within_untagged_and_flattened_parts() {
    let address = IpAddr::from([10, 0, 0, 255]);
    let socket = Place::Socket { socket: (address, 7).into(), at: Duration::new(1, 2) };
    assert_arrives(vec![Place::Address(address), Place::Address(IpAddr::from([7u16; 8]))]);
    assert_arrives(AtPlace { id: 1, places: BTreeMap::from([("a".to_string(), socket)]) });
    assert_arrives((address, SocketAddr::from((address, u16::MAX))));
}

/// A struct whose reader and writer were written by hand: it reads fields by names only, and does not announce how many
/// it writes.
#[derive(Debug, PartialEq)]
struct ByHand(u8, u8);

impl Serialize for ByHand {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut fields = serializer.serialize_struct("ByHand", 0)?;
        fields.serialize_field("a", &self.0)?;
        fields.serialize_field("b", &self.1)?;
        fields.end()
    }
}

impl<'de> Deserialize<'de> for ByHand {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = ByHand;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("the fields a and b")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ByHand, A::Error> {
                let mut value = ByHand(0, 0);
                while let Some(name) = map.next_key::<String>()? {
                    *(if name == "a" { &mut value.0 } else { &mut value.1 }) = map.next_value()?;
                }
                Ok(value)
            }
        }
        deserializer.deserialize_struct("ByHand", &["a", "b"], Fields)
    }
}

/// A sequence that does not know its length.
struct Endless;

impl Serialize for Endless {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((0..10u8).filter(|number| number % 3 == 0))
    }
}

#[test]
fn values_of_a_serialize_by_hand_arrive() {
    assert_arrives(vec![ByHand(1, 2), ByHand(3, 4)]);
    assert_eq!(from_bytes::<Vec<u8>>(&encoded(&Endless)).unwrap(), [0, 3, 6, 9]);
}

#[test]
fn struct_is_read_as_another_struct_map_or_tuple() {
    #[derive(Serialize)]
    struct Before {
        x: u32,
        gone: String,
    }
    let bytes = encoded(&Before { x: 3, gone: "old".to_string() });
    assert_eq!(from_bytes::<Inner>(&bytes).unwrap(), Inner { x: 3 });
    assert_eq!(from_bytes::<(u32, String)>(&bytes).unwrap(), (3, "old".to_string()));
    let map: BTreeMap<String, Number> = from_bytes(&encoded(&Inner { x: 3 })).unwrap();
    assert_eq!(map, BTreeMap::from([("x".to_string(), Number::Unsigned(3))]));
    assert!(from_bytes::<(u32,)>(&bytes).is_err(), "a value would be lost");
}

#[test]
fn encoding_stops_at_the_bound() {
    let bytes = encoded(&vec![1u64; 10]).len();
    assert!(to_bytes(&vec![1u64; 10], Vec::new(), bytes, None).is_ok());
    assert!(matches!(to_bytes(&vec![1u64; 10], Vec::new(), bytes - 1, None), Err(CodecError::TooLong(_))));
    assert!(matches!(to_bytes(&"x".repeat(1000), Vec::new(), 999, None), Err(CodecError::TooLong(_))));
}

/// A fuzzer found it: without the check, each of 2^56 values is read from no bytes.
#[test]
fn endless_values_without_bytes_are_refused() {
    let mut bytes = encoded(&vec![(); 2]);
    let lengths = bytes.len() - 1 - 2 - 16..bytes.len() - 1 - 2;
    bytes[lengths].fill(1);
    assert!(matches!(from_bytes::<Vec<()>>(&bytes), Err(CodecError::Damaged(_))));
}

proptest! {
    #[test]
    fn damaged_bytes_are_an_error_or_a_value(mut bytes in prop::collection::vec(any::<u8>(), 0..200), tables: bool) {
        bytes.push(u8::from(tables));
        let _ = from_bytes::<Number>(&bytes);
        let _ = from_bytes::<Flat>(&bytes);
        let _ = from_bytes::<Vec<LeavesOneOut>>(&bytes);
    }

    #[test]
    fn changed_bytes_are_an_error_or_a_value(at in 0usize..80, byte: u8) {
        let skips = |first| Skips { first, bytes: vec![1, 7], last: None };
        let mut bytes = encoded(&(vec![skips(0), skips(1)], LeavesOneOut::Second(3)));
        let index = at % bytes.len();
        bytes[index] = byte;
        let _ = from_bytes::<(Vec<Skips>, LeavesOneOut)>(&bytes);
    }
}
