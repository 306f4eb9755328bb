//! What the tests of several drivers measure.

use ndarray::{Array2, ArrayView2};

/// `|I - X^T X|_F`.
pub fn loss(x: ArrayView2<f64>) -> f64 {
    let difference = x.t().dot(&x) - Array2::<f64>::eye(x.ncols());
    difference.iter().map(|d| d * d).sum::<f64>().sqrt()
}
