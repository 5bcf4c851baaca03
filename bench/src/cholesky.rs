//! The tiled Cholesky factorization of the demo, a graph without a hand-written schedule, beside its kernels in
//! sequence.
//!
//! The matrix, the kernels and the graph are the demo's own files, so that the benchmark measures what the demo shows.

#[path = "../../src/cli/src/demo/cholesky/graph.rs"]
mod graph;
#[path = "../../src/cli/src/demo/cholesky/kernels.rs"]
mod kernels;
#[path = "../../src/cli/src/demo/cholesky/matrix.rs"]
mod matrix;

use crate::case::{Case, Run, case};
use crate::failure::{Result, check};
use crate::sample::us;
use crate::suite::{Bench, ranks};
use matrix::Matrix;
use std::time::Instant;

/// Greatest relative residual of a factor that is accepted: some thousand roundings.
const RESIDUAL_MAX: f64 = 1e-12;

/// Samples of each: a sample takes a second.
const REPEAT_MAX: u32 = 5;

/// Every case.
pub fn cases() -> Vec<Case> {
    [(2048, 128), (1024, 32)].map(|(n, side)| of_matrix(Matrix { n, side })).to_vec()
}

fn of_matrix(matrix: Matrix) -> Case {
    let Matrix { n, side } = matrix;
    case(format!("{n} rows in tiles of {side}"), "GFLOP/s", move |run| by_tasks(chosen(run, matrix)))
        .peer("ranks x in sequence", move |run| in_sequence(chosen(run, matrix)))
        .repeat_at_most(REPEAT_MAX)
}

/// Measures all of it.
///
/// # Errors
/// If a result cannot be written.
pub fn run(bench: &mut Bench) -> Result<()> {
    bench.measure(&cases())
}

/// A quick run takes a quarter of the rows.
fn chosen(run: &Run, matrix: Matrix) -> Matrix {
    if run.quick { Matrix { n: matrix.n / 4, ..matrix } } else { matrix }
}

/// GFLOP/s by tasks on every rank, from the first task that is started to the last tile of the diagonal.
fn by_tasks(matrix: Matrix) -> Result<f64> {
    let mut tiles = graph::build(matrix);
    for tile in tiles.iter().flatten() {
        tile.get()?;
    }
    let start = Instant::now();
    graph::factor(matrix, &mut tiles);
    for (column, row) in tiles.iter().enumerate() {
        row[column].get()?;
    }
    let time = us(start.elapsed());
    let lower = tiles.iter().map(|row| mobula::get_all(row)).collect::<mobula::Result<Vec<_>>>()?;
    let residual = matrix.residual(|row, column| &lower[row][column]);
    check(residual <= RESIDUAL_MAX, || format!("residual {residual:e}"))?;
    Ok(matrix.operations() / time / 1e3)
}

/// GFLOP/s of the same kernels on the same tiles in sequence, times the ranks: what they would do if sharing cost
/// nothing.
fn in_sequence(matrix: Matrix) -> Result<f64> {
    let side = matrix.side;
    let mut tiles: Vec<Vec<Vec<f64>>> = vec![Vec::new(); matrix.tiles()];
    for (row, column) in matrix.lower_tiles() {
        let mut tile = vec![0.0; side * side];
        matrix.fill(row, column, &mut tile);
        tiles[row].push(tile);
    }
    let start = Instant::now();
    let pivots = factored(&mut tiles, side);
    let time = us(start.elapsed());
    let residual = matrix.residual(|row, column| &tiles[row][column]);
    check(pivots && residual <= RESIDUAL_MAX, || format!("residual {residual:e}"))?;
    Ok(matrix.operations() * f64::from(ranks()) / time / 1e3)
}

/// Factors the lower triangle in place; returns true if every pivot was positive.
fn factored(tiles: &mut [Vec<Vec<f64>>], side: usize) -> bool {
    for k in 0..tiles.len() {
        if kernels::potrf(&mut tiles[k][k], side).is_err() {
            return false;
        }
        let (above, below) = tiles.split_at_mut(k + 1);
        for row in below.iter_mut() {
            kernels::trsm(&mut row[k], &above[k][k], side);
        }
        for i in 0..below.len() {
            let (earlier, current) = below.split_at_mut(i);
            let (left, right) = current[0].split_at_mut(k + 1);
            // Columns k + 1 up to the row's own, which is the diagonal.
            for (tile, other) in right.iter_mut().zip(earlier.iter().map(|row| &row[k])) {
                kernels::gemm(tile, &left[k], other, side);
            }
            kernels::syrk(&mut right[i], &left[k], side);
        }
    }
    true
}
