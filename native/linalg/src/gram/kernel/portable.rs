//! The tile in plain Rust: the reference for the others, and what runs where no SIMD kernel does.

use super::{Kernel, MAX_HEIGHT, PANEL, PackedPair, padded, panel};
use crate::RowBlock;

pub(super) const KERNEL: Kernel = Kernel { name: "portable", height: 4, tile, available: || true };

/// Safe; `unsafe` in its type only because the SIMD kernels share it.
unsafe fn tile(a: &[PackedPair], lane: usize, b: &[PackedPair], tile: &mut [[i32; PANEL]]) {
    debug_assert!(tile.len() <= MAX_HEIGHT);
    for (a, b) in a.iter().zip(b) {
        for (q, row) in tile.iter_mut().enumerate() {
            let (x, y) = (i32::from(a[2 * (lane + q)]), i32::from(a[2 * (lane + q) + 1]));
            for (c, sum) in row.iter_mut().enumerate() {
                *sum += x * i32::from(b[2 * c]) + y * i32::from(b[2 * c + 1]);
            }
        }
    }
}

/// Products in 64 bits throughout, for blocks that use the whole range of 16 bits.
pub(super) fn add_wide(block: RowBlock, products: &mut [i64]) {
    let width = padded(block.columns());
    for i in 0..block.columns() {
        for j in panel(i) * PANEL..block.columns() {
            let product: i64 = block
                .column(i)
                .iter()
                .zip(block.column(j))
                .map(|(&x, &y)| i64::from(i32::from(x) * i32::from(y)))
                .sum();
            products[i * width + j] += product;
        }
    }
}
