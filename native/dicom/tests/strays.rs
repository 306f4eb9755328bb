//! What lies beside a series: what stops nothing is reported, what might be a slice of it stops it.

mod common;

use common::{inventory, only, refusal};
use tomobasis_dicom::testing::DicomFile;
use tomobasis_dicom::{NoteKind, SeriesChoice, SeriesPlan, Unread};

const SERIES: (u16, u16) = (0x0020, 0x000E);
const UID: (u16, u16) = (0x0008, 0x0018);
const PIXELS: (u16, u16) = (0x7FE0, 0x0010);

fn slice(number: u32) -> DicomFile {
    DicomFile::ct(2, 2, &[number as i16; 4]).number(number).position(0.0, 0.0, 2.5 * f64::from(number))
}

/// Twelve slices without some.
fn series_without(missing: &[u32]) -> Vec<Vec<u8>> {
    (1..=12).filter(|number| !missing.contains(number)).map(|number| slice(number).bytes()).collect()
}

/// A file truncated this many bytes after the beginning of its Series Instance UID.
fn cut_at(file: &DicomFile, more: usize) -> Vec<u8> {
    let mut bytes = file.bytes();
    let series = bytes.windows(6).position(|at| at == b"\x20\0\x0E\0UI").unwrap();
    bytes.truncate(series + more);
    bytes
}

fn cut(file: &DicomFile) -> Vec<u8> {
    cut_at(file, 10)
}

fn said(plan: &SeriesPlan, kind: NoteKind) -> Vec<&str> {
    let notes = plan.left_out.iter().chain(&plan.warnings).filter(|note| note.kind == kind);
    notes.map(|note| note.text.as_str()).collect()
}

fn beside(stray: Vec<u8>, missing: &[u32]) -> Vec<Vec<u8>> {
    let mut files = series_without(missing);
    files.push(stray);
    files
}

#[test]
fn strays_stop_no_series_and_are_said() {
    let nowhere = |file: DicomFile| file.without(SERIES).position(0.0, 0.0, -300.0);
    let strays = [
        (cut(&slice(40)), NoteKind::Stray, "of no series"),
        (nowhere(slice(40)).without(PIXELS).bytes(), NoteKind::Stray, "of no series"),
        (nowhere(slice(40)).bytes(), NoteKind::OtherSeries, "1 slice without Series Instance UID"),
        (nowhere(slice(40)).text(SERIES, "UI", "").bytes(), NoteKind::OtherSeries, "1 slice without"),
        (
            slice(40).text(SERIES, "UI", "2.25.8").without(PIXELS).bytes(),
            NoteKind::OtherSeries,
            "1 unusable file",
        ),
        (slice(40).bytes()[..140].to_vec(), NoteKind::Stray, "of no series"),
    ];
    for (stray, kind, words) in strays {
        let files = beside(stray, &[]);
        let inventory = inventory(&files);
        for choice in [SeriesChoice::Only, SeriesChoice::Largest, SeriesChoice::Uid("2.25.1".to_owned())] {
            let plan = inventory.select(&choice).unwrap();
            assert_eq!(plan.slices.len(), 12);
            assert!(said(&plan, kind)[0].contains(words), "{words}: {:?}", plan.left_out);
        }
    }
}

#[test]
fn what_might_be_a_slice_of_the_series_stops_it() {
    // Cut off where a position is missing, and where only the first number is.
    for (missing, more) in [(5, 0), (5, 3), (5, 9), (1, 0)] {
        let text = refusal(&beside(cut_at(&slice(missing), more), &[missing]));
        assert!(text.starts_with("file 12 of 12") && text.contains("truncated"), "{text}");
    }
    // In order but for its Series Instance UID, in a hole and at the end.
    for missing in [5, 12] {
        let text = refusal(&beside(slice(missing).without(SERIES).bytes(), &[missing]));
        assert!(text.contains("it has no Series Instance UID (0020,000E)"), "{text}");
    }
    let pixels = slice(13).without(PIXELS);
    assert!(refusal(&beside(pixels.bytes(), &[])).contains("it has no pixel data"));
    let mut many = series_without(&[]);
    many.extend((20..31).map(|number| cut(&slice(number))));
    assert!(refusal(&many).contains("and 10 more files"));
}

#[test]
fn a_broken_copy_of_a_slice_stops_nothing() {
    let mut short = slice(4).bytes();
    short.truncate(short.len() - 3);
    for copy in [cut(&slice(4)), short, slice(4).without(PIXELS).bytes()] {
        let plan = only(&beside(copy, &[])).unwrap();
        assert_eq!(plan.slices.len(), 12);
        assert!(
            said(&plan, NoteKind::Stray)[0].ends_with("with the SOP Instance UID of a slice that is used"),
            "{:?}",
            plan.left_out
        );
    }
    // Not where one UID is all slices'.
    let same: Vec<Vec<u8>> = (1..=12).map(|number| slice(number).text(UID, "UI", "2.25.9").bytes()).collect();
    let lost = slice(13).text(UID, "UI", "2.25.9").without(PIXELS);
    assert!(refusal(&[same, vec![lost.bytes()]].concat()).contains("it has no pixel data"));
}

#[test]
fn a_file_that_cannot_be_opened_stops_a_series_with_room_for_it() {
    let stop = |missing: &[u32]| {
        let mut inventory = inventory(&series_without(missing));
        inventory.add_unread(12, "locked", Some(1000), Unread::File("permission denied".to_owned()));
        inventory.select(&SeriesChoice::Only)
    };
    let plan = stop(&[]).unwrap();
    assert!(said(&plan, NoteKind::Stray)[1].contains("cannot be opened (permission denied)"));
    assert!(stop(&[5]).unwrap_err().to_string().starts_with("file 13 of 13"));
}

#[test]
fn slices_without_a_series_are_one_where_there_is_no_other() {
    let files: Vec<Vec<u8>> = (1..=12).map(|number| slice(number).without(SERIES).bytes()).collect();
    let plan = only(&files).unwrap();
    assert_eq!(plan.slices.len(), 12);
    assert_eq!(
        said(&plan, NoteKind::Identity),
        ["all 12 slices without Series Instance UID: taken as one series"]
    );
}

#[test]
fn two_broken_files_of_another_series_are_a_second_series() {
    let other = |number| slice(number).text(SERIES, "UI", "2.25.8").without(PIXELS).bytes();
    let files = [series_without(&[]), vec![other(1), other(2)]].concat();
    assert!(refusal(&files).starts_with("file 13 of 14"));
}

#[test]
fn files_into_which_nothing_was_written_count_as_broken_ones() {
    let marked = [vec![0; 128], b"DICM".to_vec(), vec![0; 600]].concat();
    for blank in [vec![], vec![0; 700], marked] {
        let plan = only(&beside(blank.clone(), &[])).unwrap();
        assert_eq!(plan.slices.len(), 12);
        assert!(said(&plan, NoteKind::Stray)[0].contains("of no series"), "{:?}", plan.left_out);
        let text = refusal(&beside(blank, &[6]));
        assert!(
            text.contains("file 12 of 12") && text.contains("the file is empty, or holds zeros"),
            "{text}"
        );
    }
}
