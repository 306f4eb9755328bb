//! Reads each file given as a series of its own, on one thread, and prints one JSON object per line: the digests of its
//! slices, or why it has none. The last line has the seconds it took. For comparisons with other readers.
//!
//!     cargo run --release -p tomobasis-dicom --example read -- pixels FILE...
//!     cargo run --release -p tomobasis-dicom --example read -- values FILE...
//!     cargo run --release -p tomobasis-dicom --example read -- decode FILE...
//!     cargo run --release -p tomobasis-dicom --example read -- headers FILE...
//!
//! `values` prints the stored values in place of their digest, `decode` neither; `headers` lists all files as one input and prints how
//! many are what.

use std::fs::File;
use std::io::{self, Read};
use std::time::Instant;

use serde_json::Value;
use tomobasis_dicom::{FileBuffer, FileBytes, Inventory, SeriesChoice, SliceFile};

/// Bytes of a file that are read at first.
const HEAD: u64 = 16 * 1024;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mode = arguments.next().unwrap_or_default();
    let files: Vec<String> = arguments.collect();
    let began = Instant::now();
    match mode.as_str() {
        "pixels" | "values" | "decode" => {
            let (mut buffer, mut out) = (FileBuffer::new(), Vec::new());
            for file in &files {
                let mut opened = File::open(file)?;
                let length = opened.metadata()?.len();
                let bytes = buffer.fill(length, |bytes| opened.read_exact(bytes))?;
                let line = match slices(bytes, &mode, &mut out) {
                    Ok(slices) => serde_json::json!({ "file": file, "slices": slices }),
                    Err(error) => serde_json::json!({ "file": file, "error": error.to_string() }),
                };
                println!("{line}");
            }
        }
        "headers" => {
            let mut inventory = Inventory::new();
            for (index, file) in files.iter().enumerate() {
                add(&mut inventory, index, file)?;
            }
            println!("{}", serde_json::to_string(&inventory.counts())?);
        }
        _ => return Err("say pixels, values, decode or headers, then files".into()),
    }
    println!("{}", serde_json::json!({ "seconds": began.elapsed().as_secs_f64() }));
    Ok(())
}

/// Frame number of each slice of one file, in the order of the frames, and its digest or values.
fn slices(file: &[u8], mode: &str, out: &mut Vec<i16>) -> Result<Vec<(u32, Value)>, tomobasis_dicom::Error> {
    let mut inventory = Inventory::new();
    inventory.add(0, "file", file.len() as u64, file)?;
    // Localizers and derived images are chosen by name only.
    let choice = match inventory.series().as_slice() {
        [only] => SeriesChoice::Uid(only.id.clone()),
        _ => SeriesChoice::Only,
    };
    let plan = inventory.select(&choice)?;
    let opened = SliceFile::open(FileBytes::whole(file));
    out.resize(plan.pixels(), 0);
    let mut slices = Vec::new();
    for (number, slice) in plan.slices.iter().enumerate() {
        let shown = match mode {
            "pixels" => {
                opened.decode(&plan, number, out)?.digest.map(|byte| format!("{byte:02x}")).concat().into()
            }
            _ => {
                let offset = opened.pixels(&plan, number, out)?;
                let shown = if mode == "values" { out.as_slice() } else { &[] };
                shown.iter().map(|&value| i32::from(value) + offset).collect()
            }
        };
        slices.push((slice.frame, shown));
    }
    slices.sort_by_key(|(frame, _)| *frame);
    Ok(slices)
}

fn add(inventory: &mut Inventory, index: usize, name: &str) -> Result<(), Box<dyn std::error::Error>> {
    let mut file = File::open(name)?;
    let length = file.metadata()?.len();
    let (mut bytes, mut needed) = (Vec::new(), HEAD);
    while needed > 0 {
        let more = needed.min(length) - bytes.len() as u64;
        io::Read::by_ref(&mut file).take(more).read_to_end(&mut bytes)?;
        needed = inventory.add(index, name, length, &bytes)?;
    }
    Ok(())
}
