//! What the tests share: adding whole files to an inventory, and finding the real scans beside the repository.
#![allow(dead_code, reason = "each test binary uses a part of it")]

pub mod codestreams;
pub mod volumes;

use std::path::{Path, PathBuf};

use tomobasis_dicom::derived::{Derivation, DerivedImage, DerivedSyntax};
use tomobasis_dicom::testing::DicomFile;
use tomobasis_dicom::{Error, Inventory, Secret, SeriesChoice, SeriesPlan};

/// An inventory of files, read as a caller would: a small head first, more on request.
pub fn inventory(files: &[Vec<u8>]) -> Inventory {
    let mut inventory = Inventory::new();
    for (index, file) in files.iter().enumerate() {
        let mut head = file.len().min(1024);
        loop {
            let needed = inventory
                .add(index, &format!("scan/{index}.dcm"), file.len() as u64, &file[..head])
                .expect("arguments are right");
            if needed == 0 {
                break;
            }
            assert!(needed as usize > head, "asked for {needed} bytes, had {head}");
            head = needed as usize;
        }
    }
    inventory
}

/// The plan of the only series.
pub fn only(files: &[Vec<u8>]) -> Result<SeriesPlan, Error> {
    inventory(files).select(&SeriesChoice::Only)
}

/// The text of the error that selecting the only series gives.
pub fn refusal(files: &[Vec<u8>]) -> String {
    only(files).expect_err("the input should be refused").to_string()
}

/// A derivation with patient data, uncompressed.
pub fn derivation() -> Derivation {
    Derivation {
        image: DerivedImage::Composite { k: 5, slices: 9, series: 1, method: "exact SVD".to_owned() },
        digest: [1; 32],
        digests: Vec::new(),
        secret: Secret([2; 32]),
        version: "1.2.3".to_owned(),
        syntax: DerivedSyntax::Explicit,
        patient_data: true,
    }
}

/// How often a part is in some bytes.
pub fn count(bytes: &[u8], part: &[u8]) -> usize {
    bytes.windows(part.len()).filter(|window| *window == part).count()
}

/// A folder of the data that lies beside the repository (or where TOMOBASIS_SHARED says); `None` with a message
/// when it is absent.
pub fn shared(folder: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let root = std::env::var_os("TOMOBASIS_SHARED").map_or(beside, PathBuf::from);
    let folder = root.join("data").join(folder);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: {} is not there", folder.display());
    None
}

/// The files of a folder, sorted by name.
pub fn read_folder(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder)
        .expect("the folder can be listed")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| (path.display().to_string(), std::fs::read(&path).expect("the file can be read")))
        .collect();
    files.sort();
    files
}

/// The bytes only.
pub fn contents(files: &[(String, Vec<u8>)]) -> Vec<Vec<u8>> {
    files.iter().map(|(_, bytes)| bytes.clone()).collect()
}

/// A slice of `side` x `side` unsigned pixels of this many bits, whose pixel data is still to be set.
pub fn with_image(side: u16, bits: u16) -> DicomFile {
    DicomFile::ct(side, side, &[]).bits(if bits > 8 { 16 } else { 8 }, bits, false)
}

/// Bytes from hexadecimal digits.
pub fn from_hex(digits: &str) -> Vec<u8> {
    let digit = |c: u8| char::from(c).to_digit(16).expect("a hexadecimal digit") as u8;
    digits.as_bytes().chunks(2).map(|pair| 16 * digit(pair[0]) + digit(pair[1])).collect()
}
