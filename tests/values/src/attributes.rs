//! Structs with serde's attributes.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unit;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Empty {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Newtype(Vec<f32>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Transparent {
    only: BTreeMap<u8, String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tuple(u8, String, #[serde(skip)] u8, Option<Unit>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename = "other", rename_all = "camelCase")]
pub struct Renamed {
    first_field: u8,
    #[serde(rename = "2nd")]
    second_field: String,
    #[serde(rename(serialize = "written", deserialize = "read"))]
    third_field: f32,
    r#type: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Aliased {
    #[serde(alias = "z", alias = "a")]
    first: u8,
    #[serde(rename = "2nd", alias = "second")]
    other: Option<u8>,
    last: f32,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn seven() -> u64 {
    7
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Skips {
    #[serde(skip_serializing_if = "is_zero", default)]
    number: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    option: Option<String>,
    #[serde(skip)]
    never: u8,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    list: Vec<u8>,
    #[serde(skip_serializing, default = "seven")]
    not_written: u64,
    last: u8,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Defaults {
    #[serde(skip_serializing_if = "is_zero")]
    a: u64,
    #[serde(skip_serializing_if = "is_zero")]
    b: u64,
}

mod as_text {
    use super::*;
    use std::fmt::Display;
    use std::str::FromStr;

    pub fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        Cow::<'_, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

fn doubled<S: Serializer>(value: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::from(*value) * 2)
}

fn halved<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    Ok((u64::deserialize(deserializer)? / 2) as u32)
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct With {
    #[serde(with = "as_text")]
    text: u128,
    #[serde(serialize_with = "doubled", deserialize_with = "halved")]
    number: u32,
    #[serde(with = "serde_bytes")]
    bytes: Vec<u8>,
    #[serde(with = "serde_bytes")]
    array: [u8; 4],
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "(u8, u8)", into = "(u8, u8)")]
pub struct Converted {
    sum: u8,
    difference: u8,
}

impl From<(u8, u8)> for Converted {
    fn from((sum, difference): (u8, u8)) -> Self {
        Converted { sum, difference }
    }
}

impl From<Converted> for (u8, u8) {
    fn from(value: Converted) -> Self {
        (value.sum, value.difference)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Even(u64);

impl TryFrom<String> for Even {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let number = text.parse::<u64>().map_err(|error| error.to_string())?;
        if number % 2 == 0 { Ok(Even(number)) } else { Err(format!("{number} is odd")) }
    }
}

impl From<Even> for String {
    fn from(value: Even) -> Self {
        value.0.to_string()
    }
}

/// A type of another crate, which has no serde of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Foreign {
    seconds: i64,
    name: &'static str,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Foreign")]
struct ForeignDefinition {
    seconds: i64,
    #[serde(skip, default = "nameless")]
    name: &'static str,
}

fn nameless() -> &'static str {
    "nameless"
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UsesForeign {
    #[serde(with = "ForeignDefinition")]
    foreign: Foreign,
    after: u8,
}

pub trait Unit2 {
    type Number;
}

impl Unit2 for Unit {
    type Number = f64;
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(
    serialize = "U::Number: Serialize, T: Serialize",
    deserialize = "U::Number: Deserialize<'de>, T: Deserialize<'de> + Default"
))]
pub struct Bounded<U: Unit2, T> {
    number: U::Number,
    #[serde(default)]
    other: Option<T>,
    #[serde(skip)]
    unit: std::marker::PhantomData<U>,
}

/// Written by hand: a sequence whose length is not announced, and a struct that only knows its fields by name.
#[derive(Clone, Debug, PartialEq)]
pub struct ByHand {
    numbers: Vec<u16>,
}

impl Serialize for ByHand {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.numbers.iter().filter(|number| **number != 0))
    }
}

impl<'de> Deserialize<'de> for ByHand {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(|numbers| ByHand { numbers })
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chain {
    depth: u32,
    next: Option<Box<Chain>>,
}

fn chain(depth: u32) -> Chain {
    (1..depth).fold(Chain { depth: 0, next: None }, |next, depth| Chain { depth, next: Some(Box::new(next)) })
}

fn skips(number: u64, option: Option<&str>, list: &[u8]) -> Skips {
    Skips { number, option: option.map(String::from), list: list.to_vec(), not_written: 7, last: 9, ..Skips::default() }
}

crate::values! {
    attributes {
        unit: Unit = [Unit];
        empty: Empty = [Empty {}];
        newtype: Newtype = [Newtype(vec![0.5; 100])];
        transparent: Transparent = [Transparent { only: BTreeMap::from([(1, "a".into())]) }];
        tuple: Tuple = [Tuple(1, "a".into(), 0, Some(Unit)), Tuple(1, "a".into(), 0, None)];
        renamed: Renamed = [Renamed { first_field: 1, second_field: "2".into(), third_field: 3.5, r#type: true }];
        aliased: Aliased = [
            Aliased { first: 1, other: Some(2), last: 3.5 }, Aliased { first: 1, other: None, last: 0.0 },
        ];
        skipping: Skips = [
            skips(0, None, &[]), skips(1, None, &[1, 7]), skips(0, Some("s"), &[1, 7]), skips(2, Some(""), &[]),
        ];
        skipping_list: Vec<Skips> = [vec![skips(0, None, &[]), skips(1, Some("x"), &[3]), skips(0, Some("y"), &[])]];
        defaults: Defaults = [Defaults { a: 0, b: 1 }, Defaults { a: 1, b: 0 }, Defaults::default()];
        with: With = [With { text: u128::MAX, number: u32::MAX, bytes: vec![0; 300], array: [1, 2, 3, 4] }];
        converted: Converted = [Converted { sum: 3, difference: 1 }];
        even: Even = [Even(1 << 40)];
        foreign: UsesForeign = [UsesForeign { foreign: Foreign { seconds: -1, name: "nameless" }, after: 3 }];
        bounded: Bounded<Unit, Skips> = [
            Bounded { number: 0.1, other: Some(skips(0, None, &[4])), unit: std::marker::PhantomData },
            Bounded { number: 0.1, other: None, unit: std::marker::PhantomData },
        ];
        by_hand: ByHand = [ByHand { numbers: vec![1, 2, 3] }, ByHand { numbers: vec![] }];
        chained: Chain = [chain(1), chain(20)];
        generic: (Newtype, Option<Transparent>, [Renamed; 1]) = [(
            Newtype(vec![]),
            None,
            [Renamed { first_field: 1, second_field: "2".into(), third_field: 3.5, r#type: false }],
        )];
    }
}
