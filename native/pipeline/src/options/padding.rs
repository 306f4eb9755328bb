//! `--padding`: what becomes of pixels that hold nothing.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tomobasis_dicom::PaddingRule;

/// What becomes of pixels that hold nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
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
