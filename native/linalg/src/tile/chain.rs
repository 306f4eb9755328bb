//! The products of a group of rows with all panels.

#[cfg(target_arch = "x86_64")]
use super::avx512;
use super::packed::{PackedRows, Panels};
use super::{HEIGHT, LANES, chains};

/// `sums[row][column] = fma(a[row][l], b[l][column], sums[row][column])` for `l` ascending in `range`. Row
/// `r`, panel `p` of `sums` is `sums[r * b.count() + p]`; rows are padded to whole tiles.
#[inline(always)]
pub(crate) fn accumulate(
    a: &PackedRows,
    b: &Panels,
    range: std::ops::Range<usize>,
    sums: &mut [[f64; LANES]],
) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx512f") {
        // SAFETY: the CPU has AVX-512F.
        return unsafe { avx512::accumulate(a, b, range, sums) };
    }
    let count = b.count();
    for p in 0..count {
        let panel = &b.panel(p)[range.clone()];
        for (tile, rows) in a.tiles.chunks_exact(a.depth).zip(sums.chunks_exact_mut(HEIGHT * count)) {
            let chain = chains(&tile[range.clone()], panel, std::array::from_fn(|q| rows[q * count + p]));
            (0..HEIGHT).for_each(|q| rows[q * count + p] = chain[q]);
        }
    }
}
