//! `mobula demo heat`: its options, the driver's loop, and the check.

use super::block::{Edges, HeatBlock, HeatBlockHandle, stored};
use super::grid::Plate;
use super::picture;
use crate::demo::progress;
use crate::failure::{CommandError, Result, check};
use indicatif::ProgressBar;
use mobula::prelude::*;
use std::path::PathBuf;
use std::time::Instant;

/// Steps that the driver may be ahead of the actors: bounds the calls that wait.
const AHEAD_MAX: usize = 64;

/// Options of `mobula demo heat`.
#[derive(clap::Args)]
pub struct Options {
    /// Cells of a row
    #[arg(long, default_value_t = 512)]
    nx: usize,
    /// Rows
    #[arg(long, default_value_t = 512)]
    ny: usize,
    /// Time steps
    #[arg(long, default_value_t = 1000)]
    steps: usize,
    /// Actors that share the rows [default: one a CPU, two at least]
    #[arg(long)]
    blocks: Option<usize>,
    /// Where the picture goes
    #[arg(long, default_value = "heat.png")]
    png: PathBuf,
}

/// Runs the steps on one core and by actors, compares every bit, and writes the picture.
///
/// # Errors
/// `CommandError::Check` where the two fields differ, `CommandError::File`, `CommandError::Usage`, and errors of the
/// runtime.
pub fn run(options: &Options) -> Result<()> {
    let plate = Plate { nx: options.nx, ny: options.ny };
    if ![plate.nx, plate.ny].iter().all(|cells| (1..=1 << 20).contains(cells)) {
        return Err(CommandError::Usage("--nx and --ny take 1 to 1048576".to_string()));
    }
    let cpus = mobula::cluster_resources().get("CPU").copied().unwrap_or_default();
    let blocks = options.blocks.unwrap_or((cpus as usize).max(2).min(plate.ny));
    if !(1..=plate.ny).contains(&blocks) {
        return Err(CommandError::Usage(format!("--blocks takes 1 to the number of rows, {}", plate.ny)));
    }

    let bar = progress::bar(options.steps as u64, "one core");
    let start = Instant::now();
    let expected = plate.serial(options.steps, || bar.inc(1));
    let serial = start.elapsed().as_secs_f64();
    bar.finish_and_clear();

    let bar = progress::bar(options.steps as u64, "actors");
    let start = Instant::now();
    let field = by_actors(plate, blocks, options.steps, &bar)?;
    let parallel = start.elapsed().as_secs_f64();
    bar.finish_and_clear();

    println!("{} x {} cells, {} steps", plate.nx, plate.ny, options.steps);
    println!("one core:    {serial:.3} s");
    println!("{blocks} actors:    {parallel:.3} s, {:.2} times as fast", serial / parallel);
    let differing = field.iter().zip(&expected).filter(|(a, b)| a.to_bits() != b.to_bits()).count();
    check(field.len() == expected.len() && differing == 0, || {
        format!("{differing} cells differ from the serial answer")
    })?;
    println!("all {} cells are those of the serial answer, bit for bit", field.len());
    picture::write(&options.png, plate.nx, plate.ny, &field)
        .map_err(|source| CommandError::File { path: options.png.clone(), source })?;
    println!("picture: {}", options.png.display());
    Ok(())
}

/// All steps by actors spread over the ranks.
fn by_actors(plate: Plate, blocks: usize, steps: usize, bar: &ProgressBar) -> Result<Vec<f64>> {
    let actors: Vec<HeatBlockHandle> = plate
        .parts(blocks)
        .into_iter()
        .map(|(first, rows)| HeatBlock::options().place(Placement::Spread).remote(plate, first, rows))
        .collect();
    let border = |cells: Vec<f64>| -> Result<ObjectRef<Edges>> {
        let row = stored(&cells)?;
        Ok(mobula::put(Edges { top: row.clone(), bottom: row })?)
    };
    let (above, below) = (border(plate.above())?, border(plate.below())?);
    let mut edges: Vec<ObjectRef<Edges>> = actors.iter().map(HeatBlockHandle::edges).collect();
    for step in 1..=steps {
        edges = actors
            .iter()
            .enumerate()
            .map(|(index, actor)| {
                let upper = if index == 0 { &above } else { &edges[index - 1] };
                actor.step(upper, edges.get(index + 1).unwrap_or(&below))
            })
            .collect();
        if step.is_multiple_of(AHEAD_MAX) {
            mobula::get_all(&edges)?;
        }
        bar.inc(1);
    }
    let mut field = Vec::with_capacity(plate.nx * plate.ny);
    for part in actors.iter().map(HeatBlockHandle::field).collect::<Vec<_>>() {
        field.extend_from_slice(&part.get()?);
    }
    Ok(field)
}
