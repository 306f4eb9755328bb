//! The result of the real-valued drivers.

use ndarray::{Array2, ArrayView2, s};
use serde::{Deserialize, Serialize};

use super::matrix::Matrix;
use super::pass::sketched;
use super::scale::Scaled;
use super::source::Size;
use super::svd::SmallSvd;
use super::tsqr;
use crate::Error;
use crate::bytes::checked_when_read;
use crate::rounding::times_power_of_two;

/// The leading singular triplets of a real-valued matrix (m x n): `s` and `V`, and what gives `U` block by
/// block.
///
/// Holds `O(n k)` numbers per row block, and is immutable: any thread may ask for any block of `U`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct RealSvd {
    /// Singular values, k, descending.
    pub s: Vec<f64>,
    /// Right singular vectors `V`, n x k. The entry of largest magnitude in a column (lowest index on ties) is
    /// positive.
    pub v: Array2<f64>,
    /// The numerical rank: singular values above `max(m, n) 2^-52 s_1`, and above what rounding of means that were removed
    /// can have added to them, among those that were computed.
    pub rank: usize,
    /// All singular values that were computed, those below the numerical rank too: `min(m, n)` by
    /// [`tsqr_svd`](crate::tsqr_svd), k + p by [`dssvd`](crate::dssvd).
    pub spectrum: Vec<f64>,
    /// `||A||_F^2`; infinite or zero where f64 can't hold it.
    pub energy: f64,
    size: Size,
    center: bool,
    /// n x (k + p): the matrix whose range was searched is `A W`; none for `A` itself.
    range: Option<Matrix>,
    /// For each block, `C_b` such that its rows of `U` are `Q_b C_b`.
    coefficients: Vec<Matrix>,
}

checked_when_read!(RealSvd);

/// What a driver knows when it is done, before the choice of rank.
pub(super) struct Parts {
    pub size: Size,
    pub center: bool,
    pub range: Option<Matrix>,
    /// `||A||_F^2`.
    pub energy: f64,
    /// `s` is over `2^exponent`.
    pub exponent: i32,
    /// What rounding of the means can have added to a singular value.
    pub removed: f64,
    /// `V` of the matrix, `s`, and `U` of the root of the tree.
    pub svd: SmallSvd,
}

impl RealSvd {
    /// Keeps the `k` leading triplets, fewer where the numerical rank is lower. `coefficients(u)` takes the
    /// small matrix's left singular vectors to those of each block.
    pub(super) fn new(
        parts: Parts,
        k: usize,
        coefficients: impl FnOnce(Matrix) -> Vec<Matrix>,
    ) -> Result<Self, Error> {
        let Parts { size, center, range, energy, exponent, removed, svd } = parts;
        let largest = svd.s.first().copied().unwrap_or(0.0);
        let threshold = size.rows.max(size.columns as u64) as f64 * f64::EPSILON * largest
            + times_power_of_two(removed, exponent.saturating_neg());
        let rank = svd.s.iter().take_while(|&&s| s > threshold).count();
        let spectrum: Vec<f64> = svd.s.iter().map(|&s| times_power_of_two(s, exponent)).collect();
        let k = k.min(rank);
        let s = spectrum[..k].to_vec();
        if let Some(column) = s.iter().position(|s| !s.is_normal()) {
            return Err(Error::SingularValueRange { column });
        }
        let kept: Vec<usize> = (0..k).collect();
        Ok(Self {
            s,
            v: svd.v.select(&kept).to_array(),
            rank,
            spectrum,
            energy,
            size,
            center,
            range,
            coefficients: coefficients(svd.u.select(&kept)),
        })
    }

    /// Refuses parts that do not fit each other, and numbers that no decomposition has.
    fn check(&self) -> Result<(), Error> {
        let wrong = |why| Err(Error::Bytes { what: "a decomposition", why });
        let (k, n) = (self.s.len(), self.size.columns);
        if self.v.dim() != (n, k) {
            return wrong("V is not n x k");
        }
        if self.range.as_ref().is_some_and(|w| w.rows() != n) {
            return wrong("a sketch of other columns");
        }
        if self.coefficients.len() != self.size.blocks {
            return wrong("coefficients of other row blocks");
        }
        let l = self.range.as_ref().map_or(n, Matrix::columns);
        let shape = |block| (self.size.rows_of(block).min(l), k);
        let fits = |(block, c): (usize, &Matrix)| (c.rows(), c.columns()) == shape(block);
        if !self.coefficients.iter().enumerate().all(fits) {
            return wrong("coefficients of another shape");
        }
        if !(k..=self.spectrum.len()).contains(&self.rank) || self.s != self.spectrum[..k] {
            return wrong("another rank");
        }
        let descending = self.spectrum.windows(2).all(|pair| pair[0] >= pair[1]);
        let positive = self.s.iter().all(|s| s.is_normal() && *s > 0.0);
        match descending && positive && self.v.iter().all(|v| v.is_finite()) && self.energy >= 0.0 {
            true => Ok(()),
            false => wrong("numbers that no decomposition has"),
        }
    }

    /// The SVD of a matrix without rows.
    pub(super) fn of_nothing(size: Size, center: bool) -> Self {
        Self {
            s: vec![],
            v: Array2::zeros((size.columns, 0)),
            rank: 0,
            spectrum: vec![],
            energy: 0.0,
            size,
            center,
            range: None,
            coefficients: vec![],
        }
    }

    /// The first `k` columns; their bits stay.
    #[must_use]
    pub fn leading(mut self, k: usize) -> Self {
        if k < self.s.len() {
            let kept: Vec<usize> = (0..k).collect();
            self.s.truncate(k);
            self.v = self.v.slice(s![.., ..k]).to_owned();
            self.coefficients.iter_mut().for_each(|c| *c = c.select(&kept));
        }
        self
    }

    /// The rows of `U` in row block `block`, rows x k, from the block's values, rows x n.
    ///
    /// The block's factorization is computed again, by the same operations; on the calling thread.
    ///
    /// # Errors
    /// [`Error::Block`] for a block that does not exist; [`Error::Rows`], [`Error::Columns`] and
    /// [`Error::NotFiniteValue`] for other values than the driver read.
    pub fn basis(&self, block: usize, values: ArrayView2<f64>) -> Result<Array2<f64>, Error> {
        self.leading_basis(block, values, self.s.len())
    }

    /// [`basis`](Self::basis), its first `k` columns alone (all where there are fewer); their bits do not
    /// depend on `k`.
    ///
    /// # Errors
    /// Those of [`basis`](Self::basis).
    pub fn leading_basis(
        &self,
        block: usize,
        values: ArrayView2<f64>,
        k: usize,
    ) -> Result<Array2<f64>, Error> {
        let blocks = self.size.blocks;
        let coefficients = self.coefficients.get(block).ok_or(Error::Block { block, blocks })?;
        let mut values = self.size.scaled(block, values, self.center)?;
        if let Some(w) = &self.range {
            values = sketched(&values, w);
        }
        let kept: Vec<usize> = (0..k.min(self.s.len())).collect();
        Ok(tsqr::leaf(values).0.apply(&coefficients.select(&kept)).to_array())
    }

    /// The means of a block's rows, which were removed; none where nothing was. `values` as for
    /// [`basis`](Self::basis).
    ///
    /// # Errors
    /// Those of [`basis`](Self::basis).
    pub fn row_means(&self, block: usize, values: ArrayView2<f64>) -> Result<Vec<f64>, Error> {
        if !self.center {
            return Ok(vec![]);
        }
        let Scaled { exponent, matrix } = self.size.scaled(block, values, false)?;
        Ok(matrix.row_means().into_iter().map(|mean| times_power_of_two(mean, exponent)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::real::source::MAX_COLUMNS;
    use crate::{BLOCK_ROWS, Randomized, Rank, column_major, dssvd, tsqr_svd};

    #[test]
    fn a_decomposition_whose_parts_do_not_fit_each_other_is_refused_when_it_is_read() {
        let (rows, columns) = (BLOCK_ROWS + 3, 5);
        let values: Vec<f64> = (0..rows * columns).map(|at| ((at * at) % 101) as f64 - 50.0).collect();
        let a = column_major(&values, rows, columns).unwrap();
        for svd in [
            tsqr_svd(&a, Rank::Columns(3), false, 1).unwrap(),
            dssvd(&a, &Randomized { oversample: 1, ..Randomized::new(3) }, 1).unwrap(),
        ] {
            let read = |svd: &RealSvd| rmp_serde::from_slice::<RealSvd>(&rmp_serde::to_vec(svd).unwrap());
            assert_eq!(read(&svd).unwrap(), svd);
            let breaks: [fn(&mut RealSvd); 11] = [
                |svd| svd.s.truncate(2),
                |svd| svd.v = Array2::zeros((5, 2)),
                |svd| svd.size = Size::new(svd.size.rows, 6, MAX_COLUMNS).unwrap(),
                |svd| svd.range = Some(Matrix::zeros(4, 4)),
                |svd| svd.coefficients.truncate(1),
                |svd| svd.coefficients[0] = Matrix::zeros(5, 2),
                // The last block has three rows.
                |svd| svd.coefficients[1] = Matrix::zeros(4, 3),
                |svd| svd.rank = 2,
                |svd| svd.s[1] = svd.s[0],
                |svd| svd.spectrum.truncate(2),
                |svd| svd.v[[0, 0]] = f64::NAN,
            ];
            for (at, broken) in breaks.iter().enumerate() {
                let mut changed = svd.clone();
                broken(&mut changed);
                let error = read(&changed).expect_err(&format!("{at}")).to_string();
                assert!(error.contains("not the bytes of a decomposition"), "{at}: {error}");
            }
        }
    }
}
