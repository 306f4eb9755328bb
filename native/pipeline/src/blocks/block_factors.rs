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

use ndarray::{ArrayView2, ShapeBuilder as _};
use tomobasis_linalg::{Projector, RealProjector, RowBlock, SvdView};

use crate::{
    error::{Error, Result},
    input::layout::rescale_of,
    solve::{decomposition::Decomposition, factors::Factors},
};

/// Computes `T`, `U` and composites of row blocks; shared by all threads.
pub(crate) struct BlockFactors {
    decomposition: Arc<Decomposition>,
    projector: Projector,
    /// Of a matrix of floats.
    of_floats: Option<RealProjector>,
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
        let (v_low, compensated) = match decomposition.factors.certified() {
            Some(factors) => {
                (decomposition.leading_columns(&factors.v_low, k), factors.compensated[..k].to_vec())
            }
            None => (vec![0.0; n * k], vec![false; k]),
        };
        let (s, v) = (&decomposition.s[..k], decomposition.leading_weights(k));
        let centering = decomposition.factors.certified().and_then(|factors| factors.centering.as_ref());
        let rescale = rescale_of(&decomposition.plan);
        let svd = SvdView { s, v: &v, v_low: &v_low, compensated: &compensated };
        let projector = Projector::centered(svd, &rescale, centering)?;
        let floats = decomposition.factors.certified().is_some_and(|factors| factors.floats);
        let of_floats = floats.then(|| RealProjector::new(svd, n)).transpose()?;
        let column_terms = projector.column_terms();
        Ok(Self { decomposition, projector, of_floats, columns: (0..n).collect(), column_terms })
    }

    /// Columns that are computed.
    pub(crate) fn rank(&self) -> usize {
        self.projector.rank()
    }

    /// `T` and `U` of a block, rows x rank, row-major.
    pub(crate) fn basis(
        &self,
        block: u32,
        input: RowBlock<'_>,
        t: &mut Vec<f64>,
        u: &mut Vec<f64>,
    ) -> Result<()> {
        match &self.decomposition.factors {
            Factors::Certified(_) => {
                self.projector.project(input, t)?;
                self.projector.basis(t, u);
            }
            Factors::Fixed(svd) => {
                let values = self.originals(input, &self.columns)?;
                *u = svd.leading_basis(block as usize, &values, self.rank())?;
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
        *u = match (&self.decomposition.factors, &self.of_floats) {
            (Factors::Fixed(svd), _) => svd.leading_basis(block as usize, values, self.rank())?,
            (Factors::Certified(_), Some(projector)) => {
                let values = ArrayView2::from_shape((rows, self.columns.len()).f(), values)
                    .map_err(|error| Error::Internal(format!("an array of another size ({error})")))?;
                projector.basis(values)?.into_raw_vec_and_offset().0
            }
            (Factors::Certified(_), None) => {
                return Err(Error::Internal("a block of floats of a scan".to_owned()));
            }
        };
        Ok(())
    }

    /// `T` alone.
    pub(crate) fn project(&self, block: u32, input: RowBlock<'_>, t: &mut Vec<f64>) -> Result<()> {
        match &self.decomposition.factors {
            Factors::Certified(_) => Ok(self.projector.project(input, t)?),
            Factors::Fixed(_) => self.basis(block, input, t, &mut Vec::new()),
        }
    }

    /// The block's values of some slices, in HU, slice-major.
    pub(crate) fn originals(&self, input: RowBlock<'_>, slices: &[usize]) -> Result<Vec<f64>> {
        let mut values = Vec::new();
        self.projector.originals(input, slices, &mut values)?;
        Ok(values)
    }

    /// The means that the method removed from the block's rows; none where it removed none.
    pub(crate) fn row_means(&self, block: u32, input: RowBlock<'_>) -> Result<Vec<f64>> {
        match &self.decomposition.factors {
            Factors::Certified(_) => Ok(self.projector.row_means(input)?),
            Factors::Fixed(svd) if self.decomposition.options.method.center().is_some() => {
                Ok(svd.row_means(block as usize, &self.originals(input, &self.columns)?)?)
            }
            Factors::Fixed(_) => Ok(Vec::new()),
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
        self.projector.composites(t, rows, ranks, slices, out)?;
        Means { rows: row_means, columns: &self.column_terms }.add_to(out, rows, slices);
        Ok(())
    }
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
