//! `--on-bad-slice skip`: a series without the slices that cannot be used.
//!
//! Skipping is for the odd damaged file. What is left must still be the scan: no more than a tenth of the slices gone, and not
//! two neighbours, which would leave a hole. Each skipped slice is said in the plan, and so in manifest and report.

use super::geometry;
use super::notes::{self, decimals};
use super::plan::{Note, NoteKind, SeriesPlan};
use crate::error::Error;

/// A step longer than this many usual ones is a hole: one missing slice makes it two.
const HOLE: f64 = 2.5;

impl SeriesPlan {
    /// The plan without some of its slices, which turned out unusable when they were decoded: position in the plan, and the error.
    ///
    /// # Errors
    /// `Input` kind when too much is missing then.
    pub fn without(&self, bad: &[(usize, String)]) -> Result<SeriesPlan, Error> {
        let mut plan = self.clone();
        let kept = plan.slices.into_iter().enumerate();
        let kept = kept.filter(|(slice, _)| bad.iter().all(|(skipped, _)| skipped != slice));
        plan.slices = kept.map(|(_, slice)| slice).collect();
        let positions: Vec<f64> = plan.slices.iter().map(|slice| slice.position_mm).collect();
        let before = plan.left_out.iter().filter(|note| note.kind == NoteKind::Skipped).count();
        check(&positions, before + bad.len())?;
        plan.slice_spacing_mm = geometry::spacing(&positions);
        plan.warnings.retain(|note| !matches!(note.kind, NoteKind::Gap | NoteKind::SamePosition));
        plan.warnings.splice(0..0, notes::spacing(&positions));
        plan.left_out.extend(bad.iter().map(|(_, reason)| skipped(reason)));
        Ok(plan)
    }
}

/// What is said of a skipped slice.
pub(super) fn skipped(reason: impl ToString) -> Note {
    Note { kind: NoteKind::Skipped, text: format!("skipped: {}", reason.to_string()) }
}

/// That so many slices may be missing from those at `positions`.
pub(super) fn check(positions: &[f64], skipped: usize) -> Result<(), Error> {
    let total = positions.len() + skipped;
    if 10 * skipped > total {
        return Err(Error::TooManySkipped { skipped, total });
    }
    let spacing = geometry::spacing(positions).unwrap_or(0.0);
    let longest = geometry::gaps(positions, spacing).into_iter().map(|(_, step)| step).fold(0.0, f64::max);
    if skipped > 0 && longest > HOLE * spacing {
        let [step_mm, spacing_mm] = [longest, spacing].map(decimals);
        return Err(Error::SkippedHole { skipped, total, step_mm, spacing_mm });
    }
    Ok(())
}
