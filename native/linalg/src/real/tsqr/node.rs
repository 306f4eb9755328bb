//! A node of the tree: the `R` of some rows; and the factorization that combines two.

use crate::Error;
use crate::bytes::Reader;
use crate::real::matrix::Matrix;
use crate::real::qr::{Qr, Shape};
use crate::real::scale::Scaled;
use crate::real::source::scaled;
use crate::rounding::times_power_of_two;
use ndarray::{Array2, ArrayView2};

/// First bytes of the serialized form.
const MAGIC: &[u8; 8] = b"TBtsqr2\n";

/// The `R` of the rows below one node of the tree: `min(rows, n) x n`, upper trapezoidal, `R^T R = A^T A` for
/// those rows `A`.
#[derive(Clone, Debug, PartialEq)]
pub struct TsqrNode {
    r: Scaled,
    /// The rows' largest entry in magnitude, before means were removed, is below `2^magnitude`.
    magnitude: i32,
}

impl TsqrNode {
    pub(super) fn new(r: Scaled, magnitude: i32) -> Self {
        Self { r, magnitude }
    }

    pub(super) fn into_parts(self) -> (Scaled, i32) {
        (self.r, self.magnitude)
    }

    /// The node of one row block, rows x n.
    ///
    /// # Errors
    /// [`Error::NotFiniteValue`] for NaN or infinity.
    pub fn of_block(block: ArrayView2<f64>) -> Result<Self, Error> {
        Ok(super::leaf(scaled(0, block)?).1)
    }

    /// The node above two nodes, `self` the one of lower block indices.
    ///
    /// # Errors
    /// [`Error::Columns`] when they differ in their columns.
    pub fn combine(self, right: Self) -> Result<Self, Error> {
        Ok(self.join(right)?.0)
    }

    /// Rows of `R`.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.r.matrix.rows()
    }

    /// Columns of `R`, n.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.r.matrix.columns()
    }

    /// `R`, rows x n; infinite or zero where f64 can't hold an entry.
    #[must_use]
    pub fn r(&self) -> Array2<f64> {
        self.r.matrix.to_array().mapv_into(|v| times_power_of_two(v, self.r.exponent))
    }

    /// A self-contained byte string, for sending to another process: `rows`, `columns` (u64), `exponent`
    /// and `magnitude` (i64) and the entries of the upper trapezoid row by row (f64, each times `2^exponent`),
    /// little-endian.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let (rows, columns) = (self.rows(), self.columns());
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&(rows as u64).to_le_bytes());
        bytes.extend_from_slice(&(columns as u64).to_le_bytes());
        bytes.extend_from_slice(&i64::from(self.r.exponent).to_le_bytes());
        bytes.extend_from_slice(&i64::from(self.magnitude).to_le_bytes());
        for i in 0..rows {
            (i..columns).for_each(|j| bytes.extend_from_slice(&self.r.matrix.get(i, j).to_le_bytes()));
        }
        bytes
    }

    /// Whether bytes begin as those of a node.
    pub(in crate::real) fn is_first_of(bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC)
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`Error::Bytes`] for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes, MAGIC, "a TSQR node")?;
        let (rows, columns) = (reader.size()?, reader.size()?);
        let (exponent, magnitude) = (reader.exponent()?, reader.exponent()?);
        // Upper trapezoid: rows of columns, columns - 1, .. entries.
        let count = rows
            .checked_mul(columns)
            .filter(|_| rows <= columns)
            .map(|all| all - rows * rows.saturating_sub(1) / 2);
        reader.expect(count, 8)?;
        let mut matrix = Matrix::zeros(rows, columns);
        for i in 0..rows {
            for j in i..columns {
                matrix.set(i, j, reader.number()?);
            }
        }
        Ok(Self { r: Scaled { exponent, matrix }, magnitude })
    }

    pub(super) fn join(self, right: Self) -> Result<(Self, InternalNode), Error> {
        let (expected, actual) = (self.columns(), right.columns());
        if expected != actual {
            return Err(Error::Columns { expected, actual });
        }
        let magnitude = self.magnitude.max(right.magnitude);
        let (a, b) = self.r.align(right.r);
        let exponent = a.exponent;
        let rows = [a.matrix.rows(), b.matrix.rows()];
        let order = in_turn(rows);
        let halves = [&a.matrix, &b.matrix];
        let stacked = Matrix::from_fn(order.len(), expected, |i, j| {
            let (half, row) = order[i];
            halves[half].get(row, j)
        });
        let qr = Qr::new(stacked, Shape::Interleaved(rows[0], rows[1]));
        Ok((Self { r: Scaled { exponent, matrix: qr.r() }, magnitude }, InternalNode { qr, rows }))
    }
}

/// The factorization of two stacked nodes.
pub(super) struct InternalNode {
    qr: Qr,
    rows: [usize; 2],
}

impl InternalNode {
    /// What the two halves get of the coefficients `c` of the node: `Q C`, taken apart.
    pub fn apply(&self, c: &Matrix) -> (Matrix, Matrix) {
        let stacked = self.qr.apply(c);
        let mut halves = self.rows.map(|rows| Matrix::zeros(rows, c.columns()));
        for (i, (half, row)) in in_turn(self.rows).into_iter().enumerate() {
            (0..c.columns()).for_each(|j| halves[half].set(row, j, stacked.get(i, j)));
        }
        let [left, right] = halves;
        (left, right)
    }
}

/// The rows of two matrices in turn, as (matrix, row).
fn in_turn(rows: [usize; 2]) -> Vec<(usize, usize)> {
    (0..rows[0].max(rows[1]))
        .flat_map(|i| (0..2).filter(move |&h| i < rows[h]).map(move |h| (h, i)))
        .collect()
}
