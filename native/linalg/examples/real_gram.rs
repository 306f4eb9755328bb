//! The exact Gram matrix of raw floats, timed.
//!
//!     cargo run --release -p tomobasis-linalg --example real_gram -- FILE ROWS COLUMNS float32|float64 THREADS
//!
//! FILE holds ROWS x COLUMNS little-endian floats, column after column. Prints one line of JSON.

use std::error::Error;
use std::time::Instant;
use tomobasis_linalg::{RealMatrix, kernel_name, real_gram};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, rows, columns, kind, threads] = arguments.as_slice() else {
        return Err("usage: real_gram FILE ROWS COLUMNS float32|float64 THREADS".into());
    };
    let (rows, columns) = (rows.parse()?, columns.parse()?);
    let bytes = std::fs::read(file).map_err(|e| format!("{file}: {e}"))?;
    let values: Vec<f64> = match kind.as_str() {
        "float32" => bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b).into()).collect(),
        "float64" => bytes.as_chunks().0.iter().map(|&b| f64::from_le_bytes(b)).collect(),
        other => return Err(format!("{other}: use float32 or float64").into()),
    };
    drop(bytes);
    let matrix = RealMatrix::new(&values, rows, columns)?;
    let start = Instant::now();
    let gram = real_gram(&matrix, threads.parse()?)?;
    let seconds = start.elapsed().as_secs_f64();
    println!("{{\"seconds\": {seconds}, \"trace\": {:e}, \"kernel\": \"{}\"}}", gram.trace(), kernel_name());
    Ok(())
}
