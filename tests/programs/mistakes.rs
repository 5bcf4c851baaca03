//! Types and tasks that do what they should not: `mistakes WHAT`. All but the overflow end with `ok:`.

use mobula::Error;
use mobula::prelude::*;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::process::ExitCode;

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
        Err(D::Error::custom("these bytes please nobody"))
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
        panic!("it does not like to be written")
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
        panic!("it does not like to be read")
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
fn look_at_bomb(bomb: &Bomb) -> u64 {
    bomb.0
}

/// An actor that panics when it is dropped.
struct Mine {
    bomb: Bomb,
}

#[mobula::actor]
impl Mine {
    /// Live.
    pub fn new() -> Self {
        Mine { bomb: Bomb(5) }
    }
    /// A look at it.
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

/// Where a value has to be made to bytes, this is the error; alone nothing is made to bytes.
#[track_caller]
fn fails_elsewhere<T>(rank: u32, outcome: mobula::Result<T>, why: &str) {
    match outcome {
        Ok(_) => assert_eq!(rank, 0, "it went through bytes, and nobody minded"),
        Err(error) => assert!(error.to_string().contains(why), "{error} does not say: {why}"),
    }
}

/// The call did what it should; that its argument then went off may be told, or not.
#[track_caller]
fn bombed(outcome: mobula::Result<Ref<u64>>, expected: u64) {
    match outcome {
        Ok(value) => assert_eq!(*value, expected),
        Err(error) => assert!(error.to_string().contains("the bomb went off"), "{error}"),
    }
}

/// A panic that comes out here has its place in the output; what counts is what comes after.
fn drop_aside<T>(value: T) {
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(value)));
}

fn codecs(last: u32) -> mobula::Result<()> {
    fails_elsewhere(last, make_unreadable::on(last).remote().get(), "Unreadable");
    fails_elsewhere(last, take_unreadable::on(last).remote(Unreadable).get(), "Unreadable");
    fails_elsewhere(last, take_unreadable::on(last).remote(mobula::put(Unreadable)?).get(), "Unreadable");
    fails_elsewhere(last, make_unwritable::on(last).remote().get(), "like to be written");
    fails_elsewhere(last, take_unwritable::on(last).remote(Unwritable).get(), "like to be written");
    fails_elsewhere(last, take_unwritable::on(last).remote(mobula::put(Unwritable)?).get(), "like to be written");
    fails_elsewhere(last, make_explosive::on(last).remote().get(), "like to be read");
    fails_elsewhere(last, take_explosive::on(last).remote(Explosive(1)).get(), "like to be read");
    fails_elsewhere(last, take_explosive::on(last).remote(mobula::put(Explosive(1))?).get(), "like to be read");
    Ok(())
}

fn drops(last: u32) -> mobula::Result<()> {
    for rank in [0, last] {
        // The body's own drop is part of the body.
        match take_bomb::on(rank).remote(Bomb(7)).get() {
            Err(Error::Task { task, message, .. }) => {
                assert!(task == "take_bomb" && message.contains("the bomb went off"), "{task}: {message}");
            }
            other => panic!("{other:?}"),
        }
        // These are dropped by whoever is the last to have them.
        bombed(look_at_bomb::on(rank).remote(Bomb(8)).get(), 8);
        let made = make_bomb::on(rank).remote();
        assert_eq!(made.get()?.0, 1);
        bombed(look_at_bomb::on(rank).remote(&made).get(), 1);
        drop_aside(made);
        drop_aside(mobula::put(Bomb(9))?);
        drop_aside(make_bomb::on(rank).remote());
        let mine = Mine::on(rank).remote();
        assert_eq!(*mine.value().get()?, 5);
        mine.kill();
        let mine = Mine::on(rank).remote();
        assert_eq!(*mine.value().get()?, 5);
        drop(mine);
    }
    Ok(())
}

/// Asks for no CPU, so that nobody who waits for it runs it in place.
#[mobula::remote(num_cpus = 0)]
fn opens_later() -> u64 {
    std::thread::sleep(Duration::from_millis(300));
    7
}

/// The parameter stays a reference: the task itself waits for it.
#[mobula::remote]
fn waits(gate: ObjectRef<u64>) -> mobula::Result<u64> {
    Ok(*gate.get()?)
}

/// More tasks wait at once than may: those above the bound are told which knob it is, and the others go on.
fn blocked(last: u32) -> mobula::Result<()> {
    let gate = opens_later::on(last).remote();
    let waiting: Vec<ObjectRef<u64>> = (0..200).map(|_| waits::on(last).remote(&gate)).collect();
    let outcomes: Vec<mobula::Result<Ref<u64>>> = waiting.iter().map(|waiting| waiting.get()).collect();
    let refused = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect::<Vec<_>>();
    assert!(!refused.is_empty() && refused.len() <= 200 - 16, "{} of 200 were refused", refused.len());
    assert!(refused.iter().all(|error| error.to_string().contains("MOBULA_FIBERS")), "{}", refused[0]);
    assert!(outcomes.iter().flatten().all(|value| **value == 7));
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
        "overflow" => println!("came back: {}", *descend::on(last).remote(1u64 << 40).get()?),
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
