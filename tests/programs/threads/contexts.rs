//! What a thread of a task is: its context, its ends, its panics, what it prints.

use crate::{Case, cpus_here, far};
use mobula::prelude::*;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

pub const CASES: &[Case] = &[
    ("detached", detached),
    ("cancelled", cancelled),
    ("quota", quota),
    ("panics", panics),
    ("prints", prints),
    ("pools-of-tasks", pools_of_tasks),
    ("pool-of-the-driver", pool_of_the_driver),
    ("pool-of-an-actor", pool_of_an_actor),
];

#[mobula::remote]
fn square(number: u64) -> u64 {
    number * number
}

/// What a detached thread answers: its task, its CPUs, what it computed.
type Answer = (Option<String>, Vec<u32>, u64);

static ORDERS: Mutex<Option<Sender<Sender<Answer>>>> = Mutex::new(None);

/// Starts a thread that outlives it; returns the CPUs of the task.
#[mobula::remote(num_cpus = 2)]
fn starts_detached() -> Vec<u32> {
    let (sender, orders): (_, Receiver<Sender<Answer>>) = channel();
    *ORDERS.lock().expect("no panic") = Some(sender);
    let context = mobula::context();
    std::thread::spawn(move || {
        let _entered = context.enter();
        for answer in orders {
            let value = *square::remote(7).get().expect("it is computed");
            let values = (mobula::context().task().map(str::to_string), cpus_here(), value);
            answer.send(values).expect("it waits");
        }
    });
    cpus_here()
}

#[mobula::remote]
fn asks_detached() -> Answer {
    let (sender, answer) = channel();
    let orders = ORDERS.lock().expect("no panic").clone().expect("it was started");
    orders.send(sender).expect("it lives");
    answer.recv().expect("it answers")
}

fn detached() -> mobula::Result<()> {
    let cpus = starts_detached::on(far()).remote().get()?.clone();
    for _ in 0..3 {
        let values = asks_detached::on(far()).remote().get()?.clone();
        assert_eq!(values, (Some("starts_detached".to_string()), cpus.clone(), 49));
    }
    Ok(())
}

/// Its thread waits for what never comes, until the task is cancelled.
#[mobula::remote(num_cpus = 2)]
fn waits_in_a_thread() -> mobula::Result<String> {
    let context = mobula::context();
    println!("the thread waits");
    let waits = move || {
        let _entered = context.enter();
        loop {
            if let Err(error) = square::remote(1).get() {
                return error;
            }
        }
    };
    Err(std::thread::spawn(waits).join().expect("no panic"))
}

fn cancelled() -> mobula::Result<()> {
    let waits = waits_in_a_thread::on(far()).remote();
    assert!(matches!(waits.get_timeout(Duration::from_millis(50)), Err(Error::Timeout { .. })));
    mobula::cancel(&waits);
    assert!(matches!(waits.get(), Err(Error::Cancelled { .. })));
    // Its CPUs are free once its thread has seen that.
    assert_eq!(*square::options().num_cpus(2.0).place(Placement::Rank(far())).remote(5).get()?, 25);
    Ok(())
}

#[mobula::remote(num_cpus = 2, memory = 1 << 20)]
fn makes_arrays_in_threads() -> Vec<bool> {
    let context = mobula::context();
    let of = |bytes: usize| mobula::create_array::<u8>(bytes).is_ok();
    std::thread::scope(|scope| {
        let inside = scope.spawn(|| {
            let _entered = context.enter();
            vec![of(1 << 10), of(2 << 20)]
        });
        inside.join().expect("no panic")
    })
}

fn quota() -> mobula::Result<()> {
    assert_eq!(*makes_arrays_in_threads::on(far()).remote().get()?, [true, false], "the task's limit counts");
    Ok(())
}

#[mobula::remote(num_cpus = 2)]
fn panics_in(what: &str) -> mobula::Result<u64> {
    let context = mobula::context();
    let fails = || -> u64 {
        let _entered = context.enter();
        panic!("the mesh is empty")
    };
    Ok(match what {
        "joined" => std::thread::scope(|scope| scope.spawn(fails).join().unwrap()),
        "scoped" => std::thread::scope(|scope| {
            scope.spawn(fails);
            1
        }),
        "resumed" => std::thread::scope(|scope| match scope.spawn(fails).join() {
            Ok(value) => value,
            Err(panic) => std::panic::resume_unwind(panic),
        }),
        "pool" => mobula::pool()?.install(fails),
        _ => {
            // Nobody gets this one; the pool goes on.
            let pool = mobula::pool()?;
            pool.spawn(|| panic!("the mesh is empty"));
            pool.install(|| 3)
        }
    })
}

fn panics() -> mobula::Result<()> {
    let message = |what: &str| match panics_in::on(far()).remote(what).get() {
        Err(Error::Task { message, .. }) => message,
        other => panic!("{other:?}"),
    };
    assert!(message("scoped").contains("a scoped thread panicked"));
    assert!(message("joined").contains("called `Result::unwrap()` on an `Err` value: Any"));
    assert_eq!(message("resumed"), "the mesh is empty");
    assert_eq!(message("pool"), "the mesh is empty");
    assert_eq!(*panics_in::on(far()).remote("spawned").get()?, 3);
    Ok(())
}

#[mobula::remote(num_cpus = 2)]
fn prints_in_threads() {
    let context = mobula::context();
    let print = || {
        let _entered = context.enter();
        println!("by a thread");
    };
    std::thread::scope(|scope| drop(scope.spawn(print).join()));
}

fn prints() -> mobula::Result<()> {
    (0..5).try_for_each(|_| prints_in_threads::on(far()).remote().get().map(drop))
}

#[mobula::remote(num_cpus = 2)]
fn sums_in_its_pool(number: u64) -> mobula::Result<u64> {
    let pool = mobula::pool()?;
    let first = *square::remote(number).get()?; // others have the CPUs meanwhile, and not the pool
    let (left, right) = pool.join(|| first + number, || mobula::context().task().map_or(0, str::len) as u64);
    Ok(left + right)
}

fn pools_of_tasks() -> mobula::Result<()> {
    for _ in 0..20 {
        let sums: Vec<ObjectRef<u64>> = (0..20).map(|number| sums_in_its_pool::on(far()).remote(number)).collect();
        for (number, sum) in mobula::get_all(&sums)?.iter().enumerate() {
            assert_eq!(**sum, (number * number + number + "sums_in_its_pool".len()) as u64);
        }
    }
    Ok(())
}

fn pool_of_the_driver() -> mobula::Result<()> {
    let pool = mobula::pool()?;
    let available = std::thread::available_parallelism().expect("it is known").get();
    assert_eq!(pool.current_num_threads(), available);
    let (task, sum) = pool.install(|| {
        let task = mobula::context().task().map(str::to_string);
        (task, square::remote(3).get().map(|square| *square))
    });
    assert_eq!((task, sum?), (None, 9));
    assert!(pool.broadcast(|_| cpus_here()).iter().all(|cpus| *cpus == cpus_here()));
    Ok(())
}

pub struct Solver {
    pool: mobula::Pool,
}

#[mobula::actor(num_cpus = 2)]
impl Solver {
    pub fn new() -> mobula::Result<Self> {
        Ok(Solver { pool: mobula::pool()? })
    }
    pub fn solve(&self, numbers: Vec<u64>) -> (u64, usize) {
        let (low, high) = numbers.split_at(numbers.len() / 2);
        let (left, right) = self.pool.join(|| low.iter().sum::<u64>(), || high.iter().sum::<u64>());
        (left + right, self.pool.current_num_threads())
    }
}

/// An actor keeps its pool.
fn pool_of_an_actor() -> mobula::Result<()> {
    let solver = Solver::options().place(Placement::Rank(far())).remote();
    for last in 1..50u64 {
        assert_eq!(*solver.solve((0..=last).collect::<Vec<_>>()).get()?, (last * (last + 1) / 2, 2));
    }
    Ok(())
}
