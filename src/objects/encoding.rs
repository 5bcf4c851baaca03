//! A value as bytes with attachments: arrays, references and actor handles.
//!
//! While a value is encoded or decoded, a thread-local context holds the attachments; the bytes name them by index.

use crate::base::limits::CHECKED_BYTES_MAX;
use crate::base::panic::{Panic, catch};
use crate::base::sync::lock;
use crate::base::{Error, ObjectId};
use crate::objects::codec::{self, CodecError, StoreRun};
use crate::objects::{AnySlot, ArrayMemory, Object};
use serde::Serialize;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::sync::{Arc, Mutex};

/// What the runtime offers to objects that live elsewhere.
pub trait Links: Send + Sync {
    /// The live slot of that object in this process, if there is one.
    fn find(&self, id: ObjectId) -> Option<Arc<dyn AnySlot>>;
    /// The message with a reference to that object has been decoded, or will not be.
    fn on_reference_decoded(&self, id: ObjectId);
    /// The slot of that object in this process from now on: `slot`, or one that another thread inserted meanwhile.
    fn intern(&self, id: ObjectId, slot: Arc<dyn AnySlot>) -> Arc<dyn AnySlot>;
    /// Requests the value from its owner; it will complete the slot.
    fn request(&self, id: ObjectId);
    /// The slot, memory or handle at `address` that represented that object in this process was dropped.
    fn on_dropped(&self, id: ObjectId, address: usize);
}

/// An attachment of an encoded value.
#[derive(Clone)]
pub enum Attachment {
    /// Memory of an array, in the store of this rank or of another rank of the host.
    Array(Arc<dyn ArrayMemory>),
    /// An object in this process, on its way out.
    Slot(Arc<dyn AnySlot>),
    /// An object known by name, on its way in.
    Remote(Arc<ReceivedReference>),
    /// Anything else that the runtime can send: actor handles.
    Handle(Arc<dyn Any + Send + Sync>),
}

/// A reference that was received and counted, and that no slot represents yet. Until it is dropped, slots of the same
/// object may come and go without its grants being returned.
pub struct ReceivedReference {
    /// The object.
    pub id: ObjectId,
    /// Where its value can be requested.
    pub links: Arc<dyn Links>,
    /// The value that came with it, if one did and nothing has taken it.
    carried: Mutex<Option<SerializedValue>>,
}

impl ReceivedReference {
    /// A reference to object `id` that came with its value, if that is `carried`.
    pub fn new(id: ObjectId, links: Arc<dyn Links>, carried: Option<SerializedValue>) -> ReceivedReference {
        ReceivedReference { id, links, carried: Mutex::new(carried) }
    }

    /// Takes the value that came with it.
    pub fn take_carried(&self) -> Option<SerializedValue> {
        lock(&self.carried).take()
    }
}

impl Drop for ReceivedReference {
    fn drop(&mut self) {
        self.links.on_reference_decoded(self.id);
    }
}

/// A value as bytes and attachments.
#[derive(Clone, Default)]
pub struct SerializedValue {
    /// As the codec writes it.
    pub bytes: Vec<u8>,
    /// Named by the bytes by index.
    pub attachments: Vec<Attachment>,
}

thread_local! {
    static CONTEXT: RefCell<Option<Vec<Attachment>>> = const { RefCell::new(None) };
    /// Set by `refused` until the error is made.
    static REFUSED: Cell<Option<&'static str>> = const { Cell::new(None) };
    /// True while there is one: a word without a destructor, which every `get` that waits reads.
    static IN_CONTEXT: Cell<bool> = const { Cell::new(false) };
}

/// Attaches to the value being encoded; returns the index, or `None` outside of `encode`.
pub(crate) fn attach(attachment: Attachment) -> Option<u32> {
    CONTEXT.with_borrow_mut(|context| {
        let attachments = context.as_mut()?;
        attachments.push(attachment);
        Some(attachments.len() as u32 - 1)
    })
}

/// Notes the type that refused to be written or read, where the caller knows it as a part of its own types only.
/// Returns the error.
#[cold]
pub(crate) fn refused<T, E>(error: E) -> E {
    REFUSED.set(Some(std::any::type_name::<T>()));
    error
}

/// The type that refused, or `T`.
pub(super) fn take_refused<T>() -> &'static str {
    REFUSED.take().unwrap_or_else(std::any::type_name::<T>)
}

/// The attachment of that index of the value being decoded.
pub(crate) fn attached(index: u32) -> Option<Attachment> {
    CONTEXT.with_borrow(|context| context.as_ref()?.get(index as usize).cloned())
}

/// The memory that holds a run of bytes of the value being decoded.
pub(super) fn attached_run(index: u32) -> Option<Arc<dyn ArrayMemory>> {
    match attached(index)? {
        Attachment::Array(memory) => Some(memory),
        _ => None,
    }
}

/// True if a value is being encoded or decoded on this thread.
#[inline]
pub(crate) fn in_context() -> bool {
    IN_CONTEXT.get()
}

/// Runs `body` with a context; a nested use restores the outer one afterwards.
fn with_context<R>(attachments: Vec<Attachment>, body: impl FnOnce() -> R) -> (Result<R, Panic>, Vec<Attachment>) {
    let outer = CONTEXT.replace(Some(attachments));
    let outer_is_some = IN_CONTEXT.replace(true);
    let result = catch(body);
    IN_CONTEXT.set(outer_is_some);
    let inner = CONTEXT.replace(outer);
    (result, inner.unwrap_or_default())
}

/// Capacity allocated before a value is encoded: most arguments and results fit, and are allocated once.
const SMALL_BYTES: usize = 32;

/// Serializes the value.
///
/// # Errors
/// If its `Serialize` fails or panics: `Error::ObjectLost` naming the type.
pub fn encode<T: Serialize + 'static>(value: &T) -> Result<SerializedValue, Error> {
    encode_as::<T>(value, None)
}

/// As `encode`, for another rank: `store_run` takes long runs of bytes.
///
/// # Errors
/// As those of `encode`.
pub fn encode_for_peer<T: Serialize + 'static>(
    value: &T,
    store_run: Option<StoreRun>,
) -> Result<SerializedValue, Error> {
    encode_as::<T>(value, store_run)
}

/// Serializes the values as their list; `store_run` is as in `encode_for_peer`.
///
/// # Errors
/// As those of `encode`.
pub fn encode_list<T: Serialize + 'static>(
    values: &[&T],
    store_run: Option<StoreRun>,
) -> Result<SerializedValue, Error> {
    encode_as::<Vec<T>>(&values, store_run)
}

fn encode_as<T>(value: &impl Serialize, store_run: Option<StoreRun>) -> Result<SerializedValue, Error> {
    let encoded =
        with_context(Vec::new(), || codec::to_bytes(value, Vec::with_capacity(SMALL_BYTES), usize::MAX, store_run));
    serialized::<T>(encoded)
}

/// Looks at whether other ranks could have the value: encodes and decodes it. Its references and handles are counted
/// only when a message names them, so this changes no count. A long value is not looked at.
///
/// # Errors
/// Those of `encode` and `decode`.
pub fn check<T: Object>(value: &T) -> Result<(), Error> {
    let encoded = with_context(Vec::new(), || codec::to_bytes(value, Vec::new(), CHECKED_BYTES_MAX, None));
    if let (Ok(Err(CodecError::TooLong(_))), _) = encoded {
        take_refused::<T>();
        return Ok(());
    }
    let SerializedValue { bytes, attachments } = serialized::<T>(encoded)?;
    let copy = decode::<T>(&bytes, attachments)?;
    // Its Drop may panic.
    drop(catch(|| drop(copy)));
    Ok(())
}

type Encoded = (Result<Result<Vec<u8>, CodecError>, Panic>, Vec<Attachment>);

#[inline]
fn serialized<T>((result, attachments): Encoded) -> Result<SerializedValue, Error> {
    match result {
        Ok(Ok(bytes)) => Ok(SerializedValue { bytes, attachments }),
        Ok(Err(error)) => Err(object_lost::<T>(&format!("its Serialize failed: {}", explained(&error)))),
        Err(panic) => Err(object_lost::<T>(&format!("its Serialize panicked: {}", panic.text()))),
    }
}

/// Serializes the value into at most `N` bytes; `None` if it takes more, or does not encode. Encoding stops at the
/// limit.
pub(crate) fn encode_small<const N: usize>(value: &(impl Serialize + 'static)) -> Option<SerializedValue> {
    let (result, attachments) = with_context(Vec::new(), || codec::to_bytes(value, Vec::new(), N, None));
    match result {
        Ok(Ok(bytes)) => Some(SerializedValue { bytes, attachments }),
        _ => {
            take_refused::<()>();
            None
        }
    }
}

/// Deserializes a value.
///
/// # Errors
/// If its `Deserialize` fails or panics, or bytes are left over: `Error::ObjectLost` naming the type.
pub fn decode<T: Object>(bytes: &[u8], attachments: Vec<Attachment>) -> Result<T, Error> {
    let (result, _) = with_context(attachments, || codec::from_bytes::<T>(bytes));
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(object_lost::<T>(&format!("its Deserialize failed: {}", explained(&error)))),
        Err(panic) => Err(object_lost::<T>(&format!("its Deserialize panicked: {}", panic.text()))),
    }
}

/// The error's text, and what to do where serde's text does not say it.
fn explained(error: &CodecError) -> String {
    let text = error.to_string();
    let may_be_long = ["128 is not supported", "as u128", "as i128", "did not match any variant"];
    let advice = if may_be_long.iter().any(|part| text.contains(part)) {
        "; serde keeps no 128-bit numbers within untagged, internally tagged or flattened parts: write such a field as \
         a text (`with`)"
    } else if text.contains("missing field") {
        "; a field that is not written (`skip_serializing`, `skip_serializing_if`) needs `default`"
    } else {
        ""
    };
    format!("{text}{advice}")
}

fn object_lost<T>(reason: &str) -> Error {
    Error::ObjectLost { object: take_refused::<T>().to_string(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Deserialize, Deserializer, Serializer};

    #[test]
    fn value_is_decoded_as_encoded() {
        let value = (3u8, String::from("three"), vec![1.0f64, 2.0]);
        let serialized = encode(&value).unwrap();
        assert_eq!(decode::<(u8, String, Vec<f64>)>(&serialized.bytes, Vec::new()).unwrap(), value);
    }

    #[test]
    fn list_is_decoded_from_its_elements() {
        let (one, two) = (vec![1.5f64], vec![2.5, 3.5]);
        let serialized = encode_list(&[&one, &two], None).unwrap();
        assert_eq!(decode::<Vec<Vec<f64>>>(&serialized.bytes, Vec::new()).unwrap(), [one, two]);
        let serialized = encode_list(&[&7u64, &8], None).unwrap();
        assert_eq!(decode::<Vec<u64>>(&serialized.bytes, Vec::new()).unwrap(), [7, 8]);
    }

    /// Memory of a run of bytes.
    struct Run(Vec<u8>);
    impl ArrayMemory for Run {
        fn bytes(&self) -> &[u8] {
            &self.0
        }
        fn as_any(&self) -> &dyn Any {
            self
        }
    }

    fn store_run(bytes: &[u8]) -> Option<u32> {
        attach(Attachment::Array(Arc::new(Run(bytes.to_vec()))))
    }

    #[test]
    fn long_runs_are_attached_and_read_from_there() {
        let value = ("é".repeat(200_000), vec![Some("x".repeat(300_000)), None], 7u8);
        let serialized = encode_for_peer(&value, Some(store_run)).unwrap();
        assert!(serialized.bytes.len() < 100 && codec::has_separate_runs(&serialized.bytes));
        assert_eq!(serialized.attachments.len(), 2);
        let again = decode::<(String, Vec<Option<String>>, u8)>(&serialized.bytes, serialized.attachments.clone());
        assert_eq!(again.unwrap(), value);
        assert!(decode::<(String, Vec<Option<String>>, u8)>(&serialized.bytes, Vec::new()).is_err());
        let numbers = vec![0.5f64; 100_000];
        let serialized = encode_for_peer(&numbers, Some(store_run)).unwrap();
        assert_eq!((serialized.bytes.len(), serialized.attachments.len()), (7, 1));
        assert_eq!(decode::<Vec<f64>>(&serialized.bytes, serialized.attachments.clone()).unwrap(), numbers);
        assert!(decode::<Vec<u128>>(&serialized.bytes, vec![Attachment::Array(Arc::new(Run(vec![1; 17])))]).is_err());
        assert!(decode::<String>(&serialized.bytes, serialized.attachments).is_err(), "bytes are no text");
    }

    #[test]
    fn runs_without_a_place_are_part_of_the_bytes() {
        for store_run in [None, Some((|_| None) as StoreRun)] {
            let serialized = encode_for_peer(&vec![1u8; 300_000], store_run).unwrap();
            assert!(serialized.attachments.is_empty() && !codec::has_separate_runs(&serialized.bytes));
            assert_eq!(decode::<Vec<u8>>(&serialized.bytes, Vec::new()).unwrap(), [1; 300_000]);
        }
        let serialized = encode_for_peer(&vec![1u8; 1000], Some(store_run)).unwrap();
        assert!(serialized.attachments.is_empty(), "it is short");
    }

    /// Cannot be read, whatever was written.
    #[derive(Debug, Serialize)]
    struct WriteOnly(Vec<u8>);
    impl<'de> Deserialize<'de> for WriteOnly {
        fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            Err(serde::de::Error::custom("never read"))
        }
    }

    #[test]
    fn values_are_looked_at_up_to_the_bound() {
        let besides = encode(&WriteOnly(vec![0; CHECKED_BYTES_MAX])).unwrap().bytes.len() - CHECKED_BYTES_MAX;
        let check_of = |bytes: usize| check(&WriteOnly(vec![0; bytes - besides]));
        assert!(check_of(CHECKED_BYTES_MAX).unwrap_err().to_string().contains("never read"));
        assert_eq!(check_of(CHECKED_BYTES_MAX + 1), Ok(()));
    }

    #[test]
    fn bytes_left_over_or_missing_are_errors() {
        let serialized = encode(&7u64).unwrap();
        assert!(decode::<(u64, u64)>(&serialized.bytes, Vec::new()).is_err());
        assert!(decode::<()>(&serialized.bytes, Vec::new()).is_err());
    }

    #[derive(Debug)]
    struct Hostile;
    impl Serialize for Hostile {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("no")
        }
    }
    impl<'de> Deserialize<'de> for Hostile {
        fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            panic!("never")
        }
    }

    #[test]
    fn panic_in_serialize_or_deserialize_is_an_error_and_leaves_no_context() {
        assert!(encode(&Hostile).err().unwrap().to_string().contains("Serialize panicked: no"));
        assert!(decode::<Hostile>(&encode(&()).unwrap().bytes, Vec::new()).unwrap_err().to_string().contains("never"));
        assert!(!in_context());
    }
}
