//! Matrix products whose every entry is one chain of fused multiply-adds in ascending order of the summation
//! index.
//!
//! The order is part of the result's definition, so the loops may be tiled and vectorised only across
//! outputs, never along the sum: lanes hold different columns, rows of a tile are independent chains.
//! Whatever the tile or the vector width, the bits are the same. The bodies are plain Rust; compiled once per
//! instruction set, the compiler fills the lanes.

/// Output columns of a panel: one AVX-512 or two AVX2 vectors.
pub(super) const LANES: usize = 8;

/// Rows of a tile: with two AVX2 vectors a row, twelve accumulators stay in sixteen registers.
pub(super) const HEIGHT: usize = 6;

/// The left operand for a group of rows: entry `(row, l)` is `tiles[row / HEIGHT * depth + l][row % HEIGHT]`.
#[derive(Default)]
pub(super) struct PackedRows {
    pub depth: usize,
    pub tiles: Vec<[f64; HEIGHT]>,
}

impl PackedRows {
    /// Makes room for `rows x depth`, all zero.
    pub fn reset(&mut self, rows: usize, depth: usize) {
        self.depth = depth;
        self.tiles.clear();
        self.tiles.resize(rows.div_ceil(HEIGHT) * depth, [0.0; HEIGHT]);
    }

    /// Sets column `l` for all rows of the group.
    #[inline(always)]
    pub fn set_column(&mut self, l: usize, values: &[f64]) {
        for (tile, values) in values.chunks(HEIGHT).enumerate() {
            self.tiles[tile * self.depth + l][..values.len()].copy_from_slice(values);
        }
    }
}

/// The right operand, `depth x width`, in panels of [`LANES`] columns; the last panel is padded with zeros.
pub(super) struct Panels {
    pub depth: usize,
    pub width: usize,
    panels: Vec<[f64; LANES]>,
}

impl Panels {
    /// Packs `value(l, column)`.
    pub fn new(depth: usize, width: usize, value: impl Fn(usize, usize) -> f64) -> Self {
        let mut panels = vec![[0.0; LANES]; width.div_ceil(LANES) * depth];
        for column in 0..width {
            for l in 0..depth {
                panels[column / LANES * depth + l][column % LANES] = value(l, column);
            }
        }
        Self { depth, width, panels }
    }

    /// Number of panels.
    pub fn count(&self) -> usize {
        self.width.div_ceil(LANES)
    }

    /// Panel `p`: its row `l` holds the values of [`LANES`] columns.
    #[inline(always)]
    pub fn panel(&self, p: usize) -> &[[f64; LANES]] {
        &self.panels[p * self.depth..(p + 1) * self.depth]
    }
}

/// `sums[row][column] = fma(a[row][l], b[l][column], sums[row][column])` for `l` ascending in `range`. Row
/// `r`, panel `p` of `sums` is `sums[r * b.count() + p]`; rows are padded to whole tiles.
#[inline(always)]
pub(super) fn accumulate(
    a: &PackedRows,
    b: &Panels,
    range: std::ops::Range<usize>,
    sums: &mut [[f64; LANES]],
) {
    let count = b.count();
    for p in 0..count {
        let panel = &b.panel(p)[range.clone()];
        for (tile, rows) in a.tiles.chunks_exact(a.depth).zip(sums.chunks_exact_mut(HEIGHT * count)) {
            let mut chain: [[f64; LANES]; HEIGHT] = std::array::from_fn(|q| rows[q * count + p]);
            for (x, y) in tile[range.clone()].iter().zip(panel) {
                for q in 0..HEIGHT {
                    for c in 0..LANES {
                        chain[q][c] = x[q].mul_add(y[c], chain[q][c]);
                    }
                }
            }
            (0..HEIGHT).for_each(|q| rows[q * count + p] = chain[q]);
        }
    }
}
