//! Types of other crates.

use chrono::{DateTime, FixedOffset, Month, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Utc, Weekday};
use half::{bf16, f16};
use indexmap::{IndexMap, IndexSet};
use nalgebra::{DMatrix, DVector, Isometry3, Matrix3, Quaternion, SMatrix, Unit, Vector3};
use ndarray::{Array1, Array2, Array3, ArrayD, IxDyn};
use num_complex::{Complex32, Complex64};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use smallvec::SmallVec;
use uuid::Uuid;

fn utc() -> DateTime<Utc> {
    Utc.timestamp_opt(1_700_000_000, 123_456_789).unwrap()
}

fn json() -> Value {
    json!({
        "null": null, "list": [true, -1, u64::MAX, 0.1, "text", [], {}], "nested": { "é": { "a": [1, [2, [3]]] } }
    })
}

/// A simulation's particle, as a user writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Particle {
    id: Uuid,
    position: Vector3<f64>,
    phase: Complex64,
    mass: f16,
    tags: SmallVec<[u8; 4]>,
    seen: Option<DateTime<Utc>>,
    #[serde(flatten)]
    more: IndexMap<String, Value>,
}

/// The same types where serde keeps them before it knows the type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum Event {
    Born { particle: Box<Particle> },
    Moved { id: Uuid, by: Vector3<f32>, at: DateTime<FixedOffset> },
    Field { values: Array2<f64>, rotation: Quaternion<f64> },
    Raw { bytes: bytes::Bytes, small: SmallVec<[half::bf16; 2]>, set: IndexSet<char> },
}

fn particle() -> Particle {
    Particle {
        id: Uuid::from_u128(0x1234_5678),
        position: Vector3::new(0.1, -0.2, 1e300),
        phase: Complex64::new(0.1, -1.0),
        mass: f16::from_f32(0.5),
        tags: SmallVec::from_slice(&[1, 2, 3, 4, 5]),
        seen: Some(utc()),
        more: IndexMap::from([("z".into(), json()), ("a".into(), Value::Null)]),
    }
}

fn matrix() -> Array2<f64> {
    Array2::from_shape_fn((3, 4), |(row, column)| row as f64 - 0.1 * column as f64)
}

crate::values! {
    crates {
        utc_time: DateTime<Utc> = [utc()];
        offset_time: DateTime<FixedOffset> = [utc().with_timezone(&FixedOffset::east_opt(5 * 3600 + 1800).unwrap())];
        date: NaiveDate = [NaiveDate::from_ymd_opt(-1, 2, 3).unwrap()];
        date_time: NaiveDateTime = [utc().naive_utc()];
        delta: TimeDelta = [TimeDelta::milliseconds(-1)];
        weekday: (Weekday, Month) = [(Weekday::Sat, Month::May)];
        id: Uuid = [Uuid::nil(), Uuid::from_u128(u128::MAX)];
        json_value: Value = [json(), Value::Null, json!(0.1), json!(u64::MAX), json!(i64::MIN), json!(["a"])];
        json_map: serde_json::Map<String, Value> = [json().as_object().unwrap().clone()];
        json_number: serde_json::Number = [7.into()];
        index_map: IndexMap<String, u8> = [IndexMap::from([("z".into(), 1), ("a".into(), 2)])];
        index_map_of_numbers: IndexMap<i64, Vec<u8>> = [IndexMap::from([(3, vec![1]), (-1, vec![])])];
        index_set: IndexSet<u16> = [IndexSet::from([9, 1, 5])];
        vector_1: Array1<f32> = [Array1::from_vec(vec![0.5, -0.5])];
        matrix_2: Array2<f64> = [matrix(), matrix().reversed_axes(), Array2::zeros((0, 3))];
        tensor: Array3<u8> = [Array3::from_elem((2, 1, 3), 7)];
        any_dimension: ArrayD<i32> = [ArrayD::from_elem(IxDyn(&[2, 2, 2, 2]), -1)];
        small_vector: Vector3<f64> = [Vector3::new(0.1, 0.2, 0.3)];
        small_matrix: Matrix3<f32> = [Matrix3::identity()];
        static_matrix: SMatrix<u8, 2, 5> = [SMatrix::from_element(3)];
        dynamic_vector: DVector<f64> = [DVector::from_vec(vec![1.0, 2.0])];
        dynamic_matrix: DMatrix<f64> = [DMatrix::from_fn(2, 3, |row, column| row as f64 + 0.1 * column as f64)];
        rotation: Unit<Quaternion<f64>> = [Unit::new_normalize(Quaternion::new(1.0, 2.0, 3.0, 4.0))];
        isometry: Isometry3<f64> = [Isometry3::translation(1.0, 2.0, 3.0)];
        halves: (f16, bf16, Vec<f16>) = [(f16::MAX, bf16::EPSILON, vec![f16::from_f32(-0.0); 3])];
        complex: Complex64 = [Complex64::new(-0.0, 1e-300)];
        complexes: Vec<Complex32> = [vec![Complex32::i(); 5]];
        shared_bytes: bytes::Bytes = [bytes::Bytes::from_static(b"static"), bytes::Bytes::new()];
        own_bytes: bytes::BytesMut = [bytes::BytesMut::from(&b"own"[..])];
        byte_buffer: serde_bytes::ByteBuf = [serde_bytes::ByteBuf::from(vec![7; 300])];
        byte_array: serde_bytes::ByteArray<5> = [serde_bytes::ByteArray::new([1, 2, 3, 4, 5])];
        small: SmallVec<[String; 2]> = [SmallVec::new(), SmallVec::from_vec(vec!["a".into(); 3])];
        particles: Vec<Particle> = [vec![particle(), particle()]];
        event: Event = [
            Event::Born { particle: Box::new(particle()) },
            Event::Moved { id: Uuid::max(), by: Vector3::new(0.1, 0.2, 0.3), at: utc().into() },
            Event::Field { values: matrix(), rotation: Quaternion::new(0.1, 0.2, 0.3, 0.4) },
            Event::Raw {
                bytes: bytes::Bytes::from_static(&[0, 255]),
                small: SmallVec::from_elem(bf16::ONE, 3),
                set: IndexSet::from(['b', 'a']),
            },
        ];
    }
}
