//! What a user should know about an input: what is not used, and what is odd about a series.
//! No sentence contains text of a header.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::aspects::{ASPECTS, Aspect, Rule};
use super::group::{COMMON, Differ, Group, Member, SliceRole};
use super::strays::{Beside, Claim};
use super::whole::Whole;
use super::{Inventory, absent, agreement, geometry, parts};
use crate::error::Error;
use crate::header::{Rescale, SliceHeader};
use crate::label::FileLabel;
use crate::phrases::{counted, decimals, share};
use crate::plan::{Note, NoteKind};
use crate::problem::Problem;
use crate::syntax;

/// Smallest angle that is reported as tilt: positions are often rounded to a few digits.
const TILT_DEGREES: f64 = 0.1;

/// All of an input, indexed by series, so that a listing takes time in proportion to its length.
pub(super) struct Listed<'a> {
    /// How many parts a series has, and in what they differ.
    parts: HashMap<(&'a str, SliceRole), (usize, String)>,
    beside: Beside<'a>,
}

impl<'a> Listed<'a> {
    pub fn new(inventory: &'a Inventory, groups: &[Group<'a>]) -> Self {
        let mut series: HashMap<(&str, SliceRole), Vec<&Group>> = HashMap::new();
        for group in groups {
            series.entry((group.series, group.role)).or_default().push(group);
        }
        let several = series.into_iter().filter(|(_, parts)| parts.len() > 1);
        let parts = several.map(|(series, parts)| {
            let differences = differences(&parts) + &agreement::of_parts(inventory, &parts);
            (series, (parts.len(), differences))
        });
        let parts = parts.collect();
        Self { parts, beside: Beside::new(inventory, groups) }
    }
}

/// What keeps the group from being read, then what is odd about it, as sentences.
pub(super) fn problems<'a>(inventory: &Inventory, all: &Listed<'a>, group: &Group<'a>) -> Vec<String> {
    let parts = inventory.incomplete_concatenation(group);
    let slices = problems_of_slices(inventory, &all.beside, group);
    let mut texts = sentences(inventory, parts.into_iter().chain(slices));
    if let Some((first, second)) = group.conflict {
        let (first, second) = (inventory.label(first), inventory.label(second));
        texts.push(Error::DuplicateInstance { first, second }.to_string());
    }
    if let Some((_, error)) = disputed(inventory, group).first() {
        texts.push(error.to_string());
    }
    texts.extend(repeated_beside(inventory, group).map(|error| error.to_string()));
    if let Some((count, differences)) = all.parts.get(&(group.series, group.role)) {
        let this = group.labels().join(", ");
        let this = if this.is_empty() { this } else { format!("; this is {this}") };
        texts.push(format!(
            "one of {count} parts of a series whose slices have different {differences}{this}"
        ));
    }
    texts.extend(duplicates_of(inventory, group).into_iter().chain(warnings(group)).map(|note| note.text));
    // How many there are, and what becomes of them, is known when pixels are decoded.
    let padded = group.slices.iter().filter(|member| member.header.padding.is_some()).count();
    if padded > 0 {
        texts.push(format!(
            "{} with a Pixel Padding Value (see --padding)",
            share(padded, group.slices.len())
        ));
    }
    texts
}

/// Slices of which others at their places have other pixels, and the error for each.
pub(super) fn disputed<'g, 'a>(inventory: &Inventory, group: &'g Group<'a>) -> Vec<(&'g Member<'a>, Error)> {
    let positions = geometry::places(&group.positions_mm()).into_iter().max().map_or(0, |last| last + 1);
    let slices: HashSet<_> = group.disputed.iter().map(|(used, _)| (used.file, used.header.frame)).collect();
    let error = |(used, copy): &'g (Member<'a>, Member<'a>)| {
        let (first, second) = (used.file.min(copy.file), used.file.max(copy.file));
        let [first, second] = [first, second].map(|file| inventory.label(file));
        (used, Error::DuplicateSlice { first, second, at: slices.len(), positions, join: true })
    };
    group.disputed.iter().map(error).collect()
}

/// That at least half the places of a volume hold slices beside each other: two scans, which a missing slice keeps from being told apart by
/// their turns.
pub(super) fn repeated_beside(inventory: &Inventory, group: &Group) -> Option<Error> {
    if inventory.join {
        return None;
    }
    let positions = group.positions_mm();
    let (near, exact) = (parts::near_places(&group.slices, &positions), geometry::places(&positions));
    // The slices of each place, one of each position.
    let mut held = BTreeMap::<usize, BTreeMap<usize, usize>>::new();
    for slice in 0..positions.len() {
        held.entry(near[slice]).or_default().entry(exact[slice]).or_insert(slice);
    }
    let twice: Vec<Vec<usize>> =
        held.values().filter(|here| here.len() > 1).map(|here| here.values().copied().collect()).collect();
    let [a, b, ..] = *twice.first()?.as_slice() else { return None };
    let (first, second) = (group.slices[a].file, group.slices[b].file);
    (held.len() >= parts::FEWEST && 2 * twice.len() >= held.len()).then(|| Error::RepeatedBeside {
        first: inventory.label(first.min(second)),
        second: inventory.label(first.max(second)),
        mm: decimals((positions[b] - positions[a]).abs()).into(),
        at: twice.len(),
        positions: held.len(),
        join: true,
    })
}

/// Slices that keep the group from being read, in file order: those [beside it](Beside) that are of its series or may be, and those of
/// the group that no decoder reads.
pub(super) fn problems_of_slices<'a>(
    inventory: &Inventory,
    beside: &Beside<'a>,
    group: &Group<'a>,
) -> Vec<(usize, Problem)> {
    let undecoded = group.slices.iter().filter_map(|member| {
        let uid = &member.header.transfer_syntax;
        (!syntax::pixels_are_read(uid)).then(|| (member.file, Problem::Syntax { uid: uid.clone() }))
    });
    let unread = beside.of_group(group, inventory.unread_slices(group).collect());
    let unread = unread.into_iter().map(|(file, why)| (file, Problem::Unread { why: why.clone() }));
    let mut problems: Vec<_> = beside.problems(group).into_iter().chain(undecoded).chain(unread).collect();
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

/// What is not in the group, and why.
pub(super) fn left_out<'a>(inventory: &'a Inventory, all: &Whole<'_, 'a>, group: &Group<'a>) -> Vec<Note> {
    let mut notes = all.other_files.clone();
    let mut note = |kind, count: usize, noun: &str, rest: &str| {
        if count > 0 {
            notes.push(Note { kind, text: format!("{}{rest}", counted(count, noun)) });
        }
    };
    let others = |of| all.others(group, of);
    note(NoteKind::OtherSeries, others(None), "slice", " without Series Instance UID, of no series");
    note(NoteKind::Localizer, others(Some(SliceRole::Localizer)), "localizer image", "");
    note(NoteKind::Derived, others(Some(SliceRole::Derived)), "derived image", "");
    note(NoteKind::OtherSeries, others(Some(SliceRole::Original)), "slice", " of other series or volumes");
    let (claims, foreign) = all.beside.claims(group);
    let of = |claim| claims.iter().filter(move |(.., one)| *one == claim);
    note(NoteKind::OtherSeries, foreign, "unusable file", " of other series");
    let kinds = [
        (Claim::Stray, "unusable file", " of no series"),
        (Claim::Copy, "unusable file", " with the SOP Instance UID of a slice that is used"),
    ];
    for (claim, noun, what) in kinds {
        note(NoteKind::Stray, of(claim).count(), noun, what);
    }
    let strays = kinds.into_iter().flat_map(|(claim, ..)| of(claim));
    let problems = strays.map(|(file, broken, _)| (*file, broken.problem.clone()));
    let sentences = sentences(inventory, problems).into_iter();
    notes.extend(sentences.map(|text| Note { kind: NoteKind::Stray, text }));
    notes.extend(agreement::with_others(inventory, all.volumes_beside(group), group));
    notes.extend(duplicates_of(inventory, group));
    notes
}

/// Copies that are not used, with the labels of what one of them repeats and of itself; `again`: they have SOP Instance UIDs of their
/// own. Their pixels are compared when slices are read.
pub(super) fn duplicates(copies: usize, [used, copy]: &[FileLabel; 2], again: bool, compared: bool) -> Note {
    let alike = match again {
        false => "same SOP Instance UID",
        true => "sent again under another SOP Instance UID: same position",
    };
    let proof = match compared {
        true => " and pixels",
        false => " and header; pixels are compared when slices are read",
    };
    let slices = if copies == 1 {
        "1 slice that repeats another".to_owned()
    } else {
        format!("{copies} slices that repeat others")
    };
    Note { kind: NoteKind::Duplicate, text: format!("{slices} ({alike}{proof}): {copy} is {used}") }
}

fn duplicates_of(inventory: &Inventory, group: &Group) -> Vec<Note> {
    let of = |again: bool| {
        let is = |(used, copy): &&(Member, Member)| {
            (used.header.sop_instance_uid != copy.header.sop_instance_uid) == again
        };
        let mut some = group.duplicates.iter().filter(is);
        let (used, copy) = some.next()?;
        let labels = [used, copy].map(|member| inventory.label(member.file));
        let unproven = |(used, copy): &(Member, Member)| inventory.known.equal(used, copy) != Some(true);
        let compared = !group.duplicates.iter().filter(is).any(unproven);
        Some(duplicates(1 + some.count(), &labels, again, compared))
    };
    [false, true].into_iter().filter_map(of).collect()
}

/// Slices whose SOP Instance UID is absent or is another's too.
fn unnamed_instances(group: &Group) -> Vec<Note> {
    let total = group.slices.len();
    let mut uids = HashMap::<(&str, u32), usize>::new();
    for Member { header, .. } in &group.slices {
        *uids.entry((&header.sop_instance_uid, header.frame)).or_default() += 1;
    }
    let count = |is: fn(&str, usize) -> bool| {
        uids.iter().filter(|((uid, _), count)| is(uid, **count)).map(|(_, count)| count).sum::<usize>()
    };
    let absent = count(|uid, _| uid.is_empty());
    let shared = count(|uid, count| !uid.is_empty() && count > 1);
    let one = uids.values().any(|&count| count == total);
    let shared_how =
        if one { "with the same SOP Instance UID" } else { "with a SOP Instance UID that another has too" };
    [(absent, "without SOP Instance UID"), (shared, shared_how)]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, how)| {
            let text = format!("{} {how}: slices are told apart by their positions", share(count, total));
            Note { kind: NoteKind::Identity, text }
        })
        .collect()
}

/// In what the parts of one series differ: `sizes and orientations`.
pub(super) fn differences(parts: &[&Group]) -> String {
    let told: Vec<&str> = parts.iter().flat_map(|part| &part.told).map(|told| told.aspect).collect();
    let told = (0..told.len()).filter(|&i| !told[..i].contains(&told[i])).map(|i| told[i]);
    let firsts: Vec<&SliceHeader> = parts.iter().map(|group| group.first).collect();
    let differ =
        |(_, differ): &&(&'static str, Differ)| firsts.windows(2).any(|pair| differ(pair[0], pair[1]));
    let names = |table: &'static [(&'static str, Differ)]| table.iter().filter(differ).map(|(name, _)| *name);
    let mut all: Vec<&str> = names(&COMMON).chain(told).collect();
    if all.is_empty() {
        all.extend(names(&absent::LACKED_BY_ONE));
    }
    all.join(" and ")
}

/// That volumes were taken as one on purpose, and in what they differ.
pub(super) fn joined(inventory: &Inventory, group: &Group) -> Option<Note> {
    let parts = if inventory.join { parts::volumes(group.clone()) } else { Vec::new() };
    if parts.len() < 2 {
        return None;
    }
    let differences = differences(&parts.iter().collect::<Vec<_>>());
    let text =
        format!("{} joined (--join): they have different {differences}", counted(parts.len(), "volume"));
    Some(Note { kind: NoteKind::Joined, text })
}

/// Whether it tells a study or a patient, and another one of each slice, which is no volume's.
fn has_one_for_each_slice(group: &Group, aspect: &Aspect) -> bool {
    let values = group.slices.iter().filter_map(|slice| (aspect.value)(slice.header));
    aspect.rule == Rule::Identity
        && group.slices.len() >= parts::FEWEST
        && values.collect::<BTreeSet<_>>().len() == group.slices.len()
}

/// What the group is that a series of slices usually is not.
fn identity_warnings(group: &Group) -> Vec<Note> {
    let mut notes = Vec::new();
    if group.role == SliceRole::Derived {
        let text =
            "the slices are derived images (Image Type): computed from others, not as they were scanned";
        notes.push(Note { kind: NoteKind::Derived, text: text.to_owned() });
    }
    for aspect in ASPECTS.iter().filter(|aspect| has_one_for_each_slice(group, aspect)) {
        let text = format!(
            "all {} are of different {}: taken as one scan, whose files were given one each",
            counted(group.slices.len(), "slice"),
            aspect.name
        );
        notes.push(Note { kind: NoteKind::Identity, text });
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
    notes.extend(unnamed_instances(group));
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
        |header| header.spare_bytes > 1 && header.spare_bytes < header.image_bytes(),
        "with more pixel data than the size needs: the rest is not used",
    );
    count(
        NoteKind::SpareBytes,
        |header| header.spare_bytes >= header.image_bytes(),
        "with pixel data for more images than Number of Frames says: the others are not used",
    );
    count(NoteKind::Lossy, |header| header.lossy, "compressed with loss");
    let mut uneven = |what: &str, differ: bool| {
        if differ {
            notes.push(Note { kind: NoteKind::Uneven, text: format!("the slices have different {what}") });
        }
    };
    // What makes volumes of their own, and did not here: one follows the other, or they were joined.
    let splits = |aspect: &&Aspect| match aspect.rule {
        Rule::Identity => !has_one_for_each_slice(group, aspect),
        rule => matches!(rule, Rule::Always | Rule::Interleaved),
    };
    for aspect in ASPECTS.iter().filter(splits) {
        let mut values = group.slices.iter().map(|member| (aspect.value)(member.header));
        let first = values.next();
        uneven(aspect.name, values.any(|value| Some(value) != first));
    }
    let mm = group.positions_mm();
    for aspect in ASPECTS.iter() {
        if parts::undecided(aspect, group.slices.iter().map(|slice| slice.header).zip(mm.iter().copied())) {
            uneven(&format!("{} among each other: taken as passes of one volume", aspect.name), true);
        }
    }
    let format = &group.first.pixels;
    uneven("pixel formats", group.slices.iter().any(|member| member.header.pixels != *format));
    notes
}

/// Repeated positions, gaps, tilt, and slices beside the line of the others.
fn geometry_warnings(group: &Group) -> Vec<Note> {
    geometry_notes(&group.positions_mm(), &group.path())
}

pub(super) fn geometry_notes(positions: &[f64], path: &geometry::Path) -> Vec<Note> {
    let mut notes = spacing(positions);
    if path.tilt_degrees > TILT_DEGREES {
        let text = format!(
            "the slices are tilted by {:.1} degrees against the line of their positions (gantry tilt)",
            path.tilt_degrees
        );
        notes.push(Note { kind: NoteKind::Tilt, text });
    }
    let largest = path.jumps.iter().max_by(|a, b| a.1.total_cmp(&b.1));
    let text = match (largest, path.beside) {
        (Some(&(slice, mm)), _) => format!(
            "the positions jump within the plane of the slices in {} of {}, at most by {} mm between slices {} and {}",
            path.jumps.len(),
            counted(positions.len() - 1, "step"),
            decimals(mm),
            slice + 1,
            slice + 2
        ),
        (None, Some((slice, mm))) => format!(
            "the positions leave a straight line by up to {} mm, at slice {} (a bent table, or a center that moves)",
            decimals(mm),
            slice + 1
        ),
        (None, None) => return notes,
    };
    notes.push(Note { kind: NoteKind::Displaced, text });
    notes
}

/// Repeated positions and gaps.
fn spacing(positions: &[f64]) -> Vec<Note> {
    let mut notes = Vec::new();
    let same = geometry::places(positions).windows(2).filter(|pair| pair[0] == pair[1]).count();
    if same > 0 {
        let text = format!("{} at the position of the slice before", counted(same, "slice"));
        notes.push(Note { kind: NoteKind::SamePosition, text });
    }
    let spacing = geometry::spacing(positions).unwrap_or(0.0);
    let gaps = geometry::gaps(positions, spacing);
    if let Some(step) = gaps.iter().max_by(|a, b| a.mm.total_cmp(&b.mm)) {
        let text = format!(
            "slices are unevenly spaced: {} of {} differ from {} mm by more than 1 %, the longest being {} mm \
             between slices {} and {}",
            gaps.len(),
            counted(geometry::steps(positions).len(), "step"),
            decimals(spacing),
            decimals(step.mm),
            step.slice + 1,
            step.slice + 2
        );
        notes.push(Note { kind: NoteKind::Gap, text });
    }
    notes
}
