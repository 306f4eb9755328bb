//! Files of one instance: copies, and slices whose UIDs do not tell them apart.

mod common;

use common::{inventory, only, refusal};
use tomobasis_dicom::testing::DicomFile;
use tomobasis_dicom::{Compared, Error, NoteKind, SeriesPlan, decode};

const UID: (u16, u16) = (0x0008, 0x0018);

fn slice(number: u32, z: f64) -> DicomFile {
    DicomFile::ct(2, 2, &[number as i16; 4]).number(number).position(0.0, 0.0, z)
}

fn five() -> Vec<DicomFile> {
    (0..5).map(|i| slice(i + 1, 2.5 * f64::from(i))).collect()
}

fn bytes(files: &[DicomFile]) -> Vec<Vec<u8>> {
    files.iter().map(DicomFile::bytes).collect()
}

fn said(plan: &SeriesPlan, kind: NoteKind) -> &str {
    let note = plan.warnings.iter().chain(&plan.left_out).find(|note| note.kind == kind);
    note.map_or("", |note| note.text.as_str())
}

/// What decoding says of the copies in some files.
fn unequal(plan: &SeriesPlan, files: &[Vec<u8>]) -> Vec<(usize, String)> {
    judged(plan, files).unequal
}

fn judged(plan: &SeriesPlan, files: &[Vec<u8>]) -> Compared<String> {
    let comparison = plan.comparison().expect("there are copies");
    let digest = |(place, slice): (usize, &tomobasis_dicom::SlicePlan)| {
        let record = decode(&comparison.plan, place, &files[slice.file], &mut [0; 4]);
        record.map(|record| record.digest).map_err(|error| error.to_string())
    };
    let decoded = comparison.plan.slices.iter().enumerate().map(digest).collect();
    comparison.judge(decoded, |error| error.to_string())
}

/// What would be decomposed of some files.
fn compared(files: &[Vec<u8>]) -> Result<SeriesPlan, Error> {
    let plan = only(files)?;
    plan.compared(&judged(&plan, files))
}

fn nothing() -> Compared<String> {
    Compared { unequal: Vec::new(), apart: Vec::new() }
}

/// A slice under a SOP Instance UID of its own.
fn again(file: &DicomFile, uid: u32) -> DicomFile {
    file.clone().text(UID, "UI", &format!("2.25.900.{uid}"))
}

fn all_again(files: &[DicomFile]) -> Vec<DicomFile> {
    files.iter().zip(1..).map(|(file, uid)| again(file, uid)).collect()
}

#[test]
fn a_copy_is_used_once_and_said_and_its_pixels_are_compared() {
    let mut files = five();
    files.push(slice(2, 2.5));
    let files = bytes(&files);
    let plan = only(&files).unwrap();
    assert_eq!((plan.slices.len(), plan.copies.len(), plan.copies[0].0), (5, 1, 1));
    let listed = inventory(&files).series().remove(0).problems.remove(0);
    assert!(listed.contains("pixels are compared when slices are read"), "{listed}");
    assert_eq!(unequal(&plan, &files), []);
    let compared = plan.compared(&nothing()).unwrap();
    let text = said(&compared, NoteKind::Duplicate);
    assert!(
        text.starts_with(
            "1 slice that repeats another (same SOP Instance UID, header and pixels): file 6 of 6"
        )
    );
    assert_eq!(compared.slices, plan.slices);
}

#[test]
fn a_copy_with_other_pixels_is_an_error_that_names_both_whichever_comes_first() {
    let other = DicomFile::ct(2, 2, &[7; 4]).number(2).position(0.0, 0.0, 2.5);
    for at in [0, 5] {
        let mut files = five();
        files.insert(at, other.clone());
        let files = bytes(&files);
        let found = unequal(&only(&files).unwrap(), &files);
        let [first, second] =
            if at == 0 { ["file 1 of 6", "file 3 of 6"] } else { ["file 2 of 6", "file 6 of 6"] };
        assert!(found.len() == 1 && found[0].0 == 1, "{found:?}");
        let text = &found[0].1;
        assert!(text.starts_with(first) && text.contains(second) && text.contains("but differ"), "{text}");
    }
}

#[test]
fn a_copy_that_is_stored_otherwise_is_a_copy_and_the_same_one_is_used_whatever_the_names() {
    let implicit = slice(2, 2.5).implicit();
    let mut used = Vec::new();
    for at in [0, 5] {
        let mut files = five();
        files.insert(at, implicit.clone());
        let files = bytes(&files);
        let plan = only(&files).unwrap();
        assert_eq!((plan.slices.len(), unequal(&plan, &files).len()), (5, 0));
        used.push(plan.slices[1].transfer_syntax.clone());
    }
    assert_eq!(used[0], used[1]);
}

#[test]
fn two_files_of_one_instance_and_place_whose_headers_differ_are_refused() {
    let mut files = five();
    files.push(slice(2, 2.5).text((0x0028, 0x1052), "DS", "-1000"));
    let text = refusal(&bytes(&files));
    assert!(
        text.contains("file 2 of 6") && text.contains("file 6 of 6") && text.contains("but differ"),
        "{text}"
    );
}

#[test]
fn slices_that_share_a_uid_or_have_none_are_told_apart_by_their_positions() {
    let pattern = |files: Vec<DicomFile>| {
        let plan = only(&bytes(&files)).unwrap();
        assert_eq!((plan.slices.len(), plan.copies.len()), (files.len(), 0));
        let positions: Vec<f64> = plan.slices.iter().map(|slice| slice.position_mm).collect();
        assert!(positions.is_sorted());
        said(&plan, NoteKind::Identity).to_owned()
    };
    let with = |uid: &'static str| move |file: DicomFile| file.text(UID, "UI", uid);
    let same = pattern(five().into_iter().map(with("2.25.9")).collect());
    assert!(same.starts_with("all 5 slices with the same SOP Instance UID: "), "{same}");
    let none = pattern(five().into_iter().map(with("")).collect());
    assert!(none.starts_with("all 5 slices without SOP Instance UID: "), "{none}");
    let two = [five(), vec![slice(2, 100.0)]].concat();
    let two = pattern(two);
    assert!(two.starts_with("2 of 6 slices with a SOP Instance UID that another has too: "), "{two}");
}

#[test]
fn copies_of_slices_without_a_uid_are_copies() {
    let mut files: Vec<DicomFile> = five().into_iter().map(|file| file.without(UID)).collect();
    files.push(files[3].clone());
    let files = bytes(&files);
    let plan = only(&files).unwrap();
    assert_eq!((plan.slices.len(), plan.copies.len(), unequal(&plan, &files).len()), (5, 1, 0));
}

#[test]
fn a_skipped_slice_takes_its_copies_with_it() {
    let files = [five(), five()].concat();
    let plan = only(&bytes(&files)).unwrap();
    let many: Vec<DicomFile> = (0..20).map(|i| slice(i + 1, f64::from(i))).collect();
    let twice = bytes(&[many.clone(), many].concat());
    assert_eq!(plan.copies.len(), 5);
    let plan = only(&twice).unwrap();
    let left = plan
        .compared(&Compared { unequal: vec![(3, "file 4 and file 24".to_owned())], ..nothing() })
        .unwrap();
    assert_eq!((left.slices.len(), left.copies.len()), (19, 19));
    for (slice, copy) in &left.copies {
        assert_eq!(left.slices[*slice].instance_uid, copy.instance_uid);
    }
    assert_eq!(said(&left, NoteKind::Skipped), "skipped: file 4 and file 24");
    assert!(said(&left, NoteKind::Duplicate).starts_with("19 slices that repeat others"));
}

#[test]
fn a_file_that_changed_is_told_by_its_place_where_uids_are_the_same() {
    let files: Vec<DicomFile> = five().into_iter().map(|file| file.text(UID, "UI", "2.25.9")).collect();
    let files = bytes(&files);
    let plan = only(&files).unwrap();
    assert!(decode(&plan, 0, &files[0], &mut [0; 4]).is_ok());
    let error = decode(&plan, 0, &files[1], &mut [0; 4]).unwrap_err();
    assert!(matches!(error, Error::Slice { .. }), "{error}");
}

/// The values of the slices of a plan, in its order.
fn values(plan: &SeriesPlan, files: &[Vec<u8>]) -> Vec<i16> {
    let value = |(place, slice): (usize, &tomobasis_dicom::SlicePlan)| {
        let mut out = [0; 4];
        decode(plan, place, &files[slice.file], &mut out).unwrap();
        out[0]
    };
    plan.slices.iter().enumerate().map(value).collect()
}

#[test]
fn a_scan_that_was_sent_again_under_new_uids_whole_or_in_part_is_used_once_and_said() {
    let scan = five();
    let sent_twice_more =
        [all_again(&scan), scan.iter().zip(50..).map(|(f, uid)| again(f, uid)).collect()].concat();
    // As another sender writes it: other times of the instance, another encoding.
    let stored_otherwise = |file: &DicomFile| {
        let times = [((0x0008, 0x0012), "DA", "20200102"), ((0x0008, 0x0013), "TM", "101500")];
        let window = [((0x0028, 0x1050), "DS", "40"), ((0x0028, 0x1051), "DS", "400")];
        let put = |file: DicomFile, (tag, vr, value)| file.text(tag, vr, value);
        times.into_iter().chain(window).fold(file.clone().implicit(), put)
    };
    let otherwise: Vec<DicomFile> = all_again(&scan).iter().map(stored_otherwise).collect();
    let place = |(file, i): (DicomFile, u8)| file.position(0.0, 0.0005, 2.5 * f64::from(i) + 0.001);
    let rounded: Vec<DicomFile> = all_again(&scan).into_iter().zip(0..).map(place).collect();
    for (more, repeated) in [
        (all_again(&scan), 5),
        (all_again(&scan)[2..].to_vec(), 3),
        (sent_twice_more, 10),
        (otherwise, 5),
        ([all_again(&scan), scan.clone()].concat(), 10),
        (rounded, 5),
    ] {
        for files in [[scan.clone(), more.clone()].concat(), [more, scan.clone()].concat()] {
            let files = bytes(&files);
            let listed = inventory(&files).series();
            assert_eq!((listed.len(), listed[0].slices), (1, 5));
            let plan = compared(&files).unwrap();
            assert_eq!((values(&plan, &files), plan.copies.len()), (vec![1, 2, 3, 4, 5], repeated));
            let text: Vec<&str> = plan.left_out.iter().map(|note| note.text.as_str()).collect();
            assert!(
                text.iter().any(|text| text
                    .contains("sent again under another SOP Instance UID: same position, header and pixels")),
                "{text:?}"
            );
            assert_eq!(said(&plan, NoteKind::SamePosition), "");
        }
    }
}

#[test]
fn which_file_of_a_slice_is_used_does_not_depend_on_names() {
    let scan = five();
    let uids = |files: &[DicomFile]| -> Vec<String> {
        let plan = only(&bytes(files)).unwrap();
        plan.slices.into_iter().map(|slice| slice.instance_uid).collect()
    };
    let (one, other) = ([scan.clone(), all_again(&scan)].concat(), [all_again(&scan), scan].concat());
    assert_eq!(uids(&one), uids(&other));
}

#[test]
fn equal_pixels_at_other_places_or_under_other_numbers_are_no_copies() {
    let air = |number: u32, z: f64| DicomFile::ct(2, 2, &[-1000; 4]).number(number).position(0.0, 0.0, z);
    let apart: Vec<DicomFile> = (0..5).map(|i| air(i + 1, f64::from(i))).collect();
    let plan = only(&bytes(&apart)).unwrap();
    assert_eq!((plan.slices.len(), plan.copies.len()), (5, 0));
    // A time series of one place.
    let times: Vec<DicomFile> = (0..5).map(|i| air(i + 1, 0.0)).collect();
    let plan = only(&bytes(&times)).unwrap();
    assert_eq!((plan.slices.len(), plan.copies.len()), (5, 0));
    // Two volumes.
    let time = |time: &'static str| {
        move |file: &DicomFile| {
            file.clone().text((0x0008, 0x0023), "DA", "20200101").text((0x0008, 0x0033), "TM", time)
        }
    };
    let volumes: Vec<DicomFile> =
        apart.iter().map(time("101500")).chain(all_again(&apart).iter().map(time("101501"))).collect();
    assert!(refusal(&bytes(&volumes)).contains("different times (Content Time)"));
}

#[test]
fn volumes_that_no_header_tells_apart_are_one_matrix_as_long_as_no_slice_is_there_twice() {
    let scan = five();
    let other = |file: DicomFile, i: i16| {
        file.raw((0x7FE0, 0x0010), "OW", [70 + i; 4].into_iter().flat_map(i16::to_le_bytes).collect())
    };
    let second: Vec<DicomFile> =
        all_again(&scan).into_iter().zip(1..).map(|(file, i)| other(file, i)).collect();
    let files = bytes(&[scan.clone(), second.clone()].concat());
    let plan = compared(&files).unwrap();
    assert_eq!(values(&plan, &files), [1, 71, 2, 72, 3, 73, 4, 74, 5, 75]);
    assert_eq!((plan.copies.len(), said(&plan, NoteKind::Duplicate)), (0, ""));
    assert_eq!(said(&plan, NoteKind::SamePosition), "5 slices at the position of the slice before");
    assert_eq!(plan.slice_spacing_mm, Some(2.5));
    // Each of them sent twice.
    let files = bytes(&[scan.clone(), second.clone(), scan.clone(), second.clone()].concat());
    let plan = compared(&files).unwrap();
    assert_eq!((values(&plan, &files).len(), plan.copies.len()), (10, 10));
    // Of a scan that was sent again one slice has become another.
    let mut mixed = all_again(&scan);
    mixed[3] = second[3].clone();
    let files = bytes(&[scan, mixed].concat());
    let plan = only(&files).unwrap();
    let judged = judged(&plan, &files);
    assert_eq!((judged.unequal.len(), judged.unequal[0].0, judged.apart.len()), (1, 3, 0));
    let text = &judged.unequal[0].1;
    assert!(
        text.contains("file 4 of 10") && text.contains("file 9 of 10") && text.contains("sent twice"),
        "{text}"
    );
}

#[test]
fn frames_that_were_sent_again_are_copies_frame_by_frame() {
    let frames: Vec<(f64, &str, &str)> = (0..4).map(|i| (2.0 * f64::from(i), "1", "-1024")).collect();
    let file = DicomFile::ct(2, 2, &(0..16).collect::<Vec<i16>>()).enhanced(&frames);
    let files = bytes(&[file.clone(), again(&file, 1)]);
    let plan = compared(&files).unwrap();
    assert_eq!((values(&plan, &files), plan.copies.len()), (vec![0, 4, 8, 12], 4));
    assert!(said(&plan, NoteKind::Duplicate).starts_with("4 slices that repeat others (sent again"));
}

#[test]
fn a_copy_under_another_series_uid_is_a_series_of_its_own() {
    let scan = five();
    let other = all_again(&scan).into_iter().map(|file| file.text((0x0020, 0x000E), "UI", "2.25.77"));
    let files = bytes(&[scan, other.collect()].concat());
    let listed = inventory(&files).series();
    assert_eq!(listed.iter().map(|series| series.slices).collect::<Vec<_>>(), [5, 5]);
    assert!(refusal(&files).contains("2 series"));
}
