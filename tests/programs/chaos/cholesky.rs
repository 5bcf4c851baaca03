//! The tiled Cholesky factorization: a graph of tasks over arrays, compared bit by bit with the same steps run
//! sequentially.

use crate::Outcome;
use mobula::prelude::*;

/// Rows of a tile, and tiles in a row of the matrix. A tile has 128 KiB: it stays on the host of its producer until
/// another host needs it.
const SIDE: usize = 128;
const TILES: usize = 6;

/// Factorizations one after the other.
const TIMES: usize = 10;

type Tile = ObjectRef<Array<f64>>;

/// An entry of a symmetric, diagonally dominant matrix.
fn entry(row: usize, column: usize) -> f64 {
    let (low, high) = (row.min(column) as f64, row.max(column) as f64);
    if row == column { 2.0 * (SIDE * TILES) as f64 } else { (low * 0.37 + high * 0.73).sin() }
}

fn filled(row: usize, column: usize) -> Vec<f64> {
    (0..SIDE * SIDE).map(|at| entry(row * SIDE + at / SIDE, column * SIDE + at % SIDE)).collect()
}

fn factored(tile: &mut [f64]) {
    for column in 0..SIDE {
        let mut pivot = tile[column * SIDE + column];
        (0..column).for_each(|k| pivot -= tile[column * SIDE + k] * tile[column * SIDE + k]);
        let pivot = pivot.sqrt();
        tile[column * SIDE + column] = pivot;
        for row in column + 1..SIDE {
            let mut value = tile[row * SIDE + column];
            (0..column).for_each(|k| value -= tile[row * SIDE + k] * tile[column * SIDE + k]);
            tile[row * SIDE + column] = value / pivot;
            tile[column * SIDE + row] = 0.0;
        }
    }
}

fn solved(tile: &mut [f64], lower: &[f64]) {
    for row in 0..SIDE {
        for column in 0..SIDE {
            let mut value = tile[row * SIDE + column];
            (0..column).for_each(|k| value -= tile[row * SIDE + k] * lower[column * SIDE + k]);
            tile[row * SIDE + column] = value / lower[column * SIDE + column];
        }
    }
}

/// Subtracts the product of one tile with the transpose of another.
fn reduced(tile: &mut [f64], left: &[f64], right: &[f64]) {
    for row in 0..SIDE {
        for column in 0..SIDE {
            let mut value = tile[row * SIDE + column];
            (0..SIDE).for_each(|k| value -= left[row * SIDE + k] * right[column * SIDE + k]);
            tile[row * SIDE + column] = value;
        }
    }
}

#[mobula::remote]
fn fill(row: usize, column: usize) -> mobula::Result<Array<f64>> {
    changed(&filled(row, column), |_| {})
}

#[mobula::remote]
fn factor(tile: &[f64]) -> mobula::Result<Array<f64>> {
    changed(tile, factored)
}

#[mobula::remote]
fn solve(tile: &[f64], lower: &[f64]) -> mobula::Result<Array<f64>> {
    changed(tile, |tile| solved(tile, lower))
}

#[mobula::remote]
fn reduce(tile: &[f64], left: &[f64], right: &[f64]) -> mobula::Result<Array<f64>> {
    changed(tile, |tile| reduced(tile, left, right))
}

fn changed(tile: &[f64], change: impl FnOnce(&mut [f64])) -> mobula::Result<Array<f64>> {
    let mut copy = mobula::create_array::<f64>(tile.len())?;
    copy.as_mut_slice().copy_from_slice(tile);
    change(copy.as_mut_slice());
    Ok(copy.seal())
}

fn by_tasks() -> Vec<Vec<Tile>> {
    let mut tiles: Vec<Vec<Tile>> =
        (0..TILES).map(|row| (0..=row).map(|column| fill::remote(row, column)).collect()).collect();
    for k in 0..TILES {
        tiles[k][k] = factor::remote(&tiles[k][k]);
        for row in k + 1..TILES {
            tiles[row][k] = solve::remote(&tiles[row][k], &tiles[k][k]);
        }
        for row in k + 1..TILES {
            for column in k + 1..=row {
                tiles[row][column] = reduce::remote(&tiles[row][column], &tiles[row][k], &tiles[column][k]);
            }
        }
    }
    tiles
}

fn in_sequence() -> Vec<Vec<Vec<f64>>> {
    let mut tiles: Vec<Vec<Vec<f64>>> =
        (0..TILES).map(|row| (0..=row).map(|column| filled(row, column)).collect()).collect();
    for k in 0..TILES {
        factored(&mut tiles[k][k]);
        let lower = tiles[k][k].clone();
        for below in &mut tiles[k + 1..] {
            solved(&mut below[k], &lower);
        }
        let panel: Vec<Vec<f64>> = tiles[k + 1..].iter().map(|row| row[k].clone()).collect();
        for row in k + 1..TILES {
            for column in k + 1..=row {
                reduced(&mut tiles[row][column], &panel[row - k - 1], &panel[column - k - 1]);
            }
        }
    }
    tiles
}

pub fn run() -> Outcome {
    let expected = in_sequence();
    for time in 0..TIMES {
        let tiles = by_tasks();
        for (row, expected) in tiles.iter().zip(&expected) {
            for (tile, expected) in row.iter().zip(expected) {
                let tile = tile.get().map_err(|error| error.to_string())?;
                if tile.iter().zip(expected).any(|(one, other)| one.to_bits() != other.to_bits()) {
                    return Err(format!("factorization {time} differs from the one in sequence"));
                }
            }
        }
    }
    Ok(format!("{TIMES} factorizations of {TILES} x {TILES} tiles"))
}
