//! `--padding`: what becomes of pixels that hold nothing.

use serde::{Deserialize, Serialize};
use tomobasis_dicom::{PaddingRule, SeriesPlan};

use crate::error::{Error, Result};

/// What becomes of pixels that hold nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Padding {
    /// They stay as stored, even -32768
    Keep,
    /// They become air, -1000 HU; in other units than HU, 0
    #[default]
    Air,
    /// They become 0 in the matrix
    Mask,
}

impl From<Padding> for PaddingRule {
    fn from(padding: Padding) -> Self {
        match padding {
            Padding::Keep => Self::Keep,
            Padding::Air => Self::Air,
            Padding::Mask => Self::Mask,
        }
    }
}

/// What results were made with before there was a choice.
pub(crate) fn without_choice() -> Padding {
    Padding::Keep
}

/// Refuses a rule that a slice cannot follow.
///
/// # Errors
/// [`Error::Option`] that names the slice.
pub(super) fn check(rule: PaddingRule, plan: &SeriesPlan) -> Result<()> {
    let without = plan.slices.iter().position(|slice| rule.stored_value(&plan.rescale_unit, slice).is_none());
    match without.and_then(|number| Some((number, plan.slices.get(number)?))) {
        Some((number, slice)) if rule != PaddingRule::Keep => {
            let problem = format!(
                "slice {} stores no value that is 0 (Rescale Slope {}, Intercept {}); give air or keep instead of {}",
                number + 1,
                slice.slope,
                slice.intercept,
                rule.name()
            );
            Err(Error::option("--padding", problem))
        }
        _ => Ok(()),
    }
}
