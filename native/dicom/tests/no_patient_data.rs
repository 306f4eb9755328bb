//! Derived instances without patient data: nothing of what the profile lists is left, at any depth.

mod common;

use common::{derivation, only};
use dicom_core::dictionary::DataDictionary;
use dicom_dictionary_std::StandardDataDictionary;
use tomobasis_dicom::derived::{Derivation, derive};
use tomobasis_dicom::testing::{DicomFile, Tag};

/// PS3.15 Table E.1-1, as the crate has it.
const PROFILE: &str = include_str!("../src/derived/basic_profile.txt");

/// Is in every text that must not be left.
const SECRET: &str = "ZZYZX";
/// Begins every UID that must not be left.
const UID_ROOT: &str = "1.3.6.1.4.1.99999.4711";

/// The tags that the profile lists and their VRs, but for those of messages and directories, which no image has.
fn listed() -> Vec<(Tag, &'static str)> {
    let tag = |line: &str| {
        let number = u32::from_str_radix(line.split_whitespace().next().unwrap(), 16).unwrap();
        ((number >> 16) as u16, number as u16)
    };
    let vr = |tag: Tag| {
        let entry = StandardDataDictionary.by_tag(dicom_core::Tag(tag.0, tag.1));
        entry.map_or("LO", |entry| entry.vr.relaxed().to_string())
    };
    let lines = PROFILE.lines().filter(|line| !line.starts_with('#'));
    lines.map(tag).filter(|tag| tag.0 > 0x0004).map(|tag| (tag, vr(tag))).collect()
}

/// Something identifying, of this VR; numbers cannot hold the secret, so text stands in their place.
fn identifying(vr: &str, tag: Tag) -> Vec<u8> {
    let mut text = match vr {
        "UI" => format!("{UID_ROOT}.{}.{}", tag.0, tag.1),
        _ => format!("{SECRET}^{:04X}{:04X}", tag.0, tag.1),
    };
    if text.len() % 2 == 1 {
        text.push(if vr == "UI" { '\0' } else { ' ' });
    }
    text.into_bytes()
}

/// An element in Explicit VR Little Endian with a 16-bit length.
fn element(tag: Tag, vr: &str, value: &[u8]) -> Vec<u8> {
    let length = (value.len() as u16).to_le_bytes();
    [&tag.0.to_le_bytes()[..], &tag.1.to_le_bytes(), vr.as_bytes(), &length, value].concat()
}

fn item(content: &[u8]) -> Vec<u8> {
    [b"\xFE\xFF\x00\xE0".as_slice(), &(content.len() as u32).to_le_bytes(), content].concat()
}

/// The VR by which the test's writer can write the value.
fn written(vr: &'static str) -> &'static str {
    match vr {
        "UI" | "DA" | "TM" | "DT" | "PN" | "LO" | "SH" | "CS" | "AS" | "AE" | "ST" | "LT" => vr,
        "OB" | "OW" | "UN" | "UT" => "UT",
        _ => "LO",
    }
}

/// A slice that has every listed attribute, and all of them once more in the item of a sequence that is kept.
fn stuffed() -> DicomFile {
    let mut file = DicomFile::ct(2, 3, &[0; 6]);
    let mut nested = Vec::new();
    for (tag, vr) in listed() {
        let value = identifying(vr, tag);
        if vr == "SQ" {
            file = file.raw(tag, "SQ", item(&element((0x0008, 0x0104), "LO", &value)));
            continue;
        }
        nested.extend(element(tag, if vr == "UI" { "UI" } else { "LO" }, &value));
        file = file.raw(tag, written(vr), value);
    }
    file.raw((0x0018, 0x9346), "SQ", item(&nested))
        .text((0x0010, 0x9999), "LO", &format!("{SECRET} unknown to the dictionary"))
        .text((0x0009, 0x1001), "LO", &format!("{SECRET} private"))
        .text((0x6000, 0x0022), "LO", &format!("{SECRET} overlay"))
}

fn derived(file: &[u8], patient_data: bool) -> Vec<u8> {
    let derivation = Derivation { patient_data, ..derivation() };
    derive(&only(&[file.to_vec()]).unwrap(), &[0], file, &mut [0; 6], &derivation).unwrap().file
}

fn count(bytes: &[u8], part: &str) -> usize {
    bytes.windows(part.len()).filter(|window| *window == part.as_bytes()).count()
}

#[test]
fn nothing_that_the_profile_lists_is_left_at_any_depth() {
    let file = stuffed().bytes();
    assert!(listed().len() > 600);
    assert!(count(&file, SECRET) + count(&file, UID_ROOT) > 1100, "the test is stuffed");
    let kept = derived(&file, true);
    assert!(count(&kept, SECRET) > 1000, "with patient data they go over");
    let clean = derived(&file, false);
    assert_eq!((count(&clean, SECRET), count(&clean, UID_ROOT)), (0, 0));
}

/// Every attribute that the dictionary knows of an image's groups, with its VR; pixels, overlays and curves are never copied.
fn all_known() -> Vec<(Tag, &'static str)> {
    let groups = (0x0008..=0x0088).step_by(2).chain([0x2050, 0x2100, 0x3006, 0x300A, 0x300C, 0x4008, 0x4010]);
    let tags = groups.flat_map(|group| (1..=u16::MAX).map(move |element| (group, element)));
    let vr = |tag: Tag| Some(StandardDataDictionary.by_tag(dicom_core::Tag(tag.0, tag.1))?.vr.relaxed());
    tags.filter_map(|tag| Some((tag, vr(tag)?.to_string()))).collect()
}

/// What the reader needs as it is.
const NEEDED: [Tag; 26] = [
    (0x0008, 0x0005),
    (0x0008, 0x0008),
    (0x0008, 0x0016),
    (0x0008, 0x0018),
    (0x0008, 0x0060),
    (0x0018, 0x0088),
    (0x0020, 0x000E),
    (0x0020, 0x0013),
    (0x0020, 0x0032),
    (0x0020, 0x0037),
    (0x0020, 0x0052),
    (0x0028, 0x0002),
    (0x0028, 0x0004),
    (0x0028, 0x0008),
    (0x0028, 0x0010),
    (0x0028, 0x0011),
    (0x0028, 0x0030),
    (0x0028, 0x0100),
    (0x0028, 0x0101),
    (0x0028, 0x0102),
    (0x0028, 0x0103),
    (0x0028, 0x1052),
    (0x0028, 0x1053),
    (0x0028, 0x3000),
    (0x0028, 0x0120),
    (0x0028, 0x0121),
];

/// VRs whose length has 32 bits.
const LONG: [&str; 12] = ["OB", "OD", "OF", "OL", "OV", "OW", "SV", "UC", "UN", "UR", "UT", "UV"];

#[test]
fn no_text_is_left_in_any_attribute_of_any_vr_at_any_depth() {
    let known = all_known();
    assert!(known.len() > 4000, "{}", known.len());
    // A name, a record number, a date, and an address are looked for; each stands in every attribute.
    for (secret, uid) in [
        ("ZZYZX^QUILLON", "1.3.6.1.4.1.99999.4711"),
        ("QWXJK4711", "1.2.826.0.1.4711"),
        ("ZZ VBNM_17", "2.25.4711"),
    ] {
        let value = |vr: &str| {
            let mut text = if vr == "UI" { format!("{uid}.1") } else { secret.to_owned() };
            text.extend((text.len() % 2 == 1).then_some(if vr == "UI" { '\0' } else { ' ' }));
            text.into_bytes()
        };
        let planted = known.iter().filter(|(tag, vr)| *vr != "SQ" && !NEEDED.contains(tag));
        let mut file = DicomFile::ct(2, 3, &[0; 6]);
        let mut elements = Vec::new();
        for (tag, vr) in planted {
            // The test's writer gives these a length of 16 bits; in items they are written here.
            if !["OD", "OF", "OL", "SV", "UC", "UR", "UV"].contains(vr) {
                file = file.raw(*tag, vr, value(vr));
            }
            elements.extend(if LONG.contains(vr) { long_element } else { element }(*tag, vr, &value(vr)));
        }
        // All of them again in the item of a sequence that is kept, and in an item in an item in an item.
        let deep =
            (0..2).fold(item(&elements), |content, _| item(&long_element((0x0018, 0x9346), "SQ", &content)));
        let bytes =
            file.raw((0x0018, 0x9346), "SQ", item(&elements)).raw((0x0018, 0x9325), "SQ", deep).bytes();
        assert!(count(&bytes, secret) + count(&bytes, uid) > 3 * 2500, "the test is stuffed");
        let kept = derived(&bytes, true);
        assert!(count(&kept, secret) > 2 * 2500, "with patient data they go over");
        let clean = derived(&bytes, false);
        assert_eq!((count(&clean, secret), count(&clean, uid)), (0, 0), "{secret}");
    }
}

/// An element whose length has 32 bits.
fn long_element(tag: Tag, vr: &str, value: &[u8]) -> Vec<u8> {
    let length = (value.len() as u32).to_le_bytes();
    [&tag.0.to_le_bytes()[..], &tag.1.to_le_bytes(), vr.as_bytes(), &[0; 2], &length, value].concat()
}

#[test]
fn a_code_goes_over_with_its_scheme_only() {
    let code = |scheme: Option<&str>| {
        let scheme =
            scheme.map_or_else(Vec::new, |scheme| element((0x0008, 0x0102), "SH", scheme.as_bytes()));
        [element((0x0008, 0x0100), "SH", b"12345678"), scheme, element((0x0008, 0x0104), "LO", b"Head")]
            .concat()
    };
    let deep = |item_of: Vec<u8>| item(&long_element((0x0018, 0x9346), "SQ", &item(&item_of)));
    for (scheme, stays) in
        [(Some("SCT "), true), (Some("MRN "), false), (Some("    "), false), (Some(""), false), (None, false)]
    {
        for content in [item(&code(scheme)), deep(code(scheme))] {
            // The scheme of the next item is none of this one.
            let next = item(&element((0x0008, 0x0102), "SH", b"DCM "));
            let file = DicomFile::ct(2, 3, &[0; 6]).raw((0x0008, 0x2218), "SQ", [content, next].concat());
            let clean = derived(&file.bytes(), false);
            assert_eq!(count(&clean, "12345678") == 1, stays, "{scheme:?}");
            assert_eq!(count(&clean, "MRN"), 0);
            assert_eq!(count(&derived(&file.bytes(), true), "12345678"), 1);
        }
    }
}

#[test]
fn what_an_image_needs_goes_over() {
    let kept = |vr: &'static str, tag: Tag, text: &str| {
        let file = DicomFile::ct(2, 3, &[0; 6]).text(tag, vr, text);
        count(&derived(&file.bytes(), false), text) > 0
    };
    for (vr, tag, text) in [
        ("DS", (0x0018, 0x0060), "120.5678"),
        ("SH", (0x0018, 0x1210), "Br40d\\3 "),
        ("CS", (0x0018, 0x5100), "HFDL"),
        ("LO", (0x0028, 0x1054), "HU_MOD"),
        ("CS", (0x0018, 0x0015), "CHESTABDPELVIS"),
        ("DS", (0x0020, 0x0037), "0.8\\0.6\\0\\-0.6\\0.8\\0"),
    ] {
        assert!(kept(vr, tag, text), "{tag:04X?} {text}");
    }
}

#[test]
fn what_was_done_is_said_in_the_instance() {
    let clean = derived(&stuffed().bytes(), false);
    for said in [
        "TomoBasis 1.2.3, PS3.15 Basic Profile",
        "113100",
        "Basic Application Confidentiality Profile",
        "109104",
        "De-identifying Equipment",
    ] {
        assert_eq!(count(&clean, said), 1, "{said}");
    }
    assert_eq!(count(&clean, "\u{12}\0\u{62}\0CS\u{4}\0YES "), 1, "PatientIdentityRemoved");
    assert_eq!(count(&clean, "\u{28}\0\u{3}\u{3}CS\u{8}\0REMOVED "), 1);
}

#[test]
fn one_uid_has_one_replacement_wherever_it_stands() {
    let study = format!("{UID_ROOT}.1");
    let reference = item(&element((0x0020, 0x000D), "UI", study.as_bytes()));
    let file = DicomFile::ct(2, 3, &[0; 6]).text((0x0020, 0x000D), "UI", &study).raw(
        (0x0008, 0x1200),
        "SQ",
        reference,
    );
    let clean = derived(&file.bytes(), false);
    let tag = b"\x20\x00\x0D\x00UI";
    let values: Vec<&[u8]> = (0..clean.len() - 60)
        .filter(|&at| clean[at..].starts_with(tag))
        .map(|at| &clean[at + 8..at + 8 + usize::from(clean[at + 6])])
        .collect();
    assert_eq!(values.len(), 2);
    assert_eq!(values[0], values[1]);
    assert!(values[0].starts_with(b"2.25."));
}
