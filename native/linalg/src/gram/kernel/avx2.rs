//! The tile with AVX2: `vpmaddwd` multiplies two rows of eight columns and adds each pair into 32 bits.
//!
//! Four columns of `a` against sixteen of `b`: eight accumulators, two loads of `b` and four broadcasts of `a` per row pair, which
//! keeps both multiply ports of current cores busy.

use super::{Kernel, PANEL, PackedPair};
use std::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_set1_epi32,
    _mm256_setzero_si256, _mm256_storeu_si256,
};

const HEIGHT: usize = 4;

pub(super) const KERNEL: Kernel =
    Kernel { name: "avx2", height: HEIGHT, tile, available: || std::arch::is_x86_feature_detected!("avx2") };

/// Safety: the CPU must have AVX2.
#[target_feature(enable = "avx2")]
fn tile(a: &[PackedPair], lane: usize, b: &[PackedPair], tile: &mut [[i32; PANEL]]) {
    assert!(lane + HEIGHT <= PANEL && tile.len() == HEIGHT);
    let mut sums = [[_mm256_setzero_si256(); 2]; HEIGHT];
    for (a, b) in a.iter().zip(b) {
        let b: *const __m256i = b.as_ptr().cast();
        // SAFETY: a packed pair is 64 bytes, two unaligned 32-byte loads.
        let (b0, b1) = unsafe { (_mm256_loadu_si256(b), _mm256_loadu_si256(b.add(1))) };
        for (q, sum) in sums.iter_mut().enumerate() {
            // SAFETY: lane + q < 16 (asserted above), so the four bytes at word lane + q lie within the packed pair.
            let word = unsafe { a.as_ptr().cast::<i32>().add(lane + q).read_unaligned() };
            let x = _mm256_set1_epi32(word);
            sum[0] = _mm256_add_epi32(sum[0], _mm256_madd_epi16(x, b0));
            sum[1] = _mm256_add_epi32(sum[1], _mm256_madd_epi16(x, b1));
        }
    }
    for (row, sum) in tile.iter_mut().zip(&sums) {
        let out: *mut __m256i = row.as_mut_ptr().cast();
        // SAFETY: a row of the tile is 16 i32, two unaligned 32-byte stores.
        unsafe {
            _mm256_storeu_si256(out, sum[0]);
            _mm256_storeu_si256(out.add(1), sum[1]);
        }
    }
}
