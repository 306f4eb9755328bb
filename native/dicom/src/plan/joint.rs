//! The slices of several series as the columns of one matrix.
//!
//! A plan of several series has their slices one series after the other, and keeps the plan of each without its slices. So whoever reads,
//! decodes or sums slices need not know: each slice has its own file, rescale and padding anyway. What is a matter of one series (whether
//! too many of its slices are missing, copies, gaps) is done to the series by itself, and the plan is put together again.

use serde::{Deserialize, Serialize};

use super::{Note, NoteKind, SeriesPlan};
use crate::error::Error;
use crate::phrases::counted;

/// Series that are left out and named in a note each; the plan has all.
const NAMED: usize = 20;

/// What a plan of several series is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JointPlan {
    /// The series, in the order of their slices.
    pub series: Vec<JoinedSeries>,
    /// Those that were meant and are no part of it, by their ids.
    pub left_out: Vec<UnjoinedSeries>,
    /// Slices of series that were not meant.
    pub not_meant: usize,
}

/// A series whose slices are columns of a joint matrix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JoinedSeries {
    /// Name of the folder that its own result would have: see [`SeriesEntry`](crate::SeriesEntry).
    pub folder: String,
    /// Its first slice in the joint plan, from 0.
    pub first: usize,
    /// How many slices it has there.
    pub slices: usize,
    /// Its plan, without slices and copies.
    pub plan: SeriesPlan,
}

/// A series that was meant and is no part of a joint matrix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnjoinedSeries {
    /// Salted id, as listings show it.
    pub id: String,
    /// Usable slices.
    pub slices: usize,
    /// Pixel rows.
    pub rows: usize,
    /// Pixel columns.
    pub columns: usize,
    /// Whether it cannot be used, and not only does not fit.
    pub failed: bool,
    /// Why, in one line.
    pub why: String,
}

/// One series of several, to be joined: the folder that its own result would have, and its plan.
pub(crate) type Part = (String, SeriesPlan);

impl SeriesPlan {
    /// The plan of several series, in the order of `parts`, which have one size, modality and unit.
    ///
    /// # Errors
    /// `NoneToJoin` where there are none.
    pub(crate) fn joined(
        parts: Vec<Part>,
        left_out: Vec<UnjoinedSeries>,
        not_meant: usize,
    ) -> Result<Self, Error> {
        let Some((_, first)) = parts.first() else { return Err(none_left(&left_out)) };
        let all = || parts.iter().map(|(_, plan)| plan);
        let shared = |same: &dyn Fn(&SeriesPlan) -> bool| all().all(same);
        let slices: usize = all().map(|plan| plan.slices.len()).sum();
        let mut made = SeriesPlan {
            id: String::new(),
            series_instance_uid: String::new(),
            frame_of_reference_uid: String::new(),
            pixel_spacing_mm: first
                .pixel_spacing_mm
                .filter(|_| shared(&|plan| plan.pixel_spacing_mm == first.pixel_spacing_mm)),
            // From one series to the next there is no step.
            slice_spacing_mm: None,
            tilt_degrees: 0.0,
            slices: Vec::with_capacity(slices),
            copies: Vec::new(),
            skipped: all().map(|plan| plan.skipped).sum(),
            skipped_mm: Vec::new(),
            warnings: merged(&parts, |plan| &plan.warnings),
            left_out: left_out_of_all(&parts),
            ..first.clone()
        };
        made.left_out.extend(of_others(parts.len(), &left_out, not_meant));
        let mut series = Vec::with_capacity(parts.len());
        for (folder, mut plan) in parts {
            let (own, copies) = (std::mem::take(&mut plan.slices), std::mem::take(&mut plan.copies));
            let (first, count) = (made.slices.len(), own.len());
            // Pictures show the middle slice, in the window of its series.
            if (first..first + count).contains(&(slices / 2)) {
                made.window = plan.window;
            }
            made.slices.extend(own);
            made.copies.extend(copies.into_iter().map(|mut copy| {
                copy.of += first;
                copy
            }));
            series.push(JoinedSeries { folder, first, slices: count, plan });
        }
        made.joint = Some(Box::new(JointPlan { series, left_out, not_meant }));
        Ok(made)
    }

    /// The plans of the series of a joint one, with their slices; of another plan itself.
    #[must_use]
    pub fn by_series(&self) -> Vec<SeriesPlan> {
        match &self.joint {
            None => vec![self.clone()],
            Some(joint) => joint.series.iter().map(|one| self.part(one)).collect(),
        }
    }

    fn part(&self, one: &JoinedSeries) -> SeriesPlan {
        let range = one.first..one.first + one.slices;
        let copies = self.copies.iter().filter(|copy| range.contains(&copy.of)).cloned();
        SeriesPlan {
            slices: self.slices.get(range.clone()).unwrap_or_default().to_vec(),
            copies: copies
                .map(|mut copy| {
                    copy.of -= one.first;
                    copy
                })
                .collect(),
            padding: self.padding,
            ..one.plan.clone()
        }
    }

    /// Changes each series of a joint plan by itself: `change` gets its plan, and those of `bad` that are its slices. `None` where the
    /// plan is of one series.
    pub(crate) fn change_each(
        &self,
        bad: &[(usize, String)],
        change: impl Fn(&SeriesPlan, &[(usize, String)]) -> Result<SeriesPlan, Error>,
    ) -> Option<Result<SeriesPlan, Error>> {
        let joint = self.joint.as_ref()?;
        let changed = |one: &JoinedSeries| -> Result<Part, Error> {
            let range = one.first..one.first + one.slices;
            let own = bad.iter().filter(|(slice, _)| range.contains(slice));
            let own: Vec<_> = own.map(|(slice, why)| (slice - one.first, why.clone())).collect();
            Ok((one.folder.clone(), change(&self.part(one), &own)?))
        };
        let parts = joint.series.iter().map(changed).collect::<Result<Vec<Part>, Error>>();
        let again = |parts| SeriesPlan::joined(parts, joint.left_out.clone(), joint.not_meant);
        Some(parts.and_then(again).map(|plan| SeriesPlan { padding: self.padding, ..plan }))
    }
}

/// The notes of all series: each once where all have it, else with the id of its series.
fn merged(parts: &[Part], of: impl Fn(&SeriesPlan) -> &Vec<Note>) -> Vec<Note> {
    let shared = |note: &Note| parts.len() > 1 && parts.iter().all(|(_, plan)| of(plan).contains(note));
    let mut notes: Vec<Note> = Vec::new();
    for (_, plan) in parts {
        // What other series there are is told once, of all.
        for note in of(plan).iter().filter(|note| note.kind != NoteKind::OtherSeries) {
            match shared(note) {
                true if notes.contains(note) => {}
                true => notes.push(note.clone()),
                false => {
                    notes.push(Note { kind: note.kind, text: format!("series {}: {}", plan.id, note.text) });
                }
            }
        }
    }
    notes
}

/// What is left out of all series. Slices of other series are not: they are in the matrix, or told of with their series.
fn left_out_of_all(parts: &[Part]) -> Vec<Note> {
    let mut notes = merged(parts, |plan| &plan.left_out);
    notes.retain(|note| !matches!(note.kind, NoteKind::Localizer | NoteKind::Derived));
    notes
}

/// What is told of the series that are no part of it.
fn of_others(used: usize, left_out: &[UnjoinedSeries], not_meant: usize) -> Vec<Note> {
    let note = |text: String| Note { kind: NoteKind::OtherSeries, text };
    let mut notes = Vec::new();
    if !left_out.is_empty() {
        let (count, all) = (left_out.len(), used + left_out.len());
        notes.push(note(format!("{count} of {all} series are left out of the joint matrix")));
    }
    notes.extend(left_out.iter().take(NAMED).map(|one| {
        let slices = counted(one.slices, "slice");
        note(format!("series {} ({slices} of {} x {} pixels): {}", one.id, one.rows, one.columns, one.why))
    }));
    if left_out.len() > NAMED {
        notes.push(note(format!("{} more series are left out: see series.parquet", left_out.len() - NAMED)));
    }
    if not_meant > 0 {
        notes.push(note(format!("{} of other series", counted(not_meant, "slice"))));
    }
    notes
}

fn none_left(left_out: &[UnjoinedSeries]) -> Error {
    let why = left_out.iter().map(|one| format!("series {}: {}", one.id, one.why));
    Error::NoneToJoin { series: left_out.len(), why: why.take(1).collect() }
}
