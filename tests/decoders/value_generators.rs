//! Values with attachments, for property tests and for the seeds of the fuzzer.

use super::generators::{number, text};
use super::serialized_value::Nested;
use crate::objects::{Array, ArrayMemory, ObjectRef, Value};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::sync::Arc;

fn array<T: bytemuck::Pod>(length: usize) -> Array<T> {
    let memory: Arc<dyn ArrayMemory> = Arc::new(super::serialized_value::Bytes([3; 64], 64));
    Array::over(memory, 0, length).expect("it fits")
}

/// A value with references, arrays and numbers at several depths. Its attachments have the order that the fuzz target
/// assumes; the target's first byte gives the kinds of the first four.
pub fn nested() -> impl Strategy<Value = Nested> {
    let shape = (
        text(),
        (option::of(0..=16_usize), option::of(0..=2_usize)),
        option::of(number()),
        option::of(number()),
        vec(any::<u16>(), 0..4),
    );
    let leaf = shape.prop_map(|(name, (array_length, blocks), reference, of_references, numbers)| Nested {
        name,
        array: array_length.map(array),
        reference: reference.map(|value| ObjectRef::new(Value::ready(value))),
        inside: Vec::new(),
        by_number: blocks.map(|length| (7, array(length))).into_iter().collect(),
        of_references: of_references
            .map(|value| ObjectRef::new(Value::ready(vec![ObjectRef::new(Value::ready(value))]))),
        other_numbers: numbers.iter().map(|number| f32::from(*number)).collect(),
        numbers,
    });
    let leaf = leaf.boxed();
    (leaf.clone(), vec(leaf, 0..3)).prop_map(|(outer, inside)| Nested { inside, ..outer })
}
