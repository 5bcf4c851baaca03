//! The plate: its size, how warm it is at the start and around it, and one step of its rows.

use serde::{Deserialize, Serialize};

/// Time step times diffusivity over the square of a cell's side: stable up to a quarter.
const DIFFUSION: f64 = 0.24;

/// The temperature above the plate; it is zero on the other three sides.
const ABOVE: f64 = 1.0;

/// A plate of `nx` columns and `ny` rows inside a border of fixed temperature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plate {
    /// Cells of a row.
    pub nx: usize,
    /// Rows.
    pub ny: usize,
}

impl Plate {
    /// The first row and the number of rows of each of `blocks` parts, whose sizes differ by one at most.
    pub fn parts(&self, blocks: usize) -> Vec<(usize, usize)> {
        let first = |block: usize| block * self.ny / blocks;
        (0..blocks).map(|block| (first(block), first(block + 1) - first(block))).collect()
    }

    /// The start: three warm discs on a cold plate.
    pub fn start(&self, first_row: usize, rows: usize) -> Vec<f64> {
        const DISCS: [(f64, f64, f64); 3] = [(0.3, 0.55, 0.12), (0.62, 0.7, 0.17), (0.75, 0.35, 0.08)];
        let warm = |row: usize, column: usize| {
            let (x, y) = (column as f64 / self.nx as f64, row as f64 / self.ny as f64);
            DISCS.iter().any(|(cx, cy, radius)| (x - cx).powi(2) + (y - cy).powi(2) < radius * radius)
        };
        let cells = (first_row..first_row + rows).flat_map(|row| (0..self.nx).map(move |column| (row, column)));
        cells.map(|(row, column)| if warm(row, column) { 1.0 } else { 0.0 }).collect()
    }

    /// The border above the plate.
    pub fn above(&self) -> Vec<f64> {
        vec![ABOVE; self.nx]
    }

    /// The border below it.
    pub fn below(&self) -> Vec<f64> {
        vec![0.0; self.nx]
    }

    /// One explicit step with the five-point stencil, from `now` to `next`: whole rows between `above` and `below`.
    pub fn step(&self, now: &[f64], above: &[f64], below: &[f64], next: &mut [f64]) {
        let nx = self.nx;
        let rows = now.len() / nx;
        for (row, result) in next.chunks_exact_mut(nx).enumerate() {
            let here = &now[row * nx..][..nx];
            let up = if row == 0 { above } else { &now[(row - 1) * nx..][..nx] };
            let down = if row + 1 == rows { below } else { &now[(row + 1) * nx..][..nx] };
            step_row(here, &up[..nx], &down[..nx], result);
        }
    }

    /// All steps on one core.
    pub fn serial(&self, steps: usize, mut watch: impl FnMut()) -> Vec<f64> {
        let (above, below) = (self.above(), self.below());
        let mut now = self.start(0, self.ny);
        let mut next = vec![0.0; now.len()];
        for _ in 0..steps {
            self.step(&now, &above, &below, &mut next);
            std::mem::swap(&mut now, &mut next);
            watch();
        }
        now
    }
}

/// One row's step. The temperature left and right of the plate is zero.
fn step_row(here: &[f64], up: &[f64], down: &[f64], result: &mut [f64]) {
    let cell = |left: f64, column: usize, right: f64| {
        here[column] + DIFFUSION * (up[column] + down[column] + left + right - 4.0 * here[column])
    };
    let last = here.len() - 1;
    if last == 0 {
        result[0] = cell(0.0, 0, 0.0);
        return;
    }
    result[0] = cell(0.0, 0, here[1]);
    for column in 1..last {
        result[column] = cell(here[column - 1], column, here[column + 1]);
    }
    result[last] = cell(here[last - 1], last, 0.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLATE: Plate = Plate { nx: 17, ny: 11 };

    #[test]
    fn parts_cover_the_plate_once() {
        let parts = PLATE.parts(4);
        assert_eq!(parts, [(0, 2), (2, 3), (5, 3), (8, 3)]);
        let whole: Vec<f64> = parts.iter().flat_map(|(first, rows)| PLATE.start(*first, *rows)).collect();
        assert_eq!(whole, PLATE.start(0, PLATE.ny));
    }

    #[test]
    fn parts_that_exchange_edges_give_the_same_bits() {
        let parts = PLATE.parts(3);
        let mut blocks: Vec<Vec<f64>> = parts.iter().map(|(first, rows)| PLATE.start(*first, *rows)).collect();
        for _ in 0..50 {
            let before = blocks.clone();
            for (index, block) in blocks.iter_mut().enumerate() {
                let above =
                    if index == 0 { PLATE.above() } else { before[index - 1][before[index - 1].len() - 17..].to_vec() };
                let below = if index == 2 { PLATE.below() } else { before[index + 1][..17].to_vec() };
                PLATE.step(&before[index], &above, &below, block);
            }
        }
        assert_eq!(blocks.concat(), PLATE.serial(50, || ()));
    }

    #[test]
    fn heat_settles_between_its_borders() {
        let plate = Plate { nx: 9, ny: 9 };
        let settled = plate.serial(2000, || ());
        assert!(settled.iter().all(|cell| (0.0..=1.0).contains(cell)));
        // By symmetry of the four sides, the centre is at the mean of their temperatures.
        assert!((settled[4 * 9 + 4] - 0.25).abs() < 1e-12, "{}", settled[4 * 9 + 4]);
        assert_eq!(Plate { nx: 1, ny: 1 }.serial(1, || ()), [0.24]);
    }
}
