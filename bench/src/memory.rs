//! Bytes that a queued task, an object, an array and a peer take.
//!
//! Each number is the growth of a process of its own: in one that has done anything before, the allocator has free
//! space left.

use crate::case::{Case, Run, case};
use crate::failure::{Failure, Result, check};
use crate::limits::queue;
use crate::peers::{self, mpi};
use crate::startup::printed;
use crate::suite::{Bench, within};
use mobula::prelude::*;
use std::env;
use std::process::{Command, ExitCode};
use std::sync::Arc;

/// Samples of each: they hardly differ.
const REPEAT_MAX: u32 = 3;

/// What is measured.
#[derive(Clone, Copy, clap::ValueEnum)]
enum What {
    /// A queued task.
    Task,
    /// An object of eight bytes.
    Object,
    /// An array of 1 KiB.
    Array,
    /// Rank 0 of an idle cluster, in all.
    Rank,
    /// An `Arc` of eight bytes.
    Arc,
    /// A `Vec` of 1 KiB.
    Vec,
}

/// Options of the process that measures.
#[derive(clap::Args)]
#[group(skip)]
pub struct Options {
    what: What,
    #[arg(long)]
    quick: bool,
}

/// Every case.
pub fn cases() -> Vec<Case> {
    let few = |case: Case| case.repeat_at_most(REPEAT_MAX);
    vec![
        few(case("a queued task", "bytes", |run| measured(run, "task"))),
        few(case("an object of 8 B", "bytes", |run| measured(run, "object")).peer("Arc", |run| measured(run, "arc"))),
        few(case("an array of 1 KiB", "bytes", |run| measured(run, "array")).peer("Vec", |run| measured(run, "vec"))),
        few(case("rank 0 of two, idle", "bytes", |_| rank(2)).peer("MPI", |_| mpi_rank(2))),
        few(case("a peer that was talked to", "bytes", |_| Ok((rank(8)? - rank(2)?) / 6.0))
            .peer("MPI", |_| Ok((mpi_rank(8)? - mpi_rank(2)?) / 6.0))),
    ]
}

/// Measures all of it.
///
/// # Errors
/// If a result cannot be written.
pub fn run(bench: &mut Bench) -> Result<()> {
    bench.measure(&cases())
}

/// The number that a process of its own prints for something.
fn measured(run: &Run, what: &str) -> Result<f64> {
    let mut command = Command::new(own_program()?);
    command.args(["weigh", what]);
    if run.quick {
        command.arg("--quick");
    }
    printed(&mut command)
}

fn rank(ranks: u32) -> Result<f64> {
    printed(peers::launcher(ranks).arg(own_program()?).args(["weigh", "rank"]))
}

fn mpi_rank(ranks: u32) -> Result<f64> {
    Ok(mpi::startup("memory", ranks)? * 1024.0)
}

fn own_program() -> Result<std::path::PathBuf> {
    env::current_exe()
        .map_err(|error| Failure::Program { program: "mobula-bench".to_string(), reason: error.to_string() })
}

/// How many are measured together.
const COUNT: u32 = 1_000_000;
const ARRAYS: u32 = 50_000;

/// Measures, and prints the number.
///
/// # Errors
/// Errors of the runtime.
pub fn measure(options: &Options) -> Result<ExitCode> {
    let run = Run { repeat: 1, quick: options.quick, seed: 0 };
    let kilobyte = vec![1u64; 128];
    let bytes = match options.what {
        What::Task => within(Config::default(), || queue::bytes(&run))?,
        What::Object => {
            within(Config::default(), || grown(run.rounds(COUNT), |number| Ok(mobula::put(u64::from(number))?)))?
        }
        What::Array => within(Config::default(), || grown(run.rounds(ARRAYS), |_| Ok(mobula::put_array(&kilobyte)?)))?,
        What::Rank => return own_rank_bytes(),
        What::Arc => grown(run.rounds(COUNT), |number| Ok(Arc::new(u64::from(number))))?,
        What::Vec => grown(run.rounds(ARRAYS), |_| Ok(kilobyte.clone()))?,
    };
    println!("{bytes}");
    Ok(ExitCode::SUCCESS)
}

/// Bytes that each of so many takes. The vector that stores them counts as well: a reference is part of what a user
/// holds.
fn grown<T>(count: u32, mut make: impl FnMut(u32) -> Result<T>) -> Result<f64> {
    let before = queue::resident_bytes()?;
    let mut items = Vec::with_capacity(count as usize);
    for number in 0..count {
        items.push(make(number)?);
    }
    let bytes = queue::resident_bytes()?.saturating_sub(before) as f64 / f64::from(count);
    check(items.len() == count as usize, || "some are missing".to_string())?;
    Ok(bytes)
}

#[mobula::remote]
fn own_rank() -> u32 {
    mobula::context().rank()
}

/// The memory of rank 0 after every rank has responded to it.
fn own_rank_bytes() -> Result<ExitCode> {
    let cluster = mobula::init(Config::default())?;
    if cluster.rank() != 0 {
        cluster.serve()?;
        return Ok(ExitCode::SUCCESS);
    }
    let answers: Vec<ObjectRef<u32>> = (0..cluster.size()).map(|rank| own_rank::on(rank).remote()).collect();
    mobula::get_all(&answers).map_err(Failure::from)?;
    let bytes = queue::resident_bytes()?;
    cluster.shutdown()?;
    println!("{bytes}");
    Ok(ExitCode::SUCCESS)
}
