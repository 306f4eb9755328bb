//! What gives `T`, `U` and composites of a row block, whichever method found `s` and `V`.
//!
//! | class | `T` | `U` | composite of rank K |
//! |---|---|---|---|
//! | `certified` | `A V`, in the defined order | `T / s` | `T_K V_K^T`, plus the means |
//! | `fixed` | `U diag(s)` | from the tree's factors | `T_K V_K^T`, plus the means |
//!
//! `A` is without the means that the method removed, if any: each row's, each column's or both ([`Means`]). Either way `T = U diag(s)` up to rounding, and a composite is `U_K diag(s_K) V_K^T`: what it leaves out is then
//! `||A||_F^2 - s_1^2 - .. - s_K^2` for the randomized methods too, which `A V_K V_K^T` would not be.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2, ArrayViewMut2, ArrayViewMut3, s};
use tomobasis_linalg::{Projector, RealProjector, SvdView, column_major};

use crate::{
    error::{Error, Result},
    input::{Numbers, layout::rescale_of},
    solve::{
        decomposition::Decomposition,
        factors::{Certified, Factors},
    },
};

/// Computes `T`, `U` and composites of row blocks; shared by all threads.
pub(crate) struct BlockFactors {
    decomposition: Arc<Decomposition>,
    projector: Projector,
    /// Of a matrix of floats in class `certified`.
    real_projector: Option<RealProjector>,
    columns: Vec<usize>,
    /// What is removed of each slice besides the rows' means; none where that is nothing.
    column_terms: Vec<f64>,
}

/// What the method removed from the entries of a row block.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Means<'a> {
    /// Of each row; none where it is nothing.
    pub rows: &'a [f64],
    /// Of each slice of the scan besides; none where it is nothing.
    pub columns: &'a [f64],
}

impl BlockFactors {
    /// Prepares for the first `k` columns. Each is for itself, so their bits are those of the whole.
    pub(crate) fn new(decomposition: Arc<Decomposition>, k: usize) -> Result<Self> {
        let (n, k) = (decomposition.columns(), k.min(decomposition.rank()));
        let rank = decomposition.rank();
        let leading = |matrix| Ok::<_, Error>(row_major(matrix, rank)?.slice_move(s![.., ..k]));
        let none = (Array2::zeros((n, k)), vec![false; k]);
        let (v_low, compensated) = match decomposition.factors.certified() {
            Some(factors) => (leading(&factors.v_low)?, &factors.compensated[..k]),
            None => (none.0.view(), &none.1[..]),
        };
        let (s, v) = (&decomposition.s[..k], leading(&decomposition.v)?);
        let certified = decomposition.factors.certified();
        let stored = certified.and_then(Certified::stored_centering);
        let rescale = rescale_of(&decomposition.plan);
        let svd = SvdView { s, v, v_low, compensated };
        let projector = Projector::centered(svd, &rescale, stored)?;
        let real_projector = match (decomposition.numbers, certified) {
            (Numbers::Real, Some(certified)) => {
                Some(RealProjector::centered(svd, n, certified.real_centering())?)
            }
            _ => None,
        };
        let column_terms = match &real_projector {
            Some(projector) => projector.column_terms(),
            None => projector.column_terms(),
        };
        Ok(Self { projector, real_projector, columns: (0..n).collect(), column_terms, decomposition })
    }

    /// All columns of the matrix.
    pub(crate) fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// Columns that are computed.
    pub(crate) fn rank(&self) -> usize {
        self.projector.rank()
    }

    /// `T` and `U` of a block, rows x rank, row-major.
    pub(crate) fn basis(
        &self,
        block: u32,
        input: ArrayView2<'_, i16>,
        t: &mut Vec<f64>,
        u: &mut Vec<f64>,
    ) -> Result<()> {
        match &self.decomposition.factors {
            Factors::Certified(_) => {
                let mut t = overwritten(t, input.nrows(), self.rank())?;
                self.projector.project_into(input, t.view_mut())?;
                self.projector.basis_into(t.view(), overwritten(u, input.nrows(), self.rank())?)?;
            }
            Factors::Fixed(svd) => {
                let values = self.projector.originals(input, &self.columns)?;
                let basis = svd.leading_basis(block as usize, values.view(), self.rank())?;
                *u = basis.into_raw_vec_and_offset().0;
                t.clear();
                for row in u.chunks_exact(self.rank().max(1)) {
                    t.extend(row.iter().zip(&self.decomposition.s).map(|(u, s)| u * s));
                }
            }
        }
        Ok(())
    }

    /// `U` of a block of floats, slice after slice.
    pub(crate) fn basis_of_floats(
        &self,
        block: u32,
        values: &[f64],
        rows: usize,
        u: &mut Vec<f64>,
    ) -> Result<()> {
        let values = column_major(values, rows, self.columns.len())?;
        let basis = match (&self.decomposition.factors, &self.real_projector) {
            (Factors::Fixed(svd), _) => svd.leading_basis(block as usize, values, self.rank())?,
            (Factors::Certified(_), Some(projector)) => projector.basis(values)?,
            (Factors::Certified(_), None) => {
                return Err(Error::Internal("a block of floats of a scan".to_owned()));
            }
        };
        *u = basis.into_raw_vec_and_offset().0;
        Ok(())
    }

    /// `T` alone.
    pub(crate) fn project(&self, block: u32, input: ArrayView2<'_, i16>, t: &mut Vec<f64>) -> Result<()> {
        match &self.decomposition.factors {
            Factors::Certified(_) => {
                let t = overwritten(t, input.nrows(), self.rank())?;
                Ok(self.projector.project_into(input, t)?)
            }
            Factors::Fixed(_) => self.basis(block, input, t, &mut Vec::new()),
        }
    }

    /// The block's values of some slices, in HU: rows x slices.
    pub(crate) fn originals(&self, input: ArrayView2<'_, i16>, slices: &[usize]) -> Result<Array2<f64>> {
        Ok(self.projector.originals(input, slices)?)
    }

    /// The means that the method removed from the block's rows; none where it removed none.
    pub(crate) fn row_means(&self, block: u32, input: ArrayView2<'_, i16>) -> Result<Vec<f64>> {
        match &self.decomposition.factors {
            Factors::Certified(_) => Ok(self.projector.row_means(input)?),
            Factors::Fixed(svd) if self.decomposition.options.method.center().is_some() => {
                Ok(svd.row_means(block as usize, self.originals(input, &self.columns)?.view())?)
            }
            Factors::Fixed(_) => Ok(Vec::new()),
        }
    }

    /// The same of a block of floats.
    pub(crate) fn row_means_of_floats(&self, block: u32, values: &[f64], rows: usize) -> Result<Vec<f64>> {
        let values = column_major(values, rows, self.columns.len())?;
        match (&self.decomposition.factors, &self.real_projector) {
            (Factors::Fixed(svd), _) if self.decomposition.options.method.center().is_some() => {
                Ok(svd.row_means(block as usize, values)?)
            }
            (Factors::Certified(_), Some(projector)) => Ok(projector.row_means(values)?),
            _ => Ok(Vec::new()),
        }
    }

    /// Composites of the given ranks (ascending) and slices, from some rows of `T` and the means of these rows:
    /// `out[(c * slices.len() + j) * rows + i]` is row `i` of slice `slices[j]` at rank `ranks[c]`.
    pub(crate) fn composites(
        &self,
        (t, row_means): (&[f64], &[f64]),
        rows: usize,
        ranks: &[usize],
        slices: &[usize],
        out: &mut Vec<f64>,
    ) -> Result<()> {
        composites(&self.projector, (t, rows), ranks, slices, out)?;
        Means { rows: row_means, columns: &self.column_terms }.add_to(out, rows, slices);
        Ok(())
    }
}

/// A matrix that is stored row by row.
pub(crate) fn row_major<T>(values: &[T], columns: usize) -> Result<ArrayView2<'_, T>> {
    Ok(ArrayView2::from_shape((values.len() / columns.max(1), columns), values)?)
}

/// A buffer as a matrix of `rows x k`, all of which is to be overwritten: what it held before is not cleared.
fn overwritten(buffer: &mut Vec<f64>, rows: usize, k: usize) -> Result<ArrayViewMut2<'_, f64>> {
    buffer.resize(rows * k, 0.0);
    Ok(ArrayViewMut2::from_shape((rows, k), buffer)?)
}

/// Composites of the given ranks (ascending) and slices, without means, from some rows of `T`, stored row by row:
/// `out[(c * slices.len() + j) * rows + i]` is row `i` of slice `slices[j]` at rank `ranks[c]`.
pub(crate) fn composites(
    projector: &Projector,
    (t, rows): (&[f64], usize),
    ranks: &[usize],
    slices: &[usize],
    out: &mut Vec<f64>,
) -> Result<()> {
    out.resize(ranks.len() * slices.len() * rows, 0.0);
    let out = ArrayViewMut3::from_shape((ranks.len(), slices.len(), rows), out)?.permuted_axes([0, 2, 1]);
    let t = ArrayView2::from_shape((rows, projector.rank()), t)?;
    Ok(projector.composites_into(t, ranks, slices, out)?)
}

impl Means<'_> {
    /// Adds the means to composites, of which `composites[(c * slices.len() + j) * rows + i]` is row `i` of slice `slices[j]`: the
    /// row's first, then the slice's.
    pub(crate) fn add_to(self, composites: &mut [f64], rows: usize, slices: &[usize]) {
        for (column, slice) in composites.chunks_exact_mut(rows.max(1)).zip(slices.iter().cycle()) {
            column.iter_mut().zip(self.rows).for_each(|(value, mean)| *value += mean);
            if let Some(term) = self.columns.get(*slice) {
                column.iter_mut().for_each(|value| *value += term);
            }
        }
    }
}
