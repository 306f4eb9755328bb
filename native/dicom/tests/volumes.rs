//! Several volumes in one series: what splits them, what does not, and how one or all are chosen.

mod common;

use std::collections::HashSet;

use common::{inventory, only};
use tomobasis_dicom::testing::DicomFile;
use tomobasis_dicom::{Error, Inventory, NoteKind, SeriesChoice, SeriesPlan, decode};

type Tag = (u16, u16);
const SERIES: Tag = (0x0020, 0x000E);
const IMAGE_TYPE: Tag = (0x0008, 0x0008);
const KERNEL: Tag = (0x0018, 0x1210);
const KVP: Tag = (0x0018, 0x0060);
const ACQUISITION: Tag = (0x0020, 0x0012);
const SLICES: usize = 6;

/// Slice `place` of volume `volume`; every pixel of it is `100 * volume + place`.
fn slice(volume: usize, place: usize) -> DicomFile {
    let value = (100 * volume + place) as i16;
    DicomFile::ct(2, 2, &[value; 4]).number((volume * SLICES + place + 1) as u32).position(
        0.0,
        0.0,
        2.5 * place as f64,
    )
}

/// Two volumes of [`SLICES`] places, each slice as `dress` changes it.
fn two(dress: impl Fn(usize, usize, DicomFile) -> DicomFile) -> Vec<Vec<u8>> {
    let all = (0..2).flat_map(|volume| (0..SLICES).map(move |place| (volume, place)));
    all.map(|(volume, place)| dress(volume, place, slice(volume, place)).bytes()).collect()
}

/// The stored pixels of a plan, one value for each slice.
fn columns(plan: &SeriesPlan, files: &[Vec<u8>]) -> Vec<i16> {
    let column = |(i, slice): (usize, &tomobasis_dicom::SlicePlan)| {
        let mut out = vec![0; plan.pixels()];
        decode(plan, i, &files[slice.file], &mut out).unwrap();
        assert!(out.iter().all(|&pixel| pixel == out[0]));
        out[0]
    };
    plan.slices.iter().enumerate().map(column).collect()
}

fn joined(files: &[Vec<u8>]) -> SeriesPlan {
    let mut inventory = inventory(files);
    inventory.join();
    inventory.select(&SeriesChoice::Only).unwrap()
}

fn by_id(inventory: &Inventory, id: &str) -> SeriesPlan {
    inventory.select(&SeriesChoice::Uid(id.to_owned())).unwrap()
}

/// The volumes that the files must be listed as, in any order: the values of their columns.
fn assert_volumes(what: &str, files: &[Vec<u8>], volumes: &[Vec<i16>]) {
    let inventory = inventory(files);
    let listed = inventory.series();
    let ids: HashSet<&str> = listed.iter().map(|one| one.id.as_str()).collect();
    assert_eq!((listed.len(), ids.len()), (volumes.len(), volumes.len()), "{what}: {listed:#?}");
    let mut found: Vec<Vec<i16>> =
        listed.iter().map(|one| columns(&by_id(&inventory, &one.id), files)).collect();
    found.sort();
    assert_eq!(found, volumes, "{what}");
}

fn volume(volume: i16) -> Vec<i16> {
    (0..SLICES as i16).map(|place| 100 * volume + place).collect()
}

/// Two volumes that `name` tells apart: listed, refused together, chosen by id, and joined.
fn assert_two(name: &str, dress: impl Fn(usize, usize, DicomFile) -> DicomFile) {
    let files = two(dress);
    assert_volumes(name, &files, &[volume(0), volume(1)]);
    let listed = inventory(&files).series();
    assert!(listed.iter().all(|one| one.problems.iter().any(|text| text.contains(name))), "{listed:#?}");
    let error = inventory(&files).select(&SeriesChoice::Only).unwrap_err();
    assert!(matches!(error, Error::Mixed { .. }), "{name}: {error}");
    let text = error.to_string();
    assert!(text.contains(name) && text.contains("--join") && text.contains(&listed[0].id), "{text}");
    let error = inventory(&files).select(&SeriesChoice::Largest).unwrap_err();
    assert!(matches!(error, Error::EquallyLarge { count: 2, slices: SLICES, .. }), "{error}");

    let all = joined(&files);
    let both: Vec<i16> = (0..SLICES as i16).flat_map(|place| [place, 100 + place]).collect();
    assert_eq!(columns(&all, &files), both, "{name}");
    let note = all.warnings.iter().find(|note| note.kind == NoteKind::Joined).expect(name);
    assert!(note.text.contains("2 volumes") && note.text.contains(name), "{}", note.text);
}

/// Slices that are one series of so many.
fn assert_one(what: &str, files: &[Vec<u8>]) {
    let plan = only(files).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(plan.slices.len(), files.len(), "{what}");
}

fn of(
    values: [&'static str; 2],
    tag: Tag,
    vr: &'static str,
) -> impl Fn(usize, usize, DicomFile) -> DicomFile {
    move |volume, _, file| file.text(tag, vr, values[volume])
}

fn double(tag: Tag, values: [f64; 2]) -> impl Fn(usize, usize, DicomFile) -> DicomFile {
    move |volume, _, file| file.raw(tag, "FD", values[volume].to_le_bytes().to_vec())
}

fn mr(file: DicomFile) -> DicomFile {
    file.text((0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.4").text((0x0008, 0x0060), "CS", "MR")
}

#[test]
fn volumes_of_one_series_are_told_apart_by_each_attribute_that_says_so() {
    assert_two("Convolution Kernel", of(["B30f", "B70f"], KERNEL, "SH"));
    assert_two("KVP", of(["80", "140"], KVP, "DS"));
    assert_two("Acquisition Number", of(["1", "2"], ACQUISITION, "IS"));
    assert_two("Temporal Position", of(["1", "2"], (0x0020, 0x0100), "IS"));
    assert_two("Trigger Time", of(["0", "400"], (0x0018, 0x1060), "DS"));
    assert_two("Cardiac Phase", double((0x0020, 0x9241), [35.0, 75.0]));
    assert_two("Respiratory Phase", double((0x0020, 0x9245), [0.0, 50.0]));
    assert_two("Rescale Type", of(["HU", "US"], (0x0028, 0x1054), "LO"));
    assert_two("Echo Numbers", of(["1", "2"], (0x0018, 0x0086), "IS"));
    assert_two("Echo Time", of(["4.76", "9.52"], (0x0018, 0x0081), "DS"));
    assert_two("Inversion Time", of(["100", "900"], (0x0018, 0x0082), "DS"));
    assert_two("Flip Angle", of(["5", "26"], (0x0018, 0x1314), "DS"));
    assert_two("b-value", double((0x0018, 0x9087), [0.0, 1000.0]));
    assert_two("Slice Thickness", of(["1", "5"], (0x0018, 0x0050), "DS"));
    assert_two(
        "Image Type",
        of(["ORIGINAL\\PRIMARY\\AXIAL\\DE A", "ORIGINAL\\PRIMARY\\AXIAL\\DE B"], IMAGE_TYPE, "CS"),
    );
    assert_two(
        "SOP classes",
        of(["1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.77"], (0x0008, 0x0016), "UI"),
    );
    assert_two("Frame Reference Time", of(["0", "60000"], (0x0054, 0x1300), "DS"));
    assert_two("Acquisition DateTime", |volume, _, file| {
        file.text((0x0008, 0x002A), "DT", ["20200101235959", "20200102000010.5"][volume])
    });
    assert_two("Instance Number", |_, _, file| file);
}

#[test]
fn gradient_directions_and_times_that_differ_by_slice_are_told_apart() {
    assert_two("Diffusion Gradient Orientation", |volume, _, file| {
        let axis = [[1.0_f64, 0.0, 0.0], [0.0, 0.6, 0.8]][volume];
        file.raw((0x0018, 0x9089), "FD", axis.into_iter().flat_map(f64::to_le_bytes).collect())
    });
    // Phase after phase at one place before the table moves, so that no two slices share a time.
    assert_two("Content Time", |volume, place, file| {
        file.text((0x0008, 0x0023), "DA", "20200101")
            .text((0x0008, 0x0033), "TM", &format!("1200{:02}.5", 2 * place + volume))
            .number((100 - 10 * place + volume) as u32)
    });
    // Pass after pass.
    assert_two("Acquisition DateTime", |volume, place, file| {
        file.text((0x0008, 0x0022), "DA", "20200101").text(
            (0x0008, 0x0032),
            "TM",
            &format!("12{:02}{:02}", volume, 5 * place),
        )
    });
}

#[test]
fn parts_of_complex_images_are_told_apart_however_they_are_said() {
    let name = "Complex Image Component";
    assert_two(name, |volume, _, file| mr(file).text((0x0008, 0x9208), "CS", ["MAGNITUDE", "PHASE"][volume]));
    for kinds in [["M\\ND", "P\\ND"], ["M_FFE\\M\\FFE", "PHASE MAP\\P\\FFE"], ["R", "I"]] {
        assert_two(name, |volume, _, file| {
            mr(file).text(IMAGE_TYPE, "CS", &format!("ORIGINAL\\PRIMARY\\{}", kinds[volume]))
        });
    }
    // GE's private Raw Data Type.
    assert_two(name, |volume, _, file| {
        mr(file).text((0x0043, 0x0010), "LO", "GEMS_PARM_01").raw(
            (0x0043, 0x102F),
            "SS",
            vec![volume as u8, 0],
        )
    });
    // Also where no place is held twice: values of another meaning are no slices between.
    let files = two(|volume, place, file| {
        let file = mr(file).text((0x0008, 0x9208), "CS", ["MAGNITUDE", "PHASE"][volume]);
        file.position(0.0, 0.0, 50.0 * volume as f64 + 2.5 * place as f64)
    });
    assert_volumes("phase beside", &files, &[volume(0), volume(1)]);
}

#[test]
fn values_that_cannot_be_compared_are_never_one_matrix() {
    let raw = |file: DicomFile| file.without((0x0028, 0x1052)).without((0x0028, 0x1053));
    assert_two("Rescale Slope and Intercept", |volume, _, file| match volume {
        0 => raw(file),
        _ => file.text((0x0028, 0x1052), "DS", "-1024"),
    });
    // A header without a rescale means the same values as one with slope 1 and intercept 0.
    let files: Vec<Vec<u8>> = (0..SLICES)
        .map(|place| if place % 2 == 0 { raw(slice(0, place)) } else { slice(0, place) }.bytes())
        .collect();
    assert_one("identity rescale", &files);
    let files: Vec<Vec<u8>> = (0..SLICES)
        .map(|place| {
            slice(0, place).text((0x0028, 0x1052), "DS", if place == 2 { "0" } else { "-1000" }).bytes()
        })
        .collect();
    assert_one("intercepts that vary", &files);
}

#[test]
fn three_volumes_of_two_attributes_are_three_series() {
    let files: Vec<Vec<u8>> = (0..3)
        .flat_map(|volume| (0..SLICES).map(move |place| (volume, place)))
        .map(|(volume, place)| {
            let file = slice(volume, place).text(KERNEL, "SH", ["B30f", "B30f", "B70f"][volume]);
            file.text(ACQUISITION, "IS", ["1", "2", "2"][volume]).bytes()
        })
        .collect();
    assert_volumes("kernel and acquisition", &files, &[volume(0), volume(1), volume(2)]);
    let labels = |files: &[Vec<u8>]| -> HashSet<String> {
        inventory(files).series().iter().map(|one| one.part.join(", ")).collect()
    };
    let alike = two(of(["80.0001", "80.0002"], KVP, "DS"));
    assert_eq!(labels(&alike), ["tube voltage 1 of 2", "tube voltage 2 of 2"].map(str::to_owned).into());
    let expected =
        ["kernel 1 of 2, acquisition 1 of 2", "kernel 1 of 2, acquisition 2 of 2", "kernel 2 of 2"];
    assert_eq!(labels(&files), expected.map(str::to_owned).into());
}

#[test]
fn reconstructions_at_other_steps_and_nearly_the_same_places_are_told_apart() {
    // Kernel B70f every 1.5 mm where B30f is every 2.5 mm: only places 0 and 7.5 are in both.
    let at = |volume: usize, place: usize| place as f64 * [2.5, 1.5][volume];
    let files = two(|volume, place, file| {
        file.text(KERNEL, "SH", ["B30f", "B70f"][volume]).position(0.0, 0.0, at(volume, place))
    });
    assert_volumes("steps", &files, &[volume(0), volume(1)]);
    assert_two("Acquisition Number", |volume, place, file| {
        file.text(ACQUISITION, "IS", ["1", "2"][volume]).position(
            0.0,
            0.0,
            2.5 * place as f64 + 0.001 * volume as f64,
        )
    });
}

#[test]
fn what_varies_within_one_volume_does_not_split_it() {
    let places = 0..12_usize;
    let all = |dress: &dyn Fn(usize, DicomFile) -> DicomFile| -> Vec<Vec<u8>> {
        places.clone().map(|place| dress(place, slice(0, place)).bytes()).collect()
    };
    // Bed positions or breath-holds, one after the other along the table.
    assert_one("acquisitions", &all(&|place, file| file.text(ACQUISITION, "IS", &(place / 4).to_string())));
    // Interleaved acquisition of odd and even slices.
    assert_one("packages", &all(&|place, file| file.text(ACQUISITION, "IS", &(place % 2).to_string())));
    assert_one(
        "content times",
        &all(&|place, file| {
            file.text((0x0008, 0x0023), "DA", "20200101").text(
                (0x0008, 0x0033),
                "TM",
                &format!("1200{place:02}"),
            )
        }),
    );
    assert_one(
        "trigger times",
        &all(&|place, file| file.text((0x0018, 0x1060), "DS", &(place % 3).to_string())),
    );
    assert_one(
        "image types",
        &all(&|place, file| {
            file.text(
                IMAGE_TYPE,
                "CS",
                ["ORIGINAL\\PRIMARY\\AXIAL", "ORIGINAL\\PRIMARY\\AXIAL\\HELIX"][place % 2],
            )
        }),
    );
    // Another voltage or kernel further down the table, and a header without one.
    let plan =
        only(&all(&|place, file| file.text(KVP, "DS", if place < 6 { "100" } else { "120" }))).unwrap();
    assert!(
        plan.warnings.iter().any(|note| note.text.contains("tube voltages (KVP)")),
        "{:?}",
        plan.warnings
    );
    assert_one(
        "kernel missing",
        &all(&|place, file| if place % 2 == 0 { file.text(KERNEL, "SH", "B30f") } else { file }),
    );
    // One slice taken again, and steps that overlap at their ends.
    let mut retaken = all(&|_, file| file.text(ACQUISITION, "IS", "1"));
    retaken.push(slice(1, 3).number(50).text(ACQUISITION, "IS", "2").bytes());
    assert_one("retake", &retaken);
    let overlap: Vec<Vec<u8>> = (0..12_usize)
        .map(|i| {
            slice(i / 6, i % 6).text(ACQUISITION, "IS", &(i / 6).to_string()).position(
                0.0,
                0.0,
                (i - i / 6) as f64,
            )
        })
        .map(|file| file.bytes())
        .collect();
    assert_one("overlap", &overlap);
    // All at one place: a time series, which is one matrix.
    assert_one(
        "one place",
        &all(&|place, file| file.position(0.0, 0.0, 5.0).text((0x0020, 0x0100), "IS", &place.to_string())),
    );
}

#[test]
fn two_passes_over_several_bed_positions_are_two_volumes() {
    let dress = |volume: usize, place: usize, file: DicomFile| {
        file.text(ACQUISITION, "IS", &(3 * volume + place / 2 + 1).to_string())
    };
    assert_two("Acquisition Number", dress);
}

#[test]
fn the_id_of_a_part_joins_its_series_and_the_id_of_the_whole_lists_its_parts() {
    let files = two(of(["1", "2"], ACQUISITION, "IS"));
    let parts = inventory(&files);
    let id = parts.series()[0].id.clone();
    let mut all = inventory(&files);
    all.join();
    assert_eq!(by_id(&all, &id).slices.len(), 2 * SLICES);
    let whole = all.series()[0].id.clone();
    assert_ne!(whole, id);
    let error = parts.select(&SeriesChoice::Uid(whole)).unwrap_err();
    assert!(matches!(error, Error::Mixed { .. }), "{error}");
}

#[test]
fn a_part_keeps_its_copies_and_what_is_left_out_is_counted() {
    let mut files = two(of(["B30f", "B70f"], KERNEL, "SH"));
    files.push(files[8].clone());
    let inventory = inventory(&files);
    let plans: Vec<SeriesPlan> = inventory.series().iter().map(|one| by_id(&inventory, &one.id)).collect();
    for plan in &plans {
        let text = |kind| plan.left_out.iter().find(|note| note.kind == kind).map(|note| note.text.clone());
        assert_eq!(text(NoteKind::OtherSeries).unwrap(), "6 slices of other series or volumes");
        assert_eq!(text(NoteKind::Duplicate).is_some(), plan.slices.iter().any(|slice| slice.file == 8));
    }
}

#[test]
fn slices_with_a_series_of_their_own_are_one_series_and_said() {
    let own = |place: usize| slice(0, place).text(SERIES, "UI", &format!("2.25.5.{place}")).bytes();
    let mut files: Vec<Vec<u8>> = (0..SLICES).map(own).collect();
    files.push(files[2].clone());
    for choice in [SeriesChoice::Only, SeriesChoice::Largest, SeriesChoice::Uid("2.25.5.3".to_owned())] {
        let plan = inventory(&files).select(&choice).unwrap();
        assert_eq!(columns(&plan, &files), volume(0));
        let note = plan.warnings.iter().find(|note| note.kind == NoteKind::SeriesUids).unwrap();
        assert!(
            note.text.starts_with("all 6 slices have a Series Instance UID of their own"),
            "{}",
            note.text
        );
    }
    // Not of another study, nor at one place, nor of a numbered series of its own.
    for (tag, vr) in [((0x0020, 0x000D), "UI"), ((0x0020, 0x0011), "IS")] {
        let files: Vec<Vec<u8>> = (0..SLICES)
            .map(|place| {
                slice(0, place)
                    .text(SERIES, "UI", &format!("2.25.5.{place}"))
                    .text(tag, vr, &place.to_string())
                    .bytes()
            })
            .collect();
        assert!(matches!(only(&files), Err(Error::SeveralSeries { count: SLICES, .. })));
        assert!(matches!(inventory(&files).select(&SeriesChoice::Largest), Err(Error::EquallyLarge { .. })));
    }
    let files: Vec<Vec<u8>> = (0..SLICES)
        .map(|i| slice(0, i).position(0.0, 0.0, 1.0).text(SERIES, "UI", &format!("2.25.5.{i}")).bytes())
        .collect();
    assert!(matches!(only(&files), Err(Error::SeveralSeries { count: SLICES, .. })));
}

#[test]
fn series_that_differ_by_less_than_their_ids_show_have_ids_of_their_own() {
    // 0.1 % of the spacing apart, and the same in thousandths of a millimetre.
    let spacings = ["0.0001\\0.0001", "0.00012\\0.00012", "0.0004\\0.0004"];
    let files: Vec<Vec<u8>> =
        (0..9).map(|i| slice(0, i).text((0x0028, 0x0030), "DS", spacings[i / 3]).bytes()).collect();
    assert_volumes("spacings", &files, &[vec![0, 1, 2], vec![3, 4, 5], vec![6, 7, 8]]);
    let inventory = inventory(&files);
    let plan = by_id(&inventory, &inventory.series()[0].id);
    let text = &plan.left_out.iter().find(|note| note.kind == NoteKind::OtherSeries).unwrap().text;
    assert_eq!(text, "6 slices of other series or volumes");
}

#[test]
fn the_only_volume_is_used_although_it_is_derived_and_a_localizer_never() {
    let typed = |kind: &str| -> Vec<Vec<u8>> {
        (0..SLICES).map(|place| slice(0, place).text(IMAGE_TYPE, "CS", kind).bytes()).collect()
    };
    let mut files = typed("DERIVED\\SECONDARY\\MPR");
    files.push(slice(1, 1).text(IMAGE_TYPE, "CS", "ORIGINAL\\PRIMARY\\LOCALIZER").bytes());
    for choice in [SeriesChoice::Only, SeriesChoice::Largest] {
        let plan = inventory(&files).select(&choice).unwrap();
        assert_eq!(columns(&plan, &files), volume(0));
        assert!(plan.warnings.iter().any(|note| note.kind == NoteKind::Derived), "{:?}", plan.warnings);
    }
    // Beside originals it is left out as before.
    files.push(slice(2, 0).text(SERIES, "UI", "2.25.9").bytes());
    assert_eq!(only(&files).unwrap().slices.len(), 1);
    let error = only(&typed("ORIGINAL\\PRIMARY\\LOCALIZER")).unwrap_err();
    assert!(matches!(error, Error::OnlyLeftOut { .. }), "{error}");
}

#[test]
fn a_mosaic_is_refused_by_name() {
    let files: Vec<Vec<u8>> = (0..SLICES)
        .map(|place| mr(slice(0, place)).text(IMAGE_TYPE, "CS", "ORIGINAL\\PRIMARY\\M\\ND\\MOSAIC").bytes())
        .collect();
    let error = only(&files).unwrap_err().to_string();
    assert!(error.contains("mosaic") && error.contains("5 more files"), "{error}");
}

#[test]
fn the_parts_do_not_depend_on_the_order_of_files() {
    let files = two(of(["1", "2"], ACQUISITION, "IS"));
    let forward = inventory(&files).series();
    let mut backward = Inventory::new();
    for (i, file) in files.iter().enumerate().rev() {
        backward.add(i, &format!("scan/{i}.dcm"), file.len() as u64, file).unwrap();
    }
    assert_eq!(backward.series(), forward);
}

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
