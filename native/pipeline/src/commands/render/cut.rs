//! Views of a scan: which pixels of which slices a picture shows, and where.
//!
//! The names are those of a scan whose slices are axial: *axial* is a slice as it was acquired; *coronal* a row of every slice, and
//! *sagittal* a column of every slice, the slices one above another, the one nearest to the head at the top. Pixels are made
//! square by repeating voxels along the coarser direction, so that what is shown are values of the scan, and none between them.

use clap::ValueEnum;

use crate::{
    error::{Error, Result},
    output::pictures::LARGEST,
    result::SeriesSection,
};

/// A direction to look in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum View {
    /// Slices as they were acquired
    #[default]
    Axial,
    /// A row of every slice, the slices one above another, the head at the top
    Coronal,
    /// A column of every slice, likewise
    Sagittal,
}

/// All pictures of a view.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    pub view: View,
    rows: usize,
    columns: usize,
    slices: usize,
    /// Whether the last slice is at the top.
    upward: bool,
    /// Width and height of a picture with square pixels.
    pub size: (usize, usize),
    /// Side of such a pixel, in mm; none where the scan does not say it.
    pub pixel_mm: Option<f64>,
}

impl View {
    /// As in names of files and as typed.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Axial => "axial",
            Self::Coronal => "coronal",
            Self::Sagittal => "sagittal",
        }
    }
}

impl Cut {
    /// # Errors
    /// [`Error::Option`] for a view of slices whose distances are not known, or whose pictures would be too large.
    pub(super) fn new(view: View, series: &SeriesSection) -> Result<Self> {
        let positive = |mm: f64| (mm.is_finite() && mm > 0.0).then_some(mm);
        let in_plane = series.pixel_spacing_mm.and_then(|[y, x]| positive(y).zip(positive(x)));
        let between = series.slice_spacing_mm.and_then(positive);
        let unknown = |what: &str| {
            let problem = format!("the scan does not say {what}, so the shape of this view is not known");
            Error::option("--view", format!("{problem}; leave it out"))
        };
        let (y, x) = match view {
            View::Axial => in_plane.unwrap_or((1.0, 1.0)),
            View::Coronal | View::Sagittal => {
                let (y, x) = in_plane.ok_or_else(|| unknown("how large its pixels are"))?;
                let between = between.ok_or_else(|| unknown("how far apart its slices are"))?;
                (between, if view == View::Coronal { x } else { y })
            }
        };
        let [rx, ry, _, cx, cy, _] = series.orientation;
        let mut cut = Self {
            view,
            rows: series.rows,
            columns: series.columns,
            slices: series.slices,
            // The slices' normal, toward the head where its third component is positive.
            upward: rx * cy - ry * cx >= 0.0,
            size: (0, 0),
            pixel_mm: (view != View::Axial || in_plane.is_some()).then_some(x.min(y)),
        };
        let (width, height) = cut.voxels();
        let pixel = x.min(y);
        let scaled = |count: usize, mm: f64| (count as f64 * mm / pixel).round().max(1.0);
        let (width, height) = (scaled(width, x), scaled(height, y));
        if width.max(height) > LARGEST as f64 {
            let problem = format!("its pictures would have {width} x {height} pixels, more than {LARGEST}");
            return Err(Error::option("--view", format!("{problem} on a side; choose another")));
        }
        cut.size = (width as usize, height as usize);
        Ok(cut)
    }

    /// How many pictures there are.
    pub(super) fn count(&self) -> usize {
        match self.view {
            View::Axial => self.slices,
            View::Coronal => self.rows,
            View::Sagittal => self.columns,
        }
    }

    /// Width and height of a picture in voxels.
    fn voxels(&self) -> (usize, usize) {
        match self.view {
            View::Axial => (self.columns, self.rows),
            View::Coronal => (self.columns, self.slices),
            View::Sagittal => (self.rows, self.slices),
        }
    }

    /// Whether a picture shows one slice, and all of it.
    pub(super) fn by_slices(&self) -> bool {
        self.view == View::Axial
    }

    /// Which picture shows this pixel of a slice.
    pub(super) fn picture_of(&self, pixel: usize, slice: usize) -> usize {
        match self.view {
            View::Axial => slice,
            View::Coronal => pixel / self.columns,
            View::Sagittal => pixel % self.columns,
        }
    }

    /// Where in the voxels of that picture, row by row.
    pub(super) fn place_of(&self, pixel: usize, slice: usize) -> usize {
        let line = if self.upward { self.slices - 1 - slice } else { slice };
        match self.view {
            View::Axial => pixel,
            View::Coronal => line * self.columns + pixel % self.columns,
            View::Sagittal => line * self.rows + pixel / self.columns,
        }
    }

    /// Voxels of a picture.
    pub(super) fn area(&self) -> usize {
        let (width, height) = self.voxels();
        width * height
    }

    /// A picture of square pixels from its voxels.
    pub(super) fn squared(&self, voxels: &[u16]) -> Vec<u16> {
        let ((width, height), (w, h)) = (self.voxels(), self.size);
        if (width, height) == (w, h) {
            return voxels.to_vec();
        }
        // The voxel in which the middle of a pixel lies.
        let nearest = |i: usize, of: usize, from: usize| ((2 * i + 1) * from / (2 * of)).min(from - 1);
        let columns: Vec<usize> = (0..w).map(|x| nearest(x, w, width)).collect();
        let line = |y: usize| {
            let from = nearest(y, h, height) * width;
            columns.iter().filter_map(move |x| voxels.get(from + x).copied())
        };
        (0..h).flat_map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(view: View, upward: bool) -> Cut {
        Cut { view, rows: 2, columns: 3, slices: 2, upward, size: (0, 0), pixel_mm: None }
    }

    #[test]
    fn every_voxel_has_one_place_in_every_view() {
        for view in [View::Axial, View::Coronal, View::Sagittal] {
            for upward in [false, true] {
                let cut = cut(view, upward);
                let mut places: Vec<(usize, usize)> =
                    (0..12).map(|i| (cut.picture_of(i % 6, i / 6), cut.place_of(i % 6, i / 6))).collect();
                places.sort_unstable();
                let area = 12 / cut.count();
                assert_eq!(places, (0..12).map(|i| (i / area, i % area)).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn the_head_is_at_the_top() {
        // Pixel 4 is row 1, column 1.
        assert_eq!(cut(View::Coronal, true).place_of(4, 1), 1);
        assert_eq!(cut(View::Coronal, false).place_of(4, 1), 4);
        assert_eq!(cut(View::Sagittal, true).place_of(4, 0), 3);
    }

    #[test]
    fn voxels_are_repeated_along_the_coarser_direction() {
        let mut cut = cut(View::Coronal, true);
        cut.size = (3, 5);
        assert_eq!(cut.squared(&[1, 2, 3, 4, 5, 6]), [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6, 4, 5, 6]);
    }
}
