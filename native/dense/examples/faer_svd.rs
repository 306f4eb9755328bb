//! faer on its own, for `bench/truth.py`: the thin SVD of a small matrix, on one thread.
//!
//!     cargo run --release -p tomobasis-dense --features peers --example faer_svd -- FILE ROWS COLUMNS OUTPUT
//!
//! FILE holds ROWS x COLUMNS little-endian float64, column after column. OUTPUT gets `s`, `U` and `V`, column after
//! column too.

use faer::MatRef;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, rows, columns, output] = arguments.as_slice() else {
        return Err("usage: faer_svd FILE ROWS COLUMNS OUTPUT".into());
    };
    let (rows, columns): (usize, usize) = (rows.parse()?, columns.parse()?);
    let bytes = std::fs::read(file)?;
    let values: Vec<f64> = bytes.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect();
    if values.len() != rows * columns {
        return Err(format!("{file} is not {rows} x {columns}").into());
    }
    let a = MatRef::from_column_major_slice(&values, rows, columns);
    let svd = a.thin_svd().map_err(|e| format!("{e:?}"))?;
    let k = rows.min(columns);
    let of = |matrix: MatRef<'_, f64>| -> Vec<f64> {
        (0..k).flat_map(|j| (0..matrix.nrows()).map(move |i| matrix[(i, j)])).collect()
    };
    let s: Vec<f64> = (0..k).map(|j| svd.S()[j]).collect();
    let all = [s, of(svd.U()), of(svd.V())].concat();
    std::fs::write(output, all.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>())?;
    Ok(())
}
