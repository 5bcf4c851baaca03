//! The arguments of a call: a few short arrays in one piece of plain memory, others as a list.

use crate::base::Result;
use crate::native::actor::NativeHandle;
use crate::native::array::{ArrayView, NativeArray, copy_short};
use crate::native::element::ElementType;
use crate::objects::ObjectRef;
use crate::objects::form::{self, Forms, Parts};
use crate::registry::Arg;
use crate::rpc::PlainBytes;
use serde::de::SeqAccess;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One argument of a call.
pub enum NativeArgument {
    /// An array, or a reference to one that is complete when the call runs.
    Array(Arg<NativeArray>),
    /// A reference that is handed over as it is.
    Reference(ObjectRef<NativeArray>),
    /// A handle of an actor.
    Actor(NativeHandle),
}

impl Serialize for NativeArgument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            NativeArgument::Array(array) => (0u8, array).serialize(serializer),
            NativeArgument::Reference(reference) => (1u8, reference).serialize(serializer),
            NativeArgument::Actor(handle) => (2u8, handle).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for NativeArgument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        form::deserialize(deserializer)
    }
}

impl<'de> Forms<'de> for NativeArgument {
    const WHAT: &'static str = "an argument of C";
    const PARTS: usize = 2;
    fn read<A: SeqAccess<'de>>(form: u8, mut parts: Parts<A>) -> Result<Option<NativeArgument>, A::Error> {
        match form {
            0 => Ok(parts.next()?.map(NativeArgument::Array)),
            1 => Ok(parts.next()?.map(NativeArgument::Reference)),
            2 => Ok(parts.next()?.map(NativeArgument::Actor)),
            _ => Ok(None),
        }
    }
}

/// An argument as the body of its call reads it.
pub enum ArgumentView<'a> {
    /// An array.
    Array(ArrayView<'a>),
    /// A reference that was handed over as it is.
    Reference(&'a ObjectRef<NativeArray>),
    /// A handle of an actor.
    Actor(&'a NativeHandle),
}

/// Words of the elements of short arguments, and how many arguments those are at most.
const SHORT: usize = 4;

/// The element type of an argument that is not there.
const NONE: u8 = u8::MAX;

/// A few short arrays, one behind the other: each begins at a word.
#[derive(Clone, Copy)]
struct ShortArrays {
    words: [u64; SHORT],
    /// The number of the element type.
    elements: [u8; SHORT],
    /// In bytes.
    lengths: [u8; SHORT],
}

impl ShortArrays {
    const EMPTY: ShortArrays = ShortArrays { words: [0; SHORT], elements: [NONE; SHORT], lengths: [0; SHORT] };

    fn count(&self) -> usize {
        self.elements.iter().take_while(|element| **element != NONE).count()
    }

    /// The words of the arrays before that position.
    #[inline]
    fn words_before(&self, position: usize) -> usize {
        self.lengths[..position].iter().map(|length| usize::from(*length).div_ceil(size_of::<u64>())).sum()
    }

    /// Appends an array; false if there is no space for it.
    #[inline]
    fn push(&mut self, element: ElementType, bytes: &[u8]) -> bool {
        let (position, space) = (self.count(), size_of::<[u64; SHORT]>());
        if position == SHORT || bytes.len() > space {
            return false;
        }
        let begin = self.words_before(position) * size_of::<u64>();
        let Some(place) = bytemuck::bytes_of_mut(&mut self.words).get_mut(begin..begin + bytes.len()) else {
            return false;
        };
        copy_short(place, bytes);
        (self.elements[position], self.lengths[position]) = (element as u8, bytes.len() as u8);
        true
    }

    #[inline]
    fn get(&self, position: usize) -> Option<ArrayView<'_>> {
        let element = ElementType::from_number((*self.elements.get(position)?).into())?;
        let begin = self.words_before(position) * size_of::<u64>();
        let bytes = bytemuck::bytes_of(&self.words).get(begin..begin + usize::from(self.lengths[position]))?;
        Some(ArrayView::of(element, bytes))
    }

    fn iter(&self) -> impl Iterator<Item = ArrayView<'_>> {
        (0..self.count()).filter_map(|position| self.get(position))
    }

    fn push_plain(&self, out: &mut PlainBytes) -> bool {
        let words = &self.words[..self.words_before(SHORT)];
        out.push_bytes(&self.elements) && out.push_bytes(&self.lengths) && out.push_bytes(bytemuck::cast_slice(words))
    }

    /// `None` if the bytes are not those of such arrays, with every array a whole number of elements.
    fn from_plain(bytes: &[u8]) -> Option<ShortArrays> {
        let (elements, rest) = bytes.split_first_chunk()?;
        let (lengths, rest) = rest.split_first_chunk()?;
        let mut short = ShortArrays { words: [0; SHORT], elements: *elements, lengths: *lengths };
        if rest.len() != short.words_before(SHORT) * size_of::<u64>() {
            return None;
        }
        bytemuck::bytes_of_mut(&mut short.words).get_mut(..rest.len())?.copy_from_slice(rest);
        let count = short.count();
        let are_whole = (0..count).all(|position| short.get(position).is_some_and(|array| array.is_whole()));
        let is_none = |position: usize| short.elements[position] == NONE && short.lengths[position] == 0;
        (are_whole && (count..SHORT).all(is_none)).then_some(short)
    }
}

enum ArgumentStorage {
    Short(ShortArrays),
    List(Vec<NativeArgument>),
}

/// The arguments of a call.
pub struct CallArguments(ArgumentStorage);

impl Default for CallArguments {
    #[inline]
    fn default() -> Self {
        CallArguments(ArgumentStorage::Short(ShortArrays::EMPTY))
    }
}

impl CallArguments {
    /// Appends a copy of the bytes of elements.
    ///
    /// # Errors
    /// As of `NativeArray::copy_of`.
    #[inline]
    pub fn push_copy(&mut self, element: ElementType, bytes: &[u8]) -> Result<()> {
        if let ArgumentStorage::Short(short) = &mut self.0
            && short.push(element, bytes)
        {
            return Ok(());
        }
        self.push(NativeArgument::Array(Arg::Value(NativeArray::copy_of(element, bytes)?)));
        Ok(())
    }

    /// Appends an array.
    pub(super) fn push_array(&mut self, array: NativeArray) {
        if let ArgumentStorage::Short(short) = &mut self.0
            && array.actor().is_none()
            && array.view().stored().is_none()
            && short.push(array.element(), array.bytes())
        {
            return;
        }
        self.push(NativeArgument::Array(Arg::Value(array)));
    }

    /// Appends an argument.
    pub fn push(&mut self, argument: NativeArgument) {
        if let ArgumentStorage::Short(short) = &self.0 {
            *self = CallArguments(ArgumentStorage::List(listed(short)));
        }
        if let ArgumentStorage::List(list) = &mut self.0 {
            list.push(argument);
        }
    }

    /// How many there are.
    #[inline]
    pub fn count(&self) -> usize {
        match &self.0 {
            ArgumentStorage::Short(short) => short.count(),
            ArgumentStorage::List(list) => list.len(),
        }
    }

    /// The argument at that position; references are resolved, unless they were handed over as they are.
    #[inline]
    pub fn get(&self, position: usize) -> Option<ArgumentView<'_>> {
        match &self.0 {
            ArgumentStorage::Short(short) => short.get(position).map(ArgumentView::Array),
            ArgumentStorage::List(list) => Some(match list.get(position)? {
                NativeArgument::Array(array) => match array.value().actor() {
                    Some(handle) => ArgumentView::Actor(handle),
                    None => ArgumentView::Array(array.value().view()),
                },
                NativeArgument::Reference(reference) => ArgumentView::Reference(reference),
                NativeArgument::Actor(handle) => ArgumentView::Actor(handle),
            }),
        }
    }

    /// The argument at that position, if all are short, and it has the element type of that number.
    #[inline]
    pub fn short(&self, position: usize, element: u32) -> Option<ArrayView<'_>> {
        match &self.0 {
            ArgumentStorage::Short(short) => short.get(position).filter(|array| array.element as u32 == element),
            ArgumentStorage::List(_) => None,
        }
    }

    /// Those that may be references.
    pub(super) fn list(&self) -> &[NativeArgument] {
        match &self.0 {
            ArgumentStorage::Short(_) => &[],
            ArgumentStorage::List(list) => list,
        }
    }

    /// As `list`.
    pub(super) fn list_mut(&mut self) -> &mut [NativeArgument] {
        match &mut self.0 {
            ArgumentStorage::Short(_) => &mut [],
            ArgumentStorage::List(list) => list,
        }
    }

    /// Appends them to `out`; false if they are not short.
    pub(super) fn push_plain(&self, out: &mut PlainBytes) -> bool {
        matches!(&self.0, ArgumentStorage::Short(short) if short.push_plain(out))
    }

    /// The arguments that are all of `bytes`; `None` if they are not that.
    pub(super) fn from_plain(bytes: &[u8]) -> Option<CallArguments> {
        ShortArrays::from_plain(bytes).map(|short| CallArguments(ArgumentStorage::Short(short)))
    }
}

fn listed(short: &ShortArrays) -> Vec<NativeArgument> {
    let array =
        |array: ArrayView<'_>| NativeArgument::Array(Arg::Value(NativeArray::short(array.element, array.bytes)));
    short.iter().map(array).collect()
}

/// As their list.
impl Serialize for CallArguments {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            ArgumentStorage::Short(short) => listed(short).serialize(serializer),
            ArgumentStorage::List(list) => list.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for CallArguments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(|list| CallArguments(ArgumentStorage::List(list)))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn two_doubles() -> CallArguments {
        let mut arguments = CallArguments::default();
        arguments.push_copy(ElementType::F64, &1.5f64.to_ne_bytes()).unwrap();
        arguments.push_copy(ElementType::F64, &2.5f64.to_ne_bytes()).unwrap();
        arguments
    }

    fn arrays(arguments: &CallArguments) -> Vec<(ElementType, Vec<u8>)> {
        let array = |position| match arguments.get(position) {
            Some(ArgumentView::Array(array)) => (array.element, array.bytes.to_vec()),
            _ => panic!("argument {position} is no array"),
        };
        (0..arguments.count()).map(array).collect()
    }

    fn plain(arguments: &CallArguments) -> Option<PlainBytes> {
        let mut out = PlainBytes::new();
        arguments.push_plain(&mut out).then_some(out)
    }

    #[test]
    fn short_arrays_travel_as_plain_bytes() {
        let mut arguments = two_doubles();
        arguments.push_copy(ElementType::U8, &[1, 2, 3]).unwrap();
        arguments.push_copy(ElementType::Bytes, &[]).unwrap();
        let bytes = plain(&arguments).unwrap();
        assert_eq!(bytes.as_slice().len(), 8 + 3 * 8);
        assert_eq!(arrays(&CallArguments::from_plain(bytes.as_slice()).unwrap()), arrays(&arguments));
        let none = CallArguments::default();
        assert_eq!(CallArguments::from_plain(plain(&none).unwrap().as_slice()).unwrap().count(), 0);
    }

    #[test]
    fn more_or_longer_arguments_are_a_list() {
        let (mut five, mut long) = (CallArguments::default(), two_doubles());
        for number in 0..5u8 {
            five.push_copy(ElementType::U8, &[number]).unwrap();
        }
        long.push_copy(ElementType::F64, &[7; 24]).unwrap();
        for arguments in [&five, &long] {
            assert!(plain(arguments).is_none() && arguments.list().len() == arguments.count());
        }
        assert_eq!(arrays(&five)[4], (ElementType::U8, vec![4]));
        assert_eq!(arrays(&long)[..2], arrays(&two_doubles()));
        let encoded = crate::objects::encode(&long).unwrap();
        let back: CallArguments = crate::objects::decode(&encoded.bytes, encoded.attachments).unwrap();
        assert_eq!(arrays(&back), arrays(&long));
    }

    #[test]
    fn wrong_bytes_are_refused() {
        let right = plain(&two_doubles()).unwrap();
        let right = right.as_slice();
        assert!(CallArguments::from_plain(right).is_some());
        assert!(CallArguments::from_plain(&right[..right.len() - 1]).is_none());
        assert!(CallArguments::from_plain(&[right, &[0]].concat()).is_none());
        for (at, byte) in [(0, 13), (0, NONE), (3, 0), (4, 7), (4, 0xff), (6, 1)] {
            let mut wrong = right.to_vec();
            wrong[at] = byte;
            assert!(CallArguments::from_plain(&wrong).is_none(), "byte {at} as {byte}");
        }
    }
}
