//! [`accumulate`](super::chain::accumulate) with AVX-512: tiles of six rows by up to three panels.
//!
//! Six accumulators, as one panel has them, do not cover the latency of two multiply-add units; eighteen do, and each
//! broadcast serves three of them. The chains, and so the bits, are the same.

use super::packed::{PackedRows, Panels};
use super::{HEIGHT, LANES};
use std::arch::x86_64::{
    _mm512_fmadd_pd, _mm512_loadu_pd, _mm512_set1_pd, _mm512_setzero_pd, _mm512_storeu_pd,
};
use std::ops::Range;

/// Panels side by side.
const WIDE: usize = 3;

/// Summands taken at a time: with three panels and a tile of rows, 38 KB in the first-level cache.
const DEPTH: usize = 160;

/// Safety: the CPU must have AVX-512F.
#[target_feature(enable = "avx512f")]
pub(super) fn accumulate(a: &PackedRows, b: &Panels, range: Range<usize>, sums: &mut [[f64; LANES]]) {
    let whole = b.count() / WIDE * WIDE;
    (0..whole).step_by(WIDE).for_each(|first| add::<WIDE>(a, b, first, range.clone(), sums));
    match b.count() - whole {
        2 => add::<2>(a, b, whole, range, sums),
        1 => add::<1>(a, b, whole, range, sums),
        _ => {}
    }
}

/// `P` panels from the first one on.
#[target_feature(enable = "avx512f")]
fn add<const P: usize>(
    a: &PackedRows,
    b: &Panels,
    first: usize,
    range: Range<usize>,
    sums: &mut [[f64; LANES]],
) {
    let count = b.count();
    for from in range.clone().step_by(DEPTH) {
        let part = from..(from + DEPTH).min(range.end);
        let panels: [&[[f64; LANES]]; P] = std::array::from_fn(|p| &b.panel(first + p)[part.clone()]);
        for (tile, rows) in a.tiles.chunks_exact(a.depth).zip(sums.chunks_exact_mut(HEIGHT * count)) {
            // Loops of constant length over constant indices: so all chains stay in registers.
            let mut chains = [[_mm512_setzero_pd(); P]; HEIGHT];
            for q in 0..HEIGHT {
                for p in 0..P {
                    // SAFETY: eight numbers, one unaligned load.
                    chains[q][p] = unsafe { _mm512_loadu_pd(rows[q * count + first + p].as_ptr()) };
                }
            }
            for (l, x) in tile[part.clone()].iter().enumerate() {
                let mut y = [_mm512_setzero_pd(); P];
                for p in 0..P {
                    // SAFETY: as above.
                    y[p] = unsafe { _mm512_loadu_pd(panels[p][l].as_ptr()) };
                }
                for q in 0..HEIGHT {
                    let x = _mm512_set1_pd(x[q]);
                    for p in 0..P {
                        chains[q][p] = _mm512_fmadd_pd(x, y[p], chains[q][p]);
                    }
                }
            }
            for q in 0..HEIGHT {
                for p in 0..P {
                    // SAFETY: eight numbers, one unaligned store.
                    unsafe { _mm512_storeu_pd(rows[q * count + first + p].as_mut_ptr(), chains[q][p]) };
                }
            }
        }
    }
}
