//! The certified SVD of a matrix of floats, from beginning to end.

use ndarray::{Array2, ArrayView2};

use crate::{
    Center, CertifiedSvd, Error, Rank, RealBlocks, RealProjector, centered_real_gram, certified_svd,
};

/// `s` and `V` of a matrix of floats, correctly rounded, and what gives `U` of its rows.
pub struct CertifiedRealSvd {
    /// Singular values and right singular vectors.
    pub svd: CertifiedSvd,
    projector: RealProjector,
}

impl CertifiedRealSvd {
    /// `U` of some rows of the matrix, rows x k. Each row is computed for itself, so any grouping of rows gives the same
    /// bits.
    ///
    /// # Errors
    /// Those of [`RealProjector::basis`].
    pub fn basis<T: Copy + Into<f64>>(&self, rows: ArrayView2<'_, T>) -> Result<Array2<f64>, Error> {
        self.projector.basis(rows)
    }
}

/// The leading singular triplets of a matrix of float64 or float32 values (or of integers of up to 32 bits), class
/// `certified`: its exact Gram matrix ([`real_gram`](crate::real_gram)), then [`certified_svd`]. Reads the matrix twice, on up to
/// `threads` threads.
///
/// A column may span 160 binary digits, from the lowest bit of any value to the highest, all columns together 256.
///
/// ```
/// use ndarray::{Array1, Array2, array};
/// use tomobasis_linalg::{Rank, certified_real_svd};
/// let a = array![[0.1, 1.0], [0.2, -1.0], [0.3, 0.5]];
/// let found = certified_real_svd(&a, Rank::Full, 2)?;
/// let u = found.basis(a.view())?;
/// let s = Array2::from_diag(&Array1::from(found.svd.s.clone()));
/// let rebuilt = u.dot(&s).dot(&found.svd.v.t());
/// assert!((rebuilt - a).iter().all(|difference| difference.abs() < 1e-15));
/// # Ok::<(), tomobasis_linalg::Error>(())
/// ```
///
/// # Errors
/// Those of [`real_gram`](crate::real_gram) and of [`certified_svd`].
pub fn certified_real_svd<B: RealBlocks>(
    blocks: &B,
    rank: Rank,
    threads: usize,
) -> Result<CertifiedRealSvd, B::Error> {
    certified_real_svd_centered(blocks, rank, None, threads)
}

/// [`certified_real_svd`] of the matrix without the means that `center` names, which are removed exactly.
///
/// ```
/// use tomobasis_linalg::{Center, Rank, certified_real_svd_centered};
/// // Nothing is left of equal columns, whatever they are.
/// let a = ndarray::array![[0.1, 0.1, 0.1], [1e20, 1e20, 1e20]];
/// assert_eq!(certified_real_svd_centered(&a, Rank::Full, Some(Center::Rows), 1)?.svd.rank, 0);
/// let found = certified_real_svd_centered(&a, Rank::Full, Some(Center::Columns), 1)?;
/// assert_eq!(found.svd.rank, 1);
/// assert!((found.basis(a.view())?[[0, 0]] + 0.5f64.sqrt()).abs() < 1e-15);
/// # Ok::<(), tomobasis_linalg::Error>(())
/// ```
///
/// # Errors
/// As [`certified_real_svd`].
pub fn certified_real_svd_centered<B: RealBlocks>(
    blocks: &B,
    rank: Rank,
    center: Option<Center>,
    threads: usize,
) -> Result<CertifiedRealSvd, B::Error> {
    let (gram, centering) = centered_real_gram(blocks, center, threads)?;
    let svd = certified_svd(&gram, rank, threads)?;
    let projector = RealProjector::centered(&svd, blocks.columns(), centering.as_ref())?;
    Ok(CertifiedRealSvd { svd, projector })
}
