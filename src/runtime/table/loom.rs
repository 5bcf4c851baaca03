//! Ranks of a host that take, give, wait and are given up, in every order.

use super::*;
use crate::base::sync::{AtomicI64, AtomicUsize, explore, thread};
use crate::runtime::board::BOARD_BYTES;

struct Memory(Vec<AtomicI64>);

impl Cells for Arc<Memory> {
    fn cells(&self) -> &[AtomicI64] {
        &self.0
    }
}

type Seen = Arc<Table<Arc<Memory>>>;

/// A host with so many CPUs, as each of `RANKS` sees it, and the bells of those.
fn host<const RANKS: usize>(cpus: i64) -> ([Seen; RANKS], [Arc<Bell>; RANKS]) {
    let memory = Arc::new(Memory((0..BOARD_BYTES / 8).map(|_| AtomicI64::new(0)).collect()));
    let totals = Totals { cpu: cpus * UNIT, gpu: 0, custom: Vec::new() };
    let bells = std::array::from_fn(|_| Arc::new(Bell::private()));
    let seen_from = |place| {
        let board = Board::new(memory.clone(), place, RANKS);
        Arc::new(Table::new(board, totals.clone(), bells.iter().cloned().map(Some).collect()))
    };
    (std::array::from_fn(seen_from), bells)
}

/// Takes so many CPUs, asleep while there are too few.
fn take_or_sleep(table: &Seen, bell: &Bell, cpus: i64) {
    while !table.take_cpu(cpus * UNIT) {
        let seen = bell.rung();
        table.wait();
        if table.take_cpu(cpus * UNIT) {
            break;
        }
        bell.sleep(seen, None);
    }
}

fn give_and_announce(table: &Seen, bells: &[Arc<Bell>], cpus: i64) {
    table.give_cpu(cpus * UNIT);
    table.announce(|place| bells[place].ring());
}

/// Both may have to take their notes back, and then try again: in the end one has it.
#[test]
fn one_of_two_takes_what_there_is_once() {
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
fn who_finds_too_little_is_told_or_sees_what_was_given() {
    explore(3, || {
        let ([giver, waiter], bells) = host(1);
        assert!(giver.take_cpu(UNIT));
        let waiting = thread::spawn({
            let bell = bells[1].clone();
            move || take_or_sleep(&waiter, &bell, 1)
        });
        give_and_announce(&giver, &bells, 1);
        waiting.join().unwrap();
        assert_eq!(giver.free_cpu(), 0);
    });
}

/// Of three CPUs one wants one; two others want two each, and one of those takes its note back. Nobody gives anything back
/// afterwards: if it is only that note for which the one found too little, it must be told of its end.
#[test]
fn who_found_too_little_for_a_note_is_told_when_that_is_taken_back() {
    explore(2, || {
        let ([first, second, third], bells) = host(3);
        let taking = thread::spawn(move || first.take_cpu(2 * UNIT));
        let waiting = thread::spawn({
            let (third, bell) = (third.clone(), bells[2].clone());
            move || take_or_sleep(&third, &bell, 1)
        });
        let took = second.take_cpu(2 * UNIT);
        let other_took = taking.join().unwrap();
        waiting.join().unwrap();
        assert!(!(took && other_took));
        assert_eq!(third.free_cpu(), if took || other_took { 0 } else { 2 * UNIT });
    });
}

fn tell(table: &Seen, told: &[AtomicUsize; 3]) {
    table.announce(|place| {
        told[place].fetch_add(1, Ordering::Relaxed);
    });
}

#[test]
fn a_waiter_is_told_while_another_begins_to_wait() {
    explore(2, || {
        let ([first, second, third], _) = host(1);
        let told: Arc<[AtomicUsize; 3]> = Arc::new(std::array::from_fn(|_| AtomicUsize::new(0)));
        second.wait();
        let beginning = thread::spawn(move || first.wait());
        let announcing = thread::spawn({
            let (told, third) = (told.clone(), third.clone());
            move || tell(&third, &told)
        });
        tell(&second, &told);
        announcing.join().unwrap();
        assert_eq!(told[1].load(Ordering::Relaxed), 1, "it waited before that was said");
        beginning.join().unwrap();
        assert_eq!(second.somebody_waits(), told[0].load(Ordering::Relaxed) == 0, "nothing is left of who was told");
    });
}

/// The rank goes on while two others give it up: what it still writes is nobody's any more.
#[test]
fn what_a_rank_held_that_was_given_up_is_free_once() {
    explore(2, || {
        let ([mine, other, gone], bells) = host(1);
        assert!(gone.take_cpu(UNIT));
        let going_on = thread::spawn({
            let bells = bells.clone();
            move || {
                gone.wait();
                give_and_announce(&gone, &bells, 1);
                gone.take_cpu(UNIT);
            }
        });
        let giving_up = thread::spawn(move || {
            other.board.give_up(2);
            other.take_cpu(UNIT)
        });
        mine.board.give_up(2);
        let took = mine.take_cpu(UNIT);
        let other_took = giving_up.join().unwrap();
        going_on.join().unwrap();
        assert!(took != other_took, "one of the living has it");
        assert_eq!(mine.free_cpu(), 0);
        assert!(!mine.somebody_waits());
    });
}
