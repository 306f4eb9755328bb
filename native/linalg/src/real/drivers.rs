//! The drivers over a source in this process: [`tsqr_svd`] for the whole SVD, [`dssvd`] and [`dspca`] for its
//! leading part.

use super::decomposition::RealSvd;
use super::passes::{RealPasses, run};
use super::randomized::Randomized;
use crate::gram::RealBlocks;
use crate::rank::Rank;

/// The whole thin SVD, or its `rank` leading triplets, by QR along the canonical tree and the SVD of the last
/// `R`.
///
/// `center` removes each row's mean first. Backward stable: singular values are off by at most a
/// small multiple of `2^-53 s_1`, and `U` and `V` are orthogonal to working precision, at any condition
/// number. Two passes over the source, this one and that for `U` ([`RealSvd::basis`]); `2 m n^2` operations
/// here, `2 m n^2 + 4 m n k` for `U`. Memory: one block and its factors (4096 x n, twice) per thread, 2n x n
/// for each block, n x k for each block.
///
/// ```
/// use tomobasis_linalg::{Rank, tsqr_svd};
/// let a = ndarray::array![[3.0, 0.0], [4.0, 0.0], [0.0, 2.0]];
/// let svd = tsqr_svd(&a, Rank::Full, false, 1)?;
/// let u = svd.basis(0, a.view())?;
/// assert!((svd.s[0] - 5.0).abs() < 1e-15 && (u[[0, 0]] - 0.6).abs() < 1e-15);
/// # Ok::<(), tomobasis_linalg::Error>(())
/// ```
///
/// # Errors
/// Those of the source; of [`Error`](crate::Error) `ColumnCount` for more than 16,384 columns (an n x n matrix within
/// 2 GiB) or none, `TooManyRows` for sizes that can't be addressed, `RankRange` for a rank of zero or above n, `NotFiniteValue` for NaN or infinity,
/// `SingularValueRange` where f64 can't hold a singular value, `NoConvergence`, `Threads`.
pub fn tsqr_svd<S: RealBlocks>(
    source: &S,
    rank: Rank,
    center: bool,
    threads: usize,
) -> Result<RealSvd, S::Error> {
    run(source, RealPasses::tsqr(source.rows(), source.columns(), rank, center)?, threads)
}

/// The `k` leading singular triplets, nearly, of the source's matrix (m x n).
///
/// ```text
/// 1. W = random n x l, of signs; l = k + p
/// 2. q + 1 times:  a. Y = A W,  Q R = Y    b. B = Q^T A    c. W = an orthonormal basis of B's rows
/// 3. Y = A W,  Q R = Y    4. R = U_R diag(s) V_R^T    5. U = Q U_R,  V = W V_R
/// ```
///
/// (Halko, Martinsson and Tropp 2011, algorithms 4.4 and 5.1; Mahout's `dssvd`. Where Mahout decomposes `B`, step 3 asks once
/// more for the range, which halves the digits that are wrong.)
///
/// ```
/// use tomobasis_linalg::{Randomized, dssvd};
/// // Rank 2: nothing is left out.
/// let a = ndarray::Array2::from_shape_fn((50, 20), |(i, j)| (i * j) as f64 + (i as f64 - 3.0));
/// let svd = dssvd(&a, &Randomized { oversample: 5, ..Randomized::new(2) }, 1)?;
/// let left = (svd.energy - svd.s.iter().map(|s| s * s).sum::<f64>()).abs();
/// assert!(left < 1e-12 * svd.energy);
/// # Ok::<(), tomobasis_linalg::Error>(())
/// ```
///
/// The error in `s` and the residual are at most those of Halko et al. (theorem 10.6 bounds the expected
/// residual). Memory: one block per thread, n x (k + p), and 3 (k + p) x (k + p) for each block. The bits
/// depend on the matrix and the parameters alone.
///
/// # Errors
/// Those of [`tsqr_svd`], but up to 65,536 columns (a row block within 2 GiB) are taken; ranks from 1 to `min(m, n)`.
pub fn dssvd<S: RealBlocks>(source: &S, options: &Randomized, threads: usize) -> Result<RealSvd, S::Error> {
    run(source, RealPasses::randomized(source.rows(), source.columns(), options, false)?, threads)
}

/// The `k` leading principal components, nearly: [`dssvd`] of the matrix without its mean column, which is removed row by row as blocks are read.
///
/// ```
/// use tomobasis_linalg::{Randomized, dspca};
/// // Two equal columns and their negative: less the rows' means, one component.
/// let a = ndarray::array![[1.0, 1.0, -2.0], [3.0, 3.0, 0.0], [7.0, 7.0, 4.0]];
/// let components = dspca(&a, &Randomized::new(2), 1)?;
/// assert_eq!(components.rank, 1);
/// # Ok::<(), tomobasis_linalg::Error>(())
/// ```
///
/// # Errors
/// Those of [`dssvd`].
pub fn dspca<S: RealBlocks>(source: &S, options: &Randomized, threads: usize) -> Result<RealSvd, S::Error> {
    run(source, RealPasses::randomized(source.rows(), source.columns(), options, true)?, threads)
}
