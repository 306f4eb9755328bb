//! The tile of all products whose order of operations is defined: six rows by eight columns.
//!
//! Each entry is one chain of fused multiply-adds in ascending order of the summation index, which is part of the
//! result's definition. So loops may be tiled and vectorized across outputs only, never along the sum: lanes hold
//! different columns, and the six rows are independent chains. Whatever the vector width, the bits are the same. The
//! body is plain Rust, compiled once per instruction set (`dispatch`); the compiler fills the lanes.

#[cfg(target_arch = "x86_64")]
mod avx512;
pub(crate) mod chain;
pub(crate) mod packed;

/// Columns of a panel: one AVX-512 or two AVX2 vectors.
pub(crate) const LANES: usize = 8;

/// Rows of a tile: with two AVX2 vectors a row, twelve accumulators stay in sixteen registers.
pub(crate) const HEIGHT: usize = 6;

/// Continues the chains of one tile: `rows[q][c] = fma(a[l][q], b[l][c], rows[q][c])` for `l` ascending.
#[inline(always)]
pub(crate) fn chains(
    a: &[[f64; HEIGHT]],
    b: &[[f64; LANES]],
    rows: [[f64; LANES]; HEIGHT],
) -> [[f64; LANES]; HEIGHT] {
    let mut chain = rows;
    for (x, y) in a.iter().zip(b) {
        for q in 0..HEIGHT {
            for c in 0..LANES {
                chain[q][c] = x[q].mul_add(y[c], chain[q][c]);
            }
        }
    }
    chain
}
