//! Slots for the calls that wait for their results. A slot and its generation are a call's number.

use crate::base::spin_lock::SpinLock;

/// Numbers of short calls have this bit, so that no other task has them.
const SHORT: u64 = 1 << 63;

/// The bits of a number that are its slot's index.
const INDEX_BITS: u32 = 32;

/// Generations of a slot; the next one after the last is the first.
const GENERATIONS: u32 = 1 << 31;

/// True for the number of a short call.
#[inline]
pub const fn is_short(number: u64) -> bool {
    number & SHORT != 0
}

struct CallSlot<T> {
    generation: u32,
    content: Option<T>,
}

struct Inner<T> {
    slots: Vec<CallSlot<T>>,
    free: Vec<u32>,
}

/// The calls of a rank that wait, each in a slot.
pub struct CallSlots<T>(SpinLock<Inner<T>>);

impl<T> Default for CallSlots<T> {
    fn default() -> CallSlots<T> {
        CallSlots(SpinLock::new(Inner { slots: Vec::new(), free: Vec::new() }))
    }
}

impl<T> CallSlots<T> {
    /// Puts a call into a free slot, and returns its number.
    #[inline]
    pub fn insert(&self, call: T) -> u64 {
        let mut inner = self.0.lock();
        let index = match inner.free.pop() {
            Some(index) => index,
            None => {
                inner.slots.push(CallSlot { generation: 0, content: None });
                (inner.slots.len() - 1) as u32
            }
        };
        let slot = &mut inner.slots[index as usize];
        slot.content = Some(call);
        SHORT | u64::from(slot.generation) << INDEX_BITS | u64::from(index)
    }

    /// Takes the call of that number; `None` if it was taken before, or there never was one (RPC-1).
    #[inline]
    pub fn take(&self, number: u64) -> Option<T> {
        if !is_short(number) {
            return None;
        }
        let (index, generation) = (number as u32, ((number & !SHORT) >> INDEX_BITS) as u32);
        let mut inner = self.0.lock();
        let slot = inner.slots.get_mut(index as usize).filter(|slot| slot.generation == generation)?;
        let call = slot.content.take()?;
        slot.generation = (generation + 1) % GENERATIONS;
        inner.free.push(index);
        Some(call)
    }

    /// Takes all calls, with their numbers.
    pub fn take_all(&self) -> Vec<(u64, T)> {
        let mut inner = self.0.lock();
        let Inner { slots, free } = &mut *inner;
        if slots.len() == free.len() {
            return Vec::new();
        }
        let mut taken = Vec::new();
        for (index, slot) in slots.iter_mut().enumerate() {
            if let Some(call) = slot.content.take() {
                taken.push((SHORT | u64::from(slot.generation) << INDEX_BITS | index as u64, call));
                slot.generation = (slot.generation + 1) % GENERATIONS;
                free.push(index as u32);
            }
        }
        taken
    }

    /// The number of calls.
    pub fn len(&self) -> usize {
        let inner = self.0.lock();
        inner.slots.len() - inner.free.len()
    }

    /// Visits each call.
    pub fn each(&self, mut visit: impl FnMut(&T)) {
        self.0.lock().slots.iter().filter_map(|slot| slot.content.as_ref()).for_each(&mut visit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_names_one_call_and_is_not_reused_at_once() {
        let slots = CallSlots::default();
        let (first, second) = (slots.insert('a'), slots.insert('b'));
        assert!(is_short(first) && is_short(second) && first != second && !is_short(1));
        assert_eq!((slots.take(first), slots.take(first), slots.len()), (Some('a'), None, 1));
        assert_eq!(slots.take(second & !SHORT), None, "another task has that number");
        let third = slots.insert('c');
        assert_eq!(third as u32, first as u32, "it has the slot of the first");
        assert_eq!((slots.take(first), slots.take(third)), (None, Some('c')), "and another generation");
        assert_eq!((slots.take(second + 1), slots.take(u64::MAX), slots.take(0)), (None, None, None));
        assert_eq!(slots.take(second), Some('b'));
    }

    #[test]
    fn all_calls_are_taken_once() {
        let slots = CallSlots::default();
        let numbers: Vec<u64> = (0..100).map(|call| slots.insert(call)).collect();
        assert_eq!((slots.take(numbers[50]), slots.len()), (Some(50), 99));
        let mut seen = 0;
        slots.each(|_| seen += 1);
        let taken = slots.take_all();
        assert_eq!((seen, taken.len(), slots.len()), (99, 99, 0));
        assert!(taken.iter().all(|(number, call)| numbers[*call as usize] == *number && slots.take(*number).is_none()));
    }

    #[test]
    fn generations_begin_again_after_the_last() {
        let slots = CallSlots::default();
        slots.take(slots.insert(()));
        slots.0.lock().slots[0].generation = GENERATIONS - 1;
        let last = slots.insert(());
        assert!(is_short(last) && slots.take(last).is_some());
        assert_eq!(slots.insert(()), SHORT);
    }
}
