//! Dense matrices in panels of eight columns.
//!
//! A panel holds its rows one after another, eight values each: one AVX-512 or two AVX2 vectors. Kernels run
//! their lanes across the columns of a panel, so each column's sums have one order whatever the vector width.

use crate::block::{column, contiguous_columns};
use crate::tile::LANES;
use ndarray::{Array2, ArrayView2, s};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::bytes::checked_when_read;

/// A `rows x columns` matrix; what pads the last panel is zero.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub(super) struct Matrix {
    rows: usize,
    columns: usize,
    /// Entry `(i, j)` is `data[j / LANES * rows + i][j % LANES]`.
    data: Vec<[f64; LANES]>,
}

checked_when_read!(Matrix);

impl Matrix {
    fn check(&self) -> Result<(), Error> {
        let wrong = |why| Err(Error::Bytes { what: "a matrix", why });
        if self.columns.div_ceil(LANES).checked_mul(self.rows) != Some(self.data.len()) {
            return wrong("sizes that do not fit its entries");
        }
        if !self.is_finite() {
            return wrong("an entry that is no finite number");
        }
        let mut cleared = self.clone();
        cleared.clear_padding();
        if *self == cleared { Ok(()) } else { wrong("entries beyond its last column") }
    }

    pub fn zeros(rows: usize, columns: usize) -> Self {
        Self { rows, columns, data: vec![[0.0; LANES]; columns.div_ceil(LANES) * rows] }
    }

    pub fn from_fn(rows: usize, columns: usize, value: impl Fn(usize, usize) -> f64) -> Self {
        let mut matrix = Self::zeros(rows, columns);
        for j in 0..columns {
            for i in 0..rows {
                matrix.set(i, j, value(i, j));
            }
        }
        matrix
    }

    /// A copy of a view.
    pub fn of(view: ArrayView2<f64>) -> Self {
        let (rows, columns) = view.dim();
        let mut matrix = Self::zeros(rows, columns);
        let view = contiguous_columns(view);
        let view = view.view();
        for p in 0..matrix.panels() {
            let first = p * LANES;
            let panel = matrix.panel_mut(p);
            if first + LANES <= columns {
                let source: [&[f64]; LANES] = std::array::from_fn(|lane| column(&view, first + lane));
                for (i, row) in panel.iter_mut().enumerate() {
                    *row = source.map(|column| column[i]);
                }
            } else {
                for (lane, j) in (first..columns).enumerate() {
                    panel.iter_mut().zip(column(&view, j)).for_each(|(row, &v)| row[lane] = v);
                }
            }
        }
        matrix
    }

    /// The first columns of the identity.
    pub fn identity(rows: usize, columns: usize) -> Self {
        Self::from_fn(rows, columns, |i, j| f64::from(u8::from(i == j)))
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    pub fn panels(&self) -> usize {
        self.columns.div_ceil(LANES)
    }

    #[inline(always)]
    pub fn get(&self, i: usize, j: usize) -> f64 {
        self.data[j / LANES * self.rows + i][j % LANES]
    }

    #[inline(always)]
    pub fn set(&mut self, i: usize, j: usize, value: f64) {
        self.data[j / LANES * self.rows + i][j % LANES] = value;
    }

    #[inline(always)]
    pub fn panel(&self, p: usize) -> &[[f64; LANES]] {
        &self.data[p * self.rows..(p + 1) * self.rows]
    }

    #[inline(always)]
    pub fn panel_mut(&mut self, p: usize) -> &mut [[f64; LANES]] {
        &mut self.data[p * self.rows..(p + 1) * self.rows]
    }

    /// Sets what pads the last panel to zero again.
    pub fn clear_padding(&mut self) {
        let width = self.columns % LANES;
        if width > 0 {
            let last = self.columns / LANES;
            self.panel_mut(last).iter_mut().for_each(|row| row[width..].fill(0.0));
        }
    }

    pub fn to_array(&self) -> Array2<f64> {
        let mut out = Array2::zeros((self.rows, self.columns));
        for p in 0..self.panels() {
            let width = LANES.min(self.columns - p * LANES);
            let mut target = out.slice_mut(s![.., p * LANES..p * LANES + width]);
            for (mut row, values) in target.rows_mut().into_iter().zip(self.panel(p)) {
                row.iter_mut().zip(values).for_each(|(out, &v)| *out = v);
            }
        }
        out
    }

    /// Row after row.
    pub fn to_rows(&self) -> Vec<f64> {
        self.to_array().into_raw_vec_and_offset().0
    }

    pub fn transposed(&self) -> Self {
        Self::from_fn(self.columns, self.rows, |i, j| self.get(j, i))
    }

    /// Its rows above zeros, `rows` rows in all.
    pub fn padded(&self, rows: usize) -> Self {
        let mut padded = Self::zeros(rows, self.columns);
        for p in 0..self.panels() {
            padded.panel_mut(p)[..self.rows].copy_from_slice(self.panel(p));
        }
        padded
    }

    /// The columns of the given indices, in that order.
    pub fn select(&self, indices: &[usize]) -> Self {
        Self::from_fn(self.rows, indices.len(), |i, j| self.get(i, indices[j]))
    }

    /// Largest magnitude; zero for a matrix without entries.
    pub fn largest(&self) -> f64 {
        let mut lanes = [0.0f64; LANES];
        for row in &self.data {
            for c in 0..LANES {
                lanes[c] = if row[c].abs() > lanes[c] { row[c].abs() } else { lanes[c] };
            }
        }
        lanes.into_iter().fold(0.0, f64::max)
    }

    /// Whether no entry is NaN or infinite. Without a way out early, so that it costs next to nothing.
    pub fn is_finite(&self) -> bool {
        self.data.as_flattened().iter().fold(true, |all, v| all & v.is_finite())
    }

    /// Multiplies every entry.
    pub fn multiply_by(&mut self, factor: f64) {
        self.data.as_flattened_mut().iter_mut().for_each(|v| *v *= factor);
    }

    /// Adds a matrix of the same shape, entry by entry.
    pub fn add(&mut self, other: &Self) {
        self.data.as_flattened_mut().iter_mut().zip(other.data.as_flattened()).for_each(|(a, b)| *a += b);
    }

    /// Each row's mean: the sum of eight accumulators (columns `c`, `c + 8`, ..), added pairwise, divided by the
    /// number of columns.
    pub fn row_means(&self) -> Vec<f64> {
        let mean = |i: usize| {
            let mut accumulators = [0.0; LANES];
            for p in 0..self.panels() {
                let row = &self.data[p * self.rows + i];
                accumulators.iter_mut().zip(row).for_each(|(sum, v)| *sum += v);
            }
            pairwise(accumulators) / self.columns as f64
        };
        (0..self.rows).map(mean).collect()
    }

    /// Removes each row's mean.
    pub fn center_rows(&mut self) {
        for (i, mean) in self.row_means().into_iter().enumerate() {
            for p in 0..self.panels() {
                let width = LANES.min(self.columns - p * LANES);
                self.data[p * self.rows + i][..width].iter_mut().for_each(|v| *v -= mean);
            }
        }
    }
}

/// The mean of each row of a block, rows x n: what the centered methods remove.
#[must_use]
pub fn row_means(block: ArrayView2<f64>) -> Vec<f64> {
    Matrix::of(block).row_means()
}

/// The sum of eight values in the fixed order `((0+4)+(2+6)) + ((1+5)+(3+7))`.
#[inline(always)]
pub(super) fn pairwise(v: [f64; LANES]) -> f64 {
    ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]))
}
