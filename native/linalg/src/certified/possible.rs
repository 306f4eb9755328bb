//! Whether a matrix can be `A^T A` at all. All proofs of [`check`](super::check) take that for granted, and sums that come from
//! elsewhere may be those of no rows.
//!
//! Two things are looked at, each of which refuses nothing but what is impossible:
//!
//! 1. *No eigenvalue is negative.* With `H = G 2^-bits` and `B = H + sigma I` in float64: Cholesky's algorithm runs to its end on a
//!    matrix of order n whose least eigenvalue is above `n (n + 2) u max_i B_ii` (Demmel 1989; Higham 2002, theorem 10.7),
//!    `u = 2^-53`. `sigma` is four times that, which covers factorizations that multiply by reciprocals, and what `H` in float64 is
//!    off by. If the algorithm does not run to its end, `H` has a negative eigenvalue. One that is smaller than a few `sigma`, about
//!    `n^2 2^-50` of the largest entry, is not seen.
//! 2. *The rank is at most the number of rows.* A rank modulo a prime is never more than the true one. Few rows alone are worth that:
//!    it takes `m^2 n` operations.

use tomobasis_dense::has_cholesky;

use crate::rounding::pow2;
use crate::{Error, GramMatrix};

/// Unit roundoff.
const U: f64 = f64::EPSILON / 2.0;

/// The prime 2^31 - 1.
const P: u64 = (1 << 31) - 1;

/// Operations of the second look at the most: seconds.
const MOST: u64 = 1 << 32;

/// Refuses a matrix that is `A^T A` of no matrix with its number of rows, as far as float64 and a prime show it.
///
/// ```
/// use tomobasis_linalg::{GramAccumulator, Rescale, refuse_impossible};
/// let mut sums = GramAccumulator::new(2)?;
/// sums.add(ndarray::array![[2i16, 1], [1, 1]].view())?;
/// refuse_impossible(&sums.finish(&[Rescale::IDENTITY; 2])?)?;
/// # Ok::<(), tomobasis_linalg::Error>(())
/// ```
///
/// # Errors
/// [`Error::Impossible`].
pub fn refuse_impossible(g: &GramMatrix) -> Result<(), Error> {
    if !is_semidefinite(g) {
        return Err(Error::Impossible { why: "its matrix A^T A has a negative eigenvalue" });
    }
    match has_rank_of_rows(g) {
        true => Ok(()),
        false => Err(Error::Impossible { why: "its matrix A^T A has a rank above its number of rows" }),
    }
}

/// False only where an eigenvalue is negative.
fn is_semidefinite(g: &GramMatrix) -> bool {
    if g.bits() == 0 {
        return true;
    }
    let n = g.n();
    let mut b = g.approximate();
    let diagonal = |b: &[f64]| (0..n).map(|i| b[i * (n + 1)]).collect::<Vec<f64>>();
    let (trace, largest) =
        diagonal(&b).iter().fold((0.0, 0.0f64), |(sum, max), &v| (sum + v.abs(), max.max(v)));
    // All digits of an entry have its sign, and the Frobenius norm is at most the trace.
    let conversion = (g.planes().len() + 3) as f64 * U * trace;
    let order = n as f64;
    let factorization = 4.0 * (order * (order + 2.0) + 2.0) * U * largest;
    let sigma = 1.01 * (conversion + factorization) + pow2(-900);
    (0..n).for_each(|i| b[i * (n + 1)] += sigma);
    has_cholesky(&b, n)
}

/// False only where the rank is above the number of rows.
fn has_rank_of_rows(g: &GramMatrix) -> bool {
    let n = g.n();
    let Some(rows) = usize::try_from(g.rows()).ok().filter(|&rows| rows < n) else { return true };
    if (rows as u64).saturating_mul(rows as u64).saturating_mul(n as u64) > MOST {
        return true;
    }
    let unit = (0..g.digit_bits()).fold(1, |unit, _| unit * 2 % P);
    let row = |i: usize| -> Vec<u64> {
        let digits = |j: usize| g.planes().iter().rev().map(move |plane| plane[i * n + j]);
        (0..n).map(|j| digits(j).fold(0, |sum, d| (sum * unit + d.rem_euclid(P as i64) as u64) % P)).collect()
    };
    // Rows of the matrix in echelon form, each with the column of its leading one.
    let mut pivots: Vec<(usize, Vec<u64>)> = vec![];
    let mut at = 0;
    while at < n && pivots.len() < rows {
        add_pivot(&mut pivots, row(at));
        at += 1;
    }
    // Of the others, one combination: that all of them are zero without these rows, and it is not, is impossible.
    let mut others = vec![0; n];
    let mut weight = 1;
    for i in at..n {
        weight = weight * 48_271 % P;
        others.iter_mut().zip(row(i)).for_each(|(sum, v)| *sum = (*sum + weight * v) % P);
    }
    add_pivot(&mut pivots, others);
    pivots.len() <= rows
}

/// Adds what is left of a row without those before, if anything is.
fn add_pivot(pivots: &mut Vec<(usize, Vec<u64>)>, mut row: Vec<u64>) {
    for (column, pivot) in pivots.iter() {
        let factor = P - row[*column];
        if factor != P {
            row[*column..].iter_mut().zip(&pivot[*column..]).for_each(|(v, p)| *v = (*v + factor * p) % P);
        }
    }
    let Some(column) = row.iter().position(|&v| v != 0) else { return };
    let inverse = power(row[column], P - 2);
    row.iter_mut().for_each(|v| *v = *v * inverse % P);
    pivots.push((column, row));
}

fn power(base: u64, exponent: u64) -> u64 {
    let (mut result, mut square, mut rest) = (1, base, exponent);
    while rest > 0 {
        if rest & 1 == 1 {
            result = result * square % P;
        }
        square = square * square % P;
        rest >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use num_bigint::BigInt;

    use super::*;
    use crate::{Center, GramAccumulator, Rescale, column_major};

    /// Of these entries, row by row, over so many rows.
    fn matrix(n: usize, rows: u64, entries: &[i64]) -> GramMatrix {
        let upper = (0..n).flat_map(|i| (i..n).map(move |j| (i, j)));
        let entries = upper.map(|(i, j)| BigInt::from(entries[i * n + j])).collect();
        GramMatrix::without_means(n, rows, entries, Vec::new, 0, None)
    }

    fn sums(values: &[i16], rows: usize, columns: usize) -> GramAccumulator {
        let mut sums = GramAccumulator::new(columns).unwrap();
        sums.add(column_major(values, rows, columns).unwrap()).unwrap();
        sums
    }

    #[test]
    fn sums_of_rows_are_possible_whatever_their_rank() {
        let value = |at: usize| ((at * at * 7919 + at * 31) % 65_536) as i32 - 32_768;
        let values: Vec<i16> = (0..40 * 40).map(|at| value(at) as i16).collect();
        for (rows, columns) in [(40, 40), (1, 40), (3, 40), (39, 40), (40, 1), (40, 7)] {
            let sums = sums(&values[..rows * columns], rows, columns);
            for center in [None, Some(Center::Rows), Some(Center::Columns), Some(Center::Both)] {
                let g = sums.finish_centered(&vec![Rescale::IDENTITY; columns], center).unwrap();
                assert_eq!(refuse_impossible(&g), Ok(()), "{rows} x {columns}, {center:?}");
            }
        }
        // Equal columns, and columns of zeros: eigenvalues of zero.
        let column = &values[..40];
        for values in [[column; 5].concat(), vec![0; 200], vec![i16::MIN; 200]] {
            let g = sums(&values, 40, 5).finish(&[Rescale::IDENTITY; 5]).unwrap();
            assert_eq!(refuse_impossible(&g), Ok(()));
        }
    }

    #[test]
    fn what_no_rows_have_although_each_pair_of_columns_could_is_refused() {
        let negative = Err(Error::Impossible { why: "its matrix A^T A has a negative eigenvalue" });
        // Eigenvalues 1900, 1900 and -800.
        let forged = [1000, -900, -900, -900, 1000, -900, -900, -900, 1000];
        assert_eq!(refuse_impossible(&matrix(3, 50, &forged)), negative);
        // One of -0.24, where the largest is 10^12.
        let small = [1_000_000_000_000, 0, 0, 0, 1, 2, 0, 2, 3];
        assert_eq!(refuse_impossible(&matrix(3, 50, &small)), negative);
        assert_eq!(refuse_impossible(&matrix(2, 50, &[-1, 0, 0, 5])), negative);
        assert_eq!(refuse_impossible(&matrix(1, 50, &[-1])), negative);
        assert_eq!(refuse_impossible(&matrix(2, 50, &[0, 1, 1, 0])), negative);
    }

    #[test]
    fn a_rank_above_the_rows_is_refused() {
        let identity = [1, 0, 0, 0, 1, 0, 0, 0, 1];
        let above = Err(Error::Impossible { why: "its matrix A^T A has a rank above its number of rows" });
        assert_eq!(refuse_impossible(&matrix(3, 3, &identity)), Ok(()));
        for rows in 0..3 {
            assert_eq!(refuse_impossible(&matrix(3, rows, &identity)), above, "{rows} rows");
        }
        let last = [1, 1, 1, 1, 1, 1, 1, 1, 2];
        assert_eq!(refuse_impossible(&matrix(3, 2, &last)), Ok(()));
        assert_eq!(refuse_impossible(&matrix(3, 1, &last)), above);
    }
}
