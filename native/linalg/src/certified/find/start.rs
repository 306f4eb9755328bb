//! The f64 start: any eigensolver's bits will do.

use super::product::multiply_parallel;
use crate::rounding::pow2;
use crate::{Error, GramMatrix};
use std::time::Instant;
use tomobasis_dense::symmetric_eigen;

/// From this many columns on, and for at most one in this many, the leading eigenpairs alone are computed.
const LARGE: usize = 1000;
const FEW: usize = 20;

/// Columns of a Krylov block beyond a quarter of those wanted, and blocks in the first round. Narrow blocks reach higher
/// powers of `H` in a space of the same size; an eigenvalue that is repeated more often than a block has columns is not
/// found whole, which the count shows.
const SPARE: usize = 8;
const BLOCKS: usize = 12;

/// Residuals, relative to its eigenvalue, that a leading eigenpair must have to be refined, and at which one beyond those
/// wanted counts as found.
const ROUGH: f64 = 1e-6;
const FOUND: f64 = 1e-10;

/// Approximate eigenpairs of `H = G 2^-bits`, all n, or the leading ones and other Ritz pairs of their space; eigenvalues
/// descending.
pub(in super::super) struct Start {
    pub lambda: Vec<f64>,
    /// Eigenvectors, n rows, column-major.
    pub x: Vec<f64>,
    /// So many are eigenpairs, the others Ritz pairs.
    pub found: usize,
    /// About what an eigenvalue is off by.
    pub noise: f64,
}

impl Start {
    /// By faer's symmetric eigensolver.
    pub fn new(g: &GramMatrix) -> Result<Self, Error> {
        let n = g.n();
        let h = g.approximate();
        let began = Instant::now();
        let (lambda, x) = symmetric_eigen(&h, n).ok_or(Error::NoStart { columns: n })?;
        log::debug!("eigensolver in float64: {:.3?}", began.elapsed());
        Ok(Self { noise: (n + 32) as f64 * pow2(-50) * lambda[0].abs(), found: n, lambda, x })
    }

    /// Some leading eigenpairs, more than `k`, from a block Krylov space (Golub and Underwood 1977); None where all of
    /// them cost little more, or it has not converged.
    pub fn leading(g: &GramMatrix, k: usize) -> Option<Self> {
        let n = g.n();
        if n < LARGE || k * FEW > n {
            return None;
        }
        let h = g.approximate();
        let width = k.div_ceil(4) + SPARE;
        // 1. Q: an orthonormal basis of the span of H^i B for a block B of signs, half as many more i in every round.
        let (mut q, mut hq) = (Vec::new(), Vec::new());
        let mut block: Vec<f64> = (0..n * width).map(sign).collect();
        let mut blocks = BLOCKS;
        while blocks * width <= n / 3 {
            while q.len() < blocks * width * n {
                orthonormalize(&q, &mut block, n);
                if block.is_empty() {
                    break;
                }
                let product = multiply_parallel(&h, n, true, &block);
                q.append(&mut block);
                hq.extend_from_slice(&product);
                block = product;
            }
            // 2. Ritz pairs.
            let size = q.len() / n;
            let (values, y) = symmetric_eigen(&multiply_parallel(&q, n, true, &hq), size)?;
            let x = multiply_parallel(&q, n, false, &y);
            // 3. Those wanted must be known; of the next one, a Ritz value is enough.
            let some = size.min(2 * k + SPARE);
            let hx = multiply_parallel(&hq, n, false, &y[..some * size]);
            let residual = |j: usize| {
                let pairs = hx[j * n..(j + 1) * n].iter().zip(&x[j * n..(j + 1) * n]);
                pairs.map(|(hx, x)| (hx - values[j] * x).powi(2)).sum::<f64>().sqrt()
            };
            let residuals: Vec<f64> = (0..some).map(residual).collect();
            let leading = |limit: f64| (0..some).take_while(|&j| residuals[j] < limit * values[j]).count();
            log::debug!("{} leading eigenpairs from a space of {size}", leading(ROUGH));
            if size > k && leading(ROUGH) >= k {
                let found = leading(FOUND).max(k);
                let noise = residuals[..found].iter().copied().fold(0.0, f64::max);
                return Some(Self { lambda: values, x, found, noise });
            }
            if block.is_empty() {
                break;
            }
            blocks += blocks / 2;
        }
        None
    }

    /// Whether these are not all eigenpairs.
    pub fn is_partial(&self) -> bool {
        self.lambda.len() * self.lambda.len() < self.x.len()
    }
}

/// A sign that depends on the index alone.
fn sign(at: usize) -> f64 {
    let hash = (at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    if (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 63 == 0 { 1.0 } else { -1.0 }
}

/// Makes the columns of `block` orthonormal to each other and to those of `q`; leaves out what they span already.
fn orthonormalize(q: &[f64], block: &mut Vec<f64>, n: usize) {
    // Twice is enough (Kahan; Parlett 6.9).
    for _ in 0..2 {
        if !q.is_empty() {
            let along = multiply_parallel(q, n, true, block);
            let within = multiply_parallel(q, n, false, &along);
            block.iter_mut().zip(&within).for_each(|(b, w)| *b -= w);
        }
        let mut kept: Vec<f64> = Vec::with_capacity(block.len());
        for column in block.chunks_exact(n) {
            let mut column = column.to_vec();
            let before = dot(&column, &column).sqrt();
            for earlier in kept.chunks_exact(n) {
                let along = dot(&column, earlier);
                column.iter_mut().zip(earlier).for_each(|(c, e)| *c -= along * e);
            }
            let length = dot(&column, &column).sqrt();
            if length > 1e-10 * before && length > 0.0 {
                kept.extend(column.iter().map(|c| c / length));
            }
        }
        *block = kept;
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
