//! Ranks of a host that take, give, wait and are declared dead, in every order.

use super::*;
use crate::base::sync::{AtomicI64, AtomicUsize, explore, thread};
use crate::runtime::resources::shared_table::WORK;

struct TestCells(Vec<AtomicI64>);

impl SharedCells for Arc<TestCells> {
    fn cells(&self) -> &[AtomicI64] {
        &self.0
    }
}

type SeenTable = Arc<ResourceTable<Arc<TestCells>>>;

/// A host with so many CPUs, as each of `RANKS` ranks sees it, and the doorbells of the ranks.
fn host<const RANKS: usize>(cpus: i64) -> ([SeenTable; RANKS], [Arc<Doorbell>; RANKS]) {
    let memory = Arc::new(TestCells((0..WORK).map(|_| AtomicI64::new(0)).collect()));
    let totals = Totals { cpu: cpus * UNIT, gpu: 0, custom: Vec::new() };
    let doorbells = std::array::from_fn(|_| Arc::new(Doorbell::private()));
    let resources_of = |index| {
        let shared = SharedTable::new(memory.clone(), index, RANKS);
        Arc::new(ResourceTable::new(shared, totals.clone(), doorbells.iter().cloned().map(Some).collect()))
    };
    (std::array::from_fn(resources_of), doorbells)
}

/// Takes so many CPUs, and sleeps while there are too few.
fn take_or_sleep(table: &SeenTable, doorbell: &Doorbell, cpus: i64) {
    while !table.take_cpu(cpus * UNIT) {
        let seen = doorbell.notified();
        table.set_waiting();
        if table.take_cpu(cpus * UNIT) {
            break;
        }
        doorbell.sleep(seen, None);
    }
}

fn give_and_notify(table: &SeenTable, doorbells: &[Arc<Doorbell>], cpus: i64) {
    table.give_cpu(cpus * UNIT);
    table.notify_waiters(|index| doorbells[index].notify_always());
}

/// Both may have to subtract again, and then retry: in the end one has it.
#[test]
fn one_of_two_concurrent_takes_succeeds() {
    explore(3, || {
        let ([mine, other], _) = host(1);
        let taking = thread::spawn({
            let other = other.clone();
            move || other.take_cpu(UNIT)
        });
        let took = mine.take_cpu(UNIT);
        assert!(took != taking.join().unwrap());
        assert_eq!(mine.free_cpu(), 0);
        if took {
            mine.give_cpu(UNIT)
        } else {
            other.give_cpu(UNIT)
        }
        assert_eq!(mine.free_cpu(), UNIT);
    });
}

#[test]
fn waiter_is_notified_or_sees_what_was_given() {
    explore(3, || {
        let ([giver, waiter], doorbells) = host(1);
        assert!(giver.take_cpu(UNIT));
        let waiting = thread::spawn({
            let doorbell = doorbells[1].clone();
            move || take_or_sleep(&waiter, &doorbell, 1)
        });
        give_and_notify(&giver, &doorbells, 1);
        waiting.join().unwrap();
        assert_eq!(giver.free_cpu(), 0);
    });
}

/// Of three CPUs one rank needs one; two others need two each, and one of those subtracts again. No rank gives anything
/// back afterwards: if the first rank found too little only because of that addition, it must be notified of the
/// subtraction.
#[test]
fn waiter_is_notified_when_a_failed_take_is_subtracted() {
    explore(2, || {
        let ([first, second, third], doorbells) = host(3);
        let taking = thread::spawn(move || first.take_cpu(2 * UNIT));
        let waiting = thread::spawn({
            let (third, doorbell) = (third.clone(), doorbells[2].clone());
            move || take_or_sleep(&third, &doorbell, 1)
        });
        let took = second.take_cpu(2 * UNIT);
        let other_took = taking.join().unwrap();
        waiting.join().unwrap();
        assert!(!(took && other_took));
        assert_eq!(third.free_cpu(), if took || other_took { 0 } else { 2 * UNIT });
    });
}

fn count_notified(table: &SeenTable, notified: &[AtomicUsize; 3]) {
    table.notify_waiters(|index| {
        notified[index].fetch_add(1, Ordering::Relaxed);
    });
}

#[test]
fn waiter_is_notified_while_another_begins_to_wait() {
    explore(2, || {
        let ([first, second, third], _) = host(1);
        let notified: Arc<[AtomicUsize; 3]> = Arc::new(std::array::from_fn(|_| AtomicUsize::new(0)));
        second.set_waiting();
        let beginning = thread::spawn(move || first.set_waiting());
        let announcing = thread::spawn({
            let (notified, third) = (notified.clone(), third.clone());
            move || count_notified(&third, &notified)
        });
        count_notified(&second, &notified);
        announcing.join().unwrap();
        assert_eq!(notified[1].load(Ordering::Relaxed), 1, "it waited before the notification");
        beginning.join().unwrap();
        assert_eq!(
            second.has_waiters(),
            notified[0].load(Ordering::Relaxed) == 0,
            "the bit of a notified rank is cleared"
        );
    });
}

/// The rank continues while two others declare it dead: what it still writes is not read any more.
#[test]
fn resources_of_a_rank_declared_dead_are_free_once() {
    explore(2, || {
        let ([mine, other, dead], doorbells) = host(1);
        assert!(dead.take_cpu(UNIT));
        let continuing = thread::spawn({
            let doorbells = doorbells.clone();
            move || {
                dead.set_waiting();
                give_and_notify(&dead, &doorbells, 1);
                dead.take_cpu(UNIT);
            }
        });
        let marking_dead = thread::spawn(move || {
            other.shared.mark_dead(2);
            other.take_cpu(UNIT)
        });
        mine.shared.mark_dead(2);
        let took = mine.take_cpu(UNIT);
        let other_took = marking_dead.join().unwrap();
        continuing.join().unwrap();
        assert!(took != other_took, "one of the live ranks has it");
        assert_eq!(mine.free_cpu(), 0);
        assert!(!mine.has_waiters());
    });
}
