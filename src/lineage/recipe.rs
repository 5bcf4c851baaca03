//! The recipe of a task's results.

use crate::base::sync::{AtomicU32, AtomicU64, Ordering};
use crate::objects::{AnySlot, Attachment, Parcel};
use crate::registry::{Options, TableEntry};
use std::sync::{Arc, Weak};

/// Bytes of arguments above which a task's results have no recipe.
const RECIPE_BYTES_MAX: usize = 16 << 20;

/// Recipes that hang on recipes: above this depth a new one keeps its arguments themselves.
const DEPTH_MAX: u32 = 10_000;

/// Tasks that may have to run to make one value again that was let go, itself among them.
const STEPS_MAX: u32 = 16;

/// Why something is made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It was lost: that counts (L2).
    Lost,
    /// It was let go, to make room: that was counted then (L3).
    LetGo,
}

/// Which result of which task.
#[derive(Clone)]
pub struct Maker {
    /// How to make it.
    pub recipe: Arc<Recipe>,
    /// The result's place among the task's.
    pub index: usize,
}

/// A call that can be made again.
pub struct Recipe {
    /// The function.
    pub entry: &'static TableEntry,
    /// What was asked for.
    pub options: Option<Box<Options>>,
    /// The task that made it.
    pub caller: u64,
    /// Whether another rank may run it.
    pub stealable: bool,
    /// The number in the owner's table of tasks under which it is being made again, 0 while it is not.
    pub again: AtomicU64,
    bytes: Vec<u8>,
    ingredients: Vec<Ingredient>,
    /// How often it may still be used.
    left: AtomicU32,
    /// How often results of it may still be let go.
    spare: AtomicU32,
    depth: u32,
}

enum Ingredient {
    /// What travels beside the arguments, kept.
    Kept(Attachment),
    /// A reference whose object can be made again.
    Made { slot: Weak<dyn AnySlot>, maker: Maker },
}

impl Recipe {
    /// Of a call with these arguments, which may be made `retries` times more; `maker_of` knows which references can be made
    /// again. `None` where keeping it costs too much.
    pub fn new(
        (entry, options, caller, stealable): (&'static TableEntry, Option<Box<Options>>, u64, bool),
        parcel: &Parcel,
        retries: u32,
        maker_of: impl Fn(&Arc<dyn AnySlot>) -> Option<Maker>,
    ) -> Option<Recipe> {
        let arrays = parcel.attachments.iter().map(|attachment| match attachment {
            Attachment::Array(memory) => memory.bytes().len(),
            _ => 0,
        });
        if retries == 0 || parcel.bytes.len() + arrays.sum::<usize>() > RECIPE_BYTES_MAX {
            return None;
        }
        let ingredient = |attachment: &Attachment| match attachment {
            Attachment::Slot(slot) => match maker_of(slot).filter(|maker| maker.recipe.depth < DEPTH_MAX) {
                Some(maker) => Ingredient::Made { slot: Arc::downgrade(slot), maker },
                None => Ingredient::Kept(attachment.clone()),
            },
            _ => Ingredient::Kept(attachment.clone()),
        };
        let ingredients: Vec<_> = parcel.attachments.iter().map(ingredient).collect();
        let depth = ingredients.iter().map(|ingredient| match ingredient {
            Ingredient::Made { maker, .. } => maker.recipe.depth + 1,
            Ingredient::Kept(_) => 0,
        });
        let depth = depth.max().unwrap_or(0);
        Some(Recipe {
            entry,
            options,
            caller,
            stealable,
            again: AtomicU64::new(0),
            bytes: parcel.bytes.clone(),
            ingredients,
            left: AtomicU32::new(retries),
            spare: AtomicU32::new(retries),
            depth,
        })
    }

    /// Uses the recipe once; how often it may be used after that, or `None` where it is used up (L2).
    pub fn spend(&self, why: Why) -> Option<u32> {
        match why {
            Why::Lost => take_one(&self.left),
            Why::LetGo => Some(self.left.load(Ordering::Relaxed)),
        }
    }

    /// Whether a result may be let go, to be made again when somebody wants it: that takes few tasks, and has not happened too
    /// often (L3).
    pub fn spare(&self) -> bool {
        self.has_steps(&mut STEPS_MAX.clone()) && take_one(&self.spare).is_some()
    }

    /// Whether it and what it hangs on, with or without a reference that is left, are no more than so many.
    fn has_steps(&self, left: &mut u32) -> bool {
        let Some(rest) = left.checked_sub(1) else { return false };
        *left = rest;
        self.ingredients.iter().all(|ingredient| match ingredient {
            Ingredient::Made { maker, .. } => maker.recipe.has_steps(left),
            Ingredient::Kept(_) => true,
        })
    }

    /// The arguments; `remake` makes those again whose last reference is gone. `None` where it cannot.
    pub fn parcel(&self, remake: &mut dyn FnMut(&Maker) -> Option<Arc<dyn AnySlot>>) -> Option<Parcel> {
        let attachments = self.ingredients.iter().map(|ingredient| match ingredient {
            Ingredient::Kept(attachment) => Some(attachment.clone()),
            Ingredient::Made { slot, maker } => slot.upgrade().or_else(|| remake(maker)).map(Attachment::Slot),
        });
        Some(Parcel { attachments: attachments.collect::<Option<Vec<_>>>()?, bytes: self.bytes.clone() })
    }
}

/// Counts down; what is left, or `None` where nothing was.
fn take_one(count: &AtomicU32) -> Option<u32> {
    let taken = count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_sub(1));
    taken.ok().map(|count| count - 1)
}

impl Drop for Recipe {
    /// A chain of recipes is taken apart in a loop: ten thousand nested drops would not fit on a fiber's stack.
    fn drop(&mut self) {
        let mut rest: Vec<Ingredient> = std::mem::take(&mut self.ingredients);
        while let Some(ingredient) = rest.pop() {
            if let Ingredient::Made { maker, .. } = ingredient
                && let Some(mut recipe) = Arc::into_inner(maker.recipe)
            {
                rest.append(&mut recipe.ingredients);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Error;
    use crate::objects::Value;
    use crate::registry::{Header, Kind, Runnable};

    static TASK: TableEntry = TableEntry {
        name: "task",
        path: "",
        signature: "",
        kind: Kind::Task,
        decode: |_: Parcel, _: Header| -> Result<Arc<dyn Runnable>, Error> { Err(Error::config("it never runs")) },
        returns: 1,
        key: 0,
        checkpoint: None,
    };

    /// A recipe whose argument is made by `argument`.
    fn recipe(argument: Option<Maker>, retries: u32) -> Maker {
        let slot: Arc<dyn AnySlot> = Value::<u64>::pending();
        let attachments = argument.iter().map(|_| Attachment::Slot(slot.clone())).collect();
        let parcel = Parcel { bytes: Vec::new(), attachments };
        let recipe = Recipe::new((&TASK, None, 0, true), &parcel, retries, |_| argument.clone());
        Maker { recipe: Arc::new(recipe.expect("it may be used")), index: 0 }
    }

    #[test]
    fn what_is_let_go_and_what_is_lost_are_counted_apart() {
        let recipe = recipe(None, 2).recipe;
        assert!(recipe.spare() && recipe.spare() && !recipe.spare(), "it is let go twice");
        assert_eq!(recipe.spend(Why::LetGo), Some(2), "and made again for nothing");
        assert_eq!([(); 3].map(|()| recipe.spend(Why::Lost)), [Some(1), Some(0), None]);
        assert_eq!(recipe.spend(Why::LetGo), Some(0), "what was let go before can still be had");
    }

    #[test]
    fn what_takes_many_tasks_is_not_let_go() {
        let mut last = recipe(None, 1);
        for _ in 1..STEPS_MAX {
            last = recipe(Some(last), 1);
        }
        assert!(last.recipe.spare());
        assert!(!recipe(Some(last), 1).recipe.spare());
    }
}
