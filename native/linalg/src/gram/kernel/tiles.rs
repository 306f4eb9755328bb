//! The loops around the tiles: pack a chunk, multiply its panels, flush into 64 bits, undo the centring.

use super::schedule::{Schedule, Sums};
use super::{Kernel, MAX_HEIGHT, Operand, PANEL, PackedPair, Row, Split, Summary, padded, panel};
use crate::Sample;

/// Adds the products of all pairs of columns of `a` to `products` (row-major, [`padded`] wide; only panels on
/// and above the diagonal).
pub fn add_gram<T: Sample>(kernel: &Kernel, a: &Operand<T>, products: &mut [i64]) {
    let schedule = Schedule::new(a.rows(), a.reach(), a.reach());
    let mut packed = vec![[0; 2 * PANEL]; a.panels() * schedule.chunk];
    for (first, count) in schedule.chunks() {
        a.pack(first, count, &mut packed);
        let chunk = Chunk { left: &packed, right: &packed, count, panels: a.panels() };
        (0..a.panels()).for_each(|j| chunk.add_panels(kernel, &schedule, 0..j + 1, j, products));
    }
    uncentre(a, a, true, products);
}

/// Adds the products of all columns of `a` with all of `b`, which has as many rows, to `products` (row-major,
/// [`padded`] in both directions).
pub fn add_cross<A: Sample, B: Sample>(
    kernel: &Kernel,
    a: &Operand<A>,
    b: &Operand<B>,
    products: &mut [i64],
) {
    let schedule = Schedule::new(a.rows(), a.reach(), b.reach());
    let mut left = vec![[0; 2 * PANEL]; a.panels() * schedule.chunk];
    let mut right = vec![[0; 2 * PANEL]; b.panels() * schedule.chunk];
    for (first, count) in schedule.chunks() {
        a.pack(first, count, &mut left);
        b.pack(first, count, &mut right);
        let chunk = Chunk { left: &left, right: &right, count, panels: b.panels() };
        (0..b.panels()).for_each(|j| chunk.add_panels(kernel, &schedule, 0..a.panels(), j, products));
    }
    uncentre(a, b, false, products);
}

/// The packed row pairs of a chunk, `count` per panel.
struct Chunk<'a> {
    left: &'a [PackedPair],
    right: &'a [PackedPair],
    count: usize,
    /// Panels of the right operand.
    panels: usize,
}

impl Chunk<'_> {
    /// Multiplies panels `i` of the left operand with panel `j` of the right one.
    fn add_panels(
        &self,
        kernel: &Kernel,
        schedule: &Schedule,
        i: std::ops::Range<usize>,
        j: usize,
        products: &mut [i64],
    ) {
        let width = self.panels * PANEL;
        let b = &self.right[j * self.count..(j + 1) * self.count];
        let groups = schedule.groups(self.count) as i64;
        for i in i {
            let a = &self.left[i * self.count..(i + 1) * self.count];
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

/// From sums of `(x-c)(y-d)` to sums of `x y`: adds `d sum x + c sum y - rows c d`.
fn uncentre<A: Sample, B: Sample>(a: &Operand<A>, b: &Operand<B>, upper: bool, products: &mut [i64]) {
    let (c, d) = (i64::from(a.centre()), i64::from(b.centre()));
    if c == 0 && d == 0 {
        return;
    }
    let width = padded(b.summaries().len());
    let constant = a.rows() as i64 * c * d;
    for (i, x) in a.summaries().iter().enumerate() {
        let start = if upper { panel(i) * PANEL } else { 0 };
        let add = |(product, y): (&mut i64, &Summary)| *product += d * x.sum + c * y.sum - constant;
        products[i * width + start..].iter_mut().zip(&b.summaries()[start..]).for_each(add);
    }
}
