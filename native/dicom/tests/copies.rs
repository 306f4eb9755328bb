//! Files of one instance: copies, and slices whose UIDs do not tell them apart.

mod common;

use common::{inventory, only, refusal};
use tomobasis_dicom::testing::DicomFile;
use tomobasis_dicom::{Error, NoteKind, SeriesPlan, decode};

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
    let comparison = plan.comparison().expect("there are copies");
    let digest = |(place, slice): (usize, &tomobasis_dicom::SlicePlan)| {
        decode(&comparison.plan, place, &files[slice.file], &mut [0; 4]).map(|record| record.digest)
    };
    let decoded = comparison.plan.slices.iter().enumerate().map(digest).collect();
    comparison.unequal(decoded).into_iter().map(|(slice, error)| (slice, error.to_string())).collect()
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
    let compared = plan.compared(&[]).unwrap();
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
    let left = plan.compared(&[(3, "file 4 and file 24".to_owned())]).unwrap();
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
