//! Long vectors and texts as arguments, results, objects and states of actors.

use crate::{Case, far};
use mobula::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

pub const CASES: &[Case] = &[
    ("long-values", long_values),
    ("vectors-of-every-length", of_every_length),
    ("long-values-in-a-small-store", in_a_small_store),
];

/// Above the length from which runs of bytes travel apart from their value, and not a whole number of pages.
const LENGTH: usize = 200_003;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Model {
    name: String,
    weights: Vec<f32>,
    texts: Vec<Option<String>>,
    #[serde(with = "serde_bytes")]
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Body {
    at: [f64; 3],
    kind: u8,
}

fn numbers() -> Vec<f64> {
    (0..LENGTH).map(|index| index as f64 * 0.5).collect()
}

fn model() -> Model {
    let text = "né".repeat(LENGTH);
    Model {
        name: text.clone(),
        weights: (0..LENGTH).map(|index| index as f32).collect(),
        texts: vec![None, Some(text), Some(String::new())],
        bytes: vec![7; 2 * LENGTH],
    }
}

fn bodies() -> Vec<Body> {
    (0..LENGTH / 4).map(|index| Body { at: [index as f64; 3], kind: index as u8 }).collect()
}

#[mobula::remote(num_returns = 2)]
fn doubled(numbers: Vec<f64>, bytes: Vec<u8>) -> (Vec<f64>, usize) {
    (numbers.iter().map(|number| 2.0 * number).collect(), bytes.len())
}

#[mobula::remote]
fn longer(text: String) -> String {
    text + "!"
}

#[mobula::remote]
fn measured(text: String) -> (usize, bool) {
    (text.len(), text.ends_with("xy"))
}

#[mobula::remote]
fn kept(model: Model, bodies: Vec<Body>) -> Result<Model, String> {
    if bodies == self::bodies() { Ok(model) } else { Err("the bodies are others".to_string()) }
}

#[mobula::remote]
fn sum(numbers: &Vec<f64>) -> f64 {
    numbers.iter().sum()
}

#[mobula::remote(num_returns = 3)]
fn thrice(numbers: Vec<f64>) -> Vec<Vec<f64>> {
    vec![numbers.clone(), Vec::new(), numbers]
}

pub struct Store(Model);

#[mobula::actor(max_restarts = 1, checkpoint)]
impl Store {
    pub fn new(model: Model) -> Self {
        Store(model)
    }
    pub fn replace(&mut self, weights: Vec<f32>) -> Vec<f32> {
        std::mem::replace(&mut self.0.weights, weights)
    }
    pub fn model(&self) -> Model {
        self.0.clone()
    }
    pub fn save(&self) -> Model {
        self.0.clone()
    }
    pub fn restore(model: Model) -> Self {
        Store(model)
    }
}

pub struct Plain(Vec<f64>);

#[mobula::actor]
impl Plain {
    pub fn new(numbers: Vec<f64>) -> Self {
        Plain(numbers)
    }
    pub fn swap(&mut self, numbers: Vec<f64>) -> Vec<f64> {
        std::mem::replace(&mut self.0, numbers)
    }
}

fn long_values() -> mobula::Result<()> {
    let (numbers, model, bodies) = (numbers(), model(), bodies());
    for rank in [0, far()] {
        let (twice, bytes) = doubled::on(rank).remote(numbers.clone(), vec![1; 3 * LENGTH]);
        assert!(twice.get()?.iter().zip(&numbers).all(|(twice, number)| *twice == 2.0 * number));
        assert_eq!(*bytes.get()?, 3 * LENGTH);
        assert_eq!(
            *longer::on(rank).remote(longer::on(rank).remote(model.name.clone())).get()?,
            model.name.clone() + "!!"
        );
        assert_eq!(*kept::on(rank).remote(model.clone(), bodies.clone()).get()?, model);
        let object = mobula::put(numbers.clone())?;
        let sums = [(); 3].map(|()| sum::on(rank).remote(&object));
        for sum in &sums {
            assert_eq!(*sum.get()?, numbers.iter().sum::<f64>());
        }
        let lists: Vec<ObjectRef<Vec<f64>>> = thrice::on(rank).remote(&object);
        assert!(*lists[0].get()? == numbers && lists[1].get()?.is_empty() && *lists[2].get()? == numbers);
        let store = Store::on(rank).remote(model.clone());
        assert_eq!(*store.replace(vec![1.5; LENGTH]).get()?, model.weights);
        assert_eq!(*store.model().get()?, Model { weights: vec![1.5; LENGTH], ..model.clone() });
        let plain = Plain::on(rank).remote(numbers.clone());
        assert_eq!(*plain.swap(vec![0.25; LENGTH]).get()?, numbers);
        assert_eq!(*plain.swap(Vec::new()).get()?, [0.25; LENGTH]);
    }
    Ok(())
}

/// Vectors of numbers wherever a value may hold them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    name: String,
    cells: Vec<Vec<f64>>,
    mask: Box<[bool]>,
    queue: VecDeque<i32>,
    by_name: BTreeMap<String, Vec<u16>>,
    wide: Option<(Vec<u128>, Vec<usize>)>,
    text: Vec<u8>,
}

fn grid(length: usize) -> Grid {
    Grid {
        name: format!("of {length}"),
        cells: vec![vec![0.1; length], Vec::new(), (0..length).map(|index| index as f64 / 3.0).collect()],
        mask: (0..length).map(|index| index % 3 == 0).collect(),
        queue: (0..length as i32).rev().collect(),
        by_name: BTreeMap::from([("a".to_string(), vec![7; length]), ("b".to_string(), Vec::new())]),
        wide: length.is_multiple_of(2).then(|| (vec![u128::MAX; length], vec![usize::MAX; length])),
        text: (0..length).map(|index| index as u8).collect(),
    }
}

#[mobula::remote]
fn grid_back(grid: Grid) -> Grid {
    grid
}

#[mobula::remote]
fn numbers_back(numbers: Vec<f64>) -> Vec<f64> {
    numbers
}

/// 4096 numbers of 8 bytes are as long as what travels within a message.
fn of_every_length() -> mobula::Result<()> {
    for rank in [0, far()] {
        for length in [0, 1, 2, 7, 1000, 4088, 4090, 4094, 4095, 4096, 4097, 8192, 8193, 32768, LENGTH] {
            let (numbers, grid) = (numbers()[..length].to_vec(), grid(length));
            assert_eq!(*numbers_back::on(rank).remote(numbers.clone()).get()?, numbers);
            assert_eq!(*grid_back::on(rank).remote(grid.clone()).get()?, grid);
            let object = mobula::put(grid.clone())?;
            assert_eq!(*grid_back::on(rank).remote(&object).get()?, grid);
        }
    }
    Ok(())
}

/// The arguments of all calls are more than the store: those that find no place in it travel as before.
fn in_a_small_store() -> mobula::Result<()> {
    let calls: Vec<ObjectRef<(usize, bool)>> = (0..100)
        .map(|call| measured::on(if call % 4 == 0 { 0 } else { far() }).remote("x".repeat(1_000_000 + call) + "y"))
        .collect();
    for (call, measured) in calls.iter().enumerate() {
        assert_eq!(*measured.get()?, (1_000_001 + call, true));
    }
    Ok(())
}
