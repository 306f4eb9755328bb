//! The loops around the tiles: pack a chunk, multiply its panels, flush into 64 bits, undo the centring.

use super::schedule::{Schedule, Sums};
use super::{Kernel, MAX_HEIGHT, Operand, PANEL, PackedPair, Row, Split, Summary, padded, panel};
use crate::Sample;

/// Adds the products of all pairs of columns of `a` to `products` (row-major, [`padded`] wide; only panels on
/// and above the diagonal).
pub fn add_gram<T: Sample>(kernel: &Kernel, a: &Operand<T>, products: &mut [i64]) {
    let schedule = Schedule::new(a.rows(), a.reach());
    let mut packed = vec![[0; 2 * PANEL]; a.panels() * schedule.chunk];
    for (first, count) in schedule.chunks() {
        a.pack(first, count, &mut packed);
        let chunk = Chunk { packed: &packed, count, panels: a.panels() };
        (0..a.panels()).for_each(|j| chunk.add_panels(kernel, &schedule, j, products));
    }
    uncentre(a, products);
}

/// The packed row pairs of a chunk, `count` per panel.
struct Chunk<'a> {
    packed: &'a [PackedPair],
    count: usize,
    panels: usize,
}

impl Chunk<'_> {
    fn panel(&self, j: usize) -> &[PackedPair] {
        &self.packed[j * self.count..(j + 1) * self.count]
    }

    /// Multiplies the panels up to `j` with panel `j`.
    fn add_panels(&self, kernel: &Kernel, schedule: &Schedule, j: usize, products: &mut [i64]) {
        let width = self.panels * PANEL;
        let b = self.panel(j);
        let groups = schedule.groups(self.count) as i64;
        for i in 0..=j {
            let a = self.panel(i);
            // From the row of the first column of `a`, at the place of the first of `b`; sixteen such rows.
            let target = &mut products[i * PANEL * width + j * PANEL..];
            match schedule.sums {
                Sums::Narrow => narrow(kernel, a, b, target, width),
                Sums::Fours => split(kernel, kernel.fours, a, b, groups, target, width),
                Sums::Ones => split(kernel, kernel.ones, a, b, groups, target, width),
            }
        }
    }
}

fn narrow(kernel: &Kernel, a: &[PackedPair], b: &[PackedPair], target: &mut [i64], width: usize) {
    let height = kernel.heights.0;
    let mut tile = [[0; PANEL]; MAX_HEIGHT];
    let tile = &mut tile[..height];
    for lane in (0..PANEL).step_by(height) {
        let target = &mut target[lane * width..];
        touch(target, width, height);
        // SAFETY: `choice` hands out a kernel only when the CPU has its instructions.
        unsafe { (kernel.narrow)(a, lane, b, tile) };
        for (row, sums) in tile.iter().zip(target.chunks_mut(width)) {
            sums.iter_mut().zip(row).for_each(|(sum, &t)| *sum += i64::from(t));
        }
    }
}

fn split(
    kernel: &Kernel,
    function: Split,
    a: &[PackedPair],
    b: &[PackedPair],
    groups: i64,
    target: &mut [i64],
    width: usize,
) {
    let height = kernel.heights.1;
    let (mut low, mut high): ([Row; MAX_HEIGHT], [Row; MAX_HEIGHT]) = Default::default();
    let (low, high) = (&mut low[..height], &mut high[..height]);
    for lane in (0..PANEL).step_by(height) {
        let target = &mut target[lane * width..];
        touch(target, width, height);
        // SAFETY: as above.
        unsafe { function(a, lane, b, low, high) };
        for ((low, high), sums) in low.iter().zip(high.iter()).zip(target.chunks_mut(width)) {
            for ((sum, &low), &high) in sums.iter_mut().zip(low).zip(high) {
                *sum += joined(low, high) + groups;
            }
        }
    }
}

/// Reads a word of each cache line of a tile's sums: of a few hundred columns they fill the second-level
/// cache, and so come from beyond it while the tile is multiplied, not after.
#[inline(always)]
fn touch(target: &[i64], width: usize, height: usize) {
    let lines = target.chunks(width).take(height).map(|row| row[0] ^ row[PANEL / 2] ^ row[PANEL - 1]);
    std::hint::black_box(lines.fold(0, |words, word| words ^ word));
}

/// The sum of which `low` are the last 32 bits and which is at least `2^16 high` and less than 2^32 more.
#[inline(always)]
fn joined(low: i32, high: i32) -> i64 {
    let rest = low.wrapping_sub(high << 16) as u32;
    (i64::from(high) << 16) + i64::from(rest)
}

/// From sums of `(x-c)(y-c)` to sums of `x y`: adds `c sum x + c sum y - rows c^2`.
fn uncentre<T: Sample>(a: &Operand<T>, products: &mut [i64]) {
    let c = i64::from(a.centre());
    if c == 0 {
        return;
    }
    let columns = a.summaries();
    let width = padded(columns.len());
    let constant = a.rows() as i64 * c * c;
    for (i, x) in columns.iter().enumerate() {
        let start = panel(i) * PANEL;
        let add = |(product, y): (&mut i64, &Summary)| *product += c * (x.sum + y.sum) - constant;
        products[i * width + start..].iter_mut().zip(&columns[start..]).for_each(add);
    }
}
