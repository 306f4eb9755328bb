//! `drm/`: the factors as distributed row matrices of Apache Mahout's, for programs that read its files.
//!
//! Hadoop's SequenceFiles, version 6, not compressed, of an `IntWritable` or `LongWritable` (the index of the row) and a
//! `VectorWritable` (the row, dense). They are what Hadoop 3's own writer makes of these rows, byte by byte, but for the mark that
//! stands before some records, for readers that begin amid a file. Hadoop draws it at random; here it follows from the path of the file,
//! so that command and job write the same bytes. `docs/format.md` defines the files to the byte.
//!
//! Sources: Hadoop's `SequenceFile.Writer` (3.4), Mahout's `VectorWritable` and `Varint` (14.1).

use crate::{
    input::layout::first_row, output::NamedFile, solve::decomposition::Decomposition, solve::digest::Digest,
};

/// Folder of the SequenceFiles in a result.
pub const FOLDER: &str = "drm";
/// Folders in it: basis vectors, weights, singular values.
const BASIS: &str = "U";
const WEIGHTS: &str = "V";
const VALUES: &str = "s";

/// Classes of keys and values, as the header names them.
const INT: &str = "org.apache.hadoop.io.IntWritable";
const LONG: &str = "org.apache.hadoop.io.LongWritable";
const VECTOR: &str = "org.apache.mahout.math.VectorWritable";
/// A vector of which all numbers are there, in their order.
const DENSE: u8 = 3;
/// What stands before the mark, in the place of a record's length.
const ESCAPE: [u8; 4] = (-1i32).to_be_bytes();
/// Bytes of a mark.
const MARK: usize = 16;
/// A mark stands before a record that begins this many bytes or more behind the last one: Hadoop 3's `SYNC_INTERVAL`.
const BETWEEN_MARKS: usize = 5 * 1024 * (MARK + ESCAPE.len());

/// Bytes of a header at most.
const HEADER: usize = 4 + (1 + LONG.len()) + (1 + VECTOR.len()) + 2 + 4 + MARK;
/// Bytes of a record at most, besides its numbers: two lengths, the key, the vector's flags and length.
const RECORD: usize = 4 + 4 + 8 + 1 + 5;

/// Bytes that a file of rows takes at most, each with this number of entries.
pub(crate) fn most_bytes(rows: usize, entries: usize) -> usize {
    let records =
        rows.saturating_mul(entries.saturating_mul(8).saturating_add(RECORD)).saturating_add(HEADER);
    records.saturating_add((records / BETWEEN_MARKS + 1) * (MARK + ESCAPE.len()))
}

/// Whether a path of the result is that of a SequenceFile.
pub(crate) fn is_drm(path: &str) -> bool {
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

/// A record for each row of `block`, whose key is the index of the pixel, of `pixels`. `u` is rows x `rank`, row-major; `out` is
/// overwritten.
pub(crate) fn encode_basis(block: u32, u: &[f64], rank: usize, pixels: u64, out: &mut Vec<u8>) {
    out.clear();
    // At once: a buffer that grows by doubling may become twice as large as it has to be.
    out.reserve(most_bytes(u.len() / rank.max(1), rank));
    let mut file = SequenceFile::begin(&basis_name(block), Keys::of(pixels), out);
    for (row, values) in (first_row(block)..).zip(u.chunks_exact(rank.max(1))) {
        file.append(row, values);
    }
}

/// The files that are no row block's: `V` with a record for each slice; and `s`, one record with all values.
pub(crate) fn small_files(decomposition: &Decomposition) -> Vec<NamedFile> {
    let (s, v, k) = (&decomposition.s, &decomposition.v, decomposition.rank());
    vec![whole(WEIGHTS, v, k), whole(VALUES, s, s.len())]
}

/// A matrix of rows of `columns` as one file.
fn whole(folder: &str, values: &[f64], columns: usize) -> NamedFile {
    let (path, rows) = (part(folder, 0), values.len() / columns.max(1));
    let mut bytes = Vec::with_capacity(most_bytes(rows, columns));
    let mut file = SequenceFile::begin(&path, Keys::of(rows as u64), &mut bytes);
    for (row, values) in (0..).zip(values.chunks_exact(columns.max(1))) {
        file.append(row, values);
    }
    NamedFile { path, bytes }
}

/// What the keys of a matrix are: the same in all of its files.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    Int,
    Long,
}

impl Keys {
    /// Of a matrix with this number of rows.
    fn of(rows: u64) -> Self {
        if rows <= 1 << 31 { Self::Int } else { Self::Long }
    }
}

/// A SequenceFile that is being written.
struct SequenceFile<'a> {
    out: &'a mut Vec<u8>,
    keys: Keys,
    mark: [u8; MARK],
    /// Behind the last mark.
    marked: usize,
}

impl<'a> SequenceFile<'a> {
    /// Writes the header of the file that has this path in the result, into an empty buffer.
    fn begin(path: &str, keys: Keys, out: &'a mut Vec<u8>) -> Self {
        let mark = mark(path);
        out.extend_from_slice(b"SEQ\x06");
        for class in [if keys == Keys::Int { INT } else { LONG }, VECTOR] {
            // One byte: all are shorter than 128.
            out.push(class.len() as u8);
            out.extend_from_slice(class.as_bytes());
        }
        // Records are not compressed, nor are blocks of them; nothing was added.
        out.extend_from_slice(&[0; 6]);
        out.extend_from_slice(&mark);
        // As Hadoop counts: of the header's mark nothing is known.
        Self { out, keys, mark, marked: 0 }
    }

    fn append(&mut self, key: u64, values: &[f64]) {
        if self.out.len() >= self.marked + BETWEEN_MARKS {
            self.out.extend_from_slice(&ESCAPE);
            self.out.extend_from_slice(&self.mark);
            self.marked = self.out.len();
        }
        let (shown, keys) = varint(values.len());
        let varint = shown.get(..keys).unwrap_or_default();
        let key = key.to_be_bytes();
        let key = if self.keys == Keys::Int { &key[4..] } else { &key[..] };
        let length = key.len() + 1 + varint.len() + 8 * values.len();
        self.out.extend_from_slice(&(length as u32).to_be_bytes());
        self.out.extend_from_slice(&(key.len() as u32).to_be_bytes());
        self.out.extend_from_slice(key);
        self.out.push(DENSE);
        self.out.extend_from_slice(varint);
        values.iter().for_each(|value| self.out.extend_from_slice(&value.to_be_bytes()));
    }
}

/// The mark of the file that has this path in the result: the first bytes of the path's SHA-256.
fn mark(path: &str) -> [u8; MARK] {
    let Digest(digest) = Digest::of([path.as_bytes()]);
    digest.first_chunk().copied().unwrap_or_default()
}

/// 7 bits a byte, the lowest first, all but the last with the highest bit set: bytes, and how many.
fn varint(mut value: usize) -> ([u8; 5], usize) {
    let mut bytes = [0; 5];
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            return (bytes, i + 1);
        }
        *byte |= 0x80;
    }
    (bytes, bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys and rows of a file, read as Hadoop's documentation has it, and how many marks there are.
    fn read(bytes: &[u8], key: usize) -> (Vec<(u64, Vec<f64>)>, usize) {
        let class = 4 + 1 + if key == 4 { INT.len() } else { LONG.len() };
        assert_eq!(bytes[..4], *b"SEQ\x06");
        assert_eq!(bytes[5..class], *if key == 4 { INT } else { LONG }.as_bytes());
        let start = class + 1 + VECTOR.len() + 6;
        let mark = &bytes[start..start + 16];
        let (mut rest, mut rows, mut marks) = (&bytes[start + 16..], Vec::new(), 0);
        let integer = |bytes: &[u8]| i32::from_be_bytes(bytes[..4].try_into().unwrap());
        while !rest.is_empty() {
            if integer(rest) == -1 {
                assert_eq!(rest[4..20], *mark);
                rest = &rest[20..];
                marks += 1;
            }
            let length = integer(rest) as usize;
            assert_eq!(integer(&rest[4..]) as usize, key);
            let record = &rest[8..8 + length];
            let found = record[..key].iter().fold(0, |value, &byte| value << 8 | u64::from(byte));
            assert_eq!(record[key], 3);
            let ends = record[key + 1..].iter().position(|byte| byte & 0x80 == 0).unwrap();
            let count = record[key + 1..=key + 1 + ends]
                .iter()
                .rev()
                .fold(0, |value, &byte| value << 7 | usize::from(byte & 0x7f));
            let numbers = &record[key + 2 + ends..];
            assert_eq!(numbers.len(), 8 * count);
            let numbers = numbers.chunks(8).map(|bytes| f64::from_be_bytes(bytes.try_into().unwrap()));
            rows.push((found, numbers.collect()));
            rest = &rest[8 + length..];
        }
        (rows, marks)
    }

    #[test]
    fn a_block_is_a_record_for_each_row_and_marks_among_them() {
        let u: Vec<f64> = (0..4000 * 300).map(|i| f64::from(i) / 7.0 - 1e4).collect();
        let mut out = vec![7];
        encode_basis(2, &u, 300, 1 << 31, &mut out);
        assert!(out.len() <= most_bytes(4000, 300) && out.capacity() == most_bytes(4000, 300));
        let (rows, marks) = read(&out, 4);
        assert!(rows.iter().map(|(key, _)| *key).eq(8192..12_192));
        assert!(rows.iter().flat_map(|(_, row)| row).map(|x| x.to_bits()).eq(u.iter().map(|x| x.to_bits())));
        // A record has 4 + 4 + 4 + 1 + 2 + 2400 bytes; 43 of them and a mark are what is between two marks.
        assert_eq!(marks, 4000 / 43);
        assert_eq!(basis_name(2), "drm/U/part-00002");
    }

    #[test]
    fn keys_are_long_where_rows_are_too_many_for_integers_and_in_all_files() {
        for block in [0, 600_000] {
            let mut out = Vec::new();
            encode_basis(block, &[0.5, -0.0, f64::MIN_POSITIVE, 1e300], 2, (1 << 31) + 1, &mut out);
            assert!(out.len() <= most_bytes(2, 2));
            let (rows, _) = read(&out, 8);
            let first = u64::from(block) * 4096;
            assert_eq!(rows, [(first, vec![0.5, -0.0]), (first + 1, vec![f64::MIN_POSITIVE, 1e300])]);
        }
    }

    #[test]
    fn each_file_has_a_mark_of_its_own() {
        // sha256sum of the path.
        assert_eq!(mark("drm/U/part-00000")[..4], [0xad, 0x26, 0xa7, 0x50]);
        assert_ne!(mark(&basis_name(0)), mark(&basis_name(1)));
    }

    #[test]
    fn lengths_take_as_few_bytes_as_they_need() {
        let bytes = |value| {
            let (bytes, count) = varint(value);
            bytes[..count].to_vec()
        };
        assert_eq!([bytes(0), bytes(127)], [[0], [127]]);
        assert_eq!([bytes(128), bytes(300)], [[0x80, 1], [0xac, 2]]);
        assert_eq!(bytes(i32::MAX as usize), [0xff, 0xff, 0xff, 0xff, 7]);
    }
}
