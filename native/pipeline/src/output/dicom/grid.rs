//! How values are rounded to those that a slice can store.

use tomobasis_dicom::SlicePlan;
use tomobasis_linalg::Rescale;

/// 1.5 * 2^52: added to a number below 2^51 and taken off again, it rounds to the nearest integer, ties to even.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// The values that a slice can store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    slope: f64,
    intercept: f64,
    /// Least and greatest stored value.
    least: f64,
    greatest: f64,
    /// Taken off stored values so that they fit `i16`.
    offset: f64,
}

impl Grid {
    pub(crate) fn of(slice: &SlicePlan) -> Self {
        let rescale = Rescale { slope: slice.slope, intercept: slice.intercept, offset: slice.offset };
        Self::new(&rescale, slice.stored_range())
    }

    /// Of stored values from the first to the last of a range.
    pub(crate) fn new(rescale: &Rescale, (least, greatest): (i32, i32)) -> Self {
        Self {
            slope: rescale.slope,
            intercept: rescale.intercept,
            least: least.into(),
            greatest: greatest.into(),
            offset: rescale.offset.into(),
        }
    }

    /// Rounds values to stored ones, ties to even; returns how many were beyond the range and set to its end.
    pub(crate) fn store(&self, values: &[f64], out: &mut [i16]) -> u32 {
        let mut clipped = 0;
        for (&value, out) in values.iter().zip(out) {
            // One step beyond the range rounds to beyond the range, so nothing is changed by not going farther.
            let exact = ((value - self.intercept) / self.slope).clamp(self.least - 1.0, self.greatest + 1.0);
            let rounded = (exact + ROUND) - ROUND;
            let stored = rounded.clamp(self.least, self.greatest);
            clipped += u32::from(stored != rounded);
            *out = (stored - self.offset) as i16;
        }
        clipped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_rounded_to_the_grid_ties_to_even_and_clipped_where_it_ends() {
        let grid = Grid { slope: 2.0, intercept: -1024.0, least: 0.0, greatest: 4095.0, offset: 0.0 };
        let mut out = [9; 9];
        let hu = [-1024.0, -1023.0, -1021.0, -1022.5, -1025.0, -1025.1, -9e300, 7167.0, 7167.5];
        let clipped = grid.store(&hu, &mut out);
        assert_eq!(out, [0, 0, 2, 1, 0, 0, 0, 4095, 4095]);
        // -1025 and 7167 are half a step beyond the ends: the first rounds to even 0, the second to 4096.
        assert_eq!(clipped, 4);
    }

    #[test]
    fn the_whole_unsigned_range_fits_with_its_offset() {
        let grid = Grid { slope: 1.0, intercept: 0.0, least: 0.0, greatest: 65535.0, offset: 32768.0 };
        let mut out = [9; 3];
        assert_eq!(grid.store(&[0.2, 65535.4, 32768.0], &mut out), 0);
        assert_eq!(out, [-32768, 32767, 0]);
    }
}
