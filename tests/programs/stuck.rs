//! Programs that can never go on, each in its own way: `stuck CASE`, on 2 ranks. Rank 0 drives, gives up after some seconds, and
//! prints `gave up`; what the runtime said until then is what the test looks at.

use mobula::prelude::*;
use std::process::ExitCode;

/// How long the driver waits: several times `MOBULA_STALL_S` of the tests.
const PATIENCE: Duration = Duration::from_secs(6);

/// Two of them call each other.
pub struct Caller {}

#[mobula::actor]
impl Caller {
    /// Ready to call.
    pub fn new() -> Caller {
        Caller {}
    }
    /// Calls the other, which calls this one, and so on.
    pub fn call(&mut self, other: CallerHandle, me: CallerHandle, depth: u32) -> mobula::Result<u32> {
        if depth == 0 {
            return Ok(0);
        }
        let next = me.clone();
        Ok(*other.call(next, other.clone(), depth - 1).get()? + 1)
    }
}

/// Keeps a reference for a task that is to find it.
pub struct Holder {
    kept: Vec<ObjectRef<u32>>,
}

#[mobula::actor]
impl Holder {
    /// Of nothing.
    pub fn new() -> Holder {
        Holder { kept: Vec::new() }
    }
    /// Keeps these.
    pub fn keep(&mut self, references: Vec<ObjectRef<u32>>) {
        self.kept = references;
    }
    /// What it keeps.
    pub fn kept(&mut self) -> Vec<ObjectRef<u32>> {
        self.kept.clone()
    }
}

/// Waits for the first reference that the holder comes to have: its own.
#[mobula::remote]
fn narcissus(holder: HolderHandle) -> mobula::Result<u32> {
    loop {
        let kept = holder.kept().get()?.clone();
        if let Some(own) = kept.first() {
            return Ok(*own.get()?);
        }
    }
}

#[mobula::remote(resources = { "Key": 1 })]
fn wanting() -> u32 {
    1
}

#[mobula::remote]
fn train(milliseconds: u64) -> u32 {
    std::thread::sleep(Duration::from_millis(milliseconds));
    1
}

fn cycle() -> mobula::Result<ObjectRef<u32>> {
    let first = Caller::options().name("first").place(Placement::Rank(0)).remote();
    let second = Caller::options().name("second").place(Placement::Rank(1)).remote();
    Ok(first.call(second, first.clone(), 2))
}

fn itself(rank: u32) -> mobula::Result<ObjectRef<u32>> {
    let holder = Holder::options().place(Placement::Rank(0)).remote();
    let own = narcissus::on(rank).remote(holder.clone());
    holder.keep(vec![own.clone()]).get()?;
    Ok(own)
}

fn resource() -> mobula::Result<ObjectRef<u32>> {
    let keeper = Caller::options().name("keeper").resource("Key", 1.0).place(Placement::Rank(1)).remote();
    // A call that is answered: the key is taken.
    keeper.call(keeper.clone(), keeper.clone(), 0).get()?;
    let wants = wanting::options().place(Placement::Rank(1)).remote();
    // Its last handle stays here.
    std::mem::forget(keeper);
    Ok(wants)
}

/// Arrays that are in use, until there is no room for one more.
fn fill() -> Error {
    let mut mine = Vec::new();
    loop {
        match mobula::put_array(&vec![1_u8; 1 << 20]) {
            Ok(array) => mine.push(array),
            Err(error) => return error,
        }
    }
}

#[mobula::remote]
fn fills() -> String {
    fill().to_string()
}

/// The driver, and then a task of the other rank, waits for room that never comes.
fn room() -> mobula::Result<()> {
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
    if case == "room" {
        room()?;
        return cluster.shutdown();
    }
    let never = match case {
        "cycle" => cycle()?,
        "itself" => itself(0)?,
        "itself-elsewhere" => itself(1)?,
        "resource" => resource()?,
        "computes" => train::on(1).remote(PATIENCE.as_millis() as u64 - 2000),
        other => panic!("there is no case {other}"),
    };
    match never.get_timeout(PATIENCE) {
        Ok(value) => println!("was given {}", *value),
        Err(Error::Timeout { .. }) => println!("gave up"),
        Err(error) => println!("failed: {error}"),
    }
    cluster.shutdown()
}
