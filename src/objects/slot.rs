//! The slots behind references: what a reference can do with its object, whatever holds the promise.

use crate::base::arc_pool::Recycle;
use crate::base::{Error, ObjectId};
use crate::objects::codec::StoreRun;
use crate::objects::encoding::{Attachment, SerializedValue};
use crate::objects::promise::{Promise, PromiseCore};
use std::any::Any;
use std::sync::Arc;

/// The slot behind a reference, without its type.
pub trait AnySlot: Recycle + Send + Sync + 'static {
    /// State, waiters, number.
    fn core(&self) -> &PromiseCore;
    /// Writes `Some(Arc<dyn Slot<T>>)` into `out` if that is an `Option` of this slot's own type.
    fn downcast(self: Arc<Self>, out: &mut dyn Any);
    /// Serializes the value; `store_run` takes its long runs of bytes.
    ///
    /// # Errors
    /// The failure that the slot holds, or why the value does not encode.
    fn encode(&self, store_run: Option<StoreRun>) -> Result<SerializedValue, Error>;
    /// Serializes the value for a message that names the object, if it is there and small.
    fn encode_carried(&self) -> Option<SerializedValue> {
        None
    }
    /// Completes the slot with an encoded value, or with the failure to decode it.
    fn complete_with(&self, bytes: &[u8], attachments: Vec<Attachment>);
    /// Completes the slot with a failure.
    fn fail(&self, error: Arc<Error>) {
        self.core().fail(error);
    }
    /// Makes sure that the value was requested.
    fn request(&self) {}
    /// True if the value was requested from its owner and has not arrived.
    fn is_requested(&self) -> bool {
        false
    }
    /// Writes the task in this process that produces the value into `out`, if there is one and `out` has its type.
    fn producer(self: Arc<Self>, _out: &mut dyn Any) {}
    /// The object's name if another rank owns it.
    fn remote_id(&self) -> Option<ObjectId> {
        None
    }
    /// True if it is a list of results to which no reference as a whole exists: its value is split on received.
    fn is_list(&self) -> bool {
        false
    }
    /// Its address, which identifies slots whose value another rank computes.
    fn address(&self) -> usize {
        std::ptr::from_ref(self.core()).addr()
    }
}

/// The slot behind a reference to a `T`.
pub trait Slot<T>: AnySlot {
    /// The promise of the value.
    fn promise(&self) -> &Promise<T>;
}

/// Writes `slot` into `out` if that has its type.
pub(crate) fn offer<T: 'static>(slot: Arc<impl Slot<T>>, out: &mut dyn Any) {
    if let Some(out) = out.downcast_mut::<Option<Arc<dyn Slot<T>>>>() {
        *out = Some(slot);
    }
}

/// Implements `AnySlot` and `Slot<$value>` for a type whose field `$promise` is the promise of the value. `decoded`:
/// bytes that complete it are decoded.
macro_rules! slot {
    ([$($generics:tt)*] $slot:ty: $value:ty, $promise:tt, decoded { $($methods:tt)* }) => {
        $crate::objects::slot! {
            [$($generics)*] $slot: $value, $promise, {
                fn complete_with(&self, bytes: &[u8], attachments: Vec<$crate::objects::Attachment>) {
                    $crate::objects::complete_encoded(&self.$promise, bytes, attachments);
                }
                $($methods)*
            }
        }
    };
    ([$($generics:tt)*] $slot:ty: $value:ty, $promise:tt, { $($methods:tt)* }) => {
        impl<$($generics)*> $crate::objects::AnySlot for $slot {
            fn core(&self) -> &$crate::objects::PromiseCore {
                self.$promise.core()
            }
            fn downcast(self: Arc<Self>, out: &mut dyn std::any::Any) {
                $crate::objects::offer::<$value>(self, out);
            }
            fn encode(
                &self,
                store_run: Option<$crate::objects::StoreRun>,
            ) -> Result<$crate::objects::SerializedValue, $crate::base::Error> {
                $crate::objects::encode_promise(&self.$promise, store_run)
            }
            fn encode_carried(&self) -> Option<$crate::objects::SerializedValue> {
                $crate::objects::encode_carried(&self.$promise)
            }
            $($methods)*
        }

        impl<$($generics)*> $crate::objects::Slot<$value> for $slot {
            fn promise(&self) -> &$crate::objects::Promise<$value> {
                &self.$promise
            }
        }
    };
}
pub(crate) use slot;
