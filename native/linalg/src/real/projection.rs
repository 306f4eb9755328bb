//! `B^T = A^T Q`: how the rows of a matrix lie along an orthonormal basis of their columns' range.

use super::matrix::{Matrix, pairwise};
use super::product::Left;
use super::qr::{Qr, Shape};
use super::scale::Scaled;
use crate::Error;
use crate::bytes::Reader;
use crate::dispatch::dispatched;
use crate::rounding::times_power_of_two;
use crate::tile::LANES;

/// First bytes of the serialized form.
const MAGIC: &[u8; 8] = b"TBproj1\n";

/// `A^T Q` (n x l) and `||A||_F^2` of some rows, over `2^exponent` and its square.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Projection {
    exponent: i32,
    transposed: Matrix,
    energy: f64,
}

impl Projection {
    /// Of one row block, and its rows of `Q`.
    pub fn of_block(a: &Scaled, q: &Matrix) -> Self {
        let transposed = Left::transpose_of(&a.matrix).times(q);
        Self { exponent: a.exponent, transposed, energy: square(&a.matrix) }
    }

    /// Rows and columns: n, l.
    pub fn shape(&self) -> (usize, usize) {
        (self.transposed.rows(), self.transposed.columns())
    }

    /// Of the rows of both, which have the same shape.
    pub fn plus(self, other: Self) -> Self {
        let exponent = self.exponent.max(other.exponent);
        let energy =
            |p: &Self| times_power_of_two(p.energy, p.exponent.saturating_sub(exponent).saturating_mul(2));
        let energy = energy(&self) + energy(&other);
        let scaled = |p: Self| Scaled { exponent: p.exponent, matrix: p.transposed };
        let (mut sum, other) = scaled(self).align(scaled(other));
        sum.matrix.add(&other.matrix);
        Self { exponent, transposed: sum.matrix, energy }
    }

    /// `||A||_F^2`; infinite or zero where f64 can't hold it.
    pub fn energy(&self) -> f64 {
        times_power_of_two(self.energy, self.exponent.saturating_mul(2))
    }

    /// Step 2c: an orthonormal basis of the rows of `B`, n x l.
    pub fn basis_of_rows(self) -> Matrix {
        let (_, columns) = self.shape();
        let rows = Scaled::new(self.transposed, 0).matrix;
        Qr::new(rows, Shape::Dense).apply(&Matrix::identity(columns, columns))
    }

    /// For sending to another process: n, l (u64), `exponent` (i64), energy and entries row by row (f64).
    pub fn to_bytes(&self) -> Vec<u8> {
        let (rows, columns) = self.shape();
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&(rows as u64).to_le_bytes());
        bytes.extend_from_slice(&(columns as u64).to_le_bytes());
        bytes.extend_from_slice(&i64::from(self.exponent).to_le_bytes());
        bytes.extend_from_slice(&self.energy.to_le_bytes());
        self.transposed.to_rows().iter().for_each(|v| bytes.extend_from_slice(&v.to_le_bytes()));
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`Error::Bytes`] for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes, MAGIC, "a projection")?;
        let (rows, columns) = (reader.size()?, reader.size()?);
        let (exponent, energy) = (reader.exponent()?, reader.number()?);
        reader.expect(rows.checked_mul(columns), 8)?;
        if energy < 0.0 {
            return Err(reader.wrong("a sum of squares below zero"));
        }
        let mut transposed = Matrix::zeros(rows, columns);
        for i in 0..rows {
            for j in 0..columns {
                transposed.set(i, j, reader.number()?);
            }
        }
        Ok(Self { exponent, transposed, energy })
    }
}

dispatched! {
    /// `||A||_F^2` of a block: a chain per column, then lanes of a panel pairwise, then panels in ascending
    /// order.
    fn square(a: &Matrix) -> f64 {
        let mut sum = 0.0;
        for p in 0..a.panels() {
            let mut columns = [0.0; LANES];
            for row in a.panel(p) {
                for c in 0..LANES {
                    columns[c] = row[c].mul_add(row[c], columns[c]);
                }
            }
            sum += pairwise(columns);
        }
        sum
    }
}
