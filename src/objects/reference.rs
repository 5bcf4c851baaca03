//! References to objects, and the slots behind them in this process.

use crate::base::arc_pool::{self, Recycle, Recycled};
use crate::base::limits::CARRIED_BYTES_MAX;
use crate::base::sync::{AtomicBool, Ordering};
use crate::base::{Error, ObjectId};
use crate::objects::codec::{self, StoreRun};
use crate::objects::encoding::{self, Attachment, Links, SerializedValue};
use crate::objects::packed::{self, PackedValue};
use crate::objects::promise::Promise;
use crate::objects::slot::{AnySlot, Slot, slot};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// The types that can be objects: they can be sent and shared between threads, and encoded as bytes. Every type with
/// these properties implements it.
///
/// ```
/// fn put_twice<T: mobula::Object + Clone>(value: T) -> mobula::Result<[mobula::ObjectRef<T>; 2]> {
///     Ok([mobula::put(value.clone())?, mobula::put(value)?])
/// }
/// assert!(put_twice(String::new()).is_err(), "there is no cluster yet");
/// ```
pub trait Object: Serialize + DeserializeOwned + Send + Sync + 'static {}
impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Object for T {}

/// A promise on its own: created by `put`, and for each of several results of a task.
#[derive(Default)]
pub struct Value<T>(Promise<T>);

impl<T: Object> Value<T> {
    /// With no value yet.
    pub fn pending() -> Arc<Value<T>> {
        arc_pool::new(Value(Promise::default()))
    }
    /// With its value.
    pub fn ready(value: T) -> Arc<Value<T>> {
        let promise = Promise::default();
        complete_value(&promise, value);
        arc_pool::new(Value(promise))
    }
}

slot!([T: Object] Value<T>: T, 0, decoded {});

impl<T> Recycle for Value<T> {
    fn recycle(self: Arc<Self>) {
        arc_pool::recycle(self);
    }
}

/// An object that another rank owns.
pub struct Import<T> {
    promise: Promise<T>,
    id: ObjectId,
    requested: AtomicBool,
    links: Arc<dyn Links>,
}

slot! {
    [T: Object] Import<T>: T, promise, {
        fn complete_with(&self, bytes: &[u8], attachments: Vec<Attachment>) {
            let core = self.promise.core();
            if let Some(packed) = core.packed() {
                return packed.refill(attachments);
            }
            complete_encoded(&self.promise, bytes, attachments);
            if let Some(packed) = core.packed() {
                packed.is_copy(self.id, &self.links);
            }
        }
        fn fail(&self, error: Arc<Error>) {
            if let Some(packed) = self.promise.core().packed() {
                return packed.refuse(&error);
            }
            self.promise.core().fail(error);
        }
        fn request(&self) {
            if !self.promise.core().is_complete() && !self.requested.swap(true, Ordering::Relaxed) {
                self.links.request(self.id);
            }
        }
        fn is_requested(&self) -> bool {
            self.requested.load(Ordering::Relaxed) && !self.promise.core().is_complete()
        }
        fn remote_id(&self) -> Option<ObjectId> {
            Some(self.id)
        }
    }
}

impl<T> Recycle for Import<T> {}

impl<T> Drop for Import<T> {
    fn drop(&mut self) {
        self.links.on_dropped(self.id, std::ptr::from_ref(self.promise.core()).addr());
    }
}

/// Serializes the value of a complete promise.
pub(crate) fn encode_promise<T: Object>(
    promise: &Promise<T>,
    store_run: Option<StoreRun>,
) -> Result<SerializedValue, Error> {
    if let Some(value) = promise.value() {
        return encoding::encode_for_peer(value, store_run);
    }
    if let Some(packed) = promise.core().packed() {
        return packed.serialized();
    }
    Err(promise.core().failure().map_or_else(
        || Error::ObjectLost {
            object: std::any::type_name::<T>().to_string(),
            reason: "it was requested before it was complete".to_string(),
        },
        |error| (*error).clone(),
    ))
}

/// Serializes the value of a promise, if it is there and takes at most `CARRIED_BYTES_MAX` bytes besides its arrays. An
/// array must be in memory, and part of a packed value, so that the receiver can give its memory back.
pub(crate) fn encode_carried<T: Object>(promise: &Promise<T>) -> Option<SerializedValue> {
    match promise.value() {
        Some(value) => encoding::encode_small::<CARRIED_BYTES_MAX>(value).filter(|value| value.attachments.is_empty()),
        None => promise.core().packed()?.serialized_here(),
    }
}

/// Completes a promise from bytes, or with the failure to decode them. A value with arrays stays packed: its reader
/// decodes it.
pub(crate) fn complete_encoded<T: Object>(promise: &Promise<T>, bytes: &[u8], attachments: Vec<Attachment>) {
    // A value that names objects by received names is decoded first: packed values hold the slots that represent them
    // here. So is one with runs of bytes in memory of their own, which every reader would copy.
    let can_pack = attachments.iter().all(|attachment| matches!(attachment, Attachment::Array(_)))
        && !codec::has_separate_runs(bytes);
    let attachments = if can_pack && bytes.len() <= packed::PACKED_BYTES_MAX {
        match PackedValue::of(bytes, attachments, std::any::type_name::<T>()) {
            Ok(packed) => {
                promise.core().complete_packed(packed);
                return;
            }
            Err(attachments) => attachments,
        }
    } else {
        attachments
    };
    match encoding::decode::<T>(bytes, attachments) {
        Ok(value) => complete_value(promise, value),
        Err(error) => {
            promise.core().fail(Arc::new(error));
        }
    }
}

/// Completes a promise with a value, packed if that contains arrays; the value is dropped if the promise was complete.
#[inline]
pub(crate) fn complete_value<T: Object>(promise: &Promise<T>, value: T) {
    match packed::pack(value) {
        Ok(packed) => {
            promise.core().complete_packed(packed);
        }
        Err(value) => drop(promise.complete(value)),
    }
}

/// A reference to an object: a value that a task returns, or that was `put`.
///
/// Cheap to clone and to send; the object lives while any reference to it lives on any rank. It is also a future.
///
/// ```
/// use mobula::prelude::*;
///
/// #[mobula::remote]
/// async fn doubled(number: ObjectRef<u64>) -> mobula::Result<u64> {
///     Ok(2 * *number.await?)
/// }
///
/// # let cluster = mobula::init(Config::default())?;
/// let number: ObjectRef<u64> = mobula::put(21)?;
/// assert!(number.is_ready());
/// assert_eq!(*number.get()?, 21);
/// assert_eq!(*doubled::remote(&number).get()?, 42);
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
pub struct ObjectRef<T> {
    pub(crate) slot: Recycled<dyn Slot<T>>,
}

impl<T> Clone for ObjectRef<T> {
    fn clone(&self) -> Self {
        ObjectRef { slot: self.slot.clone() }
    }
}

impl<T: Object> ObjectRef<T> {
    /// A reference to the value of `slot`.
    pub(crate) fn new(slot: Arc<dyn Slot<T>>) -> Self {
        ObjectRef { slot: Recycled::new(slot) }
    }

    /// True if a value or a failure is there, in this process.
    pub fn is_ready(&self) -> bool {
        self.slot.core().is_complete()
    }

    /// The slot without its type.
    pub(crate) fn any(&self) -> Arc<dyn AnySlot> {
        Arc::<dyn Slot<T>>::clone(&self.slot)
    }

    /// The value, if it is there.
    #[inline]
    pub(crate) fn ready(&self) -> Option<Result<Ref<T>, Arc<Error>>> {
        let promise = self.slot.promise();
        if promise.value().is_some() {
            return Some(Ok(Ref { slot: self.slot.clone() }));
        }
        if promise.core().is_complete() { self.loaded() } else { None }
    }

    /// As `ready`, for a slot that is packed or failed.
    #[cold]
    #[inline(never)]
    fn loaded(&self) -> Option<Result<Ref<T>, Arc<Error>>> {
        let promise = self.slot.promise();
        if let Some(packed) = promise.core().packed() {
            return Some(packed.load().map(|loaded| Ref { slot: Recycled::new(loaded) }).map_err(Arc::new));
        }
        promise.core().failure().map(Err)
    }
}

impl<T: 'static> fmt::Debug for ObjectRef<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.slot.remote_id() {
            Some(id) => id.to_string(),
            None => format!("local {:#x}", self.slot.address()),
        };
        write!(formatter, "ObjectRef<{}>({name})", std::any::type_name::<T>())
    }
}

impl<T: Object> Serialize for ObjectRef<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match encoding::attach(Attachment::Slot(self.any())) {
            Some(index) => serializer.serialize_u32(index),
            None => Err(serde::ser::Error::custom("an ObjectRef has a meaning only inside the cluster it belongs to")),
        }
    }
}

impl<'de, T: Object> Deserialize<'de> for ObjectRef<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let index = u32::deserialize(deserializer)?;
        let slot = match encoding::attached(index) {
            Some(Attachment::Slot(slot)) => slot,
            Some(Attachment::Remote(received)) => received.links.find(received.id).unwrap_or_else(|| {
                let slot: Arc<dyn AnySlot> = Arc::new(Import::<T> {
                    promise: Promise::default(),
                    id: received.id,
                    requested: AtomicBool::new(false),
                    links: received.links.clone(),
                });
                if let Some(SerializedValue { bytes, attachments }) = received.take_carried() {
                    slot.complete_with(&bytes, attachments);
                }
                received.links.intern(received.id, slot)
            }),
            _ => return Err(serde::de::Error::custom("no reference is attached to these bytes")),
        };
        let mut typed: Option<Arc<dyn Slot<T>>> = None;
        slot.downcast(&mut typed);
        typed.map(ObjectRef::new).ok_or_else(|| {
            serde::de::Error::custom(format!("the reference is not to a {}", std::any::type_name::<T>()))
        })
    }
}

/// A value of the store, read in place. It is never moved or evicted while this lives.
///
/// ```
/// # use mobula::prelude::*;
/// # let cluster = mobula::init(Config::default())?;
/// let text: Ref<String> = mobula::put("text".to_string())?.get()?;
/// assert_eq!(text.len(), 4); // as a `&String`
/// let same: Ref<String> = Ref::clone(&text);
/// let copy: String = text.clone();
/// assert_eq!(*same, copy);
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
pub struct Ref<T> {
    /// The slot of the reference, or of the decoded value if that is packed.
    slot: Recycled<dyn Slot<T>>,
}

impl<T> Ref<T> {
    /// Another reference to the same value. A function and no method, so that `value.clone()` clones the value.
    #[allow(clippy::should_implement_trait)]
    pub fn clone(reference: &Ref<T>) -> Ref<T> {
        Ref { slot: reference.slot.clone() }
    }
}

impl<T: 'static> Deref for Ref<T> {
    type Target = T;
    fn deref(&self) -> &T {
        match self.slot.promise().value() {
            Some(value) => value,
            None => unreachable!("a Ref exists only for complete promises (OBJECTS-1)"),
        }
    }
}

impl<T: fmt::Debug + 'static> fmt::Debug for Ref<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

impl<T: fmt::Display + 'static> fmt::Display for Ref<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

impl<T: PartialEq + 'static> PartialEq for Ref<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: PartialEq + 'static> PartialEq<T> for Ref<T> {
    fn eq(&self, other: &T) -> bool {
        **self == *other
    }
}
