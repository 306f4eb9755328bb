//! `--series all`: every series by itself. One that cannot be used is told of, and keeps no other from being planned.

use std::collections::{BTreeMap, HashSet};

use super::group::{Group, SliceRole};
use super::whole::Whole;
use super::{Inventory, build};
use crate::error::Error;
use crate::label::salted_id;
use crate::phrases::counted;
use crate::plan::SeriesPlan;
use crate::problem::Problem;

/// Hexadecimal digits in the name of a series' folder: as many as no two series of any archive share by chance.
const FOLDER_DIGITS: usize = 32;

/// A series of an input in which all are meant.
#[derive(Debug)]
pub struct SeriesEntry {
    /// Salted id, as listings show it.
    pub id: String,
    /// Name of the folder for its result: from a salted hash of what its slices share, so that it stays when other series come or
    /// files move. Empty where there are no usable slices.
    pub folder: String,
    /// Usable slices.
    pub slices: usize,
    /// Pixel rows.
    pub rows: usize,
    /// Pixel columns.
    pub columns: usize,
    /// Its plan, or what keeps it from being used; `None` for one that is left out by its kind.
    pub plan: Option<Result<SeriesPlan, Error>>,
    /// Why it is left out; empty where it is not.
    pub why_left_out: &'static str,
}

impl Inventory {
    /// Visits every series, the largest first: originals, and derived images of a study that has no originals, with their plans; localizers
    /// and other derived images without; then the series of which no slice can be used. One plan is there at a time.
    ///
    /// # Errors
    /// Those of `visit`.
    pub fn visit_series<E>(&self, mut visit: impl FnMut(SeriesEntry) -> Result<(), E>) -> Result<(), E> {
        let groups = self.groups();
        let all = Whole::of_archive(self, &groups);
        let left_out = LeftOut::by_study(&groups);
        let mut order: Vec<&Group<'_>> = groups.iter().collect();
        // Stable: by descending number of slices, then by id, where they are of one size.
        order.sort_by_key(|group| std::cmp::Reverse(pixels(group)));
        for group in order {
            let why_left_out = left_out.why(group);
            visit(SeriesEntry {
                id: group.id.clone(),
                folder: folder(group),
                slices: group.slices.len(),
                rows: group.first.rows,
                columns: group.first.columns,
                plan: why_left_out.is_empty().then(|| build::plan(self, &all, group)),
                why_left_out,
            })?;
        }
        self.lost_series(&groups).into_iter().try_for_each(visit)
    }

    /// Series that have no usable slice, by the UIDs in the headers of their broken ones.
    pub(super) fn lost_series(&self, groups: &[Group<'_>]) -> Vec<SeriesEntry> {
        let listed: HashSet<&str> = groups.iter().flat_map(Group::series_uids).collect();
        let mut lost = BTreeMap::<&str, Vec<(usize, &Problem)>>::new();
        for (file, broken) in self.broken() {
            let series = broken.series.as_deref().filter(|uid| !uid.is_empty() && !listed.contains(uid));
            if let Some(uid) = series {
                lost.entry(uid).or_default().push((file, &broken.problem));
            }
        }
        let entry = |(uid, files): (&str, Vec<(usize, &Problem)>)| SeriesEntry {
            id: salted_id("series", uid),
            folder: String::new(),
            slices: 0,
            rows: 0,
            columns: 0,
            plan: self.first_error(files.into_iter()).map(Err),
            why_left_out: "",
        };
        lost.into_iter().map(entry).collect()
    }

    /// What the input has that is of none of the series: one phrase for each kind, `3 files in other formats than DICOM`.
    #[must_use]
    pub fn of_no_series(&self) -> Vec<String> {
        let counts = self.counts();
        let unknown = self.broken().filter(|(_, broken)| broken.series.as_deref().is_none_or(str::is_empty));
        let kinds = [
            (counts.not_dicom, "file", " in other formats than DICOM".to_owned()),
            (counts.not_images, "DICOM file", format!(" without slices ({})", self.kinds())),
            (counts.not_read, "file", format!(" not read ({})", self.unread_kinds())),
            (unknown.count(), "file", " that cannot be used and name no series".to_owned()),
        ];
        let there = kinds.into_iter().filter(|(count, ..)| *count > 0);
        there.map(|(count, noun, rest)| format!("{}{rest}", counted(count, noun))).collect()
    }
}

/// Which series are left out by their kind where all are meant.
pub(super) struct LeftOut<'a> {
    derived_too: bool,
    /// Studies with originals, where each is looked at by itself.
    scanned: Option<HashSet<&'a str>>,
}

impl<'a> LeftOut<'a> {
    /// Of an input with these groups.
    pub fn of(groups: &[Group<'a>]) -> Self {
        let derived_too = !groups.iter().any(|group| group.role == SliceRole::Original);
        Self { derived_too, scanned: None }
    }

    /// Of an archive of many patients: what others have says nothing of a study.
    pub fn by_study(groups: &[Group<'a>]) -> Self {
        let originals = groups.iter().filter(|group| group.role == SliceRole::Original);
        Self { derived_too: false, scanned: Some(originals.map(study).collect()) }
    }

    /// Why a group is; empty where it is not.
    pub fn why(&self, group: &Group<'_>) -> &'static str {
        match group.role {
            SliceRole::Original => "",
            SliceRole::Derived if self.derived_too => "",
            SliceRole::Derived => match &self.scanned {
                Some(scanned) if scanned.contains(study(group)) => {
                    "derived images, beside originals of their study"
                }
                Some(_) => "",
                None => "derived images, beside originals",
            },
            SliceRole::Localizer => "a localizer",
        }
    }
}

/// Name of the folder for the result of a group.
pub(super) fn folder(group: &Group<'_>) -> String {
    format!("series-{}", group.hash.get(..FOLDER_DIGITS).unwrap_or(&group.hash))
}

fn study<'a>(group: &Group<'a>) -> &'a str {
    &group.first.study_instance_uid
}

fn pixels(group: &Group<'_>) -> usize {
    group.first.rows.saturating_mul(group.first.columns).saturating_mul(group.slices.len())
}
