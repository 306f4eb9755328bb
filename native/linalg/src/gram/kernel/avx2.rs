//! The tiles with AVX2: `vpmaddwd` multiplies two rows of eight columns and adds each pair into 32 bits.
//!
//! Narrow: four columns of `a` against sixteen of `b`: eight accumulators, two loads of `b` and four
//! broadcasts of `a` per row pair, which keeps both multiply ports of current cores busy. Split sums need
//! three accumulators where narrow ones need one, so two columns of `a`.

use super::{Kernel, PANEL, PackedPair, Row};
use std::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_set1_epi32,
    _mm256_setzero_si256, _mm256_srai_epi32, _mm256_storeu_si256,
};

const NARROW: usize = 4;
const SPLIT: usize = 2;

pub(super) const KERNEL: Kernel = Kernel {
    name: "avx2",
    heights: (NARROW, SPLIT),
    narrow,
    fours: split::<4>,
    ones: split::<1>,
    bytes: None,
    small: None,
    available: || std::arch::is_x86_feature_detected!("avx2"),
};

/// Safety: the CPU must have AVX2.
#[target_feature(enable = "avx2")]
fn narrow(a: &[PackedPair], lane: usize, b: &[PackedPair], tile: &mut [Row]) {
    assert!(lane + NARROW <= PANEL && tile.len() == NARROW);
    let mut sums = [[_mm256_setzero_si256(); 2]; NARROW];
    for (a, b) in a.iter().zip(b) {
        add(a, lane, b, &mut sums);
    }
    store(&sums, tile);
}

/// Safety: the CPU must have AVX2.
#[target_feature(enable = "avx2")]
fn split<const GROUP: usize>(
    a: &[PackedPair],
    lane: usize,
    b: &[PackedPair],
    low: &mut [Row],
    high: &mut [Row],
) {
    assert!(lane + SPLIT <= PANEL && low.len() == SPLIT && high.len() == SPLIT);
    let mut lows = [[_mm256_setzero_si256(); 2]; SPLIT];
    let mut highs = lows;
    for (a, b) in a.chunks_exact(GROUP).zip(b.chunks_exact(GROUP)) {
        let mut sums = [[_mm256_set1_epi32(-1); 2]; SPLIT];
        for (a, b) in a.iter().zip(b) {
            add(a, lane, b, &mut sums);
        }
        for ((low, high), sum) in lows.iter_mut().zip(&mut highs).zip(&sums) {
            for c in 0..2 {
                low[c] = _mm256_add_epi32(low[c], sum[c]);
                high[c] = _mm256_add_epi32(high[c], _mm256_srai_epi32::<16>(sum[c]));
            }
        }
    }
    store(&lows, low);
    store(&highs, high);
}

/// Adds the products of a row pair. `lane` + the height is at most [`PANEL`].
#[inline]
#[target_feature(enable = "avx2")]
fn add<const HEIGHT: usize>(a: &PackedPair, lane: usize, b: &PackedPair, sums: &mut [[__m256i; 2]; HEIGHT]) {
    let b: *const __m256i = b.as_ptr().cast();
    // SAFETY: a packed pair is 64 bytes, two unaligned 32-byte loads.
    let (b0, b1) = unsafe { (_mm256_loadu_si256(b), _mm256_loadu_si256(b.add(1))) };
    for (q, sum) in sums.iter_mut().enumerate() {
        // SAFETY: lane + q < 16, so the four bytes at word lane + q lie within the packed pair.
        let word = unsafe { a.as_ptr().cast::<i32>().add(lane + q).read_unaligned() };
        let x = _mm256_set1_epi32(word);
        sum[0] = _mm256_add_epi32(sum[0], _mm256_madd_epi16(x, b0));
        sum[1] = _mm256_add_epi32(sum[1], _mm256_madd_epi16(x, b1));
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(sums: &[[__m256i; 2]], tile: &mut [Row]) {
    for (row, sum) in tile.iter_mut().zip(sums) {
        let out: *mut __m256i = row.as_mut_ptr().cast();
        // SAFETY: a row of the tile is 16 i32, two unaligned 32-byte stores.
        unsafe {
            _mm256_storeu_si256(out, sum[0]);
            _mm256_storeu_si256(out.add(1), sum[1]);
        }
    }
}
