//! Files that crashed, hung or misled one reader or another, ours or the libraries', kept as small synthetic
//! bytes: each is one clear error here, or its right pixels. What the mutator (`mutations.rs`) finds is added
//! here, reduced to what it takes.
//!
//! The allocator of this test program refuses to go beyond a cap, which aborts the program.

mod common;

use std::alloc::System;
use std::time::{Duration, Instant};

use cap::Cap;
use common::codestreams::CODESTREAMS;
use common::{from_hex, inventory, with_image};
use tomobasis_dicom::testing::DicomFile;
use tomobasis_dicom::{Error, SeriesChoice, decode};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, 96 << 20);

const LONGEST: Duration = Duration::from_secs(10);
const PIXELS: [i16; 6] = [-1024, -1, 0, 1, 40, 3071];
const JPEG_LS: &str = "1.2.840.10008.1.2.4.80";
const RLE: &str = "1.2.840.10008.1.2.5";

fn slice() -> DicomFile {
    DicomFile::ct(2, 3, &PIXELS)
}

/// Pixels of the only series of one file.
fn read(file: &[u8]) -> Result<Vec<i16>, Error> {
    let began = Instant::now();
    let plan = inventory(&[file.to_vec()]).select(&SeriesChoice::Only)?;
    let mut out = vec![0; plan.pixels()];
    decode(&plan, 0, file, &mut out)?;
    assert!(began.elapsed() < LONGEST, "it took {:?}", began.elapsed());
    Ok(out)
}

/// An RLE frame for a slice of 2 x 3 pixels of 16 bits: its table of offsets, then `data`.
fn rle(table: &[u32], data: &[u8]) -> Vec<u8> {
    let mut numbers = [0; 16];
    numbers[..table.len()].copy_from_slice(table);
    let frame = [numbers.into_iter().flat_map(u32::to_le_bytes).collect(), data.to_vec()].concat();
    slice().encapsulated(RLE, &[&frame]).bytes()
}

/// The first synthetic codestream of a syntax, with its bits.
fn codestream(syntax: &str) -> (u16, Vec<u8>) {
    let found = CODESTREAMS.iter().find(|(uid, ..)| *uid == syntax);
    found.map(|&(_, bits, _, stream)| (bits, from_hex(stream))).expect("there is one of each syntax")
}

/// A slice of another size than its codestream of 16 x 16.
fn resized(syntax: &str, side: u16) -> Vec<u8> {
    let (bits, stream) = codestream(syntax);
    with_image(side, bits).encapsulated(syntax, &[&stream]).bytes()
}

/// Name, bytes, and words of the error.
type Refused = (&'static str, Vec<u8>, &'static str);

fn headers() -> Vec<Refused> {
    let slope = |text| slice().text((0x0028, 0x1053), "DS", text).bytes();
    let two = slice().enhanced(&[(0.0, "1", "0"), (1.0, "1", "0")]).bytes();
    let mut deep = slice().nested((0x0008, 0x1111), 50_000).bytes();
    deep.truncate(400_000);
    vec![
        ("sequences nested too deep for a stack, truncated", deep, "inside element (0008,1111)"),
        ("no bits stored", slice().bits(16, 0, true).bytes(), "Bits Stored (0028,0101) is 0"),
        ("33 bits stored", slice().bits(16, 33, true).bytes(), "Bits Stored (0028,0101) is 33"),
        ("32 bits in cells of 16", slice().bits(16, 32, true).bytes(), "Bits Stored (0028,0101) is 32"),
        ("a slope with a comma", slope("1,5"), "Rescale Slope (0028,1053) is of the form \"9,9\""),
        ("a slope that is not a number", slope("NaN"), "Rescale Slope (0028,1053) is of the form \"aaa\""),
        ("a slope beyond all scanners", slope("1e308"), "Rescale Slope (0028,1053) is of the form \"9a999\""),
        ("a slope that would vanish", slope("1e-308"), "Rescale Slope (0028,1053) is of the form \"9a-999\""),
        ("frames beyond the data", two, "its pixel data has 12 bytes, 24 are needed"),
        (
            "pixels for 65535 x 65535",
            slice().short((0x0028, 0x0010), 65535).short((0x0028, 0x0011), 65535).bytes(),
            "12 bytes, 8589672450 are needed",
        ),
    ]
}

fn frames() -> Vec<Refused> {
    let (bits, stream) = codestream(JPEG_LS);
    let endless = with_image(16, bits).encapsulated(JPEG_LS, &[&stream[..stream.len() - 2]]).bytes();
    let mut all = vec![
        ("RLE of 2^32 - 1 segments", rle(&[u32::MAX], &[]), "one of 4294967295 segments"),
        (
            "RLE whose segment lies behind its end",
            rle(&[2, 64, 5000], &[0; 9]),
            "RLE image cannot be decoded",
        ),
        ("RLE whose segments go backwards", rle(&[2, 70, 64], &[5; 20]), "RLE image cannot be decoded"),
        ("RLE whose segment lies in its table", rle(&[2, 0, 64], &[5; 20]), "RLE image cannot be decoded"),
        (
            "RLE with a literal run past its end",
            rle(&[2, 64, 66], &[127, 1, 127, 1]),
            "RLE image cannot be decoded",
        ),
        ("RLE without its second byte", rle(&[2, 64, 67], &[0xFB, 7, 0x80]), "RLE image cannot be decoded"),
        ("RLE shorter than its table", slice().encapsulated(RLE, &[&[2, 0, 0]]).bytes(), "RLE image"),
        ("JPEG-LS without an end marker, where CharLS reads on", endless, "JPEG-LS image is truncated"),
    ];
    for syntax in ["1.2.840.10008.1.2.4.70", JPEG_LS, "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.201"] {
        for (name, side) in
            [("a codestream larger than the header", 15), ("a codestream smaller than the header", 17)]
        {
            all.push((name, resized(syntax, side), "is 16 x 16 with 1 component"));
        }
    }
    all
}

#[test]
fn what_once_crashed_or_misled_a_reader_is_one_clear_error() {
    for (name, file, words) in headers().into_iter().chain(frames()) {
        let text = read(&file).map(|pixels| panic!("{name}: {pixels:?}")).unwrap_err().to_string();
        assert!(
            text.starts_with("file 1 of 1 (id ") && text.contains(words),
            "{name}: {text:?} lacks {words:?}"
        );
        assert!(!text.contains('\n'), "{name}: {text}");
    }
}

/// The file with `element` put in front of the other elements of its meta group, whose length is not
/// corrected.
fn with_meta_element(file: &[u8], element: &[u8]) -> Vec<u8> {
    let behind_length = 132 + 12;
    [&file[..behind_length], element, &file[behind_length..]].concat()
}

#[test]
fn what_other_readers_refuse_and_hospitals_have_is_read() {
    let file = slice().bytes();
    let title = b"\x02\x00\x16\x00AE\x12\x00AN_OVERLONG_TITLE_";
    let mut wrong_length = file.clone();
    wrong_length[140..144].copy_from_slice(&9999_u32.to_le_bytes());
    let cases = [
        (
            "an application title of 18 characters, and a group length without it",
            with_meta_element(&file, title),
        ),
        ("a meta group of a wrong length", wrong_length),
        ("neither preamble nor meta group", slice().without_meta().bytes()),
        ("rows as text", slice().text((0x0028, 0x0010), "IS", "2").bytes()),
        ("an element of odd length", slice().raw((0x0029, 0x1010), "OB", vec![7; 301]).bytes()),
        ("bytes after the end", [file.as_slice(), &[0xAB; 77]].concat()),
        ("sequences nested too deep for a stack", slice().nested((0x0008, 0x1111), 50_000).bytes()),
    ];
    for (name, file) in cases {
        assert_eq!(read(&file).as_deref(), Ok(PIXELS.as_slice()), "{name}");
    }
}
