//! References to objects, and what stands behind them in this process.

use crate::base::sync::{AtomicBool, Ordering};
use crate::base::{Error, ObjectId};
use crate::objects::cell::{Cell, Core};
use crate::objects::packed::{self, Packed};
use crate::objects::parcel::{self, Attachment, Links, Parcel};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// What can be an object: whatever can be sent and shared, and travels as bytes where it must.
pub trait Object: Serialize + DeserializeOwned + Send + Sync + 'static {}
impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Object for T {}

/// What stands behind a reference, whatever its type.
pub trait AnySlot: Send + Sync + 'static {
    /// State, waiters, number.
    fn core(&self) -> &Core;
    /// Writes `Some(Arc<dyn Slot<T>>)` into `out` where that is an `Option` of this slot's own type.
    fn typed(self: Arc<Self>, out: &mut dyn Any);
    /// The value as a parcel.
    ///
    /// # Errors
    /// The failure that the slot holds, or why the value does not encode.
    fn encode(&self) -> Result<Parcel, Error>;
    /// Completes the slot with a value in bytes, or with the failure to decode them.
    fn complete_with(&self, bytes: &[u8], attachments: Vec<Attachment>);
    /// Completes the slot with a failure.
    fn fail(&self, error: Arc<Error>) {
        self.core().fail(error);
    }
    /// Makes sure that the value is on its way here.
    fn request(&self) {}
    /// Whether its owner was asked for the value and has not answered.
    fn is_requested(&self) -> bool {
        false
    }
    /// Writes the task in this process that makes the value into `out`, where there is one and that asks for it.
    fn producer(self: Arc<Self>, _out: &mut dyn Any) {}
    /// The object's name where another rank owns it.
    fn remote_id(&self) -> Option<ObjectId> {
        None
    }
    /// Whether it is a list of results that nobody refers to as a whole: its value is taken apart when it comes.
    fn is_list(&self) -> bool {
        false
    }
    /// Where it is, for cells that another rank computes: its address identifies the slot.
    fn address(&self) -> usize {
        std::ptr::from_ref(self.core()).addr()
    }
}

/// What stands behind a reference to a `T`.
pub trait Slot<T>: AnySlot {
    /// Where the value is or will be.
    fn cell(&self) -> &Cell<T>;
}

/// A cell on its own: what `put` makes, and each of several results of a task.
#[derive(Default)]
pub struct Value<T>(Cell<T>);

impl<T: Object> Value<T> {
    /// With no value yet.
    pub fn pending() -> Arc<Value<T>> {
        Arc::new(Value(Cell::default()))
    }
    /// With its value.
    pub fn ready(value: T) -> Arc<Value<T>> {
        let cell = Cell::default();
        complete_value(&cell, value);
        Arc::new(Value(cell))
    }
}

impl<T: Object> AnySlot for Value<T> {
    fn core(&self) -> &Core {
        self.0.core()
    }
    fn typed(self: Arc<Self>, out: &mut dyn Any) {
        offer::<T>(self, out);
    }
    fn encode(&self) -> Result<Parcel, Error> {
        encode_cell(&self.0)
    }
    fn complete_with(&self, bytes: &[u8], attachments: Vec<Attachment>) {
        complete_cell(&self.0, bytes, attachments);
    }
}

impl<T: Object> Slot<T> for Value<T> {
    fn cell(&self) -> &Cell<T> {
        &self.0
    }
}

/// An object that another rank owns.
pub struct Import<T> {
    cell: Cell<T>,
    id: ObjectId,
    requested: AtomicBool,
    links: Arc<dyn Links>,
}

impl<T: Object> AnySlot for Import<T> {
    fn core(&self) -> &Core {
        self.cell.core()
    }
    fn typed(self: Arc<Self>, out: &mut dyn Any) {
        offer::<T>(self, out);
    }
    fn encode(&self) -> Result<Parcel, Error> {
        encode_cell(&self.cell)
    }
    fn complete_with(&self, bytes: &[u8], attachments: Vec<Attachment>) {
        let core = self.cell.core();
        if let Some(packed) = core.packed() {
            return packed.refill(attachments);
        }
        complete_cell(&self.cell, bytes, attachments);
        if let Some(packed) = core.packed() {
            packed.is_copy(self.id, &self.links);
        }
    }
    fn fail(&self, error: Arc<Error>) {
        if let Some(packed) = self.cell.core().packed() {
            return packed.refuse(&error);
        }
        self.cell.core().fail(error);
    }
    fn request(&self) {
        if !self.cell.core().is_complete() && !self.requested.swap(true, Ordering::Relaxed) {
            self.links.request(self.id);
        }
    }
    fn is_requested(&self) -> bool {
        self.requested.load(Ordering::Relaxed) && !self.cell.core().is_complete()
    }
    fn remote_id(&self) -> Option<ObjectId> {
        Some(self.id)
    }
}

impl<T: Object> Slot<T> for Import<T> {
    fn cell(&self) -> &Cell<T> {
        &self.cell
    }
}

impl<T> Drop for Import<T> {
    fn drop(&mut self) {
        self.links.released(self.id, std::ptr::from_ref(self.cell.core()).addr());
    }
}

/// Hands `slot` over in `out` where that asks for its type.
pub(crate) fn offer<T: 'static>(slot: Arc<impl Slot<T>>, out: &mut dyn Any) {
    if let Some(out) = out.downcast_mut::<Option<Arc<dyn Slot<T>>>>() {
        *out = Some(slot);
    }
}

/// The value of a complete cell as a parcel.
pub(crate) fn encode_cell<T: Object>(cell: &Cell<T>) -> Result<Parcel, Error> {
    if let Some(value) = cell.value() {
        return parcel::encode(value);
    }
    if let Some(packed) = cell.core().packed() {
        return packed.parcel();
    }
    Err(cell.core().failure().map_or_else(
        || Error::ObjectLost {
            object: std::any::type_name::<T>().to_string(),
            reason: "it was asked for before it was made".to_string(),
        },
        |error| (*error).clone(),
    ))
}

/// Completes a cell from bytes, or with the failure to decode them. A value with arrays stays packed: who reads it decodes it.
pub(crate) fn complete_cell<T: Object>(cell: &Cell<T>, bytes: &[u8], attachments: Vec<Attachment>) {
    // What names an object by a name that came is decoded first: packed values hold what stands for it here.
    let ready_to_keep = attachments.iter().all(|attachment| matches!(attachment, Attachment::Array(_)));
    let attachments = if ready_to_keep && bytes.len() <= packed::PACKED_BYTES_MAX {
        match Packed::of(bytes, attachments, std::any::type_name::<T>()) {
            Ok(packed) => {
                cell.core().complete_packed(packed);
                return;
            }
            Err(attachments) => attachments,
        }
    } else {
        attachments
    };
    match parcel::decode::<T>(bytes, attachments) {
        Ok(value) => complete_value(cell, value),
        Err(error) => {
            cell.core().fail(Arc::new(error));
        }
    }
}

/// Completes a cell with a value, packed where that carries arrays; it is dropped where the cell was complete.
#[inline]
pub(crate) fn complete_value<T: Object>(cell: &Cell<T>, value: T) {
    match packed::pack(value) {
        Ok(packed) => {
            cell.core().complete_packed(packed);
        }
        Err(value) => drop(cell.complete(value)),
    }
}

/// A reference to an object: a value that a task makes, or that was put.
///
/// Cheap to clone and to send; the object lives while a reference to it lives anywhere. It is also a future.
///
/// ```
/// # use mobula::prelude::*;
/// # let cluster = mobula::init(Config::default())?;
/// let reference: ObjectRef<String> = mobula::put(String::from("kept"))?;
/// assert_eq!(*reference.get()?, "kept");
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
pub struct ObjectRef<T> {
    pub(crate) slot: Arc<dyn Slot<T>>,
}

impl<T> Clone for ObjectRef<T> {
    fn clone(&self) -> Self {
        ObjectRef { slot: self.slot.clone() }
    }
}

impl<T: Object> ObjectRef<T> {
    /// A reference to what `slot` holds.
    pub fn new(slot: Arc<dyn Slot<T>>) -> Self {
        ObjectRef { slot }
    }

    /// Whether a value or a failure is there, in this process.
    pub fn is_ready(&self) -> bool {
        self.slot.core().is_complete()
    }

    /// The slot without its type.
    pub(crate) fn any(&self) -> Arc<dyn AnySlot> {
        self.slot.clone()
    }

    /// The value, where it is there.
    #[inline]
    pub(crate) fn ready(&self) -> Option<Result<Ref<T>, Arc<Error>>> {
        match self.slot.cell().value() {
            Some(_) => Some(Ok(Ref { slot: self.slot.clone() })),
            None => self.loaded(),
        }
    }

    /// As `ready`, of what is packed, failed, or not there.
    #[cold]
    #[inline(never)]
    fn loaded(&self) -> Option<Result<Ref<T>, Arc<Error>>> {
        let cell = self.slot.cell();
        if let Some(packed) = cell.core().packed() {
            return Some(packed.load().map(|loaded| Ref { slot: loaded }).map_err(Arc::new));
        }
        cell.core().failure().map(Err)
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
        match parcel::attach(Attachment::Slot(self.slot.clone())) {
            Some(index) => serializer.serialize_u32(index),
            None => Err(serde::ser::Error::custom("an ObjectRef has a meaning only inside the cluster it belongs to")),
        }
    }
}

impl<'de, T: Object> Deserialize<'de> for ObjectRef<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let index = u32::deserialize(deserializer)?;
        let slot = match parcel::attached(index) {
            Some(Attachment::Slot(slot)) => slot,
            Some(Attachment::Remote(arrival)) => arrival.links.find(arrival.id).unwrap_or_else(|| {
                let slot: Arc<dyn AnySlot> = Arc::new(Import::<T> {
                    cell: Cell::default(),
                    id: arrival.id,
                    requested: AtomicBool::new(false),
                    links: arrival.links.clone(),
                });
                arrival.links.adopt(arrival.id, slot)
            }),
            _ => return Err(serde::de::Error::custom("no reference travels beside these bytes")),
        };
        let mut typed: Option<Arc<dyn Slot<T>>> = None;
        slot.typed(&mut typed);
        typed.map(ObjectRef::new).ok_or_else(|| {
            serde::de::Error::custom(format!("the reference is not to a {}", std::any::type_name::<T>()))
        })
    }
}

/// A value of the store, read where it lies. It is never moved or evicted while this lives.
pub struct Ref<T> {
    /// What the reference leads to, or, of a packed value, the decoded one.
    slot: Arc<dyn Slot<T>>,
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
        match self.slot.cell().value() {
            Some(value) => value,
            None => unreachable!("a Ref is made only of complete cells (O1)"),
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
