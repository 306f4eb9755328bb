//! Where products are stored: tile by tile, on and above the diagonal.

use super::{PANEL, panel};

/// Products of a tile.
pub(super) const TILE: usize = PANEL * PANEL;

/// Panels of a side of a square of tiles: its sums, and a chunk of both its factors, stay in the second-level cache while all
/// chunks of a span are added to it. Even, since small values are multiplied in pairs of panels.
pub(super) const BAND: usize = 8;

/// Tiles before those of panel `j`, which are its products with the panels from the first to itself.
pub(super) fn tiles_before(j: usize) -> usize {
    j * (j + 1) / 2
}

/// Products that are stored for so many columns: whole tiles on and above the diagonal.
pub fn size(columns: usize) -> usize {
    tiles_before(columns.div_ceil(PANEL)) * TILE
}

/// Where the product of columns `i` and `j` is stored. The panel of `i` is not after that of `j`.
pub fn position(i: usize, j: usize) -> usize {
    (tiles_before(panel(j)) + panel(i)) * TILE + i % PANEL * PANEL + j % PANEL
}
