//! Products of signed bytes that are made when they are packed, of several matrices of one shape.

use super::layout::{BAND, TILE, tiles_before};
use super::{Kernel, PANEL, PackedPair, ROWS, Small, Threads};
use rayon::prelude::*;
use std::ops::Range;

/// Packed bytes: panel after panel, in each matrix after matrix.
pub struct PackedBytes {
    small: Small,
    panels: usize,
    matrices: usize,
    /// Words of a panel of one matrix.
    count: usize,
    /// Those of all panels, and maybe more.
    words: Vec<PackedPair>,
}

impl PackedBytes {
    /// Rows at the most: a few packed panels of them stay in the second-level cache.
    pub const MOST_ROWS: usize = 1024;

    /// Rows that 32-bit sums hold: `2^16 (2^7)^2 = 2^30`.
    pub const MOST_SUMMED: usize = 1 << 16;

    /// Of no rows. Panics where the kernel has no products of bytes.
    pub fn new(kernel: &Kernel, columns: usize, matrices: usize) -> Self {
        let small = kernel.small.expect("the kernel has products of bytes");
        Self { small, panels: columns.div_ceil(PANEL), matrices, count: 0, words: Vec::new() }
    }

    /// Packs so many rows instead of those before. `fill` gets a panel with its `state`, a row that a step of [`ROWS`] rows begins
    /// with, and what packs these of one matrix; it gives zeros beyond the last row and column. Panics for more than
    /// [`MOST_ROWS`](Self::MOST_ROWS).
    pub fn fill<S: Send, E: Send>(
        &mut self,
        rows: usize,
        threads: Threads,
        states: &mut [S],
        fill: impl Fn((usize, &mut S), usize, &mut dyn FnMut(usize, &[[i8; ROWS]; PANEL])) -> Result<(), E> + Sync,
    ) -> Result<(), E> {
        assert!(
            rows <= Self::MOST_ROWS && states.len() == self.panels,
            "{rows} rows, {} panels",
            states.len()
        );
        self.count = rows.div_ceil(ROWS) * self.small.step;
        let Self { small, panels, matrices, count, .. } = *self;
        if self.words.len() < panels * matrices * count {
            self.words.resize(panels * matrices * count, [0; 2 * PANEL]);
        }
        let words = &mut self.words[..panels * matrices * count];
        let panel = |(p, (target, state)): (usize, (&mut [PackedPair], &mut S))| {
            (0..rows).step_by(ROWS).try_for_each(|row| {
                let mut pack = |matrix: usize, columns: &[[i8; ROWS]; PANEL]| {
                    let target = &mut target[matrix * count + row / ROWS * small.step..][..small.step];
                    // SAFETY: `choice` hands out a kernel only when the CPU has its instructions.
                    unsafe { (small.pack)(columns, target) };
                };
                fill((p, state), row, &mut pack)
            })
        };
        match threads {
            Threads::One => {
                words.chunks_exact_mut(matrices * count).zip(states).enumerate().try_for_each(panel)
            }
            Threads::Pool => {
                let panels = words.par_chunks_exact_mut(matrices * count).zip(states).enumerate();
                let failed = panels.map(panel).find_first(Result::is_err);
                failed.unwrap_or(Ok(()))
            }
        }
    }

    /// Adds the products of all pairs of columns of one matrix to `sums`, which are stored as [`position`](super::position) says.
    pub fn add_gram(&self, matrix: usize, sums: &mut [i32]) {
        let panel = |p: usize| &self.words[(p * self.matrices + matrix) * self.count..][..self.count];
        // SAFETY: `choice` hands out a kernel only when the CPU has its instructions.
        unsafe { (self.small.begin)() };
        for first in (0..self.panels).step_by(BAND) {
            let columns = first..self.panels.min(first + BAND);
            let band = &mut sums[tiles_before(columns.start) * TILE..tiles_before(columns.end) * TILE];
            for first in (0..columns.end).step_by(BAND) {
                let rows = first..columns.end.min(first + BAND);
                for from in (0..self.count).step_by(DEPTH * self.small.step) {
                    let part = from..self.count.min(from + DEPTH * self.small.step);
                    let panel = |p| &panel(p)[part.clone()];
                    add_square(self.small, panel, rows.clone(), columns.clone(), band);
                }
            }
        }
        // SAFETY: as above.
        unsafe { (self.small.end)() };
    }
}

/// Steps of rows that are multiplied at a time: four panels of them stay in the first-level cache.
const DEPTH: usize = 8;

/// Multiplies some panels with some others that are not after them. Their tiles are those of `band`. Between begin and end.
pub(super) fn add_square<'a>(
    small: Small,
    panel: impl Fn(usize) -> &'a [PackedPair],
    rows: Range<usize>,
    columns: Range<usize>,
    band: &mut [i32],
) {
    let before = tiles_before(columns.start);
    let (tiles, _) = band.as_chunks_mut::<TILE>();
    let mut spare = [[0; TILE]; 3];
    for j in columns.clone().step_by(2) {
        // Of an odd number the last panel is its own neighbor, and what that gives goes to spare tiles, as does what is below the
        // diagonal.
        let next = (j + 1).min(columns.end - 1);
        for i in (rows.start..rows.end.min(next + 1)).step_by(2) {
            let below = (i + 1).min(rows.end - 1);
            let [one, two, three] = &mut spare;
            let at = |i: usize, j: usize| tiles_before(j) + i - before;
            let (left, right) = tiles.split_at_mut(tiles_before(j + 1) - before);
            let (c00, c10) = match left[..].get_mut(at(i, j)..) {
                Some([c00, c10, ..]) if below > i && below <= j => (c00, c10),
                Some([c00, ..]) if i <= j => (c00, one),
                _ => unreachable!("the panels begin with even ones"),
            };
            let (c01, c11) = match right.get_mut(i..) {
                Some([c01, c11, ..]) if next > j && below > i => (c01, c11),
                Some([c01, ..]) if next > j => (c01, two),
                _ => (two, three),
            };
            // SAFETY: `choice` hands out a kernel only when the CPU has its instructions.
            unsafe {
                (small.multiply)([panel(i), panel(below)], [panel(j), panel(next)], [c00, c01, c10, c11]);
            }
        }
    }
}
