//! Derived instances: what goes over from the source, what is new, what the pixels are.

mod common;

use common::{count, derivation, inventory, only};
use proptest::prelude::*;
use tomobasis_dicom::derived::{Derivation, DerivedInstance, DerivedSyntax, derive};
use tomobasis_dicom::testing::{DicomFile, Tag};
use tomobasis_dicom::{
    Error, HeaderOutcome, NoteKind, SeriesChoice, SeriesPlan, SliceHeader, decode, read_header,
};

const PATIENT_NAME: Tag = (0x0010, 0x0010);
const SERIES_DESCRIPTION: Tag = (0x0008, 0x103E);
const PADDING: Tag = (0x0028, 0x0120);
const PADDING_LIMIT: Tag = (0x0028, 0x0121);

/// A slice with attributes of many kinds before and after its geometry.
fn source() -> DicomFile {
    DicomFile::ct(2, 3, &[-1024, -1, 0, 1, 40, 3071])
        .text((0x0008, 0x0005), "CS", "ISO_IR 192")
        .text((0x0008, 0x0070), "LO", "Scanner Works")
        .text((0x0008, 0x1010), "SH", "CT-ROOM-2")
        .text(SERIES_DESCRIPTION, "LO", "Schädel 1,5")
        .text(PATIENT_NAME, "PN", "Müller^Jürgen")
        .raw((0x0009, 0x0010), "LO", b"VENDOR".to_vec())
        .raw((0x0009, 0x1001), "LO", b"vendor's own".to_vec())
        .text((0x0018, 0x0060), "DS", "120")
        .raw((0x0018, 0x9345), "FD", 12.5_f64.to_le_bytes().to_vec())
        .text((0x0020, 0x000D), "UI", "2.25.7")
        .text((0x0020, 0x0011), "IS", "3")
        .short((0x0028, 0x0106), 1)
}

fn planned(file: &[u8]) -> SeriesPlan {
    only(&[file.to_vec()]).expect("the source is read")
}

fn derived(file: &DicomFile, stored: &[i16], how: &Derivation) -> DerivedInstance {
    let bytes = file.bytes();
    let plan = planned(&bytes);
    let digests = decode(&plan, 0, &bytes, &mut vec![0; plan.pixels()])
        .map(|record| record.digest)
        .into_iter()
        .collect();
    let how = Derivation { digests, ..how.clone() };
    derive(&plan, &[0], &bytes, &mut stored.to_vec(), &how).expect("the instance is written")
}

fn header(instance: &DerivedInstance) -> SliceHeader {
    match read_header(&instance.file, instance.file.len() as u64) {
        HeaderOutcome::Slices(mut slices) => slices.remove(0),
        other => panic!("{other:?}"),
    }
}

/// The stored values of a derived instance, by the crate's own reader.
fn stored(instance: &DerivedInstance) -> Vec<i32> {
    let uid = header(instance).series_instance_uid;
    let plan = inventory(std::slice::from_ref(&instance.file)).select(&SeriesChoice::Uid(uid)).unwrap();
    let mut out = vec![0; plan.pixels()];
    let digest = decode(&plan, 0, &instance.file, &mut out).unwrap().digest;
    assert_eq!([digest], *instance.pixels);
    out.iter().map(|&value| i32::from(value) + plan.slices[0].offset).collect()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    count(bytes, part) > 0
}

#[test]
fn the_patient_and_the_geometry_go_over_and_the_series_is_another_one() {
    let new = derived(&source(), &[1, 2, 3, 4, 5, 6], &derivation());
    let (old, ours) = (planned(&source().bytes()), header(&new));
    assert_eq!(stored(&new), [1, 2, 3, 4, 5, 6]);
    assert_eq!(ours.sop_class_uid, old.sop_class_uid);
    assert_eq!((ours.rows, ours.columns, ours.pixel_spacing_mm), (2, 3, old.pixel_spacing_mm));
    assert_eq!(ours.frame_of_reference_uid, old.frame_of_reference_uid);
    assert_eq!(ours.image_type, ["DERIVED", "SECONDARY", "AXIAL"]);
    assert_eq!(ours.series_number, Some(30_005));
    assert_eq!(ours.rescale.values(), (1.0, 0.0));
    assert_ne!(ours.series_instance_uid, old.series_instance_uid);
    assert_ne!(ours.sop_instance_uid, old.slices[0].instance_uid);
    for kept in
        ["Müller^Jürgen", "ISO_IR 192", "k=5 of 9: Schädel 1,5", "Scanner Works", "CT-ROOM-2", "2.25.7"]
    {
        assert!(contains(&new.file, kept.as_bytes()), "{kept}");
    }
    assert!(contains(&new.file, &12.5_f64.to_le_bytes()));
    assert!(!contains(&new.file, b"VENDOR") && !contains(&new.file, b"vendor's own"));
}

#[test]
fn a_derived_series_is_left_out_beside_its_source_and_said_alone() {
    let new = derived(&source(), &[0; 6], &derivation());
    let both = [source().bytes(), new.file.clone()];
    let plan = only(&both).unwrap();
    assert_eq!(plan.slices.len(), 1);
    assert_eq!(plan.series_instance_uid, "2.25.1");
    assert_eq!(only(&[new.file]).unwrap().warnings[0].kind, NoteKind::Derived);
}

#[test]
fn the_encoding_of_the_source_does_not_show() {
    let plain = derived(&source(), &[1; 6], &derivation());
    for other in [source().implicit(), source().big_endian(), source().deflated(), source().without_meta()] {
        assert_eq!(derived(&other, &[1; 6], &derivation()), plain);
    }
}

#[test]
fn uids_follow_from_the_composite_the_source_and_what_is_said() {
    let uids = |file: &DicomFile, how: &Derivation| {
        let header = header(&derived(file, &[0; 6], how));
        (header.series_instance_uid, header.sop_instance_uid)
    };
    let first = uids(&source(), &derivation());
    assert_eq!(uids(&source(), &derivation()), first);
    // The same image, compressed without loss, is the same instance.
    assert_eq!(uids(&source(), &Derivation { syntax: DerivedSyntax::JpegLs, ..derivation() }), first);
    for other in [
        Derivation { digest: [3; 32], ..derivation() },
        Derivation { version: "1.2.4".to_owned(), ..derivation() },
        Derivation { patient_data: false, ..derivation() },
    ] {
        let other = uids(&source(), &other);
        assert!(other.0 != first.0 && other.1 != first.1);
    }
    let other = uids(&source().number(2), &derivation());
    assert!(other.0 == first.0 && other.1 != first.1);
}

#[test]
fn every_pixel_format_is_written_so_that_it_reads_back_the_same() {
    for (allocated, bits, signed) in [
        (16, 16, true),
        (16, 16, false),
        (16, 12, true),
        (16, 12, false),
        (8, 8, false),
        (8, 8, true),
        (16, 1, false),
    ] {
        let source = source().bits(allocated, bits, signed).raw((0x7FE0, 0x0010), "OW", vec![0; 12]);
        let shift = if !signed && bits == 16 { 32768 } else { 0 };
        let (least, most) =
            if signed { (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) } else { (0, (1_i32 << bits) - 1) };
        let values = [least, most, 0, 1.min(most), (least + most) / 2, most];
        let given: Vec<i16> = values.iter().map(|value| (value - shift) as i16).collect();
        for syntax in [DerivedSyntax::Explicit, DerivedSyntax::JpegLs] {
            let new = derived(&source, &given, &Derivation { syntax, ..derivation() });
            assert_eq!(stored(&new), values, "{bits} bits of {allocated}, signed {signed}, {syntax:?}");
            assert_eq!(new.file.len() % 2, 0);
        }
    }
}

#[test]
fn noise_that_jpeg_ls_cannot_compress_is_written_all_the_same() {
    let mut state = 1_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 48) as i16
    };
    let pixels: Vec<i16> = (0..64 * 64).map(|_| noise()).collect();
    let source = DicomFile::ct(64, 64, &pixels);
    let new = derived(&source, &pixels, &Derivation { syntax: DerivedSyntax::JpegLs, ..derivation() });
    assert!(stored(&new).iter().zip(&pixels).all(|(&a, &b)| a == i32::from(b)));
}

#[test]
fn padding_of_the_source_stays_padding() {
    let padded = source().raw(PADDING, "SS", (-1024_i16).to_le_bytes().to_vec());
    assert_eq!(stored(&derived(&padded, &[7; 6], &derivation())), [-1024, 7, 7, 7, 7, 7]);
    let range = padded.raw(PADDING_LIMIT, "SS", 0_i16.to_le_bytes().to_vec());
    assert_eq!(stored(&derived(&range, &[7; 6], &derivation())), [-1024, -1, 0, 7, 7, 7]);
}

#[test]
fn padding_is_not_that_of_pixels_which_changed_since_the_composite_was_made() {
    let bytes = source().raw(PADDING, "SS", (-1024_i16).to_le_bytes().to_vec()).bytes();
    let plan = planned(&bytes);
    let digests = vec![decode(&plan, 0, &bytes, &mut vec![0; plan.pixels()]).unwrap().digest];
    let mut changed = bytes;
    *changed.last_mut().unwrap() ^= 1;
    let how = Derivation { digests, ..derivation() };
    let error = derive(&plan, &[0], &changed, &mut [7; 6], &how).unwrap_err().to_string();
    assert!(error.starts_with("file 1 of 1 (id ") && error.contains("no longer the file"), "{error}");
}

#[test]
fn smallest_and_largest_pixel_are_corrected_where_the_source_has_them() {
    let source = source().raw((0x0028, 0x0107), "SS", 3071_i16.to_le_bytes().to_vec());
    let new = derived(&source, &[-5, 2, 3, 4, 5, 99], &derivation());
    assert!(contains(&new.file, b"\x28\x00\x06\x01SS\x02\x00\xFB\xFF"));
    assert!(contains(&new.file, b"\x28\x00\x07\x01SS\x02\x00\x63\x00"));
}

#[test]
fn loss_that_only_the_transfer_syntax_tells_is_said() {
    let lossy = source().encapsulated("1.2.840.10008.1.2.4.91", &[&[0; 4]]);
    let new = derived(&lossy, &[0; 6], &derivation());
    assert!(contains(&new.file, b"\x28\x00\x10\x21CS\x02\x0001") && contains(&new.file, b"ISO_15444_1 "));
    let said = lossy.text((0x0028, 0x2110), "CS", "01").text((0x0028, 0x2114), "CS", "ISO_10918_1");
    let new = derived(&said, &[0; 6], &derivation());
    assert!(contains(&new.file, b"ISO_10918_1") && !contains(&new.file, b"ISO_15444_1"));
}

#[test]
fn sequences_nested_a_hundred_thousand_deep_are_copied_without_recursion() {
    let deep = source().nested((0x0008, 0x1115), 100_000);
    let new = derived(&deep, &[0; 6], &derivation());
    assert!(new.file.len() > 100_000 * 20);
    assert_eq!(stored(&new), [0; 6]);
}

#[test]
fn a_sequence_whose_items_overlap_its_end_is_refused_by_its_name() {
    let item = b"\xFE\xFF\x00\xE0\x40\0\0\0\x08\x00\x00\x01SH\x02\x00ab".to_vec();
    let bytes = source().raw((0x0008, 0x1115), "SQ", item).bytes();
    let error = derive(&planned(&bytes), &[0], &bytes, &mut [0; 6], &derivation()).unwrap_err().to_string();
    assert!(error.starts_with("file 1 of 1 (id ") && error.contains("Referenced Series Sequence"), "{error}");
}

#[test]
fn what_does_not_fit_the_plan_is_refused() {
    let (bytes, other) = (source().bytes(), source().number(2).bytes());
    let plan = planned(&bytes);
    assert!(matches!(derive(&plan, &[1], &bytes, &mut [0; 6], &derivation()), Err(Error::Argument(_))));
    assert!(matches!(derive(&plan, &[0], &bytes, &mut [0; 5], &derivation()), Err(Error::Argument(_))));
    assert!(matches!(derive(&plan, &[], &bytes, &mut [], &derivation()), Err(Error::Argument(_))));
    let changed = derive(&plan, &[0], &other, &mut [0; 6], &derivation()).unwrap_err().to_string();
    assert!(changed.contains("no longer the file that was listed"), "{changed}");
}

proptest! {
    #[test]
    fn damaged_headers_end_in_an_instance_or_an_error(
        changes in prop::collection::vec((132_usize..900, any::<u8>()), 1..12),
        patient_data in any::<bool>(),
    ) {
        let whole = source().nested((0x0008, 0x1140), 3).bytes();
        let mut bytes = whole.clone();
        for (at, value) in changes {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
        }
        let derivation = Derivation { patient_data, ..derivation() };
        let _either = derive(&planned(&whole), &[0], &bytes, &mut [0; 6], &derivation);
    }
}
