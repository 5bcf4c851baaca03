use super::*;
use crate::base::sync::AtomicUsize;
use crate::objects::reference::{complete_encoded, complete_value, encode_promise};
use crate::objects::{ObjectRef, Slot, Value};

/// Eight numbers of memory that may be moved while no reader uses them, and how often it was unpinned.
struct TestMemory {
    bytes: Vec<u64>,
    unpinned: Arc<UnpinCount>,
}

#[derive(Default)]
struct UnpinCount(AtomicUsize);

struct TestPin(Arc<dyn ArrayMemory>, Arc<UnpinCount>);

impl ArrayMemory for TestMemory {
    fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(&self.bytes)
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn into_pin(self: Arc<Self>, _: &'static str) -> Option<Arc<dyn Pin>> {
        let unpinned = self.unpinned.clone();
        Some(Arc::new(TestPin(self, unpinned)))
    }
}

impl Pin for TestPin {
    fn pin(&self) -> Result<Arc<dyn ArrayMemory>, Error> {
        Ok(self.0.clone())
    }
    fn unpin(&self) {
        self.1.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn array() -> (Array<u64>, Arc<TestMemory>) {
    let memory = Arc::new(TestMemory { bytes: (0..8).collect(), unpinned: Arc::default() });
    (Array::over(memory.clone(), 0, 8).unwrap(), memory)
}

#[test]
fn packed_value_without_reader_unpins_its_memory() {
    let (array, memory) = array();
    let reference = ObjectRef::new(Value::ready(vec![Some(array), None]));
    assert!(reference.is_ready() && reference.slot.promise().value().is_none());
    // This test and the pin.
    assert_eq!(Arc::strong_count(&memory), 2);
    let first = reference.ready().unwrap().unwrap();
    let second = reference.ready().unwrap().unwrap();
    assert!(std::ptr::eq(&*first, &*second), "readers of one object see one value");
    assert_eq!(first[0].as_ref().unwrap()[7], 7);
    assert_eq!(Arc::strong_count(&memory), 3);
    drop(first);
    assert_eq!(memory.unpinned.0.load(Ordering::Relaxed), 0);
    drop(second);
    assert_eq!((Arc::strong_count(&memory), memory.unpinned.0.load(Ordering::Relaxed)), (2, 1));
    assert_eq!(reference.ready().unwrap().unwrap()[0].as_ref().unwrap()[1], 1, "and it can be read again");
}

#[test]
fn packed_value_is_encoded_without_being_decoded() {
    let (array, memory) = array();
    let promise = Promise::default();
    complete_value(&promise, (7u64, array));
    let serialized = encode_promise(&promise, None).unwrap();
    let there = Promise::<(u64, Array<u64>)>::default();
    complete_encoded(&there, &serialized.bytes, serialized.attachments);
    let packed = there.core().packed().expect("it arrives packed");
    let loaded = packed.load::<(u64, Array<u64>)>().unwrap();
    let value = loaded.promise().value().expect("decoded");
    assert_eq!((value.0, value.1.as_ptr().addr()), (7, memory.bytes.as_ptr().addr()));
}

#[test]
fn value_without_arrays_in_store_is_not_packed() {
    let (with, _) = array();
    assert!(pack(String::from("plain")).is_err());
    assert!(pack(vec![0u8; 4 * PACKED_BYTES_MAX]).is_err());
    assert!(pack((with, vec![0u8; 4 * PACKED_BYTES_MAX])).is_err(), "too much besides the array");
    let bytes = postcard::to_allocvec(&array().0).unwrap();
    let elsewhere: Array<u64> = postcard::from_bytes(&bytes).unwrap();
    assert!(pack(elsewhere).is_err(), "memory outside of the store cannot be pinned");
}

#[test]
fn packed_value_of_another_type_is_an_error_for_its_reader() {
    let (array, _) = array();
    let serialized = encoding::encode(&array).unwrap();
    let promise = Promise::<(String, Array<u64>)>::default();
    complete_encoded(&promise, &serialized.bytes, serialized.attachments);
    let outcome = promise.core().packed().map(|packed| packed.load::<(String, Array<u64>)>().map(|_| ()));
    assert!(matches!(outcome, Some(Err(Error::ObjectLost { .. }))));
}
