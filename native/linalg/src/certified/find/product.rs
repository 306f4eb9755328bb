//! Products in f64 of the approximate vectors.

use rayon::prelude::*;
use tomobasis_dense::multiply;

/// Columns of a piece of [`multiply_parallel`].
const COLUMNS_AT_ONCE: usize = 128;

/// [`multiply`] in pieces of a few columns of `b`, on the threads of the current pool. It feeds corrections
/// only, so its bits do not matter.
pub(super) fn multiply_parallel(x: &[f64], rows: usize, transpose: bool, b: &[f64]) -> Vec<f64> {
    let inner = if transpose { rows } else { x.len() / rows };
    b.par_chunks((COLUMNS_AT_ONCE * inner).max(1))
        .flat_map_iter(|b| multiply(x, rows, transpose, b))
        .collect()
}
