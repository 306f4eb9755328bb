//! From a group of slices to a [`SeriesPlan`].

use std::collections::HashMap;

use super::aspects::rescale_unit;
use super::group::{Group, Member};
use super::notes::{self, disputed, left_out, problems_of_slices, repeated_beside, warnings};
use super::repeats::{self, Absent};
use super::whole::Whole;
use super::{Inventory, geometry, skip};
use crate::error::Error;
use crate::header::SliceHeader;
use crate::known;
use crate::plan::{PaddingRule, Piece, SeriesPlan, SliceCopy, SlicePlan};
use crate::problem::Problem;
use crate::syntax;

/// More bytes than that behind the pixels are not read.
const LONG_TAIL: u64 = 1 << 20;

/// The plan of one group, or the first thing that keeps it from being read.
pub(super) fn plan<'a>(
    inventory: &'a Inventory,
    all: &Whole<'_, 'a>,
    group: &Group<'a>,
) -> Result<SeriesPlan, Error> {
    let problems = problems_of_slices(inventory, &all.beside, group);
    let found = problems.iter().map(|(file, problem)| (*file, problem));
    if let Some(error) = inventory.first_error(found.filter(|_| !inventory.skip_bad_slices)) {
        return Err(error);
    }
    if let Some((file, problem)) = inventory.incomplete_concatenation(group) {
        return Err(Error::Slice { file: inventory.label(file), problem, others: 0 });
    }
    // Bad slices may be what keeps the two scans from being told apart, so leaving these out is no way out.
    if let Some(error) = repeated_beside(inventory, group) {
        return Err(error);
    }
    let disputed = disputed(inventory, group);
    match disputed.first() {
        Some((_, error)) if !inventory.skip_bad_slices && group.conflict.is_none() => {
            return Err(error.clone());
        }
        _ => {}
    }
    let plan = match problems.is_empty() {
        true => plan_of(inventory, all, group)?,
        false => plan_without(inventory, all, group, problems)?,
    };
    match disputed.first() {
        None => Ok(plan),
        // Where too many are, it is the scan that was sent twice, and no slice that is bad.
        Some((_, error)) => plan.without(&bad(&plan, &disputed)).map_err(|_| error.clone()),
    }
}

/// The slices of a plan that are disputed, and the reason for each.
fn bad(plan: &SeriesPlan, disputed: &[(&Member, Error)]) -> Vec<(usize, String)> {
    let errors: HashMap<(usize, u32), &Error> =
        disputed.iter().rev().map(|(member, error)| ((member.file, member.header.frame), error)).collect();
    let slices = plan.slices.iter().enumerate();
    let bad = slices.filter_map(|(place, slice)| {
        errors.get(&(slice.file, slice.frame)).map(|error| (place, error.to_string()))
    });
    bad.collect()
}

/// The plan of a group without bad slices.
fn plan_of<'a>(
    inventory: &'a Inventory,
    all: &Whole<'_, 'a>,
    group: &Group<'a>,
) -> Result<SeriesPlan, Error> {
    if let Some((first, second)) = group.conflict {
        return Err(Error::DuplicateInstance {
            first: inventory.label(first),
            second: inventory.label(second),
        });
    }
    let first = group.first;
    let middle = group.slices.get(group.slices.len() / 2).map_or(first, |member| member.header);
    let positions = group.positions_mm();
    // Unsigned pixels of all 16 bits fit `i16` only when shifted; the other unsigned slices are shifted alike.
    let shifted = group.slices.iter().any(|member| member.header.pixels.is_full_unsigned());
    let slice = |member: &Member, position_mm: f64| {
        let header = member.header;
        let (slope, intercept) = header.rescale.values();
        SlicePlan {
            file: member.file,
            file_id: inventory.label(member.file).id,
            frame: header.frame,
            frames: header.frames,
            piece: piece(header, inventory.length(member.file)),
            origin_mm: header.position_mm,
            position_mm,
            instance_number: header.instance_number,
            instance_uid: header.sop_instance_uid.clone(),
            slope,
            intercept,
            offset: if shifted && !header.pixels.signed { 32768 } else { 0 },
            padding: header.padding,
            corner_padding: None,
            lossy_codestream: false,
            transfer_syntax: header.transfer_syntax.clone(),
            pixels: header.pixels.clone(),
        }
    };
    let slices = group.slices.iter().zip(&positions).map(|(member, &position_mm)| slice(member, position_mm));
    let places: HashMap<_, usize> = group
        .slices
        .iter()
        .enumerate()
        .map(|(place, member)| ((member.file, member.header.frame), place))
        .collect();
    let copies = group.duplicates.iter().filter_map(|(used, copy)| {
        let place = *places.get(&(used.file, used.header.frame))?;
        let proven = inventory.known.equal(used, copy) == Some(true);
        Some(SliceCopy { of: place, copy: slice(copy, *positions.get(place)?), proven })
    });
    Ok(SeriesPlan {
        id: group.id.clone(),
        file_count: inventory.file_count(),
        series_instance_uid: first.series_instance_uid.clone(),
        frame_of_reference_uid: first.frame_of_reference_uid.clone(),
        sop_class_uid: first.sop_class_uid.clone(),
        modality: known::modality(&first.modality).to_owned(),
        rows: first.rows,
        columns: first.columns,
        pixel_spacing_mm: first.pixel_spacing_mm,
        slice_spacing_mm: geometry::spacing(&positions),
        tilt_degrees: group.path().tilt_degrees,
        orientation: first.orientation,
        rescale_unit: known::unit(&rescale_unit(first)).to_owned(),
        window: middle.window,
        padding: PaddingRule::default(),
        slices: slices.collect(),
        copies: copies.collect(),
        skipped: 0,
        skipped_mm: Vec::new(),
        left_out: left_out(inventory, all, group),
        warnings: notes::joined(inventory, group).into_iter().chain(warnings(group)).collect(),
        joint: None,
    })
}

impl Inventory {
    /// What to decode, so that slices are [known](Self::know) that no attribute tells from others of their place. None in most inputs.
    pub fn repeats(&self) -> Vec<SeriesPlan> {
        let groups = self.grouped(true);
        let all = Whole::new(self, &groups);
        let plan = |group: &Group<'_>| {
            let pairs = repeats::pairs(group, Absent::Fits);
            let mut slices: Vec<Member> = pairs.iter().flat_map(|(used, copy)| [*used, *copy]).collect();
            slices.sort_by_key(|member| (member.file, member.header.frame));
            slices.dedup_by_key(|member| (member.file, member.header.frame));
            let compared = Group { slices, duplicates: Vec::new(), conflict: None, ..group.clone() };
            let some = !compared.slices.is_empty();
            some.then(|| plan_of(self, &all, &compared).ok()).flatten()
        };
        groups.iter().filter_map(plan).collect()
    }

    /// Takes the digests of the entries of a plan's slices, `None` of those that cannot be decoded.
    pub fn know(&mut self, plan: &SeriesPlan, digests: &[Option<[u8; 32]>]) {
        self.known.learn(plan, digests);
    }
}

/// Of a file with several frames, or with much behind its pixels, a part is enough.
fn piece(header: &SliceHeader, length: Option<u64>) -> Option<Piece> {
    let plain = syntax::find(&header.transfer_syntax).is_some_and(syntax::TransferSyntax::is_plain);
    let range = header.native_range();
    let long = length.is_some_and(|length| length > range.end.saturating_add(LONG_TAIL));
    (plain && (header.frames > 1 || long)).then_some(Piece {
        head: header.pixel_offset,
        start: range.start,
        end: range.end,
    })
}

/// The plan of a group without its slices that cannot be used.
fn plan_without<'a>(
    inventory: &'a Inventory,
    all: &Whole<'_, 'a>,
    group: &Group<'a>,
    problems: Vec<(usize, Problem)>,
) -> Result<SeriesPlan, Error> {
    let bad = |file: usize| problems.iter().any(|(bad, _)| *bad == file);
    let slices: Vec<_> = group.slices.iter().copied().filter(|member| !bad(member.file)).collect();
    let kept = Group { slices, ..group.clone() };
    let axis = geometry::normal(&group.first.orientation);
    let listed =
        group.slices.iter().filter(|member| bad(member.file)).map(|member| member.header.position_mm);
    let broken =
        inventory.broken().filter(|(file, _)| bad(*file)).filter_map(|(_, broken)| broken.position_mm);
    let skipped_mm: Vec<f64> = listed.chain(broken).map(|place| geometry::dot(place, axis)).collect();
    let mut skipped = 0;
    for (file, _) in &problems {
        let unknown = || Error::SkippedUnknown { file: inventory.label(*file) };
        skipped += inventory.slices_of_bad(*file, group).ok_or_else(unknown)?;
    }
    skip::check(&kept.positions_mm(), &skipped_mm, skipped)?;
    let mut plan = SeriesPlan { skipped, skipped_mm, ..plan_of(inventory, all, &kept)? };
    // Each by its own name, also where several have the same problem.
    let sentences = problems.into_iter().flat_map(|problem| notes::sentences(inventory, [problem]));
    plan.left_out.extend(sentences.map(skip::skipped));
    Ok(plan)
}
