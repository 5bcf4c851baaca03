//! The library form: refusals before and after, `init`, `serve`, `shutdown`, and starting again.

use mobula::Error;
use mobula::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

#[mobula::remote]
fn add(a: u64, b: u64) -> u64 {
    a + b
}

/// The actors of this process.
static NUMBERS: AtomicUsize = AtomicUsize::new(0);

/// An actor with a number, which may hold its own handle.
pub struct Number {
    value: u64,
    own: Option<NumberHandle>,
}

impl Drop for Number {
    fn drop(&mut self) {
        NUMBERS.fetch_sub(1, Ordering::SeqCst);
    }
}

#[mobula::actor]
impl Number {
    /// With `value`.
    pub fn new(value: u64) -> Self {
        NUMBERS.fetch_add(1, Ordering::SeqCst);
        Number { value, own: None }
    }
    /// Its number.
    pub fn value(&self) -> u64 {
        self.value
    }
    /// Keeps its handle; returns whether it had it.
    pub fn keep(&mut self, own: NumberHandle) -> bool {
        self.own.replace(own).is_some()
    }
}

fn config() -> Config {
    Config::default().store_bytes(64 << 20).resource("Custom", 1.0)
}

/// Every call that needs a cluster fails with that error.
fn refuses_outside() {
    assert!(!mobula::is_initialized());
    let errors = [
        mobula::put(1u64).map(|_| ()).expect_err("put"),
        mobula::put_array(&[1u64]).map(|_| ()).expect_err("put_array"),
        mobula::create_array::<u64>(1).map(|_| ()).expect_err("create_array"),
        mobula::get_actor::<Number>("c").map(|_| ()).expect_err("get_actor"),
        add::remote(1u64, 2u64).get().map(|_| ()).expect_err("remote and get"),
        add::on(0).remote(1u64, 2u64).get().map(|_| ()).expect_err("on and get"),
        Number::remote(1u64).value().get().map(|_| ()).expect_err("an actor's call and get"),
    ];
    for error in errors {
        assert!(matches!(error, Error::Config { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("mobula::main") && text.contains("mobula::init"), "the error tells what to do: {text}");
    }
}

/// Starts, works, stops. Returns true if this rank was the driver.
fn once(round: u64) -> mobula::Result<bool> {
    let cluster = mobula::init(config())?;
    assert!(mobula::is_initialized());
    if cluster.rank() != 0 {
        let (rank, size) = (cluster.rank(), cluster.size());
        cluster.serve()?;
        assert_eq!(NUMBERS.load(Ordering::SeqCst), 0, "each actor was dropped");
        println!("served: rank {rank} of {size}");
        return Ok(false);
    }
    let last = cluster.size() - 1;
    assert!(mobula::nodes().iter().any(|node| node.ranks().contains(&last)));
    assert_eq!(*add::on(last).remote(round, 2u64).get()?, round + 2);
    let refused = mobula::init(config()).map(|_| ()).expect_err("one cluster at a time");
    assert!(matches!(refused, Error::Config { .. }), "{refused:?}");
    assert_eq!(mobula::init(config().ignore_reinit(true))?.size(), cluster.size());

    // Objects, an actor and running tasks may be left at the end.
    let kept = mobula::put(vec![round; 3])?;
    let array = mobula::put_array(&[round; 1000])?.get()?.clone();
    let number = Number::options().name("left").remote(round);
    assert_eq!(*number.value().get()?, round);
    assert!(!*number.keep(number.clone()).get()?);
    let here = Number::on(0).remote(round);
    assert!(!*here.keep(here.clone()).get()?);
    let running: Vec<ObjectRef<u64>> = (0..100).map(|task| add::remote(task, 1u64)).collect();
    drop(here.value()); // perhaps it waits for its turn
    cluster.shutdown()?;
    assert_eq!(NUMBERS.load(Ordering::SeqCst), 0, "the end drops each actor, whoever has handles");

    // Available objects stay available; the others never become available.
    assert_eq!(*kept.get()?, [round; 3]);
    assert!(array.iter().all(|value| *value == round));
    for task in &running {
        match task.get() {
            Ok(value) => assert!((1..=100).contains(&*value)),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    Ok(true)
}

fn main() -> mobula::Result<()> {
    let launched = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"].iter().any(|name| std::env::var(name).is_ok());
    refuses_outside();
    let drives = once(1)?;
    refuses_outside();
    if launched {
        // MPI starts once in a process. Either the error says that, or a second cluster starts all the same.
        match once(2) {
            Ok(_) => {}
            Err(Error::Config { message, .. }) => assert!(message.contains("MPI"), "{message}"),
            Err(other) => panic!("{other:?}"),
        }
    } else {
        for round in 2..5 {
            once(round)?;
            refuses_outside();
        }
    }
    if drives {
        println!("ok: started and stopped");
    }
    Ok(())
}
