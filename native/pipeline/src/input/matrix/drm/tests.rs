//! SequenceFiles as Hadoop writes them, made here byte by byte.

use std::{io, io::Write as _, sync::Arc};

use flate2::{
    Compression,
    write::{GzEncoder, ZlibEncoder},
};
use ndarray::Array2;

use super::*;
use crate::input::matrix::source::ReadAt;

const MARK: [u8; 16] = *b"a mark of a file";
const INT: &str = "org.apache.hadoop.io.IntWritable";
const LONG: &str = "org.apache.hadoop.io.LongWritable";
const VECTOR: &str = "org.apache.mahout.math.VectorWritable";
const ZLIB: &str = "org.apache.hadoop.io.compress.DefaultCodec";
const GZIP: &str = "org.apache.hadoop.io.compress.GzipCodec";

struct Bytes(Vec<u8>);

impl ReadAt for Bytes {
    fn length(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        let at = at as usize;
        let found = self.0.get(at..at + bytes.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        bytes.copy_from_slice(found);
        Ok(())
    }
}

fn files(parts: &[Vec<u8>]) -> Files {
    Files::new(parts.iter().map(|part| Arc::new(Bytes(part.clone())) as Arc<dyn ReadAt>).collect())
}

/// `WritableUtils.writeVInt` of what is not negative.
fn short(value: usize) -> Vec<u8> {
    match value {
        0..=127 => vec![value as u8],
        128..=255 => vec![(-113i8) as u8, value as u8],
        _ => [&[(-114i8) as u8][..], &(value as u16).to_be_bytes()].concat(),
    }
}

fn text(value: &str) -> Vec<u8> {
    [short(value.len()), value.as_bytes().to_vec()].concat()
}

fn header(key: &str, value: &str, packed: u8, blocks: u8, codec: Option<&str>) -> Vec<u8> {
    let codec = codec.map(text).unwrap_or_default();
    let added = [&1u32.to_be_bytes()[..], &text("by"), &text("hand")].concat();
    [b"SEQ\x06".to_vec(), text(key), text(value), vec![packed, blocks], codec, added, MARK.to_vec()].concat()
}

fn pack(codec: &str, bytes: &[u8]) -> Vec<u8> {
    if codec == GZIP {
        let mut out = GzEncoder::new(Vec::new(), Compression::default());
        out.write_all(bytes).unwrap();
        return out.finish().unwrap();
    }
    let mut out = ZlibEncoder::new(Vec::new(), Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn marked() -> Vec<u8> {
    [&(-1i32).to_be_bytes()[..], &MARK].concat()
}

fn key_bytes(key: &str, index: i64) -> Vec<u8> {
    if key == INT { (index as i32).to_be_bytes().to_vec() } else { index.to_be_bytes().to_vec() }
}

/// Records one by one, with a mark before each third one; their values compressed or not.
fn single(key: &str, rows: &[(i64, Vec<u8>)], codec: Option<&str>) -> Vec<u8> {
    let mut out = header(key, VECTOR, u8::from(codec.is_some()), 0, codec);
    for (i, (index, value)) in rows.iter().enumerate() {
        if i % 3 == 2 {
            out.extend(marked());
        }
        let key = key_bytes(key, *index);
        let value = codec.map_or_else(|| value.clone(), |codec| pack(codec, value));
        out.extend(((key.len() + value.len()) as u32).to_be_bytes());
        out.extend((key.len() as u32).to_be_bytes());
        out.extend(key);
        out.extend(value);
    }
    out
}

/// Records in blocks of `size`.
fn in_blocks(key: &str, rows: &[(i64, Vec<u8>)], codec: &str, size: usize) -> Vec<u8> {
    let mut out = header(key, VECTOR, 1, 1, Some(codec));
    for rows in rows.chunks(size) {
        let keys: Vec<Vec<u8>> = rows.iter().map(|(index, _)| key_bytes(key, *index)).collect();
        out.extend(marked());
        out.extend(short(rows.len()));
        for bytes in [
            keys.iter().flat_map(|key| short(key.len())).collect::<Vec<u8>>(),
            keys.concat(),
            rows.iter().flat_map(|(_, value)| short(value.len())).collect(),
            rows.iter().flat_map(|(_, value)| value.clone()).collect(),
        ] {
            let packed = pack(codec, &bytes);
            out.extend(short(packed.len()));
            out.extend(packed);
        }
    }
    out
}

fn number(row: i64, column: usize) -> f64 {
    (row * 31 + column as i64 * 7 - 40) as f64 / 4.0
}

/// Dense and sparse in turn.
fn vector(row: i64, columns: usize) -> Vec<u8> {
    let numbers = (0..columns).map(|column| number(row, column).to_be_bytes());
    match row % 2 {
        0 => [vec![3, columns as u8], numbers.collect::<Vec<_>>().concat()].concat(),
        _ => {
            let pairs = numbers.enumerate().flat_map(|(i, bytes)| [&[i as u8][..], &bytes].concat());
            [vec![0, columns as u8, columns as u8], pairs.collect()].concat()
        }
    }
}

fn rows(indices: impl IntoIterator<Item = i64>, columns: usize) -> Vec<(i64, Vec<u8>)> {
    indices.into_iter().map(|row| (row, vector(row, columns))).collect()
}

/// Reads all of it in tiles of some rows, and some columns of it.
fn check(parts: &[Vec<u8>], count: u64, columns: usize) -> Drm {
    let files = files(parts);
    let drm = Drm::open(&files).unwrap();
    assert_eq!((drm.rows(), drm.columns()), (count, columns));
    for (height, from) in [(count, 0), (3, 0), (1, columns - 1)] {
        for start in (0..count).step_by(height as usize) {
            let tile = Tile { rows: start..(start + height).min(count), columns: from..columns };
            let mut out = Array2::from_elem((tile.height(), columns - from), 9.9);
            drm.read(&files, &tile, out.view_mut()).unwrap();
            for ((row, column), &value) in out.indexed_iter() {
                assert_eq!(value, number((start as usize + row) as i64, from + column));
            }
        }
    }
    drm
}

/// An order that is none.
fn mixed(count: i64) -> impl Iterator<Item = i64> {
    (0..count).map(move |i| i * 7 % count)
}

#[test]
fn rows_in_any_order_in_any_packing_and_in_several_files_are_the_matrix() {
    for key in [INT, LONG] {
        let inorder = rows(0..20, 5);
        let drm = check(&[single(key, &inorder, None)], 20, 5);
        assert_eq!(drm.runs.len(), 1, "one run where rows are in order");
        check(&[single(key, &rows(mixed(20), 5), None)], 20, 5);
        for codec in [ZLIB, GZIP] {
            check(&[single(key, &rows(mixed(20), 5), Some(codec))], 20, 5);
            assert_eq!(check(&[in_blocks(key, &inorder, codec, 6)], 20, 5).runs.len(), 1);
            check(&[in_blocks(key, &rows(mixed(20), 5), codec, 6)], 20, 5);
            check(&[in_blocks(key, &rows(mixed(20), 5), codec, 300)], 20, 5);
        }
        let later = single(key, &rows(12..20, 5), None);
        let others = in_blocks(key, &rows((0..12).rev(), 5), ZLIB, 5);
        check(&[later, single(key, &[], None), others], 20, 5);
    }
}

fn refused(parts: &[Vec<u8>]) -> (Option<usize>, String) {
    let files = files(parts);
    let read = Drm::open(&files).and_then(|drm| {
        let tile = Tile { rows: 0..drm.rows(), columns: 0..drm.columns() };
        let mut out = Array2::zeros((tile.height(), drm.columns()));
        drm.read(&files, &tile, out.view_mut())
    });
    match read {
        Err(Problem::Input(file, text)) => (file, text),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn rows_that_are_missing_or_there_twice_are_refused_with_the_file() {
    let part = |indices: &[i64]| single(INT, &rows(indices.iter().copied(), 3), None);
    let (file, text) = refused(&[part(&[0, 1, 3]), part(&[5, 4])]);
    assert!(file == Some(0) && text.starts_with("key 2 is missing"), "{file:?} {text}");
    let (_, text) = refused(&[part(&[3, 4])]);
    assert!(text.starts_with("keys 0 to 2 are missing"), "{text}");
    let (file, text) = refused(&[part(&[0, 1]), part(&[2, 1])]);
    assert!(file == Some(1) && text.starts_with("it has a record with key 1, and so has another"), "{text}");
    let (_, text) = refused(&[part(&[0, 0])]);
    assert!(text.starts_with("it has a record with key 0"), "{text}");
    let (_, text) = refused(&[part(&[0, -1])]);
    assert!(text.contains("key -1; keys are the indices of rows"), "{text}");
    let (_, text) = refused(&[part(&[])]);
    assert!(text.starts_with("the matrix is 0 x 0"), "{text}");
}

#[test]
fn what_is_no_such_file_is_refused_by_what_it_is() {
    let snappy = "org.apache.hadoop.io.compress.SnappyCodec";
    let whole = single(INT, &rows(0..4, 3), None);
    let blocks = in_blocks(INT, &rows(0..4, 3), ZLIB, 2);
    let long = [rows(0..1, 3), rows(1..2, 4)].concat();
    let mut other_mark = whole.clone();
    let at = whole.windows(16).rposition(|bytes| bytes == MARK).unwrap();
    other_mark[at] ^= 1;
    for (bytes, said) in [
        (b"0,1\n".to_vec(), "no SequenceFile"),
        (Vec::new(), "no SequenceFile"),
        (b"SEQ\x05".to_vec(), "version 5"),
        (whole[..60].to_vec(), "header of its SequenceFile is damaged"),
        (header("org.apache.hadoop.io.Text", VECTOR, 0, 0, None), "its keys are org.apache.hadoop.io.Text"),
        (header(INT, "org.apache.hadoop.io.Text", 0, 0, None), "its values are org.apache.hadoop.io.Text"),
        (header(INT, VECTOR, 1, 0, Some(snappy)), "compressed by org.apache.hadoop.io.compress.SnappyCodec"),
        (header(INT, VECTOR, 1, 1, Some(snappy)), "write it with DefaultCodec, GzipCodec or none"),
        (whole[..whole.len() - 1].to_vec(), "ends within a record"),
        (blocks[..blocks.len() - 1].to_vec(), "ends within a record"),
        (other_mark, "a mark that is not its own"),
        (single(INT, &long, None), "row 2 (key 1): its vector has 4 numbers, and the first one has 3"),
        ([header(INT, VECTOR, 0, 0, None), vec![0x7f; 8]].concat(), "a record of a length that no row has"),
        ([header(INT, VECTOR, 1, 1, Some(ZLIB)), vec![0; 9]].concat(), "a block without a mark"),
    ] {
        let (_, text) = refused(&[bytes]);
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[test]
fn a_block_of_more_than_its_records_and_a_key_of_another_class_are_damage() {
    for key in [INT, LONG] {
        let mut block = in_blocks(key, &rows(0..6, 3), ZLIB, 6);
        let records = header(key, VECTOR, 1, 1, Some(ZLIB)).len() + marked().len();
        assert_eq!(block[records], 6);
        // Its last rows would be lost, and nobody would miss them.
        for fewer in 0..6 {
            block[records] = fewer;
            let (_, text) = refused(&[block.clone()]);
            assert!(text.contains("more in a block than its records"), "{text}");
        }
        let other = if key == INT { LONG } else { INT };
        let (own, others) = (header(key, VECTOR, 0, 0, None), header(other, VECTOR, 0, 0, None));
        let records = single(other, &rows(0..2, 3), None).split_off(others.len());
        let (_, text) = refused(&[[own, records].concat()]);
        assert!(text.contains("a key of another length"), "{text}");
    }
}

#[test]
fn damage_anywhere_is_an_error_or_other_numbers_and_never_a_panic() {
    for whole in [
        single(LONG, &rows(mixed(9), 3), Some(GZIP)),
        in_blocks(INT, &rows(0..9, 3), ZLIB, 4),
        single(INT, &rows(0..9, 3), None),
    ] {
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x41;
            for bytes in [damaged, whole[..at].to_vec()] {
                let files = files(&[bytes]);
                if let Ok(drm) = Drm::open(&files) {
                    let rows = 0..drm.rows().min(20);
                    let tile = Tile { rows, columns: 0..drm.columns() };
                    let mut out = Array2::zeros((tile.height(), drm.columns()));
                    drop(drm.read(&files, &tile, out.view_mut()));
                }
            }
        }
    }
}
