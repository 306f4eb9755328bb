//! Sums over row blocks: `n x n` products, `n` column sums, `n` value ranges, the number of rows.

use super::{GramMatrix, kernel};
use crate::{Error, Rescale, RowBlock};

/// Columns that the accumulator accepts: `n x n` integers of 64 bits stay below 3 GiB.
const MAX_COLUMNS: usize = 16_384;

/// Rows that 64-bit sums of 16-bit products hold with room to spare: `2^32 * 2^30 < 2^63`.
const MAX_ROWS: u64 = 1 << 32;

/// First bytes of the serialized form.
const MAGIC: &[u8; 8] = b"TBgram1\n";

/// The exact sums of the row blocks added so far. Holds `8 n^2` bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct GramAccumulator {
    columns: usize,
    rows: u64,
    sums: Vec<i64>,
    low: Vec<i16>,
    high: Vec<i16>,
    /// Row-major with [`kernel::padded`] columns; valid where the row's panel is not after the column's.
    products: Vec<i64>,
}

impl GramAccumulator {
    /// The sums of no rows, for `columns` slices.
    ///
    /// # Errors
    /// [`Error::ColumnCount`] for zero columns or more than 16,384.
    pub fn new(columns: usize) -> Result<Self, Error> {
        if columns == 0 || columns > MAX_COLUMNS {
            return Err(Error::ColumnCount { limit: MAX_COLUMNS, actual: columns });
        }
        let padded = kernel::padded(columns);
        Ok(Self {
            columns,
            rows: 0,
            sums: vec![0; columns],
            low: vec![i16::MAX; columns],
            high: vec![i16::MIN; columns],
            products: vec![0; padded * padded],
        })
    }

    /// Number of columns (slices).
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Rows (pixels) added so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Smallest and largest stored value of column `j`; `(i16::MAX, i16::MIN)` before any row. Panics when `j` is out of range.
    pub fn column_range(&self, j: usize) -> (i16, i16) {
        (self.low[j], self.high[j])
    }

    /// Adds the products of one block, on the calling thread.
    ///
    /// # Errors
    /// [`Error::Columns`] for another number of columns; [`Error::TooManyRows`] where 64 bits could overflow.
    pub fn add(&mut self, block: RowBlock) -> Result<(), Error> {
        self.expect_columns(block.columns())?;
        self.rows = Self::rows_after(self.rows, block.rows() as u64)?;
        if block.rows() == 0 {
            return Ok(());
        }
        let columns: Vec<_> = (0..self.columns).map(|j| kernel::Summary::of(block.column(j))).collect();
        for (j, column) in columns.iter().enumerate() {
            self.sums[j] += column.sum;
            self.low[j] = self.low[j].min(column.low);
            self.high[j] = self.high[j].max(column.high);
        }
        kernel::add_products(kernel::chosen(), block, &columns, &mut self.products);
        Ok(())
    }

    /// Adds the sums of another accumulator.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn merge(&mut self, other: &Self) -> Result<(), Error> {
        self.expect_columns(other.columns)?;
        self.rows = Self::rows_after(self.rows, other.rows)?;
        for j in 0..self.columns {
            self.sums[j] += other.sums[j];
            self.low[j] = self.low[j].min(other.low[j]);
            self.high[j] = self.high[j].max(other.high[j]);
        }
        for (a, b) in self.products.iter_mut().zip(&other.products) {
            *a += b;
        }
        Ok(())
    }

    /// The exact Gram matrix of the rescaled columns.
    ///
    /// # Errors
    /// [`Error::Columns`] unless there is one rescale per column; [`Error::Rescale`] and [`Error::RescaleRange`] for slopes and
    /// intercepts that can't be used.
    pub fn finish(&self, rescale: &[Rescale]) -> Result<GramMatrix, Error> {
        self.expect_columns(rescale.len())?;
        GramMatrix::from_sums(self.rows, &self.sums, |i, j| self.product(i, j), rescale)
    }

    /// A self-contained byte string, for sending to another process: about `4 n^2` bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let n = self.columns;
        let mut bytes = Vec::with_capacity(24 + n * 12 + n * (n + 1) * 4);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&(n as u64).to_le_bytes());
        bytes.extend_from_slice(&self.rows.to_le_bytes());
        for j in 0..n {
            bytes.extend_from_slice(&self.sums[j].to_le_bytes());
            bytes.extend_from_slice(&self.low[j].to_le_bytes());
            bytes.extend_from_slice(&self.high[j].to_le_bytes());
        }
        for i in 0..n {
            for j in i..n {
                bytes.extend_from_slice(&self.product(i, j).to_le_bytes());
            }
        }
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`Error::Bytes`] for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let bad = |why| Error::Bytes { what: "a Gram accumulator", why };
        let mut reader = Reader(bytes);
        if reader.take::<8>() != Some(*MAGIC) {
            return Err(bad("wrong first bytes"));
        }
        let truncated = || bad("truncated");
        let n = u64::from_le_bytes(reader.take().ok_or_else(truncated)?);
        let n = usize::try_from(n)
            .ok()
            .filter(|&n| (1..=MAX_COLUMNS).contains(&n))
            .ok_or_else(|| bad("column count"))?;
        let rows = u64::from_le_bytes(reader.take().ok_or_else(truncated)?);
        if reader.0.len() != n * 12 + n * (n + 1) * 4 {
            return Err(bad("wrong length"));
        }
        let mut result = Self::new(n)?;
        result.rows = Self::rows_after(0, rows)?;
        for j in 0..n {
            result.sums[j] = i64::from_le_bytes(reader.take().ok_or_else(truncated)?);
            result.low[j] = i16::from_le_bytes(reader.take().ok_or_else(truncated)?);
            result.high[j] = i16::from_le_bytes(reader.take().ok_or_else(truncated)?);
        }
        let padded = kernel::padded(n);
        for i in 0..n {
            for j in i..n {
                let value = i64::from_le_bytes(reader.take().ok_or_else(truncated)?);
                result.products[i * padded + j] = value;
                // Diagonal panels are kept whole, as the kernels leave them.
                if kernel::panel(i) == kernel::panel(j) {
                    result.products[j * padded + i] = value;
                }
            }
        }
        Ok(result)
    }

    fn product(&self, i: usize, j: usize) -> i64 {
        let (i, j) = if i <= j { (i, j) } else { (j, i) };
        self.products[i * kernel::padded(self.columns) + j]
    }

    fn expect_columns(&self, actual: usize) -> Result<(), Error> {
        if actual == self.columns { Ok(()) } else { Err(Error::Columns { expected: self.columns, actual }) }
    }

    fn rows_after(rows: u64, more: u64) -> Result<u64, Error> {
        rows.checked_add(more).filter(|&r| r <= MAX_ROWS).ok_or(Error::TooManyRows { limit: MAX_ROWS })
    }
}

/// Takes fixed-size pieces off the front of a byte string.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk::<N>()?;
        self.0 = tail;
        Some(*head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(rows: usize, columns: usize, seed: u64, low: i64, high: i64) -> Vec<i16> {
        let mut state = seed | 1;
        let mut next = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (low + ((state >> 33) as i64) % (high - low + 1)) as i16
        };
        (0..rows * columns).map(|_| next()).collect()
    }

    fn naive(values: &[i16], rows: usize, i: usize, j: usize) -> i64 {
        (0..rows).map(|r| i64::from(values[i * rows + r]) * i64::from(values[j * rows + r])).sum()
    }

    #[test]
    fn products_and_sums_are_exact_for_any_shape_and_range() {
        for (low, high) in [
            (0, 0),
            (-1, 1),
            (0, 4095),
            (-1024, 3071),
            (-20_000, 20_000),
            (-32_768, 32_766),
            (-32_768, 32_767),
        ] {
            for rows in [0, 1, 2, 3, 31, 100, 1027] {
                for columns in [1, 2, 15, 16, 17, 35] {
                    let values = block(rows, columns, (rows * 37 + columns) as u64, low, high);
                    let mut g = GramAccumulator::new(columns).unwrap();
                    g.add(RowBlock::new(&values, rows, columns).unwrap()).unwrap();
                    for i in 0..columns {
                        assert_eq!(
                            g.sums[i],
                            values[i * rows..(i + 1) * rows].iter().map(|&v| i64::from(v)).sum::<i64>()
                        );
                        for j in 0..columns {
                            assert_eq!(
                                g.product(i, j),
                                naive(&values, rows, i, j),
                                "{rows} x {columns}, [{low}, {high}], ({i}, {j})"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn blocks_in_any_order_and_grouping_give_the_same_accumulator() {
        let columns = 19;
        let blocks: Vec<_> = (0..5).map(|b| block(60 + b, columns, b as u64, -300, 3000)).collect();
        let add = |g: &mut GramAccumulator, b: usize| {
            g.add(RowBlock::new(&blocks[b], 60 + b, columns).unwrap()).unwrap()
        };
        let mut forward = GramAccumulator::new(columns).unwrap();
        (0..5).for_each(|b| add(&mut forward, b));
        let mut left = GramAccumulator::new(columns).unwrap();
        let mut right = GramAccumulator::new(columns).unwrap();
        [4, 1].iter().for_each(|&b| add(&mut right, b));
        [3, 0, 2].iter().for_each(|&b| add(&mut left, b));
        left.merge(&GramAccumulator::from_bytes(&right.to_bytes()).unwrap()).unwrap();
        assert_eq!(left, forward);
    }

    #[test]
    fn bytes_that_are_not_an_accumulator_are_refused() {
        let bytes = GramAccumulator::new(3).unwrap().to_bytes();
        for cut in 0..bytes.len() {
            assert!(
                matches!(GramAccumulator::from_bytes(&bytes[..cut]), Err(Error::Bytes { .. })),
                "cut at {cut}"
            );
        }
        let mut wrong = bytes.clone();
        wrong[0] ^= 1;
        assert!(matches!(GramAccumulator::from_bytes(&wrong), Err(Error::Bytes { .. })));
    }

    #[test]
    fn wrong_shapes_and_counts_are_typed_errors() {
        assert!(matches!(GramAccumulator::new(0), Err(Error::ColumnCount { .. })));
        assert!(matches!(GramAccumulator::new(MAX_COLUMNS + 1), Err(Error::ColumnCount { .. })));
        assert!(matches!(RowBlock::new(&[1, 2, 3], 2, 2), Err(Error::Shape { .. })));
        let mut g = GramAccumulator::new(2).unwrap();
        assert!(matches!(
            g.add(RowBlock::new(&[1, 2, 3], 1, 3).unwrap()),
            Err(Error::Columns { expected: 2, actual: 3 })
        ));
        assert!(matches!(g.finish(&[Rescale::IDENTITY]), Err(Error::Columns { .. })));
    }
}
