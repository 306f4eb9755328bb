//! `U` and composites of a row block, in the defined order of operations.
//!
//! With `A` the rescaled block (rows x n), `V` the weights (n x k) and `s` the singular values:
//!
//! * `T = A V`: `T_ij` is one chain of fused multiply-adds over `l = 0, 1, .., n-1` from `+0.0`. Where `s_1 /
//!   s_j` exceeds [`COMPENSATE`](crate::COMPENSATE) it is instead the f64 nearest to an exact sum that takes
//!   `V`'s second word ([`exact`]), so that `U`'s columns stay orthogonal however small `s_j` is.
//! * `U_ij = T_ij / s_j`, one division.
//! * the composite of rank K, `C_K = T_K V_K^T` (= `U_K diag(s_K) V_K^T`): `C_ij` is one chain over `l = 0,
//!   .., K-1` of `T_il V_jl`. A chain of higher rank continues that of a lower one, so all ranks cost as much
//!   as the highest.
//!
//! Of a centered matrix ([`Projector::centered`]) `A` is each entry less its means, exact and rounded once; composites are of
//! the centered matrix.
//!
//! Each output depends on its own row of `A` only; blocks, tiles and threads can't change a bit.

mod exact;
mod real;

use crate::block::{RowBlock, contiguous_columns};
use crate::center::CenteredRows;
use crate::dispatch::dispatched;
use crate::tile::HEIGHT;
use crate::tile::chain::accumulate;
use crate::tile::packed::{PackedRows, Panels};
use crate::{Centering, CertifiedSvd, Error, Rescale};
use exact::ExactSums;
use ndarray::{
    Array2, Array3, ArrayView2, ArrayViewMut, ArrayViewMut2, ArrayViewMut3, CowArray, Dimension, Ix2,
};
pub use real::RealProjector;

/// Rows packed at a time: 96 rows of a few hundred columns stay in the second-level cache.
const GROUP: usize = 16 * HEIGHT;

/// `s` and `V` prepared for the block kernels. Immutable; shared by any number of threads.
pub struct Projector {
    n: usize,
    s: Vec<f64>,
    rescale: Vec<Rescale>,
    /// n x k.
    v: Array2<f64>,
    /// Panels of `V`, plain chains.
    plain: Panels,
    /// The columns with small singular values.
    exact: ExactSums,
    /// What removes means.
    centered: Option<CenteredRows>,
}

/// Singular values and right singular vectors, wherever they are kept: fields as in [`CertifiedSvd`].
#[derive(Clone, Copy, Debug)]
pub struct SvdView<'a> {
    /// Singular values, k.
    pub s: &'a [f64],
    /// `V`, n x k.
    pub v: ArrayView2<'a, f64>,
    /// Second words of `V`, same shape.
    pub v_low: ArrayView2<'a, f64>,
    /// Which columns take their second word, k.
    pub compensated: &'a [bool],
}

impl<'a> From<&'a CertifiedSvd> for SvdView<'a> {
    fn from(svd: &'a CertifiedSvd) -> Self {
        Self { s: &svd.s, v: svd.v.view(), v_low: svd.v_low.view(), compensated: &svd.compensated }
    }
}

impl Projector {
    /// Prepares singular triplets and one rescale per column (n).
    ///
    /// ```
    /// use ndarray::array;
    /// use tomobasis_linalg::{GramAccumulator, Projector, Rank, Rescale, certified_svd};
    /// let a = array![[3i16, 0], [4, 0], [0, 2]];
    /// let rescales = [Rescale::IDENTITY; 2];
    /// let mut sums = GramAccumulator::new(2)?;
    /// sums.add(a.view())?;
    /// let svd = certified_svd(&sums.finish(&rescales)?, Rank::Full, 1)?;
    /// let projector = Projector::new(&svd, &rescales)?;
    /// let t = projector.project(a.view())?;
    /// assert_eq!(projector.basis(t.view())?, array![[0.6, 0.0], [0.8, 0.0], [0.0, 1.0]]);
    /// # Ok::<(), tomobasis_linalg::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Dimensions`] when the shapes do not agree; [`Error::NotFinite`] for an entry of `V` or a singular value
    /// that is no number, or a singular value of zero; [`Error::Rescale`] and [`Error::RescaleRange`] for slopes and
    /// intercepts that can't be used.
    pub fn new<'a>(svd: impl Into<SvdView<'a>>, rescale: &[Rescale]) -> Result<Self, Error> {
        Self::centered(svd, rescale, None)
    }

    /// [`new`](Self::new) for the singular triplets of the matrix without the means that `centering` names.
    ///
    /// # Errors
    /// Those of [`new`](Self::new); [`Error::CenteringRange`].
    pub fn centered<'a>(
        svd: impl Into<SvdView<'a>>,
        rescale: &[Rescale],
        centering: Option<&Centering>,
    ) -> Result<Self, Error> {
        let view = svd.into();
        let (n, k) = (rescale.len(), view.s.len());
        check(&view, n)?;
        let SvdView { s, v, v_low, compensated } = view;
        rescale.iter().enumerate().try_for_each(|(j, r)| r.check(j))?;
        let small: Vec<usize> = (0..k).filter(|&j| compensated[j]).collect();
        Ok(Self {
            n,
            s: s.to_vec(),
            rescale: rescale.to_vec(),
            v: v.to_owned(),
            plain: Panels::new(n, k, |l, j| v[[l, j]]),
            exact: ExactSums::new(small, |l, j| (v[[l, j]], v_low[[l, j]]), rescale, centering)?,
            centered: centering.map(|centering| CenteredRows::new(centering, rescale)).transpose()?,
        })
    }

    /// Columns of `A`, n.
    pub fn columns(&self) -> usize {
        self.n
    }

    /// Basis vectors, k.
    pub fn rank(&self) -> usize {
        self.s.len()
    }

    /// `T = A V` of a block: rows x k from rows x n.
    ///
    /// # Errors
    /// [`Error::Columns`] for a block of another number of columns; [`Error::BlockRows`] for too many rows.
    pub fn project(&self, block: ArrayView2<i16>) -> Result<Array2<f64>, Error> {
        let mut t = Array2::zeros((block.nrows(), self.rank()));
        self.project_into(block, t.view_mut())?;
        Ok(t)
    }

    /// [`project`](Self::project) into an array of the caller's; no copy is made where it is in standard layout and
    /// the block's columns are contiguous.
    ///
    /// # Errors
    /// Those of [`project`](Self::project); [`Error::Dimensions`] unless `t` is rows x k.
    pub fn project_into(&self, block: ArrayView2<i16>, t: ArrayViewMut2<f64>) -> Result<(), Error> {
        self.expect_columns(block.ncols())?;
        Error::check_dimensions(t.shape(), &[block.nrows(), self.rank()])?;
        let block = contiguous_columns(block);
        let block = block.view();
        let block = RowBlock::new(&block)?;
        if self.rank() > 0 {
            fill(t, |t| project(self, block, t));
        }
        Ok(())
    }

    /// `U = T / s`, column by column: rows x k from rows x k.
    ///
    /// # Errors
    /// [`Error::Dimensions`] unless `t` has k columns.
    pub fn basis(&self, t: ArrayView2<f64>) -> Result<Array2<f64>, Error> {
        let mut u = Array2::zeros(t.raw_dim());
        self.basis_into(t, u.view_mut())?;
        Ok(u)
    }

    /// [`basis`](Self::basis) into an array of the caller's.
    ///
    /// # Errors
    /// [`Error::Dimensions`] unless `t` has k columns and `u` the shape of `t`.
    pub fn basis_into(&self, t: ArrayView2<f64>, u: ArrayViewMut2<f64>) -> Result<(), Error> {
        Error::check_dimensions(t.shape(), &[t.nrows(), self.rank()])?;
        Error::check_dimensions(u.shape(), t.shape())?;
        if self.rank() > 0 {
            let t = t.as_standard_layout();
            fill(u, |u| {
                for (u, t) in u.chunks_exact_mut(self.rank()).zip(rows_of(&t).chunks_exact(self.rank())) {
                    u.iter_mut().zip(t).zip(&self.s).for_each(|((u, t), s)| *u = t / s);
                }
            });
        }
        Ok(())
    }

    /// Composites (without the means that were removed) of the given ranks (ascending, at most k) for the given
    /// columns, from the block's `t` (rows x k): entry `[c, i, jj]` is row `i` of column `columns[jj]` at rank
    /// `ranks[c]`. Columns of a composite are contiguous.
    ///
    /// # Errors
    /// [`Error::RankRange`] for a rank above k or not in ascending order; [`Error::Columns`] for a column that does not
    /// exist; [`Error::Dimensions`] unless `t` has k columns.
    pub fn composites(
        &self,
        t: ArrayView2<f64>,
        ranks: &[usize],
        columns: &[usize],
    ) -> Result<Array3<f64>, Error> {
        let mut out = Array3::zeros((ranks.len(), columns.len(), t.nrows()));
        self.composites_into(t, ranks, columns, out.view_mut().permuted_axes([0, 2, 1]))?;
        Ok(out.permuted_axes([0, 2, 1]))
    }

    /// [`composites`](Self::composites) into an array of the caller's; no copy is made where `t` is in standard layout
    /// and `out` is stored composite by composite, column by column.
    ///
    /// # Errors
    /// Those of [`composites`](Self::composites); [`Error::Dimensions`] unless `out` is ranks x rows x columns.
    pub fn composites_into(
        &self,
        t: ArrayView2<f64>,
        ranks: &[usize],
        columns: &[usize],
        out: ArrayViewMut3<f64>,
    ) -> Result<(), Error> {
        let (rows, k) = (t.nrows(), self.rank());
        Error::check_dimensions(t.shape(), &[rows, k])?;
        Error::check_dimensions(out.shape(), &[ranks.len(), rows, columns.len()])?;
        if let Some(&rank) =
            ranks.iter().find(|&&r| r > k).or(ranks.windows(2).find(|w| w[0] > w[1]).map(|w| &w[1]))
        {
            return Err(Error::RankRange { rank, columns: k });
        }
        if let Some(&column) = columns.iter().find(|&&j| j >= self.n) {
            return Err(Error::Columns { expected: self.n, actual: column });
        }
        let t = t.as_standard_layout();
        let weights = Panels::new(k, columns.len(), |l, jj| self.v[[columns[jj], l]]);
        fill(out.permuted_axes([0, 2, 1]), |out| match k > 0 && !columns.is_empty() {
            true => composites(&weights, rows_of(&t), rows, ranks, out),
            false => out.fill(0.0),
        });
        Ok(())
    }

    /// The values (rescaled, with their means) of the given columns: rows x columns, stored column by column.
    ///
    /// # Errors
    /// [`Error::Columns`] for another number of columns, or a column that does not exist.
    pub fn originals(&self, block: ArrayView2<i16>, columns: &[usize]) -> Result<Array2<f64>, Error> {
        self.expect_columns(block.ncols())?;
        let mut out = Array2::zeros((columns.len(), block.nrows()));
        for (mut out, &j) in out.rows_mut().into_iter().zip(columns) {
            let rescale = self.rescale.get(j).ok_or(Error::Columns { expected: self.n, actual: j })?;
            out.zip_mut_with(&block.column(j), |out, &stored| *out = rescale.apply(stored));
        }
        Ok(out.reversed_axes())
    }

    /// The mean of each row of a block, rounded once; none unless it is removed.
    ///
    /// # Errors
    /// [`Error::Columns`] for a block of another number of columns.
    pub fn row_means(&self, block: ArrayView2<i16>) -> Result<Vec<f64>, Error> {
        self.expect_columns(block.ncols())?;
        let block = contiguous_columns(block);
        let block = block.view();
        let block = RowBlock::new(&block)?;
        Ok(self.centered.as_ref().map_or_else(Vec::new, |centered| centered.row_means(block)))
    }

    /// What is removed of each column besides the rows' means, rounded once: its mean, less that of all entries where rows'
    /// means are removed too; none where that is nothing.
    #[must_use]
    pub fn column_terms(&self) -> Vec<f64> {
        self.centered.as_ref().map_or_else(Vec::new, CenteredRows::column_terms)
    }

    fn expect_columns(&self, actual: usize) -> Result<(), Error> {
        if actual == self.n { Ok(()) } else { Err(Error::Columns { expected: self.n, actual }) }
    }

    #[inline(always)]
    fn project_body(&self, block: RowBlock, t: &mut [f64]) {
        let k = self.rank();
        let mut a = PackedRows::default();
        let mut real = [0.0; GROUP];
        let mut sums = Vec::new();
        for first in (0..block.rows()).step_by(GROUP) {
            let rows = GROUP.min(block.rows() - first);
            a.reset(rows, self.n);
            match &self.centered {
                Some(centered) => {
                    centered.entries(block, first, &mut real[..rows], |l, values| a.set_column(l, values));
                }
                None => {
                    for (l, rescale) in self.rescale.iter().enumerate() {
                        let stored = &block.column(l)[first..first + rows];
                        real.iter_mut().zip(stored).for_each(|(r, &v)| *r = rescale.apply(v));
                        a.set_column(l, &real[..rows]);
                    }
                }
            }
            let target = &mut t[first * k..(first + rows) * k];
            self.plain.reset(&mut sums, rows);
            accumulate(&a, &self.plain, 0..self.n, &mut sums);
            for (out, sums) in target.chunks_exact_mut(k).zip(sums.chunks_exact(self.plain.count())) {
                out.copy_from_slice(&sums.as_flattened()[..k]);
            }
            if !self.exact.is_empty() {
                for l in 0..self.n {
                    let stored = &block.column(l)[first..first + rows];
                    real.iter_mut().zip(stored).for_each(|(r, &v)| *r = f64::from(v));
                    a.set_column(l, &real[..rows]);
                }
                self.exact.project(&a, target, k, &mut sums);
            }
        }
    }
}

/// Refuses singular triplets that are not those of a matrix of n columns.
fn check(svd: &SvdView<'_>, n: usize) -> Result<(), Error> {
    let SvdView { s, v, v_low, compensated } = *svd;
    Error::check_dimensions(v.shape(), &[n, s.len()])?;
    Error::check_dimensions(v_low.shape(), &[n, s.len()])?;
    Error::check_dimensions(&[compensated.len()], &[s.len()])?;
    let finite = v.iter().chain(v_low).all(|v| v.is_finite()) && s.iter().all(|s| s.is_finite() && *s != 0.0);
    if finite { Ok(()) } else { Err(Error::NotFinite) }
}

#[inline(always)]
fn composites_body(weights: &Panels, t: &[f64], rows: usize, ranks: &[usize], out: &mut [f64]) {
    let (k, width) = (weights.depth, weights.width);
    let mut a = PackedRows::default();
    let mut sums = Vec::new();
    for first in (0..rows).step_by(GROUP) {
        let count = GROUP.min(rows - first);
        a.reset(count, k);
        for (r, row) in t[first * k..(first + count) * k].chunks_exact(k).enumerate() {
            for (l, &v) in row.iter().enumerate() {
                a.set(r, l, v);
            }
        }
        weights.reset(&mut sums, count);
        let mut from = 0;
        for (c, &rank) in ranks.iter().enumerate() {
            accumulate(&a, weights, from..rank, &mut sums);
            from = rank;
            for (r, row) in sums.chunks_exact(weights.count()).take(count).enumerate() {
                for (jj, &v) in row.as_flattened()[..width].iter().enumerate() {
                    out[(c * width + jj) * rows + first + r] = v;
                }
            }
        }
    }
}

/// Lets `write` fill an array in standard layout: the array itself where it is, else one that is copied into it.
fn fill<D: Dimension>(mut array: ArrayViewMut<f64, D>, write: impl FnOnce(&mut [f64])) {
    if let Some(values) = array.as_slice_mut() {
        return write(values);
    }
    let mut values = vec![0.0; array.len()];
    write(&mut values);
    array.iter_mut().zip(values).for_each(|(to, from)| *to = from);
}

/// The entries of an array in standard layout, row after row.
fn rows_of<'a>(array: &'a CowArray<f64, Ix2>) -> &'a [f64] {
    array.as_slice().expect("an array in standard layout")
}

dispatched! {
    fn project(p: &Projector, block: RowBlock, t: &mut [f64]) {
        p.project_body(block, t);
    }
}

dispatched! {
    fn composites(weights: &Panels, t: &[f64], rows: usize, ranks: &[usize], out: &mut [f64]) {
        composites_body(weights, t, rows, ranks, out);
    }
}

#[cfg(test)]
mod tests;
