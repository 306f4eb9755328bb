//! Integer products of the columns of a block, by the widest instructions that the CPU has.
//!
//! The values are centred first: with `c` the middle of the block's range, `|x - c|` is as small as can be (at most 2048 for 12-bit
//! CT), so 32-bit sums last longest before they must be flushed into 64 bits. The exact result does not depend on `c`:
//! `x y = (x-c)(y-c) + c (x-c) + c (y-c) + c^2`.
//!
//! Columns are packed in panels of 16; one packed word holds two consecutive rows of one column, which is what the multiply-add
//! instructions (`vpmaddwd`, `vpdpwssd`) take. A kernel computes a tile of `height` x 16 sums over at most as many row
//! pairs as 32 bits allow. Every kernel returns the same integers.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod pack;
mod portable;

use crate::RowBlock;
use std::sync::OnceLock;

/// Columns of a panel.
pub(crate) const PANEL: usize = 16;

/// Two consecutive rows of 16 columns, interleaved: `[x0 x0', x1 x1', ..]`.
pub(crate) type PackedPair = [i16; 2 * PANEL];

/// Rows of the tallest tile.
const MAX_HEIGHT: usize = 16;

/// Row pairs of a chunk at the most: a packed chunk of a few hundred columns stays in the second-level cache.
const MAX_PAIRS: usize = 256;

/// `tile[q][c]` += sum over pairs of column `lane + q` of `a` times column `c` of `b`; both panels have the same number of pairs.
type Tile = unsafe fn(a: &[PackedPair], lane: usize, b: &[PackedPair], tile: &mut [[i32; PANEL]]);

/// One implementation of the tile.
pub(crate) struct Kernel {
    /// Name, as logged and as the environment variable takes it.
    pub name: &'static str,
    /// Rows of the tile; divides [`PANEL`].
    height: usize,
    /// Safety: to be called only on a CPU for which `available` returned true.
    tile: Tile,
    available: fn() -> bool,
}

/// All kernels of this architecture, best first. The last one is always available.
static KERNELS: &[Kernel] = &[
    #[cfg(target_arch = "x86_64")]
    avx512::VNNI,
    #[cfg(target_arch = "x86_64")]
    avx512::MADD,
    #[cfg(target_arch = "x86_64")]
    avx2::KERNEL,
    portable::KERNEL,
];

/// The environment variable that forces a kernel.
const VARIABLE: &str = "TOMOBASIS_KERNEL";

/// The kernel of this process: the best one, or the one that the environment asks for.
pub(crate) fn chosen() -> &'static Kernel {
    static CHOSEN: OnceLock<&'static Kernel> = OnceLock::new();
    CHOSEN.get_or_init(|| {
        let usable = || KERNELS.iter().filter(|k| (k.available)());
        let best = usable().next().unwrap_or(&portable::KERNEL);
        let Some(name) = std::env::var(VARIABLE).ok().filter(|n| !n.is_empty()) else {
            log::debug!("Gram kernel: {}", best.name);
            return best;
        };
        let forced = usable().find(|k| k.name == name);
        match forced {
            Some(k) => log::info!("Gram kernel: {} (forced by {VARIABLE})", k.name),
            None => {
                log::warn!("{VARIABLE}={name}: this CPU or build has no such kernel; using {}", best.name)
            }
        }
        forced.unwrap_or(best)
    })
}

/// `columns` rounded up to whole panels.
pub(crate) fn padded(columns: usize) -> usize {
    columns.next_multiple_of(PANEL)
}

/// The panel that column `j` is in.
pub(crate) fn panel(j: usize) -> usize {
    j / PANEL
}

/// The exact sum and the range of the rows of one column.
pub(crate) struct Summary {
    pub sum: i64,
    pub low: i16,
    pub high: i16,
}

impl Summary {
    pub fn of(column: &[i16]) -> Self {
        // 2^15 values of 16 bits stay within 31 bits.
        let sum =
            column.chunks(1 << 15).map(|c| i64::from(c.iter().map(|&v| i32::from(v)).sum::<i32>())).sum();
        let (low, high) = column.iter().fold((i16::MAX, i16::MIN), |(l, h), &v| (l.min(v), h.max(v)));
        Self { sum, low, high }
    }
}

/// Adds the products of all pairs of columns of `block` to `products` (row-major, [`padded`] wide; only panels on and above the
/// diagonal). `summaries` describes the block's columns.
pub(crate) fn add_products(kernel: &Kernel, block: RowBlock, summaries: &[Summary], products: &mut [i64]) {
    let (low, high) = summaries.iter().fold((i16::MAX, i16::MIN), |(l, h), s| (l.min(s.low), h.max(s.high)));
    let centre = ((i32::from(low) + i32::from(high)) / 2) as i16;
    let largest = (i64::from(high) - i64::from(centre)).max(i64::from(centre) - i64::from(low));
    if largest > i64::from(i16::MAX) {
        // The full range of 16 bits can't be centred: products in 64 bits at once.
        return portable::add_wide(block, products);
    }
    let columns = block.columns();
    let width = padded(columns);
    let panels = width / PANEL;
    let pairs = block.rows().div_ceil(2);
    let limit = pair_limit(largest).min(MAX_PAIRS);
    let chunk = pairs.div_ceil(pairs.div_ceil(limit).max(1)).max(1);
    let mut packed = vec![[0; 2 * PANEL]; panels * chunk];
    let mut tile = [[0i32; PANEL]; MAX_HEIGHT];
    let tile = &mut tile[..kernel.height];
    for first in (0..pairs).step_by(chunk) {
        let count = chunk.min(pairs - first);
        for (p, target) in packed.chunks_exact_mut(count).take(panels).enumerate() {
            pack::panel(block, p * PANEL, 2 * first, centre, target);
        }
        let panel = |p: usize| &packed[p * count..(p + 1) * count];
        for j in 0..panels {
            for i in 0..=j {
                for lane in (0..PANEL).step_by(kernel.height) {
                    tile.iter_mut().for_each(|row| row.fill(0));
                    // SAFETY: `chosen` hands out a kernel only when the CPU has its instructions.
                    unsafe { (kernel.tile)(panel(i), lane, panel(j), tile) };
                    for (q, row) in tile.iter().enumerate() {
                        let start = (i * PANEL + lane + q) * width + j * PANEL;
                        for (sum, &t) in products[start..start + PANEL].iter_mut().zip(row) {
                            *sum += i64::from(t);
                        }
                    }
                }
            }
        }
    }
    uncentre(block.rows() as i64, i64::from(centre), summaries, products, width);
}

/// Row pairs whose products of centred values (at most `largest` in magnitude) 32 bits hold.
fn pair_limit(largest: i64) -> usize {
    let pair = 2 * largest * largest;
    if pair == 0 { MAX_PAIRS } else { (i64::from(i32::MAX) / pair) as usize }
}

/// From sums of `(x-c)(y-c)` to sums of `x y`: adds `c (sum x + sum y) - rows c^2`.
fn uncentre(rows: i64, centre: i64, summaries: &[Summary], products: &mut [i64], width: usize) {
    if centre == 0 {
        return;
    }
    for (i, a) in summaries.iter().enumerate() {
        let start = panel(i) * PANEL;
        for (product, b) in products[i * width + start..].iter_mut().zip(&summaries[start..]) {
            *product += centre * (a.sum + b.sum) - rows * centre * centre;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kernel_that_runs_here_gives_the_same_products() {
        let (rows, columns) = (777, 37);
        let values: Vec<i16> = (0..rows * columns).map(|v| ((v * 7919) % 4096) as i16 - 1024).collect();
        let block = RowBlock::new(&values, rows, columns).unwrap();
        let summaries: Vec<_> = (0..columns).map(|j| Summary::of(block.column(j))).collect();
        let products = |kernel: &Kernel| {
            let mut out = vec![0; padded(columns) * padded(columns)];
            add_products(kernel, block, &summaries, &mut out);
            out
        };
        let reference = products(&portable::KERNEL);
        for kernel in KERNELS {
            if (kernel.available)() {
                assert_eq!(products(kernel), reference, "{}", kernel.name);
            } else {
                println!("skipped: this CPU can't run the {} kernel", kernel.name);
            }
        }
    }

    #[test]
    fn pair_limit_is_the_largest_number_of_pairs_that_cannot_overflow() {
        for largest in [1, 2, 181, 2048, 4095, 16_384, 32_767] {
            let limit = pair_limit(largest) as i64;
            assert!(limit >= 1);
            assert!(limit * 2 * largest * largest <= i64::from(i32::MAX));
            assert!((limit + 1) * 2 * largest * largest > i64::from(i32::MAX));
        }
    }
}
