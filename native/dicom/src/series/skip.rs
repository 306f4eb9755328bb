//! `--on-bad-slice skip`: a series without the slices that cannot be used.
//!
//! Skipping is for the odd damaged file. What is left must still be the scan: no more than a tenth of the slices gone, and not
//! two consecutive ones, which would leave a hole or, at an end, a shorter scan. Each skipped slice is named in the plan, and so in
//! manifest and report.

use std::collections::BTreeSet;

use super::geometry::{self, SAME_PLACE_MM, Step};
use super::group::Group;
use super::notes;
use super::{Content, Inventory};
use crate::error::Error;
use crate::phrases::decimals;
use crate::plan::{Note, NoteKind, SeriesPlan};
use crate::unread::Unread;

/// A step longer than this many usual ones is a hole: one missing slice makes it two.
const HOLE: f64 = 2.5;

impl SeriesPlan {
    /// The plan without some of its slices, which turned out unusable when they were decoded: position in the plan, and the error.
    ///
    /// # Errors
    /// `Input` kind when too much is missing then.
    pub fn without(&self, bad: &[(usize, String)]) -> Result<SeriesPlan, Error> {
        if let Some(joint) = self.change_each(bad, SeriesPlan::without) {
            return joint;
        }
        if bad.is_empty() {
            return Ok(self.clone());
        }
        let mut plan = self.clone();
        let skipped: BTreeSet<usize> = bad.iter().map(|(slice, _)| *slice).collect();
        let kept = |slice: &usize| !skipped.contains(slice);
        let slices = plan.slices.into_iter().enumerate().filter(|(slice, _)| kept(slice));
        plan.slices = slices.map(|(_, slice)| slice).collect();
        plan.copies.retain(|copy| kept(&copy.of));
        for copy in &mut plan.copies {
            copy.of -= skipped.range(..copy.of).count();
        }
        let positions: Vec<f64> = plan.slices.iter().map(|slice| slice.position_mm).collect();
        plan.skipped_mm.extend(skipped.iter().filter_map(|&slice| Some(self.slices.get(slice)?.position_mm)));
        plan.skipped += skipped.len();
        check(&positions, &plan.skipped_mm, plan.skipped)?;
        plan.measure();
        plan.left_out.extend(bad.iter().map(|(_, reason)| self::skipped(reason)));
        Ok(plan)
    }

    /// Says again how its slices lie, once they are others.
    pub(super) fn measure(&mut self) {
        let positions: Vec<f64> = self.slices.iter().map(|slice| slice.position_mm).collect();
        let places: Vec<[f64; 3]> = self.slices.iter().map(|slice| slice.origin_mm).collect();
        let path = geometry::path(&places, geometry::normal(&self.orientation));
        self.slice_spacing_mm = geometry::spacing(&positions);
        self.tilt_degrees = path.tilt_degrees;
        self.warnings.retain(|note| {
            use NoteKind::{Displaced, Gap, SamePosition, Tilt};
            !matches!(note.kind, Gap | SamePosition | Tilt | Displaced)
        });
        self.warnings.splice(0..0, notes::geometry_notes(&positions, &path));
    }
}

impl Inventory {
    /// How many slices are missing with a file that keeps a group from being read (each frame of a file whose header is in order
    /// is named by itself); `None` when that cannot be known.
    pub(super) fn slices_of_bad(&self, file: usize, group: &Group) -> Option<usize> {
        let like_others = (group.first.frames == 1).then_some(1);
        match &self.files.get(&file)?.content {
            Content::Broken(broken) if broken.series.is_some() => broken.slices,
            Content::Unread(Unread::Folder(_)) => None,
            Content::Broken(_) | Content::Unread(_) => like_others,
            _ => Some(1),
        }
    }
}

/// The note about a skipped slice.
pub(super) fn skipped(reason: impl ToString) -> Note {
    Note { kind: NoteKind::Skipped, text: format!("skipped: {}", reason.to_string()) }
}

/// That this many slices may be missing from those at `positions`. `gone` are the positions of the missing ones, of those where they
/// are known: when all are, a step that spans none of them is the scan's own.
pub(super) fn check(positions: &[f64], gone: &[f64], skipped: usize) -> Result<(), Error> {
    let total = positions.len() + skipped;
    if 10 * skipped > total {
        return Err(Error::TooManySkipped { skipped, total });
    }
    let spacing = geometry::spacing(positions).unwrap_or(0.0);
    let inside = |step: &Step, mm: &f64| (step.from_mm + SAME_PLACE_MM..step.from_mm + step.mm).contains(mm);
    let spans = |step: &Step| gone.len() < skipped || gone.iter().any(|mm| inside(step, mm));
    let gaps: Vec<Step> = geometry::gaps(positions, spacing).into_iter().filter(spans).collect();
    let longest = gaps.iter().map(|step| step.mm).filter(|mm| *mm > HOLE * spacing).fold(0.0, f64::max);
    if skipped > 0 && longest > 0.0 {
        let [step_mm, spacing_mm] = [longest, spacing].map(decimals);
        return Err(Error::SkippedHole { skipped, total, step_mm, spacing_mm });
    }
    let missing = at_one_end(positions, gone) + unplaced(&gaps, spacing, gone, skipped);
    if missing > 1 {
        return Err(Error::SkippedEnd { skipped, total, missing });
    }
    Ok(())
}

/// How many of the places of missing slices lie before the first slice, or behind the last, whichever are more.
fn at_one_end(positions: &[f64], gone: &[f64]) -> usize {
    let (Some(first), Some(last)) = (positions.first(), positions.last()) else { return 0 };
    let places = |beyond: &dyn Fn(f64) -> bool| {
        let beyond: Vec<f64> = gone.iter().copied().filter(|&mm| beyond(mm)).collect();
        geometry::places(&beyond).into_iter().max().map_or(0, |last| last + 1)
    };
    places(&|mm| mm < first - SAME_PLACE_MM).max(places(&|mm| mm > last + SAME_PLACE_MM))
}

/// How many missing slices have no known position, and no room between the others: they may all be at one end.
fn unplaced(gaps: &[Step], spacing: f64, gone: &[f64], skipped: usize) -> usize {
    let room: f64 = gaps.iter().map(|step| (step.mm / spacing - 1.0).round().max(0.0)).sum();
    let taken = gaps
        .iter()
        .flat_map(|step| gone.iter().filter(move |mm| (step.from_mm..step.from_mm + step.mm).contains(*mm)))
        .count();
    let unknown = skipped.saturating_sub(gone.len());
    unknown.saturating_sub((room as usize).saturating_sub(taken))
}
