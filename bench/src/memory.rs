//! Bytes that a queued task, an object, an array and a peer take.
//!
//! Each number is what a process of its own grows by: in one that has done anything before, the allocator has room left over.

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

/// What is weighed.
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

/// Options of the process that weighs.
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
        few(case("a queued task", "bytes", |run| weighed(run, "task"))),
        few(case("an object of 8 B", "bytes", |run| weighed(run, "object")).peer("Arc", |run| weighed(run, "arc"))),
        few(case("an array of 1 KiB", "bytes", |run| weighed(run, "array")).peer("Vec", |run| weighed(run, "vec"))),
        few(case("rank 0 of two, idle", "bytes", |_| rank(2)).peer("MPI", |_| mpi_rank(2))),
        few(case("a peer that was talked to", "bytes", |_| Ok((rank(8)? - rank(2)?) / 6.0))
            .peer("MPI", |_| Ok((mpi_rank(8)? - mpi_rank(2)?) / 6.0))),
    ]
}

/// Measures all of it.
///
/// # Errors
/// Where a result cannot be written.
pub fn run(bench: &mut Bench) -> Result<()> {
    bench.measure(&cases())
}

/// What a process of its own says of something.
fn weighed(run: &Run, what: &str) -> Result<f64> {
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

/// How many are weighed together.
const COUNT: u32 = 1_000_000;
const ARRAYS: u32 = 50_000;

/// Weighs, and prints the number.
///
/// # Errors
/// What the runtime says.
pub fn weigh(options: &Options) -> Result<ExitCode> {
    let run = Run { repeat: 1, quick: options.quick, seed: 0 };
    let kilobyte = vec![1u64; 128];
    let bytes = match options.what {
        What::Task => within(Config::default(), || queue::bytes(&run))?,
        What::Object => {
            within(Config::default(), || grown(run.rounds(COUNT), |number| Ok(mobula::put(u64::from(number))?)))?
        }
        What::Array => within(Config::default(), || grown(run.rounds(ARRAYS), |_| Ok(mobula::put_array(&kilobyte)?)))?,
        What::Rank => return rank_here(),
        What::Arc => grown(run.rounds(COUNT), |number| Ok(Arc::new(u64::from(number))))?,
        What::Vec => grown(run.rounds(ARRAYS), |_| Ok(kilobyte.clone()))?,
    };
    println!("{bytes}");
    Ok(ExitCode::SUCCESS)
}

/// Bytes that each of so many takes. Where they are kept counts as well: a reference is part of what a user holds.
fn grown<T>(count: u32, mut make: impl FnMut(u32) -> Result<T>) -> Result<f64> {
    let before = queue::resident_bytes()?;
    let mut kept = Vec::with_capacity(count as usize);
    for number in 0..count {
        kept.push(make(number)?);
    }
    let bytes = queue::resident_bytes()?.saturating_sub(before) as f64 / f64::from(count);
    check(kept.len() == count as usize, || "some were not kept".to_string())?;
    Ok(bytes)
}

#[mobula::remote]
fn own_rank() -> u32 {
    mobula::context().rank()
}

/// What rank 0 has in memory once every rank has answered it.
fn rank_here() -> Result<ExitCode> {
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
