//! A result folder's tables, back into numbers.

use arrow_array::{
    Array, ArrayRef, PrimitiveArray, RecordBatch,
    cast::AsArray,
    types::{ArrowPrimitiveType, Float64Type, Int32Type, Int64Type},
};
use arrow_select::concat::concat_batches;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::error::{Error, Result};

/// One row block's basis vectors.
#[derive(Debug)]
pub struct BasisTable {
    /// Index of the block.
    pub block: u32,
    /// Pixel of the first row.
    pub first_row: u64,
    /// Basis vectors, k.
    pub rank: usize,
    /// rows x k, row-major.
    pub values: Vec<f64>,
}

/// Reads a file of basis vectors, checking that its blocks and rows are what they must be.
///
/// # Errors
/// [`Error::ResultFile`] under `name`.
pub fn read_basis(name: &str, file: Vec<u8>) -> Result<BasisTable> {
    let table = read(name, file)?;
    let block = numbers::<Int32Type>(name, &table, "block")?;
    let row = numbers::<Int64Type>(name, &table, "row")?;
    let (rank, values) = lists(name, &table, "values")?;
    let wrong = || Error::result_file(name, "its blocks or rows are not those of one row block");
    let (&first_block, &first_row) = block.first().zip(row.first()).ok_or_else(wrong)?;
    if block.iter().any(|&b| b != first_block)
        || !row.iter().copied().eq(first_row..first_row + row.len() as i64)
    {
        return Err(wrong());
    }
    let block = u32::try_from(first_block).map_err(|_| wrong())?;
    let first_row = u64::try_from(first_row).map_err(|_| wrong())?;
    Ok(BasisTable { block, first_row, rank, values })
}

/// Reads the singular values.
///
/// # Errors
/// [`Error::ResultFile`] under `name`.
pub fn read_singular_values(name: &str, file: Vec<u8>) -> Result<Vec<f64>> {
    numbers::<Float64Type>(name, &read(name, file)?, "sigma")
}

/// Reads the weights: k, n x k values row-major, and the instance hashes.
///
/// # Errors
/// [`Error::ResultFile`] under `name`.
pub fn read_weights(name: &str, file: Vec<u8>) -> Result<(usize, Vec<f64>, Vec<String>)> {
    let table = read(name, file)?;
    let (rank, values) = lists(name, &table, "weights")?;
    let instances = column(name, &table, "instance")?;
    let instances =
        instances.as_string_opt::<i32>().ok_or_else(|| Error::result_file(name, "instance is no text"))?;
    Ok((rank, values, instances.iter().flatten().map(str::to_owned).collect()))
}

pub(super) fn read(name: &str, file: Vec<u8>) -> Result<RecordBatch> {
    let unreadable =
        |problem: String| Error::result_file(name, format!("no readable Parquet file ({problem})"));
    let builder = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(file))
        .map_err(|error| unreadable(error.to_string()))?;
    let schema = builder.schema().clone();
    let reader = builder.build().map_err(|error| unreadable(error.to_string()))?;
    let batches =
        reader.collect::<std::result::Result<Vec<_>, _>>().map_err(|error| unreadable(error.to_string()))?;
    concat_batches(&schema, &batches).map_err(|error| unreadable(error.to_string()))
}

pub(super) fn column<'a>(name: &str, table: &'a RecordBatch, column: &str) -> Result<&'a ArrayRef> {
    let array = table.column_by_name(column).filter(|array| array.null_count() == 0);
    array.ok_or_else(|| Error::result_file(name, format!("has no column {column} without nulls")))
}

pub(super) fn numbers<T: ArrowPrimitiveType>(
    name: &str,
    table: &RecordBatch,
    of: &str,
) -> Result<Vec<T::Native>> {
    let array: Option<&PrimitiveArray<T>> = column(name, table, of)?.as_primitive_opt();
    let array =
        array.ok_or_else(|| Error::result_file(name, format!("{of} is not of type {}", T::DATA_TYPE)))?;
    Ok(array.values().to_vec())
}

fn lists(name: &str, table: &RecordBatch, of: &str) -> Result<(usize, Vec<f64>)> {
    let wrong = || Error::result_file(name, format!("{of} is no fixed-size list of float64"));
    let list = column(name, table, of)?.as_fixed_size_list_opt().ok_or_else(wrong)?;
    let values: &PrimitiveArray<Float64Type> = list.values().as_primitive_opt().ok_or_else(wrong)?;
    let rank = usize::try_from(list.value_length()).map_err(|_| wrong())?;
    if values.len() != rank * list.len() || values.null_count() > 0 {
        return Err(wrong());
    }
    Ok((rank, values.values().to_vec()))
}
