//! Processes that are killed, or stopped, at any instruction of a write to shared memory, and one that goes on.
//!
//! The other process sends messages through a ring, takes and gives the host's resources, and fills blocks of its store, as
//! fast as it can, until it is killed. This one checks that each message came whole and in order, that each block which a
//! message named holds what it should, and that every resource is free again, exactly.
//!
//! The other process is this test program once more, which runs `the_other_process`; what it is to do is in its environment.

use crate::base::config::Pages;
use crate::memory::{
    Access, Arena, Block, Consumer, PeerArena, Popped, Producer, RING_SEGMENT_BYTES, Segment, SegmentCard,
};
use crate::runtime::board::{BOARD_BYTES, Board};
use crate::runtime::table::Table;
use crate::scheduling::{Request, Totals, UNIT};
use serde::{Deserialize, Serialize};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many processes are killed.
const KILLS: u64 = 200;

/// How long one runs at most, from its first message.
const LIFE_US_MAX: u64 = 4000;

const SEED: &str = "KILLED_SEED";
const ORDERS: &str = "KILLED_ORDERS";

const STORE_BYTES: u64 = 4 << 20;

fn totals() -> Totals {
    Totals { cpu: 3 * UNIT, gpu: 2 * UNIT, custom: vec![("Key".to_string(), UNIT)] }
}

/// A generator of its own (xorshift64*): the test needs chance that a seed replays.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) % bound
    }
}

/// What the other process is told.
#[derive(Serialize, Deserialize)]
struct Orders {
    ring: SegmentCard,
    board: SegmentCard,
    seed: u64,
}

/// The first message: where its store is.
type Greeting = SegmentCard;

/// Each later message begins with this; bytes that follow from its number come after.
#[derive(Serialize, Deserialize)]
struct Letter {
    number: u64,
    bytes: u64,
    /// A block of the store that was filled before: where, and how long.
    block: Option<(u64, u64)>,
}

fn byte_of(number: u64, place: usize) -> u8 {
    (number.wrapping_mul(31).wrapping_add(place as u64) ^ (number >> 8)) as u8
}

fn filled(number: u64, bytes: u64) -> Vec<u8> {
    (0..bytes as usize).map(|place| byte_of(number, place)).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.as_chunks::<2>().0.iter().map(|[high, low]| (high << 4 | low) as u8).collect()
}

#[test]
#[ignore = "the process that the other test starts and kills"]
fn the_other_process() {
    let orders = std::env::var(ORDERS).expect("started by the other test");
    let orders: Orders = postcard::from_bytes(&from_hex(&orders)).expect("whole");
    let open = |card: &SegmentCard| Arc::new(Segment::open(card, Access::Write).expect("its maker lives"));
    let mut ring = Producer::claim(open(&orders.ring), 0).expect("free");
    let table = Table::new(Board::new(open(&orders.board), 1, 2), totals(), Vec::new());
    let store = Arena::create(STORE_BYTES, Pages::Plain).expect("memory");
    let mut chance = Chance(orders.seed);
    assert!(ring.push(&[&postcard::to_allocvec::<Greeting>(&store.card()).expect("plain data")]));
    // What a message named stays as it is.
    let mut named: Vec<Block> = Vec::new();
    let parent = std::os::unix::process::parent_id();
    for number in 0.. {
        let request = Request {
            cpu: 0,
            gpu: [0, UNIT / 2, UNIT][chance.below(3) as usize],
            custom: vec![("Key".to_string(), UNIT / (1 + chance.below(2) as i64))],
            ..Request::default()
        };
        let taken = table.take_cpu(UNIT);
        let grant = table.take_rest(&request);
        table.wait();
        let bytes = if chance.below(8) == 0 { chance.below(20_000) } else { chance.below(300) };
        let block = store.allocate(64 + chance.below(2000) as usize).map(|mut block| {
            let bytes = filled(number, block.len() as u64);
            block.as_mut_slice().copy_from_slice(&bytes);
            block
        });
        let named_now = block.filter(|_| chance.below(2) == 0);
        let place = named_now.as_ref().map(|block| (block.offset(), block.len() as u64));
        named.extend(named_now);
        let head = postcard::to_allocvec(&Letter { number, bytes, block: place }).expect("plain data");
        let body = filled(number, bytes);
        while !ring.push(&[&head, &body]) {
            // The other test's own end is the only other end.
            assert_eq!(std::os::unix::process::parent_id(), parent, "nobody reads any more");
            std::thread::yield_now();
        }
        grant.iter().for_each(|grant| table.give_rest(grant));
        if taken {
            table.give_cpu(UNIT);
        }
        table.announce(|_| {});
    }
}

/// The other process, and this one's ends of what they share.
struct Pair {
    other: Child,
    ring: Consumer,
    table: Table,
    store: Option<Arc<PeerArena>>,
    next: u64,
}

impl Pair {
    fn start(seed: u64) -> Pair {
        let made = |name, bytes| Arc::new(Segment::create(name, bytes, Pages::Plain).expect("memory"));
        let (ring, board) = (made("ring", RING_SEGMENT_BYTES), made("board", BOARD_BYTES));
        let orders = Orders { ring: ring.card(), board: board.card(), seed };
        let other = Command::new(std::env::current_exe().expect("a test knows where it lies"))
            .args(["--ignored", "--exact", "runtime::killed::the_other_process"])
            .env(ORDERS, hex(&postcard::to_allocvec(&orders).expect("plain data")))
            .stdout(Stdio::null())
            .spawn()
            .expect("this program starts");
        let ring = Consumer::claim(ring, 0).expect("free");
        let table = Table::new(Board::new(board, 0, 2), totals(), Vec::new());
        Pair { other, ring, table, store: None, next: 0 }
    }

    /// Takes what came, and checks it; how many messages there were.
    fn take(&mut self) -> u64 {
        let before = self.next;
        loop {
            let Pair { ring, store, next, .. } = self;
            let popped = ring.pop(&mut |bytes| match store {
                None => {
                    let card: Greeting = postcard::from_bytes(bytes).expect("a greeting that is whole");
                    *store = Some(PeerArena::open(&card).expect("its maker was not killed yet"));
                }
                Some(store) => {
                    check(bytes, *next, store);
                    *next += 1;
                }
            });
            match popped {
                Popped::Message => {}
                Popped::Empty => return self.next - before,
                Popped::Corrupt => panic!("after {} whole messages came one that is not", self.next),
            }
        }
    }

    /// Returns when the first message came, and the store is mapped.
    fn greeted(&mut self) {
        let patience = Instant::now() + Duration::from_secs(30);
        while self.store.is_none() {
            assert!(Instant::now() < patience, "the other process said nothing: {:?}", self.other.try_wait());
            self.take();
            std::thread::yield_now();
        }
    }

    /// Works beside the other for so long: its messages are taken, resources come and go.
    fn work(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.take();
            if self.table.take_cpu(UNIT) {
                self.table.give_cpu(UNIT);
            }
            self.table.announce(|_| {});
        }
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let process = rustix::process::Pid::from_child(&self.other);
        rustix::process::kill_process(process, signal).expect("it lives");
    }

    fn all_is_free(&self) -> bool {
        let free = self.table.available();
        (free["CPU"], free["GPU"], free["Key"]) == (3.0, 2.0, 1.0)
    }
}

fn check(bytes: &[u8], number: u64, store: &PeerArena) {
    let (letter, body): (Letter, &[u8]) = postcard::take_from_bytes(bytes).expect("a letter that is whole");
    assert_eq!((letter.number, letter.bytes), (number, body.len() as u64));
    assert!(body == filled(number, letter.bytes), "message {number} was changed");
    if let Some((offset, length)) = letter.block {
        let block = store.slice(offset, length as usize).expect("a block within the store");
        assert!(block == filled(number, length), "the block of message {number} was changed");
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        let _ = self.other.kill();
        let _ = self.other.wait();
    }
}

#[test]
fn a_process_that_is_killed_or_stopped_in_the_middle_of_any_write_corrupts_nothing() {
    let seed = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    println!("{SEED}={seed} replays it, as far as the system's own timing lets it");
    let mut chance = Chance(seed);
    let (mut messages, mut held) = (0, 0);
    for kill in 0..KILLS {
        let mut pair = Pair::start(chance.below(u64::from(u32::MAX)) + 1);
        pair.greeted();
        pair.work(Duration::from_micros(chance.below(LIFE_US_MAX)));
        let is_stopped = kill % 2 == 1;
        if is_stopped {
            pair.signal(rustix::process::Signal::STOP);
        } else {
            pair.other.kill().expect("it lives");
            pair.other.wait().expect("a child");
        }
        pair.take();
        if is_stopped {
            held += u64::from(!pair.all_is_free());
            pair.table.board.give_up(1);
            assert!(pair.all_is_free(), "kill {kill}: {:?}", pair.table.available());
            pair.signal(rustix::process::Signal::CONT);
            let until = Instant::now() + Duration::from_micros(chance.below(LIFE_US_MAX));
            while Instant::now() < until {
                // It goes on, and may take and give what it likes.
                pair.take();
                assert!(
                    pair.all_is_free() && !pair.table.somebody_waits(),
                    "kill {kill}: {:?}",
                    pair.table.available()
                );
            }
            pair.other.kill().expect("it lives");
            pair.other.wait().expect("a child");
        } else {
            held += u64::from(!pair.all_is_free());
            pair.table.board.give_up(1);
        }
        pair.take();
        assert!(pair.all_is_free() && !pair.table.somebody_waits(), "kill {kill}: {:?}", pair.table.available());
        assert!(pair.table.take_cpu(3 * UNIT), "all of it can be taken");
        messages += pair.next;
    }
    println!("{KILLS} processes, {messages} messages, {held} held something when they were killed");
    assert!(messages > KILLS && held > 0, "they were killed at work");
}
