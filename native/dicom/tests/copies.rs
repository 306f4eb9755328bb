//! Files of one instance: copies, and slices whose UIDs do not tell them apart.

mod common;

use common::{inventory, only, refusal};
use tomobasis_dicom::testing::DicomFile;
use tomobasis_dicom::{Error, FileBytes, Inventory, NoteKind, SeriesChoice, SeriesPlan, SliceFile, decode};

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
    let decoded = entries(&comparison.plan, files).map(|digest| digest.map_err(|error| error.to_string()));
    comparison.judge(decoded.collect(), |error| error.to_string())
}

/// The digests of the entries of all slices of a plan.
fn entries(plan: &SeriesPlan, files: &[Vec<u8>]) -> impl Iterator<Item = Result<[u8; 32], Error>> {
    let entries = |(place, slice): (usize, &tomobasis_dicom::SlicePlan)| {
        SliceFile::open(FileBytes::whole(&files[slice.file])).entries(plan, place, &mut [0; 4])
    };
    plan.slices.iter().enumerate().map(entries)
}

/// The inventory of some files, with the pixels that it asks for.
fn knowing(files: &[Vec<u8>]) -> Inventory {
    let mut inventory = inventory(files);
    for plan in inventory.repeats() {
        let digests: Vec<_> = entries(&plan, files).map(Result::ok).collect();
        inventory.know(&plan, &digests);
    }
    inventory
}

/// What would be decomposed of some files.
fn compared(files: &[Vec<u8>]) -> Result<SeriesPlan, Error> {
    let plan = knowing(files).select(&SeriesChoice::Only)?;
    match plan.comparison() {
        Some(_) => plan.compared(&unequal(&plan, files)),
        None => Ok(plan),
    }
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
    assert_eq!((plan.slices.len(), plan.copies.len(), plan.copies[0].of), (5, 1, 1));
    let listed = inventory(&files).series().remove(0).problems.remove(0);
    assert!(listed.contains("pixels are compared when slices are read"), "{listed}");
    assert_eq!(unequal(&plan, &files), []);
    let compared = plan.compared(&[]).unwrap();
    let text = said(&compared, NoteKind::Duplicate);
    assert!(text.starts_with("1 slice that repeats another (same SOP Instance UID and pixels): file 6 of 6"));
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
    for one in &left.copies {
        assert_eq!(left.slices[one.of].instance_uid, one.copy.instance_uid);
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
            let listed = knowing(&files).series();
            assert_eq!((listed.len(), listed[0].slices), (1, 5));
            let plan = compared(&files).unwrap();
            assert_eq!((values(&plan, &files), plan.copies.len()), (vec![1, 2, 3, 4, 5], repeated));
            let text: Vec<&str> = plan.left_out.iter().map(|note| note.text.as_str()).collect();
            assert!(
                text.iter().any(|text| text
                    .contains("sent again under another SOP Instance UID: same position and pixels")),
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
        let plan = compared(&bytes(files)).unwrap();
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

/// A slice with other pixels.
fn other(file: &DicomFile, value: i16) -> DicomFile {
    file.clone().raw((0x7FE0, 0x0010), "OW", [value; 4].into_iter().flat_map(i16::to_le_bytes).collect())
}

fn all_other(files: &[DicomFile]) -> Vec<DicomFile> {
    all_again(files).iter().zip(71..).map(|(file, value)| other(file, value)).collect()
}

const NUMBER: (u16, u16) = (0x0020, 0x0013);

#[test]
fn slices_with_other_pixels_at_some_or_all_positions_are_an_error_and_with_join_one_matrix() {
    let scan = five();
    let numbers = |all: &[DicomFile], number: &str| -> Vec<DicomFile> {
        all.iter().map(|file| file.clone().text(NUMBER, "IS", number)).collect()
    };
    let anew = |all: &[DicomFile]| -> Vec<DicomFile> {
        all.iter().zip(100..).map(|(file, i)| file.clone().text(NUMBER, "IS", &i.to_string())).collect()
    };
    let second = all_other(&scan);
    let mut changed = all_again(&scan);
    changed[3] = second[3].clone();
    for (more, at, first, last) in [
        (second.clone(), 5, 1, 6),
        (numbers(&second, ""), 5, 1, 6),
        (numbers(&second, "3"), 5, 1, 6),
        (second[2..3].to_vec(), 1, 3, 6),
        (anew(&second)[..2].to_vec(), 2, 1, 6),
        (anew(&second)[1..].to_vec(), 4, 2, 6),
        (changed, 1, 4, 9),
    ] {
        let files = bytes(&[scan.clone(), more.clone()].concat());
        let error = compared(&files).unwrap_err();
        let text = error.to_string();
        let count = files.len();
        for word in [
            format!("file {first} of {count} "),
            format!("file {last} of {count} "),
            format!("(so at {at} of 5 positions)"),
            "--join".to_owned(),
        ] {
            assert!(text.contains(&word), "{word}: {text}");
        }
        let listed = knowing(&files).series();
        assert_eq!((listed.len(), listed[0].problems[0].as_str()), (1, text.as_str()));
        let mut joined = knowing(&files);
        joined.join();
        let plan = joined.select(&SeriesChoice::Only).unwrap();
        assert_eq!((plan.slices.len(), plan.copies.len()), (count, 0));
        let repeated = format!("{} slice", more.len());
        assert!(said(&plan, NoteKind::SamePosition).starts_with(&repeated));
        // Nearly all or consecutive ones: no slices that can be skipped.
        let mut skipping = knowing(&files);
        skipping.skip_bad_slices();
        assert_eq!(skipping.select(&SeriesChoice::Only).unwrap_err(), error);
    }
}

#[test]
fn one_disputed_slice_of_many_can_be_skipped() {
    let scan: Vec<DicomFile> = (0..20).map(|i| slice(i + 1, 2.5 * f64::from(i))).collect();
    let files = bytes(&[scan.clone(), vec![other(&again(&scan[7], 1), 99)]].concat());
    let mut inventory = knowing(&files);
    inventory.skip_bad_slices();
    let plan = inventory.select(&SeriesChoice::Only).unwrap();
    assert_eq!((plan.slices.len(), plan.skipped), (19, 1));
    assert!(plan.slices.iter().all(|slice| slice.file != 7 && slice.file != 20));
    let text = said(&plan, NoteKind::Skipped);
    assert!(text.starts_with("skipped: file 8 of 21 ") && text.contains("file 21 of 21 "), "{text}");
}

#[test]
fn pixels_of_slices_that_were_sent_again_are_asked_for_once() {
    let scan = five();
    let thrice: Vec<DicomFile> = scan.iter().zip(50..).map(|(file, uid)| again(file, uid)).collect();
    let files = bytes(&[scan.clone(), all_again(&scan), thrice].concat());
    let inventory = inventory(&files);
    let repeats = inventory.repeats();
    let mut asked: Vec<_> = repeats.iter().flat_map(|plan| &plan.slices).map(|slice| slice.file).collect();
    asked.sort_unstable();
    assert_eq!(asked, (0..15).collect::<Vec<_>>());
    let plan = knowing(&files).select(&SeriesChoice::Only).unwrap();
    assert_eq!((plan.slices.len(), plan.copies.len()), (5, 10));
    assert_eq!(plan.comparison(), None);
}

#[test]
fn attributes_that_enter_no_entry_of_the_matrix_make_no_other_slice_and_the_rescale_is_part_of_the_entry() {
    let text = |tag, vr, value| move |file: DicomFile| file.text(tag, vr, value);
    let bits = |file: DicomFile| file.bits(16, 14, true);
    let stored = |file: DicomFile, value: i16, slope: &str, intercept: &str| {
        let file = other(&file, value);
        file.text((0x0028, 0x1053), "DS", slope).text((0x0028, 0x1052), "DS", intercept)
    };
    let scan: Vec<DicomFile> =
        (0..5).map(|i| stored(slice(i + 1, 2.5 * f64::from(i)), 60 + i as i16, "1", "-24")).collect();
    let again: Vec<DicomFile> = all_again(&scan);
    let each =
        |change: &dyn Fn(DicomFile) -> DicomFile| again.iter().cloned().map(change).collect::<Vec<_>>();
    for more in [
        each(&text((0x0018, 0x1151), "IS", "210")),
        each(&text((0x0018, 0x9345), "FD", "")),
        each(&|file| file.without((0x0028, 0x1054))),
        each(&text((0x0020, 0x0037), "DS", "0.999999\\0\\0\\0\\1\\0")),
        each(&text((0x0018, 0x1210), "SH", "")),
        each(&bits),
        each(&|file| file.raw((0x0028, 0x0120), "SS", (-2000_i16).to_le_bytes().to_vec())),
        // 2 x + 7 for x - 24 of twice as many and more.
        again.iter().zip(0..).map(|(file, i)| stored(file.clone(), 2 * (60 + i) - 62, "0.5", "7")).collect(),
    ] {
        for more in [more.clone(), more[1..2].to_vec(), more[..4].to_vec()] {
            let files = bytes(&[scan.clone(), more.clone()].concat());
            let plan = compared(&files).unwrap();
            assert_eq!((plan.slices.len(), plan.copies.len()), (5, more.len()));
            assert_eq!(said(&plan, NoteKind::SamePosition), "");
        }
    }
    // Stored pixels that are the same, and entries that are not; pixels that are padding in one file only.
    for more in [
        stored(again[2].clone(), 62, "1", "-25"),
        again[2].clone().raw((0x0028, 0x0120), "SS", 62_i16.to_le_bytes().to_vec()),
    ] {
        let error = compared(&bytes(&[scan.clone(), vec![more]].concat())).unwrap_err();
        assert!(matches!(error, Error::DuplicateSlice { at: 1, positions: 5, .. }), "{error}");
    }
}

#[test]
fn one_instance_whose_headers_differ_is_a_copy_where_the_entries_are_known_to_be_the_same() {
    let mut files = five();
    files.push(slice(2, 2.5).text((0x0018, 0x1151), "IS", "210"));
    let plan = compared(&bytes(&files)).unwrap();
    assert_eq!((plan.slices.len(), plan.copies.len()), (5, 1));
    files[5] = other(&files[5], 7);
    assert!(matches!(compared(&bytes(&files)), Err(Error::DuplicateInstance { .. })));
}

#[test]
fn acquisitions_that_overlap_and_a_time_series_at_one_place_stay_slices() {
    let acquired = |file: &DicomFile, time: &str| {
        file.clone().text((0x0008, 0x0022), "DA", "20200101").text((0x0008, 0x0032), "TM", time)
    };
    let scan: Vec<DicomFile> = five().iter().map(|file| acquired(file, "101500")).collect();
    let overlap = acquired(&other(&again(&scan[4], 1), 99), "101510");
    let plan = compared(&bytes(&[scan, vec![overlap]].concat())).unwrap();
    assert_eq!(said(&plan, NoteKind::SamePosition), "1 slice at the position of the slice before");
    let times: Vec<DicomFile> =
        (1..6).map(|i| other(&slice(i, 0.0), 10 * i as i16).text(NUMBER, "IS", "1")).collect();
    assert_eq!(compared(&bytes(&times)).unwrap().slices.len(), 5);
}

#[test]
fn two_turns_that_agree_in_most_slices_are_said_to_be_one_scan() {
    let scan = five();
    let mut second: Vec<DicomFile> = all_again(&scan);
    second[3] = other(&second[3], 99);
    let second: Vec<DicomFile> =
        second.into_iter().zip(100..).map(|(file, i)| file.text(NUMBER, "IS", &i.to_string())).collect();
    let inventory = knowing(&bytes(&[scan, second].concat()));
    let said = "4 of 5 slices have the same position and pixels, as if one scan had been sent twice and 1 slice had changed (file ";
    let error = inventory.select(&SeriesChoice::Only).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, Error::Mixed { .. }) && text.contains(said), "{text}");
    assert!(text.contains("file 4 of 10 ") && text.contains("file 9 of 10 "), "{text}");
    for one in inventory.series() {
        assert!(one.problems[0].contains(said), "{:?}", one.problems);
        let plan = inventory.select(&SeriesChoice::Uid(one.id)).unwrap();
        assert_eq!(plan.slices.len(), 5);
        assert!(plan.left_out.iter().any(|note| note.text.contains(said)), "{:?}", plan.left_out);
    }
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
