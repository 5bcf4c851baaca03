//! Enums in the four representations that serde has, with every kind of variant.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

macro_rules! variants {
    ($($(#[$attribute:meta])* $name:ident { $($tuple:ident)? })*) => {
        $(#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        $(#[$attribute])*
        pub enum $name {
            Struct { text: String, pairs: BTreeMap<u8, char>, inner: Option<Kind> },
            Newtype(Point),
            $($tuple(u8, Option<String>, (i64, f32)),)?
            Unit,
        })*
    };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    FirstOne,
    SecondOne = 7,
    #[serde(alias = "3rd")]
    Third,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    x: f64,
    y: Option<f32>,
    kind: Kind,
}

variants! {
    External { Tuple }
    #[serde(tag = "type")]
    Internal {}
    #[serde(tag = "t", content = "c")]
    Adjacent { Tuple }
    #[serde(untagged)]
    Untagged { Tuple }
    #[serde(tag = "t", content = "c", rename_all = "SCREAMING_SNAKE_CASE", deny_unknown_fields)]
    Strict { Tuple }
}

macro_rules! each {
    ($name:ident $($tuple:ident)?) => {
        [
            $name::Struct { text: "é".into(), pairs: BTreeMap::from([(1, 'x')]), inner: Some(Kind::SecondOne) },
            $name::Struct { text: String::new(), pairs: BTreeMap::new(), inner: None },
            $name::Newtype(point()),
            $($name::$tuple(1, None, (-3, 0.1)), $name::$tuple(1, Some("s".into()), (i64::MIN, 0.5)),)?
            $name::Unit,
        ]
    };
}

/// What a value may be in a file for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Any {
    Nothing,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Char(char),
    Text(String),
    Pair(u8, String),
    List(Vec<Any>),
    Map(BTreeMap<String, Any>),
}

/// One of its variants is read after all others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum LastUntagged {
    Known(u8),
    #[serde(untagged)]
    Other(BTreeMap<String, Vec<i32>>),
}

/// Bytes, and what has two forms: for people and for machines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum TwoForms {
    Bytes { bytes: serde_bytes::ByteBuf },
    Address { address: std::net::IpAddr, time: std::time::Duration },
    Id { id: uuid::Uuid },
    Nested { inner: Box<External>, more: Vec<Untagged> },
    Map(BTreeMap<String, Kind>),
}

/// An internal tag around an adjacent one around an external one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outer")]
pub enum Nested {
    One { inner: Adjacent, list: Vec<External> },
    Two(Internal2),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "inner")]
pub enum Internal2 {
    A { number: u16 },
    B,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name")]
pub struct TaggedStruct {
    number: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Tree {
    Leaf(f32),
    Node(Box<Tree>, Box<Tree>),
}

/// The variant that stands for all others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum WithOther {
    Known,
    #[serde(other)]
    Other,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a number or a text")]
pub enum Expecting {
    Number(u8),
    Text(String),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value")]
pub enum Generic<T: Default> {
    Some(T),
    #[serde(rename = "0")]
    None,
    #[serde(with = "numbers_as_text")]
    Text(u64),
}

mod numbers_as_text {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

fn point() -> Point {
    Point { x: 0.1, y: Some(0.1), kind: Kind::FirstOne }
}

fn any() -> Any {
    let list = vec![Any::Bool(true), Any::Unsigned(u64::MAX), Any::Signed(-1), Any::Float(0.1), Any::Nothing];
    Any::Map(BTreeMap::from([("list".into(), Any::List(list)), ("text".into(), Any::Text("long".into()))]))
}

crate::values! {
    enums {
        kind: Kind = [Kind::FirstOne, Kind::SecondOne, Kind::Third];
        kinds: BTreeMap<Kind, Vec<Kind>> = [BTreeMap::from([(Kind::Third, vec![Kind::FirstOne; 3])])];
        external: External = each!(External Tuple);
        internal: Internal = each!(Internal);
        adjacent: Adjacent = each!(Adjacent Tuple);
        untagged: Untagged = each!(Untagged Tuple);
        strict: Strict = each!(Strict Tuple);
        anything: Any = [any(), Any::List(vec![any(), any()]), Any::Pair(1, "one".into()), Any::Char('é')];
        last_untagged: LastUntagged = [
            LastUntagged::Known(1), LastUntagged::Other(BTreeMap::from([("a".into(), vec![-1])])),
        ];
        two_forms: TwoForms = [
            TwoForms::Bytes { bytes: serde_bytes::ByteBuf::from(vec![1, 2, 255]) },
            TwoForms::Address { address: [127, 0, 0, 1].into(), time: std::time::Duration::new(1, 2) },
            TwoForms::Id { id: uuid::Uuid::from_u128(7) },
            TwoForms::Nested { inner: Box::new(External::Tuple(1, None, (-1, 0.5))), more: vec![Untagged::Unit] },
            TwoForms::Map(BTreeMap::from([("k".into(), Kind::Third)])),
        ];
        inside_each_other: Nested = [
            Nested::One { inner: Adjacent::Newtype(point()), list: vec![External::Unit, External::Newtype(point())] },
            Nested::Two(Internal2::A { number: 9 }),
            Nested::Two(Internal2::B),
        ];
        tagged_struct: TaggedStruct = [TaggedStruct { number: 3 }];
        tree: Tree = [Tree::Node(
            Box::new(Tree::Leaf(0.5)),
            Box::new(Tree::Node(Box::new(Tree::Leaf(-1.0)), Box::new(Tree::Leaf(2.0)))),
        )];
        with_other: WithOther = [WithOther::Known, WithOther::Other];
        expecting: Expecting = [Expecting::Number(1), Expecting::Text("t".into())];
        generic: Generic<Vec<f64>> = [Generic::Some(vec![1.0, 2.0]), Generic::None, Generic::Text(u64::MAX)];
        vector: Vec<Internal> = [each!(Internal).to_vec()];
        option: Option<Box<Adjacent>> = [None, Some(Box::new(Adjacent::Unit))];
    }
}
