//! Several scans under one Series Instance UID: patients, studies, repeats, passes and parts.

mod common;

use std::collections::HashSet;

use common::volumes::*;
use common::{inventory, only};
use tomobasis_dicom::NoteKind;
use tomobasis_dicom::testing::DicomFile;

const STUDY: Tag = (0x0020, 0x000D);
const PATIENT: Tag = (0x0010, 0x0020);
const THICKNESS: Tag = (0x0018, 0x0050);

#[test]
fn slices_of_two_studies_or_patients_are_never_one_matrix() {
    assert_two("Study Instance UID", of(["2.25.71", "2.25.72"], STUDY, "UI"));
    assert_two("Patient ID", of(["SECRET-1", "SECRET-2"], PATIENT, "LO"));
    // The second follows the first along the table.
    let after = |volume: usize, place: usize, file: DicomFile| {
        let file = file.text(PATIENT, "LO", ["SECRET-1", "SECRET-2"][volume]);
        file.position(0.0, 0.0, 2.5 * (SLICES * volume + place) as f64)
    };
    let files = two(after);
    assert_volumes("patients one after the other", &files, &[volume(0), volume(1)]);
    let shown = format!("{:?} {}", inventory(&files).series(), only(&files).unwrap_err());
    assert!(shown.contains("patient 1 of 2") && !shown.contains("SECRET"), "{shown}");
    // An id must not confirm a guess of the Patient ID.
    let ids = |names: [&'static str; 2]| -> HashSet<String> {
        inventory(&two(of(names, PATIENT, "LO"))).series().into_iter().map(|one| one.id).collect()
    };
    assert_eq!(ids(["SECRET-1", "SECRET-2"]), ids(["X", "Y"]));
    // One that lacks it is the same patient's.
    let absent: Vec<Vec<u8>> = (0..SLICES)
        .map(|place| slice(0, place).text(PATIENT, "LO", if place == 2 { " " } else { "SECRET-1" }).bytes())
        .collect();
    assert_one("no Patient ID in one", &absent);
}

#[test]
fn a_patient_or_study_of_its_own_for_each_slice_is_one_scan_and_said() {
    for (tag, vr, name) in [(STUDY, "UI", "Study Instance UID"), (PATIENT, "LO", "Patient ID")] {
        let files: Vec<Vec<u8>> =
            (0..SLICES).map(|place| slice(0, place).text(tag, vr, &format!("1.{place}")).bytes()).collect();
        let plan = only(&files).unwrap();
        assert_eq!(columns(&plan, &files), volume(0));
        let note = plan.warnings.iter().find(|note| note.kind == NoteKind::Identity).expect(name);
        assert!(
            note.text.starts_with("all 6 slices are of different") && note.text.contains(name),
            "{}",
            note.text
        );
    }
}

#[test]
fn a_scan_repeated_a_little_beside_the_first_is_a_volume_of_its_own() {
    let at = |place: usize, volume: usize, shift: f64| 2.5 * place as f64 + shift * volume as f64;
    for shift in [0.0025, 0.01, 0.3, 0.6, 1.0, 1.25] {
        let files = two(|volume, place, file| {
            let file = file.text(ACQUISITION, "IS", &volume.to_string()).text(THICKNESS, "DS", "2.5");
            file.position(0.0, 0.0, at(place, volume, shift))
        });
        assert_volumes(&format!("{shift} mm"), &files, &[volume(0), volume(1)]);
    }
    // Nothing but the numbers, and no thickness.
    let files = two(|volume, place, file| file.position(0.0, 0.0, at(place, volume, 0.3)));
    assert_volumes("numbers", &files, &[volume(0), volume(1)]);
    // A thin slice every 2.5 mm, in and out of breath: uneven, so no passes of one scan.
    let files = two(|volume, place, file| {
        let file = file.text(ACQUISITION, "IS", &volume.to_string()).text(THICKNESS, "DS", "0.5");
        file.position(0.0, 0.0, at(place, volume, 1.0))
    });
    assert_volumes("thin", &files, &[volume(0), volume(1)]);
    for (tag, vr, values) in [
        (THICKNESS, "DS", ["2.5", "5"]),
        (IMAGE_TYPE, "CS", ["ORIGINAL\\PRIMARY\\AXIAL\\A", "ORIGINAL\\PRIMARY\\AXIAL\\B"]),
    ] {
        let files = two(|volume, place, file| {
            file.text(THICKNESS, "DS", "2.5").text(tag, vr, values[volume]).position(
                0.0,
                0.0,
                at(place, volume, 1.25),
            )
        });
        assert_volumes("half a step", &files, &[volume(0), volume(1)]);
    }
}

#[test]
fn passes_of_one_acquisition_stay_one_volume_and_a_doubt_is_said() {
    let passes = |thickness: Option<&'static str>, count: usize| {
        let files: Vec<Vec<u8>> = (0..12)
            .map(|place| {
                let file = slice(0, place).text(ACQUISITION, "IS", &(place % count).to_string());
                thickness.map_or(file.clone(), |mm| file.text(THICKNESS, "DS", mm)).bytes()
            })
            .collect();
        let plan = only(&files).unwrap();
        assert_eq!(plan.slices.len(), 12);
        plan.warnings.iter().any(|note| note.text.contains("(Acquisition Number) among each other"))
    };
    assert_eq!([2, 3].map(|count| passes(Some("2.5"), count)), [false, false]);
    assert_eq!([2, 3].map(|count| passes(Some("2"), count)), [false, false]);
    assert_eq!([2, 3].map(|count| passes(None, count)), [true, true]);
    // Overlapping slices of one acquisition.
    let overlapping: Vec<Vec<u8>> = (0..12)
        .map(|place| slice(0, place).text(THICKNESS, "DS", "5").text(ACQUISITION, "IS", "3").bytes())
        .collect();
    assert!(only(&overlapping).unwrap().warnings.is_empty());
}

#[test]
fn an_empty_attribute_in_one_slice_splits_nothing() {
    let frame = (0x0020, 0x0052);
    for (tag, vr) in
        [(frame, "UI"), ((0x0008, 0x0060), "CS"), (IMAGE_TYPE, "CS"), ((0x0028, 0x0030), "DS"), (STUDY, "UI")]
    {
        for which in [0, 3] {
            let files: Vec<Vec<u8>> = (0..SLICES)
                .map(|place| {
                    let file = slice(0, place).text(STUDY, "UI", "2.25.71");
                    if place == which { file.text(tag, vr, "").bytes() } else { file.bytes() }
                })
                .collect();
            let plan = only(&files).unwrap_or_else(|error| panic!("{tag:?}: {error}"));
            assert_eq!(columns(&plan, &files), volume(0), "{tag:?}");
            assert_eq!((plan.frame_of_reference_uid.as_str(), plan.modality.as_str()), ("2.25.2", "CT"));
            let whole: Vec<Vec<u8>> = (0..SLICES).map(|place| slice(0, place).bytes()).collect();
            assert_eq!(plan.id, only(&whole).unwrap().id);
        }
    }
    // Two that it might be of, and a scan that holds the same places.
    let files = two(|volume, place, file| {
        let file = file.position(0.0, 0.0, 2.5 * (SLICES * volume + place) as f64);
        file.text(frame, "UI", if place == 2 { "" } else { ["2.25.2", "2.25.3"][volume] })
    });
    assert_eq!(inventory(&files).series().len(), 3);
    let files = two(|volume, _, file| file.text(frame, "UI", ["2.25.2", ""][volume]));
    assert_volumes("without a frame of reference", &files, &[volume(0), volume(1)]);
}

#[test]
fn a_concatenation_is_read_whole_in_order_or_refused() {
    let part = |number: u32, total: Option<u16>| {
        let frames: Vec<(f64, &str, &str)> =
            (0..3).map(|i| (2.5 * f64::from(3 * (number - 1) + i), "1", "0")).collect();
        let pixels: Vec<i16> = (0..12).map(|i| (3 * (number - 1) + i / 4) as i16).collect();
        let file =
            DicomFile::ct(2, 2, &pixels).number(number).enhanced(&frames).text((0x0020, 0x0013), "IS", "1");
        let file = file.text((0x0020, 0x9161), "UI", "2.25.8").short((0x0020, 0x9162), number as u16);
        let file = file.raw((0x0020, 0x9228), "UL", (3 * (number - 1)).to_le_bytes().to_vec());
        total.map_or(file.clone(), |total| file.short((0x0020, 0x9163), total)).bytes()
    };
    for total in [Some(3), None] {
        let whole = [3, 1, 2].map(|number| part(number, total)).to_vec();
        assert_eq!(columns(&only(&whole).unwrap(), &whole), (0..9).collect::<Vec<i16>>());
    }
    for files in [vec![part(1, Some(2))], vec![part(2, None)], vec![part(1, None), part(3, None)]] {
        let listed = inventory(&files).series().remove(0).problems.join(" ");
        for text in [only(&files).unwrap_err().to_string(), listed] {
            assert!(text.contains("a part of an image that was written in"), "{text}");
        }
    }
}

#[test]
fn an_error_lists_the_first_series_and_counts_the_others() {
    let files: Vec<Vec<u8>> = (0..25)
        .map(|i| {
            slice(0, i).text(SERIES, "UI", &format!("2.25.6.{i}")).text(STUDY, "UI", &i.to_string()).bytes()
        })
        .collect();
    let text = only(&files).unwrap_err().to_string();
    assert!(text.contains("25 series") && text.ends_with("and 5 more: see tomobasis inspect"), "{text}");
    assert_eq!(text.lines().count(), 22);
}
