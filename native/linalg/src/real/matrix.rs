//! Dense matrices in panels of eight columns.
//!
//! A panel holds its rows one after another, eight values each: one AVX-512 or two AVX2 vectors. Kernels run
//! their lanes across the columns of a panel, so each column's sums have one order whatever the vector width.

use serde::{Deserialize, Serialize};

/// Columns of a panel.
pub(super) const LANES: usize = 8;

/// A `rows x columns` matrix; what pads the last panel is zero.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub(super) struct Matrix {
    rows: usize,
    columns: usize,
    /// Entry `(i, j)` is `data[j / LANES * rows + i][j % LANES]`.
    data: Vec<[f64; LANES]>,
}

/// A matrix as another process sent it.
#[derive(Deserialize)]
struct Unchecked {
    rows: usize,
    columns: usize,
    data: Vec<[f64; LANES]>,
}

impl TryFrom<Unchecked> for Matrix {
    type Error = &'static str;

    fn try_from(Unchecked { rows, columns, data }: Unchecked) -> Result<Self, Self::Error> {
        if columns.div_ceil(LANES).checked_mul(rows) != Some(data.len()) {
            return Err("a matrix whose sizes do not fit its entries");
        }
        Ok(Self { rows, columns, data })
    }
}

impl Matrix {
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

    /// Copies column-major values, `rows * columns` of them.
    pub fn from_columns(values: &[f64], rows: usize, columns: usize) -> Self {
        let mut matrix = Self::zeros(rows, columns);
        if rows == 0 {
            return matrix;
        }
        for (panel, values) in matrix.data.chunks_exact_mut(rows).zip(values.chunks(rows * LANES)) {
            match <[&[f64]; LANES]>::try_from(values.chunks_exact(rows).collect::<Vec<_>>()) {
                Ok(columns) => {
                    for (i, row) in panel.iter_mut().enumerate() {
                        *row = columns.map(|column| column[i]);
                    }
                }
                Err(columns) => {
                    for (lane, column) in columns.into_iter().enumerate() {
                        panel.iter_mut().zip(column).for_each(|(row, &v)| row[lane] = v);
                    }
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

    /// Row after row.
    pub fn to_rows(&self) -> Vec<f64> {
        let mut out = vec![0.0; self.rows * self.columns];
        if self.columns > 0 {
            for p in 0..self.panels() {
                for (row, values) in out.chunks_exact_mut(self.columns).zip(self.panel(p)) {
                    let width = LANES.min(self.columns - p * LANES);
                    row[p * LANES..p * LANES + width].copy_from_slice(&values[..width]);
                }
            }
        }
        out
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

/// The mean of each row of a block of column-major values, `rows * columns` of them: what the centred methods
/// remove.
pub fn row_means(values: &[f64], rows: usize, columns: usize) -> Vec<f64> {
    Matrix::from_columns(values, rows, columns).row_means()
}

/// The sum of eight values in the fixed order `((0+4)+(2+6)) + ((1+5)+(3+7))`.
#[inline(always)]
pub(super) fn pairwise(v: [f64; LANES]) -> f64 {
    ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]))
}
