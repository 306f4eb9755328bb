//! Real scanners' folders, where they lie beside the repository: what is not there is reported as ignored. Their pixels are
//! compared with pydicom's in `tests/input`.

mod common;

use std::path::Path;

use common::{contents, inventory, only, read_folder, shared};
use libtest_mimic::{Arguments, Failed, Trial};
use tomobasis_dicom::{NoteKind, decode};

const HEAD: &str = "philips_head_phantom_axial_S2020";
const TILT: &str = "philips_tilt_S21610";
const SYNTAXES: &str = "codec_ct";

fn main() {
    let tests = [
        ("a_head_scan_is_found_among_scout_and_directory", HEAD, head_scan as fn(&Path)),
        ("a_tilted_scan_is_read_and_its_tilt_reported", TILT, tilted_scan),
        ("one_image_is_the_same_in_fifteen_syntaxes", SYNTAXES, fifteen_syntaxes),
        ("a_real_folder_is_listed_with_the_scanners_settings", HEAD, settings),
    ];
    let trials = tests.map(|(name, data, test)| {
        let folder = shared(data);
        let absent = folder.is_none();
        let run = move || folder.map(|folder| test(&folder)).ok_or_else(|| Failed::from(data));
        Trial::test(name, run).with_ignored_flag(absent)
    });
    libtest_mimic::run(&Arguments::from_args(), trials.into()).exit();
}

fn head_scan(folder: &Path) {
    let files = read_folder(folder);
    let plan = only(&contents(&files)).unwrap();
    assert_eq!((plan.slices.len(), plan.rows, plan.columns), (100, 512, 512));
    assert_eq!(plan.slice_spacing_mm.map(|mm| (mm * 1e3).round()), Some(1000.0));
    assert!(plan.warnings.is_empty(), "{:?}", plan.warnings);
    let left_out: Vec<NoteKind> = plan.left_out.iter().map(|note| note.kind).collect();
    assert_eq!(left_out, [NoteKind::NotImages, NoteKind::NotImages, NoteKind::Localizer]);
}

fn tilted_scan(folder: &Path) {
    let files = read_folder(folder);
    let plan = only(&contents(&files)).unwrap();
    assert_eq!(plan.slices.len(), 58);
    assert!((plan.tilt_degrees - 16.5).abs() < 0.01, "{}", plan.tilt_degrees);
    assert!(plan.warnings.iter().any(|note| note.text.contains("16.5 degrees")), "{:?}", plan.warnings);
}

/// What syntaxes with loss give of the image of `codec_ct`. The first three are what pydicom reads with OpenJPEG, CharLS
/// and libjpeg; the standard leaves the last bit of a cosine transform open, so the others are libjpeg's.
const LOSSY: [(&str, &str); 6] = [
    ("1.2.840.10008.1.2.4.91", "bf9f02911b6e49d4b5f7e95c090530d907fbd1c74f77b43eff739ed76958fa99"),
    ("1.2.840.10008.1.2.4.81", "9ba0840c9e394e565ffe57389cfa1e9cec67ff193594109352a7ad9f343e722b"),
    ("1.2.840.10008.1.2.4.50", "5c20db7d03fc3bffbbedf235c1933642a12584c163e7281eafb36bb7d6ff11bf"),
    ("1.2.840.10008.1.2.4.51", "4e9716b30a50b7629712471a3b51a42905224e56862fff6a1e8a4bbb91a419b9"),
    ("1.2.840.10008.1.2.4.53", "4e9716b30a50b7629712471a3b51a42905224e56862fff6a1e8a4bbb91a419b9"),
    ("1.2.840.10008.1.2.4.55", "4e9716b30a50b7629712471a3b51a42905224e56862fff6a1e8a4bbb91a419b9"),
];
const LOSSLESS: &str = "b76703cf422e7a4bfd3bacc7efe65162040fc973b794118b794f6c92910faaa6";

fn fifteen_syntaxes(folder: &Path) {
    let files = read_folder(folder).into_iter().filter(|(name, _)| name.ends_with(".dcm"));
    let mut read = 0;
    for (name, bytes) in files {
        let files = [bytes];
        let plan = only(&files).unwrap();
        let mut out = vec![0; plan.pixels()];
        let digest = decode(&plan, 0, &files[0], &mut out).unwrap().digest;
        let digest = digest.map(|byte| format!("{byte:02x}")).concat();
        let syntax = &plan.slices[0].transfer_syntax;
        let lossy = LOSSY.iter().find(|(uid, _)| uid == syntax);
        assert_eq!(digest, lossy.map_or(LOSSLESS, |(_, digest)| digest), "{name}");
        let said = plan.warnings.iter().any(|note| note.kind == NoteKind::Lossy);
        assert_eq!(said, lossy.is_some(), "{name}");
        read += 1;
    }
    assert_eq!(read, 16);
}

fn settings(folder: &Path) {
    let series = inventory(&contents(&read_folder(folder))).series();
    assert_eq!(series.len(), 2);
    assert_eq!(series[0].kernels, ["UB"]);
    assert_eq!(series[0].kvp, Some((120.0, 120.0)));
    assert_eq!(series[0].series_number, Some(202));
    assert!(series[0].ctdi_vol_mgy.is_some() && series[0].exposure_mas.is_some());
}
