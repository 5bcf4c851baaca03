//! The operations on one tile: a square of numbers, row by row, changed in place.

/// Lanes of a dot product that are summed apart, so that the compiler can use vector registers.
const LANES: usize = 8;

/// The lower factor of a symmetric tile, of which only the lower triangle is read; zero above.
///
/// Returns the row whose pivot is not positive if the tile is not positive definite.
pub fn potrf(tile: &mut [f64], side: usize) -> Result<(), usize> {
    for row in 0..side {
        let (above, rest) = tile.split_at_mut(row * side);
        let current = &mut rest[..side];
        for column in 0..row {
            let factor = &above[column * side..][..side];
            current[column] = (current[column] - dot(&current[..column], &factor[..column])) / factor[column];
        }
        let pivot = current[row] - dot(&current[..row], &current[..row]);
        if pivot.is_nan() || pivot <= 0.0 {
            return Err(row);
        }
        current[row] = pivot.sqrt();
        current[row + 1..].fill(0.0);
    }
    Ok(())
}

/// Solves `X L^T = tile` for `X`, in place of the tile; `lower` is a factor from [`potrf`].
pub fn trsm(tile: &mut [f64], lower: &[f64], side: usize) {
    for row in tile.chunks_exact_mut(side) {
        for column in 0..side {
            let factor = &lower[column * side..][..side];
            row[column] = (row[column] - dot(&row[..column], &factor[..column])) / factor[column];
        }
    }
}

/// `tile -= left right^T`.
pub fn gemm(tile: &mut [f64], left: &[f64], right: &[f64], side: usize) {
    let right = transposed(right, side);
    for (row, factors) in tile.chunks_exact_mut(side).zip(left.chunks_exact(side)) {
        subtract_rows(row, factors, &right, side);
    }
}

/// `tile -= left left^T`, the lower triangle only.
pub fn syrk(tile: &mut [f64], left: &[f64], side: usize) {
    let right = transposed(left, side);
    for (index, (row, factors)) in tile.chunks_exact_mut(side).zip(left.chunks_exact(side)).enumerate() {
        subtract_rows(&mut row[..=index], factors, &right, side);
    }
}

/// `row -= factors[k] * right[k]` for every `k`, four at a time, so that a number of the row is loaded and stored once
/// for four products. Every access runs along a row.
fn subtract_rows(row: &mut [f64], factors: &[f64], right: &[f64], side: usize) {
    let width = row.len();
    let fours = factors.chunks_exact(4);
    let rest = fours.remainder();
    let rows_in_fours = side - rest.len();
    for (four, rows) in fours.zip(right.chunks_exact(4 * side)) {
        let (first, others) = rows.split_at(side);
        let (second, others) = others.split_at(side);
        let (third, fourth) = others.split_at(side);
        let (first, second, third, fourth) = (&first[..width], &second[..width], &third[..width], &fourth[..width]);
        for column in 0..width {
            row[column] -=
                four[0] * first[column] + four[1] * second[column] + four[2] * third[column] + four[3] * fourth[column];
        }
    }
    for (factor, other) in rest.iter().zip(right[rows_in_fours * side..].chunks_exact(side)) {
        for (number, by) in row.iter_mut().zip(other) {
            *number -= factor * by;
        }
    }
}

fn transposed(tile: &[f64], side: usize) -> Vec<f64> {
    let mut turned = vec![0.0; side * side];
    for (index, row) in tile.chunks_exact(side).enumerate() {
        for (column, number) in row.iter().enumerate() {
            turned[column * side + index] = *number;
        }
    }
    turned
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let (left, right) = (left.chunks_exact(LANES), right.chunks_exact(LANES));
    let tail: f64 = left.remainder().iter().zip(right.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in left.zip(right) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f64>() + tail
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 13;

    fn numbers(seed: u64) -> Vec<f64> {
        (0..(SIDE * SIDE) as u64).map(|index| ((index * 7919 + seed * 104_729) % 1000) as f64 / 500.0 - 1.0).collect()
    }

    /// `left right^T`, by definition.
    fn product(left: &[f64], right: &[f64]) -> Vec<f64> {
        let at = |row: usize, column: usize| (0..SIDE).map(|k| left[row * SIDE + k] * right[column * SIDE + k]).sum();
        (0..SIDE * SIDE).map(|index| at(index / SIDE, index % SIDE)).collect()
    }

    fn assert_close(left: &[f64], right: &[f64]) {
        let far = left.iter().zip(right).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(far < 1e-12, "{far}");
    }

    fn positive() -> Vec<f64> {
        let mut tile = product(&numbers(1), &numbers(1));
        (0..SIDE).for_each(|index| tile[index * SIDE + index] += SIDE as f64);
        tile
    }

    #[test]
    fn the_factor_gives_the_tile_back() {
        let tile = positive();
        let mut factor = tile.clone();
        potrf(&mut factor, SIDE).unwrap();
        assert_close(&product(&factor, &factor), &tile);
        assert_eq!(factor[1], 0.0, "zero above the diagonal");
    }

    #[test]
    fn a_tile_that_is_not_positive_definite_names_the_row() {
        let mut tile = positive();
        tile[4 * SIDE + 4] = -1.0;
        assert_eq!(potrf(&mut tile, SIDE), Err(4));
    }

    #[test]
    fn the_solution_gives_the_tile_back() {
        let mut factor = positive();
        potrf(&mut factor, SIDE).unwrap();
        let tile = numbers(2);
        let mut solution = tile.clone();
        trsm(&mut solution, &factor, SIDE);
        assert_close(&product(&solution, &factor), &tile);
    }

    #[test]
    fn products_are_subtracted() {
        let (left, right) = (numbers(3), numbers(4));
        let mut tile = product(&left, &right);
        gemm(&mut tile, &left, &right, SIDE);
        assert_close(&tile, &vec![0.0; SIDE * SIDE]);
        let mut tile = product(&left, &left);
        let upper = tile[SIDE - 1];
        syrk(&mut tile, &left, SIDE);
        assert_eq!(tile[SIDE - 1], upper, "the upper triangle stays");
        for row in 0..SIDE {
            assert_close(&tile[row * SIDE..][..=row], &vec![0.0; row + 1]);
        }
    }
}
