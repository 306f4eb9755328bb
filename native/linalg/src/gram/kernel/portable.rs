//! The tile in plain Rust: the reference for the others, and what runs where no SIMD kernel does.

use super::{Kernel, PackedPair, Row};

pub(super) const KERNEL: Kernel = Kernel {
    name: "portable",
    heights: (4, 4),
    narrow,
    fours: split::<4>,
    ones: split::<1>,
    bytes: None,
    small: None,
    available: || true,
};

/// Safe; `unsafe` in its type only because the SIMD kernels share it.
unsafe fn narrow(a: &[PackedPair], lane: usize, b: &[PackedPair], tile: &mut [Row]) {
    tile.iter_mut().for_each(|row| row.fill(0));
    add(a, lane, b, tile);
}

/// Safe, as above.
unsafe fn split<const GROUP: usize>(
    a: &[PackedPair],
    lane: usize,
    b: &[PackedPair],
    low: &mut [Row],
    high: &mut [Row],
) {
    low.iter_mut().chain(high.iter_mut()).for_each(|row| row.fill(0));
    let mut sums = [Row::default(); KERNEL.heights.1];
    for (a, b) in a.chunks_exact(GROUP).zip(b.chunks_exact(GROUP)) {
        sums.iter_mut().for_each(|row| row.fill(-1));
        add(a, lane, b, &mut sums);
        for ((low, high), sums) in low.iter_mut().zip(high.iter_mut()).zip(&sums) {
            for ((low, high), &sum) in low.iter_mut().zip(high).zip(sums) {
                *low = low.wrapping_add(sum);
                *high += sum >> 16;
            }
        }
    }
}

#[inline(always)]
fn add(a: &[PackedPair], lane: usize, b: &[PackedPair], tile: &mut [Row]) {
    for (a, b) in a.iter().zip(b) {
        for (q, row) in tile.iter_mut().enumerate() {
            let (x, y) = (i32::from(a[2 * (lane + q)]), i32::from(a[2 * (lane + q) + 1]));
            for (c, sum) in row.iter_mut().enumerate() {
                // One product after the other: the two of a pair may together exceed 32 bits, not with the
                // sum's -1.
                *sum = *sum + x * i32::from(b[2 * c]) + y * i32::from(b[2 * c + 1]);
            }
        }
    }
}
