//! dicom-rs as an independent reader, against ours: on synthetic files, on ours that are derived, and on real ones where they lie
//! beside the repository. Then, what the crate's documentation says of files that dicom-rs does not read.
//!
//!     cargo test --release -p tomobasis-dicom --features dicom-object --test dicom_objects

mod common;

use std::path::Path;

use common::{derivation, inventory, only, read_folder, shared};
use dicom_core::Tag;
use dicom_object::{DefaultDicomObject, InMemDicomObject, from_reader};
use libtest_mimic::{Arguments, Failed, Trial};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tomobasis_dicom::derived::derive;
use tomobasis_dicom::object::{ObjectError, from_object, to_object};
use tomobasis_dicom::testing::{DicomFile, elements};
use tomobasis_dicom::{HeaderOutcome, SeriesChoice, SliceHeader, decode, read_header};

const FOLDERS: [&str; 3] = ["codec_ct", "philips_head_phantom_axial_S2020", "philips_tilt_S21610"];

fn main() {
    let synthetic = [
        ("synthetic_files_are_read_as_dicom_rs_reads_them", any_files as fn()),
        ("sequences_are_read_as_dicom_rs_reads_them", sequences),
        ("derived_instances_are_read_by_dicom_rs", derived),
        ("files_that_dicom_rs_refuses_become_objects", refused_files),
        ("files_that_dicom_rs_reads_otherwise_become_objects", misread_files),
        ("what_is_no_object_is_an_error", errors),
    ];
    let synthetic = synthetic.map(|(name, test)| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    });
    let real = FOLDERS.map(|data| {
        let folder = shared(data);
        let absent = folder.is_none();
        let run = move || folder.map(|folder| real_files(&folder)).ok_or_else(|| Failed::from(data));
        Trial::test(format!("{data}_is_read_as_dicom_rs_reads_it"), run).with_ignored_flag(absent)
    });
    let trials = synthetic.into_iter().chain(real).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn theirs(file: &[u8]) -> DefaultDicomObject {
    from_reader(file).unwrap()
}

/// Without pixels and what is after them.
fn before_pixels(object: &InMemDicomObject) -> InMemDicomObject {
    let mut object = object.clone();
    object.retain(|element| element.header().tag.group() < 0x7FE0);
    object
}

/// The attributes of both readers are the same, VRs and values.
fn assert_same(file: &[u8]) {
    assert_same_attributes(&to_object(file).unwrap(), &before_pixels(&theirs(file)));
}

fn assert_same_attributes(ours: &InMemDicomObject, theirs: &InMemDicomObject) {
    let tags = |object: &InMemDicomObject| object.tags().collect::<Vec<_>>();
    assert_eq!(tags(ours), tags(theirs));
    for (ours, theirs) in ours.iter().zip(theirs) {
        let tag = theirs.header().tag;
        assert_eq!(ours.vr(), theirs.vr(), "{tag}");
        // The lengths of sequences are not compared: they are as each is written.
        match (ours.items(), theirs.items()) {
            (Some(ours), Some(theirs)) => {
                assert_eq!(ours.len(), theirs.len(), "{tag}");
                ours.iter().zip(theirs).for_each(|(ours, theirs)| assert_same_attributes(ours, theirs));
            }
            _ => assert_eq!(ours.to_bytes().unwrap(), theirs.to_bytes().unwrap(), "{tag}"),
        }
    }
}

fn header(file: &[u8]) -> SliceHeader {
    match read_header(file, file.len() as u64) {
        HeaderOutcome::Slices(slices) => slices[0].clone(),
        other => panic!("{other:?}"),
    }
}

/// What our reader picks out of a header is what dicom-rs has there.
fn assert_same_header(file: &[u8]) {
    let (ours, theirs) = (header(file), theirs(file));
    let text =
        |tag| theirs.get(tag).map_or(String::new(), |element| element.to_str().unwrap().trim().to_owned());
    let numbers = |tag| theirs.get(tag).map_or(Vec::new(), |element| element.to_multi_float64().unwrap());
    let short = |tag| theirs.element(tag).unwrap().to_int::<u16>().unwrap();
    assert_eq!((ours.rows, ours.columns), (short(Tag(0x28, 0x10)).into(), short(Tag(0x28, 0x11)).into()));
    assert_eq!(ours.pixels.bits_allocated, short(Tag(0x28, 0x100)));
    assert_eq!(ours.pixels.bits_stored, short(Tag(0x28, 0x101)));
    assert_eq!(ours.pixels.signed, short(Tag(0x28, 0x103)) == 1);
    assert_eq!(ours.position_mm.to_vec(), numbers(Tag(0x20, 0x32)));
    assert_eq!(ours.orientation.to_vec(), numbers(Tag(0x20, 0x37)));
    assert_eq!(ours.pixel_spacing_mm.map_or(Vec::new(), Vec::from), numbers(Tag(0x28, 0x30)));
    assert_eq!(Vec::from_iter(ours.rescale.intercept), numbers(Tag(0x28, 0x1052)));
    assert_eq!(Vec::from_iter(ours.rescale.slope), numbers(Tag(0x28, 0x1053)));
    assert_eq!(ours.sop_class_uid, text(Tag(0x08, 0x16)));
    assert_eq!(ours.sop_instance_uid, text(Tag(0x08, 0x18)));
    assert_eq!(ours.series_instance_uid, text(Tag(0x20, 0x0E)));
    assert_eq!(ours.frame_of_reference_uid, text(Tag(0x20, 0x52)));
    assert_eq!(ours.modality, text(Tag(0x08, 0x60)));
    assert_eq!(ours.instance_number.unwrap().to_string(), text(Tag(0x20, 0x13)));
    assert_eq!(ours.kernel.unwrap_or_default(), text(Tag(0x18, 0x1210)));
    assert_eq!(Vec::from_iter(ours.kvp), numbers(Tag(0x18, 0x60)));
}

/// The pixels of a file's first slice and their digest.
fn decoded(file: &[u8]) -> (Vec<i16>, [u8; 32]) {
    let inventory = inventory(&[file.to_vec()]);
    // Localizers are chosen by name only.
    let id = inventory.series()[0].id.clone();
    let plan = inventory.select(&SeriesChoice::Uid(id)).unwrap();
    let mut out = vec![0; plan.pixels()];
    let record = decode(&plan, 0, file, &mut out).unwrap();
    (out, record.digest)
}

/// A file, and the object that dicom-rs has of it, have the same pixels.
fn assert_same_pixels(file: &[u8]) {
    let object = theirs(file);
    let (pixels, digest) = decoded(file);
    assert_eq!(decoded(&from_object(&object).unwrap()).1, digest);
    let header = header(file);
    let element = object.element(Tag(0x7FE0, 0x10)).unwrap();
    if let Some(value) = element.value().primitive() {
        let mask = ((1_u32 << header.pixels.bits_stored) - 1) as u16;
        let words = value.to_multi_int::<u16>().unwrap();
        let stored = |&word: &u16| word & mask;
        let ours = pixels.iter().map(|&pixel| pixel as u16 & mask).collect::<Vec<_>>();
        assert_eq!(ours, words.iter().map(stored).collect::<Vec<_>>());
    }
}

fn assert_all_same(file: &[u8]) {
    assert_same(file);
    assert_same_header(file);
    assert_same_pixels(file);
}

fn real_files(folder: &Path) {
    let mut compared = 0;
    for (name, file) in read_folder(folder) {
        let HeaderOutcome::Slices(_) = read_header(&file, file.len() as u64) else { continue };
        // dicom-rs inflates with a feature only, and refuses an application entity title of 18 characters.
        if from_reader(&file[..]).is_err() {
            assert!(to_object(&file).is_ok(), "{name}");
            continue;
        }
        assert_all_same(&file);
        compared += 1;
    }
    assert!(compared > 0);
}

/// Any slice in any of the encodings that dicom-rs reads without further features.
fn any_file() -> impl Strategy<Value = DicomFile> {
    let pixels = prop::collection::vec(any::<i16>(), 6);
    let place = prop::array::uniform3(-1e6..1e6_f64);
    let texts = ("[A-Z][A-Za-z0-9 ]{0,14}[a-z]", "[0-9]{1,3}(\\.[0-9]{1,4})?", "[ -\\[\\]-~]{0,63}");
    (pixels, place, texts, -1e3..1e3_f64, 0..3_u8, 1..10_000_u32).prop_map(
        |(pixels, [x, y, z], (kernel, kvp, comment), intercept, encoding, number)| {
            let file = DicomFile::ct(2, 3, &pixels)
                .number(number)
                .position(x, y, z)
                .text((0x0018, 0x0060), "DS", &kvp)
                .text((0x0018, 0x1210), "SH", &kernel)
                .text((0x0020, 0x4000), "LT", &comment)
                .text((0x0028, 0x1052), "DS", &intercept.to_string())
                .text((0x0028, 0x1053), "DS", "0.5")
                // US or SS, by the sign of the pixels; a private element; numbers of 8 bytes.
                .raw((0x0028, 0x0120), "SS", pixels[0].to_le_bytes().to_vec())
                .raw((0x0018, 0x9328), "FD", x.to_le_bytes().to_vec())
                .text((0x0009, 0x0010), "LO", "MAKER")
                .raw((0x0009, 0x1001), "UN", vec![1, 2, 3, 4]);
            match encoding {
                0 => file,
                1 => file.implicit(),
                _ => file.big_endian(),
            }
        },
    )
}

fn any_files() {
    let mut runner = TestRunner::new(Config { cases: 500, failure_persistence: None, ..Config::default() });
    let same = |file: DicomFile| {
        assert_all_same(&file.bytes());
        Ok(())
    };
    runner.run(&any_file(), same).unwrap();
}

fn sequences() {
    let code: &[(_, _, &[u8])] = &[((0x08, 0x100), "SH", b"1"), ((0x08, 0x102), "SH", b"DCM")];
    let inner = DicomFile::ct(1, 1, &[0]).sequence((0x0040, 0xA168), &[elements(code)]);
    for file in [
        DicomFile::ct(1, 1, &[0]).sequence((0x0008, 0x1140), &[elements(code), Vec::new(), elements(code)]),
        DicomFile::ct(1, 1, &[0]).sequence_of_undefined_length((0x0008, 0x1140), &[elements(code)]),
        DicomFile::ct(1, 1, &[0]).sequence((0x0008, 0x1140), &[]),
        DicomFile::ct(1, 1, &[0]).nested((0x0008, 0x1140), 20),
        inner,
    ] {
        assert_all_same(&file.bytes());
    }
}

fn derived() {
    for file in [any_ct(), any_ct().implicit(), any_ct().big_endian()] {
        let source = file.bytes();
        let plan = only(std::slice::from_ref(&source)).unwrap();
        let pixels = [5, -6, 7, 8, 9, -10];
        let instance = derive(&plan, &[0], &source, &mut pixels.clone(), &derivation()).unwrap().file;
        assert_all_same(&instance);
        assert_eq!(decoded(&instance).0, pixels);
    }
}

fn any_ct() -> DicomFile {
    DicomFile::ct(2, 3, &[1, -2, 3, 4, 5, 6])
}

/// A slice with this element before those of group 0020, as it is written.
fn with_element(element: &[u8]) -> Vec<u8> {
    let file = any_ct().bytes();
    let at = file.windows(8).position(|bytes| bytes == b"\x20\0\x0E\0UI\x06\0").unwrap();
    [&file[..at], element, &file[at..]].concat()
}

/// Where the lowest byte of the meta group's length is.
const GROUP_LENGTH: usize = 140;
const KERNEL: Tag = Tag(0x0018, 0x1210);

/// An element of VR UN with an item in the implicit encoding, in which a length reads as the VR "AA" if it is taken for explicit.
fn unknown_with_an_item(undefined: bool) -> Vec<u8> {
    let inside = [&b"\x08\0\0\x01\x41\x41\0\0"[..], &vec![b'1'; 0x4141]].concat();
    let (length, end) = match undefined {
        true => (u32::MAX, &b"\xFE\xFF\x0D\xE0\0\0\0\0\xFE\xFF\xDD\xE0\0\0\0\0"[..]),
        false => (inside.len() as u32, &[][..]),
    };
    let item = [&b"\xFE\xFF\0\xE0"[..], &length.to_le_bytes(), &inside, end].concat();
    let length = if undefined { length } else { item.len() as u32 };
    [&b"\x18\0\x06\x90UN\0\0"[..], &length.to_le_bytes(), &item].concat()
}

/// Files of the kinds that the crate's documentation names.
fn refused_files() {
    let whole = any_ct().bytes();
    let bare = any_ct().without_meta().bytes();
    assert!(from_reader(&bare[..]).is_err());
    assert_eq!(to_object(&bare).unwrap(), to_object(&whole).unwrap());
    assert_eq!(decoded(&bare), decoded(&whole));

    let mixed = with_element(b"\x18\0\x10\x12\x04\0\0\0B30f");
    assert!(from_reader(&mixed[..]).is_err());
    assert_eq!(to_object(&mixed).unwrap().element(KERNEL).unwrap().to_str().unwrap(), "B30f");
    assert_eq!(decoded(&mixed), decoded(&whole));

    let unknown = with_element(&unknown_with_an_item(true));
    assert!(from_reader(&unknown[..]).is_err());
    assert_eq!(decoded(&unknown), decoded(&whole));

    let title = b"\x02\0\x16\0AE\x12\0EIGHTEEN CHARACTER";
    let meta = whole.len() - bare.len();
    let mut long = [&whole[..meta], title, &bare].concat();
    long[GROUP_LENGTH] += title.len() as u8;
    assert!(from_reader(&long[..]).is_err());
    assert_eq!(to_object(&long).unwrap(), to_object(&whole).unwrap());

    // The beginning of a file is enough for a header here.
    let head = &whole[..whole.len() - 12];
    assert!(matches!(read_header(head, whole.len() as u64), HeaderOutcome::Slices(_)));
    assert!(from_reader(head).is_err());
}

/// Files that dicom-rs reads, but not as they are meant.
fn misread_files() {
    let whole = any_ct().bytes();
    // A group length that is too large: dicom-rs takes the first attributes of the data set for some of the meta group.
    let mut large = whole.clone();
    large[GROUP_LENGTH] = 200;
    assert!(theirs(&large).get(Tag(0x0008, 0x0018)).is_none());
    assert_eq!(to_object(&large).unwrap(), to_object(&whole).unwrap());
    assert_eq!(decoded(&large), decoded(&whole));

    // Items in an element of VR UN and of known length (PS3.5 section 6.2.2, note 4): dicom-rs leaves them as bytes.
    let unknown = with_element(&unknown_with_an_item(false));
    let sequence = Tag(0x0018, 0x9006);
    assert!(theirs(&unknown).element(sequence).unwrap().items().is_none());
    let items = to_object(&unknown).unwrap().element(sequence).unwrap().items().unwrap().len();
    assert_eq!(items, 1);
}

fn errors() {
    assert!(matches!(to_object(b"no DICOM"), Err(ObjectError::NoDataSet)));
    let deep = DicomFile::ct(1, 1, &[0]).nested((0x0008, 0x1140), 65).bytes();
    assert!(matches!(to_object(&deep), Err(ObjectError::Nested)));
    assert!(to_object(&DicomFile::ct(1, 1, &[0]).nested((0x0008, 0x1140), 64).bytes()).is_ok());
    let unknown = DicomFile::ct(1, 1, &[0]).raw((0x0009, 0x1001), "QQ", vec![1, 2]).bytes();
    assert!(matches!(to_object(&unknown), Err(ObjectError::UnknownVr)));
    let whole = any_ct().bytes();
    assert!(matches!(to_object(&whole[..200]), Err(ObjectError::Problem(_))));
}
