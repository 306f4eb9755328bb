//! Fuzzing: files with bytes changed, moved, cut out or put in. Whatever comes of it, reading ends soon, with pixels or with
//! one error that names the file, and within the memory that `docs/dicom.md` states.
//!
//! TOMOBASIS_FUZZ_SECONDS says how long each test goes on (60). The seed is that number, so a run can be repeated. The decoders
//! in C allocate outside Rust's allocator, so what the whole process has resident is looked at as well. Each test is a process of
//! its own, so that the memory is that of one decode.

mod common;

use std::alloc::System;
use std::env;
use std::process::{Command, exit};
use std::time::{Duration, Instant};

use cap::Cap;
use common::codestreams::CODESTREAMS;
use common::{only, read_folder, shared, with_image};
use libtest_mimic::{Arguments, Failed, Trial};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngSeed, TestRunner};
use tomobasis_dicom::testing::DicomFile;
use tomobasis_dicom::{SeriesPlan, decode, read_header};

/// What one decode may hold beside its file: 4 times the largest image here (512 x 512 x 2 bytes) and 64 MB.
const BOUND: usize = 4 * (512 << 10) + (64 << 20);
/// What the tests themselves hold: the files, and a changed copy.
const OURS: usize = 24 << 20;
/// No decode of an image of this size is near it, on a busy machine either.
const LONGEST: Duration = Duration::from_secs(20);

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, BOUND + OURS);

/// Set in the process of a test: which files it is about.
const FILES: &str = "TOMOBASIS_FUZZ_FILES";

fn main() {
    if let Ok(files) = env::var(FILES) {
        let files = match files.as_str() {
            "made" => made(),
            _ => shared("codec_ct").map(|folder| files_of(&folder)).unwrap_or_default(),
        };
        if let Err(failed) = mutate(&files) {
            eprintln!("{}", failed.message().unwrap_or("failed"));
            exit(1);
        }
        return;
    }
    let tests = vec![
        Trial::test("no_mutation_of_a_made_file_aborts_hangs_or_fills_the_memory", || alone("made")),
        Trial::test("no_mutation_of_a_real_file_aborts_hangs_or_fills_the_memory", || alone("real"))
            .with_ignored_flag(shared("codec_ct").is_none()),
    ];
    libtest_mimic::run(&Arguments::from_args(), tests).exit();
}

/// This program again, as the process of one test.
fn alone(files: &str) -> Result<(), Failed> {
    let status = Command::new(env::current_exe()?).env(FILES, files).status()?;
    if status.success() { Ok(()) } else { Err(format!("its process: {status}").into()) }
}

/// Every syntax, with and without fragments, a table of offsets, and sequences.
fn made() -> Vec<Vec<u8>> {
    let pixels: Vec<i16> = (0..256).map(|i| i * 3 - 100).collect();
    let slice = DicomFile::ct(16, 16, &pixels).nested((0x0008, 0x1140), 3);
    let implicit = slice.clone().without((0x0008, 0x1140)).implicit();
    let mut files = vec![slice.bytes(), implicit.bytes(), slice.clone().deflated().bytes()];
    files.push(slice.clone().without((0x0008, 0x1140)).big_endian().bytes());
    files.push(DicomFile::ct(8, 16, &pixels).enhanced(&[(1.0, "1", "0"), (2.0, "2", "-1")]).bytes());
    for (syntax, bits, _, stream) in CODESTREAMS {
        let stream = common::from_hex(stream);
        let (first, rest) = stream.split_at((stream.len() / 2) & !1);
        files.push(with_image(16, bits).encapsulated(syntax, &[&stream]).bytes());
        files.push(with_image(16, bits).encapsulated_with_table(syntax, &[0; 4], &[first, rest]).bytes());
    }
    files
}

fn files_of(folder: &std::path::Path) -> Vec<Vec<u8>> {
    let dicom = read_folder(folder).into_iter().filter(|(name, _)| name.ends_with(".dcm"));
    dicom.map(|(_, bytes)| bytes).collect()
}

/// One change of a file: where, what with, which kind.
type Change = (Index, u32, u8);

fn mutate(files: &[Vec<u8>]) -> Result<(), Failed> {
    let seconds = env::var("TOMOBASIS_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut runner = TestRunner::new(ProptestConfig {
        cases: u32::MAX,
        rng_seed: RngSeed::Fixed(seconds),
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let changes = prop::collection::vec((any::<Index>(), any::<u32>(), any::<u8>()), 1..8);
    let strategy = (any::<Index>(), changes);
    let plans: Vec<SeriesPlan> =
        files.iter().map(|file| only(std::slice::from_ref(file))).collect::<Result<_, _>>()?;
    let before = resident_kb("VmRSS:");
    let mut tried = 0;
    while Instant::now() < end {
        let (which, changes) = strategy.new_tree(&mut runner).map_err(|reason| reason.to_string())?.current();
        let which = which.index(files.len());
        let mut bytes = files[which].clone();
        changes.iter().for_each(|change| apply(&mut bytes, *change));
        let began = Instant::now();
        read_header(&bytes, bytes.len() as u64);
        let mut out = vec![0; plans[which].pixels()];
        if let Err(error) = decode(&plans[which], 0, &bytes, &mut out) {
            let text = error.to_string();
            assert!(text.starts_with("file 1 of 1") && !text.contains('\n'), "{text}");
        }
        assert!(began.elapsed() < LONGEST, "file {which} with {changes:?} took {:?}", began.elapsed());
        tried += 1;
    }
    eprintln!("{tried} files read");
    assert!(tried > 50);
    if let (Some(before), Some(peak)) = (before, resident_kb("VmHWM:")) {
        assert!(peak.saturating_sub(before) < (BOUND + OURS) as u64 / 1024, "{before} kB, then {peak} kB");
    }
    Ok(())
}

fn apply(bytes: &mut Vec<u8>, (place, value, kind): Change) {
    let length = bytes.len();
    if length < 140 {
        return;
    }
    // The preamble means nothing. What a reader decides by stands after it, and after the pixel data's tag.
    let pixels = bytes.windows(4).position(|tag| tag == b"\xE0\x7F\x10\x00").unwrap_or(132);
    let at = match kind % 3 {
        0 => 132 + place.index(length - 132),
        1 => pixels + place.index((length - pixels).min(250)),
        _ => 132 + place.index((pixels - 131).min(length - 132)),
    };
    let number = value.to_le_bytes();
    match kind / 3 % 8 {
        0 => bytes.truncate(at),
        1 => drop(bytes.splice(at..at, number)),
        2 => drop(bytes.drain(at..(at + value as usize % 64).min(length))),
        3 => bytes[at] = [0, 0x7F, 0x80, 0xFF][value as usize % 4],
        4 => bytes[at] ^= 1 << (value % 8),
        5 if at + 4 <= length => bytes[at..at + 4].copy_from_slice(&number),
        _ => bytes[at] = number[0],
    }
}

/// A line of what Linux says of this process; `None` elsewhere.
fn resident_kb(line: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|text| text.strip_prefix(line)?.trim().strip_suffix(" kB")?.parse().ok())
}
