//! Values that cannot be sent: the error is the same on this rank as on another, at the first call.

use mobula::prelude::*;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// serde keeps the value before it knows the variant, and keeps no such number.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LongNumber {
    Number(u128),
    Text(String),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Flattened {
    #[serde(flatten)]
    inner: Number,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Number {
    number: i128,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NotWritten {
    #[serde(skip_serializing)]
    secret: String,
    shown: u8,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Node {
    next: Option<Box<Node>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct File {
    path: PathBuf,
}

fn node(levels: usize) -> Node {
    (0..levels).fold(Node { next: None }, |inner, _| Node { next: Some(Box::new(inner)) })
}

fn number(of: i128) -> Flattened {
    Flattened { inner: Number { number: of } }
}

fn not_written() -> NotWritten {
    NotWritten { secret: "s".into(), shown: 1 }
}

fn file(bytes: &[u8]) -> File {
    File { path: PathBuf::from(std::ffi::OsString::from_vec(bytes.to_vec())) }
}

/// `function, result: Type = a value that is refused, its error, values that are not;`
macro_rules! refused {
    ($($take:ident $make:ident: $type:ident = $value:expr, $parts:expr, [$($good:expr),*];)*) => {
        $(#[mobula::remote]
        fn $take(_value: &$type) -> u8 {
            1
        }

        #[mobula::remote]
        fn $make() -> $type {
            $value
        }

        #[allow(non_snake_case)]
        fn $type(rank: u32) -> mobula::Result<String> {
            let argument = || $take::on(rank).remote($value).get().expect_err(stringify!($take)).to_string();
            let first = argument();
            for part in $parts.iter().chain(&[stringify!($type)]) {
                assert!(first.contains(part), "{part} is not in: {first}");
            }
            let named = format!("{} (an argument of {})", stringify!($type), stringify!($take));
            assert!(first.contains(&named) && !first.contains("Arg<"), "{first}");
            assert_eq!(argument(), first, "the second call");
            let result = $make::on(rank).remote().get().expect_err(stringify!($make)).to_string();
            $parts.iter().for_each(|part| assert!(result.contains(part), "{part} is not in: {result}"));
            // Once a value could be sent, the next ones fail where they are sent.
            $(assert_eq!(*$take::on(rank).remote($good).get()?, 1);)*
            Ok(first)
        })*

        const ALL: &[fn(u32) -> mobula::Result<String>] = &[$($type),*];
    };
}

refused! {
    take_long make_long: LongNumber = LongNumber::Number(u128::MAX), ["serde keeps no 128-bit numbers"],
        [LongNumber::Text("t".into())];
    take_flattened make_flattened: Flattened = number(i128::MIN), ["serde keeps no 128-bit numbers"], [];
    take_not_written make_not_written: NotWritten = not_written(), ["missing field `secret`", "needs `default`"], [];
    take_node make_node: Node = node(3000), ["values lie in each other deeper than"], [node(20)];
    take_file make_file: File = file(&[0xff]), ["its Serialize failed", "UTF-8"], [file(b"/a")];
}

pub struct Holder;

#[mobula::actor]
impl Holder {
    pub fn new(_value: NotWritten) -> Self {
        Holder
    }
    pub fn exists(&self) {}
}

pub struct Taker;

#[mobula::actor]
impl Taker {
    pub fn new() -> Self {
        Taker
    }
    pub fn take(&self, value: NotWritten) -> usize {
        value.secret.len() + usize::from(value.shown)
    }
    pub fn make(&self) -> NotWritten {
        not_written()
    }
}

/// Refuses by a panic, which tells nothing of the type.
#[derive(Debug)]
pub struct Panics;

impl Serialize for Panics {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("cannot be written")
    }
}

impl<'de> Deserialize<'de> for Panics {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Panics, D::Error> {
        panic!("cannot be read")
    }
}

#[mobula::remote]
fn take_panics(_number: u8, _value: Panics, _list: Vec<NotWritten>) {}

#[mobula::remote]
fn take_list(_number: u8, _list: Vec<NotWritten>) {}

/// Arguments of functions with several: the one that was refused is named, not what holds them all.
fn several(rank: u32) {
    let text = |error: Error| error.to_string();
    let list = take_list::on(rank).remote(1, vec![not_written()]).get().map_err(text).expect_err("a list");
    let named = "Vec<values::refused::NotWritten> (an argument of take_list) is lost";
    assert!(list.contains(named) && !list.contains("Arg<"), "{list}");
    let panics = take_panics::on(rank).remote(1, Panics, Vec::new()).get().map_err(text).expect_err("a panic");
    assert!(panics.contains("object an argument of take_panics is lost"), "{panics}");
}

/// References, handles and arrays in a value that is looked at keep their meaning.
#[derive(Clone, Serialize, Deserialize)]
pub struct Links {
    reference: ObjectRef<String>,
    handle: TakerHandle,
    array: Array<u64>,
}

#[mobula::remote]
fn pass(links: Links) -> Links {
    links
}

fn links(rank: u32) -> mobula::Result<()> {
    let mut array = mobula::create_array(2)?;
    array.as_mut_slice().copy_from_slice(&[1, 2]);
    let handle = Taker::on(rank).remote();
    let links = Links { reference: mobula::put("text".to_string())?, handle, array: array.seal() };
    let back = pass::on(rank).remote(links).get()?;
    assert_eq!((back.reference.get()?.as_str(), &*back.array), ("text", &[1, 2][..]));
    assert!(back.handle.make().get().is_err_and(|error| error.to_string().contains("missing field")));
    Ok(())
}

/// The errors, one for each type.
pub fn all(rank: u32) -> mobula::Result<Vec<String>> {
    let texts = ALL.iter().map(|refused| refused(rank)).collect::<mobula::Result<_>>()?;
    let is_refused = |outcome: Error| assert!(outcome.to_string().contains("missing field `secret`"), "{outcome}");
    let taker = Taker::on(rank).remote();
    is_refused(taker.take(not_written()).get().expect_err("an argument of a method"));
    is_refused(taker.make().get().expect_err("a result of a method"));
    is_refused(Holder::on(rank).remote(not_written()).exists().get().expect_err("an argument of a constructor"));
    several(rank);
    links(rank)?;
    Ok(texts)
}
