//! The tables of a message: the names of the fields of its structs, and its variants.

use crate::objects::codec::CodecError;
use crate::objects::codec::format::{HAS_TABLES, put_length, take_array, take_length, take_str};
use rustc_hash::FxHashMap as HashMap;
use std::rc::Rc;

/// Where a text lies: a struct's or variant's name as a key, compared by address. Equal names at two addresses are only
/// written twice.
type Address = (*const u8, usize);

fn address(text: &'static str) -> Address {
    (text.as_ptr(), text.len())
}

/// The tables of a message that is being written.
#[derive(Default)]
pub struct Tables {
    shapes: Vec<Vec<&'static str>>,
    /// The last shape of a struct of that name.
    by_name: HashMap<Address, u32>,
    variants: Vec<(u32, &'static str)>,
    by_variant: HashMap<(Address, u32), u32>,
}

/// The fields of a struct that is being written.
pub struct Fields {
    name: &'static str,
    /// The shape that the last struct of the name had, and how many of its names this one has had so far.
    expected: Option<(u32, usize)>,
    /// Its own names, once they are not the expected ones.
    names: Vec<&'static str>,
}

impl Tables {
    /// A struct of that name begins.
    pub fn begin(&self, name: &'static str) -> Fields {
        let expected = self.by_name.get(&address(name)).map(|shape| (*shape, 0));
        Fields { name, expected, names: Vec::new() }
    }

    /// The struct has a field.
    pub fn add(&self, fields: &mut Fields, name: &'static str) {
        if let Some((shape, count)) = &mut fields.expected {
            let names = &self.shapes[*shape as usize];
            if names.get(*count).is_some_and(|expected| std::ptr::eq(*expected, name)) {
                *count += 1;
                return;
            }
            fields.names = names[..*count].to_vec();
            fields.expected = None;
        }
        fields.names.push(name);
    }

    /// The struct has no more fields: the number of its shape.
    pub fn end(&mut self, fields: Fields) -> u32 {
        let names = match fields.expected {
            Some((shape, count)) if count == self.shapes[shape as usize].len() => return shape,
            Some((shape, count)) => self.shapes[shape as usize][..count].to_vec(),
            None => fields.names,
        };
        let shape = self.shapes.iter().position(|shape| *shape == names).unwrap_or_else(|| {
            self.shapes.push(names);
            self.shapes.len() - 1
        });
        self.by_name.insert(address(fields.name), shape as u32);
        shape as u32
    }

    /// The number of a variant.
    pub fn variant(&mut self, index: u32, name: &'static str) -> u32 {
        *self.by_variant.entry((address(name), index)).or_insert_with(|| {
            self.variants.push((index, name));
            self.variants.len() as u32 - 1
        })
    }

    /// Appends the tables and their length.
    pub fn finish(self, out: &mut Vec<u8>) {
        let start = out.len();
        put_length(out, self.shapes.len());
        for names in &self.shapes {
            put_length(out, names.len());
            names.iter().for_each(|name| put_str(out, name));
        }
        put_length(out, self.variants.len());
        for (index, name) in &self.variants {
            out.extend(index.to_le_bytes());
            put_str(out, name);
        }
        let length = (out.len() - start) as u32;
        out.extend(length.to_le_bytes());
    }
}

fn put_str(out: &mut Vec<u8>, text: &str) {
    put_length(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

/// How a shape is read by a `Deserialize` that expects certain fields.
#[derive(Clone)]
pub enum Reading<'de> {
    /// The names are these, the expected ones.
    InOrder(Rc<[&'de str]>),
    /// By names; these are those to hand out.
    ByName(Rc<[&'de str]>),
}

struct ReadShape<'de> {
    names: Rc<[&'de str]>,
    /// For the `Deserialize` that read it last: its fields, and how.
    last: Option<(&'static [&'static str], Reading<'de>)>,
}

/// The tables of a message that is being read.
#[derive(Default)]
pub struct ReadTables<'de> {
    shapes: Vec<ReadShape<'de>>,
    variants: Vec<(u32, &'de str)>,
}

const DAMAGED: CodecError = CodecError::Damaged("the tables are damaged");

impl<'de> ReadTables<'de> {
    /// Removes the tables from the end of a message; the value is left.
    ///
    /// # Errors
    /// If they are damaged.
    #[inline]
    pub fn take(message: &mut &'de [u8]) -> Result<Option<Box<ReadTables<'de>>>, CodecError> {
        match message.split_last() {
            Some((end, rest)) if end & HAS_TABLES == 0 => {
                *message = rest;
                Ok(None)
            }
            Some((_, rest)) => ReadTables::of(message, rest).map(|tables| Some(Box::new(tables))),
            None => Err(DAMAGED),
        }
    }

    fn of(message: &mut &'de [u8], rest: &'de [u8]) -> Result<ReadTables<'de>, CodecError> {
        let (rest, length) = rest.split_last_chunk::<4>().ok_or(DAMAGED)?;
        let at = rest.len().checked_sub(u32::from_le_bytes(*length) as usize).ok_or(DAMAGED)?;
        let (value, mut tables) = rest.split_at(at);
        *message = value;
        let mut read = ReadTables::default();
        for _ in 0..take_length(&mut tables)? {
            let count = take_length(&mut tables)?;
            let names = (0..count).map(|_| take_str(&mut tables)).collect::<Result<_, _>>()?;
            read.shapes.push(ReadShape { names, last: None });
        }
        for _ in 0..take_length(&mut tables)? {
            read.variants.push((u32::from_le_bytes(take_array(&mut tables)?), take_str(&mut tables)?));
        }
        if tables.is_empty() { Ok(read) } else { Err(DAMAGED) }
    }

    /// The names of a shape.
    ///
    /// # Errors
    /// If there is no such shape.
    pub fn names(&self, shape: u32) -> Result<&Rc<[&'de str]>, CodecError> {
        self.shapes.get(shape as usize).map(|shape| &shape.names).ok_or(CodecError::Damaged("a shape is missing"))
    }

    /// How a `Deserialize` that expects these fields reads the shape.
    ///
    /// # Errors
    /// If there is no such shape.
    pub fn reading(&mut self, shape: u32, fields: &'static [&'static str]) -> Result<Reading<'de>, CodecError> {
        let shape = self.shapes.get_mut(shape as usize).ok_or(CodecError::Damaged("a shape is missing"))?;
        if let Some((last, reading)) = &shape.last
            && std::ptr::eq(*last, fields)
        {
            return Ok(reading.clone());
        }
        let reading = match *shape.names == *fields {
            true => Reading::InOrder(shape.names.clone()),
            false => Reading::ByName(renamed(&shape.names, fields)),
        };
        shape.last = Some((fields, reading.clone()));
        Ok(reading)
    }

    /// A variant's index and name.
    ///
    /// # Errors
    /// If there is no such variant.
    pub fn variant(&self, variant: u32) -> Result<(u32, &'de str), CodecError> {
        self.variants.get(variant as usize).copied().ok_or(CodecError::Damaged("a variant is missing"))
    }
}

/// The names by which fields are handed out: their own; but a field that has one name to write and another to read
/// (`rename(serialize = .., deserialize = ..)`) gets the latter, which stands at the same index.
fn renamed<'de>(names: &Rc<[&'de str]>, fields: &'static [&'static str]) -> Rc<[&'de str]> {
    if names.len() != fields.len() {
        return names.clone();
    }
    let one = |(name, field): (&&'de str, &&'static str)| {
        if fields.contains(name) || names.contains(field) { *name } else { *field }
    };
    names.iter().zip(fields).map(one).collect()
}
