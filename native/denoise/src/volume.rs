//! A volume as the denoiser reads it: voxels of any of two kinds, as HU in single precision.

use std::ops::Range;

use tomobasis_linalg::{Rescale, Vectorize, vectorize};

use crate::Error;

/// Slices from which noise can be estimated: two of them three apart.
const LEAST_SLICES: usize = 4;

/// Rows and columns of the smallest image.
const LEAST_SIDE: usize = 24;

/// Distance of slices beyond which neighbors are no repetition of one another, in mm.
const MOST_SPACING: f64 = 5.0;

/// What positions in headers, of oblique slices above all, are rounded by, in mm.
pub(crate) const SPACING_ROUNDING: f64 = 0.005;

/// What is no HU, even of metal.
const MOST_HU: f32 = 1e6;

/// Slices, rows and columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Slices, in spatial order.
    pub slices: usize,
    /// Rows of a slice.
    pub rows: usize,
    /// Columns of a slice.
    pub columns: usize,
}

/// The voxels, slice after slice, each in row-major order.
#[derive(Debug, Clone, Copy)]
pub enum Voxels<'a> {
    /// Stored values of CT, and what makes HU of them for each slice.
    Stored {
        /// Stored values.
        values: &'a [i16],
        /// Slope and intercept of each slice.
        rescale: &'a [Rescale],
    },
    /// HU.
    Hu(&'a [f32]),
}

/// A volume, or a block of its rows.
///
/// The constructors check everything that they are given, so what takes a volume need not.
#[derive(Debug, Clone)]
pub struct Volume<'a> {
    shape: Shape,
    /// The rows of the whole volume that the arrays hold.
    held: Range<usize>,
    spacing_mm: f64,
    voxels: Voxels<'a>,
    padding: Option<&'a [bool]>,
}

impl<'a> Volume<'a> {
    /// A volume of slices `spacing_mm` apart; `padding` is true where a voxel lies outside the reconstruction.
    ///
    /// # Errors
    /// [`Error::Shape`] for arrays of other lengths; [`Error::TooFewSlices`], [`Error::TooSmall`], [`Error::Spacing`] and
    /// [`Error::SlicesFarApart`] for volumes that can't be denoised; [`Error::NoHounsfieldUnit`] and [`Error::Rescale`] for
    /// values that are no HU; [`Error::PaddingOnly`].
    pub fn new(
        shape: Shape,
        spacing_mm: f64,
        voxels: Voxels<'a>,
        padding: Option<&'a [bool]>,
    ) -> Result<Self, Error> {
        let volume = Self::block(shape, 0..shape.rows, spacing_mm, voxels, padding)?;
        if padding.is_some_and(|mask| mask.iter().all(|&outside| outside)) {
            return Err(Error::PaddingOnly);
        }
        Ok(volume)
    }

    /// Rows `held` of a volume of this shape: the arrays are slices x held rows x columns.
    ///
    /// # Errors
    /// Those of [`Volume::new`], but a block may be all padding; [`Error::Rows`] for rows that the volume does not have.
    pub fn block(
        shape: Shape,
        held: Range<usize>,
        spacing_mm: f64,
        voxels: Voxels<'a>,
        padding: Option<&'a [bool]>,
    ) -> Result<Self, Error> {
        check_geometry(shape, spacing_mm)?;
        let rows = shape.rows;
        if held.start > held.end || held.end > rows {
            let held = (held.start, held.end);
            return Err(Error::Rows { first: held.0, last: held.1, needed: held, held: (0, rows) });
        }
        let volume = Self { shape, held, spacing_mm, voxels, padding };
        volume.check()?;
        Ok(volume)
    }

    fn check(&self) -> Result<(), Error> {
        let Shape { slices, columns, .. } = self.shape;
        let rows = self.held.len();
        let check_length = |what, expected, actual| match expected == actual {
            true => Ok(()),
            false => Err(Error::Shape { what, slices, rows, columns, expected, actual }),
        };
        let voxels = slices * rows * columns;
        if let Some(mask) = self.padding {
            check_length("the padding mask", voxels, mask.len())?;
        }
        match self.voxels {
            Voxels::Hu(values) => {
                check_length("an array", voxels, values.len())?;
                let no_hu = |value: &f32| value.is_nan() || value.abs() > MOST_HU;
                if let Some(index) = values.iter().position(no_hu) {
                    let (line, column) = (index / columns, index % columns);
                    let (slice, row) = (line / rows, self.held.start + line % rows);
                    return Err(Error::NoHounsfieldUnit { slice, row, column, value: values[index] });
                }
            }
            Voxels::Stored { values, rescale } => {
                check_length("an array", voxels, values.len())?;
                check_length("the rescale (one a slice)", slices, rescale.len())?;
                for (slice, &Rescale { slope, intercept, offset }) in rescale.iter().enumerate() {
                    let most = slope.abs() * (32768.0 + f64::from(offset).abs()) + intercept.abs();
                    if slope == 0.0 || most.is_nan() || most > f64::from(MOST_HU) {
                        return Err(Error::Rescale { slice, slope, intercept });
                    }
                }
            }
        }
        Ok(())
    }

    /// Slices, rows and columns of the whole volume.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Distance of neighboring slices in mm.
    pub fn spacing_mm(&self) -> f64 {
        self.spacing_mm
    }

    /// The rows at hand.
    pub fn held(&self) -> Range<usize> {
        self.held.clone()
    }

    /// Refuses a block.
    pub(crate) fn check_whole(&self) -> Result<(), Error> {
        let all = 0..self.shape.rows;
        self.check_holds(&all, &all)
    }

    /// Refuses rows whose `needed` ones are not all at hand.
    pub(crate) fn check_holds(&self, rows: &Range<usize>, needed: &Range<usize>) -> Result<(), Error> {
        let held = &self.held;
        let within = |inner: &Range<usize>, outer: &Range<usize>| {
            inner.start <= inner.end && outer.start <= inner.start && inner.end <= outer.end
        };
        if within(rows, needed) && within(needed, held) {
            return Ok(());
        }
        let ends = |range: &Range<usize>| (range.start, range.end);
        Err(Error::Rows { first: rows.start, last: rows.end, needed: ends(needed), held: ends(held) })
    }

    /// HU of some held rows of a slice: stored values are rescaled in double precision and rounded once.
    pub(crate) fn hu(&self, slice: usize, rows: Range<usize>, hu: &mut [f32]) {
        let range = self.range(slice, rows);
        match self.voxels {
            Voxels::Hu(values) => hu.copy_from_slice(&values[range]),
            Voxels::Stored { values, rescale } => {
                vectorize(ToHu { stored: &values[range], rescale: rescale[slice], hu });
            }
        }
    }

    /// The mask of some held rows of a slice, where there is one.
    pub(crate) fn padding(&self, slice: usize, rows: Range<usize>) -> Option<&'a [bool]> {
        let range = self.range(slice, rows);
        self.padding.map(|mask| &mask[range])
    }

    fn range(&self, slice: usize, rows: Range<usize>) -> Range<usize> {
        let first = slice * self.held.len() + rows.start - self.held.start;
        first * self.shape.columns..(first + rows.len()) * self.shape.columns
    }
}

/// Refuses volumes that can't be denoised, whatever is in them.
///
/// # Errors
/// [`Error::Spacing`], [`Error::SlicesFarApart`], [`Error::TooFewSlices`], [`Error::TooSmall`].
pub fn check_geometry(shape: Shape, spacing_mm: f64) -> Result<(), Error> {
    let Shape { slices, rows, columns } = shape;
    if !(spacing_mm.is_finite() && spacing_mm > 0.0) {
        return Err(Error::Spacing { spacing_mm });
    }
    if spacing_mm > MOST_SPACING + SPACING_ROUNDING {
        return Err(Error::SlicesFarApart { spacing_mm, most_mm: MOST_SPACING });
    }
    if slices < LEAST_SLICES {
        return Err(Error::TooFewSlices { slices, least: LEAST_SLICES });
    }
    if rows < LEAST_SIDE || columns < LEAST_SIDE {
        return Err(Error::TooSmall { rows, columns, least: LEAST_SIDE });
    }
    Ok(())
}

/// HU of stored values of one slice: as those of a [`Volume`] are read.
pub fn hounsfield_units(stored: &[i16], rescale: Rescale) -> Vec<f32> {
    let mut hu = vec![0.0; stored.len()];
    vectorize(ToHu { stored, rescale, hu: &mut hu });
    hu
}

/// Stored values to HU.
struct ToHu<'a> {
    stored: &'a [i16],
    rescale: Rescale,
    hu: &'a mut [f32],
}

impl Vectorize for ToHu<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (hu, &stored) in self.hu.iter_mut().zip(self.stored) {
            *hu = self.rescale.apply(stored) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { slices: 4, rows: 24, columns: 30 };

    fn error_of(shape: Shape, spacing_mm: f64, values: &[f32]) -> Error {
        Volume::new(shape, spacing_mm, Voxels::Hu(values), None).unwrap_err()
    }

    #[test]
    fn what_cannot_be_denoised_is_a_typed_error() {
        let values = vec![0.0; 4 * 24 * 30];
        assert_eq!(
            error_of(Shape { slices: 3, ..SHAPE }, 1.0, &values),
            Error::TooFewSlices { slices: 3, least: 4 }
        );
        assert!(matches!(
            error_of(Shape { rows: 23, ..SHAPE }, 1.0, &values),
            Error::TooSmall { rows: 23, .. }
        ));
        assert!(matches!(error_of(SHAPE, 5.1, &values), Error::SlicesFarApart { .. }));
        assert!(matches!(error_of(SHAPE, f64::NAN, &values), Error::Spacing { .. }));
        assert!(matches!(error_of(SHAPE, 0.0, &values), Error::Spacing { .. }));
        assert!(matches!(error_of(SHAPE, 1.0, &values[1..]), Error::Shape { .. }));
        let all = vec![true; values.len()];
        let padded = Volume::new(SHAPE, 1.0, Voxels::Hu(&values), Some(&all));
        assert_eq!(padded.unwrap_err(), Error::PaddingOnly);
    }

    #[test]
    fn a_value_that_is_no_number_is_named_by_its_place() {
        for value in [f32::NAN, f32::INFINITY, -2e6] {
            let mut values = vec![0.0; 4 * 24 * 30];
            values[2 * 24 * 30 + 5 * 30 + 7] = value;
            let error = error_of(SHAPE, 1.0, &values);
            assert!(error.to_string().starts_with("slice 3, row 6, column 8: "), "{error}");
        }
    }

    #[test]
    fn a_rescale_that_gives_no_hounsfield_units_is_refused() {
        let values = vec![0; 4 * 24 * 30];
        for (slope, intercept) in [(0.0, 0.0), (f64::NAN, 0.0), (1.0, f64::INFINITY), (100.0, 0.0)] {
            let rescale = [Rescale { slope, intercept, offset: 0 }; 4];
            let voxels = Voxels::Stored { values: &values, rescale: &rescale };
            let error = Volume::new(SHAPE, 1.0, voxels, None).unwrap_err();
            assert!(matches!(error, Error::Rescale { slice: 0, .. }));
        }
    }
}
