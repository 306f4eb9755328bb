//! Several volumes in one series: what splits them, what does not, and how one or all are chosen.

mod common;

use std::collections::HashSet;

use common::volumes::*;
use common::{inventory, only};
use tomobasis_dicom::testing::DicomFile;
use tomobasis_dicom::{Error, Inventory, NoteKind, SeriesChoice, SeriesPlan};

#[test]
fn volumes_of_one_series_are_told_apart_by_each_attribute_that_says_so() {
    assert_two("Convolution Kernel", of(["B30f", "B70f"], KERNEL, "SH"));
    assert_two("KVP", of(["80", "140"], KVP, "DS"));
    assert_two("Acquisition Number", of(["1", "2"], ACQUISITION, "IS"));
    assert_two("Temporal Position", of(["1", "2"], (0x0020, 0x0100), "IS"));
    assert_two("Trigger Time", of(["0", "400"], (0x0018, 0x1060), "DS"));
    assert_two("Cardiac Phase", single((0x0020, 0x9241), [35.0, 75.0]));
    assert_two("Respiratory Phase", single((0x0020, 0x9245), [0.0, 50.0]));
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
        let copied = plan.slices.iter().any(|slice| slice.file == 8);
        let others = if copied { SLICES } else { SLICES + 1 };
        assert_eq!(
            text(NoteKind::OtherSeries).unwrap(),
            format!("{others} slices of other series or volumes")
        );
        assert_eq!(text(NoteKind::Duplicate).is_some(), copied);
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
    // 0.1 % of the spacing apart, and the same in thousandths of a millimeter.
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

/// A scan, and the same again 0.5 mm beside it, without the slices of the second that are left out.
fn repeated_beside(left_out: &[usize]) -> Vec<Vec<u8>> {
    let beside = |volume: usize, place: usize, file: DicomFile| {
        file.position(0.0, 0.0, 2.5 * place as f64 + 0.5 * volume as f64)
    };
    let files = two(beside).into_iter().enumerate();
    files.filter(|(i, _)| !left_out.iter().any(|place| *i == SLICES + place)).map(|(_, file)| file).collect()
}

#[test]
fn a_scan_repeated_beside_itself_is_no_matrix_when_slices_are_missing() {
    assert_volumes("whole", &repeated_beside(&[]), &[volume(0), volume(1)]);
    for (left_out, found) in [(&[3][..], 5), (&[0], 5), (&[5], 5), (&[1, 3, 4], 3)] {
        let files = repeated_beside(left_out);
        let error = only(&files).unwrap_err();
        assert!(
            matches!(&error, Error::RepeatedBeside { at, positions: 6, mm, .. } if *at == found && **mm == *"0.5"),
            "{error}"
        );
        let text = error.to_string();
        assert!(text.matches(" (id ").count() == 2 && text.contains("--join"), "{text}");
        assert!(inventory(&files).series()[0].problems.contains(&text));
        assert_eq!(joined(&files).slices.len(), files.len());
    }
    // Fewer are slices like others.
    assert_one("few", &repeated_beside(&[1, 2, 3, 4]));
}

#[test]
fn a_bad_slice_does_not_make_one_matrix_of_a_scan_and_its_repetition() {
    let mut files = repeated_beside(&[]);
    let short = files[9].len() - 2;
    files[9].truncate(short);
    let mut inventory = inventory(&files);
    inventory.skip_bad_slices();
    let error = inventory.select(&SeriesChoice::Only).unwrap_err();
    assert!(matches!(error, Error::RepeatedBeside { .. } | Error::Mixed { .. }), "{error}");
}
