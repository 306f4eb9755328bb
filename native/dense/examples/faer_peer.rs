//! faer on its own, for `bench/peers`: the Gram matrix and the thin SVD of a matrix of raw integers, on one
//! thread.
//!
//!     cargo run --release -p tomobasis-dense --features peers --example faer_peer -- FILE ROWS COLUMNS
//!
//! FILE holds ROWS x COLUMNS little-endian 16-bit integers, column after column. Prints one line of JSON,
//! seconds of each.

use faer::linalg::matmul::triangular::{BlockStructure, matmul};
use faer::{Accum, Mat, Par};
use std::error::Error;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, rows, columns] = arguments.as_slice() else {
        return Err("usage: faer_peer FILE ROWS COLUMNS".into());
    };
    let (rows, columns): (usize, usize) = (rows.parse()?, columns.parse()?);
    let bytes = std::fs::read(file)?;
    if bytes.len() != 2 * rows * columns {
        return Err(format!("{file} is not {rows} x {columns}").into());
    }
    let values: Vec<f64> =
        bytes.as_chunks::<2>().0.iter().map(|&pair| f64::from(i16::from_le_bytes(pair))).collect();
    let a = faer::MatRef::from_column_major_slice(&values, rows, columns);

    let began = Instant::now();
    let mut gram = Mat::<f64>::zeros(columns, columns);
    let (lower, full) = (BlockStructure::TriangularLower, BlockStructure::Rectangular);
    matmul(&mut gram, lower, Accum::Replace, a.transpose(), full, a, full, 1.0, Par::Seq);
    let gram_seconds = began.elapsed().as_secs_f64();

    let began = Instant::now();
    let svd = a.thin_svd().map_err(|e| format!("{e:?}"))?;
    let svd_seconds = began.elapsed().as_secs_f64();
    let largest = svd.S()[0];
    println!(
        "{{\"gram\": {gram_seconds:.6}, \"svd\": {svd_seconds:.6}, \"s_1\": {largest:e}, \"trace\": {:e}}}",
        (0..columns).map(|j| gram[(j, j)]).sum::<f64>()
    );
    Ok(())
}
