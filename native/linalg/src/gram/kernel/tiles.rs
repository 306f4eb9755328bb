//! The loops around the tiles: pack a few chunks, multiply their panels, flush into 64 bits, undo the centering.

use super::layout::{BAND, TILE, tiles_before};
use super::schedule::{Schedule, Sums};
use super::small::add_square;
use super::{Bytes, Kernel, MAX_HEIGHT, Operand, PANEL, PackedPair, ROWS, Row, Small, Split};
use crate::Sample;
use crate::dispatch::dispatched;
use rayon::prelude::*;
use std::fmt;
use std::ops::Range;

/// Words of a panel that are packed at a time: four chunks of row pairs, or of small values with their sums.
const SPAN: usize = 4 * (256 + 16);

/// On which threads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Threads {
    /// The calling one.
    One,
    /// Those of the current pool.
    Pool,
}

/// Room for packed values, kept from block to block: new memory has to be zeroed, page by page. It is no part of a value.
#[derive(Default)]
pub struct Room(Vec<PackedPair>);

impl Room {
    /// So many words, of any content.
    fn words(&mut self, count: usize) -> &mut [PackedPair] {
        if self.0.len() < count {
            self.0.resize(count, [0; 2 * PANEL]);
        }
        &mut self.0[..count]
    }
}

impl Clone for Room {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Room {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Room")
    }
}

/// Adds the products of all pairs of columns of `a` to `products`, which are stored as [`position`](super::position) says.
pub fn add_gram<T: Sample>(
    kernel: &Kernel,
    a: &Operand<T>,
    products: &mut [i64],
    threads: Threads,
    room: &mut Room,
) {
    let schedule = Schedule::of(kernel, a.rows(), a.reach());
    let pack = |p: usize, first: usize, target: &mut [PackedPair]| match schedule.sums {
        Sums::Small(small) => {
            pack_small(small, first, target, |row, to| a.copy_panel(p, row, to, |v| v as i8));
        }
        Sums::Bytes(bytes) => pack_bytes(a, bytes, p, first, target),
        _ => a.pack_panel(p, first, target),
    };
    add(kernel, &schedule, a, pack, products, threads, room);
}

/// `pack` packs rows of a panel, from a pair on.
fn add<T: Sample>(
    kernel: &Kernel,
    schedule: &Schedule,
    a: &Operand<T>,
    pack: impl Fn(usize, usize, &mut [PackedPair]) + Sync,
    products: &mut [i64],
    threads: Threads,
    room: &mut Room,
) {
    let panels = a.panels();
    let chunks: Vec<(usize, usize)> = schedule.chunks().collect();
    let of_span = (SPAN / schedule.size()).clamp(1, chunks.len());
    let packed = room.words(panels * schedule.size() * of_span);
    let mut spans = chunks.chunks(of_span).peekable();
    while let Some(span) = spans.next() {
        // 1. Pack: chunk after chunk, panel after panel.
        let mut rest = &mut *packed;
        for &(first, count) in span {
            let (target, after) = rest.split_at_mut(panels * count);
            rest = after;
            let pack = |(p, target): (usize, &mut [PackedPair])| pack(p, first, target);
            match threads {
                Threads::One => target.chunks_exact_mut(count).enumerate().for_each(pack),
                Threads::Pool => target.par_chunks_exact_mut(count).enumerate().for_each(pack),
            }
        }
        // 2. Multiply: some panels after the others, with those before them, in squares of tiles.
        let last = spans.peek().is_none();
        let span = Span { kernel, schedule, packed, chunks: span, panels };
        let add = |(columns, band): (Range<usize>, &mut [i64])| {
            span.add_band(columns.clone(), band);
            if last {
                uncenter(a, columns, band);
            }
        };
        let width = match threads {
            Threads::One => BAND,
            // Each has other panels before it: several for each thread.
            Threads::Pool => (panels / (4 * rayon::current_num_threads())).clamp(1, BAND).next_multiple_of(2),
        };
        let bands = bands(panels, width, products);
        match threads {
            Threads::One => bands.into_iter().for_each(add),
            // The longest first, each to the next thread that has nothing to do.
            Threads::Pool => bands.into_iter().rev().par_bridge().for_each(add),
        }
    }
}

/// The tiles of some panels after the others, and which panels.
fn bands(panels: usize, width: usize, mut products: &mut [i64]) -> Vec<(Range<usize>, &mut [i64])> {
    let band = |first: usize| {
        let columns = first..panels.min(first + width);
        let count = (tiles_before(columns.end) - tiles_before(columns.start)) * TILE;
        let (band, after) = std::mem::take(&mut products).split_at_mut(count);
        products = after;
        (columns, band)
    };
    (0..panels).step_by(width).map(band).collect()
}

/// Packs rows of the columns of panel `p`, from pair `first` on, in bytes.
fn pack_bytes<T: Sample>(a: &Operand<T>, bytes: Bytes, p: usize, first: usize, target: &mut [PackedPair]) {
    let mut columns = [[0; ROWS]; PANEL];
    for (step, target) in target.chunks_exact_mut(ROWS).enumerate() {
        a.copy_panel(p, 2 * first + step * ROWS, &mut columns, |v| v);
        // SAFETY: `choice` hands out a kernel only when the CPU has its instructions.
        unsafe { (bytes.pack)(&columns, target) };
    }
}

/// The same of small values, of which `copy` has 64 rows from a row on.
fn pack_small(
    small: Small,
    first: usize,
    target: &mut [PackedPair],
    copy: impl Fn(usize, &mut [[i8; ROWS]; PANEL]),
) {
    let mut columns = [[0; ROWS]; PANEL];
    for (step, target) in target.chunks_exact_mut(small.step).enumerate() {
        copy(2 * first + step * ROWS, &mut columns);
        // SAFETY: as above.
        unsafe { (small.pack)(&columns, target) };
    }
}

/// Some chunks of packed row pairs, each with its number of words per panel.
struct Span<'a> {
    kernel: &'a Kernel,
    schedule: &'a Schedule,
    packed: &'a [PackedPair],
    chunks: &'a [(usize, usize)],
    panels: usize,
}

impl Span<'_> {
    /// Multiplies some panels with themselves and those before them. Their tiles are those of `band`.
    fn add_band(&self, columns: Range<usize>, band: &mut [i64]) {
        if let Sums::Small(small) = self.schedule.sums {
            let mut sums = vec![0; band.len()];
            self.add_small(small, columns, &mut sums);
            return add_sums(band, &sums);
        }
        for first in (0..columns.end).step_by(BAND) {
            let rows = first..(first + BAND).min(columns.end);
            let mut packed = self.packed;
            for &(_, count) in self.chunks {
                let (chunk, after) = packed.split_at(self.panels * count);
                packed = after;
                self.add_square(chunk, count, rows.clone(), columns.clone(), band);
            }
        }
    }

    /// The same of small values, in 32 bits.
    fn add_small(&self, small: Small, columns: Range<usize>, band: &mut [i32]) {
        // SAFETY: `choice` hands out a kernel only when the CPU has its instructions.
        unsafe { (small.begin)() };
        for first in (0..columns.end).step_by(BAND) {
            let rows = first..(first + BAND).min(columns.end);
            let mut packed = self.packed;
            for &(_, count) in self.chunks {
                let (chunk, after) = packed.split_at(self.panels * count);
                packed = after;
                let panel = |p: usize| &chunk[p * count..(p + 1) * count];
                add_square(small, panel, rows.clone(), columns.clone(), band);
            }
        }
        // SAFETY: as above.
        unsafe { (small.end)() };
    }

    /// The same for one chunk and some of the panels before.
    fn add_square(
        &self,
        chunk: &[PackedPair],
        count: usize,
        rows: Range<usize>,
        columns: Range<usize>,
        band: &mut [i64],
    ) {
        let panel = |p: usize| &chunk[p * count..(p + 1) * count];
        let first = tiles_before(columns.start);
        let tile = |i: usize, j: usize| (tiles_before(j) + i - first) * TILE;
        let groups = self.schedule.groups(count) as i64;
        for j in columns {
            let b = panel(j);
            let above = rows.start..rows.end.min(j + 1);
            if above.is_empty() {
                continue;
            }
            let a = &chunk[above.start * count..above.end * count];
            let targets = &mut band[tile(above.start, j)..tile(above.end, j)];
            if let Sums::Bytes(bytes) = self.schedule.sums {
                // SAFETY: as above.
                unsafe { (bytes.add)(a, b, targets) };
                continue;
            }
            for (a, target) in a.chunks_exact(count).zip(targets.chunks_exact_mut(TILE)) {
                match self.schedule.sums {
                    Sums::Fours => split(self.kernel, self.kernel.fours, a, b, groups, target),
                    Sums::Ones => split(self.kernel, self.kernel.ones, a, b, groups, target),
                    _ => narrow(self.kernel, a, b, target),
                }
            }
        }
    }
}

dispatched! {
    /// Adds 32-bit sums.
    pub fn add_sums(target: &mut [i64], sums: &[i32]) {
        target.iter_mut().zip(sums).for_each(|(target, &sum)| *target += i64::from(sum));
    }
}

fn narrow(kernel: &Kernel, a: &[PackedPair], b: &[PackedPair], target: &mut [i64]) {
    let height = kernel.heights.0;
    let mut tile = [[0; PANEL]; MAX_HEIGHT];
    let tile = &mut tile[..height];
    for (lane, target) in target.chunks_exact_mut(height * PANEL).enumerate() {
        touch(target);
        // SAFETY: `choice` hands out a kernel only when the CPU has its instructions.
        unsafe { (kernel.narrow)(a, lane * height, b, tile) };
        add_sums(target, tile.as_flattened());
    }
}

fn split(
    kernel: &Kernel,
    function: Split,
    a: &[PackedPair],
    b: &[PackedPair],
    groups: i64,
    target: &mut [i64],
) {
    let height = kernel.heights.1;
    let (mut low, mut high): ([Row; MAX_HEIGHT], [Row; MAX_HEIGHT]) = Default::default();
    let (low, high) = (&mut low[..height], &mut high[..height]);
    for (lane, target) in target.chunks_exact_mut(height * PANEL).enumerate() {
        touch(target);
        // SAFETY: as above.
        unsafe { function(a, lane * height, b, low, high) };
        add_joined(target, low.as_flattened(), high.as_flattened(), groups);
    }
}

/// Reads a word of each cache line of a tile's sums: of a few hundred columns they fill the second-level
/// cache, and so come from beyond it while the tile is multiplied, not after.
#[inline(always)]
fn touch(target: &[i64]) {
    std::hint::black_box(target.iter().step_by(PANEL / 2).fold(0, |words, word| words ^ word));
}

dispatched! {
    /// Adds split sums, each of this many groups less one.
    fn add_joined(target: &mut [i64], low: &[i32], high: &[i32], groups: i64) {
        for ((sum, &low), &high) in target.iter_mut().zip(low).zip(high) {
            *sum += joined(low, high) + groups;
        }
    }
}

/// The sum of which `low` are the last 32 bits and which is at least `2^16 high` and less than 2^32 more.
#[inline(always)]
fn joined(low: i32, high: i32) -> i64 {
    let rest = low.wrapping_sub(high << 16) as u32;
    (i64::from(high) << 16) + i64::from(rest)
}

/// From sums of `(x-c)(y-c)` to sums of `x y`, of some panels with those before them: adds `c sum x + c sum y - rows c^2`.
fn uncenter<T: Sample>(a: &Operand<T>, panels: Range<usize>, mut band: &mut [i64]) {
    let c = i64::from(a.center());
    if c == 0 {
        return;
    }
    let constant = a.rows() as i64 * c * c;
    let sums: Vec<i64> = a.summaries().iter().map(|column| c * column.sum).collect();
    for (q, b) in sums.chunks(PANEL).enumerate().take(panels.end).skip(panels.start) {
        let (tiles, after) = band.split_at_mut((q + 1) * TILE);
        band = after;
        for (row, x) in tiles.chunks_exact_mut(PANEL).zip(&sums) {
            let x = x - constant;
            row.iter_mut().zip(b).for_each(|(product, y)| *product += x + y);
        }
    }
}
