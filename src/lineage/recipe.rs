//! The recipe of a task's results.

use crate::base::sync::{AtomicU32, AtomicU64, Ordering};
use crate::object::{AnySlot, Attachment, Parcel};
use crate::registry::{Options, TableEntry};
use std::sync::{Arc, Weak};

/// Bytes of arguments above which a task's results have no recipe.
const RECIPE_BYTES_MAX: usize = 16 << 20;

/// Recipes that hang on recipes: above this depth a new one keeps its arguments themselves.
const DEPTH_MAX: u32 = 10_000;

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
            depth,
        })
    }

    /// Uses the recipe once; how often it may be used after that, or `None` where it is used up (L2).
    pub fn spend(&self) -> Option<u32> {
        let spent = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        spent.ok().map(|left| left - 1)
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
