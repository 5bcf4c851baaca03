//! Long lists of numbers: vectors, what other crates make of them, and lists that only look like vectors.

use half::f16;
use nalgebra::{DMatrix, DVector, Vector3};
use ndarray::{Array1, Array2};
use num_complex::Complex64;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Above the bytes that travel within a message, whatever the type.
const LENGTH: usize = 40_001;

fn numbers() -> Vec<f64> {
    (0..LENGTH).map(|index| index as f64 / 3.0).collect()
}

/// A mesh, as a user writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mesh {
    nodes: Vec<[f64; 3]>,
    cells: Vec<(u32, u32, u32)>,
    #[serde(rename = "weights")]
    weight: Option<Vec<f32>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    marks: Vec<bool>,
    /// Written and read with functions of the user, which count from one where Rust counts from zero.
    #[serde(with = "from_one")]
    first: Vec<u64>,
    fields: BTreeMap<String, Field>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Field {
    Scalar { values: Vec<f64> },
    Labels(Vec<String>),
    Whole(Vec<u64>),
}

mod from_one {
    use super::*;

    pub fn serialize<S: Serializer>(numbers: &[u64], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(numbers.iter().map(|number| number + 1))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u64>, D::Error> {
        let numbers = Vec::<u64>::deserialize(deserializer)?;
        Ok(numbers.into_iter().map(|number| number - 1).collect())
    }
}

fn mesh(length: usize) -> Mesh {
    let index = |index: usize| index as u32;
    Mesh {
        nodes: (0..length).map(|at| [at as f64, 0.5, -(at as f64)]).collect(),
        cells: (0..length).map(|at| (index(at), index(at) + 1, index(at) + 2)).collect(),
        weight: (length > 1).then(|| vec![0.25; length]),
        marks: (0..length).map(|at| at % 7 == 0).collect(),
        first: (0..length as u64).collect(),
        fields: BTreeMap::from([
            ("heat".to_string(), Field::Scalar { values: vec![0.1; length] }),
            ("whole".to_string(), Field::Whole((1 << 40..).take(length).collect())),
            ("labels".to_string(), Field::Labels(vec!["é".to_string(); length])),
        ]),
    }
}

crate::values! {
    long {
        vectors: Vec<Vec<f64>> = [vec![numbers(), Vec::new(), vec![0.5], numbers()]];
        bytes_in_a_vector: Vec<u8> = [vec![200; LENGTH], vec![]];
        wide: (Vec<u128>, Vec<i128>, Vec<usize>) = [(vec![u128::MAX; LENGTH], vec![-1; LENGTH], vec![usize::MAX; 2])];
        flags: (Vec<bool>, Box<[bool]>) = [(vec![true; LENGTH], vec![false, true].into())];
        shared: (Arc<[i16]>, Arc<Vec<u32>>) = [(vec![-3; LENGTH].into(), Arc::new(vec![7; LENGTH]))];
        borrowed: Cow<'static, [f32]> = [Cow::Owned(vec![0.5; LENGTH])];
        queue: VecDeque<f64> = [{
            let mut queue = VecDeque::from(numbers());
            queue.rotate_left(LENGTH / 3);
            queue
        }];
        options: Vec<Option<u32>> = [(0..LENGTH as u32).map(|index| (index % 5 > 0).then_some(index)).collect()];
        halves: Vec<f16> = [vec![f16::from_f32(0.5); LENGTH]];
        complexes: Vec<Complex64> = [vec![Complex64::new(0.5, -0.5); LENGTH]];
        points: Vec<Vector3<f64>> = [vec![Vector3::new(0.1, 0.2, 0.3); LENGTH]];
        matrix: DMatrix<f64> = [DMatrix::from_fn(201, 203, |row, column| row as f64 - 0.1 * column as f64)];
        vector: DVector<f32> = [DVector::from_element(LENGTH, 0.1)];
        grid: Array2<f64> = [{
            let grid = Array2::from_shape_fn((201, 203), |(row, column)| row as f64 - 0.1 * column as f64);
            grid.reversed_axes()
        }];
        line: Array1<i64> = [Array1::from_iter(0..LENGTH as i64)];
        small: SmallVec<[u16; 4]> = [SmallVec::from_elem(9, LENGTH)];
        shared_bytes: bytes::Bytes = [bytes::Bytes::from(vec![1; LENGTH])];
        byte_buffer: serde_bytes::ByteBuf = [serde_bytes::ByteBuf::from(vec![2; LENGTH])];
        text: String = ["né".repeat(LENGTH)];
        mesh: Mesh = [mesh(LENGTH), mesh(1)];
    }
}
