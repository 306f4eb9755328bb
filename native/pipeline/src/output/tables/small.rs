//! `singular_values.parquet` and `weights.parquet`.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, FixedSizeListArray, Float64Array, Int32Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use parquet::{arrow::ArrowWriter, errors::Result};

use super::properties;

/// The k singular values: index (from 1), sigma (HU), energy (share of `||A||_F^2`), cumulative_energy.
///
/// `left_out` is what the first 1, 2, ... k leave out of `total`.
///
/// # Errors
/// When the library cannot encode the table.
pub fn singular_values(s: &[f64], left_out: &[f64], total: f64) -> Result<Vec<u8>> {
    let energy: Vec<f64> = s.iter().map(|sigma| sigma * sigma / total).collect();
    let cumulative: Vec<f64> = left_out.iter().map(|rest| 1.0 - rest / total).collect();
    encode(vec![
        ("index", Arc::new(Int32Array::from_iter_values(1..=s.len() as i32))),
        ("sigma", Arc::new(Float64Array::from(s.to_vec()))),
        ("energy", Arc::new(Float64Array::from(energy))),
        ("cumulative_energy", Arc::new(Float64Array::from(cumulative))),
    ])
}

/// Of each slice of a joint matrix, where it is from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeriesColumn {
    /// Salted id of its series.
    pub series: Vec<String>,
    /// Its place in that, from 0.
    pub slice: Vec<i32>,
}

/// The weights of the n slices: slice (from 0, in series order), instance (salted hash), position_mm along the slice
/// normal, weights (k); of a joint matrix also the slice's series, and its place there. `v` is n x k, row-major.
///
/// # Errors
/// When the library cannot encode the table or `v` is no n x k matrix.
pub fn weights(
    instances: &[String],
    positions_mm: &[f64],
    v: &[f64],
    rank: usize,
    from: Option<&SeriesColumn>,
) -> Result<Vec<u8>> {
    let item = Arc::new(Field::new("element", DataType::Float64, false));
    let values: ArrayRef = Arc::new(Float64Array::from(v.to_vec()));
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("slice", Arc::new(Int32Array::from_iter_values(0..instances.len() as i32))),
        ("instance", Arc::new(StringArray::from_iter_values(instances))),
        ("position_mm", Arc::new(Float64Array::from(positions_mm.to_vec()))),
        ("weights", Arc::new(FixedSizeListArray::try_new(item, rank as i32, values, None)?)),
    ];
    if let Some(from) = from {
        columns.push(("series", Arc::new(StringArray::from_iter_values(&from.series))));
        columns.push(("series_slice", Arc::new(Int32Array::from(from.slice.clone()))));
    }
    encode(columns)
}

pub(super) fn encode(columns: Vec<(&str, ArrayRef)>) -> Result<Vec<u8>> {
    let fields: Vec<Field> =
        columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), false)).collect();
    let schema = Arc::new(Schema::new(fields));
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let batch = RecordBatch::try_new(schema.clone(), arrays)?;
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut file, schema, Some(properties().build()))?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(file)
}
