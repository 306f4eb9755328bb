//! The serialized form of a [`GramAccumulator`], whole or in parts: how sums travel between processes.
//!
//! A part is a range of the products, in the order of the upper triangle row by row; the first also has the
//! columns' sums and ranges. Parts of one range add up where they are, so sums that are too large for one
//! message never have to be.
//!
//! Little-endian: `TBgram3\n`, n (u64), rows (u64), first product and the one after the last (u64 each), in the
//! first part n times sum (i128), low (i32), high (i32), then the products, as i64 up to 2^30 rows and as i128
//! beyond. The form depends on the rows and the range alone, so the same rows give the same bytes.

use std::ops::Range;

use super::GramAccumulator;
use super::accumulator::MAX_COLUMNS;
use super::kernel;
use super::sums::{Column, NARROW_ROWS, Products, check_columns, rows_after};
use crate::Error;
use crate::bytes::Reader;

const MAGIC: &[u8; 8] = b"TBgram3\n";

const WHAT: &str = "a Gram accumulator";

/// Bytes before the columns.
const HEADER_BYTES: usize = 40;

/// Bytes of a column's sum and range.
const COLUMN_BYTES: usize = 24;

/// Bytes of a product.
fn product_bytes(rows: u64) -> usize {
    if rows > NARROW_ROWS { 16 } else { 8 }
}

/// Products of `n` columns: those of the upper triangle.
fn products_of(n: usize) -> usize {
    n * (n + 1) / 2
}

/// Row and column of each product of a range.
fn entries(n: usize, range: Range<usize>) -> impl Iterator<Item = (usize, usize)> {
    let (mut row, mut skipped) = (0, range.start);
    while row < n && skipped >= n - row {
        skipped -= n - row;
        row += 1;
    }
    let columns = move |i| (if i == row { i + skipped } else { i })..n;
    (row..n).flat_map(move |i| columns(i).map(move |j| (i, j))).take(range.len())
}

fn bad(why: &'static str) -> Error {
    Error::Bytes { what: WHAT, why }
}

/// A range of an accumulator's sums.
#[derive(Clone, Debug, PartialEq)]
pub struct GramPart {
    n: usize,
    rows: u64,
    range: Range<usize>,
    /// In the first part only.
    columns: Vec<Column>,
    pub(super) products: Products,
}

impl GramPart {
    /// Rows added so far.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Of all columns in the first part, of none in others.
    pub(super) fn column_sums(&self) -> impl Iterator<Item = i128> {
        self.columns.iter().map(|column| column.sum)
    }

    /// Row, column and value of each product, row by row.
    pub(super) fn products(&self) -> impl Iterator<Item = ((usize, usize), i128)> {
        entries(self.n, self.range.clone()).enumerate().map(|(at, entry)| (entry, self.products.get(at)))
    }

    /// Adds the same range of another accumulator.
    ///
    /// # Errors
    /// [`Error::Columns`] and [`Error::Bytes`] when it is another range; [`Error::TooManyRows`].
    pub fn merge(&mut self, other: &Self) -> Result<(), Error> {
        check_columns(other.n, self.n)?;
        if other.range != self.range {
            return Err(bad("another part of the sums"));
        }
        self.rows = rows_after(self.rows, other.rows)?;
        self.columns.iter_mut().zip(&other.columns).for_each(|(a, b)| a.merge(b));
        self.products.merge(&other.products, self.rows);
        Ok(())
    }

    /// A self-contained byte string, for sending to another process: 8 bytes a product, 16 beyond 2^30 rows.
    pub fn to_bytes(&self) -> Vec<u8> {
        let width = product_bytes(self.rows);
        let length = HEADER_BYTES + self.columns.len() * COLUMN_BYTES + self.range.len() * width;
        let mut bytes = Vec::with_capacity(length);
        bytes.extend_from_slice(MAGIC);
        for number in [self.n as u64, self.rows, self.range.start as u64, self.range.end as u64] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        for column in &self.columns {
            bytes.extend_from_slice(&column.sum.to_le_bytes());
            bytes.extend_from_slice(&column.low.to_le_bytes());
            bytes.extend_from_slice(&column.high.to_le_bytes());
        }
        for at in 0..self.range.len() {
            bytes.extend_from_slice(&self.products.get(at).to_le_bytes()[..width]);
        }
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`Error::Bytes`] for anything else, sums that no 16-bit values have included.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes, MAGIC, WHAT)?;
        let [n, rows, start, end] = [reader.u64()?, reader.u64()?, reader.u64()?, reader.u64()?];
        let n = usize::try_from(n).ok().filter(|n| (1..=MAX_COLUMNS).contains(n));
        let n = n.ok_or_else(|| bad("column count"))?;
        let at = |number| usize::try_from(number).ok().filter(|&at| at <= products_of(n));
        let range = at(start).zip(at(end)).filter(|(start, end)| start <= end);
        let (start, end) = range.ok_or_else(|| bad("range of products"))?;
        let columns = if start == 0 { n } else { 0 };
        let width = product_bytes(rows);
        reader.expect(Some(columns * COLUMN_BYTES + (end - start) * width), 1)?;
        let columns = (0..columns).map(|_| column(&mut reader, rows)).collect::<Result<_, _>>()?;
        let mut products = Products::new(end - start, rows_after(0, rows)?);
        for at in 0..end - start {
            products.set(at, product(&mut reader, rows)?);
        }
        Ok(Self { n, rows, range: start..end, columns, products })
    }
}

impl GramAccumulator {
    /// Part `part` of `parts` of about the same size. Panics unless `part < parts`.
    pub fn part(&self, part: usize, parts: usize) -> GramPart {
        assert!(part < parts, "part {part} of {parts}");
        let n = self.columns();
        let start = |part| products_of(n) * part / parts;
        let range = start(part)..start(part + 1);
        let mut products = Products::new(range.len(), self.rows);
        for (at, (i, j)) in entries(n, range.clone()).enumerate() {
            products.set(at, self.product(i, j));
        }
        let columns = if range.start == 0 { self.columns.clone() } else { Vec::new() };
        GramPart { n, rows: self.rows, range, columns, products }
    }

    /// The accumulator of all its parts, in their order.
    ///
    /// # Errors
    /// [`Error::Bytes`] when one is missing, or of other rows; what reading them gives.
    pub fn from_parts<E: From<Error>>(
        parts: impl IntoIterator<Item = Result<GramPart, E>>,
    ) -> Result<Self, E> {
        let mut parts = parts.into_iter();
        let missing = || bad("a part of the sums is missing");
        let mut part = parts.next().ok_or_else(missing)??;
        let (n, rows) = (part.n, part.rows);
        let mut sum = Self::of_rows(n, rows)?;
        if part.columns.len() != n {
            return Err(missing().into());
        }
        sum.columns = std::mem::take(&mut part.columns);
        let mut end = 0;
        loop {
            if (part.n, part.rows, part.range.start) != (n, rows, end) {
                return Err(missing().into());
            }
            end = part.range.end;
            sum.put(&part);
            match parts.next() {
                Some(next) => part = next?,
                None if end == products_of(n) => return Ok(sum),
                None => return Err(missing().into()),
            }
        }
    }

    /// Puts the products of a part in their places.
    fn put(&mut self, part: &GramPart) {
        for (at, (i, j)) in entries(part.n, part.range.clone()).enumerate() {
            let product = part.products.get(at);
            self.products.set(kernel::position(i, j), product);
            // Diagonal panels are kept whole, as the kernels leave them.
            if kernel::panel(i) == kernel::panel(j) {
                self.products.set(kernel::position(j, i), product);
            }
        }
    }

    /// From each column's sum and range, and the products of columns i <= j, row by row, of as many values as there are such
    /// pairs.
    pub(super) fn from_entries(rows: u64, columns: Vec<Column>, values: &[i128]) -> Result<Self, Error> {
        let n = columns.len();
        let mut sum = Self::of_rows(n, rows)?;
        let range = 0..products_of(n);
        let mut products = Products::new(range.len(), rows);
        values.iter().enumerate().for_each(|(at, &value)| products.set(at, value));
        sum.columns = columns;
        sum.put(&GramPart { n, rows, range, columns: Vec::new(), products });
        Ok(sum)
    }

    /// All of it as one byte string.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.part(0, 1).to_bytes()
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// As [`GramPart::from_bytes`]; [`Error::Bytes`] too for products that no rows with these columns' sums and ranges have, as far
    /// as each column and each pair of columns show it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let sums = Self::from_parts([GramPart::from_bytes(bytes)])?;
        match sums.are_possible() {
            true => Ok(sums),
            false => Err(bad("its products are not those of values with these sums and ranges")),
        }
    }

    fn are_possible(&self) -> bool {
        let n = self.columns();
        let squares: Vec<i128> = (0..n).map(|j| self.product(j, j)).collect();
        let columns = self.columns.iter().zip(&squares);
        let narrow = product_bytes(self.rows) == 8;
        self.rows == 0
            || columns.into_iter().all(|(column, &squares)| has_squares(column, self.rows, squares))
                && (0..n).all(|i| {
                    (i + 1..n).all(|j| is_product(self.product(i, j), squares[i], squares[j], narrow))
                })
    }
}

/// Whether the squares of this many values, with this sum and range, can add up to `squares`.
fn has_squares(column: &Column, rows: u64, squares: i128) -> bool {
    let (low, high, sum, rows) =
        (i128::from(column.low), i128::from(column.high), column.sum, i128::from(rows));
    // Cauchy and Schwarz, where the products fit.
    let spread = sum.checked_mul(sum).zip(rows.checked_mul(squares));
    // The least and the greatest are two values, or all are one.
    let ends = low == high
        || rows >= 2
            && (high + (rows - 1) * low..=low + (rows - 1) * high).contains(&sum)
            && squares >= low * low + high * high;
    ends && (squares - sum) % 2 == 0
        // The sum of (x - low) (high - x).
        && (low + high) * sum - squares - rows * low * high >= 0
        && spread.is_none_or(|(least, most)| least <= most)
}

/// Whether columns with these squares can have this product, by Cauchy and Schwarz: exactly where the sums are `narrow`, below 2^62,
/// else to their leading digits.
fn is_product(product: i128, left: i128, right: i128, narrow: bool) -> bool {
    let (shift, up) = if narrow { (0, 0) } else { (34, 1) };
    let leading = product.unsigned_abs() >> shift;
    let most = [left, right].map(|squares| (squares.unsigned_abs() >> shift) + up);
    leading * leading <= most[0] * most[1]
}

fn column(reader: &mut Reader, rows: u64) -> Result<Column, Error> {
    let column = Column { sum: reader.i128()?, low: reader.i32()?, high: reader.i32()? };
    match is_possible(&column, rows) {
        true => Ok(column),
        false => Err(bad("a column's sum or range is that of no 16-bit values")),
    }
}

fn product(reader: &mut Reader, rows: u64) -> Result<i128, Error> {
    let product = match product_bytes(rows) {
        8 => reader.i64()?.into(),
        _ => reader.i128()?,
    };
    match product.unsigned_abs() > u128::from(rows) << 32 {
        true => Err(bad("a product is that of no 16-bit values")),
        false => Ok(product),
    }
}

/// Whether this many 16-bit values, signed or unsigned, can have this sum and range.
fn is_possible(column: &Column, rows: u64) -> bool {
    if rows == 0 {
        return *column == Column::EMPTY;
    }
    let (low, high) = (i128::from(column.low), i128::from(column.high));
    let rows = i128::from(rows);
    low >= i16::MIN.into() && high <= u16::MAX.into() && (low * rows..=high * rows).contains(&column.sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column_major;

    fn three_columns() -> GramAccumulator {
        let mut sum = GramAccumulator::new(3).unwrap();
        sum.add(column_major(&[1i16, -2, 3, 4, 5, -32_768], 2, 3).unwrap()).unwrap();
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
        for at in [0, 8, 15, 24, 32, 40 + 15, 40 + 19, 40 + 23, bytes.len() - 1] {
            assert!(matches!(changed(at, 0x7f), Err(Error::Bytes { .. })), "byte {at}");
        }
        assert!(matches!(changed(23, 0x7f), Err(Error::Bytes { .. } | Error::TooManyRows { .. })));
    }

    #[test]
    fn sums_that_no_such_values_have_are_refused() {
        // Columns 1 -2, 3 4 and 5 -32768: sums -1, 7 and -32763, squares 5, 25 and 2^30 + 25, products -5, 65541 and -131057.
        let bytes = three_columns().to_bytes();
        let product = |at: usize| 40 + 3 * COLUMN_BYTES + 8 * at;
        let changed = |at: usize, value: i64| {
            let mut wrong = bytes.clone();
            wrong[at..at + 8].copy_from_slice(&value.to_le_bytes());
            GramAccumulator::from_bytes(&wrong)
        };
        assert!(changed(product(0), 5).is_ok() && changed(product(1), -11).is_ok());
        for (at, value, why) in [
            (product(0), -5, "squares below zero"),
            (product(0), 6, "squares that are even where the sum is odd"),
            (product(0), 3, "less than the square of the least value"),
            (product(0), 7, "more than values between the least and the greatest have"),
            (product(3), 23, "less than such a sum has"),
            (product(1), 12, "more than Cauchy and Schwarz allow"),
            (product(1), -12, "more than Cauchy and Schwarz allow"),
        ] {
            assert!(matches!(changed(at, value), Err(Error::Bytes { .. })), "{why}");
        }
    }

    #[test]
    fn ranges_whose_ends_are_no_values_are_refused() {
        let read = |rows: u64, sum: i128, (low, high): (i32, i32), squares: i64| {
            let mut bytes = GramAccumulator::new(1).unwrap().to_bytes();
            bytes[16..24].copy_from_slice(&rows.to_le_bytes());
            bytes[40..56].copy_from_slice(&sum.to_le_bytes());
            bytes[56..60].copy_from_slice(&low.to_le_bytes());
            bytes[60..64].copy_from_slice(&high.to_le_bytes());
            bytes[64..72].copy_from_slice(&squares.to_le_bytes());
            GramAccumulator::from_bytes(&bytes).is_ok()
        };
        // 3; 2 and -4; 2, 2 and -4; 2, 0 and -4.
        for (rows, sum, range, squares) in
            [(1, 3, (3, 3), 9), (2, -2, (-4, 2), 20), (3, 0, (-4, 2), 24), (3, -2, (-4, 2), 20)]
        {
            assert!(read(rows, sum, range, squares), "{rows} rows of {range:?}");
        }
        // One value is not two, two of them are not one, and what is between them is not both.
        for (rows, sum, range, squares) in
            [(1, 3, (-3, 3), 9), (2, 4, (-4, 2), 16), (3, 6, (-4, 2), 20), (3, -2, (-4, 2), 16)]
        {
            assert!(!read(rows, sum, range, squares), "{rows} rows of {range:?}");
        }
    }

    #[test]
    fn an_accumulator_survives_its_bytes() {
        for sum in [three_columns(), GramAccumulator::new(17).unwrap()] {
            assert_eq!(GramAccumulator::from_bytes(&sum.to_bytes()).unwrap(), sum);
        }
    }

    #[test]
    fn parts_of_any_number_add_up_to_the_sums_of_all_rows() {
        let values = |seed: i64, rows: usize| -> Vec<i16> {
            (0..rows as i64 * 7).map(|i| ((i * i + seed * i) % 4001 - 1000) as i16).collect()
        };
        let (one, two) = (values(3, 5), values(8, 11));
        let add =
            |sum: &mut GramAccumulator, values: &[i16], rows| sum.add(column_major(values, rows, 7).unwrap());
        let mut sums = [(); 3].map(|()| GramAccumulator::new(7).unwrap());
        add(&mut sums[0], &one, 5).unwrap();
        add(&mut sums[1], &two, 11).unwrap();
        add(&mut sums[2], &one, 5).unwrap();
        add(&mut sums[2], &two, 11).unwrap();
        for parts in [1, 2, 3, 27, 28, 40] {
            let added = (0..parts).map(|part| {
                let mut first = GramPart::from_bytes(&sums[0].part(part, parts).to_bytes())?;
                first.merge(&sums[1].part(part, parts))?;
                Ok::<_, Error>(first)
            });
            let added: Vec<_> = added.collect();
            assert_eq!(GramAccumulator::from_parts(added.clone()).unwrap(), sums[2], "{parts} parts");
            for missing in 0..parts {
                let range = sums[2].part(missing, parts).range;
                let rest =
                    added.iter().enumerate().filter(|&(i, _)| i != missing).map(|(_, part)| part.clone());
                let rest = GramAccumulator::from_parts(rest);
                // More parts than products: empty ones tell nothing.
                assert!(rest.is_err() || range.is_empty(), "{missing} of {parts}");
            }
        }
        assert!(sums[0].part(0, 2).merge(&sums[1].part(1, 2)).is_err());
        let foreign = [Ok::<_, Error>(sums[0].part(0, 2)), Ok(sums[1].part(1, 2))];
        assert!(GramAccumulator::from_parts(foreign).is_err());
    }

    #[test]
    fn wide_sums_survive_their_parts() {
        let mut sum = GramAccumulator::of_rows(5, NARROW_ROWS + 1).unwrap();
        sum.columns.fill(Column { sum: 0, low: -1, high: 1 });
        for (i, j) in entries(5, 0..15) {
            for at in [kernel::position(i, j), kernel::position(j, i)] {
                sum.products.set(at, (1 << 62) - (i * 10 + j) as i128);
            }
        }
        let parts = (0..4).map(|part| GramPart::from_bytes(&sum.part(part, 4).to_bytes()));
        assert_eq!(GramAccumulator::from_parts(parts).unwrap(), sum);
    }
}
