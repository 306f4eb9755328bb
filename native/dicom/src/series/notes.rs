//! What a user should know about an input: what of it is not used, and what is odd about a series.
//! No sentence contains text of a header.

use std::collections::{HashMap, HashSet};

use super::aspects::{ASPECTS, Rule};
use super::group::{Group, SliceRole};
use super::plan::{Note, NoteKind};
use super::{Broken, Inventory, geometry};
use crate::error::Error;
use crate::header::{Rescale, SliceHeader};
use crate::problem::Problem;
use crate::syntax;

/// Smallest angle that is reported as tilt: positions are often rounded to a few digits.
const TILT_DEGREES: f64 = 0.1;

/// All of an input, indexed by series, so that a listing takes time in proportion to its length.
pub(super) struct Listed<'a> {
    /// How many parts a series has, and in what they differ.
    parts: HashMap<(&'a str, SliceRole), (usize, String)>,
    /// Broken slices of each series, and of none that can be told.
    broken: HashMap<Option<&'a str>, Vec<(usize, &'a Broken)>>,
}

impl<'a> Listed<'a> {
    pub fn new(inventory: &'a Inventory, groups: &[Group<'a>]) -> Self {
        let mut series: HashMap<(&str, SliceRole), Vec<&Group>> = HashMap::new();
        for group in groups {
            series.entry((group.series, group.role)).or_default().push(group);
        }
        let several = series.into_iter().filter(|(_, parts)| parts.len() > 1);
        let parts = several.map(|(series, parts)| (series, (parts.len(), differences(&parts)))).collect();
        let mut broken: HashMap<_, Vec<_>> = HashMap::new();
        for (file, one) in inventory.broken() {
            broken.entry(one.series.as_deref()).or_default().push((file, one));
        }
        Self { parts, broken }
    }

    /// Broken slices that are the group's, or may be.
    fn broken(&self, group: &Group<'a>) -> impl Iterator<Item = (usize, &'a Broken)> {
        let lists = group.series_uids().map(Some).chain([None]).filter_map(|uid| self.broken.get(&uid));
        lists.flatten().copied()
    }
}

/// What keeps the group from being read, then what is odd about it, as sentences.
pub(super) fn problems<'a>(inventory: &Inventory, all: &Listed<'a>, group: &Group<'a>) -> Vec<String> {
    let mut texts = sentences(inventory, problems_of_slices(all.broken(group), group));
    if let Some((first, second)) = group.conflict {
        let (first, second) = (inventory.label(first), inventory.label(second));
        texts.push(Error::DuplicateInstance { first, second }.to_string());
    }
    if let Some((count, differences)) = all.parts.get(&(group.series, group.role)) {
        let this = group.labels().join(", ");
        let this = if this.is_empty() { this } else { format!("; this is {this}") };
        texts.push(format!(
            "one of {count} parts of a series whose slices have different {differences}{this}"
        ));
    }
    texts.extend(duplicates(inventory, group).into_iter().chain(warnings(group)).map(|note| note.text));
    texts
}

/// Slices that keep the group from being read, in file order: those among `broken` of its series or of a series that
/// cannot be told, and those of the group that no decoder reads.
pub(super) fn problems_of_slices<'a>(
    broken: impl Iterator<Item = (usize, &'a Broken)>,
    group: &Group,
) -> Vec<(usize, Problem)> {
    let series: HashSet<&str> = group.series_uids().collect();
    let ours = |of: &Option<String>| of.as_deref().is_none_or(|uid| series.contains(uid));
    let broken = broken.filter(|(_, broken)| ours(&broken.series));
    let unread = group.slices.iter().filter_map(|member| {
        let uid = &member.header.transfer_syntax;
        (!syntax::pixels_are_read(uid)).then(|| (member.file, Problem::Syntax { uid: uid.clone() }))
    });
    let mut problems: Vec<_> =
        broken.map(|(file, broken)| (file, broken.problem.clone())).chain(unread).collect();
    problems.sort_by_key(|(file, _)| *file);
    problems
}

/// One sentence per problem, with the first file and the number of others that have it.
pub(super) fn sentences(
    inventory: &Inventory,
    problems: impl IntoIterator<Item = (usize, Problem)>,
) -> Vec<String> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut distinct: Vec<(String, usize, usize)> = Vec::new();
    for (file, problem) in problems {
        let text = problem.to_string();
        let place = *places.entry(text.clone()).or_insert(distinct.len());
        match distinct.get_mut(place) {
            Some((_, _, count)) => *count += 1,
            None => distinct.push((text, file, 1)),
        }
    }
    let sentence = |(problem, file, count): (String, usize, usize)| match count {
        1 => format!("{}: {problem}", inventory.label(file)),
        _ => format!("{} and {}: {problem}", inventory.label(file), counted(count - 1, "more file")),
    };
    distinct.into_iter().map(sentence).collect()
}

/// What of the input is not in the group, and why.
pub(super) fn left_out(inventory: &Inventory, groups: &[Group], group: &Group) -> Vec<Note> {
    let mut notes = Vec::new();
    let mut note = |kind, count: usize, noun: &str, rest: &str| {
        if count > 0 {
            notes.push(Note { kind, text: format!("{}{rest}", counted(count, noun)) });
        }
    };
    let counts = inventory.counts();
    note(NoteKind::NotImages, counts.not_dicom, "file", " in other formats than DICOM");
    let kinds = format!(" without slices ({})", inventory.kinds());
    note(NoteKind::NotImages, counts.not_images, "DICOM file", &kinds);
    let others = |role| {
        let other = groups.iter().filter(|other| other.id != group.id && other.role == role);
        other.filter(|other| !other.series.is_empty()).map(|other| other.slices.len()).sum()
    };
    let unnamed = groups.iter().filter(|other| other.id != group.id && other.series.is_empty());
    let unnamed = unnamed.map(|other| other.slices.len()).sum();
    note(NoteKind::OtherSeries, unnamed, "slice", " without Series Instance UID, which belong to no series");
    note(NoteKind::Localizer, others(SliceRole::Localizer), "localizer image", "");
    note(NoteKind::Derived, others(SliceRole::Derived), "derived image", "");
    note(NoteKind::OtherSeries, others(SliceRole::Original), "slice", " of other series or volumes");
    let own: HashSet<&str> = group.series_uids().collect();
    let foreign = |series: &Option<String>| series.as_deref().is_some_and(|uid| !own.contains(uid));
    let broken = inventory.broken().filter(|(_, broken)| foreign(&broken.series)).count();
    note(NoteKind::OtherSeries, broken, "unusable file", " of other series");
    notes.extend(duplicates(inventory, group));
    notes
}

/// Copies that are not used.
fn duplicates(inventory: &Inventory, group: &Group) -> Option<Note> {
    let &(used, copy) = group.duplicates.first()?;
    let text = format!(
        "{} that repeats a slice (same SOP Instance UID and header; pixels are not compared): {} is {}",
        counted(group.duplicates.len(), "file"),
        inventory.label(copy),
        inventory.label(used)
    );
    Some(Note { kind: NoteKind::Duplicate, text })
}

/// In what the parts of one series differ: `sizes and orientations`.
pub(super) fn differences(parts: &[&Group]) -> String {
    let told: Vec<&str> = parts.iter().flat_map(|part| &part.told).map(|told| told.aspect).collect();
    let told = (0..told.len()).filter(|&i| !told[..i].contains(&told[i])).map(|i| told[i]);
    type Differ = fn(&SliceHeader, &SliceHeader) -> bool;
    let aspects: [(&str, Differ); 4] = [
        ("sizes", |a, b| (a.rows, a.columns) != (b.rows, b.columns)),
        ("orientations", |a, b| a.orientation.iter().zip(&b.orientation).any(|(a, b)| (a - b).abs() > 1e-3)),
        ("pixel spacings", |a, b| match (a.pixel_spacing_mm, b.pixel_spacing_mm) {
            (Some([a, _]), Some([b, _])) => (a - b).abs() > 1e-6,
            _ => false,
        }),
        ("frames of reference", |a, b| a.frame_of_reference_uid != b.frame_of_reference_uid),
    ];
    let firsts: Vec<&SliceHeader> = parts.iter().map(|group| group.first).collect();
    let differ = aspects.iter().filter(|(_, differ)| firsts.windows(2).any(|pair| differ(pair[0], pair[1])));
    differ.map(|(name, _)| *name).chain(told).collect::<Vec<_>>().join(" and ")
}

/// That volumes were taken as one on purpose, and in what they differ.
pub(super) fn joined(inventory: &Inventory, group: &Group) -> Option<Note> {
    let parts = if inventory.join { group.clone().volumes() } else { Vec::new() };
    if parts.len() < 2 {
        return None;
    }
    let differences = differences(&parts.iter().collect::<Vec<_>>());
    let text =
        format!("{} joined (--join): they have different {differences}", counted(parts.len(), "volume"));
    Some(Note { kind: NoteKind::Joined, text })
}

/// What the group is that a series of slices usually is not.
fn identity_warnings(group: &Group) -> Vec<Note> {
    let mut notes = Vec::new();
    if group.role == SliceRole::Derived {
        let text =
            "the slices are derived images (Image Type): computed from others, not as they were scanned";
        notes.push(Note { kind: NoteKind::Derived, text: text.to_owned() });
    }
    if group.scattered {
        let text = format!(
            "all {} have a Series Instance UID of their own: taken as one series, since they are of one study, \
             Series Number, size and orientation, each at a position of its own",
            counted(group.slices.len(), "slice")
        );
        notes.push(Note { kind: NoteKind::SeriesUids, text });
    }
    notes
}

/// What is odd about the group.
pub(super) fn warnings(group: &Group) -> Vec<Note> {
    let mut notes = identity_warnings(group);
    notes.extend(geometry_warnings(group));
    let mut count = |kind, is: fn(&SliceHeader) -> bool, rest: &str| {
        let count = group.slices.iter().filter(|member| is(member.header)).count();
        if count > 0 {
            notes.push(Note { kind, text: format!("{} {rest}", share(count, group.slices.len())) });
        }
    };
    count(
        NoteKind::NoRescale,
        |header| header.modality == "CT" && header.rescale == Rescale::default(),
        "without Rescale Slope and Intercept: stored values are taken as they are",
    );
    count(
        NoteKind::NoRescale,
        |header| matches!(header.rescale, Rescale { slope: None, intercept: Some(_) }),
        "with a Rescale Intercept and no Rescale Slope: a slope of 1 is taken",
    );
    count(
        NoteKind::NoRescale,
        |header| matches!(header.rescale, Rescale { slope: Some(_), intercept: None }),
        "with a Rescale Slope and no Rescale Intercept: an intercept of 0 is taken",
    );
    count(
        NoteKind::Identity,
        |header| header.series_instance_uid.is_empty(),
        "without Series Instance UID: taken as one series",
    );
    count(
        NoteKind::PixelSpacing,
        |header| header.pixel_spacing_mm.is_none(),
        "without a usable Pixel Spacing (two distances in mm, such as 0.5\\0.5): the matrix does not need it",
    );
    count(
        NoteKind::SpareBytes,
        |header| header.spare_bytes > 1,
        "with more pixel data than the size needs: the rest is not used",
    );
    count(NoteKind::Lossy, |header| header.lossy, "compressed with loss");
    count(
        NoteKind::Padding,
        |header| header.padding.is_some(),
        "with a Pixel Padding Value: such pixels are in the matrix as they are stored",
    );
    let mut uneven = |what: &str, differ: bool| {
        if differ {
            notes.push(Note { kind: NoteKind::Uneven, text: format!("the slices have different {what}") });
        }
    };
    // What makes volumes of their own, and did not here: one follows the other, or they were joined.
    for aspect in ASPECTS.iter().filter(|aspect| matches!(aspect.rule, Rule::Always | Rule::Interleaved)) {
        let mut values = group.slices.iter().map(|member| (aspect.value)(member.header));
        let first = values.next();
        uneven(aspect.name, values.any(|value| Some(value) != first));
    }
    let format = &group.first.pixels;
    uneven("pixel formats", group.slices.iter().any(|member| member.header.pixels != *format));
    notes
}

/// Unit of the rescaled values.
pub(super) fn rescale_unit(header: &SliceHeader) -> String {
    match &header.rescale_type {
        Some(unit) => unit.clone(),
        None if header.modality == "CT" => "HU".to_owned(),
        None => "unspecified".to_owned(),
    }
}

/// Repeated positions, gaps and tilt.
fn geometry_warnings(group: &Group) -> Vec<Note> {
    let mut notes = spacing(&group.positions_mm());
    let tilt = group.tilt_degrees();
    if tilt > TILT_DEGREES {
        let text = format!(
            "the slices are tilted by {tilt:.1} degrees against the line of their positions (gantry tilt)"
        );
        notes.push(Note { kind: NoteKind::Tilt, text });
    }
    notes
}

/// Repeated positions and gaps.
pub(super) fn spacing(positions: &[f64]) -> Vec<Note> {
    let mut notes = Vec::new();
    let same = positions.windows(2).filter(|pair| geometry::grid(pair[0]) == geometry::grid(pair[1])).count();
    if same > 0 {
        let text = format!("{} at the position of the slice before", counted(same, "slice"));
        notes.push(Note { kind: NoteKind::SamePosition, text });
    }
    let spacing = geometry::spacing(positions).unwrap_or(0.0);
    let gaps = geometry::gaps(positions, spacing);
    if let Some(&(slice, step)) = gaps.iter().max_by(|a, b| a.1.total_cmp(&b.1)) {
        let text = format!(
            "slices are unevenly spaced: {} of {} differ from {} mm by more than 1 %, the longest being {} mm \
             between slices {} and {}",
            gaps.len(),
            counted(positions.len() - 1, "step"),
            decimals(spacing),
            decimals(step),
            slice + 1,
            slice + 2
        );
        notes.push(Note { kind: NoteKind::Gap, text });
    }
    notes
}

/// `all 12 slices`, `1 of 12 slices`.
pub(super) fn share(count: usize, slices: usize) -> String {
    match slices {
        1 => "the only slice".to_owned(),
        _ if count == slices => format!("all {slices} slices"),
        _ => format!("{count} of {slices} slices"),
    }
}

/// `1 slice`, `5 slices`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A number with at most three decimals.
pub fn decimals(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
