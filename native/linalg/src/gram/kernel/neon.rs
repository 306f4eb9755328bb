//! The tiles with NEON, which every aarch64 CPU has: `smlal` multiplies four columns of `b` by one value of
//! `a` into 32 bits.
//!
//! `ld2` takes the two rows of a packed pair apart. Narrow: four columns of `a` against sixteen of `b`,
//! sixteen accumulators of four lanes. Split sums need three accumulators where narrow ones need one, so two
//! columns of `a`.

use super::{Kernel, PANEL, PackedPair, Row};
use std::arch::aarch64::{
    int16x8x2_t, int32x4_t, vaddq_s32, vdupq_n_s32, vget_low_s16, vld2q_s16, vmlal_high_n_s16, vmlal_n_s16,
    vsraq_n_s32, vst1q_s32,
};

const NARROW: usize = 4;
const SPLIT: usize = 2;

/// Sums for one column of `a` and sixteen of `b`.
type Lanes = [int32x4_t; 4];

pub(super) const KERNEL: Kernel = Kernel {
    name: "neon",
    heights: (NARROW, SPLIT),
    narrow,
    fours: split::<4>,
    ones: split::<1>,
    bytes: None,
    small: None,
    available: || std::arch::is_aarch64_feature_detected!("neon"),
};

/// Safety: the CPU must have NEON.
#[target_feature(enable = "neon")]
fn narrow(a: &[PackedPair], lane: usize, b: &[PackedPair], tile: &mut [Row]) {
    assert!(lane + NARROW <= PANEL && tile.len() == NARROW);
    let mut sums = [[vdupq_n_s32(0); 4]; NARROW];
    for (a, b) in a.iter().zip(b) {
        add(a, lane, b, &mut sums);
    }
    store(&sums, tile);
}

/// Safety: the CPU must have NEON.
#[target_feature(enable = "neon")]
fn split<const GROUP: usize>(
    a: &[PackedPair],
    lane: usize,
    b: &[PackedPair],
    low: &mut [Row],
    high: &mut [Row],
) {
    assert!(lane + SPLIT <= PANEL && low.len() == SPLIT && high.len() == SPLIT);
    let mut lows = [[vdupq_n_s32(0); 4]; SPLIT];
    let mut highs = lows;
    for (a, b) in a.chunks_exact(GROUP).zip(b.chunks_exact(GROUP)) {
        let mut sums = [[vdupq_n_s32(-1); 4]; SPLIT];
        for (a, b) in a.iter().zip(b) {
            add(a, lane, b, &mut sums);
        }
        for ((low, high), sum) in lows.iter_mut().zip(&mut highs).zip(&sums) {
            for c in 0..4 {
                low[c] = vaddq_s32(low[c], sum[c]);
                high[c] = vsraq_n_s32::<16>(high[c], sum[c]);
            }
        }
    }
    store(&lows, low);
    store(&highs, high);
}

/// Adds the products of a row pair. `lane` + the height is at most [`PANEL`].
#[inline]
#[target_feature(enable = "neon")]
fn add<const HEIGHT: usize>(a: &PackedPair, lane: usize, b: &PackedPair, sums: &mut [Lanes; HEIGHT]) {
    // SAFETY: a packed pair is 32 values, two loads of 16.
    let halves = unsafe { [vld2q_s16(b.as_ptr()), vld2q_s16(b.as_ptr().add(PANEL))] };
    for (q, sum) in sums.iter_mut().enumerate() {
        let x = [a[2 * (lane + q)], a[2 * (lane + q) + 1]];
        for (c, int16x8x2_t(first, second)) in halves.into_iter().enumerate() {
            for (x, row) in x.into_iter().zip([first, second]) {
                sum[2 * c] = vmlal_n_s16(sum[2 * c], vget_low_s16(row), x);
                sum[2 * c + 1] = vmlal_high_n_s16(sum[2 * c + 1], row, x);
            }
        }
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn store(sums: &[Lanes], tile: &mut [Row]) {
    for (row, sum) in tile.iter_mut().zip(sums) {
        for (four, lanes) in row.chunks_exact_mut(4).zip(sum) {
            // SAFETY: four i32 are 16 bytes.
            unsafe { vst1q_s32(four.as_mut_ptr(), *lanes) };
        }
    }
}
