//! One file: what is read, and what is refused with which words.

mod common;

use common::{only, refusal};
use tomobasis_dicom::testing::{DicomFile, Tag, deflate, elements};
use tomobasis_dicom::{Error, HeaderOutcome, NotAnImage, SliceHeader, decode, read_header, salted_id};

const ROWS: Tag = (0x0028, 0x0010);
const SLOPE: Tag = (0x0028, 0x1053);
const INTERCEPT: Tag = (0x0028, 0x1052);
const MODALITY_LUT: Tag = (0x0028, 0x3000);
const PIXEL_DATA: Tag = (0x7FE0, 0x0010);

fn slice() -> DicomFile {
    DicomFile::ct(2, 3, &[-1024, -1, 0, 1, 40, 3071])
}

/// What a Modality LUT Sequence holds, for what it matters here.
fn a_table() -> Vec<u8> {
    elements(&[((0x0028, 0x3006), "OW", &[0; 8])])
}

fn pixels_of(file: &DicomFile) -> Vec<i32> {
    let bytes = file.bytes();
    let plan = only(std::slice::from_ref(&bytes)).expect("the slice is read");
    let mut out = vec![0; plan.pixels()];
    decode(&plan, 0, &bytes, &mut out).expect("the slice is decoded");
    out.iter().map(|&pixel| i32::from(pixel) + plan.slices[0].offset).collect()
}

fn classify(bytes: &[u8]) -> HeaderOutcome {
    read_header(bytes, bytes.len() as u64)
}

#[test]
fn both_little_endian_encodings_give_the_same_pixels() {
    let expected = [-1024, -1, 0, 1, 40, 3071];
    assert_eq!(pixels_of(&slice()), expected);
    assert_eq!(pixels_of(&slice().implicit()), expected);
}

#[test]
fn a_data_set_in_another_encoding_than_the_meta_group_says_is_read() {
    assert_eq!(pixels_of(&slice().implicit().syntax("1.2.840.10008.1.2.1")).len(), 6);
    assert_eq!(pixels_of(&slice().syntax("1.2.840.10008.1.2")).len(), 6);
}

#[test]
fn big_endian_data_is_read_whatever_the_meta_group_says() {
    for file in [
        slice().big_endian(),
        slice().big_endian().syntax("1.2.840.10008.1.2.1"),
        slice().big_endian().without_meta(),
    ] {
        assert_eq!(pixels_of(&file), [-1024, -1, 0, 1, 40, 3071]);
    }
}

#[test]
fn eight_bit_pixels_of_big_endian_files_are_bytes_or_swapped_words() {
    let file = DicomFile::ct(1, 3, &[]).bits(8, 8, false).big_endian();
    assert_eq!(pixels_of(&file.clone().raw(PIXEL_DATA, "OB", vec![1, 2, 3, 0])), [1, 2, 3]);
    // The writer swaps the bytes of words, as the standard has it.
    assert_eq!(pixels_of(&file.raw(PIXEL_DATA, "OW", vec![1, 2, 3, 0])), [1, 2, 3]);
}

#[test]
fn a_deflated_data_set_is_read() {
    assert_eq!(pixels_of(&slice().deflated()), [-1024, -1, 0, 1, 40, 3071]);
}

#[test]
fn frames_are_read_from_fragments() {
    let rle = |high: &[u8], low: &[u8]| {
        let header = [2, 64, 64 + high.len() as u32].into_iter().chain([0; 13]).flat_map(u32::to_le_bytes);
        header.chain(high.iter().copied()).chain(low.iter().copied()).collect::<Vec<u8>>()
    };
    let frame = rle(&[0xFD, 1, 1, 2, 3], &[5, 1, 2, 3, 4, 5, 6]);
    let expected = [257, 258, 259, 260, 517, 774];
    for fragments in [vec![&frame[..]], vec![&frame[..10], &frame[10..70], &frame[70..]]] {
        let file = slice().encapsulated("1.2.840.10008.1.2.5", &fragments);
        assert_eq!(pixels_of(&file), expected);
    }
    let native: Vec<u8> = expected.iter().flat_map(|value| (*value as i16).to_le_bytes()).collect();
    assert_eq!(pixels_of(&slice().encapsulated("1.2.840.10008.1.2.1.98", &[&native])), expected);
    let deflated = deflate(&native);
    assert_eq!(pixels_of(&slice().encapsulated("1.2.840.10008.1.2.8.1", &[&deflated])), expected);
}

#[test]
fn files_without_preamble_and_meta_group_are_read() {
    assert_eq!(pixels_of(&slice().without_meta()).len(), 6);
    assert_eq!(pixels_of(&slice().without_meta().implicit()).len(), 6);
    let with_meta = slice().bytes();
    let HeaderOutcome::Slices(slices) = classify(&with_meta[132..]) else {
        panic!("meta group, no preamble")
    };
    assert_eq!(slices[0].rows, 2);
}

#[test]
fn eight_bit_and_unsigned_sixteen_bit_pixels_are_read() {
    let bytes = slice().bits(8, 8, false).raw(PIXEL_DATA, "OB", vec![0, 1, 127, 128, 254, 255]);
    assert_eq!(pixels_of(&bytes), [0, 1, 127, 128, 254, 255]);
    let full = [0_u16, 1, 32767, 32768, 65534, 65535];
    let words = full.iter().flat_map(|word| word.to_le_bytes()).collect();
    let file = slice().bits(16, 16, false).raw(PIXEL_DATA, "OW", words);
    assert_eq!(only(&[file.bytes()]).unwrap().slices[0].offset, 32768);
    assert_eq!(pixels_of(&file), full.map(i32::from));
}

#[test]
fn twelve_bit_pixels_ignore_what_lies_above_them() {
    let file = DicomFile::ct(1, 2, &[0x7FFF, -32768]).bits(16, 12, false);
    assert_eq!(pixels_of(&file), [4095, 0]);
    assert_eq!(only(&[file.bytes()]).unwrap().slices[0].offset, 0);
}

#[test]
fn slope_and_intercept_are_the_nearest_doubles() {
    let file = slice().text(SLOPE, "DS", "0.1").text(INTERCEPT, "DS", " -1024.30 ");
    let plan = only(&[file.bytes()]).unwrap();
    assert_eq!((plan.slices[0].slope, plan.slices[0].intercept), (0.1, -1024.3));
}

#[test]
fn a_slice_without_rescale_is_taken_as_stored_and_said() {
    let plan = only(&[slice().without(SLOPE).without(INTERCEPT).bytes()]).unwrap();
    assert_eq!((plan.slices[0].slope, plan.slices[0].intercept), (1.0, 0.0));
    assert!(plan.warnings[0].text.contains("without Rescale Slope"), "{:?}", plan.warnings);
}

#[test]
fn a_bad_header_value_is_named_with_its_tag_and_what_was_expected() {
    let cases: [(DicomFile, &str); 22] = [
        (slice().without(ROWS), "Rows (0028,0010) is missing"),
        (slice().short(ROWS, 0), "Rows (0028,0010) is 0: expected a number of pixels"),
        (slice().short((0x0028, 0x0002), 3), "Samples Per Pixel (0028,0002) is 3: expected 1"),
        (slice().text((0x0028, 0x0004), "CS", "RGB"), "Photometric Interpretation (0028,0004) is"),
        (slice().bits(32, 32, true), "Bits Allocated (0028,0100) is 32: expected 16 or 8"),
        (
            slice().bits(16, 0, true),
            "Bits Stored (0028,0101) is 0: expected a number from 1 to Bits Allocated",
        ),
        (slice().bits(16, 33, true), "Bits Stored (0028,0101) is 33"),
        (slice().bits(8, 12, true), "Bits Stored (0028,0101) is 12"),
        (
            slice().short((0x0028, 0x0102), 14),
            "High Bit (0028,0102) is 14: expected one less than Bits Stored",
        ),
        (slice().short((0x0028, 0x0103), 2), "Pixel Representation (0028,0103) is 2"),
        (
            slice().text(SLOPE, "DS", "1,5"),
            "Rescale Slope (0028,1053) is of the form \"9,9\" (9: a digit, a: a letter): expected one decimal number",
        ),
        (slice().text(SLOPE, "DS", "NaN"), "Rescale Slope (0028,1053) is of the form \"aaa\""),
        (slice().text(SLOPE, "DS", "0.0"), "Rescale Slope (0028,1053) is 0: expected a number other than 0"),
        (slice().text(INTERCEPT, "DS", "1\\2"), "Rescale Intercept (0028,1052) is of the form \"9\\9\""),
        (slice().text(INTERCEPT, "DS", "-1e101"), "Rescale Intercept (0028,1052) is of the form \"-9a999\""),
        (slice().without((0x0020, 0x0032)), "Image Position (Patient) (0020,0032) is missing"),
        (
            slice().text((0x0020, 0x0032), "DS", "1\\2"),
            "Image Position (Patient) (0020,0032) is of the form \"9\\9\"",
        ),
        (slice().without((0x0020, 0x0037)), "Image Orientation (Patient) (0020,0037) is missing"),
        (
            slice().text((0x0020, 0x0037), "DS", "0\\0\\0\\0\\0\\0"),
            "not a pair of perpendicular unit vectors",
        ),
        (slice().text((0x0028, 0x0008), "IS", "12"), "it is a multi-frame image without"),
        (slice().sequence(MODALITY_LUT, &[vec![], a_table()]), "Modality LUT Sequence"),
        (slice().sequence_of_undefined_length(MODALITY_LUT, &[a_table()]), "Modality LUT Sequence"),
    ];
    for (file, words) in cases {
        let text = refusal(&[file.bytes()]);
        let start = format!("file 1 of 1 (id {}): ", salted_id("file", "scan/0.dcm"));
        assert!(text.starts_with(&start) && text.contains(words), "expected {words:?} in {text:?}");
    }
}

#[test]
fn an_empty_element_is_an_absent_one() {
    let optional: [(Tag, &str); 9] = [
        (SLOPE, "DS"),
        (INTERCEPT, "DS"),
        ((0x0028, 0x0002), "US"),
        ((0x0028, 0x0008), "IS"),
        ((0x0028, 0x0030), "DS"),
        ((0x0028, 0x0102), "US"),
        ((0x0028, 0x1050), "DS"),
        ((0x0020, 0x0052), "UI"),
        ((0x0008, 0x0008), "CS"),
    ];
    for (tag, vr) in optional {
        let absent = classify(&slice().without(tag).bytes());
        let HeaderOutcome::Slices(absent) = absent else { panic!("{tag:?}: {absent:?}") };
        let paddings: &[&[u8]] = if vr == "US" { &[b""] } else { &[b"", b"  ", b"\0\0"] };
        for padding in paddings {
            for file in [slice(), slice().implicit()] {
                let HeaderOutcome::Slices(empty) = classify(&file.raw(tag, vr, padding.to_vec()).bytes())
                else {
                    panic!("{tag:?} is empty")
                };
                let alike = SliceHeader {
                    pixel_offset: absent[0].pixel_offset,
                    transfer_syntax: absent[0].transfer_syntax.clone(),
                    ..empty[0].clone()
                };
                assert_eq!(alike, absent[0], "{tag:?}");
            }
        }
    }
}

#[test]
fn a_rescale_of_one_half_is_used_and_said() {
    let intercept = slice().text(INTERCEPT, "DS", "-1000").without(SLOPE);
    let plan = only(&[intercept.bytes()]).unwrap();
    assert_eq!((plan.slices[0].slope, plan.slices[0].intercept), (1.0, -1000.0));
    assert!(plan.warnings[0].text.contains("a slope of 1 is taken"), "{:?}", plan.warnings);
    let slope = slice().text(SLOPE, "DS", "0.5").text(INTERCEPT, "DS", "");
    let plan = only(&[slope.bytes()]).unwrap();
    assert_eq!((plan.slices[0].slope, plan.slices[0].intercept), (0.5, 0.0));
    assert!(plan.warnings[0].text.contains("an intercept of 0 is taken"), "{:?}", plan.warnings);
}

#[test]
fn a_modality_lut_sequence_with_nothing_in_it_is_none() {
    for items in [&[][..], &[vec![]]] {
        for file in
            [slice().sequence(MODALITY_LUT, items), slice().sequence_of_undefined_length(MODALITY_LUT, items)]
        {
            let plan = only(&[file.bytes()]).unwrap();
            assert_eq!((plan.slices[0].slope, plan.warnings.len()), (1.0, 0));
        }
    }
}

#[test]
fn a_pixel_spacing_that_is_no_pair_of_distances_is_said_and_needed_for_no_value() {
    for spacing in ["", "0.5", "0,5\\0,5", "0.5\\0.5\\0.5", "0\\0.5", "Smith^Anna"] {
        let plan = only(&[slice().text((0x0028, 0x0030), "DS", spacing).bytes()]).unwrap();
        assert_eq!(plan.pixel_spacing_mm, None);
        let text = &plan.warnings[0].text;
        assert!(text.starts_with("the only slice without a usable Pixel Spacing") && !text.contains("Anna"));
    }
}

#[test]
fn pixel_data_that_does_not_fit_the_header_is_refused() {
    let text = refusal(&[slice().raw(PIXEL_DATA, "OW", vec![0; 10]).bytes()]);
    assert!(text.contains("has 10 bytes, 12 are needed"), "{text}");
    assert!(refusal(&[slice().without(PIXEL_DATA).bytes()]).contains("it has no pixel data"));
    let mut cut = slice().bytes();
    cut.truncate(cut.len() - 4);
    assert!(refusal(&[cut.clone()]).contains("truncated: 8 of the 12 bytes"));
    cut.truncate(cut.len() - 21);
    assert!(refusal(&[cut]).contains("truncated: it ends at byte"));
}

#[test]
fn a_transfer_syntax_without_a_decoder_is_refused_by_name() {
    let names = [
        ("1.2.840.10008.1.2.4.100", "MPEG2 Main Profile / Main Level (1.2.840.10008.1.2.4.100)"),
        ("1.2.840.10008.1.2.4.110", "JPEG XL Lossless (1.2.840.10008.1.2.4.110)"),
        ("1.2.840.113619.5.2", "private or unknown transfer syntax"),
    ];
    for (uid, name) in names {
        let text = refusal(&[slice().syntax(uid).bytes()]);
        assert!(text.contains(&format!("{name} is not read")), "{text}");
    }
}

#[test]
fn pixel_data_of_another_kind_than_the_transfer_syntax_says_is_refused() {
    let text = refusal(&[slice().syntax("1.2.840.10008.1.2.5").bytes()]);
    assert!(text.contains("says compressed, its pixel data is not in fragments"), "{text}");
    let text = refusal(&[slice().encapsulated("1.2.840.10008.1.2.1", &[&[0; 12]]).bytes()]);
    assert!(text.contains("says uncompressed, its pixel data is compressed"), "{text}");
}

#[test]
fn other_files_are_classified_and_not_errors() {
    assert_eq!(classify(b""), HeaderOutcome::NotDicom);
    assert_eq!(classify(b"a note"), HeaderOutcome::NotDicom);
    assert_eq!(classify(&[0; 4096]), HeaderOutcome::NotDicom);
    assert_eq!(classify(&[0xFF; 4096]), HeaderOutcome::NotDicom);
    let report = slice().text((0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.88.67");
    let report = [(0x0028, 0x0010), (0x0028, 0x0011), (0x0028, 0x0100), PIXEL_DATA]
        .into_iter()
        .fold(report, DicomFile::without);
    let HeaderOutcome::NotAnImage(NotAnImage::Object(name)) = classify(&report.bytes()) else {
        panic!("a report")
    };
    assert_eq!(name, "X-Ray Radiation Dose SR Storage");
    let screenshot =
        slice().text((0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.7").short((0x0028, 0x0002), 3);
    assert_eq!(classify(&screenshot.bytes()), HeaderOutcome::NotAnImage(NotAnImage::Color));
}

#[test]
fn a_file_that_changed_after_the_listing_is_refused() {
    let plan = only(&[slice().bytes()]).unwrap();
    let mut out = vec![0; plan.pixels()];
    let other = slice().text(SLOPE, "DS", "2").bytes();
    let error = decode(&plan, 0, &other, &mut out).unwrap_err();
    assert!(error.to_string().contains("no longer the file that was listed"), "{error}");
    assert!(matches!(decode(&plan, 0, b"", &mut out), Err(Error::Slice { .. })));
    assert!(matches!(decode(&plan, 1, &slice().bytes(), &mut out), Err(Error::Argument(_))));
    assert!(matches!(decode(&plan, 0, &slice().bytes(), &mut out[1..]), Err(Error::Argument(_))));
}

#[test]
fn no_text_of_a_header_reaches_an_error() {
    for tag in [(0x0020, 0x0032), (0x0020, 0x0037), SLOPE, INTERCEPT, (0x0028, 0x0008)] {
        let text = refusal(&[slice().text(tag, "DS", "Smith^Anna").bytes()]);
        assert!(!text.contains("Smith") && !text.contains("Anna"), "{text}");
    }
}
