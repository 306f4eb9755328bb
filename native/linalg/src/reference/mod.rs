//! Matrices whose singular value decomposition is known to every digit, and how right another program's is.
//!
//! NIST's StRD has reference data for statistics and none for the SVD. Here are a dozen small matrices, from
//! ones that any program decomposes to full precision to ones on which most lose half of the digits or more.
//! Each is defined in integers and powers of two (`classical`, `drawn`), so every entry is an f64, exactly,
//! and the matrix is the same on every machine.
//!
//! * [`matrices`]: all of them, easiest first.
//! * [`Truth`]: `s`, `V` and `U` of one, correctly rounded: [`certified_svd`](crate::certified_svd) of the exact
//!   Gram matrices of `A` and of `A^T`.
//! * [`score`](Truth::score): the number of correct digits of other factors.

mod classical;
mod drawn;
mod score;
mod truth;

use ndarray::Array2;
pub use score::{Columns, Digits, Factors, Score};
pub use truth::Truth;

/// A matrix whose singular value decomposition is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// What it is called: lower-case letters and hyphens.
    pub name: &'static str,
    /// What it is and why it is hard, in one line.
    pub about: &'static str,
    /// The entries, exactly; m x n.
    pub values: Array2<f64>,
}

/// All matrices, easiest first.
#[must_use]
pub fn matrices() -> Vec<Matrix> {
    vec![
        drawn::random(),
        drawn::ct(),
        drawn::tiny(),
        drawn::duplicates(),
        drawn::rank_deficient(),
        classical::hadamard(),
        classical::lauchli(),
        drawn::graded(),
        classical::kahan(),
        classical::hilbert(),
        classical::clusters(),
        classical::wilkinson(),
    ]
}

impl Matrix {
    /// A matrix by its entries: `entry(i, j)`, row and column from 0.
    fn new(
        name: &'static str,
        about: &'static str,
        [rows, columns]: [usize; 2],
        entry: impl Fn(usize, usize) -> f64,
    ) -> Self {
        Self { name, about, values: Array2::from_shape_fn((rows, columns), |(i, j)| entry(i, j)) }
    }

    /// The transpose, under the same name.
    fn transposed(&self) -> Self {
        Self { values: self.values.t().to_owned(), ..*self }
    }
}

#[cfg(test)]
mod tests;
