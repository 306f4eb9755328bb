//! What this crate refuses, and what the caller can do about it.

/// A volume that can't be denoised, or arguments that fit no volume.
#[derive(Debug, thiserror::Error, Clone, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// An array that is not slices x rows x columns.
    #[error(
        "{what} of {slices} slices x {rows} rows x {columns} columns needs {expected} values, not {actual}"
    )]
    Shape {
        /// Which array.
        what: &'static str,
        /// Slices of the volume.
        slices: usize,
        /// Its rows.
        rows: usize,
        /// Its columns.
        columns: usize,
        /// Values that the array needs.
        expected: usize,
        /// Values that it has.
        actual: usize,
    },
    /// Noise is estimated from slices three apart.
    #[error("{slices} slices: at least {least} are needed, since noise is estimated from slices three apart")]
    TooFewSlices {
        /// Slices of the volume.
        slices: usize,
        /// The least that will do.
        least: usize,
    },
    /// Images that hold no window.
    #[error("images of {rows} rows x {columns} columns: at least {least} x {least} are needed")]
    TooSmall {
        /// Rows of the volume.
        rows: usize,
        /// Its columns.
        columns: usize,
        /// The least that will do.
        least: usize,
    },
    /// Neighboring slices show different anatomy.
    #[error(
        "slices {} mm apart: more than {most_mm} mm, so that neighbors share too little anatomy",
        (spacing_mm * 1000.0).round() / 1000.0
    )]
    SlicesFarApart {
        /// Distance of neighboring slices in mm.
        spacing_mm: f64,
        /// The most that will do.
        most_mm: f64,
    },
    /// A distance that is none.
    #[error("slice spacing {spacing_mm} mm must be a finite number above zero")]
    Spacing {
        /// What was given.
        spacing_mm: f64,
    },
    /// NaN, infinity, or a number that is no HU.
    #[error("slice {}, row {}, column {}: {value} is not between -1e6 and 1e6 HU", slice + 1, row + 1, column + 1)]
    NoHounsfieldUnit {
        /// Slice index.
        slice: usize,
        /// Row index.
        row: usize,
        /// Column index.
        column: usize,
        /// The value.
        value: f32,
    },
    /// A slope or intercept that gives no HU.
    #[error(
        "slice {}: slope {slope} and intercept {intercept} do not map stored values to between -1e6 and 1e6 HU, or \
         the slope is zero",
        slice + 1
    )]
    Rescale {
        /// Slice index.
        slice: usize,
        /// Its slope.
        slope: f64,
        /// Its intercept.
        intercept: f64,
    },
    /// A mask that covers everything.
    #[error("all voxels are padding")]
    PaddingOnly,
    /// Too few voxels to estimate the noise from.
    #[error(
        "only {voxels} voxels of flat tissue (local mean of -200 to 200 HU) to estimate the noise from; at least \
         {least} are needed"
    )]
    NoFlatTissue {
        /// Voxels found.
        voxels: u64,
        /// The least that will do.
        least: u64,
    },
    /// Differences of slices that go on growing with their distance.
    #[error(
        "slices differ by {:.1}, {:.1} and {:.1} HU at one, two and three slices apart: that is anatomy or tilt, not \
         noise, which can't be estimated from this volume",
        sigma_by_distance[0], sigma_by_distance[1], sigma_by_distance[2]
    )]
    NotNoise {
        /// Robust standard deviation of the differences over the square root of 2, in HU.
        sigma_by_distance: [f64; 3],
    },
    /// A strength outside 0 to 1.
    #[error("strength {strength} is outside 0 to 1")]
    Strength {
        /// What was given.
        strength: f32,
    },
    /// Rows that a volume does not have, or that the block at hand does not cover with their halo.
    #[error("rows {first} to {last} need rows {} to {}, and the volume holds {} to {}", needed.0, needed.1, held.0, held.1)]
    Rows {
        /// First row asked for.
        first: usize,
        /// The row behind the last.
        last: usize,
        /// First row needed, and the row behind the last.
        needed: (usize, usize),
        /// First row held, and the row behind the last.
        held: (usize, usize),
    },
    /// What a pass has counted, given to another pass or to that of another volume.
    #[error("these counts are of another volume or another pass")]
    Counts,
    /// A noise model of a volume of another shape.
    #[error("the noise model is of another volume, or damaged")]
    Model,
}
