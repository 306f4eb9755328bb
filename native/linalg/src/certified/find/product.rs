//! Products in f64 of the approximate vectors.

use rayon::prelude::*;
use tomobasis_dense::{multiply, multiply_rows};

/// Columns of `b`, or rows of the product where there are fewer of them, in a piece of [`multiply_parallel`].
const COLUMNS_AT_ONCE: usize = 128;
const ROWS_AT_ONCE: usize = 512;

/// [`multiply`] in pieces on the threads of the current pool. It feeds corrections only, so its bits do not matter; but
/// the pieces do not depend on the number of threads.
pub(super) fn multiply_parallel(x: &[f64], rows: usize, transpose: bool, b: &[f64]) -> Vec<f64> {
    let columns = x.len() / rows;
    let (inner, outer) = if transpose { (rows, columns) } else { (columns, rows) };
    let width = b.len() / inner.max(1);
    if width >= 2 * COLUMNS_AT_ONCE || outer <= ROWS_AT_ONCE {
        let piece = (COLUMNS_AT_ONCE * inner).max(1);
        return b.par_chunks(piece).flat_map_iter(|b| multiply(x, rows, transpose, b)).collect();
    }
    let firsts: Vec<usize> = (0..outer).step_by(ROWS_AT_ONCE).collect();
    let piece = |&first: &usize| {
        let last = (first + ROWS_AT_ONCE).min(outer);
        match transpose {
            true => multiply(&x[first * rows..last * rows], rows, true, b),
            false => multiply_rows(x, rows, first..last, b),
        }
    };
    let pieces: Vec<Vec<f64>> = firsts.par_iter().map(piece).collect();
    let mut out = Vec::with_capacity(outer * width);
    for j in 0..width {
        for piece in &pieces {
            let height = piece.len() / width;
            out.extend_from_slice(&piece[j * height..(j + 1) * height]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_rows_and_of_columns_make_the_whole_product() {
        let value = |at: usize| ((at * 7919) % 31) as f64 - 15.0;
        for (rows, columns, width) in [(1100, 3, 2), (3, 1100, 2), (1, 1, 300), (2, 600, 0)] {
            let x: Vec<f64> = (0..rows * columns).map(value).collect();
            for transpose in [false, true] {
                let (inner, outer) = if transpose { (rows, columns) } else { (columns, rows) };
                let b: Vec<f64> = (0..inner * width).map(|at| value(at + 5)).collect();
                let entry = |i: usize, l: usize| if transpose { x[i * rows + l] } else { x[l * rows + i] };
                let expected: Vec<f64> = (0..width * outer)
                    .map(|at| (0..inner).map(|l| entry(at % outer, l) * b[at / outer * inner + l]).sum())
                    .collect();
                assert_eq!(multiply_parallel(&x, rows, transpose, &b), expected);
            }
        }
    }
}
