//! `--on-bad-slice skip`: what is left out, what is reported, and when it is refused.

mod common;

use common::{inventory, only};
use tomobasis_dicom::testing::DicomFile;
use tomobasis_dicom::{Error, NoteKind, SeriesChoice, SeriesPlan};

const SLICES: u32 = 30;

/// Slices at 0, 2, 4, ... mm; those in `bad` without a rescale slope that can be read.
fn scan(bad: &[u32]) -> Vec<Vec<u8>> {
    let slice = |number: u32| {
        let file = DicomFile::ct(1, 2, &[number as i16, 7]).number(number + 1).position(
            0.0,
            0.0,
            f64::from(2 * number),
        );
        if bad.contains(&number) { file.text((0x0028, 0x1053), "DS", "1,5").bytes() } else { file.bytes() }
    };
    (0..SLICES).map(slice).collect()
}

fn skipping(files: &[Vec<u8>]) -> Result<SeriesPlan, Error> {
    let mut inventory = inventory(files);
    inventory.skip_bad_slices();
    inventory.select(&SeriesChoice::Only)
}

fn numbers(plan: &SeriesPlan) -> Vec<i64> {
    plan.slices.iter().filter_map(|slice| slice.instance_number).collect()
}

fn said(plan: &SeriesPlan, kind: NoteKind) -> Vec<&str> {
    let notes = plan.left_out.iter().chain(&plan.warnings).filter(|note| note.kind == kind);
    notes.map(|note| note.text.as_str()).collect()
}

#[test]
fn a_bad_slice_is_an_error_unless_it_may_be_skipped() {
    let files = scan(&[4]);
    assert!(only(&files).unwrap_err().to_string().starts_with("file 5 of 30 (id "));
    let plan = skipping(&files).unwrap();
    assert_eq!((plan.slices.len(), numbers(&plan).contains(&5)), (29, false));
    let skipped = said(&plan, NoteKind::Skipped);
    assert!(skipped.len() == 1 && skipped[0].starts_with("skipped: file 5 of 30 (id "), "{skipped:?}");
    assert!(skipped[0].contains("Rescale Slope (0028,1053)"), "{skipped:?}");
    assert!(said(&plan, NoteKind::Gap)[0].contains("1 of 28 steps"), "{:?}", plan.warnings);
    assert_eq!(plan.slice_spacing_mm, Some(2.0));
    assert_eq!(skipping(&scan(&[])).unwrap(), only(&scan(&[])).unwrap());
}

#[test]
fn slices_found_bad_when_decoded_leave_the_plan_that_those_found_before_would() {
    let listed = skipping(&scan(&[4, 20])).unwrap();
    let plan = only(&scan(&[])).unwrap();
    let decoded = plan.without(&[(4, "one".to_owned()), (20, "two".to_owned())]).unwrap();
    assert_eq!(numbers(&decoded), numbers(&listed));
    assert_eq!(decoded.warnings, listed.warnings);
    assert_eq!(said(&decoded, NoteKind::Skipped), ["skipped: one", "skipped: two"]);
}

#[test]
fn consecutive_ones_and_more_than_a_tenth_are_not_skipped() {
    let hole = skipping(&scan(&[4, 5])).unwrap_err();
    assert!(
        hole.to_string().contains("without 2 of 30 slices, consecutive ones are up to 6 mm apart where 2 mm"),
        "{hole}"
    );
    let many = skipping(&scan(&[4, 8, 12, 16])).unwrap_err();
    assert!(many.to_string().contains("4 of 30 slices cannot be used, more than a tenth"), "{many}");
    let all: Vec<u32> = (0..SLICES).collect();
    assert!(skipping(&scan(&all)).is_err());
    let plan = skipping(&scan(&[4, 8])).unwrap();
    let more = plan.without(&[(9, "a".to_owned()), (14, "b".to_owned())]).unwrap_err();
    assert!(more.to_string().contains("4 of 30"), "{more}");
}

#[test]
fn consecutive_ones_at_an_end_are_not_skipped_either() {
    for bad in [vec![0, 1], vec![28, 29], vec![0, 28, 29]] {
        let error = skipping(&scan(&bad)).unwrap_err().to_string();
        assert!(error.contains("2 consecutive ones are missing at an end"), "{bad:?}: {error}");
        let found: Vec<_> = bad.iter().map(|&slice| (slice as usize, "bad".to_owned())).collect();
        assert_eq!(only(&scan(&[])).unwrap().without(&found).unwrap_err().to_string(), error);
    }
    // One of them when the headers are read, the other when pixels are decoded.
    let error = skipping(&scan(&[0])).unwrap().without(&[(0, "bad".to_owned())]).unwrap_err().to_string();
    assert!(error.contains("2 consecutive ones are missing at an end"), "{error}");
    // One at each end.
    let plan = skipping(&scan(&[0, 29])).unwrap();
    assert_eq!(plan.slices.len(), 28);
    assert_eq!(plan.without(&[(9, "bad".to_owned())]).unwrap().slices.len(), 27);
}

#[test]
fn bad_slices_of_unknown_place_are_where_there_is_room_or_at_an_end() {
    let scan = |bad: &[u32]| {
        let mut files = scan(&[]);
        let lost = |bytes: &mut Vec<u8>| {
            bytes.truncate(bytes.windows(4).position(|tag| tag == b"\x20\0\x32\0").unwrap())
        };
        bad.iter().for_each(|&slice| lost(&mut files[slice as usize]));
        files
    };
    assert_eq!(skipping(&scan(&[4, 20])).unwrap().slices.len(), 28);
    assert_eq!(skipping(&scan(&[29])).unwrap().slices.len(), 29);
    assert_eq!(skipping(&scan(&[4, 29])).unwrap().slices.len(), 28);
    let error = skipping(&scan(&[28, 29])).unwrap_err().to_string();
    assert!(error.contains("2 consecutive ones are missing at an end of the scan, or may be"), "{error}");
}

#[test]
fn all_frames_of_a_bad_file_are_missing_and_not_one() {
    let frames = |from: u32, count: u32| {
        let places: Vec<_> = (from..from + count).map(|i| (f64::from(2 * i), "1", "0")).collect();
        DicomFile::ct(1, 2, &vec![5; 2 * count as usize]).number(from + 1).enhanced(&places)
    };
    // Video, which no decoder here reads.
    let bad = |file: DicomFile| file.encapsulated("1.2.840.10008.1.2.4.100", &[&[0; 8]]).bytes();
    let error = skipping(&[frames(0, 38).bytes(), bad(frames(38, 2))]).unwrap_err().to_string();
    assert!(error.contains("2 consecutive ones are missing at an end"), "{error}");
}

#[test]
fn a_file_that_may_hold_any_number_of_slices_is_not_skipped_and_one_that_says_how_many_counts_so_often() {
    let frames = |from: u32, count: u32| {
        let frames: Vec<(f64, &str, &str)> =
            (from..from + count).map(|i| (2.0 * f64::from(i), "1", "0")).collect();
        let pixels: Vec<i16> = (0..2 * count as i16).collect();
        DicomFile::ct(1, 2, &pixels).number(from + 1).enhanced(&frames)
    };
    // No Columns: the header is broken, whatever the frames are.
    let broken = |file: DicomFile| file.without((0x0028, 0x0011));
    let with = |bad: DicomFile| {
        let files: Vec<Vec<u8>> = [frames(0, 30), bad, frames(31, 30)].iter().map(DicomFile::bytes).collect();
        skipping(&files)
    };
    assert_eq!(with(broken(frames(30, 1))).unwrap().skipped, 1);
    let refused = |bad: DicomFile| with(bad).unwrap_err().to_string();
    assert!(refused(broken(frames(30, 9))).contains("9 of 69 slices cannot be used"));
    for count in ["", "0", "many", "99999"] {
        let text = refused(broken(frames(30, 9)).text((0x0028, 0x0008), "IS", count));
        assert!(
            text.contains("file 2 of 3 (id ") && text.contains("may hold any number of slices"),
            "{count}: {text}"
        );
    }
    // Cut before it says what it is, beside files of one slice and of many.
    let cut = frames(30, 9).bytes()[..260].to_vec();
    let mut several = scan(&[]);
    several[7] = cut.clone();
    assert_eq!(skipping(&several).unwrap().skipped, 1);
    let many = [frames(0, 30).bytes(), cut, frames(40, 30).bytes()];
    assert!(skipping(&many).unwrap_err().to_string().contains("may hold any number of slices"));
}
