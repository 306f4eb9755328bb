//! Derived multi-frame instances: which frames they have, what they say of each, what their pixels are.

mod common;

use common::{count, derivation, inventory, only, with_image};
use proptest::prelude::*;
use tomobasis_dicom::derived::{Derivation, DerivedInstance, DerivedSyntax, check_source, derive};
use tomobasis_dicom::testing::{DicomFile, elements};
use tomobasis_dicom::{
    Error, FileBytes, HeaderOutcome, NoteKind, SeriesChoice, SeriesPlan, SliceFile, SliceHeader, read_header,
};

const FRAMES: [(f64, &str, &str); 3] = [(5.0, "1", "-1024"), (0.0, "2", "-1000.5"), (2.5, "1", "0")];
/// Stored values of the derived frames, in the order of the file.
const STORED: [i16; 18] = [10, 11, 12, 13, 14, 15, 20, 21, 22, 23, 24, 25, 30, 31, 32, 33, 34, 35];
const PER_FRAME: (u16, u16) = (0x5200, 0x9230);
const NUMBER: [u8; 8] = *b"\x08\x00\x60\x11IS\x02\x00";
const INDEX: [u8; 8] = *b"\x20\x00\x57\x91UL\x08\x00";

fn scan() -> DicomFile {
    DicomFile::ct(2, 3, &[7; 18])
        .enhanced(&FRAMES)
        .text((0x0008, 0x0008), "CS", "ORIGINAL\\PRIMARY\\VOLUME\\NONE")
        .text((0x0008, 0x0023), "DA", "20200102")
        .text((0x0020, 0x9161), "UI", "2.25.8")
}

fn planned(file: &DicomFile) -> SeriesPlan {
    only(&[file.bytes()]).expect("the source is read")
}

fn derive_from(file: &DicomFile, how: &Derivation) -> DerivedInstance {
    let (plan, bytes) = (planned(file), file.bytes());
    let opened = SliceFile::open(FileBytes::whole(&bytes));
    let digest = |slice| opened.decode(&plan, slice, &mut vec![0; plan.pixels()]).unwrap().digest;
    let how = Derivation { digests: (0..plan.slices.len()).map(digest).collect(), ..how.clone() };
    derive(&plan, &plan.slices_by_file()[0], &bytes, &mut STORED.to_vec(), &how).unwrap()
}

fn headers(instance: &DerivedInstance) -> Vec<SliceHeader> {
    match read_header(&instance.file, instance.file.len() as u64) {
        HeaderOutcome::Slices(frames) => frames,
        other => panic!("{other:?}"),
    }
}

/// Stored values of every frame, by the crate's own reader.
fn stored(instance: &DerivedInstance) -> Vec<i16> {
    let uid = headers(instance)[0].series_instance_uid.clone();
    let plan = inventory(std::slice::from_ref(&instance.file)).select(&SeriesChoice::Uid(uid)).unwrap();
    let opened = SliceFile::open(FileBytes::whole(&instance.file));
    let frame = |(slice, digest): (usize, &[u8; 32])| {
        let mut out = vec![0; plan.pixels()];
        assert_eq!(opened.decode(&plan, slice, &mut out).unwrap().digest, *digest);
        out
    };
    plan.slices_by_file()[0].iter().copied().zip(&instance.pixels).flat_map(frame).collect()
}

#[test]
fn frames_keep_their_order_their_place_and_their_rescale() {
    for syntax in [DerivedSyntax::Explicit, DerivedSyntax::JpegLs] {
        let new = derive_from(&scan(), &Derivation { syntax, ..derivation() });
        assert_eq!(stored(&new), STORED, "{syntax:?}");
        let HeaderOutcome::Slices(old) = read_header(&scan().bytes(), scan().bytes().len() as u64) else {
            panic!("the source is read")
        };
        let kept = |header: &SliceHeader| {
            (header.sop_class_uid.clone(), header.position_mm, header.orientation, header.rescale)
        };
        assert_eq!(
            headers(&new).iter().map(kept).collect::<Vec<_>>(),
            old.iter().map(kept).collect::<Vec<_>>()
        );
    }
}

#[test]
fn compressed_frames_are_found_by_a_table_of_offsets() {
    let new = derive_from(&scan(), &Derivation { syntax: DerivedSyntax::JpegLs, ..derivation() });
    let at = headers(&new)[0].pixel_offset as usize;
    assert_eq!(new.file[at..at + 12], *b"\xFE\xFF\x00\xE0\x0C\0\0\0\0\0\0\0");
    let second = u32::from_le_bytes(new.file[at + 12..at + 16].try_into().unwrap()) as usize;
    let first_item = at + 8 + 12;
    // The first frame begins at the offset 0, each with the start of a JPEG-LS image.
    for offset in [0, second] {
        let item = &new.file[first_item + offset..];
        assert_eq!((&item[..4], &item[8..10]), (&b"\xFE\xFF\x00\xE0"[..], &b"\xFF\xD8"[..]));
    }
}

#[test]
fn the_instance_and_each_frame_say_from_what_they_are_derived() {
    let new = derive_from(&scan(), &derivation());
    for frame in headers(&new) {
        assert_eq!(frame.image_type, ["DERIVED", "PRIMARY", "VOLUME", "ADDITION"]);
    }
    assert_eq!(count(&new.file, b"ORIGINAL"), 0);
    assert_eq!(count(&new.file, b"DERIVED\\PRIMARY\\VOLUME\\ADDITION"), 4);
    assert_eq!(count(&new.file, b"Pixel by pixel addition"), 3);
    for number in [b"1 ", b"2 ", b"3 "] {
        assert_eq!(count(&new.file, &[&NUMBER[..], number].concat()), 1);
    }
    // The source is named by each frame, and once with its series.
    assert_eq!((count(&new.file, b"2.25.100.1"), count(&new.file, b"UI\x06\x002.25.1")), (4, 1));
    assert_eq!(count(&new.file, b"20200102"), 1, "the class asks for a content date");
    assert_eq!(count(&new.file, b"\x20\x00\x61\x91UI"), 0, "it is no part of a concatenation");
}

#[test]
fn what_the_source_was_derived_from_is_not_repeated() {
    let old = elements(&[((0x0008, 0x9124), "SQ", b"")]);
    let file = scan().sequence((0x5200, 0x9229), &[[old, shared()].concat()]);
    assert_eq!(count(&file.bytes(), b"\x08\x00\x24\x91"), 1);
    let new = derive_from(&file, &derivation());
    assert_eq!(count(&new.file, b"\x08\x00\x24\x91"), 3);
}

/// What the frames of [`scan`] share.
fn shared() -> Vec<u8> {
    let item = |content: Vec<u8>| {
        [b"\xFE\xFF\x00\xE0", &(content.len() as u32).to_le_bytes()[..], &content].concat()
    };
    let orientation = item(elements(&[((0x0020, 0x0037), "DS", b"1\\0\\0\\0\\1\\0")]));
    let spacing = item(elements(&[((0x0028, 0x0030), "DS", b"0.5\\0.5")]));
    elements(&[((0x0020, 0x9116), "SQ", &orientation), ((0x0028, 0x9110), "SQ", &spacing)])
}

#[test]
fn frames_that_are_not_of_the_series_are_left_out_and_the_others_counted_anew() {
    let file = scan().short((0x0028, 0x6010), 2);
    let mut plan = planned(&file);
    // In series order: frames 1, 2, 0. The first in space is left out.
    plan.slices.remove(0);
    let slices = plan.slices_by_file()[0].clone();
    assert_eq!(slices, [1, 0]);
    let new = derive(&plan, &slices, &file.bytes(), &mut STORED[..12].to_vec(), &derivation()).unwrap();
    assert_eq!(stored(&new), STORED[..12]);
    let places: Vec<f64> = headers(&new).iter().map(|frame| frame.position_mm[2]).collect();
    assert_eq!(places, [5.0, 2.5]);
    for (number, new_index) in [(b"1 ", 1), (b"3 ", 2)] {
        assert_eq!(count(&new.file, &[&NUMBER[..], number].concat()), 1);
        let index = [&INDEX[..], &[1, 0, 0, 0, new_index, 0, 0, 0]].concat();
        assert_eq!(count(&new.file, &index), 1);
        let in_stack = [b"\x20\x00\x57\x90UL\x04\x00", &[new_index, 0, 0, 0][..]].concat();
        assert_eq!(count(&new.file, &in_stack), 1);
    }
    assert_eq!(count(&new.file, b"\x28\x00\x10\x60"), 0, "the representative frame has another number");
    let all = derive_from(&file, &derivation());
    assert_eq!(count(&all.file, b"\x28\x00\x10\x60"), 1);
}

#[test]
fn one_frame_of_an_enhanced_class_is_a_multi_frame_instance() {
    let file = DicomFile::ct(2, 3, &[7; 6]).enhanced(&FRAMES[..1]);
    let new = derive(&planned(&file), &[0], &file.bytes(), &mut STORED[..6].to_vec(), &derivation()).unwrap();
    assert_eq!(stored(&new), STORED[..6]);
    assert_eq!(headers(&new)[0].image_type, ["DERIVED", "PRIMARY", "VOLUME", "ADDITION"]);
}

#[test]
fn padding_is_that_of_each_frame() {
    let mut pixels = [7; 18];
    (pixels[1], pixels[12]) = (-2000, -2000);
    let file = DicomFile::ct(2, 3, &pixels).enhanced(&FRAMES);
    let file = file.raw((0x0028, 0x0120), "SS", (-2000_i16).to_le_bytes().to_vec());
    let mut expected = STORED;
    (expected[1], expected[12]) = (-2000, -2000);
    assert_eq!(stored(&derive_from(&file, &derivation())), expected);
}

#[test]
fn a_derived_series_of_lossy_frames_is_no_original() {
    let lossy = scan().text((0x0028, 0x2110), "CS", "01");
    let new = derive_from(&lossy, &derivation());
    assert!(headers(&new)[0].lossy);
    let plan = only(&[lossy.bytes(), new.file.clone()]).unwrap();
    assert_eq!((plan.slices.len(), plan.series_instance_uid.as_str()), (3, "2.25.1"));
    assert!(only(&[new.file]).unwrap().warnings.iter().any(|note| note.kind == NoteKind::Derived));
}

/// Compression alone derives frames of which nothing was calculated.
#[test]
fn frames_that_compression_alone_derived_are_originals() {
    let mut changed = scan().text((0x0028, 0x2110), "CS", "01").bytes();
    while let Some(at) = changed.windows(9).position(|window| window == b"ORIGINAL\\") {
        changed.splice(at..at + 8, *b"DERIVED ");
    }
    assert_eq!(only(&[changed]).unwrap().slices.len(), 3);
}

#[test]
fn without_patient_data_functional_groups_are_cleaned_too() {
    let frame = elements(&[
        ((0x0018, 0x9074), "DT", b"20200102030405"),
        ((0x0020, 0x9158), "LT", b"ZZYZX was restless"),
        ((0x0008, 0x3010), "UI", b"1.2.3.4711"),
    ]);
    let item = [b"\xFE\xFF\x00\xE0", &(frame.len() as u32).to_le_bytes()[..], &frame].concat();
    let group = |z: &str| {
        let place = elements(&[((0x0020, 0x0032), "DS", format!("0\\0\\{z}").as_bytes())]);
        let place = [b"\xFE\xFF\x00\xE0", &(place.len() as u32).to_le_bytes()[..], &place].concat();
        elements(&[((0x0020, 0x9111), "SQ", &item), ((0x0020, 0x9113), "SQ", &place)])
    };
    let file = scan().sequence(PER_FRAME, &[group("0"), group("2"), group("1")]);
    let secrets: [&[u8]; 6] =
        [b"ZZYZX", b"20200102", b"1.2.3.4711", b"2.25.100.1", b"UI\x06\x002.25.1", b"DOE"];
    for secret in secrets {
        let kept = derive_from(&file, &derivation());
        assert!(count(&kept.file, secret) > 0);
        let clean = derive_from(&file, &Derivation { patient_data: false, ..derivation() });
        assert_eq!(count(&clean.file, secret), 0, "{}", String::from_utf8_lossy(secret));
        assert_eq!(stored(&clean), STORED);
        assert_eq!(count(&clean.file, b"\x18\x00\x74\x90DT\x0E\x0019000101000000"), 3);
        assert_eq!(count(&clean.file, b"\x08\x00\x23\x00DA\x08\x0019000101"), 1);
    }
}

#[test]
fn slices_that_are_not_one_file_are_refused() {
    let file = scan();
    let plan = planned(&file);
    for slices in [&[0, 1][..], &[0, 1, 2], &[2, 0, 9]] {
        let mut stored = vec![0; 6 * slices.len()];
        let refused = derive(&plan, slices, &file.bytes(), &mut stored, &derivation());
        assert!(matches!(refused, Err(Error::Argument(_))), "{slices:?}");
    }
    let fewer = DicomFile::ct(2, 3, &[7; 12]).enhanced(&FRAMES[..2]).bytes();
    let error = derive(&plan, &[2, 0, 1], &fewer, &mut STORED.to_vec(), &derivation()).unwrap_err();
    assert!(error.to_string().contains("no longer the file that was listed"), "{error}");
}

#[test]
fn an_instance_of_four_gibibytes_is_for_jpeg_ls_alone() {
    let file = with_image(1, 12).enhanced(&[(0.0, "1", "0"), (1.0, "1", "0")]);
    let mut plan = planned(&file.raw((0x7FE0, 0x0010), "OW", vec![0; 4]));
    assert_eq!(check_source(&plan, DerivedSyntax::Explicit), Ok(()));
    (plan.rows, plan.columns) = (32768, 32768);
    assert!(check_source(&plan, DerivedSyntax::Explicit).is_err());
    assert_eq!(check_source(&plan, DerivedSyntax::JpegLs), Ok(()));
}

proptest! {
    #[test]
    fn damaged_groups_end_in_an_instance_or_an_error(
        changes in prop::collection::vec((132_usize..1800, any::<u8>()), 1..12),
        patient_data in any::<bool>(),
    ) {
        let mut bytes = scan().bytes();
        for (at, value) in changes {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
        }
        let derivation = Derivation { patient_data, ..derivation() };
        let plan = planned(&scan());
        let _either = derive(&plan, &plan.slices_by_file()[0], &bytes, &mut STORED.to_vec(), &derivation);
    }
}
