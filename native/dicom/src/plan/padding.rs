//! What becomes of pixels that hold nothing (`--padding`).

use serde::{Deserialize, Serialize};

use super::SlicePlan;

/// What becomes of padding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PaddingRule {
    /// It stays as it is stored.
    #[default]
    Keep,
    /// It becomes air: the stored value nearest to -1000 HU; in other units, to 0.
    Air,
    /// It becomes 0.
    Mask,
}

/// HU of air.
const AIR_HU: f64 = -1000.0;

impl PaddingRule {
    /// As in `--padding` and in the manifest.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Air => "air",
            Self::Mask => "mask",
        }
    }

    /// The stored value that takes the place of padding in a slice; `None` where it stays, and for `Mask` where no stored value
    /// stands for 0.
    #[must_use]
    pub fn stored_value(self, unit: &str, slice: &SlicePlan) -> Option<i32> {
        let (low, high) = slice.stored_range();
        match self {
            Self::Keep => None,
            Self::Air => {
                let air = if unit == "HU" { AIR_HU } else { 0.0 };
                let exact = (air - slice.intercept) / slice.slope;
                Some(exact.round_ties_even().clamp(low.into(), high.into()) as i32)
            }
            Self::Mask => {
                let zero = (-slice.intercept / slice.slope).round_ties_even();
                // One rounding: 0 only where the sum is 0.
                let is_zero = slice.slope.mul_add(zero, slice.intercept) == 0.0;
                let fits = f64::from(i16::MIN) + f64::from(slice.offset)
                    ..=f64::from(i16::MAX) + f64::from(slice.offset);
                (is_zero && fits.contains(&zero)).then_some(zero as i32)
            }
        }
    }
}
