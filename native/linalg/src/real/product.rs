//! Matrix products whose every entry is one chain of fused multiply-adds in ascending order of the summation
//! index (`tile`).
//!
//! The left operand is packed a few tiles at a time, into the second-level cache, and used for all panels from there.

use std::ops::Range;

use super::matrix::Matrix;
use crate::dispatch::dispatched;
use crate::tile::{HEIGHT, LANES, chains};

/// Summands taken at a time, so that their part of a panel stays in the first-level cache: 256 rows are 16
/// KiB.
const DEPTH: usize = 256;

/// Tiles packed at a time: at most 192 KiB.
const TILES: usize = 16;

/// A left operand: a matrix, or its transpose.
#[derive(Clone, Copy)]
pub(super) struct Left<'a> {
    matrix: &'a Matrix,
    transposed: bool,
    /// Rows of the matrix that are left out, from the top.
    skip: usize,
}

impl<'a> Left<'a> {
    pub fn of(matrix: &'a Matrix) -> Self {
        Self { matrix, transposed: false, skip: 0 }
    }

    pub fn transpose_of(matrix: &'a Matrix) -> Self {
        Self::transpose_below(matrix, 0)
    }

    /// The transpose of `matrix` without its first `skip` rows.
    pub fn transpose_below(matrix: &'a Matrix, skip: usize) -> Self {
        Self { matrix, transposed: true, skip }
    }

    /// Rows, and columns: the length of sums.
    fn shape(&self) -> (usize, usize) {
        let (rows, columns) = (self.matrix.rows() - self.skip, self.matrix.columns());
        if self.transposed { (columns, rows) } else { (rows, columns) }
    }

    /// `self * right`.
    pub fn times(self, right: &Matrix) -> Matrix {
        let mut out = Matrix::zeros(self.shape().0, right.columns());
        self.add_product(right, Corner::ORIGIN, &mut out, Corner::ORIGIN, right.panels());
        out
    }

    /// Adds `self * right` to `target`, for this many panels of columns; `from` and `to` say where the operands
    /// begin in the matrices.
    pub fn add_product(self, right: &Matrix, from: Corner, target: &mut Matrix, to: Corner, panels: usize) {
        let (rows, depth) = self.shape();
        let mut tiles = Vec::new();
        for first in (0..depth).step_by(DEPTH) {
            let range = first..depth.min(first + DEPTH);
            for top in (0..rows).step_by(TILES * HEIGHT) {
                let group = top..rows.min(top + TILES * HEIGHT);
                self.pack(group.clone(), range.clone(), &mut tiles);
                for p in 0..panels {
                    let b = &right.panel(from.panel + p)[from.row..][range.clone()];
                    multiply(&tiles, b, &mut target.panel_mut(to.panel + p)[to.row..][group.clone()]);
                }
            }
        }
    }

    /// Packs some rows and columns: entry `(i, l)` of them is `tiles[i / HEIGHT * range.len() + l][i %
    /// HEIGHT]`.
    fn pack(&self, rows: Range<usize>, range: Range<usize>, tiles: &mut Vec<[f64; HEIGHT]>) {
        tiles.clear();
        tiles.resize(rows.len().div_ceil(HEIGHT) * range.len(), [0.0; HEIGHT]);
        for (tile, top) in tiles.chunks_exact_mut(range.len()).zip(rows.clone().step_by(HEIGHT)) {
            for (q, i) in (top..rows.end.min(top + HEIGHT)).enumerate() {
                if self.transposed {
                    let column = &self.matrix.panel(i / LANES)[self.skip..][range.clone()];
                    tile.iter_mut().zip(column).for_each(|(entries, row)| entries[q] = row[i % LANES]);
                } else {
                    for (part, l) in tile.chunks_mut(LANES).zip(range.clone().step_by(LANES)) {
                        let row = &self.matrix.panel(l / LANES)[self.skip + i];
                        part.iter_mut().zip(row).for_each(|(entries, v)| entries[q] = *v);
                    }
                }
            }
        }
    }
}

/// Where a part of a matrix begins.
#[derive(Clone, Copy)]
pub(super) struct Corner {
    pub row: usize,
    pub panel: usize,
}

impl Corner {
    pub const ORIGIN: Self = Self { row: 0, panel: 0 };
}

dispatched! {
    /// `out += tiles * b` for one panel.
    fn multiply(tiles: &[[f64; HEIGHT]], b: &[[f64; LANES]], out: &mut [[f64; LANES]]) {
        let (whole, rest) = out.as_chunks_mut::<HEIGHT>();
        let (first, last) = tiles.split_at(whole.len() * b.len());
        for (tile, rows) in first.chunks_exact(b.len()).zip(whole) {
            *rows = chains(tile, b, *rows);
        }
        if !rest.is_empty() {
            let mut rows = [[0.0; LANES]; HEIGHT];
            rows[..rest.len()].copy_from_slice(rest);
            rest.copy_from_slice(&chains(last, b, rows)[..rest.len()]);
        }
    }
}
