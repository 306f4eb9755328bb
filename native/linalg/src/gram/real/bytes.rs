//! Ranges and exact sums of floats as bytes.
//!
//! Sums are written as the integers that they are, not as residues: the bytes follow from the rows and the ranges alone,
//! whatever moduli a version takes.
//!
//! Little-endian. Ranges: `TBrange1`, n (u64), rows (u64), n times low and high (i32). Sums: `TBreal2\n`, n, rows, low and
//! high as the ranges have them, the rows added (u64), then the sums of the columns, and the products of columns i <= j, row
//! by row, as signed integers of w bytes. `w` holds `2 b + c + 1` bits, where `b` is the most that `high - low` is in any
//! column, and `c` the bits of the ranges' rows.

use num_bigint::{BigInt, Sign};

use super::{ColumnRanges, RealGramAccumulator};
use crate::bytes::Reader;
use crate::gram::GramAccumulator;
use crate::gram::sums::{Column, rows_after};
use crate::{Error, gram::accumulator::MAX_COLUMNS};

const RANGES_MAGIC: &[u8; 8] = b"TBrange1";

const RANGES: &str = "ranges of columns";

const MAGIC: &[u8; 8] = b"TBreal2\n";

const WHAT: &str = "exact sums of floats";

/// Bytes of a column's exponents.
const COLUMN_BYTES: usize = 8;

/// Bytes of a sum.
fn sum_bytes(ranges: &ColumnRanges) -> usize {
    (2 * ranges.widest() + u64::BITS - ranges.rows().leading_zeros() + 1).div_ceil(8) as usize
}

impl ColumnRanges {
    /// A self-contained byte string.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = RANGES_MAGIC.to_vec();
        self.append_to(&mut bytes);
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`Error::Bytes`] for anything else, and [`Error::Ranges`] for exponents that no finite values have.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes, RANGES_MAGIC, RANGES)?;
        let ranges = Self::read(&mut reader)?;
        reader.expect(Some(0), 1)?;
        Ok(ranges)
    }

    fn append_to(&self, bytes: &mut Vec<u8>) {
        bytes.extend((self.columns() as u64).to_le_bytes());
        bytes.extend(self.rows().to_le_bytes());
        for (low, high) in self.exponents() {
            bytes.extend(low.to_le_bytes());
            bytes.extend(high.to_le_bytes());
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let (n, rows) = (reader.size()?, rows_after(0, reader.u64()?)?);
        if n > MAX_COLUMNS || n * COLUMN_BYTES > reader.len() {
            return Err(reader.wrong("column count"));
        }
        let columns =
            (0..n).map(|_| Ok((reader.i32()?, reader.i32()?))).collect::<Result<Vec<_>, Error>>()?;
        let any = columns.iter().any(|(low, high)| low < high);
        match rows == 0 && any {
            true => Err(reader.wrong("ranges of no rows")),
            false => Self::try_from((rows, columns)),
        }
    }
}

impl RealGramAccumulator {
    /// A self-contained byte string: for float64 values of like magnitude about `9 n^2` bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (n, width) = (self.columns(), sum_bytes(&self.ranges));
        let mut bytes = MAGIC.to_vec();
        bytes.reserve(24 + n * COLUMN_BYTES + (n + n * (n + 1) / 2) * width);
        self.ranges.append_to(&mut bytes);
        bytes.extend(self.rows().to_le_bytes());
        let pairs = (0..n).flat_map(|i| (i..n).map(move |j| (i, j)));
        let products = pairs.map(|(i, j)| self.integer(i, j));
        for integer in (0..n).map(|j| self.total(j)).chain(products) {
            let start = bytes.len();
            bytes.extend(integer.to_signed_bytes_le());
            bytes.resize(start + width, if integer.sign() == Sign::Minus { u8::MAX } else { 0 });
        }
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`Error::Bytes`] for anything else, sums that no such rows have included; as [`new`](Self::new).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes, MAGIC, WHAT)?;
        let none = Self::new(ColumnRanges::read(&mut reader)?)?;
        let (rows, n, width) = (reader.u64()?, none.columns(), sum_bytes(&none.ranges));
        if rows > none.ranges.rows() {
            return Err(reader.wrong("more rows than their ranges have"));
        }
        let count = n + n * (n + 1) / 2;
        reader.expect(Some(count), width)?;
        let integers: Vec<BigInt> =
            reader.bytes(count * width)?.chunks_exact(width).map(BigInt::from_signed_bytes_le).collect();
        let (totals, products) = integers.split_at(n);
        let beyond = |integers: &[BigInt], bits: u32| {
            let most = BigInt::from(rows) << bits;
            integers.iter().any(|integer| *integer.magnitude() > *most.magnitude())
        };
        if beyond(totals, none.ranges.widest()) || beyond(products, 2 * none.ranges.widest()) {
            return Err(reader.wrong("a sum is that of no such rows"));
        }
        if !are_possible(rows, totals, products) {
            return Err(reader.wrong("its products are not those of values with these sums"));
        }
        none.with_integers(rows, totals, products)
    }

    /// The same sums for ranges that cover those that they were made for: of more rows, or of wider values.
    ///
    /// # Errors
    /// [`Error::Ranges`] for ranges that do not cover them; as [`new`](Self::new).
    pub fn within(&self, ranges: ColumnRanges) -> Result<Self, Error> {
        let n = self.columns();
        if !ranges.covers(&self.ranges) || ranges.rows() < self.rows() {
            return Err(Error::Ranges);
        }
        // Of a column of zeros the sums are zero, in whatever unit.
        let shift = |j: usize| match self.ranges.bits(j) {
            0 => 0,
            _ => (self.ranges.low(j) - ranges.low(j)).unsigned_abs(),
        };
        let shifts: Vec<u64> = (0..n).map(shift).collect();
        let totals: Vec<BigInt> = (0..n).map(|j| self.total(j) << shifts[j]).collect();
        let pairs = (0..n).flat_map(|i| (i..n).map(move |j| (i, j)));
        let products: Vec<BigInt> =
            pairs.map(|(i, j)| self.integer(i, j) << (shifts[i] + shifts[j])).collect();
        Self::new(ranges)?.with_integers(self.rows(), &totals, &products)
    }

    /// With these sums, over `rows` rows, in place of its own.
    fn with_integers(self, rows: u64, totals: &[BigInt], products: &[BigInt]) -> Result<Self, Error> {
        let modulus = |k| self.moduli.as_ref().map(|moduli| moduli.as_slice()[k]);
        let sums = (0..self.sums.len())
            .map(|k| of_integers(rows, (totals, products), modulus(k)))
            .collect::<Result<_, _>>()?;
        Ok(Self { sums, ..self })
    }
}

/// Whether `rows` rows of integers can have these sums of columns and, row by row, of products of columns i <= j, as far as each
/// column and each pair of columns show it: by Cauchy and Schwarz, and as squares are odd where the integers are.
fn are_possible(rows: u64, totals: &[BigInt], products: &[BigInt]) -> bool {
    let n = totals.len();
    let starts: Vec<usize> = (0..n).map(|i| i * n - i * i.saturating_sub(1) / 2).collect();
    let squares: Vec<&BigInt> = starts.iter().map(|&start| &products[start]).collect();
    let has_squares = |(total, squares): (&BigInt, &&BigInt)| {
        squares.sign() != Sign::Minus && total * total <= *squares * rows && total.bit(0) == squares.bit(0)
    };
    totals.iter().zip(&squares).all(has_squares)
        && (0..n).all(|i| {
            let pairs = products[starts[i]..].iter().zip(&squares[i..]);
            pairs.skip(1).all(|(product, other)| product * product <= squares[i] * *other)
        })
}

/// Sums that are these modulo a small integer, or these themselves.
fn of_integers(
    rows: u64,
    (totals, products): (&[BigInt], &[BigInt]),
    modulus: Option<u16>,
) -> Result<GramAccumulator, Error> {
    let residue = |integer: &BigInt| match modulus {
        None => i128::try_from(integer).unwrap_or_default(),
        Some(modulus) => {
            let (residue, p) = (i128::try_from(integer % modulus).unwrap_or_default(), i128::from(modulus));
            // The one nearest to zero.
            if 2 * residue.abs() > p { residue - residue.signum() * p } else { residue }
        }
    };
    let column = |total| match rows {
        0 => Column::EMPTY,
        _ => Column { sum: residue(total), low: i16::MIN.into(), high: i16::MAX.into() },
    };
    let products: Vec<i128> = products.iter().map(residue).collect();
    GramAccumulator::from_entries(rows, totals.iter().map(column).collect(), &products)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array, s};

    fn ranges(a: &Array2<f64>) -> ColumnRanges {
        let mut ranges = ColumnRanges::new(a.ncols()).unwrap();
        ranges.add(a.view()).unwrap();
        ranges
    }

    fn sums(ranges: &ColumnRanges, a: &Array2<f64>) -> RealGramAccumulator {
        let mut sums = RealGramAccumulator::new(ranges.clone()).unwrap();
        sums.add(a.view()).unwrap();
        sums
    }

    fn matrices() -> [Array2<f64>; 4] {
        let wide = Array2::from_shape_fn((40, 3), |(i, j)| ((i * 7 + j * 3) as f64).sin() * 1e9);
        let small = array![[3.0, -7.0], [-32.0, 0.0], [5.0, 5.0]];
        [wide, small, Array2::zeros((4, 2)), array![[1e-300, -1e-290, 0.0], [3e-300, 0.5e-300, 0.0]]]
    }

    #[test]
    fn sums_survive_their_bytes_and_go_on_from_there() {
        for a in matrices() {
            let ranges = ranges(&a);
            assert_eq!(ColumnRanges::from_bytes(&ranges.to_bytes()).unwrap(), ranges);
            let whole = sums(&ranges, &a);
            for cut in 0..=a.nrows() {
                let (first, rest) = (a.slice(s![..cut, ..]).to_owned(), a.slice(s![cut.., ..]).to_owned());
                let mut first = RealGramAccumulator::from_bytes(&sums(&ranges, &first).to_bytes()).unwrap();
                let rest = RealGramAccumulator::from_bytes(&sums(&ranges, &rest).to_bytes()).unwrap();
                first.merge(&rest).unwrap();
                assert_eq!(first.to_bytes(), whole.to_bytes());
                assert_eq!(first.finish().unwrap().planes(), whole.finish().unwrap().planes());
            }
        }
    }

    #[test]
    fn sums_that_no_such_rows_have_are_refused() {
        // Integers 1 -2 and 3 4: sums -1 and 7, products 5, -5 and 25.
        let a = array![[0.5, 1.5], [-1.0, 2.0]];
        let bytes = sums(&ranges(&a), &a).to_bytes();
        let width = sum_bytes(&ranges(&a));
        let at = bytes.len() - 3 * width;
        let changed = |place: usize, value: i8| {
            let mut wrong = bytes.clone();
            wrong[at + place * width..][..width].fill(if value < 0 { u8::MAX } else { 0 });
            wrong[at + place * width] = value as u8;
            RealGramAccumulator::from_bytes(&wrong)
        };
        assert_eq!(changed(0, 5).unwrap().to_bytes(), bytes);
        for (place, value) in [(0, -5), (0, 6), (2, 23), (1, 12), (1, -12)] {
            assert!(matches!(changed(place, value), Err(Error::Bytes { .. })), "product {place} is {value}");
        }
    }

    #[test]
    fn sums_within_wider_ranges_are_those_that_were_made_for_them() {
        for a in matrices() {
            let first = ranges(&a.slice(s![..2, ..]).to_owned());
            let mut all = ranges(&a);
            all.merge(&ranges(&Array2::from_elem((3, a.ncols()), 2f64.powi(-20)))).unwrap();
            if RealGramAccumulator::new(all.clone()).is_err() {
                continue;
            }
            let part = a.slice(s![..2, ..]).to_owned();
            let widened = sums(&first, &part).within(all.clone()).unwrap();
            assert_eq!(widened.to_bytes(), sums(&all, &part).to_bytes());
            assert_eq!(widened.within(first).map(|_| ()), Err(Error::Ranges));
        }
    }

    #[test]
    fn the_bytes_are_the_integers_that_the_documentation_says() {
        let a = array![[0.5, -3.0], [40_000.25, 1.0]];
        let bytes = sums(&ranges(&a), &a).to_bytes();
        // Column 1 times 4 (18 bits), column 2 as it is (2 bits): 36 bits, 2 of the rows, 1 of the sign: 5 bytes.
        let header: Vec<u8> = [2u64, 2].iter().flat_map(|v| v.to_le_bytes()).collect();
        let exponents: Vec<u8> = [-2i32, 16, 0, 2].iter().flat_map(|v| v.to_le_bytes()).collect();
        let integers = [160_003, -2, 4 + 160_001i64 * 160_001, -6 + 160_001, 10];
        let integers: Vec<u8> = integers.iter().flat_map(|v| v.to_le_bytes()[..5].to_vec()).collect();
        assert_eq!(
            bytes,
            [b"TBreal2\n".as_slice(), &header, &exponents, &2u64.to_le_bytes(), &integers].concat()
        );
    }

    #[test]
    fn bytes_that_are_no_sums_are_refused() {
        for a in matrices() {
            let ranges = ranges(&a);
            for bytes in [ranges.to_bytes(), sums(&ranges, &a).to_bytes()] {
                let read = |bytes: &[u8]| {
                    ColumnRanges::from_bytes(bytes).is_ok() || RealGramAccumulator::from_bytes(bytes).is_ok()
                };
                assert!(read(&bytes));
                assert!((0..bytes.len()).all(|cut| !read(&bytes[..cut])));
                assert!(!read(&[bytes.as_slice(), &[0]].concat()));
            }
            let good = sums(&ranges, &a).to_bytes();
            let mut more_rows = good.clone();
            more_rows[24 + 8 * a.ncols()] += 1;
            let mut large = good.clone();
            *large.last_mut().unwrap() = 0x7f;
            let mut columns = good.clone();
            columns[15] = 1;
            for bad in [more_rows, large, columns] {
                assert!(RealGramAccumulator::from_bytes(&bad).is_err());
            }
        }
        let none = ColumnRanges::new(2).unwrap();
        assert_eq!(ColumnRanges::from_bytes(&none.to_bytes()).unwrap(), none);
    }
}
