//! Real scanners' folders, where they lie beside the repository. `dicom-object` reads the same files.

mod common;

use common::{contents, inventory, only, read_folder, shared};
use dicom_dictionary_std::tags;
use dicom_object::open_file;
use tomobasis_dicom::{NoteKind, SeriesPlan, decode};

/// Decodes every slice and compares it with what the general DICOM library reads from the same file.
fn compare(files: &[(String, Vec<u8>)], plan: &SeriesPlan) {
    for (index, slice) in plan.slices.iter().enumerate() {
        let (path, bytes) = &files[slice.file];
        let mut out = vec![0; plan.pixels()];
        decode(plan, index, bytes, &mut out).expect("the slice is decoded");
        let object = open_file(path).expect("dicom-object opens the file");
        let cells = object.element(tags::PIXEL_DATA).unwrap().to_bytes().unwrap();
        let bits = 16 - u32::from(slice.pixels.bits_stored);
        let expected: Vec<i32> =
            cells
                .chunks_exact(2)
                .map(|cell| u16::from_le_bytes([cell[0], cell[1]]) << bits)
                .map(|cell| {
                    if slice.pixels.signed { i32::from(cell as i16 >> bits) } else { i32::from(cell >> bits) }
                })
                .take(out.len())
                .collect();
        let found: Vec<i32> = out.iter().map(|&pixel| i32::from(pixel) + slice.offset).collect();
        assert!(found == expected, "pixels of file {} differ", slice.file);
        let slope: f64 = object.element(tags::RESCALE_SLOPE).unwrap().to_float64().unwrap();
        assert_eq!(slice.slope, slope);
        let uid = object.element(tags::SOP_INSTANCE_UID).unwrap().to_str().unwrap();
        assert_eq!(slice.instance_uid, uid.trim_end_matches('\0'));
    }
}

#[test]
fn a_head_scan_is_found_among_scout_and_directory() {
    let Some(folder) = shared("philips_head_phantom_axial_S2020") else { return };
    let files = read_folder(&folder);
    let plan = only(&contents(&files)).unwrap();
    assert_eq!((plan.slices.len(), plan.rows, plan.columns), (100, 512, 512));
    assert_eq!(plan.slice_spacing_mm.map(|mm| (mm * 1e3).round()), Some(1000.0));
    assert!(plan.warnings.is_empty(), "{:?}", plan.warnings);
    let left_out: Vec<NoteKind> = plan.left_out.iter().map(|note| note.kind).collect();
    assert_eq!(left_out, [NoteKind::NotImages, NoteKind::NotImages, NoteKind::Localizer]);
    compare(&files, &plan);
}

#[test]
fn a_tilted_scan_is_read_and_its_tilt_reported() {
    let Some(folder) = shared("philips_tilt_S21610") else { return };
    let files = read_folder(&folder);
    let plan = only(&contents(&files)).unwrap();
    assert_eq!(plan.slices.len(), 58);
    assert!((plan.tilt_degrees - 16.5).abs() < 0.01, "{}", plan.tilt_degrees);
    assert!(plan.warnings.iter().any(|note| note.text.contains("16.5 degrees")), "{:?}", plan.warnings);
    compare(&files, &plan);
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

#[test]
fn one_image_is_the_same_in_fifteen_syntaxes() {
    let Some(folder) = shared("codec_ct") else { return };
    let files = read_folder(&folder).into_iter().filter(|(name, _)| name.ends_with(".dcm"));
    let mut read = 0;
    for (name, bytes) in files {
        let files = [bytes];
        let plan = only(&files).unwrap();
        let mut out = vec![0; plan.pixels()];
        let digest = decode(&plan, 0, &files[0], &mut out).unwrap();
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

#[test]
fn a_real_folder_is_listed_with_the_scanners_settings() {
    let Some(folder) = shared("philips_head_phantom_axial_S2020") else { return };
    let series = inventory(&contents(&read_folder(&folder))).series();
    assert_eq!(series.len(), 2);
    assert_eq!(series[0].kernels, ["UB"]);
    assert_eq!(series[0].kvp, Some((120.0, 120.0)));
    assert_eq!(series[0].series_number, Some(202));
    assert!(series[0].ctdi_vol_mgy.is_some() && series[0].exposure_mas.is_some());
}
