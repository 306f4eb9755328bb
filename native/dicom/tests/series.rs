//! Many files: grouping, order, choice and what is reported.

mod common;

use common::{inventory, only, refusal};
use tomobasis_dicom::testing::DicomFile;
use tomobasis_dicom::{
    Error, ErrorKind, HeaderOutcome, Inventory, NoteKind, SeriesChoice, SeriesPlan, SliceRole, Unread,
};

const SERIES: (u16, u16) = (0x0020, 0x000E);
const IMAGE_TYPE: (u16, u16) = (0x0008, 0x0008);

fn slice(number: u32, z: f64) -> DicomFile {
    DicomFile::ct(2, 2, &[number as i16; 4]).number(number).position(0.0, 0.0, z)
}

fn bytes(files: &[DicomFile]) -> Vec<Vec<u8>> {
    files.iter().map(DicomFile::bytes).collect()
}

fn five() -> Vec<DicomFile> {
    (0..5).map(|i| slice(i + 1, 2.5 * f64::from(i))).collect()
}

fn warning(plan: &SeriesPlan, kind: NoteKind) -> Option<&str> {
    plan.warnings.iter().chain(&plan.left_out).find(|note| note.kind == kind).map(|note| note.text.as_str())
}

#[test]
fn slices_are_ordered_by_position_whatever_their_numbers_and_names() {
    let files = [slice(1, 5.0), slice(2, -5.0), slice(3, 0.0)];
    let plan = only(&bytes(&files)).unwrap();
    let order: Vec<usize> = plan.slices.iter().map(|slice| slice.file).collect();
    assert_eq!(order, [1, 2, 0]);
    let positions: Vec<f64> = plan.slices.iter().map(|slice| slice.position_mm).collect();
    assert_eq!(positions, [-5.0, 0.0, 5.0]);
    assert_eq!(plan.slice_spacing_mm, Some(5.0));
    assert!(plan.warnings.is_empty(), "{:?}", plan.warnings);
}

#[test]
fn slices_at_one_position_are_ordered_by_instance_number_and_reported() {
    let files = [slice(12, 0.0), slice(2, 0.0), slice(3, 1.0)];
    let plan = only(&bytes(&files)).unwrap();
    let numbers: Vec<_> = plan.slices.iter().filter_map(|slice| slice.instance_number).collect();
    assert_eq!(numbers, [2, 12, 3]);
    assert!(warning(&plan, NoteKind::SamePosition).unwrap().starts_with("1 slice at the position"));
}

#[test]
fn the_plan_does_not_depend_on_the_order_in_which_files_are_added() {
    let files = bytes(&five());
    let forward = only(&files).unwrap();
    let mut backward = Inventory::new();
    for (i, file) in files.iter().enumerate().rev() {
        backward.add(i, &format!("scan/{i}.dcm"), file.len() as u64, file).unwrap();
    }
    assert_eq!(backward.select(&SeriesChoice::Only).unwrap(), forward);
}

#[test]
fn a_plan_keeps_every_bit_through_json() {
    let files: Vec<DicomFile> = (0..3)
        .map(|i| slice(i, 0.1 * f64::from(i)).text((0x0028, 0x1053), "DS", "0.30000000000004"))
        .collect();
    let plan = only(&bytes(&files)).unwrap();
    let json = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<SeriesPlan>(&json).unwrap(), plan);
}

#[test]
fn a_missing_slice_is_reported_as_a_gap_with_its_place() {
    let mut files = five();
    files.remove(2);
    let plan = only(&bytes(&files)).unwrap();
    let text = warning(&plan, NoteKind::Gap).unwrap();
    assert!(text.contains("1 of 3 steps") && text.contains("5 mm between slices 2 and 3"), "{text}");
}

#[test]
fn gantry_tilt_is_reported_in_degrees() {
    let tilted = |file: DicomFile| file.text((0x0020, 0x0037), "DS", "1\\0\\0\\0\\0.9588197\\0.2840153");
    let files: Vec<DicomFile> = five().into_iter().map(tilted).collect();
    let plan = only(&bytes(&files)).unwrap();
    assert!(warning(&plan, NoteKind::Tilt).unwrap().contains("16.5 degrees"));
    let spacing = plan.slice_spacing_mm.unwrap();
    assert!((spacing - 2.5 * 0.9588197).abs() < 1e-6, "{spacing}");
}

#[test]
fn localizers_derived_images_and_other_files_are_left_out_and_said() {
    let mut files = five();
    files.push(slice(90, 3.0).text(IMAGE_TYPE, "CS", "ORIGINAL\\PRIMARY\\LOCALIZER"));
    files.push(slice(91, 4.0).text(IMAGE_TYPE, "CS", "DERIVED\\SECONDARY\\REFORMATTED"));
    let mut all = bytes(&files);
    all.push(b"read me".to_vec());
    let plan = only(&all).unwrap();
    assert_eq!(plan.slices.len(), 5);
    assert_eq!(warning(&plan, NoteKind::Localizer), Some("1 localizer image"));
    assert_eq!(warning(&plan, NoteKind::Derived), Some("1 derived image"));
    assert_eq!(warning(&plan, NoteKind::NotImages), Some("1 file in other formats than DICOM"));
}

#[test]
fn derived_images_are_used_when_named() {
    let derived = |file: DicomFile| file.text(IMAGE_TYPE, "CS", "DERIVED\\PRIMARY\\AXIAL");
    let mut files: Vec<DicomFile> = five().into_iter().map(derived).collect();
    files.push(slice(9, 0.0).text(SERIES, "UI", "2.25.7"));
    let inventory = inventory(&bytes(&files));
    assert_eq!(inventory.select(&SeriesChoice::Only).unwrap().slices.len(), 1);
    let one = inventory.series().remove(0);
    assert_eq!((one.role, one.slices), (SliceRole::Derived, 5));
    assert_eq!(inventory.select(&SeriesChoice::Uid(one.id)).unwrap().slices.len(), 5);
    assert_eq!(inventory.select(&SeriesChoice::Uid("2.25.1".to_owned())).unwrap().slices.len(), 5);
}

#[test]
fn a_lossy_slice_stays_a_slice_and_is_said() {
    let lossy = |file: DicomFile| {
        file.text(IMAGE_TYPE, "CS", "DERIVED\\PRIMARY\\AXIAL").text((0x0028, 0x2110), "CS", "01")
    };
    let plan = only(&bytes(&five().into_iter().map(lossy).collect::<Vec<_>>())).unwrap();
    assert_eq!(warning(&plan, NoteKind::Lossy), Some("all 5 slices compressed with loss"));
}

#[test]
fn several_series_are_listed_and_chosen_by_uid_id_or_size() {
    let mut files = five();
    files.extend((0..2).map(|i| slice(50 + i, f64::from(i)).text(SERIES, "UI", "2.25.7")));
    let inventory = inventory(&bytes(&files));
    let error = inventory.select(&SeriesChoice::Only).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    let text = error.to_string();
    assert!(text.contains("holds 2 series") && text.contains("CT axial, 5 slices of 2 x 2"), "{text}");
    assert!(!text.contains("2.25."), "{text}");
    let count = |choice| inventory.select(&choice).map(|plan: SeriesPlan| plan.slices.len());
    assert_eq!(count(SeriesChoice::Largest), Ok(5));
    assert_eq!(count(SeriesChoice::Uid("2.25.7".to_owned())), Ok(2));
    assert_eq!(count(SeriesChoice::Uid(inventory.series()[1].id.clone())), Ok(2));
    assert!(matches!(count(SeriesChoice::Uid("2.25.8".to_owned())), Err(Error::UnknownSeries { .. })));
    assert!(matches!(count(SeriesChoice::All), Err(Error::SeveralSeries { count: 2, .. })));
    assert_eq!(inventory.select_all(&SeriesChoice::All).unwrap().len(), 2);
}

#[test]
fn slices_of_different_sizes_are_refused_with_their_counts() {
    let mut files = five();
    files.push(DicomFile::ct(3, 3, &[0; 9]).number(9).position(0.0, 0.0, 12.5));
    let inventory = inventory(&bytes(&files));
    let error = inventory.select(&SeriesChoice::Only).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("different sizes; remove those that do not belong"), "{text}");
    assert!(text.contains("5 slices of 2 x 2") && text.contains("1 slice of 3 x 3"), "{text}");
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(matches!(inventory.select(&SeriesChoice::Uid("2.25.1".to_owned())), Err(Error::Mixed { .. })));
    let problem = "one of 2 parts of a series whose slices have different sizes";
    assert!(inventory.series().iter().all(|part| part.problems == [problem]));
    let part = inventory.series().remove(0).id;
    assert_eq!(inventory.select(&SeriesChoice::Uid(part)).unwrap().slices.len(), 5);
}

#[test]
fn every_difference_between_the_parts_of_a_series_is_named() {
    let (spacing, frame) = ((0x0028, 0x0030), (0x0020, 0x0052));
    type Dress = fn(DicomFile, (u16, u16)) -> DicomFile;
    let cases: [(&str, (u16, u16), Dress); 4] = [
        ("pixel spacings", spacing, |file, tag| file.text(tag, "DS", "0.5\\0.7")),
        ("frames of reference", frame, |file, tag| file.text(tag, "UI", "2.25.9")),
        ("pixel spacings (absent in some headers)", spacing, DicomFile::without),
        ("frames of reference (absent in some headers)", frame, DicomFile::without),
    ];
    for (difference, tag, dress) in cases {
        let again = five().into_iter().zip(20..).map(|(file, number)| dress(file.number(number), tag));
        let files: Vec<DicomFile> = five().into_iter().chain(again).collect();
        let text = inventory(&bytes(&files)).select(&SeriesChoice::Only).unwrap_err().to_string();
        assert!(text.contains(&format!("have different {difference}; ")), "{difference}: {text}");
    }
}

#[test]
fn slices_of_different_orientations_are_refused_and_listed_as_parts() {
    let mut files = five();
    files.extend((5..8).map(|i| slice(i + 1, 0.0).text((0x0020, 0x0037), "DS", "1\\0\\0\\0\\0\\-1")));
    let inventory = inventory(&bytes(&files));
    let text = inventory.select(&SeriesChoice::Only).unwrap_err().to_string();
    assert!(text.contains("different orientations") && text.contains("3 slices"), "{text}");
    let listed = inventory.series();
    assert_eq!(listed.iter().map(|part| part.plane).collect::<Vec<_>>(), ["axial", "coronal"]);
    assert!(listed.iter().all(|part| part.problems[0].ends_with("different orientations")), "{listed:?}");
}

#[test]
fn a_broken_slice_stops_its_own_series_and_no_other() {
    let mut files = bytes(&five());
    let broken = slice(6, 12.5).without((0x0020, 0x0032));
    files.push(broken.clone().bytes());
    assert!(refusal(&files).starts_with("file 6 of 6"));
    files[5] = broken.text(SERIES, "UI", "2.25.7").bytes();
    let inventory = inventory(&files);
    assert_eq!(inventory.select(&SeriesChoice::Only).unwrap().slices.len(), 5);
    let plan = inventory.select(&SeriesChoice::Uid("2.25.1".to_owned())).unwrap();
    assert_eq!(warning(&plan, NoteKind::OtherSeries), Some("1 unusable file of other series"));
    assert!(inventory.select(&SeriesChoice::Uid("2.25.7".to_owned())).is_err());
}

#[test]
fn an_unreadable_dose_map_does_not_stop_the_choice_of_the_only_series() {
    let mut files = five();
    let dose = slice(7, 0.0)
        .text((0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.481.2")
        .text(SERIES, "UI", "2.25.7");
    files.push(dose.text((0x0028, 0x0008), "IS", "15"));
    let inventory = inventory(&bytes(&files));
    assert_eq!(inventory.select(&SeriesChoice::Only).unwrap().slices.len(), 5);
    let unusable = inventory.unusable();
    assert!(
        unusable.len() == 1 && unusable[0].contains("multi-frame image without Per-frame"),
        "{unusable:?}"
    );
}

#[test]
fn several_broken_slices_are_counted_in_one_error() {
    let files: Vec<DicomFile> =
        five().into_iter().map(|file| file.syntax("1.2.840.10008.1.2.4.100")).collect();
    let text = refusal(&bytes(&files));
    assert!(text.starts_with("file 1 of 5") && text.ends_with("(and 4 more files have problems)"), "{text}");
    let problems = &inventory(&bytes(&files)).series()[0].problems;
    assert!(
        problems.len() == 1 && problems[0].contains("and 4 more files: MPEG2 Main Profile"),
        "{problems:?}"
    );
}

#[test]
fn an_input_without_slices_says_what_it_holds() {
    assert_eq!(only(&[]), Err(Error::NoFiles));
    let texts = [b"text".to_vec(), b"more".to_vec()];
    assert_eq!(only(&texts), Err(Error::NoDicom { files: 2, packed: String::new() }));
    assert!(refusal(&[b"text".to_vec(), vec![]]).starts_with("file 2 of 2"), "an empty file is named");
    let picture =
        slice(1, 0.0).text((0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.7").without((0x0020, 0x0032));
    let text = refusal(&[picture.bytes()]);
    assert!(text.contains("1 x picture without a position in space"), "{text}");
}

#[test]
fn mixed_unsigned_depths_share_one_offset() {
    let files = [slice(1, 0.0).bits(16, 16, false), slice(2, 1.0).bits(16, 12, false), slice(3, 2.0)];
    let plan = only(&bytes(&files)).unwrap();
    assert_eq!(plan.slices.iter().map(|slice| slice.offset).collect::<Vec<_>>(), [32768, 32768, 0]);
    assert!(warning(&plan, NoteKind::Uneven).unwrap().contains("pixel formats"));
}

#[test]
fn a_summary_lists_kernel_and_dose_without_patient_data() {
    let dressed = |file: DicomFile| {
        file.text((0x0018, 0x1210), "SH", "B30f").text((0x0018, 0x0060), "DS", "120").raw(
            (0x0018, 0x9345),
            "FD",
            9.5_f64.to_le_bytes().to_vec(),
        )
    };
    let mut files: Vec<DicomFile> = five().into_iter().map(dressed).collect();
    files[0] = files[0].clone().text((0x0018, 0x1151), "IS", "199").text((0x0018, 0x1152), "IS", "95");
    files[1] = files[1].clone().text((0x0018, 0x1151), "IS", "240");
    let summary = inventory(&bytes(&files)).series().remove(0);
    assert_eq!((summary.tube_current_ma, summary.exposure_mas), (Some((199.0, 240.0)), Some((95.0, 95.0))));
    assert_eq!(
        (summary.kernels.as_slice(), summary.kvp),
        (["B30f".to_owned()].as_slice(), Some((120.0, 120.0)))
    );
    assert_eq!(summary.ctdi_vol_mgy, Some((9.5, 9.5)));
    let typed =
        five().into_iter().map(|file| file.text((0x0018, 0x1210), "SH", "DOE^JOHN")).collect::<Vec<_>>();
    assert_eq!(inventory(&bytes(&typed)).series().remove(0).kernels, ["other"]);
    assert_eq!(summary.transfer_syntaxes, ["Explicit VR Little Endian (1.2.840.10008.1.2.1)"]);
    assert!(!serde_json::to_string(&summary).unwrap().contains("DOE"));
}

/// What is not read beside three slices, and the text of the refusal or of the note.
fn beside(name: &str, length: Option<u64>, why: Unread) -> String {
    let slices: Vec<Vec<u8>> = (0..3)
        .map(|z| {
            DicomFile::ct(2, 2, &[1, 2, 3, z as i16]).number(z + 1).position(0.0, 0.0, f64::from(z)).bytes()
        })
        .collect();
    let mut inventory = common::inventory(&slices);
    inventory.add_unread(3, name, length, why);
    match inventory.select(&SeriesChoice::Only) {
        Ok(plan) => plan.left_out.iter().map(|note| note.text.clone()).collect(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_is_not_read_stops_a_series_only_where_it_may_be_a_slice() {
    let usual = DicomFile::ct(2, 2, &[0; 4]).bytes().len() as u64;
    for (name, length, why, note) in [
        ("pipe", None, Unread::Special, "1 special file"),
        ("3.dcm", None, Unread::FolderLink, "1 link to a listed folder"),
        ("lost+found", None, Unread::LostAndFound, "1 folder that cannot be listed"),
        ("nowhere", None, Unread::Link, "1 link that leads nowhere"),
        ("3.dcm", Some(100), Unread::Encrypted, "1 encrypted file"),
        ("3.dcm", Some(100), Unread::Damaged, "1 damaged file of an archive"),
        ("", Some(9000), Unread::Program, "1 program before its archive"),
        ("", Some(100), Unread::Beside, "1 stretch of bytes beside an archive's entries"),
    ] {
        assert_eq!(beside(name, length, why), format!("1 file not read ({note})"));
    }
    for (name, length, why, text) in [
        ("scan/3.dcm", None, Unread::Link, "it is a link that leads nowhere"),
        ("x", Some(usual), Unread::Encrypted, "it is encrypted"),
        ("x", Some(usual), Unread::Damaged, "it is damaged in the archive"),
        ("", Some(usual), Unread::Beside, "bytes before, between or behind the archive"),
        ("x", Some(usual), Unread::Method("LZMA".to_owned()), "it is packed by LZMA"),
        ("x", None, Unread::Folder("permission denied".to_owned()), "cannot be listed (permission denied)"),
    ] {
        let refusal = beside(name, length, why);
        assert!(refusal.starts_with("file 4 of 4 (id ") && refusal.contains(text), "{refusal}");
    }
}

#[test]
fn a_header_without_end_is_refused_before_much_of_it_is_read() {
    let whole = slice(1, 0.0).implicit().raw((0x0029, 0x1010), "OB", vec![]).bytes();
    let at = whole.windows(4).position(|bytes| bytes == b"\x29\x00\x10\x10").unwrap();
    let length = 1 << 50;
    let mut read = 0;
    let outcome = tomobasis_dicom::read_header_by(whole[..at].to_vec(), length, |range| {
        read += range.end - range.start;
        // Empty elements, one behind the other.
        let element = |place: u64| b"\x29\0\x11\0\0\0\0\0"[((place - at as u64) % 8) as usize];
        Ok::<_, std::convert::Infallible>(range.map(element).collect())
    });
    let HeaderOutcome::Broken { problem, .. } = outcome.unwrap() else { panic!() };
    assert!(problem.to_string().contains("its header is longer than 67108864 bytes"), "{problem}");
    assert!(read <= tomobasis_dicom::header::LONGEST_HEADER);
}

#[test]
fn packed_files_are_named_where_no_other_is_dicom() {
    let text = refusal(&[vec![0x1F, 0x8B, 8, 0], b"PK\x03\x04".to_vec(), b"text".to_vec()]);
    assert!(text.contains("none of the 3 files") && text.contains("1 x gzip, 1 x zip"), "{text}");
}
