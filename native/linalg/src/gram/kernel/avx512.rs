//! The tiles with AVX-512: sixteen columns of `a` against sixteen of `b`, one accumulator per column of `a`;
//! eight where sums are split.
//!
//! `vpdpwssd` (VNNI) multiplies two rows and adds the pair in one instruction; without VNNI `vpmaddwd` and an
//! addition do. Sixteen independent accumulators cover the latency, and each load of `b` serves all of them.

use super::{Kernel, PANEL, PackedPair, Row};
use std::arch::x86_64::{
    __m512i, _mm512_add_epi32, _mm512_dpwssd_epi32, _mm512_loadu_si512, _mm512_madd_epi16, _mm512_set1_epi32,
    _mm512_setzero_si512, _mm512_srai_epi32, _mm512_storeu_si512,
};

const NARROW: usize = PANEL;
const SPLIT: usize = PANEL / 2;

pub(super) const VNNI: Kernel = Kernel {
    name: "avx512vnni",
    heights: (NARROW, SPLIT),
    narrow: vnni::narrow,
    fours: vnni::split::<4>,
    ones: vnni::split::<1>,
    bytes: None,
    available: || (MADD.available)() && std::arch::is_x86_feature_detected!("avx512vnni"),
};

pub(super) const MADD: Kernel = Kernel {
    name: "avx512",
    heights: (NARROW, SPLIT),
    narrow: madd::narrow,
    fours: madd::split::<4>,
    ones: madd::split::<1>,
    bytes: None,
    available: || {
        std::arch::is_x86_feature_detected!("avx512f") && std::arch::is_x86_feature_detected!("avx512bw")
    },
};

macro_rules! tiles {
    ($name:ident, $features:literal, $step:expr) => {
        mod $name {
            use super::*;

            /// Safety: the CPU must have the features.
            #[target_feature(enable = $features)]
            pub fn narrow(a: &[PackedPair], lane: usize, b: &[PackedPair], tile: &mut [Row]) {
                assert!(lane + NARROW <= PANEL && tile.len() == NARROW);
                let mut sums = [_mm512_setzero_si512(); NARROW];
                for (a, b) in a.iter().zip(b) {
                    add(a, lane, b, &mut sums);
                }
                store(&sums, tile);
            }

            /// Safety: the CPU must have the features.
            #[target_feature(enable = $features)]
            pub fn split<const GROUP: usize>(
                a: &[PackedPair],
                lane: usize,
                b: &[PackedPair],
                low: &mut [Row],
                high: &mut [Row],
            ) {
                assert!(lane + SPLIT <= PANEL && low.len() == SPLIT && high.len() == SPLIT);
                let mut lows = [_mm512_setzero_si512(); SPLIT];
                let mut highs = lows;
                for (a, b) in a.chunks_exact(GROUP).zip(b.chunks_exact(GROUP)) {
                    let mut sums = [_mm512_set1_epi32(-1); SPLIT];
                    for (a, b) in a.iter().zip(b) {
                        add(a, lane, b, &mut sums);
                    }
                    for ((low, high), &sum) in lows.iter_mut().zip(&mut highs).zip(&sums) {
                        *low = _mm512_add_epi32(*low, sum);
                        *high = _mm512_add_epi32(*high, _mm512_srai_epi32::<16>(sum));
                    }
                }
                store(&lows, low);
                store(&highs, high);
            }

            /// Adds the products of a row pair. `lane` + the height is at most [`PANEL`].
            #[inline]
            #[target_feature(enable = $features)]
            fn add<const HEIGHT: usize>(
                a: &PackedPair,
                lane: usize,
                b: &PackedPair,
                sums: &mut [__m512i; HEIGHT],
            ) {
                let step = $step;
                // SAFETY: a packed pair is 64 bytes, one unaligned load.
                let b = unsafe { _mm512_loadu_si512(b.as_ptr().cast()) };
                for (q, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: lane + q < 16, so the four bytes at word lane + q lie within the packed pair.
                    let word = unsafe { a.as_ptr().cast::<i32>().add(lane + q).read_unaligned() };
                    *sum = step(*sum, _mm512_set1_epi32(word), b);
                }
            }
        }
    };
}

tiles!(vnni, "avx512f,avx512bw,avx512vnni", |sum: __m512i, x, y| _mm512_dpwssd_epi32(sum, x, y));
tiles!(madd, "avx512f,avx512bw", |sum: __m512i, x, y| _mm512_add_epi32(sum, _mm512_madd_epi16(x, y)));

#[inline]
#[target_feature(enable = "avx512f")]
fn store(sums: &[__m512i], tile: &mut [Row]) {
    for (row, sum) in tile.iter_mut().zip(sums) {
        // SAFETY: a row of the tile is 16 i32, one unaligned 64-byte store.
        unsafe { _mm512_storeu_si512(row.as_mut_ptr().cast(), *sum) };
    }
}
