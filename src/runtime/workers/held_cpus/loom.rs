//! A thread takes and returns CPUs while another one lends them and takes them back: in the end the table counts what
//! the thread holds.

use super::HeldCpus;
use crate::base::sync::{AtomicI64, Ordering, explore, thread};
use std::sync::Arc;

#[test]
fn table_counts_what_is_held_after_any_order_of_steps() {
    explore(3, || {
        let held = Arc::new(HeldCpus::default());
        let counted = Arc::new(AtomicI64::new(1));
        held.hold(1);
        let watching = {
            let (held, counted) = (held.clone(), counted.clone());
            thread::spawn(move || {
                counted.fetch_sub(held.negate(held.amount().max(0)), Ordering::Relaxed);
                counted.fetch_add(held.negate(held.amount().min(0)), Ordering::Relaxed);
            })
        };
        counted.fetch_sub(held.withdraw(), Ordering::Relaxed);
        counted.fetch_add(2, Ordering::Relaxed);
        held.hold(2);
        watching.join().expect("no panic");
        assert_eq!(counted.load(Ordering::Relaxed), held.amount().max(0));
        counted.fetch_sub(held.withdraw(), Ordering::Relaxed);
        assert_eq!(counted.load(Ordering::Relaxed), 0);
    });
}
