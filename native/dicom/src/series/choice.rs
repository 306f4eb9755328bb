//! `--series`: which series is meant.
//!
//! Nothing is chosen silently. Localizers and derived images are chosen by name only; a series whose
//! slices do not make one volume is an error that lists its parts; broken slices stand for the series
//! they belong to.

use serde::{Deserialize, Serialize};

use super::group::{Group, SliceRole};
use super::{Inventory, notes};
use crate::error::Error;
use crate::label::salted_id;
use crate::problem::Problem;

/// What the `--series` option says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SeriesChoice {
    /// No option: the input must hold one series.
    #[default]
    Only,
    /// A Series Instance UID, or an id that listings and errors show.
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
    let mut originals: Vec<&Group> =
        groups.iter().filter(|group| group.role == SliceRole::Original).collect();
    // Slices of no series are chosen by themselves where there is nothing else.
    if originals.iter().any(|group| !group.series().is_empty()) {
        originals.retain(|group| !group.series().is_empty());
    }
    match (choice, originals.as_slice()) {
        (_, []) => Err(nothing(inventory, groups)),
        (SeriesChoice::All, _) => Ok(originals),
        // Groups come by descending number of slices.
        (SeriesChoice::Largest, [largest, ..]) => Ok(vec![largest]),
        (_, [only]) if inventory.skip_bad_slices => Ok(vec![only]),
        // One series is in order and another is broken: which one is meant is not ours to guess.
        (_, [only]) => inventory.first_error(lost_slices(inventory, groups)).map_or(Ok(vec![only]), Err),
        (_, [first, ..]) if originals.iter().all(|group| group.series() == first.series()) => {
            Err(mixed(inventory, &originals))
        }
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
    let named = |uid: &str| uid == text || salted_id("series", uid) == text;
    let parts: Vec<&Group> = groups.iter().filter(|group| named(group.series())).collect();
    let originals: Vec<&Group> =
        parts.iter().copied().filter(|group| group.role == SliceRole::Original).collect();
    match (originals.as_slice(), parts.as_slice()) {
        ([only], _) | ([], [only]) => Ok(only),
        ([], []) => {
            let lost = inventory.broken().filter(|(_, broken)| broken.series.as_deref().is_some_and(named));
            Err(match inventory.first_error(lost.map(|(file, broken)| (file, &broken.problem))) {
                Some(error) => error,
                None if groups.is_empty() => nothing(inventory, groups),
                None => Error::UnknownSeries { listing: inventory.listing(|_| true) },
            })
        }
        ([], _) => Err(mixed(inventory, &parts)),
        _ => Err(mixed(inventory, &originals)),
    }
}

/// Why an input has no series to choose by itself.
fn nothing(inventory: &Inventory, groups: &[Group]) -> Error {
    let counts = inventory.counts();
    let broken = inventory.broken().map(|(file, broken)| (file, &broken.problem));
    if let Some(error) = inventory.first_error(broken) {
        error
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

/// Broken slices of series that were meant to be volumes and have no usable slice.
fn lost_slices<'a>(
    inventory: &'a Inventory,
    groups: &'a [Group],
) -> impl Iterator<Item = (usize, &'a Problem)> {
    let lost = |uid: &str| groups.iter().all(|group| group.series() != uid);
    inventory
        .broken()
        .filter(move |(_, broken)| broken.volumetric && broken.series.as_deref().is_some_and(lost))
        .map(|(file, broken)| (file, &broken.problem))
}

/// The error for one Series Instance UID with several volumes: in what they differ, and how to choose one.
fn mixed(inventory: &Inventory, parts: &[&Group]) -> Error {
    let ids: Vec<&str> = parts.iter().map(|group| group.id.as_str()).collect();
    Error::Mixed {
        id: parts.first().map_or(String::new(), |part| salted_id("series", part.series())),
        differences: notes::differences(parts),
        listing: inventory.listing(|one| ids.contains(&one.id.as_str())),
    }
}
