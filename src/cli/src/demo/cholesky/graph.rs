//! The tasks, and the loop that starts them: references go in, references come out, and no call waits.

use super::kernels;
use super::matrix::Matrix;
use mobula::prelude::*;

/// A reference to a tile.
pub type Tile = ObjectRef<Array<f64>>;

/// A tile of the matrix.
#[mobula::remote]
fn fill(matrix: Matrix, row: usize, column: usize) -> mobula::Result<Array<f64>> {
    let mut tile = mobula::create_array::<f64>(matrix.side * matrix.side)?;
    matrix.fill(row, column, tile.as_mut_slice());
    Ok(tile.seal())
}

/// Why a tile on the diagonal has no factor.
#[derive(Debug, thiserror::Error)]
enum FactorError {
    #[error(transparent)]
    Store(#[from] mobula::Error),
    #[error("the matrix is not positive definite: the pivot of row {0} is not above zero")]
    Pivot(usize),
}

/// The factor of a tile on the diagonal, whose first row is this row of the matrix.
#[mobula::remote]
fn potrf(tile: &[f64], first_row: usize) -> Result<Array<f64>, FactorError> {
    let mut outcome = Ok(());
    let factor = changed(tile, |factor, side| outcome = kernels::potrf(factor, side))?;
    outcome.map_err(|row| FactorError::Pivot(first_row + row))?;
    Ok(factor)
}

/// A tile below a factored one.
#[mobula::remote]
fn trsm(tile: &[f64], lower: &[f64]) -> mobula::Result<Array<f64>> {
    changed(tile, |solution, side| kernels::trsm(solution, lower, side))
}

/// A tile on the diagonal, less the product of the tiles to its left.
#[mobula::remote]
fn syrk(tile: &[f64], left: &[f64]) -> mobula::Result<Array<f64>> {
    changed(tile, |rest, side| kernels::syrk(rest, left, side))
}

/// A tile off the diagonal, less the product of the tiles to its left.
#[mobula::remote]
fn gemm(tile: &[f64], left: &[f64], right: &[f64]) -> mobula::Result<Array<f64>> {
    changed(tile, |rest, side| kernels::gemm(rest, left, right, side))
}

/// A changed copy of a tile: the array in the store stays as it is.
fn changed(tile: &[f64], change: impl FnOnce(&mut [f64], usize)) -> mobula::Result<Array<f64>> {
    let mut copy = mobula::create_array::<f64>(tile.len())?;
    copy.as_mut_slice().copy_from_slice(tile);
    change(copy.as_mut_slice(), tile.len().isqrt());
    Ok(copy.seal())
}

/// The lower triangle of the matrix: rows of 1, 2, 3, ... tiles.
pub fn build(matrix: Matrix) -> Vec<Vec<Tile>> {
    (0..matrix.tiles()).map(|row| (0..=row).map(|column| fill::remote(matrix, row, column)).collect()).collect()
}

/// Turns the lower triangle into references to the tiles of its factor.
///
/// Older versions of a tile are freed with their last reference, so that the store holds about one matrix at any time.
pub fn factor(matrix: Matrix, tiles: &mut [Vec<Tile>]) {
    for k in 0..tiles.len() {
        tiles[k][k] = potrf::remote(&tiles[k][k], k * matrix.side);
        for i in k + 1..tiles.len() {
            tiles[i][k] = trsm::remote(&tiles[i][k], &tiles[k][k]);
        }
        for i in k + 1..tiles.len() {
            tiles[i][i] = syrk::remote(&tiles[i][i], &tiles[i][k]);
            for j in k + 1..i {
                tiles[i][j] = gemm::remote(&tiles[i][j], &tiles[i][k], &tiles[j][k]);
            }
        }
    }
}
