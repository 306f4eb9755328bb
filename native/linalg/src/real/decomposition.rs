//! The result of the real-valued drivers.

use serde::{Deserialize, Serialize};

use super::matrix::Matrix;
use super::pass::sketched;
use super::scale::{Scaled, times_power_of_two};
use super::source::Size;
use super::svd::SmallSvd;
use super::tsqr;
use crate::Error;

/// The leading singular triplets of a real-valued matrix (m x n): `s` and `V`, and what gives `U` block by
/// block.
///
/// Holds `O(n k)` numbers per row block, and is immutable: any thread may ask for any block of `U`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct RealSvd {
    /// Singular values, k, descending.
    pub s: Vec<f64>,
    /// Weights `V`, n x k row-major. The entry of largest magnitude in a column (lowest index on ties) is
    /// positive.
    pub v: Vec<f64>,
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

/// [`RealSvd`] as it is read: its parts may not fit each other.
#[derive(Deserialize)]
#[serde(rename = "RealSvd")]
struct Stored {
    s: Vec<f64>,
    v: Vec<f64>,
    rank: usize,
    spectrum: Vec<f64>,
    energy: f64,
    size: Size,
    center: bool,
    range: Option<Matrix>,
    coefficients: Vec<Matrix>,
}

impl TryFrom<Stored> for RealSvd {
    type Error = Error;

    fn try_from(stored: Stored) -> Result<Self, Error> {
        let Stored { s, v, rank, spectrum, energy, size, center, range, coefficients } = stored;
        let wrong = |why| Err(Error::Bytes { what: "a decomposition", why });
        let k = s.len();
        if size.columns.checked_mul(k) != Some(v.len()) {
            return wrong("V is not n x k");
        }
        if range.as_ref().is_some_and(|w| w.rows() != size.columns) {
            return wrong("a sketch of other columns");
        }
        if coefficients.len() != size.blocks {
            return wrong("coefficients of other row blocks");
        }
        let fits = |(block, c): (usize, &Matrix)| c.columns() == k && c.rows() <= size.rows_of(block);
        if !coefficients.iter().enumerate().all(fits) {
            return wrong("coefficients of another shape");
        }
        Ok(Self { s, v, rank, spectrum, energy, size, center, range, coefficients })
    }
}

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
            v: svd.v.select(&kept).to_rows(),
            rank,
            spectrum,
            energy,
            size,
            center,
            range,
            coefficients: coefficients(svd.u.select(&kept)),
        })
    }

    /// The SVD of a matrix without rows.
    pub(super) fn of_nothing(size: Size, center: bool) -> Self {
        Self {
            s: vec![],
            v: vec![],
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
        let columns = self.s.len();
        if k < columns {
            let kept: Vec<usize> = (0..k).collect();
            self.s.truncate(k);
            self.v = self.v.chunks_exact(columns).flat_map(|row| &row[..k]).copied().collect();
            self.coefficients.iter_mut().for_each(|c| *c = c.select(&kept));
        }
        self
    }

    /// The rows of `U` in row block `block`, rows x k row-major, from the block's values, column-major as the
    /// source gives them.
    ///
    /// The block's factorization is computed again, by the same operations; on the calling thread.
    ///
    /// # Errors
    /// [`Error::Block`] for a block that does not exist; [`Error::Shape`] and [`Error::NotFiniteValue`] for
    /// other values than the driver read.
    pub fn basis(&self, block: usize, values: &[f64]) -> Result<Vec<f64>, Error> {
        self.leading_basis(block, values, self.s.len())
    }

    /// [`basis`](Self::basis), its first `k` columns alone (all where there are fewer); their bits do not
    /// depend on `k`.
    ///
    /// # Errors
    /// Those of [`basis`](Self::basis).
    pub fn leading_basis(&self, block: usize, values: &[f64], k: usize) -> Result<Vec<f64>, Error> {
        let blocks = self.size.blocks;
        let coefficients = self.coefficients.get(block).ok_or(Error::Block { block, blocks })?;
        let mut values = self.size.take(block, values, self.center)?;
        if let Some(w) = &self.range {
            values = sketched(&values, w);
        }
        let kept: Vec<usize> = (0..k.min(self.s.len())).collect();
        Ok(tsqr::leaf(values).0.apply(&coefficients.select(&kept)).to_rows())
    }

    /// The means of a block's rows, which were removed; none where nothing was. `values` as for
    /// [`basis`](Self::basis).
    ///
    /// # Errors
    /// Those of [`basis`](Self::basis).
    pub fn row_means(&self, block: usize, values: &[f64]) -> Result<Vec<f64>, Error> {
        if !self.center {
            return Ok(vec![]);
        }
        let Scaled { exponent, matrix } = self.size.take(block, values, false)?;
        Ok(matrix.row_means().into_iter().map(|mean| times_power_of_two(mean, exponent)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::real::source::MAX_COLUMNS;
    use crate::{BLOCK_ROWS, Randomized, Rank, RealMatrix, dssvd, tsqr_svd};

    fn stored(svd: &RealSvd) -> Stored {
        let RealSvd { s, v, rank, spectrum, energy, size, center, range, coefficients } = svd.clone();
        Stored { s, v, rank, spectrum, energy, size, center, range, coefficients }
    }

    #[test]
    fn a_decomposition_whose_parts_do_not_fit_each_other_is_refused_when_it_is_read() {
        let (rows, columns) = (BLOCK_ROWS + 3, 5);
        let values: Vec<f64> = (0..rows * columns).map(|at| ((at * at) % 101) as f64 - 50.0).collect();
        let a = RealMatrix::new(&values, rows, columns).unwrap();
        for svd in [
            tsqr_svd(&a, Rank::Columns(3), false, 1).unwrap(),
            dssvd(&a, &Randomized { oversample: 1, ..Randomized::new(3) }, 1).unwrap(),
        ] {
            assert_eq!(RealSvd::try_from(stored(&svd)).unwrap(), svd);
            let breaks: [fn(&mut Stored); 7] = [
                |svd| svd.s.truncate(2),
                |svd| svd.v.truncate(14),
                |svd| svd.size = Size::new(svd.size.rows, 6, MAX_COLUMNS).unwrap(),
                |svd| svd.range = Some(Matrix::zeros(4, 4)),
                |svd| svd.coefficients.truncate(1),
                |svd| svd.coefficients[0] = Matrix::zeros(5, 2),
                // The last block has three rows.
                |svd| svd.coefficients[1] = Matrix::zeros(4, 3),
            ];
            for (at, broken) in breaks.iter().enumerate() {
                let mut parts = stored(&svd);
                broken(&mut parts);
                let read = RealSvd::try_from(parts);
                assert!(matches!(read, Err(Error::Bytes { what: "a decomposition", .. })), "{at}: {read:?}");
            }
        }
    }
}
