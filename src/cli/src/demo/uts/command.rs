//! `mobula demo uts`: its options, and the report.

use super::parameters::{Kind, Parameters, Sample, Shape, samples};
use super::sequential::{Count, search};
use super::sharing::Search;
use super::tasks::{SearchReport, explore};
use super::tree::TreeNode;
use crate::demo::progress;
use crate::failure::{CommandError, Result, check};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long a task works before it gives nodes away, without `--grain`: long enough to hide the cost of a task.
const GRAIN_TIME: Duration = Duration::from_micros(100);

/// Options of `mobula demo uts`: a sample tree, the benchmark's own flags, or both.
#[derive(clap::Args)]
pub struct Options {
    /// A published tree: T1 to T5 (4 million nodes), T1L, T2L or T3L (100 million) [default: T1]
    #[arg(long)]
    tree: Option<String>,
    /// Nodes that a task visits before it gives some away [default: some 100 microseconds' worth]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    grain: Option<u32>,
    /// Leave out the search in sequence, and with it the speed-up
    #[arg(long)]
    no_sequential: bool,
    #[command(flatten)]
    flags: Flags,
    /// Work stealing: 0 leaves out the search by tasks
    #[arg(short = 's', default_value_t = 1)]
    stealing: u32,
}

/// The benchmark's own flags of a tree.
#[derive(clap::Args, Default, PartialEq)]
struct Flags {
    /// Tree type: 0 binomial, 1 geometric, 2 hybrid, 3 balanced
    #[arg(short = 't')]
    kind: Option<Kind>,
    /// Branching factor of the root
    #[arg(short = 'b')]
    root_children: Option<f64>,
    /// Seed of the root
    #[arg(short = 'r', value_parser = clap::value_parser!(u32).range(..1 << 31))]
    seed: Option<u32>,
    /// Binomial: children of an inner node
    #[arg(short = 'm')]
    inner_children: Option<u32>,
    /// Binomial: probability of an inner node
    #[arg(short = 'q')]
    inner_probability: Option<f64>,
    /// Geometric, balanced: depth
    #[arg(short = 'd', value_parser = clap::value_parser!(u32).range(1..))]
    depth: Option<u32>,
    /// Geometric: shape; 0 linear, 1 exponential decrease, 2 cyclic, 3 fixed
    #[arg(short = 'a')]
    shape: Option<Shape>,
    /// Hybrid: part of the depth at which geometric turns binomial
    #[arg(short = 'f')]
    shift: Option<f64>,
    /// Granularity: hashes a node
    #[arg(short = 'g', value_parser = clap::value_parser!(u32).range(1..))]
    granularity: Option<u32>,
}

impl Options {
    /// The requested tree: a sample or the benchmark's default, changed by the flags.
    fn parameters(&self) -> Result<Parameters> {
        let flags = &self.flags;
        let base = match &self.tree {
            None if *flags != Flags::default() => Parameters::default(),
            name => sample(name.as_deref().unwrap_or("T1"))?.parameters,
        };
        let parameters = Parameters {
            kind: flags.kind.unwrap_or(base.kind),
            root_children: flags.root_children.unwrap_or(base.root_children),
            seed: flags.seed.unwrap_or(base.seed),
            inner_children: flags.inner_children.unwrap_or(base.inner_children),
            inner_probability: flags.inner_probability.unwrap_or(base.inner_probability),
            depth: flags.depth.unwrap_or(base.depth),
            shape: flags.shape.unwrap_or(base.shape),
            shift: flags.shift.unwrap_or(base.shift),
            granularity: flags.granularity.unwrap_or(base.granularity),
        };
        if !(0.0..=1e6).contains(&parameters.root_children) {
            return Err(CommandError::Usage(format!("-b {} is not from 0 to 1e6", parameters.root_children)));
        }
        Ok(parameters)
    }
}

/// The sample of this name.
fn sample(name: &str) -> Result<Sample> {
    let known: Vec<&str> = samples().iter().map(|sample| sample.name).collect();
    samples()
        .into_iter()
        .find(|sample| sample.name.eq_ignore_ascii_case(name))
        .ok_or_else(|| CommandError::Usage(format!("{name} is not a published tree; these are: {}", known.join(", "))))
}

/// Searches in sequence and by tasks, prints the counts and the speed, and compares them with the published ones.
///
/// # Errors
/// `CommandError::Check` where two counts of the tree differ, `CommandError::Usage`, and errors of the runtime.
pub fn run(options: &Options) -> Result<()> {
    let parameters = options.parameters()?;
    let published = samples()
        .into_iter()
        .find(|sample| Parameters { granularity: parameters.granularity, ..sample.parameters } == parameters);
    match &published {
        Some(sample) => println!("tree {}: {parameters}", sample.name),
        None => println!("tree: {parameters}"),
    }
    let total = published.as_ref().map(|sample| sample.nodes);
    let mut counts = Vec::new();
    let sequential = (!options.no_sequential || options.stealing == 0).then(|| sequential(&parameters, total));
    if let Some((count, time)) = sequential {
        println!("in sequence: {}", line(&count, time));
        counts.push(count);
    }
    if options.stealing != 0 {
        let rate = sequential.map(|(count, time)| count.nodes as f64 / time.as_secs_f64());
        let grain = options.grain.unwrap_or_else(|| grain(rate));
        let (found, time) = parallel(Search { parameters, grain })?;
        println!("by tasks:    {}", line(&found.count, time));
        report(&found, grain, sequential.map(|(_, alone)| alone.as_secs_f64() / time.as_secs_f64()));
        counts.push(found.count);
    }
    check_counts(&counts, published.as_ref())
}

/// The search on this core, timed.
fn sequential(parameters: &Parameters, total: Option<u64>) -> (Count, Duration) {
    let bar = match total {
        Some(nodes) => progress::bar(nodes, "in sequence"),
        None => progress::clock("in sequence"),
    };
    let start = Instant::now();
    let count = search(parameters, |nodes| bar.set_position(nodes));
    let time = start.elapsed();
    bar.finish_and_clear();
    (count, time)
}

/// The search by tasks on all ranks, timed.
fn parallel(search: Search) -> Result<(SearchReport, Duration)> {
    let clock = progress::clock("by tasks");
    let start = Instant::now();
    let found = explore::remote(search, vec![TreeNode::root(&search.parameters)]).get()?;
    let time = start.elapsed();
    clock.finish_and_clear();
    Ok((found.clone(), time))
}

/// Nodes that take about [`GRAIN_TIME`] at this many a second.
fn grain(rate: Option<f64>) -> u32 {
    rate.map_or(500, |rate| (rate * GRAIN_TIME.as_secs_f64()).clamp(10.0, 2000.0) as u32)
}

/// One search, in numbers.
fn line(count: &Count, time: Duration) -> String {
    let seconds = time.as_secs_f64();
    let rate = count.nodes as f64 / seconds / 1e6;
    let Count { nodes, leaves, depth } = count;
    format!("{nodes} nodes, depth {depth}, {leaves} leaves in {seconds:.3} s: {rate:.2} million nodes/s")
}

/// Prints the work of each rank.
fn report(found: &SearchReport, grain: u32, speed_up: Option<f64>) {
    let mean = found.count.nodes / found.tasks.max(1);
    println!("tasks:       {}, of {mean} nodes on average, one started after every {grain} nodes", found.tasks);
    let mut by_rank: BTreeMap<u32, (u64, u32)> = BTreeMap::new();
    for ((rank, _), nodes) in &found.nodes_by_worker {
        let (sum, workers) = by_rank.entry(*rank).or_default();
        *sum += nodes;
        *workers += 1;
    }
    for (rank, (nodes, workers)) in &by_rank {
        let percent = 100.0 * *nodes as f64 / found.count.nodes as f64;
        println!("rank {rank}:      {nodes} nodes ({percent:.1} %) by {workers} workers");
    }
    let (ranks, workers) = (by_rank.len(), found.nodes_by_worker.len());
    match speed_up {
        Some(times) => {
            println!("speed-up:    {times:.2} over one core, by {ranks} ranks with {workers} workers in all")
        }
        None => println!("used:        {ranks} ranks with {workers} workers in all"),
    }
}

/// Compares every count with the published one, and with each other (UTS-1).
fn check_counts(counts: &[Count], published: Option<&Sample>) -> Result<()> {
    check(counts.windows(2).all(|pair| pair[0] == pair[1]), || format!("the searches differ: {counts:?}"))?;
    let (Some(sample), Some(count)) = (published, counts.last()) else {
        println!("published count: none for this tree");
        return Ok(());
    };
    let right = *count == Count { nodes: sample.nodes, leaves: sample.leaves, depth: sample.depth };
    println!("published count: {} - {}", sample.nodes, if right { "matches" } else { "MISMATCH" });
    check(right, || format!("{} has {} nodes, not {}", sample.name, sample.nodes, count.nodes))
}
