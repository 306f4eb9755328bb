//! A power of two beside each matrix.
//!
//! Householder norms square their entries, so data beyond 1e154 would overflow and data below 1e-154 vanish.
//! Each part of the matrix is therefore divided by the power of two that brings its largest entry into [0.5,
//! 1), which is exact, and parts are brought to a common power where they meet. Scaling the data by a power
//! of two then scales the singular values and changes no other bit.

use super::matrix::Matrix;
use crate::rounding::{exponent_of, pow2};

/// The exponent of a matrix of zeros: below that of any other.
const ZERO: i32 = -1100;

/// `matrix * 2^exponent`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scaled {
    pub exponent: i32,
    pub matrix: Matrix,
}

impl Scaled {
    /// `matrix * 2^exponent` with the largest entry of the matrix in [0.5, 1).
    pub fn new(mut matrix: Matrix, exponent: i32) -> Self {
        let Some(own) = exponent_of(matrix.largest()) else {
            return Self { exponent: ZERO, matrix };
        };
        // In two steps: the power itself may be out of range where the largest entry is subnormal.
        for step in [-own / 2, -own - -own / 2] {
            if step != 0 {
                matrix.multiply_by(pow2(step));
            }
        }
        Self { exponent: exponent.saturating_add(own), matrix }
    }

    /// Both, at the larger of their exponents.
    pub fn align(mut self, mut other: Self) -> (Self, Self) {
        let exponent = self.exponent.max(other.exponent);
        for part in [&mut self, &mut other] {
            if part.exponent != exponent {
                part.matrix.multiply_by(pow2(part.exponent.saturating_sub(exponent)));
                part.exponent = exponent;
            }
        }
        (self, other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rounding::times_power_of_two;

    #[test]
    fn the_largest_entry_is_brought_into_the_upper_half_of_the_unit_interval() {
        for largest in [1.0, 0.5, 3.7e307, f64::MAX, f64::MIN_POSITIVE, f64::from_bits(1), 1e-310] {
            let scaled = Scaled::new(Matrix::from_fn(1, 2, |_, j| largest * -(j as f64)), 0);
            let entry = scaled.matrix.get(0, 1);
            assert!((-1.0..=-0.5).contains(&entry) && entry != -1.0, "{largest:e}: {entry}");
            assert_eq!(times_power_of_two(entry, scaled.exponent), -largest, "{largest:e}");
        }
    }

    #[test]
    fn zeros_never_decide_the_common_exponent() {
        let zero = Scaled::new(Matrix::zeros(1, 1), 5);
        let tiny = Scaled::new(Matrix::from_fn(1, 1, |_, _| f64::from_bits(1)), 0);
        let (zero, aligned) = zero.align(tiny.clone());
        assert_eq!(aligned, tiny);
        assert_eq!(zero.matrix.get(0, 0), 0.0);
    }
}
