//! Tasks: arguments and results.

use crate::cases::{Cases, Outcome};
use crate::gate::Gate;
use crate::start::last_rank;
use mobula::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

#[mobula::remote]
fn add(a: f64, b: f64) -> f64 {
    a + b
}

#[mobula::remote]
fn nothing() {}

/// It has no `Clone`: taking it by value from a shared object needs another way to copy it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Model {
    name: String,
    weights: Vec<f32>,
    layers: BTreeMap<u32, Option<(i8, char)>>,
}

fn model(size: usize) -> Model {
    let layers = BTreeMap::from([(1, Some((-7, 'ß'))), (2, None)]);
    Model { name: "first".to_string(), weights: vec![0.5; size], layers }
}

#[mobula::remote]
fn make_model(size: usize) -> Model {
    model(size)
}

#[mobula::remote]
fn take_model(model: Model) -> usize {
    model.weights.len()
}

#[mobula::remote]
fn borrow_model(model: &Model) -> String {
    format!("{} {}", model.name, model.weights.len())
}

#[mobula::remote]
fn borrow_slices(a: &[f64], b: &[u8], scale: f64) -> f64 {
    scale * a.iter().sum::<f64>() + b.iter().map(|x| f64::from(*x)).sum::<f64>()
}

#[mobula::remote]
fn letters(text: &str, more: String) -> usize {
    text.chars().count() + more.chars().count()
}

#[mobula::remote]
#[allow(clippy::too_many_arguments)] // the maximum
fn twelve(a: u8, b: u16, c: u32, d: u64, e: i8, f: i16, g: i32, h: i64, i: f32, j: f64, k: bool, l: char) -> String {
    format!("{a} {b} {c} {d} {e} {f} {g} {h} {i} {j} {k} {l}")
}

#[mobula::remote(num_returns = 3)]
fn three() -> (i32, String, Vec<u8>) {
    (1, "two".to_string(), vec![3, 3, 3])
}

#[mobula::remote(num_returns = 2)]
fn halves(whole: u64) -> Result<(u64, u64), String> {
    if whole.is_multiple_of(2) { Ok((whole / 2, whole / 2)) } else { Err(format!("{whole} is odd")) }
}

#[mobula::remote(num_cpus = 4, num_gpus = 0.5, resources = { "Custom": 1 }, max_retries = 3)]
fn train(data: Array<f32>) -> Result<Model, TrainError> {
    if data.is_empty() { Err(TrainError) } else { Ok(model(data.len())) }
}

/// A user's error type that implements only `Debug`.
#[derive(Debug)]
struct TrainError;

#[mobula::remote]
async fn add_later(a: ObjectRef<f64>, b: f64) -> mobula::Result<f64> {
    let a = *a.await?;
    Ok(a + *add::remote(b, 0.0).await?)
}

#[mobula::remote]
fn bytes(count: usize, seed: u8) -> Vec<u8> {
    (0..count).map(|position| seed.wrapping_add((position % 251) as u8)).collect()
}

#[mobula::remote]
fn check_bytes(all: Vec<u8>, seed: u8) -> bool {
    all.iter().enumerate().all(|(position, byte)| *byte == seed.wrapping_add((position % 251) as u8))
}

#[mobula::remote]
fn chain_on(rank: u32, value: f64) -> mobula::Result<ObjectRef<f64>> {
    Ok(add::on(rank).remote(value, 1.0))
}

pub fn run(cases: &mut Cases) {
    cases.case("the function is still an ordinary function", || {
        assert_eq!(add(1.0, 2.0), 3.0);
        Ok(())
    });
    cases.case("arguments are values or references, mixed", mixed);
    cases.case("a unit result, no arguments", || {
        nothing::remote().get()?;
        Ok(())
    });
    cases.case("a chain of 20,000 references", long_chain);
    cases.case("one reference as argument of many tasks", fan_out);
    cases.case("T and &T of a struct without Clone", structs);
    cases.case("&[X] takes an Array, &str a String", borrowed);
    cases.case("twelve parameters", many_parameters);
    cases.case("three results, three references", three_results);
    cases.case("several results of a Result", several_or_error);
    cases.case("every option of the attribute", trained);
    cases.case("a reference is a future for any executor", awaited);
    cases.case("async fn, here and on another rank", asynchronous);
    cases.case("values of many sizes to another rank and back", sizes);
    cases.case("a task may return a reference", returned_reference);
    cases.case("20,000 tasks at once", many);
    cases.case("calls from threads of the program", threads);
    cases.case("a task whose reference is dropped runs", dropped_reference);
}

fn mixed() -> Outcome {
    let x: ObjectRef<f64> = add::remote(1.0, 2.0);
    let y = add::remote(&x, 10.0);
    assert_eq!(*y.get()?, 13.0);
    assert_eq!(*add::remote(&x, &y).get()?, 16.0);
    assert_eq!(*add::remote(x.clone(), mobula::put(0.5)?).get()?, 3.5);
    assert_eq!(*add::on(last_rank()).remote(&x, &y).get()?, 16.0);
    assert_eq!(*x.get()?, 3.0, "a second get returns the same");
    Ok(())
}

fn long_chain() -> Outcome {
    let gate = Gate::new();
    let first = gate.task(0);
    let mut last = count_up::remote(&first);
    for _ in 1..20_000 {
        last = count_up::remote(&last);
    }
    gate.open();
    assert_eq!(*last.get()?, 20_000);
    Ok(())
}

#[mobula::remote]
fn count_up(count: u64) -> u64 {
    count + 1
}

fn fan_out() -> Outcome {
    let gate = Gate::new();
    let source = gate.task(7);
    let tasks: Vec<ObjectRef<u64>> = (0..1000).map(|_| count_up::remote(&source)).collect();
    gate.open();
    assert!(mobula::get_all(&tasks)?.iter().all(|value| **value == 8));
    Ok(())
}

fn structs() -> Outcome {
    let local = mobula::put(model(3))?;
    for rank in [0, last_rank()] {
        let remote = make_model::on(rank).remote(5usize);
        assert_eq!(*remote.get()?, model(5));
        for (object, size) in [(&local, 3), (&remote, 5)] {
            assert_eq!(*take_model::on(rank).remote(object).get()?, size);
            assert_eq!(*borrow_model::on(rank).remote(object).get()?, format!("first {size}"));
        }
        assert_eq!(*take_model::on(rank).remote(model(4)).get()?, 4);
        assert_eq!(*borrow_model::on(rank).remote(model(6)).get()?, "first 6");
    }
    assert_eq!(local.get()?.weights.len(), 3, "taking it by value left the object unchanged");
    Ok(())
}

fn borrowed() -> Outcome {
    let doubles = mobula::put_array(&[1.0, 2.0, 3.0])?;
    let small: Array<u8> = mobula::put_array(&[1u8, 2, 3])?.get()?.clone();
    for rank in [0, last_rank()] {
        assert_eq!(*borrow_slices::on(rank).remote(&doubles, small.clone(), 2.0).get()?, 18.0);
        let text = mobula::put("größer".to_string())?;
        assert_eq!(*letters::on(rank).remote("four", "five!").get()?, 9);
        assert_eq!(*letters::on(rank).remote(&text, String::from("x")).get()?, 7);
        assert_eq!(*letters::on(rank).remote("", &text).get()?, 6);
    }
    Ok(())
}

fn many_parameters() -> Outcome {
    let text =
        twelve::on(last_rank()).remote(1, mobula::put(2u16)?, 3, 4, -5, -6, -7, -8, 0.5, mobula::put(0.25)?, true, 'z');
    assert_eq!(*text.get()?, "1 2 3 4 -5 -6 -7 -8 0.5 0.25 true z");
    Ok(())
}

fn three_results() -> Outcome {
    for rank in [0, last_rank()] {
        let (a, b, c) = three::on(rank).remote();
        drop(b); // dropping one does not affect the others
        assert_eq!((*a.get()?, &*c.get()?), (1, &vec![3, 3, 3]));
    }
    let (a, b, c) = three::remote();
    assert_eq!((*a.get()?, &**b.get()?, &**c.get()?), (1, "two", &[3, 3, 3][..]));
    Ok(())
}

fn several_or_error() -> Outcome {
    for rank in [0, last_rank()] {
        let (left, right) = halves::on(rank).remote(10u64);
        assert_eq!((*left.get()?, *right.get()?), (5, 5));
        let (left, right) = halves::on(rank).remote(11u64);
        for error in [left.get().expect_err("11 is odd"), right.get().expect_err("11 is odd")] {
            assert!(error.to_string().contains("11 is odd"), "{error}");
        }
    }
    Ok(())
}

fn trained() -> Outcome {
    let data = mobula::put_array(&[1.0f32; 64])?;
    let trained: ObjectRef<Model> = train::remote(&data);
    assert_eq!(trained.get()?.weights.len(), 64);
    let error = train::remote(mobula::create_array::<f32>(0)?.seal()).get().expect_err("no data");
    assert!(error.to_string().contains("TrainError"), "{error}");
    let sum = add::options().num_cpus(2.0).max_retries(0).name("warm").place(Placement::Spread).remote(1.0, 2.0);
    assert_eq!(*sum.get()?, 3.0);
    Ok(())
}

/// A minimal executor, to check that a reference wakes any waker.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}

fn awaited() -> Outcome {
    let ready = mobula::put(4u64)?;
    assert_eq!(block_on(ready)?, 4);
    let gate = Gate::new();
    let pending = gate.task(5);
    let opener = std::thread::spawn(move || gate.open());
    assert_eq!(block_on(pending)?, 5);
    opener.join().expect("it only opens the gate");
    let (_, failed) = halves::remote(3u64);
    assert!(block_on(async { Ok::<u64, mobula::Error>(*failed.await? + 1) }).is_err());
    Ok(())
}

fn asynchronous() -> Outcome {
    for rank in [0, last_rank()] {
        let gate = Gate::new();
        let (slow, inner) = (gate.task(1), mobula::put(mobula::put(40.0)?)?);
        let sum = add_later::on(rank).remote(&inner, 2.0);
        assert_eq!(*sum.get()?, 42.0);
        // An async task that waits blocks no other task on its rank.
        let later = wait_for_both::on(rank).remote(vec![slow.clone(), slow]);
        assert_eq!(*add::on(rank).remote(1.0, 1.0).get()?, 2.0);
        gate.open();
        assert_eq!(*later.get()?, 2);
    }
    Ok(())
}

#[mobula::remote]
async fn wait_for_both(parts: Vec<ObjectRef<u64>>) -> mobula::Result<u64> {
    let mut sum = 0;
    for part in parts {
        sum += *part.await?;
    }
    Ok(sum)
}

fn sizes() -> Outcome {
    let rank = last_rank();
    for count in [0, 1, 1000, 32 << 10, (64 << 10) - 1, 64 << 10, 300_000, 5 << 20] {
        let there = bytes::on(rank).remote(count, 3);
        assert!(*check_bytes::on(rank).remote(&there, 3).get()?, "{count} bytes produced and consumed there");
        assert!(check_bytes(there.get()?.to_vec(), 3), "{count} bytes produced there, read here");
        assert!(*check_bytes::on(rank).remote(bytes(count, 9), 9).get()?, "{count} bytes sent by value");
        let here = mobula::put(bytes(count, 5))?;
        assert!(*check_bytes::on(rank).remote(&here, 5).get()?, "{count} bytes put here, consumed there");
        assert_eq!(there.get()?.len(), count);
    }
    Ok(())
}

fn returned_reference() -> Outcome {
    let (first, second) = (last_rank(), 0);
    for (outer, inner) in [(first, second), (second, first), (first, first)] {
        let reference = chain_on::on(outer).remote(inner, 1.0).get()?;
        assert_eq!(*reference.get()?, 2.0);
    }
    Ok(())
}

fn many() -> Outcome {
    let tasks: Vec<ObjectRef<u64>> = (0..20_000).map(|number: u64| count_up::remote(number)).collect();
    let values = mobula::get_all(&tasks)?;
    assert!(values.iter().enumerate().all(|(position, value)| **value == position as u64 + 1));
    Ok(())
}

fn threads() -> Outcome {
    let callers: Vec<_> = (0..4)
        .map(|thread: u64| {
            std::thread::spawn(move || -> mobula::Result<u64> {
                let tasks: Vec<ObjectRef<u64>> = (0..500).map(|call| count_up::remote(thread * 1000 + call)).collect();
                Ok(mobula::get_all(&tasks)?.iter().map(|value| **value).sum())
            })
        })
        .collect();
    for (thread, caller) in callers.into_iter().enumerate() {
        let sum = caller.join().expect("it does not panic")?;
        assert_eq!(sum, 500 * 1000 * thread as u64 + 500 * 501 / 2);
    }
    Ok(())
}

fn dropped_reference() -> Outcome {
    let counter = RunCounter::remote();
    for _ in 0..50 {
        drop(count_run::remote(&counter));
        drop(count_run::on(last_rank()).remote(&counter));
    }
    crate::cases::soon("all hundred tasks have run", || counter.runs().get().is_ok_and(|runs| *runs == 100));
    Ok(())
}

#[mobula::remote]
fn count_run(counter: RunCounterHandle) -> mobula::Result<()> {
    counter.add().get()?;
    Ok(())
}

/// Counts the runs of tasks.
pub struct RunCounter {
    runs: u64,
}

#[mobula::actor]
impl RunCounter {
    pub fn new() -> Self {
        RunCounter { runs: 0 }
    }
    pub fn add(&mut self) {
        self.runs += 1;
    }
    pub fn runs(&self) -> u64 {
        self.runs
    }
}
