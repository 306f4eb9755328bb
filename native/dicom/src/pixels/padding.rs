//! Pixels that hold nothing, and what becomes of them (`--padding`).
//!
//! Reconstructions are round, images are square: what is outside is padding. Some writers name its value in Pixel Padding Value
//! (PS3.3 C.7.5.1.1.2), others only write a value far below anything that a scanner measures (-2000, -3024, -32768). Left as it is,
//! such a value decides a decomposition: a corner of -32768 weighs a thousand times what a pixel of bone does.
//!
//! Which pixels are padding, and what is put in their place, is a function of the slice alone, so that it does not depend on who
//! decodes it. `docs/format.md` defines both. Replaced are stored integers, before anything is summed: everything that
//! follows is as exact with padding as without. The slice's digest is that of the pixels as they are stored.

use crate::plan::{SeriesPlan, SlicePlan};

/// All four corners of a slice in HU have one value below this: nothing that was measured is so far below air.
pub(super) const BELOW_AIR_HU: f64 = -1200.0;

/// The padding of one slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaddingFound {
    /// Pixels with the value, or in the range, that the header names.
    pub declared: u32,
    /// Other pixels that have the value of all four corners.
    pub corners: u32,
    /// That value, as it is stored.
    pub corner_value: i32,
    /// Pixels of both kinds that have another value now.
    pub replaced: u32,
    /// Least and greatest stored value of all other pixels; the first is greater where there are none.
    pub range: (i32, i32),
}

impl PaddingFound {
    /// Whether no pixel is padding.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.declared == 0 && self.corners == 0
    }
}

impl Default for PaddingFound {
    fn default() -> Self {
        Self { declared: 0, corners: 0, corner_value: 0, replaced: 0, range: (i32::MAX, i32::MIN) }
    }
}

/// Which pixels of a slice are padding. Values are stored ones less the slice's offset, as they are decoded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PaddingOf {
    /// First and last value that the header names.
    declared: Option<(i16, i16)>,
    /// The value of all corners.
    corners: Option<i16>,
}

impl PaddingOf {
    /// The padding of `slice`, whose decoded pixels are `pixels`.
    pub(crate) fn found(plan: &SeriesPlan, slice: &SlicePlan, pixels: &[i16]) -> Self {
        Self { declared: declared(slice), corners: corners(plan, slice, pixels) }
    }

    /// The padding of a slice that was decoded before.
    pub(crate) fn planned(slice: &SlicePlan) -> Self {
        let corners = slice.corner_padding.and_then(|value| i16::try_from(value - slice.offset).ok());
        Self { declared: declared(slice), corners }
    }

    pub(crate) fn is_empty(self) -> bool {
        self.declared.is_none() && self.corners.is_none()
    }

    pub(crate) fn contains(self, value: i16) -> bool {
        self.is_declared(value) || self.corners == Some(value)
    }

    /// A value for a pixel that was not padding: `value`, or if that is padding, the nearest one to it that is not, on the side
    /// where the pixel's value in the source, `source`, is.
    pub(crate) fn avoided(self, value: i16, source: i16) -> i16 {
        let mut value = value;
        if let Some((low, high)) = self.declared
            && (low..=high).contains(&value)
        {
            value = if source > high { high.saturating_add(1) } else { low.saturating_sub(1) };
        }
        match self.corners == Some(value) {
            true if source > value => value.saturating_add(1),
            true => value.saturating_sub(1),
            false => value,
        }
    }

    fn is_declared(self, value: i16) -> bool {
        self.declared.is_some_and(|(low, high)| (low..=high).contains(&value))
    }
}

/// The values that the header names, as far as the slice can hold them.
fn declared(slice: &SlicePlan) -> Option<(i16, i16)> {
    let [low, high] = slice.padding?.map(|value| value - slice.offset);
    let (least, greatest) = (i32::from(i16::MIN), i32::from(i16::MAX));
    let clamped = |value: i32| value.clamp(least, greatest) as i16;
    (high >= least && low <= greatest).then(|| (clamped(low), clamped(high)))
}

/// The value of all four corners, if it is the least of the slice and too far below air to be a measured one.
fn corners(plan: &SeriesPlan, slice: &SlicePlan, pixels: &[i16]) -> Option<i16> {
    let last = plan.pixels().checked_sub(1)?;
    let corners = [0, plan.columns - 1, last + 1 - plan.columns, last].map(|at| pixels.get(at).copied());
    let value = corners[0]?;
    let hu = |value: i16| slice.slope.mul_add(f64::from(i32::from(value) + slice.offset), slice.intercept);
    let far_below = plan.rescale_unit == "HU" && corners == [Some(value); 4] && hu(value) < BELOW_AIR_HU;
    // In the order of HU, which a negative slope turns round.
    let least = if slice.slope > 0.0 { pixels.iter().min() } else { pixels.iter().max() };
    (far_below && least == Some(&value)).then_some(value)
}

/// Counts the padding of a slice and puts in its place what the plan says.
pub(super) fn replace(plan: &SeriesPlan, slice: &SlicePlan, pixels: &mut [i16]) -> PaddingFound {
    let padding = PaddingOf::found(plan, slice, pixels);
    if padding.is_empty() {
        let ends = (pixels.iter().min(), pixels.iter().max());
        let (Some(&low), Some(&high)) = ends else { return PaddingFound::default() };
        let range = (i32::from(low) + slice.offset, i32::from(high) + slice.offset);
        return PaddingFound { range, ..PaddingFound::default() };
    }
    let instead =
        plan.padding.stored_value(&plan.rescale_unit, slice).map(|value| (value - slice.offset) as i16);
    let mut found = PaddingFound {
        corner_value: padding.corners.map_or(0, |value| i32::from(value) + slice.offset),
        ..PaddingFound::default()
    };
    let (mut low, mut high) = (i16::MAX, i16::MIN);
    for pixel in pixels {
        if !padding.contains(*pixel) {
            (low, high) = (low.min(*pixel), high.max(*pixel));
            continue;
        }
        let count = if padding.is_declared(*pixel) { &mut found.declared } else { &mut found.corners };
        *count += 1;
        if let Some(instead) = instead {
            found.replaced += u32::from(*pixel != instead);
            *pixel = instead;
        }
    }
    if low <= high {
        found.range = (i32::from(low) + slice.offset, i32::from(high) + slice.offset);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::PaddingOf;

    #[test]
    fn a_value_that_would_be_padding_moves_to_the_sources_side() {
        let range = PaddingOf { declared: Some((-10, 30)), corners: Some(31) };
        assert_eq!(range.avoided(5, 40), 32);
        assert_eq!(range.avoided(5, -20), -11);
        assert_eq!(range.avoided(31, 40), 32);
        assert_eq!(range.avoided(-12, -20), -12);
        let corner = PaddingOf { declared: None, corners: Some(-2000) };
        assert_eq!(corner.avoided(-2000, -1000), -1999);
    }
}
