//! Operands of the tile, packed, and the products of a group of rows with all panels.

use crate::tile::{HEIGHT, LANES, chains};

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
            let chain = chains(&tile[range.clone()], panel, std::array::from_fn(|q| rows[q * count + p]));
            (0..HEIGHT).for_each(|q| rows[q * count + p] = chain[q]);
        }
    }
}
