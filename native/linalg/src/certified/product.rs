//! Products in f64 of the approximate vectors.

use rayon::prelude::*;
use tomobasis_dense::multiply;

/// Columns of a piece of [`multiply_parallel`].
const COLUMNS_AT_ONCE: usize = 32;

/// [`multiply`] in pieces of a few columns of `b`, on the threads of the current pool. It feeds corrections
/// and bounds only, so its bits do not matter.
pub(super) fn multiply_parallel(x: &[f64], transpose: bool, b: &[f64], n: usize) -> Vec<f64> {
    b.par_chunks(COLUMNS_AT_ONCE * n).flat_map_iter(|b| multiply(x, transpose, b, n)).collect()
}
