//! Two threads that want the same data, in every order. Neither waits: of a lock that is spun on the checker sees no end.

use super::*;
use crate::base::sync::{explore, thread};
use std::sync::Arc;

#[test]
fn who_holds_it_sees_what_the_one_before_did() {
    fn add(latch: &Latch<u32>) -> u32 {
        latch.try_lock().map_or(0, |mut held| {
            *held += 1;
            1
        })
    }
    explore(3, || {
        let latch = Arc::new(Latch::new(0));
        let other = thread::spawn({
            let latch = latch.clone();
            move || add(&latch) + add(&latch)
        });
        let mine = add(&latch);
        let all = mine + other.join().unwrap();
        assert!((1..=3).contains(&all));
        assert_eq!(*latch.try_lock().expect("nobody has it"), all);
    });
}
