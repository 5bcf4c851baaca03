//! Ranks of a host that take, give and wait for resources, in every order.

use super::*;
use crate::base::sync::{AtomicUsize, explore, thread};

struct Memory(Vec<AtomicI64>);

impl Cells for Arc<Memory> {
    fn cells(&self) -> &[AtomicI64] {
        &self.0
    }
}

/// A host with one CPU, as each of `RANKS` sees it.
fn host<const RANKS: usize>() -> [Arc<Table<Arc<Memory>>>; RANKS] {
    let memory = Arc::new(Memory((0..TABLE_BYTES / 8).map(|_| AtomicI64::new(0)).collect()));
    let totals = Totals { cpu: UNIT, gpu: 0, custom: Vec::new() };
    let tables = std::array::from_fn(|place| Arc::new(Table::new(memory.clone(), totals.clone(), place, RANKS)));
    tables[0].fill();
    tables
}

#[test]
fn one_of_two_takes_what_there_is_once() {
    explore(3, || {
        let [mine, other] = host();
        let taking = thread::spawn({
            let other = other.clone();
            move || other.take_cpu(UNIT)
        });
        let took = mine.take_cpu(UNIT);
        assert!(took != taking.join().unwrap());
        if took {
            mine.give_cpu(UNIT)
        } else {
            other.give_cpu(UNIT)
        }
        assert_eq!(mine.free_cpu(), UNIT);
    });
}

#[test]
fn who_finds_too_little_is_told_or_sees_what_was_given() {
    explore(4, || {
        let [giver, waiter] = host();
        assert!(giver.take_cpu(UNIT));
        let waiting = thread::spawn(move || {
            while !waiter.take_cpu(UNIT) {
                waiter.wait();
                if waiter.take_cpu(UNIT) {
                    break;
                }
                thread::park();
            }
        });
        giver.give_cpu(UNIT);
        giver.announce(|place| {
            assert_eq!(place, 1);
            waiting.thread().unpark();
        });
        waiting.join().unwrap();
        assert_eq!(giver.free_cpu(), 0);
    });
}

fn tell(table: &Table<Arc<Memory>>, told: &[AtomicUsize; 3]) {
    table.announce(|place| {
        told[place].fetch_add(1, Ordering::Relaxed);
    });
}

#[test]
fn a_waiter_is_told_while_another_begins_to_wait() {
    explore(2, || {
        let [first, second, third] = host();
        let told: Arc<[AtomicUsize; 3]> = Arc::new(std::array::from_fn(|_| AtomicUsize::new(0)));
        third.wait();
        let beginning = thread::spawn(move || first.wait());
        let announcing = thread::spawn({
            let (told, third) = (told.clone(), third.clone());
            move || tell(&third, &told)
        });
        second.wait();
        tell(&second, &told);
        announcing.join().unwrap();
        assert_eq!(told[1].load(Ordering::Relaxed), 1, "it waited before that was said");
        beginning.join().unwrap();
        assert_eq!(second.somebody_waits(), told[0].load(Ordering::Relaxed) == 0, "nothing is left of who was told");
    });
}

#[test]
fn what_a_dead_rank_held_is_given_back_once() {
    explore(3, || {
        let [mine, other, dead] = host();
        assert!(dead.take_cpu(UNIT));
        dead.wait();
        let reclaiming = thread::spawn(move || other.reclaim(2));
        mine.reclaim(2);
        reclaiming.join().unwrap();
        assert_eq!(mine.free_cpu(), UNIT);
        assert!(!mine.somebody_waits());
    });
}
