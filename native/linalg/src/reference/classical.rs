//! Matrices that are known for what they do to algorithms.

use super::Matrix;
use crate::rounding::pow2;

/// Läuchli 1961: the Gram matrix has entries `1 + 2^-60`, which f64 rounds to 1.
pub(super) fn lauchli() -> Matrix {
    const N: usize = 12;
    let about =
        "a row of ones above 2^-30 times the identity (Läuchli 1961): A^T A rounded to float64 has rank 1";
    Matrix::new("lauchli", about, [N + 1, N], |i, j| match i {
        0 => 1.0,
        _ if i == j + 1 => pow2(-30),
        _ => 0.0,
    })
}

/// Kahan 1966, with sine 4/5 and cosine 3/5, times `5^22`: integers below 2^53.
pub(super) fn kahan() -> Matrix {
    const N: usize = 22;
    let about = "5^22 diag(1, 4/5, (4/5)^2, ..) times the upper triangular matrix of 1 and -3/5 (Kahan 1966): \
                 nearly singular, which no small entry shows";
    let power = |base: u64, exponent: usize| base.pow(exponent as u32) as f64;
    Matrix::new("kahan", about, [N, N], |i, j| match () {
        () if i == j => power(4, i) * power(5, N - i),
        () if i < j => -3.0 * power(4, i) * power(5, N - 1 - i),
        () => 0.0,
    })
}

/// The Hilbert matrix times the least common multiple of its denominators.
pub(super) fn hilbert() -> Matrix {
    const N: usize = 10;
    /// Of 1, 2, .., 19.
    const MULTIPLE: u32 = 232_792_560;
    let about = "232792560 / (i + j - 1), the Hilbert matrix in integers: condition 1.6e13";
    Matrix::new("hilbert", about, [N, N], |i, j| f64::from(MULTIPLE / (i + j + 1) as u32))
}

/// Wilkinson 1965: pairs of eigenvalues that agree to ever more digits.
pub(super) fn wilkinson() -> Matrix {
    const N: usize = 21;
    let about = "Wilkinson's W21+: |i - 11| on the diagonal, ones beside it; the largest two singular values \
                 agree to 14 digits";
    Matrix::new("wilkinson", about, [N, N], |i, j| match i.abs_diff(j) {
        0 => i.abs_diff(N / 2) as f64,
        1 => 1.0,
        _ => 0.0,
    })
}

/// `H diag(d) H` with Sylvester's Hadamard matrix `H` of order 16: `s` is `16 d`, and `V` is `H / 4`.
fn between_hadamards(name: &'static str, about: &'static str, d: [f64; 16]) -> Matrix {
    let h = |i: usize, j: usize| if (i & j).count_ones().is_multiple_of(2) { 1.0 } else { -1.0 };
    // Sums of multiples of one power of two, below 2^53 of it: exact in any order.
    let entry = |i, j| d.iter().enumerate().map(|(l, d)| h(i, l) * d * h(l, j)).sum();
    Matrix::new(name, about, [16, 16], entry)
}

/// Multiple singular values.
pub(super) fn hadamard() -> Matrix {
    let about = "H diag(d) H, H the Hadamard matrix of order 16, d = 1, 1, 1, 1, 2, 2, 3, 3, 5, 8, 13, 13, 21, \
                 34, 34, 55: s = 16 d, most of them several times";
    let d = [1, 1, 1, 1, 2, 2, 3, 3, 5, 8, 13, 13, 21, 34, 34, 55];
    between_hadamards("hadamard", about, d.map(f64::from))
}

/// Clusters of four at four scales, each narrower than the one before.
pub(super) fn clusters() -> Matrix {
    let about = "H diag(d) H with d = 2^(-6 c) (1 + l 2^(-8 - 6 c)) for c, l = 0 to 3: clusters at four scales, \
                 each narrower than the last; s = 16 d";
    let d = std::array::from_fn(|at| {
        let (c, l) = (at as i32 / 4, at as i32 % 4);
        pow2(-6 * c) * (1.0 + f64::from(l) * pow2(-8 - 6 * c))
    });
    between_hadamards("clusters", about, d)
}
