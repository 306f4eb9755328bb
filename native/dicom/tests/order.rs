//! Elements where the standard has none: readers that stop at the pixel data and readers that do not would get other pixels, so
//! neither reading is taken in silence.

mod common;

use common::{inventory, only, refusal};
use tomobasis_dicom::testing::{DicomFile, elements};
use tomobasis_dicom::{SeriesChoice, decode};

const RLE: &str = "1.2.840.10008.1.2.5";

fn slice() -> DicomFile {
    DicomFile::ct(2, 3, &[-1024, -1, 0, 1, 40, 3071])
}

fn slope(value: &str) -> Vec<u8> {
    elements(&[((0x0028, 0x1053), "DS", value.as_bytes())])
}

fn padding(length: usize) -> Vec<u8> {
    elements(&[((0xFFFC, 0xFFFC), "OB", &vec![0; length])])
}

/// The six pixels as RLE: high bytes, then low bytes, each one literal run.
fn rle() -> Vec<u8> {
    let values = [-1024_i16, -1, 0, 1, 40, 3071];
    let mut frame: Vec<u8> = [2_u32, 64, 72].iter().flat_map(|number| number.to_le_bytes()).collect();
    frame.resize(64, 0);
    for byte in [1, 0] {
        frame.push(5);
        frame.extend(values.iter().map(|value| value.to_le_bytes()[byte]));
        frame.push(0x80);
    }
    frame
}

#[test]
fn what_the_pixels_need_is_refused_behind_them_however_far() {
    for behind in [
        slope("2"),
        [padding(4), slope("2")].concat(),
        [padding(70_000), slope("2"), padding(2)].concat(),
        elements(&[((0x0028, 0x0120), "US", &[0, 0])]),
        elements(&[((0x0028, 0x3000), "SQ", &[])]),
        elements(&[((0x5200, 0x9230), "SQ", &[])]),
        elements(&[((0x6000, 0x0102), "US", &[12, 0])]),
    ] {
        let text = refusal(&[[slice().bytes(), behind].concat()]);
        assert!(text.contains("stands behind the pixel data"), "{text}");
    }
    let implicit = [&slice().implicit().bytes()[..], b"\x28\0\x53\x10\x02\0\0\x002 "].concat();
    assert!(refusal(&[implicit]).contains("Rescale Slope (0028,1053) stands behind"));
}

#[test]
fn behind_compressed_pixels_it_is_refused_at_the_latest_when_they_are_decoded() {
    // Beyond the head that a listing reads, and within it.
    for spare in [0, 100_000] {
        let file = slice().raw((0x0029, 0x1010), "OB", vec![7; spare]).encapsulated(RLE, &[&rle()]).bytes();
        let file = [file, slope("2")].concat();
        let said = match inventory(std::slice::from_ref(&file)).select(&SeriesChoice::Only) {
            Err(error) => error,
            Ok(plan) => decode(&plan, 0, &file, &mut [0; 6]).unwrap_err(),
        };
        assert!(said.to_string().contains("Rescale Slope (0028,1053) stands behind"), "{said}");
    }
}

#[test]
fn another_file_behind_the_pixel_data_is_refused() {
    let mut tar = vec![0; 512];
    tar[..3].copy_from_slice(b"IM1");
    tar[257..262].copy_from_slice(b"ustar");
    let compressed = || slice().encapsulated(RLE, &[&rle()]).bytes();
    for other in
        [slice().bytes(), compressed(), b"PK\x03\x04 and more".to_vec(), b"\x1F\x8B\x08 more".to_vec(), tar]
    {
        for first in [
            slice().bytes(),
            [slice().bytes(), padding(4)].concat(),
            slice().implicit().bytes(),
            compressed(),
        ] {
            let text = refusal(&[[&first[..], &other].concat()]);
            assert!(text.contains("another file begins in it"), "{text}");
            // Zeros that fill a block may stand between the two.
            for zeros in [4, 400, 5000] {
                let text = said(&[&first[..], &vec![0; zeros], &other].concat());
                assert!(text.contains("another file begins in it"), "{zeros} zeros: {text}");
            }
        }
    }
}

/// The message about a file: when it is listed, or else when it is decoded.
fn said(file: &[u8]) -> String {
    let files = [file.to_vec()];
    match inventory(&files).select(&SeriesChoice::Only) {
        Err(error) => error.to_string(),
        Ok(plan) => decode(&plan, 0, file, &mut [0; 6]).unwrap_err().to_string(),
    }
}

fn without_preamble(file: &DicomFile) -> Vec<u8> {
    file.bytes()[132..].to_vec()
}

/// Only the data set: from the class on.
fn data_set(file: &DicomFile, class: &[u8]) -> Vec<u8> {
    let bytes = file.bytes();
    let start = bytes.windows(class.len()).position(|window| window == class).unwrap();
    bytes[start..].to_vec()
}

#[test]
fn another_file_is_seen_behind_other_bytes() {
    let gaps: [&[u8]; 6] = [b"\n", b"\r\n", b"x", &[b' '; 512], &[0xA7; 100], b"8 bytes!"];
    let zeros = [1, 2, 3, 7, 127, 128, 511, 512, 4096, 65_536, (1 << 20) + 1].map(|count| vec![0; count]);
    let gaps = zeros.iter().map(Vec::as_slice).chain(gaps);
    for gap in gaps {
        for first in [slice(), slice().implicit(), slice().encapsulated(RLE, &[&rle()])] {
            for second in [slice().bytes(), without_preamble(&slice()), slice().bytes()[128..].to_vec()] {
                let text = said(&[&first.bytes(), gap, &second].concat());
                assert!(text.contains("another file begins in it"), "{} bytes between: {text}", gap.len());
            }
        }
    }
}

#[test]
fn a_data_set_without_a_meta_group_is_seen_behind_zeros() {
    let little = data_set(&slice().implicit(), b"\x08\0\x16\0\x1A\0");
    let big = data_set(&slice().big_endian(), b"\0\x08\0\x16UI");
    for (first, second) in [(slice().implicit(), little), (slice().big_endian(), big)] {
        for zeros in [8, 9, 400, 100_000] {
            let text = said(&[&first.bytes(), &vec![0; zeros], &second[..]].concat());
            assert!(text.contains("behind the pixel data"), "{zeros} zeros: {text}");
        }
    }
}

#[test]
fn another_file_is_seen_behind_a_truncated_one() {
    for first in [slice(), slice().implicit(), slice().encapsulated(RLE, &[&rle()])] {
        let (first, second) = (first.bytes(), slice().bytes());
        // Wherever the first ends: in its pixels, its header, its meta group.
        for end in 132..first.len() {
            let text = said(&[&first[..end], &second].concat());
            let in_pixels = first[..end].windows(4).any(|tag| tag == b"\xE0\x7F\x10\0");
            assert!(!in_pixels || text.contains("another file begins in it"), "{end}: {text}");
        }
    }
    // The second file's header as pixels of the first.
    let large = |fill: i16| DicomFile::ct(20, 30, &[fill; 600]).bytes();
    for cut in [1, 10, 120, 128, 130, 133, 200, 1000] {
        let first = large(7);
        let file = [&first[..first.len() - cut], &large(8)].concat();
        let plan = inventory(std::slice::from_ref(&file)).select(&SeriesChoice::Only);
        let text = match plan {
            Err(error) => error.to_string(),
            Ok(plan) => decode(&plan, 0, &file, &mut [0; 600]).unwrap_err().to_string(),
        };
        assert!(text.contains("another file begins in it"), "{cut}: {text}");
    }
}

#[test]
fn a_damaged_header_stops_a_series_that_has_room_for_it() {
    let numbered = |i: u32| slice().number(i).position(0.0, 0.0, 2.0 * f64::from(i)).bytes();
    let files: Vec<Vec<u8>> = (1..=8).map(numbered).collect();
    let with = |bad: Vec<u8>| {
        let mut files = files.clone();
        files[3] = bad;
        inventory(&files).select(&SeriesChoice::Only)
    };
    assert!(with(files[3].clone()).is_ok());
    let end = files[3].len() - 12;
    // Never written from some byte of the mark or the header on.
    for from in 129..end {
        let zeroed = [&files[3][..from], &vec![0; files[3].len() - from]].concat();
        if let Ok(plan) = with(zeroed) {
            assert_eq!(plan.slices.len(), 8, "zeros from byte {from}");
        }
    }
    // A length that is wrong, of any element before the pixel data.
    let at = |tag: &[u8]| files[3].windows(tag.len()).position(|window| window == tag).unwrap();
    for tag in [&b"\x08\0\x16\0UI"[..], b"\x08\0\x18\0UI", b"\x20\0\x0E\0UI"] {
        for length in [0, 2, 4, 6, 8, 100, 999] {
            let mut file = files[3].clone();
            let place = at(tag) + 6;
            if file[place] == length as u8 {
                continue;
            }
            file[place..place + 2].copy_from_slice(&u16::to_le_bytes(length));
            assert!(with(file).is_err(), "{tag:?} with {length} bytes");
        }
    }
    // A shortened Series UID before what is no element, in a file without pixel data.
    let series = at(b"\x20\0\x0E\0UI");
    let length = usize::from(files[3][series + 6]);
    let mut uid = files[3][..series + 8 + length].to_vec();
    uid[series + 6] -= 2;
    let junk = [&uid[..], b"~~~~\xFF\xFF\x04\0\0\0four", b"~\x7F~\x7F\xFF\xFF\0\0\0\0\0\0"].concat();
    assert!(with(junk).is_err());
}

#[test]
fn another_file_is_seen_behind_a_deflated_one() {
    let file = slice().deflated().bytes();
    for gap in [0, 1, 500] {
        let text = said(&[&file, &vec![0; gap], &slice().bytes()[..]].concat());
        assert!(text.contains("another file begins in it"), "{gap}: {text}");
    }
    for cut in 1..40 {
        let text = said(&[&file[..file.len() - cut], &slice().bytes()[..]].concat());
        assert!(text.contains("another file begins in it"), "{cut}: {text}");
    }
    assert!(only(&[[file, vec![0; 9]].concat()]).is_ok());
}

#[test]
fn a_file_behind_blanks_is_refused() {
    for blanks in [&[0; 4][..], &[0; 128], &[0; 512], b"\n", b"\r\n  "] {
        let text = refusal(&[[blanks, &slice().bytes()].concat()]);
        assert!(text.contains("its DICM mark is at byte"), "{text}");
    }
    // Files that hold one somewhere are not: a disk image, a mail.
    for other in [[&[0; 9000][..], &slice().bytes()].concat(), [b"Content: ", &slice().bytes()[..]].concat()]
    {
        assert!(only(&[slice().bytes(), other]).is_ok());
    }
}

#[test]
fn a_file_in_an_element_behind_the_pixel_data_is_none_behind_them() {
    let own = elements(&[((0x7FE1, 0x0010), "LO", b"SOMEBODY"), ((0x7FE1, 0x1010), "OB", &slice().bytes())]);
    for file in [slice(), slice().encapsulated(RLE, &[&rle()])] {
        let file = [file.bytes(), own.clone(), padding(70)].concat();
        let plan = only(std::slice::from_ref(&file)).unwrap();
        decode(&plan, 0, &file, &mut [0; 6]).unwrap();
    }
}

#[test]
fn a_second_pixel_data_element_is_refused() {
    let second = elements(&[((0x7FE0, 0x0010), "OW", &[1; 12])]);
    assert!(refusal(&[[slice().bytes(), second].concat()]).contains("(7FE0,0010) occurs twice"));
}

#[test]
fn what_no_pixel_needs_may_follow_them() {
    let own = elements(&[((0x7FE1, 0x1010), "OB", &[7; 40]), ((0x0010, 0x4000), "LT", b"a comment")]);
    for behind in [
        padding(2),
        padding(70_000),
        own,
        vec![0; 5],
        vec![0; 5000],
        vec![0; 3 << 20],
        vec![0xA7; 999],
        [vec![0; 999], vec![0xA7; 999]].concat(),
    ] {
        for file in [slice(), slice().encapsulated(RLE, &[&rle()])] {
            let file = [file.bytes(), behind.clone()].concat();
            let plan = only(std::slice::from_ref(&file)).unwrap();
            let mut out = [0; 6];
            decode(&plan, 0, &file, &mut out).unwrap();
            assert_eq!(out, [-1024, -1, 0, 1, 40, 3071]);
        }
    }
}

/// The file with more elements before the element that begins with `tag`.
fn before(file: &DicomFile, tag: &[u8], more: &[u8]) -> Vec<u8> {
    let bytes = file.bytes();
    let at = bytes.windows(tag.len()).position(|window| window == tag).unwrap();
    [&bytes[..at], more, &bytes[at..]].concat()
}

#[test]
fn elements_out_of_order_before_the_pixels_are_read() {
    let bare = slice().without((0x0028, 0x1053)).without((0x0028, 0x1052));
    let rescale = elements(&[((0x0028, 0x1053), "DS", b"2"), ((0x0028, 0x1052), "DS", b"-7")]);
    let last = before(&bare, b"\xE0\x7F\x10\0", &[padding(6), rescale.clone()].concat());
    let first = before(&bare, b"\x08\0\x60\0CS", &rescale);
    // A private group before the size of the image.
    let own = elements(&[((0x0041, 0x0010), "LO", b"SOMEBODY"), ((0x0041, 0x1001), "UL", &[0; 4])]);
    let size = before(&bare, b"\x20\0\x0E\0UI", &[own, rescale].concat());
    for file in [last, first, size] {
        let plan = only(std::slice::from_ref(&file)).unwrap();
        assert_eq!((plan.slices[0].slope, plan.slices[0].intercept), (2.0, -7.0));
    }
}

#[test]
fn an_element_that_is_there_twice_is_refused_unless_it_says_the_same() {
    let twice = |value| before(&slice(), b"\xE0\x7F\x10\0", &slope(value));
    assert!(refusal(&[twice("2")]).contains("Rescale Slope (0028,1053) occurs twice, with different values"));
    assert_eq!(only(&[twice("1")]).unwrap().slices[0].slope, 1.0);
    let frames = DicomFile::ct(1, 1, &[5]).enhanced(&[(0.0, "1", "0")]);
    let again = elements(&[((0x5200, 0x9230), "SQ", b"")]);
    assert!(only(&[before(&frames, b"\xE0\x7F\x10\0", &again)]).is_err());
    let bytes = frames.bytes();
    let at = bytes.windows(8).position(|window| window == b"\x28\0\x52\x10DS\x02\0").unwrap();
    let mut other = bytes;
    // The intercept of the frame becomes a second slope.
    other[at + 2] = 0x53;
    assert!(refusal(&[other]).contains("Rescale Slope (0028,1053) occurs twice"));
}

#[test]
fn images_beyond_the_number_of_frames_are_told() {
    let (one, two) = (rle(), [rle(), rle()]);
    let native = |pixels: &[i16]| DicomFile::ct(2, 3, pixels).bytes();
    let told = |file: &[u8]| {
        let plan = only(&[file.to_vec()]).unwrap();
        let mut out = [0; 6];
        let record = decode(&plan, 0, file, &mut out).unwrap();
        let all = plan
            .warnings
            .iter()
            .chain(&tomobasis_dicom::notes(&plan, &[record]))
            .map(|note| note.text.clone())
            .collect::<Vec<_>>()
            .join("\n");
        (out, all)
    };
    let values = [-1024, -1, 0, 1, 40, 3071];
    let whole = native(&[&values[..], &[9; 6]].concat());
    assert!(
        matches!(told(&whole), (out, text) if out == values && text.contains("more images than Number of Frames"))
    );
    let part = native(&[&values[..], &[9; 5]].concat());
    assert!(
        matches!(told(&part), (out, text) if out == values && text.contains("more pixel data than the size needs"))
    );
    let second = slice().encapsulated(RLE, &[&two[0], &two[1]]).bytes();
    assert!(
        matches!(told(&second), (out, text) if out == values && text.contains("more compressed images than the one"))
    );
    let split = slice().encapsulated(RLE, &[&one[..70], &one[70..]]).bytes();
    assert!(matches!(told(&split), (out, text) if out == values && !text.contains("more compressed")));
    let plain: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let deflated = tomobasis_dicom::testing::deflate(&plain);
    for (syntax, image) in [("1.2.840.10008.1.2.1.98", &plain), ("1.2.840.10008.1.2.8.1", &deflated)] {
        for (times, more) in [(1, false), (2, true)] {
            let file = slice().encapsulated(syntax, &[&image.repeat(times)]).bytes();
            let (out, text) = told(&file);
            assert_eq!(
                (out, text.contains("more compressed images than the one")),
                (values, more),
                "{syntax}"
            );
        }
    }
}
