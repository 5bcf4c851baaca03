//! Types and tasks that misbehave: `mistakes CASE`. All but the overflow end with `ok:`.

use mobula::Error;
use mobula::prelude::*;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::process::ExitCode;
use std::sync::{Condvar, Mutex, PoisonError};

#[mobula::remote]
fn add(a: u64, b: u64) -> u64 {
    a + b
}

/// Encodes, and does not decode.
struct Unreadable;

impl Serialize for Unreadable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(1)
    }
}

impl<'de> Deserialize<'de> for Unreadable {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom("these bytes are refused"))
    }
}

#[mobula::remote]
fn make_unreadable() -> Unreadable {
    Unreadable
}

#[mobula::remote]
fn take_unreadable(_value: &Unreadable) -> u64 {
    1
}

/// Panics while it is encoded.
#[derive(Deserialize)]
struct Unwritable;

impl Serialize for Unwritable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("it refuses to be encoded")
    }
}

#[mobula::remote]
fn make_unwritable() -> Unwritable {
    Unwritable
}

#[mobula::remote]
fn take_unwritable(_value: &Unwritable) -> u64 {
    1
}

/// Panics while it is decoded.
#[derive(Serialize)]
struct Explosive(u64);

impl<'de> Deserialize<'de> for Explosive {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("it refuses to be decoded")
    }
}

#[mobula::remote]
fn make_explosive() -> Explosive {
    Explosive(1)
}

#[mobula::remote]
fn take_explosive(_value: &Explosive) -> u64 {
    1
}

/// Panics when it is dropped.
#[derive(Serialize, Deserialize)]
struct Bomb(u64);

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("the bomb went off")
        }
    }
}

#[mobula::remote]
fn make_bomb() -> Bomb {
    Bomb(1)
}

#[mobula::remote]
fn take_bomb(bomb: Bomb) -> u64 {
    bomb.0
}

#[mobula::remote]
fn read_bomb(bomb: &Bomb) -> u64 {
    bomb.0
}

/// An actor that panics when it is dropped.
struct Mine {
    bomb: Bomb,
}

#[mobula::actor]
impl Mine {
    /// Creates it.
    pub fn new() -> Self {
        Mine { bomb: Bomb(5) }
    }
    /// Its value.
    pub fn value(&self) -> u64 {
        self.bomb.0
    }
}

/// Takes about a KiB of stack a level.
#[mobula::remote]
fn descend(levels: u64) -> u64 {
    fn one(levels: u64) -> u64 {
        let frame = std::hint::black_box([levels; 128]);
        if levels == 0 { 0 } else { one(levels - 1) + 1 + (frame[0] - frame[127]) }
    }
    one(levels)
}

/// Asserts this error if the value had to be encoded; a single rank encodes nothing.
#[track_caller]
fn fails_elsewhere<T>(rank: u32, outcome: mobula::Result<T>, why: &str) {
    match outcome {
        Ok(_) => assert_eq!(rank, 0, "it was encoded and decoded without an error"),
        Err(error) => assert!(error.to_string().contains(why), "{error} does not contain: {why}"),
    }
}

/// Asserts that the call succeeded, or failed only because its argument panicked when it was dropped.
#[track_caller]
fn bombed(outcome: mobula::Result<Ref<u64>>, expected: u64) {
    match outcome {
        Ok(value) => assert_eq!(*value, expected),
        Err(error) => assert!(error.to_string().contains("the bomb went off"), "{error}"),
    }
}

/// Drops the value. A panic is printed but must not affect what follows.
fn drop_catching<T>(value: T) {
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(value)));
}

fn codecs(last: u32) -> mobula::Result<()> {
    fails_elsewhere(last, make_unreadable::on(last).remote().get(), "Unreadable");
    fails_elsewhere(last, take_unreadable::on(last).remote(Unreadable).get(), "Unreadable");
    fails_elsewhere(last, take_unreadable::on(last).remote(mobula::put(Unreadable)?).get(), "Unreadable");
    fails_elsewhere(last, make_unwritable::on(last).remote().get(), "refuses to be encoded");
    fails_elsewhere(last, take_unwritable::on(last).remote(Unwritable).get(), "refuses to be encoded");
    fails_elsewhere(last, take_unwritable::on(last).remote(mobula::put(Unwritable)?).get(), "refuses to be encoded");
    fails_elsewhere(last, make_explosive::on(last).remote().get(), "refuses to be decoded");
    fails_elsewhere(last, take_explosive::on(last).remote(Explosive(1)).get(), "refuses to be decoded");
    fails_elsewhere(last, take_explosive::on(last).remote(mobula::put(Explosive(1))?).get(), "refuses to be decoded");
    Ok(())
}

fn drops(last: u32) -> mobula::Result<()> {
    for rank in [0, last] {
        // A drop in the task's body is part of the body.
        match take_bomb::on(rank).remote(Bomb(7)).get() {
            Err(Error::Task { task, message, .. }) => {
                assert!(task == "take_bomb" && message.contains("the bomb went off"), "{task}: {message}");
            }
            other => panic!("{other:?}"),
        }
        // These are dropped by the runtime, on whichever rank has the last reference.
        bombed(read_bomb::on(rank).remote(Bomb(8)).get(), 8);
        let object = make_bomb::on(rank).remote();
        assert_eq!(object.get()?.0, 1);
        bombed(read_bomb::on(rank).remote(&object).get(), 1);
        drop_catching(object);
        drop_catching(mobula::put(Bomb(9))?);
        drop_catching(make_bomb::on(rank).remote());
        let mine = Mine::on(rank).remote();
        assert_eq!(*mine.value().get()?, 5);
        mine.kill();
        let mine = Mine::on(rank).remote();
        assert_eq!(*mine.value().get()?, 5);
        drop(mine);
    }
    Ok(())
}

/// The longest wait: a case that goes wrong fails and does not hang.
const PATIENCE: Duration = Duration::from_secs(40);

/// Open once the driver has seen the refusals.
static OPEN: Mutex<bool> = Mutex::new(false);
static OPENED: Condvar = Condvar::new();

/// Returns when the driver opens it, which is on the same rank. Requests no CPU, so that no waiting task runs it in
/// place.
#[mobula::remote(num_cpus = 0)]
fn opens_later() -> u64 {
    let open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    let wait = OPENED.wait_timeout_while(open, PATIENCE, |open| !*open);
    assert!(*wait.unwrap_or_else(PoisonError::into_inner).0, "the driver did not open it");
    7
}

/// The parameter stays a reference: the task itself waits for it.
#[mobula::remote]
fn waits(gate: ObjectRef<u64>) -> mobula::Result<u64> {
    Ok(*gate.get()?)
}

/// More tasks wait at once than may: those above the bound fail with an error that names the setting, and the others go
/// on.
fn blocked(last: u32) -> mobula::Result<()> {
    // `MOBULA_FIBERS` of the test.
    const BLOCKED_MAX: usize = 16;
    let gate = opens_later::on(0).remote();
    let waiting: Vec<ObjectRef<u64>> = (0..200).map(|_| waits::on(last).remote(&gate)).collect();
    // While the gate is closed a task that is ready was refused, and no more than the bound can wait.
    let (refused, blocked) = mobula::wait(&waiting, waiting.len() - BLOCKED_MAX, PATIENCE)?;
    assert_eq!(
        (refused.len(), blocked.len()),
        (waiting.len() - BLOCKED_MAX, BLOCKED_MAX),
        "some neither wait nor fail"
    );
    for refused in &refused {
        let error = refused.get().map(|_| ()).expect_err("the gate is closed");
        assert!(error.to_string().contains("MOBULA_FIBERS"), "{error}");
    }
    *OPEN.lock().unwrap_or_else(PoisonError::into_inner) = true;
    OPENED.notify_all();
    for blocked in &blocked {
        assert_eq!(*blocked.get()?, 7, "as many as the bound may wait");
    }
    Ok(())
}

fn run(what: &str) -> mobula::Result<()> {
    let cluster = mobula::init(Config::default())?;
    if cluster.rank() != 0 {
        return cluster.serve();
    }
    let last = cluster.size() - 1;
    match what {
        "codecs" => codecs(last)?,
        "drops" => drops(last)?,
        "blocked" => blocked(last)?,
        "overflow" => println!("no overflow: {}", *descend::on(last).remote(1u64 << 40).get()?),
        "descend" => assert_eq!(*descend::on(last).remote(20_000u64).get()?, 20_000),
        _ => {}
    }
    for rank in 0..=last {
        assert_eq!(*add::on(rank).remote(1u64, 2u64).get()?, 3);
    }
    println!("ok: {what} with {} ranks", last + 1);
    cluster.shutdown()
}

fn main() -> ExitCode {
    match run(&std::env::args().nth(1).unwrap_or_default()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
