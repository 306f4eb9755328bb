//! One factor of a product: a block's columns, and what is known about their values.

use super::tiles::Threads;
use super::{PANEL, PackedPair, ROWS, pack};
use crate::Sample;
use crate::block::RowBlock;
use rayon::prelude::*;

/// The exact sum and the range of the rows of one column.
#[derive(Clone, Copy)]
pub struct Summary {
    pub sum: i64,
    pub low: i32,
    pub high: i32,
}

impl Summary {
    /// Of a column that has rows.
    fn of<T: Sample>(column: &[T]) -> Self {
        // 2^15 values of 16 bits stay within 31 bits.
        let sum = column.chunks(1 << 15).map(|c| i64::from(c.iter().map(|&v| v.into()).sum::<i32>())).sum();
        let (low, high) = column.iter().fold((T::MAX, T::MIN), |(l, h), &v| (l.min(v), h.max(v)));
        Self { sum, low: low.into(), high: high.into() }
    }
}

/// A block that has rows, ready to be multiplied.
pub struct Operand<'a, T> {
    block: RowBlock<'a, T>,
    summaries: Vec<Summary>,
    center: i32,
    reach: (i64, i64),
}

impl<'a, T: Sample> Operand<'a, T> {
    pub fn new(block: RowBlock<'a, T>, threads: Threads) -> Self {
        let summary = |j: usize| Summary::of(block.column(j));
        let summaries: Vec<_> = match threads {
            Threads::One => (0..block.columns()).map(summary).collect(),
            Threads::Pool => (0..block.columns()).into_par_iter().map(summary).collect(),
        };
        let low = summaries.iter().map(|s| s.low).min().unwrap_or(0);
        let high = summaries.iter().map(|s| s.high).max().unwrap_or(0);
        // Rounded up: the whole range of 16 bits becomes -32768..=32767.
        let center = (low + high + 1).div_euclid(2);
        Self { block, summaries, center, reach: ((center - low).into(), (high - center).into()) }
    }

    /// One per column.
    pub fn summaries(&self) -> &[Summary] {
        &self.summaries
    }

    pub fn rows(&self) -> usize {
        self.block.rows()
    }

    /// What is subtracted from every value.
    pub fn center(&self) -> i32 {
        self.center
    }

    /// How far values lie below and above the center; the second is as large as the first, or one less.
    pub fn reach(&self) -> (i64, i64) {
        self.reach
    }

    pub fn panels(&self) -> usize {
        self.block.columns().div_ceil(PANEL)
    }

    /// Copies rows of the columns of panel `p`, from `row` on, as `of` has them; zeros beyond the block.
    pub fn copy_panel<U: Copy + Default>(
        &self,
        p: usize,
        row: usize,
        target: &mut [[U; ROWS]; PANEL],
        of: impl Fn(i16) -> U,
    ) {
        for (j, target) in (p * PANEL..).zip(target) {
            let column = if j < self.block.columns() { self.block.column(j) } else { &[] };
            let values = &column[row.min(column.len())..];
            let count = values.len().min(ROWS);
            target[..count].iter_mut().zip(values).for_each(|(t, v)| *t = of(v.centered(self.center)));
            target[count..].fill(U::default());
        }
    }

    /// Packs pairs of rows of the columns of panel `p`, from pair `first` on, into `target`.
    pub fn pack_panel(&self, p: usize, first: usize, target: &mut [PackedPair]) {
        pack::panel(self.block, p * PANEL, 2 * first, self.center, target);
    }
}
