//! Two threads that lock the same data, in every order. Neither spins: for a lock that is spun on, the checker finds no
//! end.

use super::*;
use crate::base::sync::{explore, thread};
use std::sync::Arc;

#[test]
fn holder_sees_writes_of_previous_holder() {
    fn add(spin_lock: &SpinLock<u32>) -> u32 {
        spin_lock.try_lock().map_or(0, |mut held| {
            *held += 1;
            1
        })
    }
    explore(3, || {
        let spin_lock = Arc::new(SpinLock::new(0));
        let other = thread::spawn({
            let spin_lock = spin_lock.clone();
            move || add(&spin_lock) + add(&spin_lock)
        });
        let mine = add(&spin_lock);
        let all = mine + other.join().unwrap();
        assert!((1..=3).contains(&all));
        assert_eq!(*spin_lock.try_lock().expect("it is free"), all);
    });
}
