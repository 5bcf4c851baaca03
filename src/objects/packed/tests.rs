use super::*;
use crate::base::sync::AtomicUsize;
use crate::objects::reference::{complete_cell, complete_value};
use crate::objects::{ObjectRef, Value};

/// Eight numbers of memory that may be moved while nobody reads them, and how often readers were through.
struct Shelf {
    bytes: Vec<u64>,
    closed: Arc<Closed>,
}

#[derive(Default)]
struct Closed(AtomicUsize);

struct OnShelf(Arc<dyn ArrayMemory>, Arc<Closed>);

impl ArrayMemory for Shelf {
    fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(&self.bytes)
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn keeper(self: Arc<Self>, _: &'static str) -> Option<Arc<dyn Keeper>> {
        let closed = self.closed.clone();
        Some(Arc::new(OnShelf(self, closed)))
    }
}

impl Keeper for OnShelf {
    fn open(&self) -> Result<Arc<dyn ArrayMemory>, Error> {
        Ok(self.0.clone())
    }
    fn closed(&self) {
        self.1.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn array() -> (Array<u64>, Arc<Shelf>) {
    let shelf = Arc::new(Shelf { bytes: (0..8).collect(), closed: Arc::default() });
    (Array::over(shelf.clone(), 8).unwrap(), shelf)
}

#[test]
fn a_value_with_an_array_lets_go_of_its_memory_when_nobody_reads_it() {
    let (array, shelf) = array();
    let reference = ObjectRef::new(Value::ready(vec![Some(array), None]));
    assert!(reference.is_ready() && reference.slot.cell().value().is_none());
    // This test and the keeper.
    assert_eq!(Arc::strong_count(&shelf), 2);
    let first = reference.ready().unwrap().unwrap();
    let second = reference.ready().unwrap().unwrap();
    assert!(std::ptr::eq(&*first, &*second), "readers of one object see one value");
    assert_eq!(first[0].as_ref().unwrap()[7], 7);
    assert_eq!(Arc::strong_count(&shelf), 3);
    drop(first);
    assert_eq!(shelf.closed.0.load(Ordering::Relaxed), 0);
    drop(second);
    assert_eq!((Arc::strong_count(&shelf), shelf.closed.0.load(Ordering::Relaxed)), (2, 1));
    assert_eq!(reference.ready().unwrap().unwrap()[0].as_ref().unwrap()[1], 1, "and it can be read again");
}

#[test]
fn a_packed_value_travels_without_being_decoded() {
    let (array, shelf) = array();
    let cell = Cell::default();
    complete_value(&cell, (7u64, array));
    let parcel = encode_cell(&cell).unwrap();
    let there = Cell::<(u64, Array<u64>)>::default();
    complete_cell(&there, &parcel.bytes, parcel.attachments);
    let packed = there.core().packed().expect("it arrives packed");
    let loaded = packed.load::<(u64, Array<u64>)>().unwrap();
    let value = loaded.cell().value().expect("decoded");
    assert_eq!((value.0, value.1.as_ptr().addr()), (7, shelf.bytes.as_ptr().addr()));
}

#[test]
fn values_without_arrays_in_the_store_stay_values() {
    let (with, _) = array();
    assert!(pack(String::from("plain")).is_err());
    assert!(pack(vec![0u8; 4 * PACKED_BYTES_MAX]).is_err());
    assert!(pack((with, vec![0u8; 4 * PACKED_BYTES_MAX])).is_err(), "too much beside the array");
    let bytes = postcard::to_allocvec(&array().0).unwrap();
    let elsewhere: Array<u64> = postcard::from_bytes(&bytes).unwrap();
    assert!(pack(elsewhere).is_err(), "no keeper takes memory outside of the store");
}

#[test]
fn a_packed_value_of_another_type_is_an_error_for_its_reader() {
    let (array, _) = array();
    let parcel = parcel::encode(&array).unwrap();
    let cell = Cell::<(String, Array<u64>)>::default();
    complete_cell(&cell, &parcel.bytes, parcel.attachments);
    let outcome = cell.core().packed().map(|packed| packed.load::<(String, Array<u64>)>().map(|_| ()));
    assert!(matches!(outcome, Some(Err(Error::ObjectLost { .. }))));
}
