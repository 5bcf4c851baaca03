//! Processes: what tasks start and print, and how drivers end.

use crate::{Case, far};
use std::io::Write;
use std::process::{Command, Stdio};

pub const CASES: &[Case] = &[
    ("child-keeps-output", child_keeps_output),
    ("long-lines", long_lines),
    ("progress", progress),
    ("sleeps-on-every-rank", sleeps_on_every_rank),
    ("exit-0", || exit(0)),
    ("exit-3", || exit(3)),
    ("exit-in-a-task", exit_in_a_task),
];

#[mobula::remote]
#[allow(clippy::zombie_processes)] // the test is that nothing waits for it
fn starts_a_child() -> u32 {
    println!("before the child");
    // mpirun waits by itself for whoever has the standard error that it gave to a rank.
    let child = Command::new("sleep").arg("600").stderr(Stdio::null()).spawn().expect("sleep");
    println!("after the child");
    print!("no end of line");
    child.id()
}

fn child_keeps_output() -> mobula::Result<()> {
    println!("child {}", starts_a_child::on(far()).remote().get()?);
    Ok(())
}

#[mobula::remote]
fn prints(characters: usize) {
    println!("[{}]", "é".repeat(characters));
}

fn long_lines() -> mobula::Result<()> {
    for characters in [10, 20_000, 500_000, 600_000] {
        prints::on(far()).remote(characters).get()?;
    }
    Ok(())
}

#[mobula::remote]
fn shows_progress() {
    for percent in [10, 50, 90] {
        print!("{percent} %\r");
        std::io::stdout().flush().expect("an open output");
    }
    println!("100 %");
}

fn progress() -> mobula::Result<()> {
    shows_progress::on(far()).remote().get()?;
    Ok(())
}

#[mobula::remote]
fn one() -> u32 {
    println!("one of one");
    1
}

#[mobula::remote]
fn sleeps() {
    println!("sleeps");
    std::thread::sleep(std::time::Duration::from_secs(600));
}

/// Every worker and the driver are busy, outside of any wait that an error could end.
fn sleeps_on_every_rank() -> mobula::Result<()> {
    let _running = [sleeps::on(0).remote(), sleeps::on(far()).remote()];
    std::thread::sleep(std::time::Duration::from_secs(600));
    Ok(())
}

fn exit(code: i32) -> mobula::Result<()> {
    assert_eq!(*one::on(far()).remote().get()?, 1);
    println!("exits with {code}");
    std::process::exit(code)
}

#[mobula::remote]
fn exits() -> u32 {
    println!("exits in a task");
    std::process::exit(0)
}

fn exit_in_a_task() -> mobula::Result<()> {
    exits::on(0).remote().get()?;
    Ok(())
}
