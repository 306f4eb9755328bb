//! `--emit drm`: the factors in SequenceFiles of Mahout's vectors.

mod common;

use std::{fs, path::Path};

use common::{SIZE, SLICES, decompose, series};
use tomobasis_linalg::BLOCK_ROWS;
use tomobasis_pipeline::output::tables;

/// Keys and vectors of a file: a header of 97 bytes that ends with the mark; then records of two lengths, a key, and a dense vector of
/// fewer than 128 numbers, and marks among them.
fn rows(file: &Path) -> Vec<(u32, Vec<f64>)> {
    let bytes = fs::read(file).unwrap();
    assert_eq!(bytes[..37], *b"SEQ\x06\x20org.apache.hadoop.io.IntWritable");
    assert_eq!(bytes[37..75], *b"\x25org.apache.mahout.math.VectorWritable");
    let integer = |bytes: &[u8]| u32::from_be_bytes(bytes[..4].try_into().unwrap());
    let (mut rest, mut rows) = (&bytes[97..], Vec::new());
    while !rest.is_empty() {
        if integer(rest) == u32::MAX {
            assert_eq!(rest[4..20], bytes[81..97]);
            rest = &rest[20..];
        }
        let (length, count) = (integer(rest) as usize, usize::from(rest[13]));
        assert_eq!((integer(&rest[4..]), rest[12], length), (4, 3, 6 + 8 * count));
        let numbers = rest[14..8 + length].chunks(8);
        let numbers = numbers.map(|bytes| f64::from_be_bytes(bytes.try_into().unwrap())).collect();
        rows.push((integer(&rest[8..]), numbers));
        rest = &rest[8 + length..];
    }
    rows
}

fn same(rows: &[(u32, Vec<f64>)], values: &[f64]) -> bool {
    rows.iter().flat_map(|(_, row)| row).map(|x| x.to_bits()).eq(values.iter().map(|x| x.to_bits()))
}

#[test]
fn the_sequence_files_hold_the_tables_to_the_bit() {
    let (base, input) = series();
    let k = 2;
    for (name, options) in [
        ("gram", "--rank 2"),
        ("center", "--rank 2 --center"),
        ("dssvd", "--method dssvd --rank 2 --oversample 3 --power-iterations 1"),
    ] {
        let result = base.path().join(name);
        decompose(&input, &result, &format!("{options} --emit parquet,drm"), 2).unwrap();
        let read = |name: &str| fs::read(result.join(name)).unwrap();
        let s = tables::read_singular_values("s", read("singular_values.parquet")).unwrap();
        let values = rows(&result.join("drm/s/part-00000"));
        assert!(values.len() == 1 && values[0].0 == 0 && same(&values, &s));
        let (_, v, _) = tables::read_weights("weights", read("weights.parquet")).unwrap();
        let weights = rows(&result.join("drm/V/part-00000"));
        assert!(weights.iter().map(|(key, row)| (*key as usize, row.len())).eq((0..SLICES).map(|j| (j, k))));
        assert!(same(&weights, &v));
        let pixels = usize::from(SIZE.0) * usize::from(SIZE.1);
        let blocks = pixels.div_ceil(BLOCK_ROWS);
        assert_eq!(fs::read_dir(result.join("drm/U")).unwrap().count(), blocks);
        for block in 0..blocks {
            let table = tables::read_basis("part", read(&tables::basis_name(block as u32))).unwrap();
            let basis = rows(&result.join(format!("drm/U/part-{block:05}")));
            let first = block * BLOCK_ROWS;
            assert!(basis.iter().map(|(key, _)| *key as usize).eq(first..first + table.values.len() / k));
            assert!(same(&basis, &table.values));
        }
    }
}

#[test]
fn sequence_files_alone_are_a_result_too() {
    let (base, input) = series();
    let result = base.path().join("result");
    let outcome = decompose(&input, &result, "--rank 2 --emit drm", 2).unwrap();
    let listed: Vec<String> = outcome.manifest.files.unwrap().into_iter().map(|file| file.path).collect();
    let expected = ["U/part-00000", "U/part-00001", "U/part-00002", "V/part-00000", "s/part-00000"];
    assert_eq!(listed, expected.map(|name| format!("drm/{name}")));
    assert!(outcome.closing.ends_with("/drm/"), "{}", outcome.closing);
}

#[test]
fn a_written_basis_is_read_as_the_matrix_it_is() {
    let (base, input) = series();
    let result = base.path().join("result");
    decompose(&input, &result, "--rank 3 --emit drm", 2).unwrap();
    let again = base.path().join("again");
    let outcome = decompose(&result.join("drm/U"), &again, "--input-format drm --emit drm", 2).unwrap();
    assert_eq!(outcome.manifest.result.rank, 3);
    // The columns of `U` are orthonormal to rounding.
    let values = rows(&again.join("drm/s/part-00000"));
    assert!(values[0].1.iter().all(|s| (s - 1.0).abs() < 1e-12), "{values:?}");
}
