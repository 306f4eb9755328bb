//! Where windows are: along each axis at multiples of a stride, and a last one at the end.

use std::ops::Range;

use crate::volume::Shape;

/// How much is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Quality {
    /// Windows of 8 x 24 x 24 voxels that hardly overlap: about a third of the time, 0.1 to 0.2 dB less.
    Fast,
    /// Windows of 8 x 16 x 16 voxels, half of which overlap along each axis.
    #[default]
    Default,
    /// Two passes, the second with smaller windows and what the first has found: more of the contrast of small details.
    Best,
}

/// Extent of a window, and distance of neighbors: slices, rows, columns.
type Layout = [(usize, usize); 3];

impl Quality {
    /// Windows of the first pass and, where there is one, of the second.
    fn windows(self) -> (Layout, Option<Layout>) {
        match self {
            Quality::Fast => ([(8, 6), (24, 21), (24, 21)], None),
            Quality::Default => ([(8, 4), (16, 8), (16, 8)], None),
            Quality::Best => ([(8, 6), (16, 13), (16, 13)], Some([(5, 3), (12, 9), (12, 9)])),
        }
    }
}

/// Slices, rows and columns of a window.
pub(crate) type Extent = [usize; 3];

/// The windows of all passes.
pub(crate) struct Grids {
    pub first: Grid,
    /// Those of the second pass, which needs what the first has found in all rows that it reads.
    pub second: Option<Grid>,
}

impl Grids {
    pub fn new(shape: Shape, quality: Quality) -> Self {
        let (first, second) = quality.windows();
        Self { first: Grid::new(shape, first), second: second.map(|second| Grid::new(shape, second)) }
    }

    /// The rows that are read to denoise some rows.
    pub fn rows_needed(&self, rows: &Range<usize>) -> Range<usize> {
        match &self.second {
            Some(second) => self.first.rows_needed(&second.rows_needed(rows)),
            None => self.first.rows_needed(rows),
        }
    }
}

/// All windows of a pass over a volume. They depend on its shape alone, not on the block of rows that is at hand.
pub(crate) struct Grid {
    /// Of every window.
    pub extent: Extent,
    /// First slices, rows and columns of windows.
    pub starts: [Vec<usize>; 3],
}

impl Grid {
    fn new(shape: Shape, windows: Layout) -> Self {
        let lengths = [shape.slices, shape.rows, shape.columns];
        let extent = std::array::from_fn(|axis| windows[axis].0.min(lengths[axis]));
        let starts = std::array::from_fn(|axis| {
            let last = lengths[axis] - extent[axis];
            let mut starts: Vec<usize> = (0..last).step_by(windows[axis].1).collect();
            starts.push(last);
            starts
        });
        Self { extent, starts }
    }

    /// The slabs (all windows that begin in the same row) that touch some rows, by their first rows.
    pub fn slabs(&self, rows: &Range<usize>) -> &[usize] {
        let [_, starts, _] = &self.starts;
        let from = starts.partition_point(|&first| first + self.extent[1] <= rows.start);
        let to = starts.partition_point(|&first| first < rows.end);
        &starts[from..to.max(from)]
    }

    /// The rows that are read to denoise some rows.
    pub fn rows_needed(&self, rows: &Range<usize>) -> Range<usize> {
        match self.slabs(rows) {
            [first, .., last] => *first..last + self.extent[1],
            [only] => *only..only + self.extent[1],
            [] => rows.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_cover_every_voxel_and_stay_inside() {
        for quality in [Quality::Fast, Quality::Default, Quality::Best] {
            for (slices, rows, columns) in [(4, 24, 24), (9, 61, 100), (40, 512, 333)] {
                let Grids { first, second } = Grids::new(Shape { slices, rows, columns }, quality);
                for grid in [first].into_iter().chain(second) {
                    for (axis, length) in [slices, rows, columns].into_iter().enumerate() {
                        let mut covered = 0;
                        for &start in &grid.starts[axis] {
                            assert!(start <= covered);
                            covered = start + grid.extent[axis];
                        }
                        assert_eq!(covered, length);
                    }
                }
            }
        }
    }

    #[test]
    fn slabs_are_those_that_touch_the_rows() {
        let shape = Shape { slices: 8, rows: 64, columns: 64 };
        let grid = Grids::new(shape, Quality::Default).first;
        assert_eq!(grid.slabs(&(16..32)), [8, 16, 24]);
        assert_eq!(grid.rows_needed(&(16..32)), 8..40);
        assert_eq!(grid.rows_needed(&(0..64)), 0..64);
        assert_eq!(grid.rows_needed(&(60..64)), 48..64);
        // Of two passes, the first denoises what the second reads.
        let grids = Grids::new(shape, Quality::Best);
        assert_eq!(grids.second.as_ref().map(|grid| grid.rows_needed(&(30..36))), Some(27..39));
        assert_eq!(grids.rows_needed(&(30..36)), 13..42);
    }
}
