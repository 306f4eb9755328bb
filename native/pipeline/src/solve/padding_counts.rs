//! Padding in a result: how much of it there was, and what that means for the numbers.

use serde::{Deserialize, Serialize};
use tomobasis_dicom::{PaddingRule, Remark, SeriesPlan, SliceRecord};

use crate::solve::digest::Digest;

/// The pixels of a series that hold nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaddingCounts {
    /// Pixels of all slices that are padding.
    pub pixels: u64,
    /// Slices with such pixels.
    pub slices: usize,
    /// Pixels that have another value in `A` than their stored one has.
    pub replaced: u64,
}

impl PaddingCounts {
    /// Those of some slices.
    pub(crate) fn of(records: &[SliceRecord]) -> Self {
        let mut counts = Self::default();
        for found in records.iter().map(|record| record.findings.padding) {
            let pixels = u64::from(found.declared) + u64::from(found.corners);
            counts.pixels += pixels;
            counts.slices += usize::from(pixels > 0);
            counts.replaced += u64::from(found.replaced);
        }
        counts
    }

    /// Pixels of a slice that are none, on average over the slices, rounded down, at least 1: what noise is found in.
    pub(crate) fn measured(&self, pixels: u64, slices: usize) -> u64 {
        let slices = (slices as u64).max(1);
        (pixels.saturating_mul(slices).saturating_sub(self.pixels) / slices).max(1)
    }

    /// Whether there are pixels that are none, one for each slice at least: else there is nothing to find noise in.
    pub(crate) fn any_measured(&self, pixels: u64, slices: usize) -> bool {
        let slices = (slices as u64).max(1);
        pixels.saturating_mul(slices).saturating_sub(self.pixels) >= slices
    }

    /// The line of the root digest: none where `A` is what it is without a rule.
    pub(crate) fn line(&self, rule: PaddingRule) -> String {
        if self.replaced > 0 { format!("padding {}\n", rule.name()) } else { String::new() }
    }
}

/// The digest of the stored pixels of a series.
pub(crate) fn pixels_digest(records: &[SliceRecord]) -> Digest {
    Digest::of(records.iter().map(|record| record.digest.as_slice()))
}

/// Least and greatest value of all pixels that are no padding; both 0 where all are.
pub(crate) fn range(plan: &SeriesPlan, records: &[SliceRecord]) -> (f64, f64) {
    let mut range = (f64::INFINITY, f64::NEG_INFINITY);
    for (slice, record) in plan.slices.iter().zip(records) {
        let (low, high) = record.findings.padding.range;
        for stored in [low, high].into_iter().filter(|_| low <= high) {
            let value = slice.slope.mul_add(f64::from(stored), slice.intercept);
            range = (range.0.min(value), range.1.max(value));
        }
    }
    if range.0 <= range.1 { range } else { (0.0, 0.0) }
}

/// Notes in the plan what no header says of a slice.
pub(crate) fn note(plan: &mut SeriesPlan, records: &[SliceRecord]) {
    for (slice, record) in plan.slices.iter_mut().zip(records) {
        let found = record.findings.padding;
        slice.corner_padding = (found.corners > 0).then_some(found.corner_value);
        slice.lossy_codestream = record.findings.has(Remark::LossyCodestream);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_looked_for_in_pixels_that_were_measured() {
        let counts = PaddingCounts { pixels: 30, slices: 2, replaced: 0 };
        assert_eq!(counts.measured(100, 4), 92);
        assert_eq!(PaddingCounts { pixels: 400, ..counts }.measured(100, 4), 1);
        for (padding, any) in [(0, true), (396, true), (397, false), (400, false)] {
            assert_eq!(PaddingCounts { pixels: padding, ..counts }.any_measured(100, 4), any);
        }
        assert_eq!(PaddingCounts::default().measured(100, 4), 100);
    }
}
