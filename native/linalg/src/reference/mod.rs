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

pub use score::{Columns, Digits, Factors, Score};
pub use truth::Truth;

/// A matrix whose singular value decomposition is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// What it is called: lower-case letters and hyphens.
    pub name: &'static str,
    /// What it is and why it is hard, in one line.
    pub about: &'static str,
    /// m.
    pub rows: usize,
    /// n.
    pub columns: usize,
    /// The entries, exactly: `values[j * rows + i]` is row `i` of column `j`.
    pub values: Vec<f64>,
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
        let values = (0..columns).flat_map(|j| (0..rows).map(move |i| (i, j))).map(|(i, j)| entry(i, j));
        Self { name, about, rows, columns, values: values.collect() }
    }

    /// The entries row after row.
    #[must_use]
    pub fn row_major(&self) -> Vec<f64> {
        let places = (0..self.rows).flat_map(|i| (0..self.columns).map(move |j| j * self.rows + i));
        places.map(|at| self.values[at]).collect()
    }

    /// The transpose, under the same name.
    fn transposed(&self) -> Self {
        Self { rows: self.columns, columns: self.rows, values: self.row_major(), ..*self }
    }
}

#[cfg(test)]
mod tests;
