//! Values that arrive as they were sent, and memory that is aligned as its elements need.

use crate::{Case, far};
use bytemuck::{Pod, Zeroable};
use mobula::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub const CASES: &[Case] = &[
    ("serde-attributes", serde_attributes),
    ("alignment", alignment),
    ("too-much-alignment", too_much_alignment),
    ("elements-without-size", elements_without_size),
];

fn is_zero(value: &u8) -> bool {
    *value == 0
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Skips {
    #[serde(skip_serializing_if = "is_zero", default)]
    a: u8,
    b: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Untagged {
    Number(i64),
    Text(String),
    Map(BTreeMap<String, f64>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Tagged {
    Point { x: f64, y: f64 },
    Nothing,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Everything {
    id: u32,
    #[serde(flatten)]
    skips: Skips,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    tagged: Option<Tagged>,
    list: Vec<Untagged>,
}

#[mobula::remote]
fn back(value: Everything) -> Everything {
    value
}

#[mobula::remote]
fn borrowed(value: &Skips) -> Skips {
    value.clone()
}

pub struct Holder(Everything);

#[mobula::actor(max_restarts = 1, checkpoint)]
impl Holder {
    pub fn new(value: Everything) -> Self {
        Holder(value)
    }
    pub fn value(&self) -> Everything {
        self.0.clone()
    }
    pub fn save(&self) -> Everything {
        self.0.clone()
    }
    pub fn restore(value: Everything) -> Self {
        Holder(value)
    }
}

fn serde_attributes() -> mobula::Result<()> {
    let skips = |a| Skips { a, b: vec![1, 7] };
    let map = BTreeMap::from([("x".to_string(), 0.5)]);
    for rank in [0, far()] {
        for tagged in [None, Some(Tagged::Nothing), Some(Tagged::Point { x: 1.0, y: -1.0 })] {
            let list = vec![Untagged::Number(-3), Untagged::Text("t".into()), Untagged::Map(map.clone())];
            let value = Everything { id: 9, skips: skips(u8::from(tagged.is_none())), tagged, list };
            assert_eq!(*back::on(rank).remote(value.clone()).get()?, value);
            assert_eq!(*back::on(rank).remote(&mobula::put(value.clone())?).get()?, value);
            let holder = Holder::on(rank).remote(value.clone());
            assert_eq!(*holder.value().get()?, value);
        }
        for a in [0, 1] {
            assert_eq!(*borrowed::on(rank).remote(skips(a)).get()?, skips(a));
        }
    }
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(128))]
struct Line([u64; 16]);

#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(4096))]
struct Page([u64; 512]);

#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(8192))]
struct TwoPages([u64; 1024]);

macro_rules! plain {
    ($($name:ident)*) => {
        $(
            // SAFETY: numbers without padding.
            unsafe impl Zeroable for $name {}
            // SAFETY: as above.
            unsafe impl Pod for $name {}
        )*
    };
}
plain!(Line Page TwoPages);

fn is_aligned<T>(slice: &[T]) -> bool {
    slice.as_ptr().addr().is_multiple_of(align_of::<T>())
}

#[mobula::remote]
fn sum_of_lines(lines: &Array<Line>) -> Result<u64, String> {
    if is_aligned(lines) { Ok(lines.iter().map(|line| line.0[15]).sum()) } else { Err("misaligned".to_string()) }
}

#[mobula::remote]
fn sum_of_pages(pages: &Array<Page>) -> Result<u64, String> {
    if is_aligned(pages) { Ok(pages.iter().map(|page| page.0[511]).sum()) } else { Err("misaligned".to_string()) }
}

fn alignment() -> mobula::Result<()> {
    let mut kept = Vec::new();
    for turn in 0..20u64 {
        // One byte moves what comes after it by 64.
        kept.push(mobula::put_array(&[1u8])?);
        let mut lines = mobula::create_array::<Line>(1)?;
        assert!(is_aligned(lines.as_mut_slice()));
        lines.as_mut_slice()[0] = Line([turn; 16]);
        let lines = lines.seal();
        assert!(is_aligned(&lines));
        assert_eq!(*lines, [Line([turn; 16])]);
        let pages = mobula::put_array(&[Page([turn; 512]), Page([1; 512])])?;
        assert!(is_aligned(&pages.get()?));
        for rank in [0, far()] {
            assert_eq!(*sum_of_lines::on(rank).remote(lines.clone()).get()?, turn);
            assert_eq!(*sum_of_pages::on(rank).remote(&pages).get()?, turn + 1);
        }
    }
    Ok(())
}

fn too_much_alignment() -> mobula::Result<()> {
    for error in
        [mobula::create_array::<TwoPages>(1).err().unwrap(), mobula::put_array(&[TwoPages([0; 1024])]).err().unwrap()]
    {
        let text = error.to_string();
        assert!(matches!(error, Error::Config { .. }) && text.contains("TwoPages") && text.contains("8192"), "{text}");
    }
    Ok(())
}

#[mobula::remote]
fn length(nothing: &Array<()>) -> usize {
    nothing.len()
}

fn elements_without_size() -> mobula::Result<()> {
    let nothing = mobula::put_array(&[(); 5])?;
    assert_eq!(nothing.get()?.len(), 5);
    assert_eq!(*length::on(far()).remote(&nothing).get()?, 5);
    assert_eq!(mobula::create_array::<()>(9)?.as_mut_slice().len(), 9);
    Ok(())
}
