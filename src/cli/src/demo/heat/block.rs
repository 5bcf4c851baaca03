//! A part of the plate, held by an actor.

use super::grid::Plate;
use mobula::prelude::*;
use serde::{Deserialize, Serialize};

/// The outermost rows of a block, for its neighbours.
#[derive(Clone, Serialize, Deserialize)]
pub struct Edges {
    /// Its first row.
    pub top: Array<f64>,
    /// Its last row.
    pub bottom: Array<f64>,
}

/// Some rows of the plate.
pub struct HeatBlock {
    plate: Plate,
    now: Vec<f64>,
    next: Vec<f64>,
}

#[mobula::actor]
impl HeatBlock {
    /// The rows as they are at the start.
    pub fn new(plate: Plate, first_row: usize, rows: usize) -> Self {
        let now = plate.start(first_row, rows);
        HeatBlock { plate, next: vec![0.0; now.len()], now }
    }

    /// Copies of the outermost rows, in the store.
    pub fn edges(&self) -> mobula::Result<Edges> {
        let last = self.now.len() - self.plate.nx;
        Ok(Edges { top: stored(&self.now[..self.plate.nx])?, bottom: stored(&self.now[last..])? })
    }

    /// One step, given the edges of the blocks above and below; returns its own new edges.
    pub fn step(&mut self, above: &Edges, below: &Edges) -> mobula::Result<Edges> {
        self.plate.step(&self.now, &above.bottom, &below.top, &mut self.next);
        std::mem::swap(&mut self.now, &mut self.next);
        self.edges()
    }

    /// All rows, in the store.
    pub fn field(&self) -> mobula::Result<Array<f64>> {
        stored(&self.now)
    }
}

/// A copy in the store.
pub fn stored(cells: &[f64]) -> mobula::Result<Array<f64>> {
    let mut array = mobula::create_array::<f64>(cells.len())?;
    array.as_mut_slice().copy_from_slice(cells);
    Ok(array.seal())
}
