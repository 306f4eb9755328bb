//! Products of signed bytes that are made when they are packed, of several matrices of one shape.

use super::tiles::{STRIP, TILE, add_tile, tiles_before};
use super::{Kernel, PANEL, PackedPair, ROWS, Row, Small, Threads};
use rayon::prelude::*;
use std::ops::Range;

/// Packed bytes: panel after panel, in each matrix after matrix.
pub struct PackedBytes {
    small: Small,
    rows: usize,
    panels: usize,
    matrices: usize,
    /// Words of a panel of one matrix.
    count: usize,
    words: Vec<PackedPair>,
}

impl PackedBytes {
    /// Rows at the most: their 32-bit sums are far from overflow, and a few packed panels stay in the second-level cache.
    pub const MOST_ROWS: usize = 1024;

    /// Of zeros; none where the kernel has no products of bytes.
    pub fn new(kernel: &Kernel, (rows, columns): (usize, usize), matrices: usize) -> Option<Self> {
        assert!(rows <= Self::MOST_ROWS, "{rows} rows");
        let small = kernel.small?;
        let (panels, count) = (columns.div_ceil(PANEL), rows.div_ceil(ROWS) * small.step);
        let words = vec![[0; 2 * PANEL]; panels * matrices * count];
        Some(Self { small, rows, panels, matrices, count, words })
    }

    /// Rows of each matrix.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Packs all rows. `fill` gets a panel, a row that a step of [`ROWS`] rows begins with, and what packs these of one matrix; it
    /// gives zeros beyond the last row and column.
    pub fn fill<E: Send>(
        &mut self,
        threads: Threads,
        fill: impl Fn(usize, usize, &mut dyn FnMut(usize, &[[i8; ROWS]; PANEL])) -> Result<(), E> + Sync,
    ) -> Result<(), E> {
        let Self { small, rows, matrices, count, .. } = *self;
        let panel = |(p, target): (usize, &mut [PackedPair])| {
            (0..rows).step_by(ROWS).try_for_each(|row| {
                let mut pack = |matrix: usize, columns: &[[i8; ROWS]; PANEL]| {
                    let target = &mut target[matrix * count + row / ROWS * small.step..][..small.step];
                    // SAFETY: `choice` hands out a kernel only when the CPU has its instructions.
                    unsafe { (small.pack)(columns, target) };
                };
                fill(p, row, &mut pack)
            })
        };
        match threads {
            Threads::One => self.words.chunks_exact_mut(matrices * count).enumerate().try_for_each(panel),
            Threads::Pool => {
                let panels = self.words.par_chunks_exact_mut(matrices * count).enumerate();
                let failed = panels.map(panel).find_first(Result::is_err);
                failed.unwrap_or(Ok(()))
            }
        }
    }

    /// Adds the products of all pairs of columns of one matrix to `products`, which are stored as [`position`](super::position)
    /// says.
    pub fn add_gram(&self, matrix: usize, products: &mut [i64]) {
        let panel = |p: usize| &self.words[(p * self.matrices + matrix) * self.count..][..self.count];
        for first in (0..self.panels).step_by(STRIP) {
            let columns = first..self.panels.min(first + STRIP);
            let band = &mut products[tiles_before(columns.start) * TILE..tiles_before(columns.end) * TILE];
            for first in (0..columns.end).step_by(STRIP) {
                let rows = first..columns.end.min(first + STRIP);
                add_square(self.small, panel, rows, columns.clone(), band);
            }
        }
    }
}

/// Multiplies some panels with some others that are not after them. Their tiles are those of `band`.
pub(super) fn add_square<'a>(
    small: Small,
    panel: impl Fn(usize) -> &'a [PackedPair],
    rows: Range<usize>,
    columns: Range<usize>,
    band: &mut [i64],
) {
    let before = tiles_before(columns.start);
    let mut sums = [[Row::default(); PANEL]; 4];
    for j in columns.clone().step_by(2) {
        // Of an odd number the last panel is its own neighbor, and what that gives is left out.
        let next = (j + 1).min(columns.end - 1);
        for i in (rows.start..rows.end.min(next + 1)).step_by(2) {
            let below = (i + 1).min(rows.end - 1);
            // SAFETY: `choice` hands out a kernel only when the CPU has its instructions.
            unsafe { (small.multiply)([panel(i), panel(below)], [panel(j), panel(next)], &mut sums) };
            for (sums, (i, j, there)) in sums.iter().zip([
                (i, j, i <= j),
                (i, next, next > j),
                (below, j, below > i && below <= j),
                (below, next, below > i && next > j),
            ]) {
                if there {
                    let tile = &mut band[(tiles_before(j) + i - before) * TILE..][..TILE];
                    add_tile(tile, sums.as_flattened());
                }
            }
        }
    }
}
