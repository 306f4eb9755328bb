//! What a user should know about an input: what of it is not used, and what is odd about a series.
//! No sentence contains text of a header.

use super::group::{Group, SliceRole};
use super::plan::{Note, NoteKind};
use super::{Inventory, geometry};
use crate::error::Error;
use crate::header::{Rescale, SliceHeader};
use crate::problem::Problem;
use crate::syntax;

/// Smallest angle that is reported as tilt: positions are often rounded to a few digits.
const TILT_DEGREES: f64 = 0.1;

/// What keeps the group from being read, then what is odd about it, as sentences.
pub(super) fn problems(inventory: &Inventory, groups: &[Group], group: &Group) -> Vec<String> {
    let mut texts = sentences(inventory, problems_of_slices(inventory, group));
    if let Some((first, second)) = group.conflict {
        let (first, second) = (inventory.label(first), inventory.label(second));
        texts.push(Error::DuplicateInstance { first, second }.to_string());
    }
    let parts: Vec<&Group> = groups.iter().filter(|other| other.series() == group.series()).collect();
    let parts: Vec<&Group> = parts.into_iter().filter(|other| other.role == group.role).collect();
    if parts.len() > 1 {
        texts.push(format!(
            "one of {} parts of a series whose slices have different {}",
            parts.len(),
            differences(&parts)
        ));
    }
    texts.extend(duplicates(inventory, group).into_iter().chain(warnings(group)).map(|note| note.text));
    texts
}

/// Slices that keep the group from being read, in file order: broken ones of its series or of a series that
/// cannot be told, and those of the group that no decoder reads.
pub(super) fn problems_of_slices(inventory: &Inventory, group: &Group) -> Vec<(usize, Problem)> {
    let ours = |series: &Option<String>| series.as_deref().is_none_or(|uid| uid == group.series());
    let broken = inventory.broken().filter(|(_, broken)| ours(&broken.series));
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
    let mut distinct: Vec<(Problem, usize, usize)> = Vec::new();
    for (file, problem) in problems {
        match distinct.iter_mut().find(|(known, ..)| *known == problem) {
            Some((_, _, count)) => *count += 1,
            None => distinct.push((problem, file, 1)),
        }
    }
    let sentence = |(problem, file, count): (Problem, usize, usize)| match count {
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
        other.filter(|other| !other.series().is_empty()).map(|other| other.slices.len()).sum()
    };
    let unnamed = groups.iter().filter(|other| other.id != group.id && other.series().is_empty());
    let unnamed = unnamed.map(|other| other.slices.len()).sum();
    note(NoteKind::OtherSeries, unnamed, "slice", " without Series Instance UID, which belong to no series");
    note(NoteKind::Localizer, others(SliceRole::Localizer), "localizer image", "");
    note(NoteKind::Derived, others(SliceRole::Derived), "derived image", "");
    note(NoteKind::OtherSeries, others(SliceRole::Original), "slice", " of other series or volumes");
    let foreign = |series: &Option<String>| series.as_deref().is_some_and(|uid| uid != group.series());
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
    differ.map(|(name, _)| *name).collect::<Vec<_>>().join(" and ")
}

/// What is odd about the group.
pub(super) fn warnings(group: &Group) -> Vec<Note> {
    let mut notes = geometry_warnings(group);
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
    type Part = fn(&SliceHeader) -> String;
    let uneven: [(&str, Part); 5] = [
        ("units (Rescale Type)", rescale_unit),
        ("kernels (Convolution Kernel)", |header| header.kernel.clone().unwrap_or_default()),
        ("tube voltages (KVP)", |header| format!("{:?}", header.kvp)),
        ("pixel formats", |header| format!("{:?}", header.pixels)),
        ("times (Temporal Position Index)", |header| format!("{:?}", header.temporal_position)),
    ];
    for (what, part) in uneven {
        let mut parts = group.slices.iter().map(|member| part(member.header));
        let first = parts.next();
        if parts.any(|part| Some(part) != first) {
            notes.push(Note { kind: NoteKind::Uneven, text: format!("the slices have different {what}") });
        }
    }
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
