//! `--emit text`: the files of the 2020 pipeline.

mod common;

use std::{fs, path::Path};

use common::{SIZE, SLICES, decompose, series};
use tomobasis_linalg::BLOCK_ROWS;
use tomobasis_pipeline::output::tables;

/// Key and entries of each line `(key,{0:x,1:x,...})`.
fn rows(file: &Path) -> Vec<(u64, Vec<f64>)> {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.ends_with('\n'));
    let row = |line: &str| {
        let inner = line.strip_prefix('(').unwrap().strip_suffix("})").unwrap();
        let (key, entries) = inner.split_once(",{").unwrap();
        let entry = |(i, entry): (usize, &str)| {
            let (index, value) = entry.split_once(':').unwrap();
            assert_eq!(index.parse::<usize>().unwrap(), i);
            value.parse::<f64>().unwrap()
        };
        (key.parse().unwrap(), entries.split(',').enumerate().map(entry).collect())
    };
    text.lines().map(row).collect()
}

#[test]
fn the_text_files_hold_the_tables_to_the_bit() {
    let (base, input) = series();
    let k = 4;
    for (name, options) in [
        ("gram", "--rank 4"),
        ("center", "--rank 4 --center"),
        ("dssvd", "--method dssvd --rank 4 --oversample 3 --power-iterations 1"),
    ] {
        let result = base.path().join(name);
        decompose(&input, &result, &format!("{options} --emit parquet,text"), 2).unwrap();
        let text = result.join("text");
        let read = |name: &str| fs::read(result.join(name)).unwrap();
        let s = tables::read_singular_values("s", read("singular_values.parquet")).unwrap();
        let written = fs::read_to_string(text.join("s/part-00000")).unwrap();
        assert_eq!(written.lines().map(|line| line.parse::<f64>().unwrap()).collect::<Vec<_>>(), s);
        let (_, v, _) = tables::read_weights("weights", read("weights.parquet")).unwrap();
        let weights = rows(&text.join("drmU/part-00000"));
        assert_eq!(weights.len(), k);
        for (column, (key, entries)) in weights.iter().enumerate() {
            assert_eq!((*key, entries.len()), (column as u64, SLICES));
            assert!(entries.iter().enumerate().all(|(j, x)| x.to_bits() == v[j * k + column].to_bits()));
        }
        let pixels = usize::from(SIZE.0) * usize::from(SIZE.1);
        let blocks = pixels.div_ceil(BLOCK_ROWS);
        assert_eq!(fs::read_dir(text.join("drmV")).unwrap().count(), blocks);
        for block in 0..blocks {
            let table = tables::read_basis("part", read(&tables::basis_name(block as u32))).unwrap();
            let basis = rows(&text.join(format!("drmV/part-{block:05}")));
            assert_eq!(basis.len() * k, table.values.len());
            for ((i, (key, entries)), values) in basis.iter().enumerate().zip(table.values.chunks(k)) {
                assert_eq!(*key, (block * BLOCK_ROWS + i) as u64);
                assert!(entries.iter().zip(values).all(|(x, u)| x.to_bits() == u.to_bits()));
            }
        }
    }
}

#[test]
fn text_alone_is_a_result_too() {
    let (base, input) = series();
    let result = base.path().join("result");
    let outcome = decompose(&input, &result, "--rank 2 --emit text", 2).unwrap();
    let listed: Vec<String> = outcome.manifest.files.unwrap().into_iter().map(|file| file.path).collect();
    let parts = (0..3).map(|block| format!("text/drmV/part-{block:05}"));
    let expected: Vec<String> = std::iter::once("text/drmU/part-00000".to_owned())
        .chain(parts)
        .chain(["text/s/part-00000".to_owned()])
        .collect();
    assert_eq!(listed, expected);
    assert!(outcome.closing.ends_with("/text/"), "{}", outcome.closing);
    let again = decompose(&input, &result, "--rank 2 --emit text --overwrite", 1).unwrap();
    assert_eq!(again.manifest.digests.root, outcome.manifest.digests.root);
}
