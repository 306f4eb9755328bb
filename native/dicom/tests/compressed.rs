//! Hostile compressed images: every decoder refuses them with one error, and allocates for the image that the
//! header describes, whatever the codestream claims. And friendly ones, by other people's encoders.

mod common;

use std::alloc::System;
use std::time::Instant;

use cap::Cap;
use common::codestreams::CODESTREAMS;
use common::{from_hex, only, with_image};
use tomobasis_dicom::testing::{DicomFile, deflate};
use tomobasis_dicom::{decode, notes};

/// Bytes that all tests of this program may hold at one time.
const CAP: usize = 96 << 20;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, CAP);

const JPEG_LOSSLESS: &str = "1.2.840.10008.1.2.4.70";
const JPEG_LS: &str = "1.2.840.10008.1.2.4.80";
const JPEG_2000: &str = "1.2.840.10008.1.2.4.90";
const RLE: &str = "1.2.840.10008.1.2.5";

/// What decoding a slice of 512 x 512 with this frame says.
fn refusal(syntax: &str, frame: &[u8]) -> String {
    let file = DicomFile::ct(512, 512, &[]).encapsulated(syntax, &[frame]).bytes();
    let plan = only(std::slice::from_ref(&file)).expect("the header is right");
    decode(&plan, 0, &file, &mut vec![0; plan.pixels()]).expect_err("the frame is refused").to_string()
}

fn start_of_frame(marker: u8, bits: u8, rows: u16, columns: u16, components: u8) -> Vec<u8> {
    let mut frame = vec![0xFF, 0xD8, 0xFF, marker, 0, 8 + 3 * components, bits];
    frame.extend([rows.to_be_bytes(), columns.to_be_bytes()].concat());
    frame.push(components);
    (1..=components).for_each(|component| frame.extend([component, 0x11, 0]));
    frame
}

/// SOC and SIZ of an image in tiles, then `rest`.
fn image_header(size: u32, tile: u32, bits: u8, rest: &[u8]) -> Vec<u8> {
    let mut frame = vec![0xFF, 0x4F, 0xFF, 0x51, 0, 41, 0, 0];
    let numbers = [size, size, 0, 0, tile, tile, 0, 0];
    frame.extend(numbers.into_iter().flat_map(u32::to_be_bytes));
    frame.extend([0, 1, bits - 1, 1, 1]);
    frame.extend(rest);
    frame
}

#[test]
fn codestreams_of_another_shape_than_the_header_are_refused_before_decoding() {
    let cases = [
        (JPEG_LOSSLESS, start_of_frame(0xC3, 16, 65535, 65535, 1), "JPEG image is 65535 x 65535"),
        (JPEG_LOSSLESS, start_of_frame(0xC3, 16, 511, 512, 1), "is 511 x 512 with 1 component of 16 bits"),
        (JPEG_LOSSLESS, start_of_frame(0xC0, 8, 512, 512, 3), "with 3 components"),
        (JPEG_LOSSLESS, start_of_frame(0xC3, 17, 512, 512, 1), "of 17 bits"),
        (JPEG_LS, start_of_frame(0xF7, 16, 65535, 65535, 1), "JPEG-LS image is 65535 x 65535"),
        (JPEG_LS, start_of_frame(0xF7, 16, 0, 512, 1), "is 0 x 512"),
        (JPEG_2000, image_header(65535, 65535, 16, &[]), "JPEG 2000 image is 65535 x 65535"),
        (JPEG_2000, image_header(u32::MAX, u32::MAX, 16, &[]), "is 4294967295 x 4294967295"),
        (JPEG_2000, image_header(512, 512, 38, &[]), "of 38 bits"),
        (
            RLE,
            [u32::MAX.to_le_bytes().as_slice(), &[0; 60]].concat(),
            "RLE image is one of 4294967295 segments",
        ),
    ];
    for (syntax, frame, words) in cases {
        let text = refusal(syntax, &frame);
        assert!(text.contains(words) && text.contains("the header says"), "expected {words:?} in {text:?}");
    }
}

#[test]
fn codestreams_that_ask_for_endless_bookkeeping_are_refused() {
    let coding = |layers: u16, precinct: u8| {
        let [high, low] = layers.to_be_bytes();
        [&[0xFF, 0x52, 0, 18, 1, 0, high, low, 0, 5, 4, 4, 0, 1][..], &[precinct; 6]].concat()
    };
    let cases = [
        (image_header(512, 1, 16, &[]), "too many tiles"),
        (image_header(512, 512, 16, &coding(1, 0)), "too small precincts"),
        (image_header(512, 512, 16, &coding(65535, 0x77)), "too many layers"),
        (image_header(512, 512, 16, &[0xFF, 0x52, 0, 1]), "truncated"),
        (image_header(512, 512, 16, &[]), "truncated"),
    ];
    for (frame, words) in cases {
        let text = refusal(JPEG_2000, &frame);
        assert!(text.contains(words), "expected {words:?} in {text:?}");
    }
}

#[test]
fn frames_that_are_no_codestream_are_refused() {
    for syntax in [JPEG_LOSSLESS, JPEG_LS, JPEG_2000, RLE, "1.2.840.10008.1.2.8.1", "1.2.840.10008.1.2.1.98"]
    {
        for frame in [&b"no codestream at all"[..], &[0xFF; 700], &[0; 700], &[0xFF, 0xD8, 0xFF, 0xC3]] {
            let text = refusal(syntax, frame);
            assert!(text.starts_with("file 1 of 1 (id "), "{text}");
        }
    }
}

#[test]
fn a_deflated_file_that_would_fill_the_memory_is_refused() {
    let mut file = DicomFile::ct(2, 2, &[0; 4]).deflated().bytes();
    // Preamble and mark, the element of the group length, the meta group.
    let meta = 132 + 12 + usize::from(file[140]);
    file.truncate(meta);
    file.extend(deflate(&vec![0; 33 << 20]));
    assert!(file.len() < 100_000);
    let text = only(&[file]).unwrap_err().to_string();
    assert!(text.contains("more than 33554432 bytes when inflated"), "{text}");
}

#[test]
fn images_of_other_encoders_are_read_and_lossless_ones_exactly() {
    for (syntax, bits, lossless, stream) in CODESTREAMS {
        let file = with_image(16, bits).encapsulated(syntax, &[&from_hex(stream)]).bytes();
        let plan = only(std::slice::from_ref(&file)).unwrap();
        let mut out = vec![0; plan.pixels()];
        decode(&plan, 0, &file, &mut out).unwrap();
        let error = |(i, &pixel): (usize, &i16)| {
            let (y, x) = (i as i32 / 16, i as i32 % 16);
            let expected = (37 * y + 11 * x + x * y) % (1 << bits);
            (i32::from(pixel) + plan.slices[0].offset - expected).abs()
        };
        let worst = out.iter().enumerate().map(error).max().unwrap();
        // The images with loss are not far off; 8 bits wrap around, which no cosine transform likes.
        let tolerance = if lossless { 0 } else { 16.max((1 << bits) / 512) };
        assert!(worst <= tolerance, "{syntax}: a pixel is off by {worst}");
    }
}

#[test]
fn a_codestream_cut_anywhere_is_refused_at_once_or_lacks_only_its_end() {
    for (syntax, bits, _, stream) in CODESTREAMS {
        let stream = from_hex(stream);
        let began = Instant::now();
        let read = |stream: &[u8]| {
            let file = with_image(16, bits).encapsulated(syntax, &[stream]).bytes();
            let plan = only(std::slice::from_ref(&file)).unwrap();
            let mut out = vec![0; plan.pixels()];
            decode(&plan, 0, &file, &mut out).map(|_| out)
        };
        let whole = read(&stream).unwrap();
        // The file pads odd lengths with a zero, which may be what was cut.
        for length in (0..stream.len()).step_by(2) {
            let cut = read(&stream[..length]);
            assert!(
                cut.is_err() || cut.as_ref() == Ok(&whole),
                "{syntax} cut to {length} of {}",
                stream.len()
            );
        }
        assert!(began.elapsed().as_secs() < 20, "{syntax} took {:?}", began.elapsed());
    }
}

/// The codestream of a syntax, as another encoder wrote it.
fn stream_of(syntax: &str) -> (u16, Vec<u8>) {
    let (_, bits, _, stream) = CODESTREAMS.into_iter().find(|known| known.0 == syntax).unwrap();
    (bits, from_hex(stream))
}

/// Pixels of an image under a syntax, and what is told of it.
fn told(syntax: &str, bits: u16, stream: &[u8]) -> Result<(Vec<i16>, Vec<String>), String> {
    let file = with_image(16, bits).encapsulated(syntax, &[stream]).bytes();
    let plan = only(std::slice::from_ref(&file)).unwrap();
    let mut out = vec![0; plan.pixels()];
    let record = decode(&plan, 0, &file, &mut out).map_err(|error| error.to_string())?;
    Ok((out, notes(&plan, &[record]).into_iter().map(|note| note.text).collect()))
}

#[test]
fn what_is_odd_but_harmless_in_a_codestream_is_read_and_said() {
    let before_end = |stream: &[u8], bytes: &[u8]| {
        let (pixels, end) = stream.split_at(stream.len() - 2);
        [pixels, bytes, end].concat()
    };
    let put = |stream: &[u8], before: &[u8], at: usize, byte: u8| {
        let start = stream.windows(before.len()).position(|bytes| bytes == before).unwrap();
        let mut stream = stream.to_vec();
        stream[start + at] = byte;
        stream
    };
    type Change = Box<dyn Fn(&[u8]) -> Vec<u8>>;
    // libjpeg-turbo has read a few bytes ahead, and says nothing of those.
    let extra = "with extra bytes before the end of the JPEG image";
    let cases: [(&str, Change, &str); 7] = [
        (".50", Box::new(move |s| before_end(s, &[0; 20])), extra),
        (".70", Box::new(move |s| before_end(s, &[0; 20])), extra),
        (".57", Box::new(move |s| before_end(s, &[0; 20])), extra),
        (".50", Box::new(move |s| put(s, b"JFIF", 5, 7)), "with an unknown JFIF revision"),
        (".51", Box::new(move |s| put(s, &[0, 63, 0], 1, 0)), "with Ss = Se = 0"),
        (".50", Box::new(move |s| put(s, &[0, 63, 0], 1, 0)), "with Ss = Se = 0"),
        (
            ".80",
            Box::new(move |s| before_end(s, &[0])),
            "with zero bytes before the end of the JPEG-LS image",
        ),
    ];
    for (syntax, change, words) in cases {
        let syntax = format!("1.2.840.10008.1.2.4{syntax}");
        let (bits, stream) = stream_of(&syntax);
        let (pixels, notes) = told(&syntax, bits, &stream).unwrap();
        assert_eq!(notes, [""; 0], "{syntax}");
        let (odd, notes) = told(&syntax, bits, &change(&stream)).unwrap();
        assert_eq!(odd, pixels, "{syntax}: {words}");
        assert!(
            notes.len() == 1 && notes[0].starts_with("the only slice ") && notes[0].contains(words),
            "{notes:?}"
        );
    }
}

#[test]
fn a_second_codestream_in_one_fragment_is_told() {
    let mut syntaxes = 0;
    for (syntax, bits, _, stream) in CODESTREAMS {
        let one = from_hex(stream);
        let (pixels, notes) = told(syntax, bits, &one).unwrap();
        assert!(notes.iter().all(|note| !note.contains("more compressed images")), "{syntax}: {notes:?}");
        for rest in [one.clone(), [&[0; 3][..], &one].concat()] {
            let stream = [&one[..], &rest].concat();
            if syntax.ends_with(".5") {
                assert!(
                    told(syntax, bits, &stream).unwrap_err().contains("a segment is longer than the image")
                );
                continue;
            }
            let (first, notes) = told(syntax, bits, &stream).unwrap();
            assert_eq!(first, pixels, "{syntax}");
            assert!(
                notes.iter().any(|note| note.contains("more compressed images than the one")),
                "{syntax}: {notes:?}"
            );
        }
        syntaxes += 1;
    }
    assert!(syntaxes > 8);
}

#[test]
fn what_may_be_damage_stays_an_error_that_says_what_it_is() {
    let with = |syntax: &str, bytes: &[u8]| {
        let (bits, stream) = stream_of(syntax);
        let (pixels, end) = stream.split_at(stream.len() - 2);
        told(syntax, bits, &[pixels, bytes, end].concat()).unwrap_err()
    };
    for (syntax, bytes) in [(JPEG_LOSSLESS, &[7; 20][..]), (JPEG_LS, &[7])] {
        let text = with(syntax, bytes);
        assert!(text.contains("cannot be decoded") && !text.contains("copy it again"), "{text}");
    }
    for (syntax, cut) in [(JPEG_LOSSLESS, 2), (JPEG_LS, 2), (JPEG_2000, 100)] {
        let (bits, stream) = stream_of(syntax);
        let text = told(syntax, bits, &stream[..stream.len() - cut]).unwrap_err();
        assert!(text.contains("is truncated; copy it again from its source"), "{text}");
    }
}

#[test]
fn a_lossy_codestream_under_a_lossless_syntax_is_read_and_said_to_be_lossy() {
    for (codestream, named) in
        [("50", "57"), ("50", "70"), ("51", "70"), ("81", "80"), ("91", "90"), ("203", "201"), ("203", "202")]
    {
        let uid = |last| format!("1.2.840.10008.1.2.4.{last}");
        let (bits, stream) = stream_of(&uid(codestream));
        let (pixels, notes) = told(&uid(codestream), bits, &stream).unwrap();
        assert_eq!(notes, [""; 0], "{codestream}");
        let (same, notes) = told(&uid(named), bits, &stream).unwrap();
        assert_eq!(same, pixels);
        assert_eq!(
            notes,
            ["the only slice compressed with loss, though the transfer syntax is a lossless one"],
            "{named}"
        );
    }
}

#[test]
fn no_assertion_of_openjpeg_is_left_that_could_abort_the_process() {
    let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    // Texts are given backwards, so that what is found is not this test.
    let holds = |backwards: &str| {
        let text: Vec<u8> = backwards.bytes().rev().collect();
        program.windows(text.len()).any(|bytes| bytes == text)
    };
    assert!(holds("rekram TLP gnidaer rorrE"), "this test looks at a program without OpenJPEG");
    assert!(!holds("00 =! k2j_p"), "build with -DNDEBUG in CFLAGS (.cargo/config.toml sets it)");
}
