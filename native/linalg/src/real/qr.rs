//! Block Householder QR, compact WY form.
//!
//! `A = Q R` with `Q = H_1 H_2 ..`, `H_j = I - tau_j v_j v_j^T`. A product of reflections is `I - V T V^T`
//! (Schreiber and Van Loan 1989), so all but the reflections of eight columns at a time are applied as matrix
//! products; inside a block of columns the recursion of Elmroth and Gustavson (2000) splits in halves. This
//! is LAPACK's `geqrt3` and `larfb` in panels of eight columns, with every sum in a fixed order: dot products
//! along rows have four accumulators (row index modulo 4), all others are single chains.
//!
//! For each block of [`BLOCK`] columns, from the left:
//!
//! 1. *Factor* its columns, in the rows from the block's first on ([`factor`]):
//!    a. the left half, recursively; in a panel of eight columns reflection by reflection ([`factor_panel`]);
//!    b. apply the left half's `Q_1^T` to the right half's columns;
//!    c. the right half, recursively, in the rows below the left half;
//!    d. `T = [T_1, -T_1 (V_1^T V_2) T_2; 0, T_2]`.
//! 2. *Update* all columns to the right: `C = Q_b^T C = (I - V T^T V^T) C`.
//!
//! Before and after each step `A = Q_1 .. Q_b C`: what is on and above the diagonal of finished columns is `R`, below it are
//! the vectors `V`, whose diagonal is 1.
//!
//! The matrix is assumed scaled (largest entry about 1): squares below 2^-900 count as zero.

use super::matrix::Matrix;
use super::product::{Corner, Left};
use crate::dispatch::dispatched;
use crate::tile::LANES;

/// Columns whose reflections are applied together; a multiple of [`LANES`].
const BLOCK: usize = 48;

/// Columns whose squares sum to less are left as they are: their norm would be inaccurate, and so the
/// reflection not orthogonal.
const TINY: f64 = 1.183e-271;

/// How far down a matrix may have entries other than zero.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// Anywhere.
    Dense,
    /// Two upper trapezoids of these heights, their rows taken in turn: row `i` of either has entries from
    /// column `i` on.
    Interleaved(usize, usize),
}

impl Shape {
    /// Rows that the first `columns` columns reach, of `rows`.
    fn reach(self, columns: usize, rows: usize) -> usize {
        match self {
            Self::Dense => rows,
            Self::Interleaved(upper, lower) => columns.min(upper) + columns.min(lower),
        }
    }
}

/// The factors of a matrix: `R` on and above the diagonal, the reflections' vectors below it, and their `T`.
pub(super) struct Qr {
    factors: Matrix,
    blocks: Vec<Reflections>,
}

/// The reflections of some adjacent columns, as `I - V T V^T`.
struct Reflections {
    /// First row, and first column, of `V` in the matrix.
    first: usize,
    /// Rows of `V`.
    rows: usize,
    /// Upper triangular.
    t: Matrix,
}

impl Qr {
    /// Factors `a` (m x n, any m and n).
    pub fn new(mut a: Matrix, shape: Shape) -> Self {
        let steps = a.rows().min(a.columns());
        let mut blocks = Vec::new();
        for first in (0..steps).step_by(BLOCK) {
            let width = BLOCK.min(steps - first);
            let rows = shape.reach(first + width, a.rows()) - first;
            // Step 1.
            let t = factor(&mut a, first, rows, width);
            let block = Reflections { first, rows, t };
            let next = (first + width).div_ceil(LANES);
            // Step 2.
            block.apply(&block.vectors(&a), true, &mut a, next, usize::MAX);
            blocks.push(block);
        }
        Self { factors: a, blocks }
    }

    /// `R`: min(m, n) x n, upper trapezoidal.
    pub fn r(&self) -> Matrix {
        let (m, n) = (self.factors.rows(), self.factors.columns());
        Matrix::from_fn(m.min(n), n, |i, j| if i <= j { self.factors.get(i, j) } else { 0.0 })
    }

    /// `Q C` for `C` of at most m rows, below which zeros are meant: m rows.
    pub fn apply(&self, c: &Matrix) -> Matrix {
        // Q = Q_1 Q_2 ..: the last block's reflections come first.
        let mut c = c.padded(self.factors.rows());
        for block in self.blocks.iter().rev() {
            block.apply(&block.vectors(&self.factors), false, &mut c, 0, usize::MAX);
        }
        c
    }
}

impl Reflections {
    fn width(&self) -> usize {
        self.t.columns()
    }

    /// `V`, with its unit diagonal and the zeros above it.
    fn vectors(&self, factors: &Matrix) -> Matrix {
        vectors(factors, self.first, self.rows, self.width())
    }

    /// Applies `I - V T V^T` (its transpose where `transpose`) to the panels `from..to` of `c`.
    fn apply(&self, v: &Matrix, transpose: bool, c: &mut Matrix, from: usize, to: usize) {
        let panels = to.min(c.panels()).saturating_sub(from);
        if panels == 0 {
            return;
        }
        let corner = Corner { row: self.first, panel: from };
        let width = self.width();
        let mut w = Matrix::zeros(width, panels * LANES);
        // W = V^T C, then T W, then C - V (T W).
        Left::transpose_of(v).add_product(c, corner, &mut w, Corner::ORIGIN, panels);
        let t = if transpose { Left::transpose_of(&self.t) } else { Left::of(&self.t) };
        let mut w = t.times(&w);
        w.multiply_by(-1.0);
        Left::of(v).add_product(&w, Corner::ORIGIN, c, corner, panels);
    }
}

/// `V` of the columns `first..first + width`, `rows x width`.
fn vectors(factors: &Matrix, first: usize, rows: usize, width: usize) -> Matrix {
    let mut v = Matrix::zeros(rows, width);
    for p in 0..v.panels() {
        v.panel_mut(p).copy_from_slice(&factors.panel(first / LANES + p)[first..first + rows]);
    }
    // Above the unit diagonal, and where the last panel belongs to columns after these, the factors hold
    // something else.
    for i in 0..rows.min(width) {
        (i..width).for_each(|j| v.set(i, j, f64::from(u8::from(i == j))));
    }
    v.clear_padding();
    v
}

/// Factors the columns `first..first + width` (at most [`BLOCK`], from a panel's start) in this many rows from
/// row `first` on; returns `T`.
///
/// Columns that share the last panel are updated too.
fn factor(a: &mut Matrix, first: usize, rows: usize, width: usize) -> Matrix {
    // Step 1a.
    if width <= LANES {
        let mut t = [[0.0; LANES]; LANES];
        factor_panel(&mut a.panel_mut(first / LANES)[first..first + rows], width, &mut t);
        return Matrix::from_fn(width, width, |i, j| t[i][j]);
    }
    let half = (width / 2).next_multiple_of(LANES);
    let left = Reflections { first, rows, t: factor(a, first, rows, half) };
    // Step 1b.
    let v1 = left.vectors(a);
    left.apply(&v1, true, a, (first + half) / LANES, (first + width).div_ceil(LANES));
    // Step 1c.
    let t2 = factor(a, first + half, rows - half, width - half);
    let v2 = vectors(a, first + half, rows - half, width - half);
    // Step 1d.
    let between = Left::transpose_below(&v1, half).times(&v2);
    let between = Left::of(&left.t).times(&Left::of(&between).times(&t2));
    Matrix::from_fn(width, width, |i, j| match (i < half, j < half) {
        (true, true) => left.t.get(i, j),
        (true, false) => -between.get(i, j - half),
        (false, true) => 0.0,
        (false, false) => t2.get(i - half, j - half),
    })
}

dispatched! {
    /// Factors up to eight columns: `rows` are those of one panel from the first pivot's row on.
    fn factor_panel(rows: &mut [[f64; LANES]], width: usize, t: &mut [[f64; LANES]; LANES]) {
        for j in 0..width {
            let (head, below) = rows.split_at_mut(j + 1);
            let pivot = &mut head[j];
            // x^T X for x = column j below the pivot: lane j is its square, lanes before it are products with
            // earlier vectors.
            let products = products(below, j);
            let alpha = pivot[j];
            let square = alpha.mul_add(alpha, products[j]);
            // H = I - tau v v^T takes x to beta e_1; v = (1, x scale). The identity where x is zero, or nearly.
            let (mut tau, mut beta, mut scale) = (0.0, alpha, 0.0);
            if products[j] > 0.0 && square > TINY {
                beta = -square.sqrt().copysign(alpha);
                tau = (beta - alpha) / beta;
                scale = 1.0 / (alpha - beta);
            }
            // v^T X, of earlier vectors for T, of later columns for their update.
            let mut update = [0.0; LANES];
            for c in 0..LANES {
                let product = products[c].mul_add(scale, pivot[c]);
                if c < j {
                    update[c] = product;
                } else if c > j {
                    update[c] = -tau * product;
                }
            }
            // T's new column: -tau T (V^T v).
            for (i, row) in t.iter_mut().enumerate().take(j) {
                row[j] = -tau * (i..j).fold(0.0, |sum: f64, l| row[l].mul_add(update[l], sum));
            }
            t[j][j] = tau;
            update[..j].fill(0.0);
            for c in j + 1..LANES {
                pivot[c] += update[c];
            }
            pivot[j] = beta;
            for row in below {
                let v = row[j] * scale;
                add_multiple(row, v, &update);
                row[j] = v;
            }
        }
    }
}

/// The sums over rows of entry `j` times every entry: four accumulators (row index modulo 4), then `(0+1)+(2+3)`.
#[inline(always)]
fn products(rows: &[[f64; LANES]], j: usize) -> [f64; LANES] {
    let mut accumulators = [[0.0; LANES]; 4];
    let (fours, rest) = rows.as_chunks::<4>();
    for four in fours {
        for (accumulator, row) in accumulators.iter_mut().zip(four) {
            add_multiple(accumulator, row[j], row);
        }
    }
    for (accumulator, row) in accumulators.iter_mut().zip(rest) {
        add_multiple(accumulator, row[j], row);
    }
    let [a, b, c, d] = accumulators;
    std::array::from_fn(|l| (a[l] + b[l]) + (c[l] + d[l]))
}

/// `y += x row`, lane by lane.
#[inline(always)]
fn add_multiple(y: &mut [f64; LANES], x: f64, row: &[f64; LANES]) {
    for c in 0..LANES {
        y[c] = x.mul_add(row[c], y[c]);
    }
}

#[cfg(test)]
mod tests;
