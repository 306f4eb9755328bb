//! Hostile and damaged files: nothing panics, loops, or allocates what a length field asks for.
//!
//! The allocator of this test program refuses to go beyond [`CAP`], which aborts the program.

mod common;

use std::alloc::System;

use cap::Cap;
use common::{only, refusal};
use proptest::prelude::*;
use tomobasis_dicom::testing::DicomFile;
use tomobasis_dicom::{HeaderOutcome, Problem, decode, read_header};

/// Bytes that all tests of this program may hold at one time.
const CAP: usize = 64 << 20;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, CAP);

fn slice() -> DicomFile {
    DicomFile::ct(2, 3, &[-1024, -1, 0, 1, 40, 3071]).nested((0x0008, 0x1140), 4).raw(
        (0x0029, 0x1010),
        "OB",
        vec![7; 300],
    )
}

#[test]
fn sequences_nested_thousands_deep_before_the_pixels_are_read_over() {
    let file = slice().nested((0x0008, 0x1111), 100_000).bytes();
    let plan = only(std::slice::from_ref(&file)).unwrap();
    let mut out = vec![0; plan.pixels()];
    decode(&plan, 0, &file, &mut out).unwrap();
    assert_eq!(out, [-1024, -1, 0, 1, 40, 3071]);
}

#[test]
fn a_sequence_that_never_ends_is_a_cut_file() {
    let whole = slice().nested((0x0029, 0x1111), 50_000).bytes();
    let text = refusal(&[whole[..whole.len() / 2].to_vec()]);
    assert!(
        text.contains("truncated") && text.contains("inside an element that is not in the standard"),
        "{text}"
    );
}

#[test]
fn a_size_without_the_pixels_for_it_is_refused_before_any_allocation() {
    let file = slice().short((0x0028, 0x0010), 65535).short((0x0028, 0x0011), 65535);
    let text = refusal(&[file.bytes()]);
    assert!(text.contains("12 bytes, 8589672450 are needed"), "{text}");
}

#[test]
fn an_element_that_claims_four_gigabytes_is_a_cut_file() {
    let whole = slice().bytes();
    let at = whole.windows(4).position(|bytes| bytes == b"\x29\x00\x10\x10").unwrap();
    let mut file = whole;
    file[at + 8..at + 12].copy_from_slice(&0xFFFF_FFF0_u32.to_le_bytes());
    let text = refusal(&[file]);
    assert!(
        text.contains("truncated") && text.contains("inside an element that is not in the standard"),
        "{text}"
    );
}

#[test]
fn large_private_elements_before_the_pixels_take_few_requests() {
    let file = slice().raw((0x0029, 0x1111), "OB", vec![0; 3 << 20]).bytes();
    let (mut head, mut requests) = (1024, 0);
    while let HeaderOutcome::NeedBytes(needed) = read_header(&file[..head], file.len() as u64) {
        (head, requests) = (needed as usize, requests + 1);
    }
    assert!(requests <= 2, "{requests} requests");
}

/// A head gives either the outcome of the whole file, or a request for more of it.
fn heads_agree(file: &[u8], head: usize) -> Result<(), TestCaseError> {
    let length = file.len() as u64;
    let whole = read_header(file, length);
    prop_assert!(!matches!(whole, HeaderOutcome::NeedBytes(_)));
    match read_header(&file[..head], length) {
        HeaderOutcome::NeedBytes(needed) => prop_assert!(needed > head as u64 && needed <= length),
        outcome => prop_assert_eq!(outcome, whole),
    }
    Ok(())
}

#[test]
fn a_file_cut_anywhere_is_classified_from_any_head() {
    let file = slice().bytes();
    for length in 0..=file.len() {
        for head in (0..=length).step_by(7) {
            heads_agree(&file[..length], head).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn no_mutation_panics_and_a_head_says_what_the_whole_file_says(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        head in any::<prop::sample::Index>(),
        implicit in any::<bool>(),
    ) {
        let original = if implicit { slice().without((0x0008, 0x1140)).implicit() } else { slice() }.bytes();
        let plan = only(std::slice::from_ref(&original)).unwrap();
        let mut bytes = original;
        for (place, value) in changes {
            // The preamble means nothing.
            let at = 128 + place.index(bytes.len() - 128);
            bytes[at] = value;
        }
        heads_agree(&bytes, head.index(bytes.len()))?;
        let mut out = vec![0; plan.pixels()];
        if decode(&plan, 0, &bytes, &mut out).is_ok() {
            prop_assert!(bytes.len() >= 2 * out.len());
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600), marked in any::<bool>()) {
        let start: &[u8] = if marked { b"DICM" } else { b"" };
        let file = [start, &bytes].concat();
        heads_agree(&file, file.len() / 2)?;
    }
}

/// A file of these pieces at these places, zeros between them, and how many bytes of it were asked for.
fn sparse(length: u64, pieces: &[(u64, &[u8])]) -> (HeaderOutcome, u64) {
    let mut read = 0;
    let mut bytes = |range: std::ops::Range<u64>| {
        read += range.end - range.start;
        let mut out = vec![0; (range.end - range.start) as usize];
        for (at, piece) in pieces {
            for (byte, place) in piece.iter().zip(*at..) {
                if range.contains(&place) {
                    out[(place - range.start) as usize] = *byte;
                }
            }
        }
        Ok::<_, std::convert::Infallible>(out)
    };
    let head = bytes(0..1024.min(length)).unwrap();
    let outcome = tomobasis_dicom::read_header_by(head, length, &mut bytes).unwrap();
    (outcome, read)
}

/// A slice behind three elements of this many bytes, and how many bytes of the file were asked for.
fn behind_elements_of(size: u32) -> (HeaderOutcome, u64) {
    let whole = slice().bytes();
    let at = whole.windows(4).position(|bytes| bytes == b"\x29\x00\x10\x10").unwrap() + 8;
    let head = [&whole[..at], &size.to_le_bytes()].concat();
    let rest = &whole[at + 4 + 300..];
    let element = [&head[at - 8..at - 4], b"OB\0\0".as_slice(), &size.to_le_bytes()].concat();
    let step = u64::from(size) + element.len() as u64;
    let first = head.len() as u64 + u64::from(size);
    let tail = first + 2 * step;
    let length = tail + rest.len() as u64;
    sparse(length, &[(0, &head), (first, &element), (first + step, &element), (tail, rest)])
}

#[test]
fn elements_of_hundreds_of_megabytes_before_the_pixels_are_skipped() {
    let (outcome, read) = behind_elements_of(0x2A00_0000);
    let HeaderOutcome::Slices(slices) = outcome else { panic!("{outcome:?}") };
    assert_eq!((slices[0].rows, slices[0].columns), (2, 3));
    assert!(read < 200_000, "{read} bytes were read");
}

#[test]
fn pixels_behind_elements_of_four_gigabytes_are_refused_and_not_read() {
    let (outcome, read) = behind_elements_of(0xFFFF_FF00);
    let HeaderOutcome::Broken { problem, .. } = outcome else { panic!("{outcome:?}") };
    assert!(matches!(problem, Problem::FarPixels { offset, .. } if offset > 1 << 33), "{problem:?}");
    assert!(read < 200_000, "{read} bytes were read");
}

#[test]
fn a_file_that_gives_fewer_bytes_than_its_size_ends_there() {
    let whole = slice().bytes();
    for given in [0, 5, 131, 200, whole.len() - 3] {
        let read = |from: u64, to: u64| {
            whole[..given][(from as usize).min(given)..(to as usize).min(given)].to_vec()
        };
        let outcome = tomobasis_dicom::read_header_by(read(0, 100), whole.len() as u64, |range| {
            Ok::<_, std::convert::Infallible>(read(range.start, range.end))
        })
        .unwrap();
        assert_eq!(outcome, read_header(&whole[..given], given as u64), "{given} bytes");
    }
}
