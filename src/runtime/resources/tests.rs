//! Tests in which a process is killed, or stopped, at any instruction of a write to shared memory, and another goes on.
//!
//! The child process sends messages through a ring, takes and returns the host's resources, and fills blocks of its
//! store, as fast as it can, until it is killed. The test checks that each message came whole and in order, that each
//! block named by a message holds the right bytes, and that every resource is free again, exactly.
//!
//! The child is this test program again, which runs `child_process`; an environment variable holds its set-up.

use crate::base::config::Pages;
use crate::memory::{
    Access, Arena, Block, Consumer, PeerArena, Popped, RING_SEGMENT_BYTES, RingProducer, Segment, SegmentHandle,
};
use crate::runtime::resources::shared_table::{SHARED_TABLE_BYTES, SharedTable};
use crate::runtime::resources::table::ResourceTable;
use crate::scheduling::{ResourceRequest, Totals, UNIT};
use fastrand::Rng;
use serde::{Deserialize, Serialize};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many processes are killed.
const KILLS: u64 = 200;

/// How long one runs at most after its first message.
const LIFE_US_MAX: u64 = 4000;

const SEED: &str = "KILLED_SEED";
const SETUP: &str = "KILLED_ORDERS";

const STORE_BYTES: u64 = 4 << 20;

fn totals() -> Totals {
    Totals { cpu: 3 * UNIT, gpu: 2 * UNIT, custom: vec![("Key".to_string(), UNIT)] }
}

/// What the child process needs.
#[derive(Serialize, Deserialize)]
struct ChildSetup {
    ring: SegmentHandle,
    shared: SegmentHandle,
    seed: u64,
}

/// The first message: the address of the child's store.
type StoreAddress = SegmentHandle;

/// The header of each later message; bytes derived from its number follow.
#[derive(Serialize, Deserialize)]
struct TestMessage {
    number: u64,
    bytes: u64,
    /// The offset and length of a block of the store that was filled before.
    block: Option<(u64, u64)>,
}

fn byte_of(number: u64, index: usize) -> u8 {
    (number.wrapping_mul(31).wrapping_add(index as u64) ^ (number >> 8)) as u8
}

fn filled(number: u64, bytes: u64) -> Vec<u8> {
    (0..bytes as usize).map(|index| byte_of(number, index)).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.as_chunks::<2>().0.iter().map(|[high, low]| (high << 4 | low) as u8).collect()
}

#[test]
#[ignore = "the process that the test starts and kills"]
fn child_process() {
    let setup = std::env::var(SETUP).expect("started by the test");
    let setup: ChildSetup = postcard::from_bytes(&from_hex(&setup)).expect("whole");
    let open = |address: &SegmentHandle| Arc::new(Segment::open(address, Access::Write).expect("its creator lives"));
    let mut ring = RingProducer::claim(open(&setup.ring), 0).expect("free");
    let table = ResourceTable::new(SharedTable::new(open(&setup.shared), 1, 2), totals(), Vec::new());
    let store = Arena::create(STORE_BYTES, Pages::Plain).expect("memory");
    let mut rng = Rng::with_seed(setup.seed);
    assert!(ring.push(&[&postcard::to_allocvec::<StoreAddress>(&store.handle()).expect("plain data")]));
    // Blocks named by a message do not change.
    let mut named: Vec<Block> = Vec::new();
    let parent = std::os::unix::process::parent_id();
    for number in 0.. {
        let request = ResourceRequest {
            cpu: 0,
            gpu: [0, UNIT / 2, UNIT][rng.usize(..3)],
            custom: vec![("Key".to_string(), UNIT / (1 + rng.i64(0..2)))],
            ..ResourceRequest::default()
        };
        let taken = table.take_cpu(UNIT);
        let grant = table.take_non_cpu(&request);
        table.set_waiting();
        let bytes = if rng.u64(..8) == 0 { rng.u64(..20_000) } else { rng.u64(..300) };
        let block = store.allocate(64 + rng.usize(..2000)).map(|mut block| {
            let bytes = filled(number, block.len() as u64);
            block.as_mut_slice().copy_from_slice(&bytes);
            block
        });
        let newly_named = block.filter(|_| rng.u64(..2) == 0);
        let block = newly_named.as_ref().map(|block| (block.offset(), block.len() as u64));
        named.extend(newly_named);
        let head = postcard::to_allocvec(&TestMessage { number, bytes, block }).expect("plain data");
        let body = filled(number, bytes);
        while !ring.push(&[&head, &body]) {
            // The ring stays full only if the test has ended.
            assert_eq!(std::os::unix::process::parent_id(), parent, "the reader has ended");
            std::thread::yield_now();
        }
        grant.iter().for_each(|grant| table.give_non_cpu(grant));
        if taken {
            table.give_cpu(UNIT);
        }
        table.notify_waiters(|_| {});
    }
}

/// The child process, and the test's ends of what they share.
struct ChildProcess {
    other: Child,
    ring: Consumer,
    table: ResourceTable,
    store: Option<Arc<PeerArena>>,
    next: u64,
}

impl ChildProcess {
    fn start(seed: u64) -> ChildProcess {
        let create = |name, bytes| Arc::new(Segment::create(name, bytes, Pages::Plain).expect("memory"));
        let (ring, shared) = (create("ring", RING_SEGMENT_BYTES), create("shared-table", SHARED_TABLE_BYTES));
        let setup = ChildSetup { ring: ring.handle(), shared: shared.handle(), seed };
        let other = Command::new(std::env::current_exe().expect("a test knows where it lies"))
            .args(["--ignored", "--exact", "runtime::resources::tests::child_process"])
            .env(SETUP, hex(&postcard::to_allocvec(&setup).expect("plain data")))
            .stdout(Stdio::null())
            .spawn()
            .expect("this program starts");
        let ring = Consumer::claim(ring, 0).expect("free");
        let table = ResourceTable::new(SharedTable::new(shared, 0, 2), totals(), Vec::new());
        ChildProcess { other, ring, table, store: None, next: 0 }
    }

    /// Receives and checks the messages that came; returns how many.
    fn take(&mut self) -> u64 {
        let before = self.next;
        loop {
            let ChildProcess { ring, store, next, .. } = self;
            let popped = ring.pop(|bytes| match store {
                None => {
                    let address: StoreAddress = postcard::from_bytes(bytes).expect("a whole address");
                    *store = Some(PeerArena::open(&address).expect("its creator was not killed yet"));
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

    /// Waits for the first message, and maps the store.
    fn wait_for_store(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.store.is_none() {
            assert!(Instant::now() < deadline, "the child process sent nothing: {:?}", self.other.try_wait());
            self.take();
            std::thread::yield_now();
        }
    }

    /// Works beside the child for `time`: receives its messages, takes and returns resources.
    fn run_for(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.take();
            if self.table.take_cpu(UNIT) {
                self.table.give_cpu(UNIT);
            }
            self.table.notify_waiters(|_| {});
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
    let (message, body): (TestMessage, &[u8]) = postcard::take_from_bytes(bytes).expect("a whole message");
    assert_eq!((message.number, message.bytes), (number, body.len() as u64));
    assert!(body == filled(number, message.bytes), "message {number} was changed");
    if let Some((offset, length)) = message.block {
        let block = store.slice(offset, length as usize).expect("a block within the store");
        assert!(block == filled(number, length), "the block of message {number} was changed");
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        let _ = self.other.kill();
        let _ = self.other.wait();
    }
}

#[test]
fn killing_or_stopping_a_process_during_a_write_corrupts_nothing() {
    let seed = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    println!("{SEED}={seed} replays it, as far as the system's timing allows");
    let mut rng = Rng::with_seed(seed);
    let (mut messages, mut holding) = (0, 0);
    for kill in 0..KILLS {
        let mut pair = ChildProcess::start(rng.u64(1..=u64::from(u32::MAX)));
        pair.wait_for_store();
        pair.run_for(Duration::from_micros(rng.u64(..LIFE_US_MAX)));
        let is_stopped = kill % 2 == 1;
        if is_stopped {
            pair.signal(rustix::process::Signal::STOP);
        } else {
            pair.other.kill().expect("it lives");
            pair.other.wait().expect("a child");
        }
        pair.take();
        if is_stopped {
            holding += u64::from(!pair.all_is_free());
            pair.table.shared.mark_dead(1);
            assert!(pair.all_is_free(), "kill {kill}: {:?}", pair.table.available());
            pair.signal(rustix::process::Signal::CONT);
            let until = Instant::now() + Duration::from_micros(rng.u64(..LIFE_US_MAX));
            while Instant::now() < until {
                // The child goes on, and may take and return anything.
                pair.take();
                assert!(pair.all_is_free() && !pair.table.has_waiters(), "kill {kill}: {:?}", pair.table.available());
            }
            pair.other.kill().expect("it lives");
            pair.other.wait().expect("a child");
        } else {
            holding += u64::from(!pair.all_is_free());
            pair.table.shared.mark_dead(1);
        }
        pair.take();
        assert!(pair.all_is_free() && !pair.table.has_waiters(), "kill {kill}: {:?}", pair.table.available());
        assert!(pair.table.take_cpu(3 * UNIT), "all of it can be taken");
        messages += pair.next;
    }
    println!("{KILLS} processes, {messages} messages, {holding} held something when they were killed");
    assert!(messages > KILLS && holding > 0, "they were killed while they worked");
}
