//! Failures: long, nested, with causes, with payloads that misbehave.

use crate::{Case, far};
use mobula::prelude::*;
use std::error::Error as StdError;
use std::panic::panic_any;
use std::{fmt, io};

pub const CASES: &[Case] = &[
    ("long-failure", long_failure),
    ("long-failure-of-an-actor", long_failure_of_an_actor),
    ("long-failures-of-many-results", long_failures_of_many_results),
    ("nested-unwrap", nested_unwrap),
    ("payload-with-drop", payload_with_drop),
    ("payload-with-an-error", payload_with_an_error),
    ("causes", causes),
    ("thread-that-panics", thread_that_panics),
];

/// What a failure's text has at most.
const BYTES_MAX: usize = 16 << 10;

fn message(error: Error) -> String {
    match error {
        Error::Task { message, .. } => message,
        other => panic!("{other:?}"),
    }
}

#[mobula::remote]
fn fails(bytes: usize) -> Result<u64, String> {
    Err("é".repeat(bytes / 2))
}

#[mobula::remote]
fn panics(bytes: usize) -> u64 {
    panic!("{}", "e".repeat(bytes))
}

fn long_failure() -> mobula::Result<()> {
    for rank in [0, far()] {
        for bytes in [BYTES_MAX - 10, BYTES_MAX, BYTES_MAX + 2, 60_000, 70_000, 1_000_000] {
            let text = message(fails::on(rank).remote(bytes).get().unwrap_err());
            assert!(text.len() <= BYTES_MAX && text.starts_with('é'), "{} bytes", text.len());
            assert_eq!(text.contains("(cut: "), bytes > BYTES_MAX, "{bytes}");
            let text = message(panics::on(rank).remote(bytes).get().unwrap_err());
            assert!(text.len() <= BYTES_MAX && text.contains("eeee"), "{} bytes", text.len());
        }
    }
    // Not placed: reported to this rank by whichever ran it.
    let all: Vec<_> = (0..20).map(|_| fails::remote(70_000)).collect();
    for one in all {
        assert!(message(one.get().unwrap_err()).ends_with("(cut: 70000 bytes)"));
    }
    Ok(())
}

pub struct Fails(u64);

#[mobula::actor]
impl Fails {
    pub fn new(bytes: usize) -> Result<Self, String> {
        if bytes > 0 { Err("e".repeat(bytes)) } else { Ok(Fails(0)) }
    }
    pub fn fail(&mut self, bytes: usize) -> Result<u64, String> {
        self.0 += 1;
        Err("e".repeat(bytes))
    }
    pub fn calls(&mut self) -> u64 {
        self.0
    }
}

fn long_failure_of_an_actor() -> mobula::Result<()> {
    for rank in [0, far()] {
        let actor = Fails::on(rank).remote(0);
        assert!(message(actor.fail(100_000).get().unwrap_err()).ends_with("(cut: 100000 bytes)"));
        assert_eq!(*actor.calls().get()?, 1);
        let failed = Fails::on(rank).remote(100_000);
        let error = failed.calls().get().unwrap_err().to_string();
        assert!(error.len() < 2 * BYTES_MAX, "{} bytes", error.len());
    }
    Ok(())
}

#[mobula::remote(num_returns = 12)]
#[allow(clippy::type_complexity)]
fn twelve(bytes: usize) -> Result<(u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8), String> {
    Err("e".repeat(bytes))
}

fn long_failures_of_many_results() -> mobula::Result<()> {
    let results = twelve::on(far()).remote(70_000);
    assert!(message(results.0.get().unwrap_err()).ends_with("(cut: 70000 bytes)"));
    assert!(message(results.11.get().unwrap_err()).ends_with("(cut: 70000 bytes)"));
    Ok(())
}

#[mobula::remote]
fn chain(depth: u32) -> u32 {
    if depth == 0 { panic!("x\"y") } else { *chain::remote(depth - 1).get().unwrap() }
}

#[mobula::remote]
fn expecting(depth: u32) -> u32 {
    if depth == 0 { panic!("x\"y") } else { *expecting::on(far()).remote(depth - 1).get().expect("no \"value\"") }
}

fn nested_unwrap() -> mobula::Result<()> {
    for depth in [0, 1, 13, 30] {
        let text = message(chain::remote(depth).get().unwrap_err());
        assert!(text.ends_with("x\"y") && text.len() < 200, "{depth}: {text}");
    }
    let text = message(expecting::remote(20).get().unwrap_err());
    assert!(text.contains("no \"value\"") && text.contains("x\"y") && text.len() <= BYTES_MAX, "{text}");
    Ok(())
}

struct PanicsInDrop;
impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("in drop")
    }
}

#[mobula::remote]
fn panics_with_drop() -> u64 {
    panic_any(PanicsInDrop)
}

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Value(u64);
impl Drop for Value {
    fn drop(&mut self) {
        if self.0 > 0 {
            panic_any(PanicsInDrop)
        }
    }
}

#[mobula::remote]
fn takes(value: Value) -> u64 {
    value.0
}

fn payload_with_drop() -> mobula::Result<()> {
    for rank in [0, far()] {
        assert!(message(panics_with_drop::on(rank).remote().get().unwrap_err()).contains("without a message"));
        // Dropped by the body, after it was moved or decoded into it.
        let error = takes::on(rank).remote(Value(1)).get().unwrap_err();
        assert!(message(error).contains("without a message"));
        assert_eq!(*takes::on(rank).remote(Value(0)).get()?, 0);
    }
    let actor = Fails::on(far()).remote(0);
    assert_eq!(*actor.calls().get()?, 0);
    Ok(())
}

#[mobula::remote]
fn panics_with_an_error() -> u64 {
    panic_any(chain::remote(0).get().unwrap_err())
}

fn payload_with_an_error() -> mobula::Result<()> {
    for rank in [0, far()] {
        match panics_with_an_error::on(rank).remote().get().unwrap_err() {
            Error::Task { task, message, .. } => assert!(task == "chain" && message.ends_with("x\"y"), "{message}"),
            other => panic!("{other:?}"),
        }
    }
    Ok(())
}

#[mobula::remote]
fn joins(how: String) -> u64 {
    let thread = std::thread::Builder::new().name("mesher".to_string());
    let thread = thread.spawn(|| -> u64 { panic!("no mesh of {} cells", 7) }).expect("a thread starts");
    match how.as_str() {
        "unwrap" => thread.join().unwrap(),
        _ => thread.join().expect("the mesh"),
    }
}

fn thread_that_panics() -> mobula::Result<()> {
    for rank in [0, far()] {
        for how in ["unwrap", "expect"] {
            let text = message(joins::on(rank).remote(how).get().unwrap_err());
            assert!(text.contains("Any { .. }; before it, thread mesher panicked at tests/"), "{text}");
            assert!(text.ends_with("no mesh of 7 cells"), "{text}");
        }
    }
    Ok(())
}

#[derive(Debug)]
struct Outer(io::Error);
impl fmt::Display for Outer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("reading the mesh failed")
    }
}
impl StdError for Outer {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

#[mobula::remote]
fn fails_for_a_reason() -> Result<u32, Outer> {
    Err(Outer(io::Error::from_raw_os_error(2)))
}

#[mobula::remote]
fn fails_boxed() -> Result<u32, Box<dyn StdError + Send + Sync>> {
    Err(Box::new(Outer(io::Error::from_raw_os_error(2))))
}

#[mobula::remote]
fn passes_on_boxed() -> Result<u32, Box<dyn StdError>> {
    Ok(*fails_for_a_reason::remote().get()?)
}

fn causes() -> mobula::Result<()> {
    let expected = "reading the mesh failed: No such file or directory (os error 2)";
    for rank in [0, far()] {
        assert_eq!(message(fails_for_a_reason::on(rank).remote().get().unwrap_err()), expected);
        assert_eq!(message(fails_boxed::on(rank).remote().get().unwrap_err()), expected);
        match passes_on_boxed::on(rank).remote().get().unwrap_err() {
            Error::Task { task, message, .. } => assert_eq!((&*task, &*message), ("fails_for_a_reason", expected)),
            other => panic!("{other:?}"),
        }
    }
    Ok(())
}
