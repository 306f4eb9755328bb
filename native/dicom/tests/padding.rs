//! Pixels that hold nothing: which they are, what takes their place, and the notes about them.

mod common;

use common::only;
use sha2::{Digest, Sha256};
use tomobasis_dicom::testing::{DicomFile, elements};
use tomobasis_dicom::{NoteKind, PaddingRule, SeriesPlan, SliceRecord, decode, notes};

const PADDING: (u16, u16) = (0x0028, 0x0120);
const LIMIT: (u16, u16) = (0x0028, 0x0121);
const SLOPE: (u16, u16) = (0x0028, 0x1053);
const INTERCEPT: (u16, u16) = (0x0028, 0x1052);

fn signed(file: DicomFile, tag: (u16, u16), value: i16) -> DicomFile {
    file.raw(tag, "SS", value.to_le_bytes().to_vec())
}

/// Pixels as they go into the matrix, and what was found, with padding as `rule` has it.
fn read(file: &DicomFile, rule: PaddingRule) -> (Vec<i32>, SliceRecord, SeriesPlan) {
    let bytes = file.bytes();
    let mut plan = only(std::slice::from_ref(&bytes)).unwrap();
    plan.padding = rule;
    let mut out = vec![0; plan.pixels()];
    let record = decode(&plan, 0, &bytes, &mut out).unwrap();
    let values = out.iter().map(|&value| i32::from(value) + plan.slices[0].offset).collect();
    (values, record, plan)
}

fn sentence(file: &DicomFile, rule: PaddingRule) -> String {
    let (_, record, plan) = read(file, rule);
    let notes = notes(&plan, &[record]);
    assert!(notes.iter().all(|note| note.kind == NoteKind::Padding));
    notes.into_iter().map(|note| note.text).collect::<Vec<_>>().join("; ")
}

#[test]
fn named_padding_becomes_air_or_zero_or_stays() {
    let pixels = [-2000, -2000, -1000, 3000, 24, -2000];
    let file = signed(DicomFile::ct(2, 3, &pixels), PADDING, -2000).text(INTERCEPT, "DS", "-24");
    for (rule, instead, replaced) in
        [(PaddingRule::Keep, -2000, 0), (PaddingRule::Air, -976, 3), (PaddingRule::Mask, 24, 3)]
    {
        let (values, record, _) = read(&file, rule);
        assert_eq!(values, [instead, instead, -1000, 3000, 24, instead], "{rule:?}");
        let found = record.findings.padding;
        assert_eq!((found.declared, found.corners, found.replaced), (3, 0, replaced));
        assert_eq!(found.range, (-1000, 3000));
        let stored: Vec<u8> = pixels.iter().flat_map(|&value| i32::from(value).to_le_bytes()).collect();
        assert_eq!(
            record.digest,
            <[u8; 32]>::from(Sha256::digest(stored)),
            "of the pixels as they are stored"
        );
    }
    assert_eq!(
        sentence(&file, PaddingRule::Air),
        "3 pixels of the only slice are padding (Pixel Padding Value -2000): read as air, -1000 HU"
    );
}

#[test]
fn the_range_limit_is_part_of_padding_on_either_side() {
    let file = DicomFile::ct(1, 5, &[-2001, -2000, -1990, -1980, -1979]);
    for (value, limit) in [(-2000, -1980), (-1980, -2000)] {
        let file = signed(signed(file.clone(), PADDING, value), LIMIT, limit);
        assert_eq!(read(&file, PaddingRule::Mask).0, [-2001, 0, 0, 0, -1979]);
        assert!(sentence(&file, PaddingRule::Keep).contains("(Pixel Padding Value -2000 to -1980)"));
    }
}

#[test]
fn the_sign_of_a_padding_value_is_that_of_the_pixels() {
    let unsigned = [63536_u16, 0, 1024, 65535].map(u16::cast_signed);
    let file = DicomFile::ct(2, 2, &unsigned).bits(16, 16, false).text(INTERCEPT, "DS", "-1024");
    let file = signed(file, PADDING, -2000);
    assert_eq!(read(&file, PaddingRule::Mask).0, [1024, 0, 1024, 65535]);
    assert_eq!(read(&file, PaddingRule::Air).0, [24, 0, 1024, 65535]);
    let of_frames = signed(DicomFile::ct(1, 1, &[-2000]), PADDING, -2000).short(PADDING, 63536);
    assert_eq!(read(&of_frames, PaddingRule::Mask).0, [0]);
}

#[test]
fn corners_far_below_air_are_padding_though_nothing_names_them() {
    let corners = [-3024, -900, -3024, -3024, 40, -1500, -3024, 60, -3024];
    let file = DicomFile::ct(3, 3, &corners);
    let (values, record, _) = read(&file, PaddingRule::Air);
    assert_eq!(values, [-1000, -900, -1000, -1000, 40, -1500, -1000, 60, -1000]);
    assert_eq!((record.findings.padding.declared, record.findings.padding.corners), (0, 5));
    assert_eq!(record.findings.padding.range, (-1500, 60));
    assert_eq!(
        sentence(&file, PaddingRule::Air),
        "5 pixels of the only slice are padding though the header names none (all corners are -3024 HU): read as air, -1000 HU"
    );
    // With another value named, both are.
    let both = signed(file.clone(), PADDING, -1500);
    assert_eq!(read(&both, PaddingRule::Mask).0, [0, -900, 0, 0, 40, 0, 0, 60, 0]);
}

#[test]
fn corners_that_may_have_been_measured_are_not_padding() {
    let with = |corner: i16, inner: i16, last: i16| {
        DicomFile::ct(2, 3, &[corner, inner, corner, corner, inner, last])
    };
    let unit = |file: DicomFile, unit| file.text((0x0028, 0x1054), "LO", unit);
    for (name, file) in [
        ("air", with(-1024, 0, -1024)),
        ("not all alike", with(-3024, 0, -3023)),
        ("not the least", with(-3024, -3025, -3024)),
        ("no HU", unit(with(-3024, 0, -3024), "US")),
        ("MR", with(-3024, 0, -3024).text((0x0008, 0x0060), "CS", "MR")),
    ] {
        assert_eq!(read(&file, PaddingRule::Air).1.findings.padding.corners, 0, "{name}");
    }
    // A negative slope turns the order of values round.
    let turned = with(3024, 0, 3024).text(SLOPE, "DS", "-1");
    assert_eq!(read(&turned, PaddingRule::Air).0, [1000, 0, 1000, 1000, 0, 1000]);
}

#[test]
fn air_is_zero_in_other_units_and_the_end_of_what_can_be_stored() {
    let mr = signed(DicomFile::ct(1, 2, &[-5, 70]), PADDING, -5).text((0x0008, 0x0060), "CS", "MR");
    assert_eq!(read(&mr.clone().text(INTERCEPT, "DS", "-12"), PaddingRule::Air).0, [12, 70]);
    assert!(sentence(&mr, PaddingRule::Air).ends_with("read as 0"));
    let unsigned = DicomFile::ct(1, 2, &[4095, 70]).bits(16, 12, false).short(PADDING, 4095);
    assert_eq!(read(&unsigned, PaddingRule::Air).0, [0, 70]);
    assert!(
        sentence(&unsigned, PaddingRule::Air).ends_with("the nearest to -1000 HU that can be stored, 0 HU")
    );
}

#[test]
fn zero_is_zero_or_there_is_none() {
    let file = signed(DicomFile::ct(1, 2, &[-5, 70]), PADDING, -5);
    let value = |slope, intercept| {
        let (_, _, plan) =
            read(&file.clone().text(SLOPE, "DS", slope).text(INTERCEPT, "DS", intercept), PaddingRule::Keep);
        PaddingRule::Mask.stored_value("HU", &plan.slices[0])
    };
    assert_eq!(value("1", "-1024"), Some(1024));
    assert_eq!(value("0.25", "-1.5"), Some(6));
    assert_eq!(value("1", "-1024.5"), None);
    assert_eq!(
        value("0.1", "-0.3"),
        None,
        "3 times the float64 nearest to 0.1 is not the one nearest to 0.3"
    );
    assert_eq!(value("0.001", "-1024"), None, "1024000 is no 16-bit value");
}

#[test]
fn padding_of_frames_is_found_in_converted_attributes_too() {
    let pixels: Vec<i16> = vec![-2000, 1, -7, 2];
    let file =
        signed(DicomFile::ct(1, 2, &pixels), PADDING, -2000).enhanced(&[(0.0, "1", "0"), (1.0, "1", "0")]);
    // Orientation, spacing, and Unassigned Shared Converted Attributes: one item each.
    let macros = [
        ((0x0020, 0x9116), ((0x0020, 0x0037), "DS", &b"1\\0\\0\\0\\1\\0 "[..])),
        ((0x0028, 0x9110), ((0x0028, 0x0030), "DS", b"0.5\\0.5 ")),
        ((0x0020, 0x9170), (PADDING, "SS", &(-7_i16).to_le_bytes())),
    ];
    let shared = macros.map(|(tag, element)| {
        let content = elements(&[element]);
        let item = [b"\xFE\xFF\x00\xE0", &(content.len() as u32).to_le_bytes()[..], &content].concat();
        elements(&[(tag, "SQ", &item)])
    });
    let groups = file.clone().sequence((0x5200, 0x9229), &[shared.concat()]);
    for (file, expected) in [(file, [0, 1, -7, 2]), (groups, [-2000, 1, 0, 2])] {
        let bytes = file.bytes();
        let mut plan = only(std::slice::from_ref(&bytes)).unwrap();
        plan.padding = PaddingRule::Mask;
        let mut out = vec![0; 4];
        for slice in 0..2 {
            decode(&plan, slice, &bytes, &mut out[2 * slice..2 * slice + 2]).unwrap();
        }
        assert_eq!(out, expected);
    }
}
