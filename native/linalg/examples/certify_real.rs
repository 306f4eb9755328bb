//! Certified SVDs of small matrices of floats, one a line: for other programs to check, as
//! `tests/numerics/test_real_matrices.py` does.
//!
//!     echo "2 2 float64 - 1.5 0 0 1e-3" | cargo run --release -p tomobasis-linalg --example certify_real
//!
//! A line has the rows, the columns, the type (`float64` or `float32`), which means are removed (`-`, `rows`, `columns` or
//! `both`), and the values row after row. The line that answers is that of the example `certify`, with the bound on `|U^T U - I|` after
//! `||A||_F^2`, and with `U`, row by row, in one more list.
//! `RUST_LOG=debug` tells each step.

use std::error::Error;
use std::io::{BufRead, Write};
use std::str::FromStr;

use ndarray::Array2;
use tomobasis_linalg::{Center, Rank, certified_real_svd_centered};

fn main() -> Result<(), Box<dyn Error>> {
    env_logger::init();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        match answer(&line?) {
            Ok(answer) => writeln!(out, "{answer}")?,
            Err(e) => writeln!(out, "error {e}")?,
        }
    }
    Ok(())
}

fn answer(line: &str) -> Result<String, Box<dyn Error>> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [rows, columns, kind, center, values @ ..] = words.as_slice() else {
        return Err("a line has ROWS COLUMNS TYPE CENTER VALUES..".into());
    };
    let shape = (rows.parse()?, columns.parse()?);
    let center = match *center {
        "-" => None,
        "rows" => Some(Center::Rows),
        "columns" => Some(Center::Columns),
        "both" => Some(Center::Both),
        other => return Err(format!("{other}: not -, rows, columns or both").into()),
    };
    match *kind {
        "float64" => certified::<f64>(shape, center, values),
        "float32" => certified::<f32>(shape, center, values),
        other => Err(format!("{other}: not float64 or float32").into()),
    }
}

fn certified<T>(
    shape: (usize, usize),
    center: Option<Center>,
    values: &[&str],
) -> Result<String, Box<dyn Error>>
where
    T: Copy + Into<f64> + Sync + FromStr<Err: Error + 'static>,
{
    let values: Vec<T> = values.iter().map(|v| v.parse()).collect::<Result<_, _>>()?;
    let a = Array2::from_shape_vec(shape, values)?;
    let found = certified_real_svd_centered(&a.view(), Rank::Full, center, 2)?;
    let (svd, u) = (&found.svd, found.basis(a.view())?.into_raw_vec_and_offset().0);
    let compensated: Vec<u8> = svd.compensated.iter().map(|&c| u8::from(c)).collect();
    let [v, v_low] = [&svd.v, &svd.v_low].map(|matrix| matrix.iter().collect::<Vec<_>>());
    Ok(format!(
        "{} {:?} {:?} {:?} {compensated:?} {:?} {v:?} {v_low:?} {u:?}",
        svd.rank, svd.energy, svd.bounds.orthogonality, svd.s, svd.unresolved
    ))
}
