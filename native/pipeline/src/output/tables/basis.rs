//! `basis/part-NNNNN.parquet`: the basis vectors of one row block.
//!
//! Columns: `block` int32, `row` int64 (index of the pixel in the slice), `values` fixed-size list of k float64. All files of
//! as many rows are the same but for the numbers, which plain encoding stores as they are in memory. So the library encodes one
//! file of zeros, and each block's file is what surrounds the zeros with the numbers in their place: nothing is copied (general
//! encoding walks every value's repetition level, which takes three to four times as long: `examples/basis_files.rs`, with its record in
//! `docs/benchmarks.md`), and the format is the library's own.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, FixedSizeListArray, Float64Array, Int32Array, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use bytes::Bytes;
use parquet::{
    arrow::ArrowWriter,
    basic::Encoding,
    errors::{ParquetError, Result},
    file::metadata::ParquetMetaDataReader,
};

use super::properties;
use crate::input::layout::{block_count, block_rows, first_row};

/// Encodes the files of all row blocks of a result.
#[derive(Debug)]
pub struct BasisEncoder {
    /// For whole blocks, and for the last one where it is shorter.
    parts: Vec<BasisPart>,
    pixels: u64,
}

impl BasisEncoder {
    /// Prepares for slices of `pixels` pixels and `rank` basis vectors, both at least 1.
    ///
    /// # Errors
    /// When the library cannot encode such a table in one page, as for blocks of 2 GiB.
    pub fn new(pixels: u64, rank: usize) -> Result<Self> {
        let mut sizes =
            vec![block_rows(0, pixels), block_rows(block_count(pixels).saturating_sub(1), pixels)];
        sizes.dedup();
        let parts = sizes.into_iter().map(|rows| BasisPart::new(rows, rank)).collect::<Result<_>>()?;
        Ok(Self { parts, pixels })
    }

    /// The file of `block` in three pieces, of which the second is `u` itself: the block's rows x rank, row-major.
    /// `head` is where the first is made.
    ///
    /// # Errors
    /// When `u` has another size.
    pub fn encode<'a>(&'a self, block: u32, u: &'a [f64], head: &'a mut Vec<u8>) -> Result<[&'a [u8]; 3]> {
        let rows = block_rows(block, self.pixels);
        let part = self.parts.iter().find(|part| part.rows == rows);
        let part = part.ok_or_else(|| ParquetError::General(format!("there is no block {block}")))?;
        part.encode(block, first_row(block), u, head)
    }
}

/// Encodes the files of all blocks of as many rows.
#[derive(Debug)]
struct BasisPart {
    rows: usize,
    /// The file up to the first value.
    head: Vec<u8>,
    /// Where in `head` the plain numbers of `block` and `row` begin.
    block_at: usize,
    row_at: usize,
    /// The file after the last value.
    tail: Vec<u8>,
    values: usize,
}

impl BasisPart {
    fn new(rows: usize, rank: usize) -> Result<Self> {
        let file = encode_zeros(rows, rank)?;
        let values = rows * rank;
        let [block_at, row_at, values_at] = plain_numbers(&file, [4 * rows, 8 * rows, 8 * values])?;
        let split = |range: std::ops::Range<usize>| file.get(range).map(<[u8]>::to_vec).ok_or_else(not_plain);
        Ok(Self {
            rows,
            head: split(0..values_at)?,
            block_at,
            row_at,
            tail: split(values_at + 8 * values..file.len())?,
            values,
        })
    }

    fn encode<'a>(
        &'a self,
        block: u32,
        first_row: u64,
        u: &'a [f64],
        head: &'a mut Vec<u8>,
    ) -> Result<[&'a [u8]; 3]> {
        if u.len() != self.values {
            return Err(ParquetError::General(format!("{} values where {} belong", u.len(), self.values)));
        }
        head.clone_from(&self.head);
        for number in head[self.block_at..].chunks_exact_mut(4).take(self.rows) {
            number.copy_from_slice(&block.to_le_bytes());
        }
        for (number, row) in head[self.row_at..].chunks_exact_mut(8).take(self.rows).zip(first_row..) {
            number.copy_from_slice(&row.to_le_bytes());
        }
        Ok([head, bytemuck::cast_slice(u), &self.tail])
    }
}

fn not_plain() -> ParquetError {
    ParquetError::General("the Parquet library did not encode a plain page".to_owned())
}

fn encode_zeros(rows: usize, rank: usize) -> Result<Vec<u8>> {
    let size = i32::try_from(rank).map_err(|_| not_plain())?;
    let item = Arc::new(Field::new("element", DataType::Float64, false));
    let zeros: ArrayRef = Arc::new(Float64Array::from(vec![0.0; rows * rank]));
    let values = FixedSizeListArray::try_new(item, size, zeros, None)?;
    let schema = Arc::new(Schema::new(vec![
        Field::new("block", DataType::Int32, false),
        Field::new("row", DataType::Int64, false),
        Field::new("values", values.data_type().clone(), false),
    ]));
    let block = Arc::new(Int32Array::from(vec![0; rows]));
    let row = Arc::new(Int64Array::from(vec![0; rows]));
    let batch = RecordBatch::try_new(schema.clone(), vec![block, row, Arc::new(values)])?;
    let one_page = properties()
        .set_encoding(Encoding::PLAIN)
        .set_data_page_size_limit(usize::MAX)
        .set_data_page_row_count_limit(usize::MAX)
        .build();
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut file, schema, Some(one_page))?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(file)
}

/// Where the numbers of each column begin in `file`: they are the end of the column's only page.
fn plain_numbers(file: &[u8], sizes: [usize; 3]) -> Result<[usize; 3]> {
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&Bytes::copy_from_slice(file))?;
    let group = metadata.row_groups().first().ok_or_else(not_plain)?;
    let mut starts = [0; 3];
    for ((start, size), column) in starts.iter_mut().zip(sizes).zip(group.columns()) {
        let (first, length) = column.byte_range();
        let end = usize::try_from(first + length).map_err(|_| not_plain())?;
        *start = end.checked_sub(size).filter(|&at| at as u64 > first).ok_or_else(not_plain)?;
        if file.get(*start..end).is_none_or(|numbers| numbers.iter().any(|&byte| byte != 0)) {
            return Err(not_plain());
        }
    }
    Ok(starts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::tables::read_basis;

    #[test]
    fn a_part_reads_back_as_it_was_written() {
        for (rows, rank) in [(1, 1), (1, 9), (7, 1), (4096, 3), (100, 301)] {
            let u: Vec<f64> = (0..rows * rank).map(|i| (i as f64).sin() - 0.5).collect();
            let part = BasisPart::new(rows, rank).unwrap();
            let mut head = Vec::new();
            let file = part.encode(3, 12288, &u, &mut head).unwrap().concat();
            let table = read_basis("part", file).unwrap();
            assert_eq!((table.block, table.first_row, table.rank), (3, 12288, rank));
            assert_eq!(table.values, u);
        }
    }

    #[test]
    fn whole_blocks_and_the_short_last_one_have_their_own_sizes() {
        let encoder = BasisEncoder::new(4096 + 5, 2).unwrap();
        let mut head = Vec::new();
        let file = encoder.encode(1, &[0.5; 10], &mut head).unwrap().concat();
        let table = read_basis("part", file).unwrap();
        assert_eq!((table.block, table.first_row, table.values.len()), (1, 4096, 10));
        assert!(encoder.encode(0, &[0.5; 10], &mut head).is_err());
        assert!(encoder.encode(2, &[0.5; 10], &mut head).is_err());
    }

    #[test]
    fn a_block_of_another_size_is_refused() {
        assert!(BasisPart::new(4, 2).unwrap().encode(0, 0, &[0.0; 7], &mut Vec::new()).is_err());
    }
}
