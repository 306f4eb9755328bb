//! `text/`: the factors as the pipeline of 2020 wrote them, for programs that read its files.
//!
//! That pipeline decomposed the transpose with Apache Mahout's `dssvd` and saved `drmV`, `drmU.t` and `s` with Spark's
//! `saveAsTextFile`. So its `drmV` is our `U`, its `drmU` our `V`, transposed. A line of either is what the JVM makes of a
//! pair of a key and a vector: `(key,{0:x,1:x,...})`. Two things differ, so that its reader, which counts the entries of a row,
//! gets every row whole: Mahout leaves out entries that are zero, and here they are written; and the division into parts is by
//! row block, not by partition. `docs/format.md` defines the files to the byte.

mod number;

use self::number::append;
use crate::{input::layout::first_row, output::NamedFile, solve::decomposition::Decomposition};

/// Folder of the text files in a result.
pub const FOLDER: &str = "text";
/// Folders in it, by the names of 2020: basis vectors, weights, singular values.
const BASIS: &str = "drmV";
const WEIGHTS: &str = "drmU";
const VALUES: &str = "s";

/// Bytes of an entry at most: the index of a column, a colon, a number, a comma.
const ENTRY: usize = 6 + 1 + number::LONGEST + 1;
/// Bytes of a row at most besides: its key and what is around it.
const KEY: usize = 20 + 6;

/// Bytes that rows take at most, each with this number of entries.
pub(crate) fn most_bytes(rows: usize, entries: usize) -> usize {
    rows.saturating_mul(entries.saturating_mul(ENTRY).saturating_add(KEY))
}

/// Whether a path of the result is that of a text file.
pub(crate) fn is_text(path: &str) -> bool {
    path.strip_prefix(FOLDER).is_some_and(|name| name.starts_with('/'))
}

/// Name of a row block's file of basis vectors.
#[must_use]
pub fn basis_name(block: u32) -> String {
    part(BASIS, block)
}

fn part(folder: &str, number: u32) -> String {
    format!("{FOLDER}/{folder}/part-{number:05}")
}

/// A line for each row of `block`, whose key is the index of the pixel. `u` is rows x `rank`, row-major; `out` is overwritten.
pub(crate) fn encode_basis(block: u32, u: &[f64], rank: usize, out: &mut Vec<u8>) {
    out.clear();
    // At once: a buffer that grows by doubling may become twice as large as it has to be.
    out.reserve(most_bytes(u.len() / rank.max(1), rank));
    for (row, values) in (first_row(block)..).zip(u.chunks_exact(rank.max(1))) {
        append_row(row, values.iter().copied(), out);
    }
}

/// The files that are no row block's: `V`, transposed, with a line for each basis vector; and `s`, with a line for each value.
pub(crate) fn small_files(decomposition: &Decomposition) -> Vec<NamedFile> {
    let (s, v, k) = (&decomposition.s, &decomposition.v, decomposition.rank());
    let (mut weights, mut values) = (Vec::with_capacity(most_bytes(k, v.len() / k.max(1))), Vec::new());
    for column in 0..k {
        append_row(column as u64, v.iter().skip(column).step_by(k.max(1)).copied(), &mut weights);
    }
    for value in s {
        append(*value, &mut values);
        values.push(b'\n');
    }
    let file = |folder, bytes| NamedFile { path: part(folder, 0), bytes };
    vec![file(WEIGHTS, weights), file(VALUES, values)]
}

/// `(key,{0:x,1:x,...})` and a line feed.
fn append_row(key: u64, values: impl Iterator<Item = f64>, out: &mut Vec<u8>) {
    out.push(b'(');
    out.extend_from_slice(key.to_string().as_bytes());
    out.extend_from_slice(b",{");
    for (i, value) in values.enumerate() {
        if i > 0 {
            out.push(b',');
        }
        out.extend_from_slice(i.to_string().as_bytes());
        out.push(b':');
        append(value, out);
    }
    out.extend_from_slice(b"})\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_pair_of_its_key_and_all_its_entries() {
        let mut out = vec![7];
        encode_basis(1, &[0.5, 0.0, -1e-5, 1.0, -0.0, 12_345_678.0], 3, &mut out);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "(4096,{0:0.5,1:0.0,2:-1.0E-5})\n(4097,{0:1.0,1:-0.0,2:1.2345678E7})\n");
        assert_eq!(basis_name(12), "text/drmV/part-00012");
    }

    #[test]
    fn no_entry_is_longer_than_is_planned_for() {
        let mut out = Vec::new();
        append_row(0, std::iter::repeat_n(-f64::MIN_POSITIVE, 200_000), &mut out);
        assert!(out.len() < most_bytes(1, 200_000));
    }
}
