//! The serialized form of a [`GramAccumulator`]: how sums travel between processes.
//!
//! Little-endian: `TBgram2\n`, n (u64), rows (u64), n times sum (i128), low (i32), high (i32), then the upper
//! triangle of the products row by row, as i64 up to 2^30 rows and as i128 beyond. The form depends on the
//! rows alone, so the same rows give the same bytes.

use super::GramAccumulator;
use super::accumulator::MAX_COLUMNS;
use super::kernel;
use super::sums::{Column, NARROW_ROWS};
use crate::Error;

const MAGIC: &[u8; 8] = b"TBgram2\n";

/// Bytes of a column's sum and range.
const COLUMN_BYTES: usize = 24;

/// Bytes of a product.
fn product_bytes(rows: u64) -> usize {
    if rows > NARROW_ROWS { 16 } else { 8 }
}

impl GramAccumulator {
    /// A self-contained byte string, for sending to another process: about `4 n^2` bytes, `8 n^2` beyond 2^30
    /// rows.
    pub fn to_bytes(&self) -> Vec<u8> {
        let n = self.columns();
        let width = product_bytes(self.rows());
        let mut bytes = Vec::with_capacity(24 + n * COLUMN_BYTES + n * (n + 1) / 2 * width);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&(n as u64).to_le_bytes());
        bytes.extend_from_slice(&self.rows.to_le_bytes());
        for column in &self.columns {
            bytes.extend_from_slice(&column.sum.to_le_bytes());
            bytes.extend_from_slice(&column.low.to_le_bytes());
            bytes.extend_from_slice(&column.high.to_le_bytes());
        }
        for i in 0..n {
            for j in i..n {
                bytes.extend_from_slice(&self.product(i, j).to_le_bytes()[..width]);
            }
        }
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`Error::Bytes`] for anything else, sums that no pixels have included.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let bad = |why| Error::Bytes { what: "a Gram accumulator", why };
        let truncated = || bad("truncated");
        let mut reader = Reader(bytes);
        if reader.take::<8>() != Some(*MAGIC) {
            return Err(bad("wrong first bytes; were they written by another version?"));
        }
        let n = u64::from_le_bytes(reader.take().ok_or_else(truncated)?);
        let rows = u64::from_le_bytes(reader.take().ok_or_else(truncated)?);
        let n = usize::try_from(n).ok().filter(|n| (1..=MAX_COLUMNS).contains(n));
        let n = n.ok_or_else(|| bad("column count"))?;
        if reader.0.len() != n * COLUMN_BYTES + n * (n + 1) / 2 * product_bytes(rows) {
            return Err(bad("wrong length"));
        }
        let mut result = Self::of_rows(n, rows)?;
        for column in &mut result.columns {
            let sum = i128::from_le_bytes(reader.take().ok_or_else(truncated)?);
            let low = i32::from_le_bytes(reader.take().ok_or_else(truncated)?);
            let high = i32::from_le_bytes(reader.take().ok_or_else(truncated)?);
            *column = Column { sum, low, high };
            if !is_possible(column, rows) {
                return Err(bad("a column's sum or range is that of no pixels"));
            }
        }
        let padded = kernel::padded(n);
        for i in 0..n {
            for j in i..n {
                let product = match product_bytes(rows) {
                    8 => i64::from_le_bytes(reader.take().ok_or_else(truncated)?).into(),
                    _ => i128::from_le_bytes(reader.take().ok_or_else(truncated)?),
                };
                if product.unsigned_abs() > u128::from(rows) << 32 {
                    return Err(bad("a product is that of no pixels"));
                }
                result.products.set(i * padded + j, product);
                // Diagonal panels are kept whole, as the kernels leave them.
                if kernel::panel(i) == kernel::panel(j) {
                    result.products.set(j * padded + i, product);
                }
            }
        }
        Ok(result)
    }
}

/// Whether so many 16-bit pixels, signed or unsigned, can have this sum and range.
fn is_possible(column: &Column, rows: u64) -> bool {
    if rows == 0 {
        return *column == Column::EMPTY;
    }
    let (low, high) = (i128::from(column.low), i128::from(column.high));
    let rows = i128::from(rows);
    low >= i16::MIN.into() && high <= u16::MAX.into() && (low * rows..=high * rows).contains(&column.sum)
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
    use crate::RowBlock;

    fn three_columns() -> GramAccumulator {
        let mut sum = GramAccumulator::new(3).unwrap();
        sum.add(RowBlock::new(&[1i16, -2, 3, 4, 5, -32_768], 2, 3).unwrap()).unwrap();
        sum
    }

    #[test]
    fn bytes_that_are_not_an_accumulator_are_refused() {
        let bytes = three_columns().to_bytes();
        for cut in 0..bytes.len() {
            let result = GramAccumulator::from_bytes(&bytes[..cut]);
            assert!(matches!(result, Err(Error::Bytes { .. })), "cut at {cut}");
        }
        let changed = |at: usize, byte: u8| {
            let mut wrong = bytes.clone();
            wrong[at] = byte;
            GramAccumulator::from_bytes(&wrong)
        };
        // First bytes, column count, sum, range and product, each beyond what it can be.
        for at in [0, 8, 15, 24 + 15, 24 + 19, 24 + 23, bytes.len() - 1] {
            assert!(matches!(changed(at, 0x7f), Err(Error::Bytes { .. })), "byte {at}");
        }
        assert!(matches!(changed(23, 0x7f), Err(Error::Bytes { .. } | Error::TooManyRows { .. })));
    }

    #[test]
    fn an_accumulator_survives_its_bytes() {
        for sum in [three_columns(), GramAccumulator::new(17).unwrap()] {
            assert_eq!(GramAccumulator::from_bytes(&sum.to_bytes()).unwrap(), sum);
        }
    }
}
