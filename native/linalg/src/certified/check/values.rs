//! Singular values: rounded, and where they may be exactly on a border decided in integers.

use super::algebraic::{Algebra, Interval};
use super::cells::Cell;
use super::{Check, equal, round};
use crate::rounding::nearest_sqrt;
use num_bigint::{BigInt, Sign};

impl<const W: usize> Check<'_, W> {
    pub(super) fn algebra(&self) -> Option<&Algebra> {
        self.algebra.get_or_init(|| Algebra::new(self.g)).as_ref()
    }

    /// A cell in units of `G`'s integers.
    pub(super) fn interval<'c>(&self, cell: &'c Cell) -> Interval<'c> {
        Interval { low: &cell.low, high: &cell.high, drop: self.candidates.value_bits() - self.g.bits() }
    }

    /// The integer that all eigenvalues of the cell, in units of `G`, are equal to.
    pub(super) fn integer(&self, at: usize) -> Option<BigInt> {
        let cell = &self.cells[at];
        let drop = self.candidates.value_bits() - self.g.bits();
        let value = (&cell.high) >> drop;
        (&value << drop >= cell.low && self.all_equal(at, &value)).then_some(value)
    }

    /// Whether all eigenvalues of the cell are the integer `value` (in units of `G`).
    fn all_equal(&self, at: usize, value: &BigInt) -> bool {
        let drop = self.candidates.value_bits() - self.g.bits();
        let scaled = value << drop;
        // Bits of what an eigenvalue may differ from the integer by, over all cells and the tail.
        let mut bits: Vec<(i64, usize)> = self
            .cells
            .iter()
            .map(|cell| {
                let far = (&cell.low - &scaled).magnitude().max((&cell.high - &scaled).magnitude()).bits();
                (far as i64 - i64::from(drop), cell.members.len())
            })
            .collect();
        if let Some(tail) = &self.tail {
            let far = scaled.magnitude().max((tail - &scaled).magnitude()).bits();
            bits.push((far as i64 - i64::from(drop), self.others()));
        }
        let count = self.cells[at].members.len();
        equal::is_eigenvalue(self.g, value, count, &bits)
    }

    /// The singular value of every column of the cell.
    pub(super) fn singular_value(&self, at: usize) -> Option<f64> {
        let cell = &self.cells[at];
        let exponent = self.exponent();
        let divisor = self.g.divisor();
        let root = |value: &BigInt| {
            (value.sign() == Sign::Plus).then(|| nearest_sqrt(value.magnitude(), divisor, exponent))
        };
        let (low, high) = (root(&cell.low)?, root(&cell.high)?);
        if low == high {
            return Some(low);
        }
        // Between two adjacent floats there is one midpoint, and its square may be the eigenvalue.
        if f64::from_bits(low.to_bits() + 1) != high || !high.is_finite() {
            return None;
        }
        let square = round::midpoint_square(low, self.g.exponent())? * BigInt::from(divisor.clone());
        let drop = self.candidates.value_bits() - self.g.bits();
        let scaled = &square << drop;
        (cell.low <= scaled && scaled <= cell.high && self.all_equal(at, &square))
            .then(|| nearest_sqrt(square.magnitude(), divisor, self.g.exponent()))
    }

    /// The power of two that multiplies the eigenvalues' integers.
    fn exponent(&self) -> i64 {
        self.g.exponent() + i64::from(self.g.bits()) - i64::from(self.candidates.value_bits())
    }
}
