//! Types that `==` does not compare as it should here: each is wrapped in one that compares every bit.

use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, RwLock};

/// Types by what their values are compared, and how they are cloned.
macro_rules! compared {
    ($($name:ident |$value:ident: $type:ty| $key:expr, $clone:expr;)*) => {
        $(#[derive(Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $type);
        impl Clone for $name {
            fn clone(&self) -> Self {
                let $value = &self.0;
                $name($clone)
            }
        }
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                let key = |$value: &$type| $key;
                key(&self.0) == key(&other.0)
            }
        })*
    };
}

compared! {
    Single |value: f32| value.to_bits(), *value;
    Double |value: f64| value.to_bits(), *value;
    Doubles |values: Vec<f64>| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>(), values.clone();
    Heap |heap: BinaryHeap<Reverse<u8>>| heap.clone().into_sorted_vec(), heap.clone();
    Flag |flag: AtomicBool| flag.load(Ordering::Relaxed), flag.load(Ordering::Relaxed).into();
    Count |count: AtomicI64| count.load(Ordering::Relaxed), count.load(Ordering::Relaxed).into();
    Locked |text: Mutex<String>| text.lock().unwrap().clone(), text.lock().unwrap().clone().into();
    Shared |bytes: RwLock<Vec<u8>>| bytes.read().unwrap().clone(), bytes.read().unwrap().clone().into();
}

/// The longest tuple of serde.
type Sixteen = (u8, (), i8, u16, i16, u32, i32, u64, i64, u128, i128, f32, f64, bool, char, String);

#[derive(Clone, Serialize, Deserialize)]
pub struct LongTuple(Sixteen);

impl std::fmt::Debug for LongTuple {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p) = &self.0;
        write!(formatter, "{:?}", ((a, b, c, d, e, f, g, h), (i, j, k, l, m, n, o, p)))
    }
}

impl PartialEq for LongTuple {
    fn eq(&self, other: &Self) -> bool {
        format!("{self:?}") == format!("{other:?}")
    }
}

/// Not-a-number with a payload.
const STRANGE: u64 = 0x7ff8_0000_dead_beef;

crate::values! {
    checked {
        single: Single = [
            Single(-0.0), Single(f32::MIN_POSITIVE / 2.0), Single(f32::NEG_INFINITY),
            Single(f32::from_bits(0x7fc0_1234)),
        ];
        double: Double = [
            Double(-0.0), Double(5e-324), Double(f64::INFINITY), Double(f64::from_bits(STRANGE)), Double(0.1),
        ];
        doubles: Doubles = [Doubles(vec![-0.0, f64::from_bits(STRANGE), f64::NEG_INFINITY, 1e308])];
        heap: Heap = [Heap(BinaryHeap::from([Reverse(3), Reverse(1), Reverse(2)]))];
        flag: Flag = [Flag(true.into())];
        count: Count = [Count((-7).into())];
        locked: Locked = [Locked(Mutex::new("inside".into()))];
        long_tuple: LongTuple = [LongTuple(
            (1, (), -1, 2, -2, 3, -3, 4, -4, u128::MAX, i128::MIN, 5.5, -5.5, true, 'z', "s".into())
        )];
        shared: Shared = [Shared(RwLock::new(vec![1, 2]))];
    }
}
