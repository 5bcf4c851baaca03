//! Programs that deadlock, each in its own way: `stuck CASE`, on 2 ranks. Rank 0 is the driver, gives up after some
//! seconds, and prints `gave up`; the test checks what the runtime printed until then.

use mobula::prelude::*;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

/// How long the driver waits: several times `MOBULA_STALL_S` of the tests.
const PATIENCE: Duration = Duration::from_secs(6);

/// An actor whose calls call another one.
pub struct Caller {}

#[mobula::actor]
impl Caller {
    /// Creates it.
    pub fn new() -> Caller {
        Caller {}
    }
    /// Calls `other`, which calls this one, and so on.
    pub fn call(&mut self, other: CallerHandle, me: CallerHandle, depth: u32) -> mobula::Result<u32> {
        if depth == 0 {
            return Ok(0);
        }
        let next = me.clone();
        Ok(*other.call(next, other.clone(), depth - 1).get()? + 1)
    }
}

/// Stores references for a task to read.
pub struct Holder {
    references: Vec<ObjectRef<u32>>,
}

#[mobula::actor]
impl Holder {
    /// Without references.
    pub fn new() -> Holder {
        Holder { references: Vec::new() }
    }
    /// Stores these.
    pub fn store(&mut self, references: Vec<ObjectRef<u32>>) {
        self.references = references;
    }
    /// The stored references.
    pub fn stored(&mut self) -> Vec<ObjectRef<u32>> {
        self.references.clone()
    }
}

/// Waits for the first reference that the holder gets: the one to its own result.
#[mobula::remote]
fn waits_for_itself(holder: HolderHandle) -> mobula::Result<u32> {
    loop {
        let stored = holder.stored().get()?.clone();
        if let Some(own) = stored.first() {
            return Ok(*own.get()?);
        }
    }
}

#[mobula::remote(resources = { "Key": 1 })]
fn needs_key() -> u32 {
    1
}

#[mobula::remote]
fn computes(milliseconds: u64) -> u32 {
    std::thread::sleep(Duration::from_millis(milliseconds));
    1
}

static TOTAL: Mutex<u32> = Mutex::new(0);

/// Holds the lock while it waits, and another task of its worker's thread waits for the lock.
#[mobula::remote]
fn adds() -> u32 {
    let mut total = TOTAL.lock().unwrap();
    *total += *computes::on(1).remote(300).get().unwrap();
    *total
}

#[mobula::remote]
fn adds_too() -> u32 {
    *TOTAL.lock().unwrap()
}

fn lock() -> mobula::Result<ObjectRef<u32>> {
    let first = adds::on(0).remote();
    let all = [adds_too::on(0).remote(), adds_too::on(0).remote(), adds_too::on(0).remote()];
    std::mem::forget(first);
    Ok(all[0].clone())
}

/// Calls of two actors on one rank.
pub struct Adder {}

#[mobula::actor]
impl Adder {
    /// Creates it.
    pub fn new() -> Adder {
        Adder {}
    }
    /// Holds the lock while it waits.
    pub fn add(&mut self) -> u32 {
        let mut total = TOTAL.lock().unwrap();
        *total += *computes::on(1).remote(300).get().unwrap();
        *total
    }
    /// Waits for the lock.
    pub fn total(&mut self) -> u32 {
        *TOTAL.lock().unwrap()
    }
}

fn lock_of_actors() -> mobula::Result<ObjectRef<u32>> {
    let (first, second) = (Adder::on(0).remote(), Adder::on(0).remote());
    std::mem::forget(first.add());
    let never = second.total();
    std::mem::forget((first, second));
    Ok(never)
}

static CHANNEL: Mutex<Option<Receiver<u32>>> = Mutex::new(None);

#[mobula::remote]
fn sends(receiver_is_taken: ObjectRef<u32>) -> mobula::Result<()> {
    let (sender, receiver) = channel();
    *CHANNEL.lock().unwrap() = Some(receiver);
    let value = *receiver_is_taken.get()?;
    sender.send(value).unwrap();
    Ok(())
}

/// Waits on the thread on which the sender is to continue.
#[mobula::remote]
fn receives() -> u32 {
    let receiver = CHANNEL.lock().unwrap().take().unwrap();
    receiver.recv().unwrap()
}

fn messages() -> mobula::Result<ObjectRef<u32>> {
    std::mem::forget(sends::on(0).remote(computes::on(1).remote(500)));
    Ok(receives::on(0).remote())
}

#[mobula::remote]
fn joins(holder: HolderHandle) -> mobula::Result<u32> {
    let waits = move || {
        let own = waits_for_itself::on(0).remote(holder.clone());
        holder.store(vec![own.clone()]).get()?;
        Ok(*own.get()?)
    };
    std::thread::Builder::new().name("helper".to_string()).spawn(waits).unwrap().join().unwrap()
}

/// A thread of a task waits for what never comes.
fn thread() -> mobula::Result<ObjectRef<u32>> {
    Ok(joins::on(1).remote(Holder::options().place(Placement::Rank(0)).remote()))
}

/// One of its threads waits in vain, and one computes.
#[mobula::remote]
fn joins_busy_threads(holder: HolderHandle) -> mobula::Result<u32> {
    let never = waits_for_itself::on(0).remote(holder.clone());
    holder.store(vec![never.clone()]).get()?;
    let time = PATIENCE - Duration::from_secs(2);
    let waits = std::thread::spawn(move || never.get_timeout(time).is_ok());
    let computes = std::thread::spawn(move || {
        let begun = Instant::now();
        while begun.elapsed() < time {
            std::hint::spin_loop();
        }
        1
    });
    assert!(!waits.join().unwrap());
    Ok(computes.join().unwrap())
}

fn busy_threads() -> mobula::Result<ObjectRef<u32>> {
    Ok(joins_busy_threads::on(1).remote(Holder::options().place(Placement::Rank(0)).remote()))
}

fn cycle() -> mobula::Result<ObjectRef<u32>> {
    let first = Caller::options().name("first").place(Placement::Rank(0)).remote();
    let second = Caller::options().name("second").place(Placement::Rank(1)).remote();
    Ok(first.call(second, first.clone(), 2))
}

fn itself(rank: u32) -> mobula::Result<ObjectRef<u32>> {
    let holder = Holder::options().place(Placement::Rank(0)).remote();
    let own = waits_for_itself::on(rank).remote(holder.clone());
    holder.store(vec![own.clone()]).get()?;
    Ok(own)
}

fn resource() -> mobula::Result<ObjectRef<u32>> {
    let holder = Caller::options().name("holder").resource("Key", 1.0).place(Placement::Rank(1)).remote();
    // Once a call has returned, the actor holds the Key.
    holder.call(holder.clone(), holder.clone(), 0).get()?;
    let waits = needs_key::options().place(Placement::Rank(1)).remote();
    // Its last handle is never dropped.
    std::mem::forget(holder);
    Ok(waits)
}

/// Creates arrays and keeps them, until the store has no space for one more.
fn fill() -> Error {
    let mut arrays = Vec::new();
    loop {
        match mobula::put_array(&vec![1_u8; 1 << 20]) {
            Ok(array) => arrays.push(array),
            Err(error) => return error,
        }
    }
}

#[mobula::remote]
fn fills() -> String {
    fill().to_string()
}

/// The driver, and then a task of the other rank, waits for space that is never freed.
fn space() -> mobula::Result<()> {
    println!("the driver was refused: {}", fill());
    println!("the task was refused: {}", *fills::on(1).remote().get()?);
    Ok(())
}

fn main() -> ExitCode {
    let case = std::env::args().nth(1).unwrap_or_default();
    match run(&case) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("FAILED {case}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(case: &str) -> mobula::Result<()> {
    let cluster = mobula::init(Config::default().num_cpus(4.0).resource("Key", 1.0))?;
    if cluster.rank() != 0 {
        return cluster.serve();
    }
    if case == "space" {
        space()?;
        return cluster.shutdown();
    }
    let never = match case {
        "cycle" => cycle()?,
        "itself" => itself(0)?,
        "itself-elsewhere" => itself(1)?,
        "resource" => resource()?,
        "lock" => lock()?,
        "lock-of-actors" => lock_of_actors()?,
        "messages" => messages()?,
        "thread" => thread()?,
        "busy-threads" => busy_threads()?,
        "computes" => computes::on(1).remote(PATIENCE.as_millis() as u64 - 2000),
        other => panic!("there is no case {other}"),
    };
    match never.get_timeout(PATIENCE) {
        Ok(value) => println!("got {}", *value),
        Err(Error::Timeout { .. }) => println!("gave up"),
        Err(error) => println!("failed: {error}"),
    }
    cluster.shutdown()
}
