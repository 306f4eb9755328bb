//! The exact Gram matrix of raw floats, timed.
//!
//!     cargo run --release -p tomobasis-linalg --example real_gram -- FILE ROWS COLUMNS float32|float64 THREADS
//!
//! FILE holds ROWS x COLUMNS little-endian floats, row after row, as NumPy keeps them. Prints one line of JSON: seconds, and
//! the trace.

use std::error::Error;
use std::time::Instant;

use ndarray::ArrayView2;
use tomobasis_linalg::{kernel_name, real_gram};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, rows, columns, kind, threads] = arguments.as_slice() else {
        return Err("usage: real_gram FILE ROWS COLUMNS float32|float64 THREADS".into());
    };
    let (shape, threads) = ((rows.parse()?, columns.parse()?), threads.parse()?);
    let bytes = std::fs::read(file).map_err(|e| format!("{file}: {e}"))?;
    match kind.as_str() {
        "float32" => {
            let values: Vec<f32> = bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
            timed(&values, shape, threads)
        }
        "float64" => {
            let values: Vec<f64> = bytes.as_chunks().0.iter().map(|&b| f64::from_le_bytes(b)).collect();
            timed(&values, shape, threads)
        }
        other => Err(format!("{other}: use float32 or float64").into()),
    }
}

fn timed<T>(values: &[T], shape: (usize, usize), threads: usize) -> Result<(), Box<dyn Error>>
where
    T: Copy + Into<f64> + Sync,
{
    let matrix = ArrayView2::from_shape(shape, values)?;
    let start = Instant::now();
    let gram = real_gram(&matrix, threads)?;
    let seconds = start.elapsed().as_secs_f64();
    println!("{{\"seconds\": {seconds}, \"trace\": {:e}, \"kernel\": \"{}\"}}", gram.trace(), kernel_name());
    Ok(())
}
