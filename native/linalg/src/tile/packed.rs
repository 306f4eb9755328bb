//! Operands of the tile, packed.

use super::{HEIGHT, LANES};

/// The left operand for a group of rows: entry `(row, l)` is `tiles[row / HEIGHT * depth + l][row % HEIGHT]`.
#[derive(Default)]
pub(crate) struct PackedRows {
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

    /// Sets entry `(row, l)`.
    #[inline(always)]
    pub fn set(&mut self, row: usize, l: usize, value: f64) {
        self.tiles[row / HEIGHT * self.depth + l][row % HEIGHT] = value;
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
pub(crate) struct Panels {
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

    /// Zeroes the sums of a group of `rows` rows (padded to whole tiles).
    pub fn reset(&self, sums: &mut Vec<[f64; LANES]>, rows: usize) {
        sums.clear();
        sums.resize(rows.next_multiple_of(HEIGHT) * self.count(), [0.0; LANES]);
    }

    /// Panel `p`: its row `l` holds the values of [`LANES`] columns.
    #[inline(always)]
    pub fn panel(&self, p: usize) -> &[[f64; LANES]] {
        &self.panels[p * self.depth..(p + 1) * self.depth]
    }
}
