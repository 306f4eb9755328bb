//! The QR factorization itself, of which the other drivers take what they need.

use ndarray::{Array2, ArrayView2, ShapeBuilder};
use rayon::prelude::*;

use super::matrix::Matrix;
use super::source::{MAX_SQUARE, Size};
use super::tsqr::{self, Reduction};
use crate::Error;
use crate::gram::RealBlocks;
use crate::rounding::times_power_of_two;

/// `A = Q R` (m x n): `R`, and what gives `Q` block by block. Made by [`tsqr_qr`].
pub struct RealQr {
    /// `R`, `min(m, n) x n`, upper trapezoidal; no entry of its diagonal is negative. Infinite or zero where f64 can't hold an
    /// entry.
    pub r: Array2<f64>,
    size: Size,
    /// For each block, `C_b` such that its rows of `Q` are the block's own `Q_b C_b`.
    coefficients: Vec<Matrix>,
}

/// The QR factorization of a tall matrix by Householder reflections along the canonical tree, as in
/// [`tsqr_svd`](crate::tsqr_svd): backward stable, and `Q` orthogonal to working precision, at any condition number. The
/// bits depend on the matrix alone.
///
/// ```
/// use tomobasis_linalg::tsqr_qr;
/// let a = ndarray::array![[3.0, 1.0], [4.0, 2.0], [0.0, 2.0]];
/// let qr = tsqr_qr(&a, 1)?;
/// let rebuilt = qr.q(0, a.view())?.dot(&qr.r);
/// assert!((rebuilt - a).iter().all(|difference| difference.abs() < 1e-14));
/// # Ok::<(), tomobasis_linalg::Error>(())
/// ```
///
/// # Errors
/// Those of the source; of [`Error`] `ColumnCount` for more than 16,384 columns or none, `TooManyRows`, `NotFiniteValue`,
/// `Threads`.
pub fn tsqr_qr<S: RealBlocks>(source: &S, threads: usize) -> Result<RealQr, S::Error> {
    let size = Size::new(source.rows(), source.columns(), MAX_SQUARE)?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .build()
        .map_err(|e| Error::Threads(e.to_string()))?;
    pool.install(|| {
        // 1. R of each block, combined along the tree.
        let reduction = Reduction::default();
        (0..size.blocks).into_par_iter().try_for_each(|block| {
            let mut values = Array2::zeros((size.rows_of(block), size.columns).f());
            source.read(block, values.view_mut())?;
            let scaled = size.scaled(block, values.view(), false)?;
            Ok::<_, S::Error>(reduction.add(block, tsqr::leaf(scaled).1)?)
        })?;
        let Some(reduced) = reduction.finish()? else {
            return Ok(RealQr { r: Array2::zeros((0, size.columns)), size, coefficients: vec![] });
        };
        // 2. The signs that make the diagonal of R positive, of which there is one choice; down the tree with them.
        let root = &reduced.root.matrix;
        let sign = |i: usize| if root.get(i, i) < 0.0 { -1.0 } else { 1.0 };
        let signs = Matrix::from_fn(root.rows(), root.rows(), |i, j| if i == j { sign(i) } else { 0.0 });
        let entry = |(i, j)| match i <= j {
            true => times_power_of_two(sign(i) * root.get(i, j), reduced.root.exponent),
            false => 0.0,
        };
        let r = Array2::from_shape_fn((root.rows(), root.columns()), entry);
        Ok(RealQr { r, size, coefficients: reduced.coefficients(signs) })
    })
}

impl RealQr {
    /// The rows of `Q` in row block `block`, rows x min(m, n), from the block's values, rows x n; on the calling thread.
    ///
    /// # Errors
    /// [`Error::Block`] for a block that does not exist; [`Error::Rows`], [`Error::Columns`] and
    /// [`Error::NotFiniteValue`] for other values than the driver read.
    pub fn q(&self, block: usize, values: ArrayView2<f64>) -> Result<Array2<f64>, Error> {
        let blocks = self.size.blocks;
        let coefficients = self.coefficients.get(block).ok_or(Error::Block { block, blocks })?;
        let scaled = self.size.scaled(block, values, false)?;
        Ok(tsqr::leaf(scaled).0.apply(coefficients).to_array())
    }
}
