//! From a group of slices to a [`SeriesPlan`], with everything noted that a user should know.

use super::group::{Group, SliceRole};
use super::plan::{Note, NoteKind, SeriesPlan, SlicePlan};
use super::summary::{millimetres, plain};
use super::{Inventory, geometry};
use crate::error::Error;
use crate::header::SliceHeader;
use crate::problem::Problem;
use crate::syntax;

/// Smallest angle that is reported as tilt: positions are often rounded to a few digits.
const TILT_DEGREES: f64 = 0.1;

/// The plan of one group.
pub(super) fn plan(inventory: &Inventory, groups: &[Group], group: &Group) -> Result<SeriesPlan, Error> {
    let Some(first) = group.first() else { return Err(Error::NoFiles) };
    if let Some(error) = errors(inventory, group).next() {
        return Err(error);
    }
    let middle = group.slices.get(group.slices.len() / 2).map_or(first, |member| member.header);
    let positions = group.positions_mm();
    let slices = group.slices.iter().zip(&positions).map(|(member, &position_mm)| {
        let header = member.header;
        let (slope, intercept) = header.rescale.unwrap_or((1.0, 0.0));
        SlicePlan {
            file: member.file,
            file_id: inventory.file_id(member.file),
            frame: header.frame,
            position_mm,
            instance_number: header.instance_number,
            instance_uid: header.sop_instance_uid.clone(),
            slope,
            intercept,
            offset: offset(group, header),
            transfer_syntax: header.transfer_syntax.clone(),
            pixels: header.pixels.clone(),
        }
    });
    Ok(SeriesPlan {
        id: group.id.clone(),
        file_count: inventory.file_count(),
        series_instance_uid: first.series_instance_uid.clone(),
        frame_of_reference_uid: first.frame_of_reference_uid.clone(),
        sop_class_uid: first.sop_class_uid.clone(),
        modality: first.modality.clone(),
        rows: first.rows,
        columns: first.columns,
        pixel_spacing_mm: first.pixel_spacing_mm,
        slice_spacing_mm: geometry::spacing(&positions),
        tilt_degrees: tilt_degrees(group),
        orientation: first.orientation,
        rescale_unit: rescale_unit(first),
        window: middle.window,
        slices: slices.collect(),
        left_out: left_out(inventory, groups, group),
        warnings: warnings(group),
    })
}

/// Errors, then warnings, as sentences.
pub(super) fn problems(inventory: &Inventory, group: &Group) -> Vec<String> {
    let errors = errors(inventory, group).map(|error| error.to_string());
    errors.chain(warnings(group).into_iter().map(|note| note.text)).collect()
}

/// Everything that keeps the group from being read.
fn errors<'a>(inventory: &'a Inventory, group: &'a Group) -> impl Iterator<Item = Error> + 'a {
    let series = group.first().map_or("", |first| first.series_instance_uid.as_str());
    let broken = inventory.broken(series).map(|(file, problem)| inventory.slice_error(file, problem.clone()));
    let conflict = group.conflict.map(|(first, second)| Error::DuplicateInstance {
        first: inventory.label(first),
        second: inventory.label(second),
    });
    let mut seen: Vec<&str> = Vec::new();
    let compressed = group.slices.iter().filter_map(move |member| {
        let uid = member.header.transfer_syntax.as_str();
        let read = syntax::find(uid).is_some_and(syntax::TransferSyntax::pixels_are_read);
        if read || seen.contains(&uid) {
            return None;
        }
        seen.push(uid);
        Some(inventory.slice_error(member.file, Problem::Syntax { uid: uid.to_owned() }))
    });
    broken.chain(conflict).chain(compressed)
}

/// 32768 where unsigned 16-bit pixels have to fit `i16`. All unsigned slices of a series get the same.
fn offset(group: &Group, header: &SliceHeader) -> i32 {
    let full = |header: &SliceHeader| !header.pixels.signed && header.pixels.bits_stored == 16;
    if !header.pixels.signed && group.slices.iter().any(|member| full(member.header)) { 32768 } else { 0 }
}

fn rescale_unit(header: &SliceHeader) -> String {
    match header.rescale_type.as_deref() {
        Some(unit) => plain(unit),
        None if header.modality == "CT" => "HU".to_owned(),
        None => "unspecified".to_owned(),
    }
}

pub(super) fn tilt_degrees(group: &Group) -> f64 {
    match (group.slices.first(), group.slices.last()) {
        (Some(first), Some(last)) => geometry::tilt_degrees(
            first.header.position_mm,
            last.header.position_mm,
            geometry::normal(&first.header.orientation),
        ),
        _ => 0.0,
    }
}

/// What of the input is not in the group, and why.
fn left_out(inventory: &Inventory, groups: &[Group], group: &Group) -> Vec<Note> {
    let mut notes = Vec::new();
    let mut note = |kind, count: usize, what: &str| {
        if count > 0 {
            notes.push(Note::new(kind, format!("{count} {what}")));
        }
    };
    let counts = inventory.counts();
    note(NoteKind::NotImages, counts.not_dicom, "files that are not DICOM");
    if counts.not_images > 0 {
        let kinds = inventory.kinds();
        note(NoteKind::NotImages, counts.not_images, &format!("DICOM files without slices ({kinds})"));
    }
    let others = |role| {
        let other = groups.iter().filter(|other| other.id != group.id && other.role == role);
        other.map(|other| other.slices.len()).sum()
    };
    note(NoteKind::Localizer, others(SliceRole::Localizer), "localizer images");
    note(NoteKind::Derived, others(SliceRole::Derived), "derived images");
    note(NoteKind::OtherSeries, others(SliceRole::Original), "slices of other series or volumes");
    let series = group.first().map_or("", |first| first.series_instance_uid.as_str());
    let broken = inventory.all_broken().filter(|(_, uid, _)| uid.is_some_and(|uid| uid != series)).count();
    note(NoteKind::OtherSeries, broken, "unusable files of other series");
    if let Some(&(used, copy)) = group.duplicates.first() {
        let text = format!(
            "copies of slices (same SOP Instance UID and header; pixels are not compared), the first being {}, \
             a copy of {}",
            inventory.label(copy),
            inventory.label(used)
        );
        note(NoteKind::Duplicate, group.duplicates.len(), &text);
    }
    notes
}

/// What is odd about the group.
fn warnings(group: &Group) -> Vec<Note> {
    let mut notes = Vec::new();
    let mut note = |kind, text: String| notes.push(Note::new(kind, text));
    let positions = group.positions_mm();
    let same = positions.windows(2).filter(|pair| geometry::grid(pair[0]) == geometry::grid(pair[1])).count();
    if same > 0 {
        note(NoteKind::SamePosition, format!("{same} slices lie at the position of the slice before them"));
    }
    if let Some(spacing) = geometry::spacing(&positions) {
        let gaps = geometry::gaps(&positions, spacing);
        if let Some(&(slice, step)) = gaps.iter().max_by(|a, b| a.1.total_cmp(&b.1)) {
            note(
                NoteKind::Gap,
                format!(
                    "slices are unevenly spaced: {} of {} steps differ from {} mm by more than 1 %, the longest \
                     being {} mm between slices {} and {}",
                    gaps.len(),
                    positions.len() - 1,
                    millimetres(spacing),
                    millimetres(step),
                    slice + 1,
                    slice + 2
                ),
            );
        }
    }
    let tilt = tilt_degrees(group);
    if tilt > TILT_DEGREES {
        note(
            NoteKind::Tilt,
            format!(
                "the slices are tilted by {tilt:.1} degrees against the line of their positions (gantry tilt)"
            ),
        );
    }
    let count = |is: fn(&SliceHeader) -> bool| group.slices.iter().filter(|one| is(one.header)).count();
    let unscaled = count(|header| header.modality == "CT" && header.rescale.is_none());
    if unscaled > 0 {
        let text = format!(
            "{unscaled} CT slices have no Rescale Slope and Intercept: their stored values are taken as they are"
        );
        note(NoteKind::NoRescale, text);
    }
    let spare = count(|header| header.spare_bytes > 1);
    if spare > 0 {
        let text = format!("{spare} slices have more pixel data than their size needs: the rest is not used");
        note(NoteKind::SpareBytes, text);
    }
    let lossy = count(|header| header.lossy);
    if lossy > 0 {
        note(NoteKind::Lossy, format!("{lossy} slices were compressed with loss"));
    }
    type Part = fn(&SliceHeader) -> String;
    let differ = |part: Part| {
        group.first().is_some_and(|first| group.slices.iter().any(|one| part(one.header) != part(first)))
    };
    let uneven: [(&str, Part); 4] = [
        ("units (Rescale Type)", rescale_unit),
        ("kernels (Convolution Kernel)", |header| header.kernel.clone().unwrap_or_default()),
        ("tube voltages (KVP)", |header| format!("{:?}", header.kvp)),
        ("pixel formats", |header| format!("{:?}", header.pixels)),
    ];
    for (what, part) in uneven {
        if differ(part) {
            note(NoteKind::Uneven, format!("the slices have different {what}"));
        }
    }
    notes
}
