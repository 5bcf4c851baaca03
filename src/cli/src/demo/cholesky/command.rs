//! `mobula demo cholesky`: its options, the run, and the check.

use super::graph::{build, factor};
use super::matrix::Matrix;
use crate::demo::progress;
use crate::failure::{CommandError, Result, check};
use std::time::Instant;

/// Greatest relative residual of a factor that is taken for right: some thousand roundings.
const RESIDUAL_MAX: f64 = 1e-12;

/// Options of `mobula demo cholesky`.
#[derive(clap::Args)]
pub struct Options {
    /// Rows of the matrix
    #[arg(long, default_value_t = 2048)]
    n: usize,
    /// Rows of a tile
    #[arg(long, default_value_t = 128)]
    tile: usize,
}

/// Builds the matrix, factors it, prints the speed, and checks the residual.
///
/// # Errors
/// `CommandError::Check` for a residual that is too large, `CommandError::Usage`, and errors of the runtime.
pub fn run(options: &Options) -> Result<()> {
    if !(1..=1 << 20).contains(&options.n) || !(1..=1 << 13).contains(&options.tile) {
        return Err(CommandError::Usage("--n takes 1 to 1048576, --tile 1 to 8192".to_string()));
    }
    let matrix = Matrix { n: options.n, side: options.tile };
    let mut tiles = build(matrix);
    for tile in tiles.iter().flatten() {
        tile.get()?;
    }

    let bar = progress::bar(tiles.len() as u64, "columns");
    let start = Instant::now();
    factor(matrix, &mut tiles);
    for (column, row) in tiles.iter().enumerate() {
        row[column].get()?;
        bar.inc(1);
    }
    let seconds = start.elapsed().as_secs_f64();
    bar.finish_and_clear();
    let count = tiles.len();
    // The number of tasks of the right-looking algorithm on `count` columns of tiles.
    let tasks = count * (count + 1) * (count + 2) / 6;
    println!("{n} x {n} in tiles of {side}: {tasks} tasks", n = matrix.n, side = matrix.side);
    println!("factored in {seconds:.3} s: {:.2} GFLOP/s", matrix.operations() / seconds / 1e9);

    let lower = tiles.iter().map(|row| mobula::get_all(row)).collect::<mobula::Result<Vec<_>>>()?;
    let residual = matrix.residual(|row, column| &lower[row][column]);
    println!("residual |A - L L^T| / |A| = {residual:.1e}, at most {RESIDUAL_MAX:.0e}");
    check(residual <= RESIDUAL_MAX, || format!("residual {residual:e}"))
}
