//! How tasks end their process, and how drivers end: `ends CASE HOW`, on any number of ranks. Rank 0 is the driver.

mod cancelled;
mod drivers;
mod tasks;

use rustix::process::{Signal, getpid, kill_process};
use std::time::Duration;

/// Ends the process as `how` says.
pub fn end(how: &str) -> ! {
    match how {
        "abort" => std::process::abort(),
        "exit-0" => std::process::exit(0),
        "exit-3" => std::process::exit(3),
        "fault" => fault(),
        "kill" => raise(Signal::KILL),
        "term" => raise(Signal::TERM),
        "overflow" => drop(overflow(1)),
        "memory" => drop(std::hint::black_box(Vec::<u8>::with_capacity(1 << 46))),
        "hog" => fill_memory(),
        _ => panic!("there is no end {how:?}"),
    }
    unreachable!("it has ended by {how}")
}

/// Until the kernel ends the process.
fn fill_memory() {
    let mut blocks = Vec::new();
    loop {
        blocks.push(std::hint::black_box(vec![1_u8; 1 << 20]));
    }
}

/// By a signal for the whole process: any thread may get it.
fn raise(signal: Signal) {
    kill_process(getpid(), signal).expect("the process may signal itself");
    std::thread::sleep(Duration::from_secs(600));
}

fn fault() {
    // SAFETY: none: the test is that the process ends by SIGSEGV.
    unsafe { std::hint::black_box(std::ptr::without_provenance_mut::<u32>(8)).write_volatile(1) };
}

#[allow(unconditional_recursion)]
fn overflow(depth: u64) -> Vec<u64> {
    let frame = std::hint::black_box([depth; 64]);
    let mut deeper = overflow(depth + 1);
    deeper.push(frame[0]);
    deeper
}

#[mobula::main]
fn main() -> Result<(), String> {
    let mut arguments = std::env::args().skip(1);
    let (case, how) = (arguments.next().unwrap_or_default(), arguments.next().unwrap_or_default());
    match case.as_str() {
        "sweep" => tasks::sweep(&how),
        "child" => tasks::child(&how),
        "suspects" => tasks::suspects(&how),
        "named" => tasks::named(&how),
        "actor" => tasks::actor(&how),
        "constructor" => tasks::constructor(&how),
        "cancelled-call" => cancelled::call(),
        "driver" => return drivers::driver(&how),
        _ => panic!("there is no case {case:?}"),
    }
    println!("the driver has ended");
    Ok(())
}
