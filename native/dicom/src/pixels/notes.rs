//! What decoding found, as notes: counted over all slices of a plan.

use super::findings::{Findings, Remark, SliceRecord};
use super::padding::{BELOW_AIR_HU, PaddingFound};
use crate::phrases::{decimals, share};
use crate::plan::{Note, NoteKind, PaddingRule, SeriesPlan, SlicePlan};

/// Those that are told as they are, with their sentences.
const TOLD: [(Remark, NoteKind, &str); 6] = [
    (
        Remark::LossyCodestream,
        NoteKind::Lossy,
        "compressed with loss, though the transfer syntax is a lossless one",
    ),
    (
        Remark::JpegExtraBytes,
        NoteKind::Codestream,
        "with extra bytes before the end of the JPEG image (harmless: all pixels are there)",
    ),
    (
        Remark::JfifRevision,
        NoteKind::Codestream,
        "with an unknown JFIF revision in the JPEG image (harmless)",
    ),
    (
        Remark::JpegScanParameters,
        NoteKind::Codestream,
        "with Ss = Se = 0 in the scan header of a sequential JPEG image (harmless: all coefficients are there)",
    ),
    (
        Remark::JpegLsZeros,
        NoteKind::Codestream,
        "with zero bytes before the end of the JPEG-LS image (harmless: all pixels are there)",
    ),
    (
        Remark::MoreImages,
        NoteKind::SpareBytes,
        "with more compressed images than the one that Number of Frames says: the others are not used",
    ),
];

/// What is told of the slices of a plan, once for all of them.
#[must_use]
pub fn notes(plan: &SeriesPlan, records: &[SliceRecord]) -> Vec<Note> {
    let found: Vec<&Findings> = records.iter().map(|record| &record.findings).collect();
    let mut notes = of_padding(plan, &found);
    for overlays in [false, true] {
        let with = found.iter().filter(|one| one.spare_bits > 0 && one.has(Remark::Overlays) == overlays);
        let (slices, pixels) =
            with.fold((0, 0), |(slices, pixels), one| (slices + 1, pixels + u64::from(one.spare_bits)));
        let what = match overlays {
            true => "are overlays, as the header says, and no part of the values",
            false => "are not used; where Bits Stored is wrong, these values are wrong",
        };
        if slices > 0 {
            let text = format!(
                "{} with something in the bits above Bits Stored ({}): these bits {what}",
                share(slices, found.len()),
                counted_pixels(pixels)
            );
            notes.push(Note { kind: NoteKind::SpareBits, text });
        }
    }
    for (remark, kind, text) in TOLD {
        let slices = found.iter().filter(|one| one.has(remark)).count();
        if slices > 0 {
            notes.push(Note { kind, text: format!("{} {text}", share(slices, found.len())) });
        }
    }
    notes
}

/// What is told of padding.
fn of_padding(plan: &SeriesPlan, found: &[&Findings]) -> Vec<Note> {
    let what = match plan.padding {
        PaddingRule::Keep => "in the matrix as they are stored, and count in its energy and noise".to_owned(),
        PaddingRule::Air => air(plan, found),
        PaddingRule::Mask => "0 in the matrix".to_owned(),
    };
    let slices = || plan.slices.iter().zip(found).map(|(slice, found)| (slice, found.padding));
    let mut notes = Vec::new();
    let mut note = |counts: Vec<u32>, text: &dyn Fn(String) -> String| {
        let pixels: u64 = counts.iter().copied().map(u64::from).sum();
        let with = counts.iter().filter(|&&count| count > 0).count();
        if pixels > 0 {
            let counted = format!("{} of {}", counted_pixels(pixels), share(with, counts.len()));
            notes.push(Note { kind: NoteKind::Padding, text: text(counted) });
        }
    };
    let of_slice =
        |[low, high]: [i32; 2]| if low == high { low.to_string() } else { format!("{low} to {high}") };
    let named = slices().filter(|(_, found)| found.declared > 0);
    let named = match common(named.filter_map(|(slice, _)| slice.padding).map(of_slice)) {
        Some(value) => format!("Pixel Padding Value {value}"),
        None => "Pixel Padding Value, of several values".to_owned(),
    };
    note(slices().map(|(_, found)| found.declared).collect(), &|counted| {
        format!("{counted} are padding ({named}): {what}")
    });
    let corner = |(slice, found): (&SlicePlan, PaddingFound)| {
        decimals(slice.slope.mul_add(found.corner_value.into(), slice.intercept))
    };
    let corners = match common(slices().filter(|(_, found)| found.corners > 0).map(corner)) {
        Some(value) => format!("all corners are {value} HU"),
        None => format!("all corners of each have one value below {BELOW_AIR_HU} HU"),
    };
    note(slices().map(|(_, found)| found.corners).collect(), &|counted| {
        format!("{counted} are padding though the header names none ({corners}): {what}")
    });
    notes
}

/// What padding is read as, by the slices that have some.
fn air(plan: &SeriesPlan, found: &[&Findings]) -> String {
    let with = plan.slices.iter().zip(found).filter(|(_, found)| !found.padding.is_none());
    let value = |(slice, _): (&SlicePlan, _)| {
        let stored = PaddingRule::Air.stored_value(&plan.rescale_unit, slice)?;
        Some(decimals(slice.slope.mul_add(stored.into(), slice.intercept)))
    };
    let (unit, wanted) = if plan.rescale_unit == "HU" { (" HU", "-1000") } else { ("", "0") };
    match common(with.filter_map(value)) {
        Some(value) if value == wanted && !unit.is_empty() => format!("read as air, {value}{unit}"),
        Some(value) if value == wanted => format!("read as {value}"),
        Some(value) => format!("read as the nearest to {wanted}{unit} that can be stored, {value}{unit}"),
        None => format!("read as the nearest to {wanted}{unit} that each slice can store"),
    }
}

/// The value that all have, if they have one.
fn common(mut values: impl Iterator<Item = String>) -> Option<String> {
    let first = values.next()?;
    values.all(|value| value == first).then_some(first)
}

/// `1 pixel`, `5 pixels`.
fn counted_pixels(count: u64) -> String {
    format!("{count} pixel{}", if count == 1 { "" } else { "s" })
}
