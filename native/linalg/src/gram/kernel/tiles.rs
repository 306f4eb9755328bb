//! The loops around the tiles: pack a few chunks, multiply their panels, flush into 64 bits, undo the centring.

use super::schedule::{Schedule, Sums};
use super::{
    Bytes, Kernel, MAX_HEIGHT, Operand, PANEL, PackedPair, ROWS, Row, Split, Summary, padded, panel,
};
use crate::Sample;
use rayon::prelude::*;
use std::ops::Range;

/// Panels of a band of products, and of a tile of it: its sums, and a chunk of both its factors, stay in the second-level
/// cache while all chunks of a span are added to it.
const STRIP: usize = 8;

/// Row pairs that are packed at a time.
const SPAN: usize = 1024;

/// On which threads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Threads {
    /// The calling one.
    One,
    /// Those of the current pool.
    Pool,
}

/// Adds the products of all pairs of columns of `a` to `products` (row-major, [`padded`] wide; only panels on
/// and above the diagonal).
pub fn add_gram<T: Sample>(kernel: &Kernel, a: &Operand<T>, products: &mut [i64], threads: Threads) {
    let schedule = match kernel.bytes {
        Some(_) => Schedule::of_bytes(a.rows()),
        None => Schedule::new(a.rows(), a.reach()),
    };
    let chunks: Vec<(usize, usize)> = schedule.chunks().collect();
    let of_span = (SPAN / schedule.size()).clamp(1, chunks.len());
    let panels = a.panels();
    let mut packed = vec![[0; 2 * PANEL]; panels * schedule.size() * of_span];
    for span in chunks.chunks(of_span) {
        // 1. Pack: chunk after chunk, panel after panel.
        let mut rest = packed.as_mut_slice();
        for &(first, count) in span {
            let (target, after) = rest.split_at_mut(panels * count);
            rest = after;
            let pack = |(p, target): (usize, &mut [PackedPair])| match kernel.bytes {
                Some(bytes) => pack_bytes(a, bytes, p, first, target),
                None => a.pack_panel(p, first, target),
            };
            match threads {
                Threads::One => target.chunks_exact_mut(count).enumerate().for_each(pack),
                Threads::Pool => target.par_chunks_exact_mut(count).enumerate().for_each(pack),
            }
        }
        // 2. Multiply: one band of products after the other, in tiles.
        let span = Span { kernel, schedule: &schedule, packed: &packed, chunks: span, panels };
        let height = match threads {
            Threads::One => STRIP,
            // Bands are of unequal length: several for each thread.
            Threads::Pool => (panels / (4 * rayon::current_num_threads())).clamp(1, STRIP),
        };
        let band =
            |(i, band): (usize, &mut [i64])| span.add_band(i * height..panels.min((i + 1) * height), band);
        let size = height * PANEL * panels * PANEL;
        match threads {
            Threads::One => products.chunks_mut(size).enumerate().for_each(band),
            Threads::Pool => products.par_chunks_mut(size).with_max_len(1).enumerate().for_each(band),
        }
    }
    uncentre(a, products);
}

/// Packs rows of the columns of panel `p`, from pair `first` on, in bytes.
fn pack_bytes<T: Sample>(a: &Operand<T>, bytes: Bytes, p: usize, first: usize, target: &mut [PackedPair]) {
    let mut columns = [[0; ROWS]; PANEL];
    for (step, target) in target.chunks_exact_mut(ROWS).enumerate() {
        a.copy_panel(p, 2 * first + step * ROWS, &mut columns);
        // SAFETY: `choice` hands out a kernel only when the CPU has its instructions.
        unsafe { (bytes.pack)(&columns, target) };
    }
}

/// Some chunks of packed row pairs, each with its number of pairs per panel.
struct Span<'a> {
    kernel: &'a Kernel,
    schedule: &'a Schedule,
    packed: &'a [PackedPair],
    chunks: &'a [(usize, usize)],
    panels: usize,
}

impl Span<'_> {
    /// Multiplies some panels, whose rows of products begin at `band`, with themselves and those after them.
    fn add_band(&self, rows: Range<usize>, band: &mut [i64]) {
        for first in (rows.start..self.panels).step_by(STRIP) {
            let columns = first..(first + STRIP).min(self.panels);
            let mut packed = self.packed;
            for &(_, count) in self.chunks {
                let (chunk, after) = packed.split_at(self.panels * count);
                packed = after;
                self.add_tile(chunk, count, rows.clone(), columns.clone(), band);
            }
        }
    }

    /// The same for one chunk and some columns.
    fn add_tile(
        &self,
        chunk: &[PackedPair],
        count: usize,
        rows: Range<usize>,
        columns: Range<usize>,
        band: &mut [i64],
    ) {
        let width = self.panels * PANEL;
        let panel = |p: usize| &chunk[p * count..(p + 1) * count];
        let groups = self.schedule.groups(count) as i64;
        let split_by = match self.schedule.sums {
            Sums::Narrow | Sums::Bytes => None,
            Sums::Fours => Some(self.kernel.fours),
            Sums::Ones => Some(self.kernel.ones),
        };
        for j in columns {
            let b = panel(j);
            let above = rows.start..rows.end.min(j + 1);
            if let Some(bytes) = self.kernel.bytes {
                let a = &chunk[above.start * count..above.end * count];
                // SAFETY: `choice` hands out a kernel only when the CPU has its instructions.
                unsafe { (bytes.add)(a, b, &mut band[j * PANEL..], width) };
                continue;
            }
            for i in above {
                let a = panel(i);
                // From the row of the first column of `a`, at the place of the first of `b`; sixteen such rows.
                let target = &mut band[(i - rows.start) * PANEL * width + j * PANEL..];
                match split_by {
                    None => narrow(self.kernel, a, b, target, width),
                    Some(function) => split(self.kernel, function, a, b, groups, target, width),
                }
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
