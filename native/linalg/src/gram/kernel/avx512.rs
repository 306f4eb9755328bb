//! The tile with AVX-512: sixteen columns of `a` against sixteen of `b`, one accumulator per column of `a`.
//!
//! `vpdpwssd` (VNNI) multiplies two rows and adds the pair in one instruction; without VNNI `vpmaddwd` and an addition do. Sixteen
//! independent accumulators cover the latency, and each load of `b` serves all of them.

use super::{Kernel, PANEL, PackedPair};
use std::arch::x86_64::{
    __m512i, _mm512_add_epi32, _mm512_dpwssd_epi32, _mm512_loadu_si512, _mm512_madd_epi16, _mm512_set1_epi32,
    _mm512_setzero_si512, _mm512_storeu_si512,
};

pub(super) const VNNI: Kernel = Kernel {
    name: "avx512vnni",
    height: PANEL,
    tile: vnni,
    available: || {
        std::arch::is_x86_feature_detected!("avx512f")
            && std::arch::is_x86_feature_detected!("avx512bw")
            && std::arch::is_x86_feature_detected!("avx512vnni")
    },
};

pub(super) const MADD: Kernel = Kernel {
    name: "avx512",
    height: PANEL,
    tile: madd,
    available: || {
        std::arch::is_x86_feature_detected!("avx512f") && std::arch::is_x86_feature_detected!("avx512bw")
    },
};

macro_rules! tile {
    ($name:ident, $features:literal, $step:expr) => {
        /// Safety: the CPU must have the features.
        #[target_feature(enable = $features)]
        fn $name(a: &[PackedPair], lane: usize, b: &[PackedPair], tile: &mut [[i32; PANEL]]) {
            assert!(lane == 0 && tile.len() == PANEL);
            let step = $step;
            let mut sums = [_mm512_setzero_si512(); PANEL];
            for (a, b) in a.iter().zip(b) {
                // SAFETY: a packed pair is 64 bytes, one unaligned load.
                let b = unsafe { _mm512_loadu_si512(b.as_ptr().cast()) };
                for (q, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: q < 16, so the four bytes at word q lie within the packed pair.
                    let word = unsafe { a.as_ptr().cast::<i32>().add(q).read_unaligned() };
                    *sum = step(*sum, _mm512_set1_epi32(word), b);
                }
            }
            for (row, sum) in tile.iter_mut().zip(&sums) {
                // SAFETY: a row of the tile is 16 i32, one unaligned 64-byte store.
                unsafe { _mm512_storeu_si512(row.as_mut_ptr().cast(), *sum) };
            }
        }
    };
}

tile!(vnni, "avx512f,avx512bw,avx512vnni", |sum: __m512i, x, y| _mm512_dpwssd_epi32(sum, x, y));
tile!(madd, "avx512f,avx512bw", |sum: __m512i, x, y| _mm512_add_epi32(sum, _mm512_madd_epi16(x, y)));
