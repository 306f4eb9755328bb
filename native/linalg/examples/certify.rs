//! Certified SVDs of small matrices, one a line: for other programs to check, as `tests/numerics/test_adversarial.py` does.
//!
//!     echo "2 2 0 - 1:0 1:0 2 1 1 1" | cargo run --release -p tomobasis-linalg --example certify
//!
//! A line has the rows, the columns, how many columns are wanted (0: all up to the rank), which means are removed
//! (`-`, `rows`, `columns` or `both`), `slope:intercept` of each column, and the stored 16-bit integers column after
//! column. The line that answers has the rank, `||A||_F^2`, the singular values, for each a 1 where it has a second word
//! of `V`, the unresolved columns (from 0), `V` row by row and its second words, each list between brackets; or the word
//! `error` and what is wrong. Numbers are written so that they are read back to the bit.

use std::error::Error;
use std::io::{BufRead, Write};
use tomobasis_linalg::{Center, CertifiedSvd, GramAccumulator, Rank, Rescale, certified_svd, column_major};

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        match certified(&line?) {
            Ok(svd) => writeln!(
                out,
                "{} {:?} {:?} {:?} {:?} {:?} {:?}",
                svd.rank,
                svd.energy,
                svd.s,
                svd.compensated.iter().map(|&c| u8::from(c)).collect::<Vec<_>>(),
                svd.unresolved,
                svd.v.iter().collect::<Vec<_>>(),
                svd.v_low.iter().collect::<Vec<_>>()
            )?,
            Err(e) => writeln!(out, "error {e}")?,
        }
    }
    Ok(())
}

fn certified(line: &str) -> Result<CertifiedSvd, Box<dyn Error>> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [rows, columns, wanted, center, rest @ ..] = words.as_slice() else {
        return Err("a line has ROWS COLUMNS WANTED CENTER SLOPE:INTERCEPT.. VALUES..".into());
    };
    let (rows, columns, wanted): (usize, usize, usize) = (rows.parse()?, columns.parse()?, wanted.parse()?);
    let center = match *center {
        "-" => None,
        "rows" => Some(Center::Rows),
        "columns" => Some(Center::Columns),
        "both" => Some(Center::Both),
        other => return Err(format!("{other}: not -, rows, columns or both").into()),
    };
    let (rescales, values) = rest.split_at_checked(columns).ok_or("too few columns")?;
    let rescales: Vec<Rescale> = rescales.iter().map(|r| rescale(r)).collect::<Result<_, _>>()?;
    let values: Vec<i16> = values.iter().map(|v| v.parse()).collect::<Result<_, _>>()?;
    let mut sums = GramAccumulator::new(columns)?;
    sums.add(column_major(&values, rows, columns)?)?;
    let gram = sums.finish_centered(&rescales, center)?;
    Ok(certified_svd(&gram, if wanted == 0 { Rank::Full } else { Rank::Columns(wanted) }, 2)?)
}

fn rescale(word: &str) -> Result<Rescale, Box<dyn Error>> {
    let (slope, intercept) = word.split_once(':').ok_or("a rescale is SLOPE:INTERCEPT")?;
    Ok(Rescale { slope: slope.parse()?, intercept: intercept.parse()?, offset: 0 })
}
