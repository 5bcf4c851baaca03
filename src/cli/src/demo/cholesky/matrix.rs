//! The matrix that is factored, by a formula, and how far a factor is from it.

use serde::{Deserialize, Serialize};

/// A symmetric matrix of `n` rows, cut into square tiles: `1 / (1 + |i - j|)` off the diagonal, and a diagonal that
/// outweighs the rest of its row, which makes it positive definite.
///
/// If `n` is not a multiple of the tile's side, the last tiles are filled up with the identity, whose factor is itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matrix {
    /// Rows.
    pub n: usize,
    /// Rows of a tile.
    pub side: usize,
}

impl Matrix {
    /// Tiles in a column.
    pub fn tiles(&self) -> usize {
        self.n.div_ceil(self.side)
    }

    /// Fills a tile.
    pub fn fill(&self, tile_row: usize, tile_column: usize, tile: &mut [f64]) {
        for (index, row) in tile.chunks_exact_mut(self.side).enumerate() {
            for (column, number) in row.iter_mut().enumerate() {
                *number = self.number(tile_row * self.side + index, tile_column * self.side + column);
            }
        }
    }

    /// Floating-point operations of the factorization.
    pub fn operations(&self) -> f64 {
        let n = self.n as f64;
        n * n * n / 3.0 + n * n / 2.0 + n / 6.0
    }

    fn number(&self, row: usize, column: usize) -> f64 {
        if row == column && row < self.n {
            // A row's other numbers add up to less than 2 ln n.
            1.0 + 2.0 * (1.0 + (self.n as f64).ln())
        } else if row == column {
            1.0
        } else if row < self.n && column < self.n {
            1.0 / (1 + row.abs_diff(column)) as f64
        } else {
            0.0
        }
    }

    /// An estimate of `|A - L L^T| / |A|` in the Frobenius norm, from a few vectors of signs.
    ///
    /// For a vector `x` of independent signs, `|R x|^2` is on average `|R|^2` (Hutchinson 1990), and `R x` takes three
    /// products with a vector where `R` takes one with a matrix. `lower(i, j)` is tile `i, j` of the factor, `i >= j`.
    pub fn residual<'tile>(&self, lower: impl Fn(usize, usize) -> &'tile [f64]) -> f64 {
        const VECTORS: u64 = 4;
        let numbers: Vec<f64> = (0..self.n).map(|distance| self.number(distance, 0)).collect();
        let mut sum = 0.0;
        for seed in 1..=VECTORS {
            let x = signs(self.tiles() * self.side, seed);
            let product = self.factor_product(&lower, &x);
            for row in 0..self.n {
                let before = numbers[..=row].iter().rev().zip(&x).map(|(a, b)| a * b).sum::<f64>();
                let after = numbers.iter().skip(1).zip(&x[row + 1..self.n]).map(|(a, b)| a * b).sum::<f64>();
                sum += (before + after - product[row]).powi(2);
            }
        }
        let frobenius: f64 = numbers
            .iter()
            .enumerate()
            .map(|(distance, number)| {
                number * number * (self.n - distance) as f64 * if distance == 0 { 1.0 } else { 2.0 }
            })
            .sum();
        (sum / VECTORS as f64).sqrt() / frobenius.sqrt()
    }

    /// `L (L^T x)`.
    fn factor_product<'tile>(&self, lower: &impl Fn(usize, usize) -> &'tile [f64], x: &[f64]) -> Vec<f64> {
        let side = self.side;
        let mut inner = vec![0.0; x.len()];
        let mut outer = vec![0.0; x.len()];
        for (i, j) in self.lower_tiles() {
            for (row, numbers) in lower(i, j).chunks_exact(side).enumerate() {
                let by = x[i * side + row];
                inner[j * side..][..side].iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number * by);
            }
        }
        for (i, j) in self.lower_tiles() {
            for (row, numbers) in lower(i, j).chunks_exact(side).enumerate() {
                let products = numbers.iter().zip(&inner[j * side..]).map(|(a, b)| a * b);
                outer[i * side + row] += products.sum::<f64>();
            }
        }
        outer
    }

    /// Row and column of every tile on and below the diagonal.
    pub fn lower_tiles(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let tiles = self.tiles();
        (0..tiles).flat_map(|row| (0..=row).map(move |column| (row, column)))
    }
}

/// Ones of random sign.
fn signs(length: usize, seed: u64) -> Vec<f64> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..length).map(|_| if random.bool() { 1.0 } else { -1.0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::kernels;
    use super::*;

    /// The factor as one tile.
    fn factor(matrix: Matrix) -> Vec<f64> {
        let mut whole = vec![0.0; matrix.side * matrix.side];
        matrix.fill(0, 0, &mut whole);
        kernels::potrf(&mut whole, matrix.side).unwrap();
        whole
    }

    #[test]
    fn a_right_factor_has_no_residual() {
        for matrix in [Matrix { n: 100, side: 100 }, Matrix { n: 90, side: 100 }] {
            let lower = factor(matrix);
            let residual = matrix.residual(|_, _| &lower);
            assert!(residual < 1e-14, "{residual}");
        }
    }

    #[test]
    fn a_wrong_factor_has_the_residual_of_its_error() {
        let matrix = Matrix { n: 100, side: 100 };
        let mut lower = factor(matrix);
        lower[50 * 100 + 20] += 0.1;
        let residual = matrix.residual(|_, _| &lower);
        assert!((1e-4..1e-2).contains(&residual), "{residual}");
    }

    #[test]
    fn tiles_meet_and_the_padding_is_the_identity() {
        let matrix = Matrix { n: 5, side: 4 };
        assert_eq!(matrix.tiles(), 2);
        let mut tile = [0.0; 16];
        matrix.fill(1, 0, &mut tile);
        assert_eq!(tile[3], 0.5, "row 4, column 3");
        matrix.fill(1, 1, &mut tile);
        assert_eq!((tile[5], tile[1], tile[4]), (1.0, 0.0, 0.0));
    }
}
