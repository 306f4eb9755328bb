//! `--series`: which series is meant.
//!
//! Nothing is chosen silently. Localizers and derived images are chosen by name only; a series whose
//! slices do not make one volume is an error that lists its parts; broken slices stand for the series
//! they belong to.

use serde::{Deserialize, Serialize};

use super::group::{Group, SliceRole};
use super::{Inventory, geometry};
use crate::error::Error;
use crate::label::salted_id;

/// What the `--series` option says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SeriesChoice {
    /// No option: the input must hold one series.
    #[default]
    Only,
    /// A Series Instance UID, or the id that listings show.
    Uid(String),
    /// `all`.
    All,
    /// `largest`: the one with most slices.
    Largest,
}

/// The groups that `choice` means: at least one.
pub(super) fn choose<'g, 'a>(
    inventory: &Inventory,
    groups: &'g [Group<'a>],
    choice: &SeriesChoice,
) -> Result<Vec<&'g Group<'a>>, Error> {
    if let SeriesChoice::Uid(text) = choice {
        return by_name(inventory, groups, text).map(|group| vec![group]);
    }
    let originals: Vec<&Group> = groups.iter().filter(|group| group.role == SliceRole::Original).collect();
    if originals.is_empty() {
        return Err(nothing(inventory, groups));
    }
    match (choice, originals.as_slice()) {
        (SeriesChoice::All, _) => Ok(originals),
        // Groups come by descending number of slices.
        (SeriesChoice::Largest, [largest, ..]) => Ok(vec![largest]),
        (_, [only]) => match lost_series(inventory, groups).next() {
            None => Ok(vec![only]),
            // One series is in order and another is broken: which one is meant is not ours to guess.
            Some((file, problem)) => Err(inventory.slice_error(file, problem)),
        },
        _ if is_one_series(&originals) => Err(mixed(inventory, &originals)),
        _ => Err(Error::SeveralSeries {
            count: originals.len(),
            listing: inventory.listing(|one| one.role == SliceRole::Original),
        }),
    }
}

fn by_name<'g, 'a>(
    inventory: &Inventory,
    groups: &'g [Group<'a>],
    text: &str,
) -> Result<&'g Group<'a>, Error> {
    if let Some(group) = groups.iter().find(|group| group.id == text) {
        return Ok(group);
    }
    let named = |group: &&Group| group.first().is_some_and(|first| first.series_instance_uid == text);
    let parts: Vec<&Group> = groups.iter().filter(named).collect();
    let originals: Vec<&Group> =
        parts.iter().copied().filter(|group| group.role == SliceRole::Original).collect();
    match (originals.as_slice(), parts.as_slice()) {
        ([only], _) | ([], [only]) => Ok(only),
        ([], []) => match inventory.all_broken().find(|(_, uid, _)| *uid == Some(text)) {
            Some((file, _, problem)) => Err(inventory.slice_error(file, problem.clone())),
            None if groups.is_empty() => Err(nothing(inventory, groups)),
            None => Err(Error::UnknownSeries { listing: inventory.listing(|_| true) }),
        },
        ([], _) => Err(mixed(inventory, &parts)),
        _ => Err(mixed(inventory, &originals)),
    }
}

/// Why an input has no series to choose by itself.
fn nothing(inventory: &Inventory, groups: &[Group]) -> Error {
    let counts = inventory.counts();
    if let Some((file, _, problem)) = inventory.all_broken().next() {
        inventory.slice_error(file, problem.clone())
    } else if !groups.is_empty() {
        Error::OnlyLeftOut { listing: inventory.listing(|_| true) }
    } else if counts.files == 0 {
        Error::NoFiles
    } else if counts.not_dicom == counts.files {
        Error::NoDicom { files: counts.files }
    } else {
        Error::NoSlices { dicom: counts.files - counts.not_dicom, kinds: inventory.kinds() }
    }
}

/// The first broken slice of each series that has no usable slice.
fn lost_series<'a>(
    inventory: &'a Inventory,
    groups: &'a [Group<'a>],
) -> impl Iterator<Item = (usize, crate::Problem)> + 'a {
    inventory.all_broken().filter_map(move |(file, uid, problem)| {
        let uid = uid?;
        let known =
            groups.iter().any(|group| group.first().is_some_and(|one| one.series_instance_uid == uid));
        (!known).then(|| (file, problem.clone()))
    })
}

fn is_one_series(groups: &[&Group]) -> bool {
    let uid = |group: &&Group| group.first().map(|first| first.series_instance_uid.clone());
    groups.windows(2).all(|pair| uid(&pair[0]) == uid(&pair[1]))
}

/// The error for one Series Instance UID with several volumes: in what they differ, and how to choose one.
fn mixed(inventory: &Inventory, parts: &[&Group]) -> Error {
    let firsts: Vec<_> = parts.iter().filter_map(|group| group.first()).collect();
    let differ = |differs: &dyn Fn(usize, usize) -> bool| (1..firsts.len()).any(|i| differs(0, i));
    let mut differences = Vec::new();
    if differ(&|i, j| (firsts[i].rows, firsts[i].columns) != (firsts[j].rows, firsts[j].columns)) {
        differences.push("sizes");
    }
    if differ(&|i, j| {
        let normals = [i, j].map(|k| geometry::normal(&firsts[k].orientation));
        geometry::dot(normals[0], normals[1]) < 1.0 - 1e-6
    }) {
        differences.push("orientations");
    }
    if differ(&|i, j| (firsts[i].pixel_spacing_mm[0] - firsts[j].pixel_spacing_mm[0]).abs() > 1e-6) {
        differences.push("pixel spacings");
    }
    if differences.is_empty() {
        differences.push("orientations or frames of reference");
    }
    let ids: Vec<&str> = parts.iter().map(|group| group.id.as_str()).collect();
    Error::Mixed {
        id: firsts.first().map_or(String::new(), |first| salted_id("series", &first.series_instance_uid)),
        differences: differences.join(" and "),
        listing: inventory.listing(|one| ids.contains(&one.id.as_str())),
    }
}
