//! The numbers of a matrix whose place is known.
//!
//! Read tile by tile, on all threads, and put where they belong column after column.

use ndarray::{Array2, ArrayViewMut2, ShapeBuilder as _};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tomobasis_dicom::zeros;
use tomobasis_linalg::check_magnitude;

use super::{
    Place, Values,
    flat::Width,
    source::{Files, Problem, Tile, tiles},
};
use crate::{
    error::Error,
    limits::{room, size},
    progress::Progress,
};

/// The offset of integers that reach beyond `i16`.
const UNSIGNED: i32 = 1 << 15;

/// All numbers, and what was taken off them to fit 16 bits.
pub(super) fn values(
    files: &Files,
    place: &Place,
    progress: &dyn Progress,
) -> Result<(Values, i32), Problem> {
    match place.width() {
        Width::Signed8 => {
            return Ok((Values::Signed8(integers(files, place, progress, |value| value as i8)?), 0));
        }
        Width::Unsigned8 => {
            return Ok((Values::Unsigned8(integers(files, place, progress, |value| value as u8)?), 0));
        }
        Width::Signed16 | Width::Unsigned16 | Width::Any => {}
    }
    if place.width() != Width::Any {
        // Modulo 2^16.
        let mut stored = integers(files, place, progress, |value| value as i32 as i16)?;
        let unsigned = place.width() == Width::Unsigned16 && stored.par_iter().any(|&value| value < 0);
        let offset = if unsigned { UNSIGNED } else { 0 };
        stored.par_iter_mut().for_each(|value| *value = value.wrapping_sub(offset as i16));
        return Ok((Values::Stored(stored), offset));
    }
    let real = all(place, progress, |tile, mut out: ArrayViewMut2<'_, f64>| {
        place.read(files, tile, out.view_mut())?;
        normalize(tile, out)
    })?;
    let extent = real.par_chunks(1 << 16).map(Extent::of).reduce(Extent::default, Extent::and);
    match extent.offset() {
        Some(offset) => {
            let mut stored = room_for::<i16>(place)?;
            stored.par_iter_mut().zip(&real).for_each(|(stored, &value)| *stored = narrowed(value, offset));
            Ok((Values::Stored(stored), offset))
        }
        None => {
            extent.check_magnitude().map_err(Problem::input)?;
            Ok((Values::Real(real), 0))
        }
    }
}

/// All numbers, as `of` makes integers of them.
fn integers<T: Clone + Default + Send + Sync>(
    files: &Files,
    place: &Place,
    progress: &dyn Progress,
    of: impl Fn(f64) -> T + Sync,
) -> Result<Vec<T>, Problem> {
    all(place, progress, |tile, out: ArrayViewMut2<'_, T>| {
        let mut values = Array2::zeros((tile.height(), tile.columns.len()).f());
        place.read(files, tile, values.view_mut())?;
        ndarray::Zip::from(out).and(&values).for_each(|out, &value: &f64| *out = of(value));
        Ok(())
    })
}

/// What all numbers have to be to be kept as integers of 16 bits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Extent {
    low: f64,
    high: f64,
    whole: bool,
}

impl Default for Extent {
    fn default() -> Self {
        Self { low: 0.0, high: 0.0, whole: true }
    }
}

impl Extent {
    pub fn of(values: &[f64]) -> Self {
        values.iter().fold(Self::default(), |Self { low, high, whole }, &value| Self {
            low: low.min(value),
            high: high.max(value),
            whole: whole & (value.trunc() == value),
        })
    }

    pub fn and(self, other: Self) -> Self {
        Self {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
            whole: self.whole & other.whole,
        }
    }

    /// The offset with which all numbers are integers of 16 bits; none where they are not.
    pub fn offset(&self) -> Option<i32> {
        let offset = if self.high > i16::MAX.into() { UNSIGNED } else { 0 };
        let fits = self.low >= f64::from(i32::from(i16::MIN) + offset)
            && self.high <= f64::from(i32::from(i16::MAX) + offset);
        (self.whole && fits).then_some(offset)
    }

    /// Refuses numbers whose energy, the sum of their squares, overflows or loses digits to underflow.
    pub fn check_magnitude(&self) -> Result<(), String> {
        check_magnitude(self.high.max(-self.low)).map_err(|error| error.to_string())
    }
}

/// An integer of 16 bits, less the offset.
pub(crate) fn narrowed(value: f64, offset: i32) -> i16 {
    (value as i32 - offset) as i16
}

/// Makes -0.0 the zero that it equals, and refuses what is no finite number.
pub(super) fn normalize(tile: &Tile, mut values: ArrayViewMut2<'_, f64>) -> Result<(), Problem> {
    let mut finite = true;
    for column in values.columns_mut() {
        for value in column {
            *value += 0.0;
            finite &= value.is_finite();
        }
    }
    let first = || values.indexed_iter().find(|(_, value)| !value.is_finite()).map(|(place, _)| place);
    match if finite { None } else { first() } {
        None => Ok(()),
        Some((row, column)) => Err(Problem::input(format!(
            "row {}, column {} is no finite number; replace NaN and infinity first",
            tile.rows.start + row as u64 + 1,
            tile.columns.start + column + 1
        ))),
    }
}

/// All numbers column after column, as `read` puts those of each tile; the first tile's problem of all.
fn all<T: Clone + Default + Send + Sync>(
    place: &Place,
    progress: &dyn Progress,
    read: impl Fn(&Tile, ArrayViewMut2<'_, T>) -> Result<(), Problem> + Sync,
) -> Result<Vec<T>, Problem> {
    let mut all = room_for::<T>(place)?;
    let shape = (place.rows() as usize, place.columns() as usize);
    let view = ArrayViewMut2::from_shape(shape.f(), &mut all)
        .map_err(|error| Problem::input(format!("its size is damaged ({error})")))?;
    let (rows, columns) = place.cuts();
    let failed = tiles(view, &rows, &columns)
        .into_par_iter()
        .map(|(tile, out)| read(&tile, out).inspect(|()| progress.advance(1)))
        .find_first(Result::is_err);
    failed.unwrap_or(Ok(())).map(|()| all)
}

/// Room for all numbers.
fn room_for<T: Clone + Default>(place: &Place) -> Result<Vec<T>, Problem> {
    let (rows, columns) = (place.rows(), place.columns());
    let count = rows.checked_mul(columns).and_then(|count| usize::try_from(count).ok());
    count.and_then(|count| zeros(count).ok()).ok_or_else(|| {
        let needed = size_of::<T>() as u128 * u128::from(rows) * u128::from(columns);
        Problem::Memory(Error::Memory {
            what: format!("the matrix of {rows} x {columns} needs {} of memory", size(needed)),
            room: room().bytes,
            of: room().of,
            instead: "run it where there is more".to_owned(),
        })
    })
}
