//! The lineage of a task's results.

use crate::base::sync::{AtomicU32, AtomicU64, Ordering, lock};
use crate::base::{Error, Rank};
use crate::lineage::{Blame, Deaths};
use crate::objects::{AnySlot, Attachment, SerializedValue};
use crate::registry::{Options, TableEntry};
use std::sync::{Arc, Mutex, Weak};

/// Above so many bytes of arguments, a task's results have no lineage.
const LINEAGE_BYTES_MAX: usize = 16 << 20;

/// The depth of a chain of lineages, above which a new one retains its arguments themselves.
const DEPTH_MAX: u32 = 10_000;

/// How many tasks may have to run to reconstruct one reclaimed value, its own task included.
const STEPS_MAX: u32 = 16;

/// Why something is reconstructed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReconstructReason {
    /// It was lost: that is counted when it is reconstructed (LINEAGE-2).
    Lost,
    /// It was released to make space: that was counted then (LINEAGE-3).
    Reclaimed,
}

/// The task that produced an object, and which of its results the object is.
#[derive(Clone)]
pub struct Producer {
    /// How to run the task again.
    pub lineage: Arc<Lineage>,
    /// The index of the result.
    pub index: usize,
}

/// A call that can be repeated.
pub struct Lineage {
    /// The function.
    pub entry: &'static TableEntry,
    /// Its options.
    pub options: Option<Box<Options>>,
    /// The task that submitted it.
    pub caller: u64,
    /// True if another rank may run it.
    pub stealable: bool,
    /// The number of the reconstruction in the owner's table of remote tasks, 0 while there is none.
    pub reconstruction: AtomicU64,
    bytes: Vec<u8>,
    inputs: Vec<Input>,
    /// How often it may still be used.
    uses_left: AtomicU32,
    /// How often a result of it may still be reclaimed.
    reclaims_left: AtomicU32,
    depth: u32,
    /// The ranks that died while its task may have run there.
    deaths: Mutex<Deaths>,
}

enum Input {
    /// An attachment of the arguments, retained.
    Attachment(Attachment),
    /// A reference to an object that can be reconstructed.
    Produced { slot: Weak<dyn AnySlot>, producer: Producer },
}

impl Lineage {
    /// The lineage of a call with these arguments that may be repeated `retries` times. `producer_of` finds the
    /// producer of a reference that can be reconstructed. `None` if the lineage would take too much memory.
    pub fn new(
        (entry, options, caller, stealable): (&'static TableEntry, Option<Box<Options>>, u64, bool),
        serialized: &SerializedValue,
        retries: u32,
        producer_of: impl Fn(&Arc<dyn AnySlot>) -> Option<Producer>,
    ) -> Option<Lineage> {
        let arrays = serialized.attachments.iter().map(|attachment| match attachment {
            Attachment::Array(memory) => memory.bytes().len(),
            _ => 0,
        });
        if retries == 0 || serialized.bytes.len() + arrays.sum::<usize>() > LINEAGE_BYTES_MAX {
            return None;
        }
        let input = |attachment: &Attachment| match attachment {
            Attachment::Slot(slot) => match producer_of(slot).filter(|producer| producer.lineage.depth < DEPTH_MAX) {
                Some(producer) => Input::Produced { slot: Arc::downgrade(slot), producer },
                None => Input::Attachment(attachment.clone()),
            },
            _ => Input::Attachment(attachment.clone()),
        };
        let inputs: Vec<_> = serialized.attachments.iter().map(input).collect();
        let depth = inputs.iter().map(|input| match input {
            Input::Produced { producer, .. } => producer.lineage.depth + 1,
            Input::Attachment(_) => 0,
        });
        let depth = depth.max().unwrap_or(0);
        Some(Lineage {
            entry,
            options,
            caller,
            stealable,
            reconstruction: AtomicU64::new(0),
            bytes: serialized.bytes.clone(),
            inputs,
            uses_left: AtomicU32::new(retries),
            reclaims_left: AtomicU32::new(retries),
            depth,
            deaths: Mutex::default(),
        })
    }

    /// The same; these ranks died while its task may have run there.
    pub fn after_deaths(self, deaths: Deaths) -> Lineage {
        *lock(&self.deaths) = deaths;
        self
    }

    /// A rank died while its task may have run there.
    pub fn add_death(&self, rank: Rank, blame: Blame, error: &Error) {
        lock(&self.deaths).add(rank, blame, error);
    }

    /// The ranks that died while its task may have run there.
    pub fn deaths(&self) -> Deaths {
        lock(&self.deaths).clone()
    }

    /// Uses the lineage once; returns how often it may be used after that, `None` if it is used up (LINEAGE-2).
    pub fn try_use(&self, why: ReconstructReason) -> Option<u32> {
        match why {
            ReconstructReason::Lost => take_one(&self.uses_left),
            ReconstructReason::Reclaimed => Some(self.uses_left.load(Ordering::Relaxed)),
        }
    }

    /// Consumes one permission to reclaim a result, which is then reconstructed when it is needed: true if few tasks
    /// suffice for that, and it has not happened too often (LINEAGE-3).
    pub fn try_reclaim(&self) -> bool {
        self.has_steps(&mut STEPS_MAX.clone()) && take_one(&self.reclaims_left).is_some()
    }

    /// True if it and the lineages that it depends on, counted whether or not a reference to their object is left, are
    /// at most `left`.
    fn has_steps(&self, left: &mut u32) -> bool {
        let Some(remaining) = left.checked_sub(1) else { return false };
        *left = remaining;
        self.inputs.iter().all(|input| match input {
            Input::Produced { producer, .. } => producer.lineage.has_steps(left),
            Input::Attachment(_) => true,
        })
    }

    /// The arguments. `reconstruct` reconstructs an input whose last reference was dropped; `None` if it cannot.
    pub fn arguments(
        &self,
        reconstruct: &mut dyn FnMut(&Producer) -> Option<Arc<dyn AnySlot>>,
    ) -> Option<SerializedValue> {
        let attachments = self.inputs.iter().map(|input| match input {
            Input::Attachment(attachment) => Some(attachment.clone()),
            Input::Produced { slot, producer } => {
                slot.upgrade().or_else(|| reconstruct(producer)).map(Attachment::Slot)
            }
        });
        Some(SerializedValue { attachments: attachments.collect::<Option<Vec<_>>>()?, bytes: self.bytes.clone() })
    }
}

/// Counts down; returns what is left, `None` if nothing was.
fn take_one(count: &AtomicU32) -> Option<u32> {
    let taken = count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_sub(1));
    taken.ok().map(|count| count - 1)
}

impl Drop for Lineage {
    /// Drops a chain of lineages in a loop: ten thousand nested drops would not fit on a fiber's stack.
    fn drop(&mut self) {
        let mut remaining: Vec<Input> = std::mem::take(&mut self.inputs);
        while let Some(input) = remaining.pop() {
            if let Input::Produced { producer, .. } = input
                && let Some(mut lineage) = Arc::into_inner(producer.lineage)
            {
                remaining.append(&mut lineage.inputs);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Error;
    use crate::objects::Value;
    use crate::registry::{FunctionKind, Runnable, TaskHeader};

    static TASK: TableEntry = TableEntry {
        name: "task",
        path: "",
        signature: "",
        kind: FunctionKind::Task,
        decode: |_: &[u8], _: Vec<Attachment>, _: TaskHeader| -> Result<Arc<dyn Runnable>, Error> {
            Err(Error::config("it never runs"))
        },
        decode_plain: |_, _, _| None,
        leaf: None,
        returns: 1,
        key: 0,
        checkpoint: None,
    };

    /// A lineage whose argument is produced by `argument`.
    fn lineage(argument: Option<Producer>, retries: u32) -> Producer {
        let slot: Arc<dyn AnySlot> = Value::<u64>::pending();
        let attachments = argument.iter().map(|_| Attachment::Slot(slot.clone())).collect();
        let serialized = SerializedValue { bytes: Vec::new(), attachments };
        let lineage = Lineage::new((&TASK, None, 0, true), &serialized, retries, |_| argument.clone());
        Producer { lineage: Arc::new(lineage.expect("it may be used")), index: 0 }
    }

    #[test]
    fn reclaims_and_losses_are_counted_separately() {
        let lineage = lineage(None, 2).lineage;
        assert!(lineage.try_reclaim() && lineage.try_reclaim() && !lineage.try_reclaim(), "at most two reclaims");
        assert_eq!(lineage.try_use(ReconstructReason::Reclaimed), Some(2), "its reconstruction is not counted");
        assert_eq!([(); 3].map(|()| lineage.try_use(ReconstructReason::Lost)), [Some(1), Some(0), None]);
        assert_eq!(
            lineage.try_use(ReconstructReason::Reclaimed),
            Some(0),
            "a value that was reclaimed before can still be reconstructed"
        );
    }

    #[test]
    fn value_that_takes_many_tasks_is_not_reclaimed() {
        let mut last = lineage(None, 1);
        for _ in 1..STEPS_MAX {
            last = lineage(Some(last), 1);
        }
        assert!(last.lineage.try_reclaim());
        assert!(!lineage(Some(last), 1).lineage.try_reclaim());
    }
}
