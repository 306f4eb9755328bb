//! All singular values of a matrix of raw float64 numbers, by TSQR: what `tests/numerics` holds against LAPACK.
//!
//!     cargo run --release -p tomobasis-linalg --example tsqr_raw -- FILE ROWS COLUMNS
//!
//! FILE holds ROWS x COLUMNS little-endian float64 numbers, column after column. Prints one singular value a
//! line, descending, in the digits that read back as the same number.

use std::error::Error;
use tomobasis_linalg::{Rank, column_major, tsqr_svd};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, rows, columns] = arguments.as_slice() else {
        return Err("usage: tsqr_raw FILE ROWS COLUMNS".into());
    };
    let bytes = std::fs::read(file).map_err(|e| format!("{file}: {e}"))?;
    let (numbers, rest) = bytes.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(format!("{file} holds {} bytes, no whole number of float64", bytes.len()).into());
    }
    let values: Vec<f64> = numbers.iter().map(|&number| f64::from_le_bytes(number)).collect();
    let matrix = column_major(&values, rows.parse()?, columns.parse()?)?;
    tsqr_svd(&matrix, Rank::Full, false, 1)?.spectrum.iter().for_each(|s| println!("{s:e}"));
    Ok(())
}
