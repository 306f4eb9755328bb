//! The tiles with AVX-512: sixteen columns of `a` against sixteen of `b`, one accumulator per column of `a`;
//! eight where sums are split.
//!
//! `vpdpwssd` (VNNI) multiplies two rows and adds the pair in one instruction; without VNNI `vpmaddwd` and an
//! addition do. Sixteen independent accumulators cover the latency, and each load of `b` serves all of them.

use super::{Kernel, PANEL, PackedPair, Panels, ROWS, Row, Small, SmallTile};
use std::arch::x86_64::{
    __m512i, _mm512_add_epi32, _mm512_dpbusd_epi32, _mm512_dpwssd_epi32, _mm512_loadu_si512,
    _mm512_madd_epi16, _mm512_set1_epi8, _mm512_set1_epi32, _mm512_setzero_si512, _mm512_shuffle_i32x4,
    _mm512_slli_epi32, _mm512_srai_epi32, _mm512_storeu_si512, _mm512_sub_epi32, _mm512_unpackhi_epi32,
    _mm512_unpackhi_epi64, _mm512_unpacklo_epi32, _mm512_unpacklo_epi64, _mm512_xor_si512,
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
    small: Some(Small {
        step: SMALL_STEP,
        pack: pack_small,
        begin: || (),
        end: || (),
        multiply: multiply_small,
    }),
    available: || (MADD.available)() && std::arch::is_x86_feature_detected!("avx512vnni"),
};

pub(super) const MADD: Kernel = Kernel {
    name: "avx512",
    heights: (NARROW, SPLIT),
    narrow: madd::narrow,
    fours: madd::split::<4>,
    ones: madd::split::<1>,
    bytes: None,
    small: None,
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

/// Words of the size of packed pairs that 64 rows of a panel of small values are packed into: sixteen times four rows of each
/// column in a word, and the sum of each column.
const SMALL_STEP: usize = FOURS + 1;
const FOURS: usize = ROWS / 4;

/// Safety: the CPU must have the features.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn pack_small(columns: &[[i8; ROWS]; PANEL], target: &mut [PackedPair]) {
    assert!(target.len() == SMALL_STEP);
    // SAFETY: a column's rows are 64 bytes, and so is a packed pair.
    let rows = columns.each_ref().map(|c| unsafe { _mm512_loadu_si512(c.as_ptr().cast()) });
    let fours = transposed(&rows);
    let (one, zero) = (_mm512_set1_epi8(1), _mm512_setzero_si512());
    let sums = fours.iter().fold(zero, |sums, &x| _mm512_dpbusd_epi32(sums, one, x));
    for (target, &words) in target.iter_mut().zip(fours.iter().chain([&sums])) {
        // SAFETY: as above.
        unsafe { _mm512_storeu_si512(target.as_mut_ptr().cast(), words) };
    }
}

/// Safety: the CPU must have the features.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn multiply_small(a: Panels, b: Panels, tiles: [&mut SmallTile; 4]) {
    for (at, tile) in tiles.into_iter().enumerate() {
        small(a[at / 2], b[at % 2], tile);
    }
}

/// `vpdpbusd` multiplies unsigned bytes by signed ones: of `b`, 128 more are taken, and 128 times the sum of `a` off.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn small(a: &[PackedPair], b: &[PackedPair], tile: &mut SmallTile) {
    let sign = _mm512_set1_epi8(-128);
    let (mut sums, mut total) = ([_mm512_setzero_si512(); PANEL], _mm512_setzero_si512());
    let (a, _) = a.as_chunks::<SMALL_STEP>();
    let (b, _) = b.as_chunks::<SMALL_STEP>();
    for (a, b) in a.iter().zip(b) {
        for (a, b) in a[..FOURS].iter().zip(&b[..FOURS]) {
            // SAFETY: a packed pair is 64 bytes, one unaligned load.
            let y = _mm512_xor_si512(unsafe { _mm512_loadu_si512(b.as_ptr().cast()) }, sign);
            for (q, sum) in sums.iter_mut().enumerate() {
                // SAFETY: q < 16, so the four bytes at word q lie within the packed pair.
                let word = unsafe { a.as_ptr().cast::<i32>().add(q).read_unaligned() };
                *sum = _mm512_dpbusd_epi32(*sum, y, _mm512_set1_epi32(word));
            }
        }
        // SAFETY: as above.
        total = _mm512_add_epi32(total, unsafe { _mm512_loadu_si512(a[FOURS].as_ptr().cast()) });
    }
    let mut totals = [Row::default()];
    store(&[total], &mut totals);
    for ((sum, &total), row) in sums.iter().zip(&totals[0]).zip(tile.chunks_exact_mut(PANEL)) {
        let sum = _mm512_sub_epi32(*sum, _mm512_slli_epi32::<7>(_mm512_set1_epi32(total)));
        // SAFETY: a row of the tile is 16 i32, one unaligned load and store of 64 bytes.
        unsafe {
            let before = _mm512_loadu_si512(row.as_ptr().cast());
            _mm512_storeu_si512(row.as_mut_ptr().cast(), _mm512_add_epi32(before, sum));
        }
    }
}

/// The transpose of 16 x 16 words.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn transposed(rows: &[__m512i; PANEL]) -> [__m512i; PANEL] {
    let (mut pairs, mut fours, mut out) = (*rows, *rows, *rows);
    for i in 0..8 {
        pairs[2 * i] = _mm512_unpacklo_epi32(rows[2 * i], rows[2 * i + 1]);
        pairs[2 * i + 1] = _mm512_unpackhi_epi32(rows[2 * i], rows[2 * i + 1]);
    }
    for i in 0..4 {
        for half in 0..2 {
            let (a, b) = (pairs[4 * i + half], pairs[4 * i + 2 + half]);
            fours[4 * i + 2 * half] = _mm512_unpacklo_epi64(a, b);
            fours[4 * i + 2 * half + 1] = _mm512_unpackhi_epi64(a, b);
        }
    }
    // Now register 4 i + c has, in its part q of four words, column 4 q + c of rows 4 i to 4 i + 3.
    for c in 0..4 {
        let low = _mm512_shuffle_i32x4::<0x88>(fours[c], fours[4 + c]);
        let high = _mm512_shuffle_i32x4::<0xdd>(fours[c], fours[4 + c]);
        let low_after = _mm512_shuffle_i32x4::<0x88>(fours[8 + c], fours[12 + c]);
        let high_after = _mm512_shuffle_i32x4::<0xdd>(fours[8 + c], fours[12 + c]);
        out[c] = _mm512_shuffle_i32x4::<0x88>(low, low_after);
        out[8 + c] = _mm512_shuffle_i32x4::<0xdd>(low, low_after);
        out[4 + c] = _mm512_shuffle_i32x4::<0x88>(high, high_after);
        out[12 + c] = _mm512_shuffle_i32x4::<0xdd>(high, high_after);
    }
    out
}
