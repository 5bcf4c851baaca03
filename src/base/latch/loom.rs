//! Two threads that want the same data, in every order.

use super::*;
use crate::base::sync::{explore, thread};
use std::sync::Arc;

#[test]
fn no_two_hold_it() {
    explore(3, || {
        let latch = Arc::new(Latch::new(0));
        let other = thread::spawn({
            let latch = latch.clone();
            move || *latch.lock() += 1
        });
        *latch.lock() += 1;
        other.join().unwrap();
        assert_eq!(*latch.lock(), 2);
    });
}
