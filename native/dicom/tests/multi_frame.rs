//! Enhanced (multi-frame) images: frames as slices, each with its own place and rescale.

mod common;

use common::{from_hex, only, refusal};
use tomobasis_dicom::testing::{DicomFile, elements};
use tomobasis_dicom::{FileBytes, HeaderOutcome, SliceFile, read_header};

const PER_FRAME: (u16, u16) = (0x5200, 0x9230);
const FRAMES: [(f64, &str, &str); 3] = [(5.0, "1", "-1024"), (0.0, "2", "-1000.5"), (2.5, "1", "0")];

fn pixels(frame: usize) -> [i16; 6] {
    std::array::from_fn(|i| (100 * frame + i) as i16 - 50)
}

fn scan() -> DicomFile {
    DicomFile::ct(2, 3, &[pixels(0), pixels(1), pixels(2)].concat()).enhanced(&FRAMES)
}

/// Pixels of every slice of the only series of a file, in series order.
fn slices(file: &[u8]) -> Vec<Vec<i16>> {
    let plan = only(&[file.to_vec()]).unwrap();
    let opened = SliceFile::open(FileBytes::whole(file));
    let one = |slice| {
        let mut out = vec![0; plan.pixels()];
        opened.decode(&plan, slice, &mut out).unwrap();
        out
    };
    (0..plan.slices.len()).map(one).collect()
}

#[test]
fn frames_are_slices_in_spatial_order_each_with_its_rescale() {
    let file = scan().bytes();
    let plan = only(std::slice::from_ref(&file)).unwrap();
    let frames: Vec<u32> = plan.slices.iter().map(|slice| slice.frame).collect();
    assert_eq!(frames, [1, 2, 0]);
    let rescales: Vec<(f64, f64)> = plan.slices.iter().map(|slice| (slice.slope, slice.intercept)).collect();
    assert_eq!(rescales, [(2.0, -1000.5), (1.0, 0.0), (1.0, -1024.0)]);
    assert_eq!((plan.slice_spacing_mm, plan.pixel_spacing_mm), (Some(2.5), Some([0.5, 0.5])));
    assert_eq!(slices(&file), [pixels(1), pixels(2), pixels(0)]);
}

#[test]
fn a_frame_is_read_from_the_head_and_its_own_bytes_alone() {
    let file = scan().bytes();
    let plan = only(std::slice::from_ref(&file)).unwrap();
    for (slice, expected) in slices(&file).into_iter().enumerate() {
        let piece = plan.slices[slice].piece.unwrap();
        let [head, start, end] = [piece.head, piece.start, piece.end].map(|offset| offset as usize);
        let (head, piece) = (&file[..head], &file[start..end]);
        let bytes = FileBytes { head, start: start as u64, piece, length: file.len() as u64 };
        let mut out = vec![0; plan.pixels()];
        SliceFile::open(bytes).decode(&plan, slice, &mut out).unwrap();
        assert_eq!(out, expected);
        let other = FileBytes { start: start as u64 + 2, ..bytes };
        let text = SliceFile::open(other).decode(&plan, slice, &mut out).unwrap_err().to_string();
        assert!(text.contains("): frame ") && text.contains("12 are needed"), "{text}");
    }
    assert_eq!(only(&[DicomFile::ct(2, 3, &pixels(0)).bytes()]).unwrap().slices[0].piece, None);
}

#[test]
fn compressed_frames_are_found_by_either_table_or_none() {
    let (syntax, _, _, stream) = common::codestreams::CODESTREAMS[4];
    let stream = from_hex(stream);
    let other = DicomFile::ct(16, 16, &[]).bits(16, 12, false);
    let expected = slices(&other.clone().encapsulated(syntax, &[&stream]).bytes());
    let (first, rest) = stream.split_at(40);
    let item = |bytes: &[u8]| 8 + bytes.len().next_multiple_of(2) as u32;
    let frames = [(0.0, "1", "0"), (1.0, "1", "0")];
    let file = other.enhanced(&frames);
    let basic: Vec<u8> = [0, item(first) + item(rest)].into_iter().flat_map(u32::to_le_bytes).collect();
    let numbers =
        |all: [usize; 2]| all.into_iter().flat_map(|n| (n as u64).to_le_bytes()).collect::<Vec<u8>>();
    let extended = file.clone().raw((0x7FE0, 0x0001), "OV", numbers([0, item(&stream) as usize])).raw(
        (0x7FE0, 0x0002),
        "OV",
        numbers([stream.len(); 2]),
    );
    for file in [
        file.clone().encapsulated_with_table(syntax, &basic, &[first, rest, &stream]),
        file.clone().encapsulated(syntax, &[&stream, &stream]),
        file.encapsulated(syntax, &[first, rest, &stream]),
        extended.encapsulated(syntax, &[&stream, &stream]),
    ] {
        let slices = slices(&file.bytes());
        assert_eq!(slices, [expected[0].clone(), expected[0].clone()]);
    }
}

/// A frame as RLE: high bytes, then low bytes, each one literal run.
fn rle(frame: usize) -> Vec<u8> {
    let mut image: Vec<u8> = [2_u32, 64, 72].iter().flat_map(|number| number.to_le_bytes()).collect();
    image.resize(64, 0);
    for byte in [1, 0] {
        image.push(5);
        image.extend(pixels(frame).iter().map(|value| value.to_le_bytes()[byte]));
        image.push(0x80);
    }
    image
}

#[test]
fn a_second_rle_image_in_a_multi_frame_file_is_refused() {
    const RLE: &str = "1.2.840.10008.1.2.5";
    let file = |fragments: &[Vec<u8>]| {
        let fragments: Vec<&[u8]> = fragments.iter().map(Vec::as_slice).collect();
        scan().encapsulated(RLE, &fragments).bytes()
    };
    let frames: Vec<Vec<u8>> = (0..3).map(rle).collect();
    // In spatial order.
    assert_eq!(slices(&file(&frames)), [pixels(1), pixels(2), pixels(0)]);
    let within = |at: usize| {
        let mut more = frames.clone();
        more[at].extend(rle(7));
        more
    };
    for fragments in [within(0), within(1), within(2), [&frames[..], &[rle(7)]].concat()] {
        let file = file(&fragments);
        let refused = only(std::slice::from_ref(&file)).map(|plan| {
            let opened = SliceFile::open(FileBytes::whole(&file));
            let slices = (0..plan.slices.len()).map(|slice| opened.decode(&plan, slice, &mut [0; 6]));
            slices.filter(Result::is_err).count()
        });
        assert_ne!(refused, Ok(0));
    }
}

#[test]
fn sequences_of_undefined_length_and_converted_objects_are_read() {
    // Everything of a frame in the sequence for converted attributes, and its item and sequence without lengths.
    let frame = |z: &str| {
        let inside = elements(&[
            ((0x0020, 0x0032), "DS", format!("0\\0\\{z}").as_bytes()),
            ((0x0020, 0x0037), "DS", b"1\\0\\0\\0\\1\\0"),
            ((0x0028, 0x0030), "DS", b"0.5\\0.5"),
        ]);
        let open = b"\x20\x00\x71\x91SQ\0\0\xFF\xFF\xFF\xFF\xFE\xFF\x00\xE0\xFF\xFF\xFF\xFF";
        let close = b"\xFE\xFF\x0D\xE0\0\0\0\0\xFE\xFF\xDD\xE0\0\0\0\0";
        [&open[..], &inside, close].concat()
    };
    let file = scan().without((0x5200, 0x9229)).sequence(PER_FRAME, &[frame("1"), frame("3"), frame("2")]);
    let plan = only(&[file.bytes()]).unwrap();
    assert_eq!(plan.slices.iter().map(|slice| slice.frame).collect::<Vec<_>>(), [0, 2, 1]);
}

#[test]
fn one_frame_of_an_enhanced_class_and_other_modalities_are_read() {
    let one = DicomFile::ct(2, 3, &pixels(0)).enhanced(&FRAMES[..1]);
    assert_eq!(slices(&one.bytes()), [pixels(0)]);
    // MR, PET, X-Ray 3D Angiographic, Breast Tomosynthesis.
    for class in ["4.1", "130", "13.1.1", "13.1.3"] {
        let file = scan().text((0x0008, 0x0016), "UI", &format!("1.2.840.10008.5.1.4.1.1.{class}"));
        assert_eq!(slices(&file.bytes()).len(), 3, "{class}");
    }
    let pet = DicomFile::ct(2, 3, &pixels(0)).text((0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.128");
    let pet = pet.text((0x0008, 0x0060), "CS", "PT").text((0x0054, 0x1001), "CS", "BQML");
    assert_eq!(only(&[pet.bytes()]).unwrap().rescale_unit, "BQML");
}

#[test]
fn frames_that_the_header_does_not_describe_are_refused() {
    let cases = [
        (scan().without(PER_FRAME), "multi-frame image without Per-frame Functional Groups (5200,9230)"),
        (
            scan().text((0x0028, 0x0008), "IS", "2"),
            "is not 3, as many as Per-frame Functional Groups (5200,9230) describe",
        ),
        (
            scan().text((0x0028, 0x0008), "IS", "40000"),
            "Number Of Frames (0028,0008) is of the form \"99999\" (9: a digit, a: a letter): expected at most 32768",
        ),
        (scan().raw((0x7FE0, 0x0010), "OW", vec![0; 34]), "has 34 bytes, 36 are needed"),
        (scan().without((0x5200, 0x9229)), "frame 1: Image Orientation (Patient) (0020,0037) is missing"),
    ];
    for (file, words) in cases {
        let text = refusal(&[file.bytes()]);
        assert!(text.contains(words), "expected {words:?} in {text:?}");
    }
}

#[test]
fn a_file_cut_anywhere_is_an_error_and_a_head_asks_for_what_it_needs() {
    let file = scan().bytes();
    for length in 0..file.len() {
        let outcome = read_header(&file[..length], length as u64);
        assert!(!matches!(outcome, HeaderOutcome::Slices(_) | HeaderOutcome::NeedBytes(_)), "{length}");
        match read_header(&file[..length], file.len() as u64) {
            HeaderOutcome::NeedBytes(bytes) => assert!(bytes > length as u64 && bytes <= file.len() as u64),
            HeaderOutcome::Slices(slices) => assert_eq!(slices.len(), 3),
            other => panic!("{other:?}"),
        }
    }
}
