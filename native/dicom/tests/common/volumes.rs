//! Series of several small volumes, and what they are listed as.

use std::collections::HashSet;

use tomobasis_dicom::testing::DicomFile;
use tomobasis_dicom::{Error, Inventory, NoteKind, SeriesChoice, SeriesPlan, decode};

use super::{inventory, only};

pub type Tag = (u16, u16);
pub const SERIES: Tag = (0x0020, 0x000E);
pub const IMAGE_TYPE: Tag = (0x0008, 0x0008);
pub const KERNEL: Tag = (0x0018, 0x1210);
pub const KVP: Tag = (0x0018, 0x0060);
pub const ACQUISITION: Tag = (0x0020, 0x0012);
pub const SLICES: usize = 6;

/// Slice `place` of volume `volume`; every pixel of it is `100 * volume + place`.
pub fn slice(volume: usize, place: usize) -> DicomFile {
    let value = (100 * volume + place) as i16;
    DicomFile::ct(2, 2, &[value; 4]).number((volume * SLICES + place + 1) as u32).position(
        0.0,
        0.0,
        2.5 * place as f64,
    )
}

/// Two volumes of [`SLICES`] places, each slice as `dress` changes it.
pub fn two(dress: impl Fn(usize, usize, DicomFile) -> DicomFile) -> Vec<Vec<u8>> {
    let all = (0..2).flat_map(|volume| (0..SLICES).map(move |place| (volume, place)));
    all.map(|(volume, place)| dress(volume, place, slice(volume, place)).bytes()).collect()
}

/// The stored pixels of a plan, one value for each slice.
pub fn columns(plan: &SeriesPlan, files: &[Vec<u8>]) -> Vec<i16> {
    let column = |(i, slice): (usize, &tomobasis_dicom::SlicePlan)| {
        let mut out = vec![0; plan.pixels()];
        decode(plan, i, &files[slice.file], &mut out).unwrap();
        assert!(out.iter().all(|&pixel| pixel == out[0]));
        out[0]
    };
    plan.slices.iter().enumerate().map(column).collect()
}

pub fn joined(files: &[Vec<u8>]) -> SeriesPlan {
    let mut inventory = inventory(files);
    inventory.join();
    inventory.select(&SeriesChoice::Only).unwrap()
}

pub fn by_id(inventory: &Inventory, id: &str) -> SeriesPlan {
    inventory.select(&SeriesChoice::Uid(id.to_owned())).unwrap()
}

/// The volumes that the files must be listed as, in any order: the values of their columns.
pub fn assert_volumes(what: &str, files: &[Vec<u8>], volumes: &[Vec<i16>]) {
    let inventory = inventory(files);
    let listed = inventory.series();
    let ids: HashSet<&str> = listed.iter().map(|one| one.id.as_str()).collect();
    assert_eq!((listed.len(), ids.len()), (volumes.len(), volumes.len()), "{what}: {listed:#?}");
    let mut found: Vec<Vec<i16>> =
        listed.iter().map(|one| columns(&by_id(&inventory, &one.id), files)).collect();
    found.sort();
    assert_eq!(found, volumes, "{what}");
}

pub fn volume(volume: i16) -> Vec<i16> {
    (0..SLICES as i16).map(|place| 100 * volume + place).collect()
}

/// Two volumes that `name` tells apart: listed, refused together, chosen by id, and joined.
pub fn assert_two(name: &str, dress: impl Fn(usize, usize, DicomFile) -> DicomFile) {
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

/// Slices that are one series of this many.
pub fn assert_one(what: &str, files: &[Vec<u8>]) {
    let plan = only(files).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(plan.slices.len(), files.len(), "{what}");
}

pub fn of(
    values: [&'static str; 2],
    tag: Tag,
    vr: &'static str,
) -> impl Fn(usize, usize, DicomFile) -> DicomFile {
    move |volume, _, file| file.text(tag, vr, values[volume])
}

pub fn double(tag: Tag, values: [f64; 2]) -> impl Fn(usize, usize, DicomFile) -> DicomFile {
    move |volume, _, file| file.raw(tag, "FD", values[volume].to_le_bytes().to_vec())
}

pub fn single(tag: Tag, values: [f32; 2]) -> impl Fn(usize, usize, DicomFile) -> DicomFile {
    move |volume, _, file| file.raw(tag, "FL", values[volume].to_le_bytes().to_vec())
}

pub fn mr(file: DicomFile) -> DicomFile {
    file.text((0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.4").text((0x0008, 0x0060), "CS", "MR")
}
