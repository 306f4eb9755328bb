//! How much of a scan its report holds.

use serde::{Deserialize, Serialize};
use tomobasis_dicom::SeriesPlan;

use crate::error::{Error, Result};

/// Values of the original and of all composites in a full report that the Spark job makes, at most: one task puts them together, and the
/// driver writes the page.
pub const MOST_VALUES_IN_JOB: usize = 1 << 25;

/// How much of a scan the report holds to look through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReportSize {
    /// Samples, as many as keep the page small.
    #[default]
    Sampled,
    /// Every pixel of every slice, and of every composite.
    Full,
}

impl ReportSize {
    /// Whether it is the usual one.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        *self == Self::Sampled
    }

    /// Refuses what the job cannot put together, for a scan with this many composites.
    ///
    /// # Errors
    /// [`Error::Option`].
    pub(super) fn check_in_job(self, plan: &SeriesPlan, composites: usize) -> Result<()> {
        let slices = plan.slices.len();
        let values = plan.pixels().saturating_mul(slices).saturating_mul(1 + composites);
        if self.is_sampled() || values <= MOST_VALUES_IN_JOB {
            return Ok(());
        }
        Err(Error::option(
            "--report",
            format!(
                "a full report of {slices} slices of {} x {} pixels and {composites} composites holds {values} values, and the job puts at \
                 most {MOST_VALUES_IN_JOB} together in one task; make it with the command (tomobasis decompose), give fewer --composite, \
                 or leave it out",
                plan.rows, plan.columns
            ),
        ))
    }
}
