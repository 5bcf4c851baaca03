//! Structs with fields that serde writes as fields of the struct around them.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inner {
    number: i64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    text: Option<String>,
    pair: (u8, f32),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Struct {
    before: u8,
    #[serde(flatten)]
    inner: Inner,
    after: Option<char>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Twice {
    #[serde(flatten)]
    inner: Inner,
    #[serde(flatten)]
    rest: BTreeMap<String, Vec<Option<u16>>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deep {
    id: u64,
    #[serde(flatten)]
    outer: Struct,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Maybe {
    #[serde(flatten)]
    inner: Option<Inner>,
    after: u8,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Numbers {
    #[serde(flatten)]
    by_number: BTreeMap<u32, String>,
    named: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signed {
    #[serde(flatten)]
    by_number: HashMap<i8, Inner>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Key {
    One,
    Two,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Keys {
    #[serde(flatten)]
    by_key: BTreeMap<Key, f64>,
    last: u8,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chars {
    #[serde(flatten)]
    by_char: BTreeMap<char, (u8, u8)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum External {
    First { number: u64 },
    Second(Vec<u8>),
    Pair(u8, i8),
    Unit,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Internal {
    First { number: u64 },
    Second(Inner),
    Unit,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "t", content = "c")]
pub enum Adjacent {
    First { number: u64 },
    Pair(u8, i8),
    Unit,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Untagged {
    First { first: u64 },
    Second(Inner),
}

macro_rules! around {
    ($($name:ident($type:ident))*) => {
        $(#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub struct $name {
            id: u16,
            #[serde(flatten)]
            inner: $type,
            bytes: serde_bytes::ByteBuf,
        }
        impl $name {
            fn of(inner: $type) -> Self {
                $name { id: 500, inner, bytes: vec![0, 255].into() }
            }
        })*
    };
}

around!(AroundExternal(External) AroundInternal(Internal) AroundAdjacent(Adjacent) AroundUntagged(Untagged));

/// Flattened within a variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum InVariant {
    Some {
        id: u8,
        #[serde(flatten)]
        rest: HashMap<String, serde_json::Value>,
    },
    None,
}

fn inner(text: Option<&str>) -> Inner {
    Inner { number: i64::MIN, text: text.map(String::from), pair: (1, 0.1) }
}

fn outer(text: Option<&str>) -> Struct {
    Struct { before: 1, inner: inner(text), after: text.map(|_| 'é') }
}

crate::values! {
    flattened {
        in_struct: Struct = [outer(None), outer(Some("t"))];
        twice: Twice = [Twice { inner: inner(None), rest: BTreeMap::from([("r".into(), vec![Some(1), None])]) }];
        deep: Deep = [Deep { id: u64::MAX, outer: outer(None) }, Deep { id: 0, outer: outer(Some("t")) }];
        maybe: Maybe = [Maybe { inner: Some(inner(None)), after: 1 }, Maybe { inner: None, after: 2 }];
        numbers: Numbers = [
            Numbers { by_number: BTreeMap::from([(1, "a".into()), (u32::MAX, "b".into())]), named: true },
        ];
        signed: Signed = [Signed { by_number: HashMap::from([(-1, inner(Some("x")))]) }];
        keys: Keys = [Keys { by_key: BTreeMap::from([(Key::One, 0.1), (Key::Two, -0.1)]), last: 1 }];
        chars: Chars = [Chars { by_char: BTreeMap::from([('é', (1, 2))]) }];
        around_external: AroundExternal = [
            AroundExternal::of(External::First { number: u64::MAX }),
            AroundExternal::of(External::Second(vec![1, 2])),
            AroundExternal::of(External::Pair(1, -1)),
            AroundExternal::of(External::Unit),
        ];
        around_internal: AroundInternal = [
            AroundInternal::of(Internal::First { number: u64::MAX }),
            AroundInternal::of(Internal::Second(inner(Some("t")))),
            AroundInternal::of(Internal::Unit),
        ];
        around_adjacent: AroundAdjacent = [
            AroundAdjacent::of(Adjacent::First { number: 1 }),
            AroundAdjacent::of(Adjacent::Pair(1, -1)),
            AroundAdjacent::of(Adjacent::Unit),
        ];
        around_untagged: AroundUntagged = [
            AroundUntagged::of(Untagged::First { first: 1 }),
            AroundUntagged::of(Untagged::Second(inner(None))),
        ];
        in_variant: InVariant = [
            InVariant::None,
            InVariant::Some { id: 1, rest: HashMap::from([("a".into(), serde_json::json!({ "b": [null, -1, 0.5] }))]) },
        ];
        listed: Vec<Twice> = [vec![
            Twice { inner: inner(Some("1")), rest: BTreeMap::new() },
            Twice { inner: inner(None), rest: BTreeMap::from([("s".into(), vec![])]) },
        ]];
    }
}
