//! What composites do to the image: the section `measures` of the manifest, which slices are measured, and how it comes with the pictures.
//!
//! The measures themselves are those of `tomobasis-measures`; `docs/measures.md` defines them.

use serde::{Deserialize, Serialize};
use tomobasis_measures::{Measures, Stack};

use super::NamedFile;
use crate::{
    error::{Error, Result},
    solve::digest::Digest,
};

/// Path under which the pictures' maker returns the measures; they are part of manifest and report and no file of the result.
pub(crate) const MEASURES: &str = "report.measures";
/// Slices that are measured at most.
const MOST_SLICES: usize = 32;
/// Values of these at most, of the original and all composites; one slice is always measured.
const MOST_VALUES: usize = 16_000_000;

/// The manifest's section.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasuresSection {
    /// The slices that were measured, from 0.
    pub slices: Vec<usize>,
    /// What `--reference` named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<ReferenceSection>,
    /// What was measured.
    #[serde(flatten)]
    pub measures: Measures,
}

/// The reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceSection {
    /// Digest of the stored pixels of its measured slices.
    pub pixels: Digest,
}

/// A reference, as far as it is measured.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    /// The measured slices.
    pub slices: Stack,
    /// Digest of their stored pixels.
    pub pixels: Digest,
}

/// The slices of a scan that are measured: evenly spaced ones.
pub(crate) fn measured_slices(
    (rows, columns): (usize, usize),
    slices: usize,
    composites: usize,
) -> Vec<usize> {
    let of_slice = (rows * columns * (1 + composites)).max(1);
    let count = (MOST_VALUES / of_slice).clamp(1, MOST_SLICES).min(slices);
    (0..count).map(|place| (2 * place + 1) * slices / (2 * count)).collect()
}

impl MeasuresSection {
    /// As it comes with the pictures.
    pub(crate) fn to_file(&self) -> Result<NamedFile> {
        let bytes = serde_json::to_vec(self).map_err(|error| Error::Internal(error.to_string()))?;
        Ok(NamedFile { path: MEASURES.to_owned(), bytes })
    }

    /// The inverse of [`Self::to_file`].
    pub(crate) fn from_file(file: &NamedFile) -> Result<Self> {
        serde_json::from_slice(&file.bytes).map_err(|error| Error::Protocol(error.to_string()))
    }

    /// Takes over what was measured against a reference that is not at hand.
    pub(crate) fn adopt_reference(&mut self, stored: &Self) {
        self.reference = stored.reference;
        self.measures.peak = stored.measures.peak;
        self.measures.original.reference.clone_from(&stored.measures.original.reference);
        for (mine, its) in self.measures.composites.iter_mut().zip(&stored.measures.composites) {
            mine.quality.reference.clone_from(&its.quality.reference);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measured_slices_are_evenly_spaced_and_as_many_as_there_is_room_for() {
        assert_eq!(measured_slices((64, 64), 5, 3), [0, 1, 2, 3, 4]);
        assert_eq!(measured_slices((512, 512), 301, 3).len(), 15);
        assert_eq!(measured_slices((512, 512), 301, 3).first(), Some(&10));
        assert_eq!(measured_slices((4096, 4096), 9, 3), [4]);
        let many = measured_slices((16, 16), 1000, 2);
        assert_eq!((many.len(), many[0], many[31]), (32, 15, 984));
        assert_eq!(measured_slices((16, 16), 0, 2), [] as [usize; 0]);
    }
}
