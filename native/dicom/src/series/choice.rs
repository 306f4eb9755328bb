//! `--series`: which series is meant.
//!
//! Nothing is chosen silently. Localizers are chosen by name only, derived images by name or where there are no
//! others; a series whose slices do not make one volume is an error that lists its parts; broken slices stand for
//! the series they belong to.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use super::group::{Group, SliceRole};
use super::{Inventory, agreement, notes};
use crate::error::Error;
use crate::label::salted_id;
use crate::problem::Problem;
use crate::unread::Unread;

/// So many slices are more than a stray one.
const SOME_SLICES: usize = 3;

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
    /// `largest`: the one with most slices, if it is one.
    Largest,
}

const JOIN: &str = ", or take volumes of one size and orientation as one matrix with --join";

/// The groups that `choice` means: at least one.
pub(super) fn choose<'g, 'a>(
    inventory: &Inventory,
    groups: &'g [Group<'a>],
    choice: &SeriesChoice,
) -> Result<Vec<&'g Group<'a>>, Error> {
    if let SeriesChoice::Uid(text) = choice {
        return by_name(inventory, groups, text).map(|group| vec![group]);
    }
    let of_role = |role| groups.iter().filter(|group| group.role == role).collect::<Vec<&Group>>();
    let mut candidates = of_role(SliceRole::Original);
    if candidates.is_empty() {
        candidates = of_role(SliceRole::Derived);
    }
    // Slices of no series are chosen by themselves where there is nothing else.
    if candidates.iter().any(|group| !group.series.is_empty()) {
        candidates.retain(|group| !group.series.is_empty());
    }
    match (choice, candidates.as_slice()) {
        (_, []) => Err(nothing(inventory, groups)),
        (SeriesChoice::All, _) => Ok(candidates),
        // Groups come by descending number of slices.
        (SeriesChoice::Largest, [one, two, ..]) if one.slices.len() == two.slices.len() => {
            Err(equally_large(inventory, &candidates))
        }
        (SeriesChoice::Largest, [largest, _, ..]) => Ok(vec![largest]),
        (_, [only]) if inventory.skip_bad_slices => Ok(vec![only]),
        // One series is in order and another is broken: which one is meant is not ours to guess.
        (_, [only]) => {
            inventory.first_error(lost_slices(inventory, groups, only)).map_or(Ok(vec![only]), Err)
        }
        (_, [first, ..]) if candidates.iter().all(|group| group.series == first.series) => {
            Err(mixed(inventory, &candidates))
        }
        (_, [first, ..]) => Err(Error::SeveralSeries {
            count: candidates.len(),
            listing: inventory.listing(|one| one.role == first.role),
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
    // Of a series of several volumes, each of them and all together have an id: with and without --join.
    let others = inventory.grouped(!inventory.join);
    let other = others.iter().find(|group| group.id == text);
    let parts: Vec<&Group> = groups
        .iter()
        .filter(|group| group.series_uids().any(named) || other.is_some_and(|other| group.overlaps(other)))
        .collect();
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

/// The error for `largest` where several are.
fn equally_large(inventory: &Inventory, candidates: &[&Group]) -> Error {
    let slices = candidates.first().map_or(0, |group| group.slices.len());
    let ids: Vec<&str> = candidates
        .iter()
        .take_while(|group| group.slices.len() == slices)
        .map(|group| group.id.as_str())
        .collect();
    let listing = inventory.listing(|one| ids.contains(&one.id.as_str()));
    Error::EquallyLarge { count: ids.len(), slices, listing }
}

/// Why an input has no series to choose by itself.
fn nothing(inventory: &Inventory, groups: &[Group]) -> Error {
    let counts = inventory.counts();
    let broken = inventory.broken().map(|(file, broken)| (file, &broken.problem));
    if let Some(error) = inventory.first_error(broken) {
        error
    } else if let Some(error) = unread_error(inventory).filter(|_| groups.is_empty()) {
        error
    } else if !groups.is_empty() {
        Error::OnlyLeftOut { listing: inventory.listing(|_| true) }
    } else if counts.files == 0 {
        Error::NoFiles
    } else if counts.not_dicom + counts.not_read == counts.files {
        Error::NoDicom { files: counts.files, packed: inventory.packed_kinds() }
    } else {
        Error::NoSlices { dicom: counts.files - counts.not_dicom, kinds: inventory.kinds() }
    }
}

/// The error for what is not read and may have been all that was meant.
fn unread_error(inventory: &Inventory) -> Option<Error> {
    let lost = |why: &Unread| {
        !matches!(why, Unread::Special | Unread::FolderLink | Unread::LostAndFound | Unread::Program)
    };
    let problems: Vec<(usize, Problem)> = inventory
        .unread()
        .filter(|(_, why)| lost(why))
        .map(|(file, why)| (file, Problem::Unread { why: why.clone() }))
        .collect();
    inventory.first_error(problems.iter().map(|(file, problem)| (*file, problem)))
}

/// Broken slices of series that were meant to be volumes and have no usable slice. A single one is a stray beside some slices.
fn lost_slices<'a>(
    inventory: &'a Inventory,
    groups: &'a [Group],
    only: &Group,
) -> impl Iterator<Item = (usize, &'a Problem)> {
    let listed: HashSet<&str> = groups.iter().flat_map(Group::series_uids).collect();
    let mut lost = BTreeMap::<&str, Vec<(usize, &Problem)>>::new();
    for (file, broken) in inventory.broken().filter(|(_, broken)| broken.volumetric) {
        let series = broken.series.as_deref().filter(|uid| !uid.is_empty() && !listed.contains(uid));
        if let Some(uid) = series {
            lost.entry(uid).or_default().push((file, &broken.problem));
        }
    }
    let few = only.slices.len() < SOME_SLICES;
    lost.into_values().filter(move |files| few || files.len() > 1).flatten()
}

/// The error for one Series Instance UID with several volumes: in what they differ, and how to choose one.
fn mixed(inventory: &Inventory, parts: &[&Group]) -> Error {
    let ids: Vec<&str> = parts.iter().map(|group| group.id.as_str()).collect();
    Error::Mixed {
        id: parts.first().map_or(String::new(), |part| salted_id("series", part.series)),
        differences: notes::differences(parts),
        agreement: agreement::of_parts(inventory, parts),
        join: if parts.iter().any(|part| !part.told.is_empty()) { JOIN } else { "" },
        listing: inventory.listing(|one| ids.contains(&one.id.as_str())),
    }
}
