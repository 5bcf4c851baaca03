//! How deep values lie in each other: reading and writing them takes stack for each level.
//!
//! So does dropping them, but less, and perhaps elsewhere: what one thread reads, a task may drop on its own stack. So
//! no thread reads what a fiber with an unused stack could not read. `tests/programs/field/deep_values.rs` drops the
//! deepest.

use crate::base::limits::{NESTING_MAX, NESTING_STACK_BYTES};
use crate::base::stack;
use crate::objects::codec::CodecError;

/// The part of what is left of a fiber's stack that stays for what a value's own `Serialize` or `Deserialize` calls.
const STACK_RESERVE: usize = 4;

/// Levels of ordinary values. A task deep in calls of its own sends them as before, whatever is left of its stack.
const ORDINARY_LEVELS: usize = 16;

/// The stack that values may take on a thread of the program, if fibers have stacks of so many bytes.
fn on_a_thread(fiber_bytes: usize) -> usize {
    NESTING_STACK_BYTES.min(fiber_bytes - fiber_bytes / STACK_RESERVE)
}

/// The levels that are left below the value that is being read or written.
pub(super) struct Depth {
    left: usize,
    /// The lowest address that the stack may reach, once more than ordinary levels were entered.
    floor: Option<usize>,
}

impl Depth {
    /// At the top.
    pub(super) const fn new() -> Depth {
        Depth { left: NESTING_MAX, floor: None }
    }

    /// So many levels further values follow.
    ///
    /// # Errors
    /// If that is too deep.
    #[inline]
    pub(super) fn enter(&mut self, levels: usize) -> Result<(), CodecError> {
        if self.left + ORDINARY_LEVELS < NESTING_MAX {
            self.check_stack()?;
        }
        self.left = self.left.checked_sub(levels).ok_or(CodecError::TooDeep(NESTING_MAX))?;
        Ok(())
    }

    #[cold]
    fn check_stack(&mut self) -> Result<(), CodecError> {
        let floor = *self.floor.get_or_insert_with(|| match stack::left() {
            Some((left, _)) => stack::bounds().0 + left / STACK_RESERVE,
            None => stack::here().saturating_sub(on_a_thread(stack::fiber_bytes())),
        });
        if stack::here() < floor { Err(CodecError::NoStack) } else { Ok(()) }
    }

    /// They have ended.
    #[inline]
    pub(super) fn leave(&mut self, levels: usize) {
        self.left += levels;
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::objects::codec::format::Tag;
    use crate::objects::codec::{from_bytes, to_bytes};
    use serde::{Deserialize, Serialize, Serializer};

    fn encoded(value: &impl Serialize) -> Vec<u8> {
        to_bytes(value, Vec::new(), usize::MAX, None).unwrap()
    }

    fn refused(value: &impl Serialize) -> CodecError {
        to_bytes(value, Vec::new(), usize::MAX, None).unwrap_err()
    }

    /// An option in an option and so on.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Options(Option<Box<Options>>);

    fn options(levels: usize) -> Options {
        (0..levels).fold(Options(None), |inner, _| Options(Some(Box::new(inner))))
    }

    /// Its variants take two levels each, and serde keeps the whole before it knows the type.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Kept {
        Inner(Cell),
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Cell {
        End,
        Cons { number: u64, text: String, next: Box<Cell> },
    }

    fn cells(count: usize) -> Cell {
        let cons = |next, number| Cell::Cons { number, text: String::new(), next: Box::new(next) };
        (0..count as u64).fold(Cell::End, cons)
    }

    /// Runs `body` as on a fiber with such a stack.
    fn on_a_stack(bytes: usize, body: fn()) {
        let run = move || {
            let top = stack::here();
            stack::replace_bounds((top - bytes, top));
            body();
        };
        std::thread::Builder::new().stack_size(bytes + (256 << 10)).spawn(run).unwrap().join().unwrap();
    }

    #[test]
    fn values_in_each_other_are_bounded() {
        on_a_stack(16 << 20, || {
            let bytes = encoded(&options(NESTING_MAX));
            assert_eq!(from_bytes::<Options>(&bytes).unwrap(), options(NESTING_MAX));
            let error = refused(&options(NESTING_MAX + 1)).to_string();
            assert!(error.contains(&format!("deeper than {NESTING_MAX} levels")), "{error}");
        });
        on_a_stack(16 << 20, || {
            let mut bytes = vec![Tag::Some as u8; NESTING_MAX];
            bytes.extend([Tag::None as u8, 0]);
            assert!(from_bytes::<Options>(&bytes).is_ok());
            bytes.insert(0, Tag::Some as u8);
            assert!(matches!(from_bytes::<Options>(&bytes), Err(CodecError::TooDeep(_))));
        });
        on_a_stack(16 << 20, || {
            let deepest = NESTING_MAX / 2;
            let bytes = encoded(&Kept::Inner(cells(deepest)));
            assert_eq!(from_bytes::<Kept>(&bytes).unwrap(), Kept::Inner(cells(deepest)));
            let bytes = encoded(&cells(deepest));
            assert_eq!(from_bytes::<Cell>(&bytes).unwrap(), cells(deepest));
            assert!(matches!(refused(&cells(deepest + 1)), CodecError::TooDeep(_)));
        });
    }

    /// Takes 8 KiB of stack a level.
    struct Wide(usize);

    impl Serialize for Wide {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let frame = std::hint::black_box([self.0; 1024]);
            match frame[1023].checked_sub(1) {
                Some(levels) => serializer.serialize_some(&Wide(levels)),
                None => serializer.serialize_none(),
            }
        }
    }

    #[test]
    fn ordinary_values_need_no_stack_to_be_left() {
        let run = || {
            let top = stack::here();
            stack::replace_bounds((top - (4 << 10), top));
            encoded(&options(ORDINARY_LEVELS));
            assert!(from_bytes::<(u8, Cell)>(&encoded(&(1u8, cells(3)))).is_ok());
        };
        std::thread::spawn(run).join().unwrap();
    }

    #[test]
    fn values_take_no_more_of_a_thread_s_stack_than_of_a_fiber_s() {
        assert_eq!(on_a_thread(64 << 10), 48 << 10);
        assert_eq!(on_a_thread(8 << 20), NESTING_STACK_BYTES);
        assert_eq!(on_a_thread(usize::MAX), NESTING_STACK_BYTES);
    }

    #[test]
    fn values_in_each_other_are_bounded_by_the_stack() {
        on_a_stack(256 << 10, || {
            encoded(&Wide(4));
            assert!(matches!(refused(&Wide(NESTING_MAX / 2)), CodecError::NoStack));
            let mut bytes = vec![Tag::Some as u8; NESTING_MAX];
            bytes.extend([Tag::None as u8, 0]);
            assert!(matches!(from_bytes::<Options>(&bytes), Err(CodecError::NoStack) | Ok(_)));
            assert!(from_bytes::<Cell>(&encoded(&cells(3))).is_ok());
        });
    }
}
