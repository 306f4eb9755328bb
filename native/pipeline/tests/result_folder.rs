//! A whole run in process, seen from its result folder.

mod common;

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use common::{SIZE, SLICES, decompose, options, series, slice};
use tomobasis_dicom::SliceRecord;
use tomobasis_linalg::{BLOCK_ROWS, GramAccumulator, column_major};
use tomobasis_pipeline::{
    blocks::{BlockRecord, BlockRenderer, Scratch},
    input::{inventory, listing},
    output::tables,
    progress::Silent,
    result::{self, Environment},
    solve::{Decomposition, digest::Digest},
};

/// Every file of a folder by its relative path.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let name = entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            all.insert(name, fs::read(entry.path()).unwrap());
        }
    }
    all
}

/// The matrix A, m x n: row i, column j.
fn matrix() -> Vec<Vec<f64>> {
    let slices: Vec<Vec<i16>> = (0..SLICES).map(slice).collect();
    let rows = slices[0].len();
    (0..rows).map(|i| slices.iter().map(|slice| f64::from(slice[i]) - 1024.0).collect()).collect()
}

#[test]
fn a_result_folder_holds_what_is_documented_and_nothing_else() {
    let (base, input) = series();
    let output = base.path().join("result");
    decompose(&input, &output, "", 2).unwrap();
    let names: Vec<String> = files(&output).into_keys().collect();
    assert_eq!(
        names,
        [
            "_SUCCESS",
            "basis/part-00000.parquet",
            "basis/part-00001.parquet",
            "basis/part-00002.parquet",
            "manifest.json",
            "pictures/basis.png",
            "pictures/composites.png",
            "pictures/differences.png",
            "pictures/spectrum.png",
            "report.html",
            "singular_values.parquet",
            "weights.parquet"
        ]
    );
    assert_eq!(fs::read_dir(base.path()).unwrap().count(), 2, "only scan and result are there");
}

#[test]
fn the_factors_rebuild_the_scan_and_are_orthonormal() {
    let (base, input) = series();
    let output = base.path().join("result");
    let outcome = decompose(&input, &output, "", 1).unwrap();
    let found = files(&output);
    let s = tables::read_singular_values("s", found["singular_values.parquet"].clone()).unwrap();
    let (k, v, _) = tables::read_weights("weights", found["weights.parquet"].clone()).unwrap();
    let mut u = Vec::new();
    for block in 0..3 {
        let table = tables::read_basis("basis", found[&tables::basis_name(block)].clone()).unwrap();
        assert_eq!((table.block, table.first_row), (block, u64::from(block) * BLOCK_ROWS as u64));
        u.extend(table.values);
    }
    let a = matrix();
    assert_eq!((s.len(), k, outcome.manifest.result.rank), (SLICES, SLICES, SLICES));
    assert!(s.is_sorted_by(|a, b| a > b));
    let largest = s[0];
    for (row, u) in a.iter().zip(u.chunks_exact(k)) {
        for (j, value) in row.iter().enumerate() {
            let rebuilt: f64 = (0..k).map(|l| u[l] * s[l] * v[j * k + l]).sum();
            assert!((rebuilt - value).abs() < 1e-13 * largest, "{rebuilt} is not {value}");
        }
    }
    for p in 0..k {
        for q in 0..k {
            let expected = if p == q { 1.0 } else { 0.0 };
            let dot: f64 = u.chunks_exact(k).map(|row| row[p] * row[q]).sum();
            assert!((dot - expected).abs() < 1e-11, "u{p}.u{q} = {dot}");
        }
    }
}

#[test]
fn the_manifest_tells_the_truth_and_names_nobody() {
    let (base, input) = series();
    let output = base.path().join("result");
    let outcome = decompose(&input, &output, "--composite 2,50%,9", 2).unwrap();
    let manifest = outcome.manifest;
    let energy: f64 = matrix().iter().flatten().map(|value| value * value).sum();
    assert!((manifest.result.energy / energy - 1.0).abs() < 1e-15);
    let composites: Vec<usize> = manifest.result.composites.iter().map(|composite| composite.k).collect();
    assert_eq!(composites, [2, 5, 9]);
    assert_eq!(manifest.result.composites[2].residual_rms, 0.0);
    let stored = |j| slice(j).iter().flat_map(|&p| i32::from(p).to_le_bytes()).collect::<Vec<u8>>();
    let of_slices = |behind: &[u8]| {
        let digests = (0..SLICES).map(|j| Digest::of([stored(j).as_slice(), behind]));
        Digest::of_digests(&digests.collect::<Vec<_>>())
    };
    assert_eq!(manifest.digests.pixels, of_slices(b""));
    let secret = of_slices(b"tomobasis secret 1\n");
    let hash = |uid: String| Digest::of([b"tomobasis instance 2\n".as_slice(), &secret.0, uid.as_bytes()]);
    let instances: Vec<Digest> = (1..=SLICES).map(|number| hash(format!("2.25.100.{number}"))).collect();
    assert_eq!(manifest.digests.instances, Digest::of_digests(&instances));
    for (name, bytes) in files(&output) {
        let published = bytes.windows(32).any(|window| window == secret.0)
            || bytes.windows(64).any(|window| window == secret.to_string().as_bytes());
        assert!(!published, "{name} holds the secret of the pixels");
        // Pictures and volume stand in the report in base64, in which any three letters may be.
        let encoded = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
        let words = bytes.chunk_by(|a, b| encoded(a) == encoded(b));
        let said = match name.as_str() {
            "report.html" => words.filter(|word| word.len() < 100).collect::<Vec<_>>().concat(),
            _ => bytes,
        };
        for secret in ["DOE", "JOHN", "2.25.100", base.path().to_str().unwrap()] {
            let found = said.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{name} holds {secret}");
        }
    }
}

#[test]
fn threads_and_names_of_files_change_no_byte() {
    let (base, input) = series();
    let renamed = base.path().join("renamed");
    fs::create_dir(&renamed).unwrap();
    for (i, bytes) in files(&input).into_values().rev().enumerate() {
        fs::write(renamed.join(format!("x{i}")), bytes).unwrap();
    }
    let mut results = Vec::new();
    for (input, threads) in [(&input, 1), (&input, 3), (&renamed, 2)] {
        let output = base.path().join(format!("result-{threads}"));
        decompose(input, &output, "", threads).unwrap();
        let mut found = files(&output);
        // These two tell how it was run.
        found.remove("manifest.json");
        found.remove("report.html");
        results.push(found);
    }
    assert!(results[0] == results[1] && results[0] == results[2]);
}

#[test]
fn stages_far_apart_give_the_bytes_of_the_run_in_process() {
    let (base, input) = series();
    let output = base.path().join("result");
    decompose(&input, &output, "", 1).unwrap();
    let options = options(&input, &base.path().join("other"), "").unwrap();
    let listed = listing::list(&options.input).unwrap();
    let plan =
        inventory::select(&mut inventory::take_inventory(&listed, &Silent).unwrap(), &options).unwrap();
    let pixels = usize::from(SIZE.0) * usize::from(SIZE.1);
    let mut slices = vec![vec![0; pixels]; SLICES];
    let decode = |(j, out): (usize, &mut Vec<i16>)| {
        let bytes = fs::read(&listed[plan.slices[j].file].path).unwrap();
        tomobasis_dicom::decode(&plan, j, &bytes, out).unwrap()
    };
    let found: Vec<SliceRecord> = slices.iter_mut().enumerate().map(decode).collect();
    let blocks: Vec<Vec<i16>> = (0..pixels.div_ceil(BLOCK_ROWS))
        .map(|b| {
            slices.iter().flat_map(|s| s[b * BLOCK_ROWS..pixels.min((b + 1) * BLOCK_ROWS)].to_vec()).collect()
        })
        .collect();

    // Each block its own sum, merged from bytes in another order.
    let sum = |block: &Vec<i16>| {
        let mut sum = GramAccumulator::new(SLICES).unwrap();
        sum.add(column_major(block, block.len() / SLICES, SLICES).unwrap()).unwrap();
        sum.to_bytes()
    };
    let mut gram = GramAccumulator::new(SLICES).unwrap();
    for bytes in blocks.iter().rev().map(sum) {
        gram.merge(&GramAccumulator::from_bytes(&bytes).unwrap()).unwrap();
    }
    // Blocks that were read at different times, of the same pixels and of others.
    let mut changed = found.clone();
    changed[1].digest = [0; 32];
    for later in [&changed, &changed[1..].to_vec()] {
        let lists = [found.clone(), later.clone()].concat();
        assert!(Decomposition::compute(plan.clone(), options.clone(), &gram, &lists, 1).is_err());
    }
    let decomposition = Decomposition::compute(plan, options, &gram, &found, 1).unwrap();
    decomposition.check_pixels(&found).unwrap();
    let error = decomposition.check_pixels(&changed).unwrap_err();
    assert_eq!(error.exit_code(), 3);
    assert!(error.to_string().contains("no longer the file that was listed"), "{error}");
    let renderer =
        BlockRenderer::new(Arc::new(Decomposition::from_bytes(&decomposition.to_bytes().unwrap()).unwrap()))
            .unwrap();
    let (mut parts, mut records, mut bands) = (Vec::new(), Vec::new(), Vec::new());
    let mut scratch = Scratch::default();
    for (b, block) in blocks.iter().enumerate().rev() {
        let rendered = renderer.render(&mut scratch, b as u32, block, block.len() / SLICES, &[]).unwrap();
        parts.push((tables::basis_name(b as u32), rendered.part.concat()));
        records.push(BlockRecord::from_bytes(&rendered.record.to_bytes()).unwrap());
        bands.push(rendered.bands.clone());
    }
    // A retried task brings its block twice.
    records.push(records[0]);
    let pictures = renderer.pictures(bands.iter().map(Vec::as_slice)).unwrap();
    let (_, made) = result::finish(&decomposition, &records, &[], pictures, Environment::default()).unwrap();

    let in_process = files(&output);
    for (name, bytes) in parts.into_iter().chain(made.into_iter().map(|file| (file.path, file.bytes))) {
        if name != "manifest.json" && name != "report.html" {
            assert!(in_process[&name] == bytes, "{name} differs");
        }
    }
    records.pop();
    records.pop();
    assert!(
        result::finish(&decomposition, &records, &[], Vec::new(), Environment::default()).is_err(),
        "a block is missing"
    );
    assert!(renderer.pictures(bands[1..].iter().map(Vec::as_slice)).is_err(), "a band is missing");
}

#[test]
fn only_what_is_asked_for_is_written() {
    let (base, input) = series();
    let whole = decompose(&input, &base.path().join("whole"), "", 1).unwrap();
    let output = base.path().join("pictures");
    let outcome = decompose(&input, &output, "--emit png", 1).unwrap();
    let names: Vec<String> = files(&output).into_keys().collect();
    assert_eq!(names.len(), 6, "{names:?}");
    assert!(
        names
            .iter()
            .all(|name| name.starts_with("pictures/") || name == "manifest.json" || name == "_SUCCESS")
    );
    assert_eq!(outcome.manifest.digests, whole.manifest.digests);
}

#[test]
fn a_smaller_rank_keeps_the_leading_columns() {
    let (base, input) = series();
    let whole = base.path().join("whole");
    let three = base.path().join("three");
    decompose(&input, &whole, "", 2).unwrap();
    let outcome = decompose(&input, &three, "--rank 3", 2).unwrap();
    assert_eq!((outcome.manifest.result.rank, outcome.manifest.result.numerical_rank), (3, Some(SLICES)));
    let values = |folder: &Path| {
        tables::read_singular_values("s", files(folder)["singular_values.parquet"].clone()).unwrap()
    };
    assert_eq!(values(&whole)[..3], values(&three));
    let first = |folder: &Path| {
        tables::read_basis("basis", files(folder)["basis/part-00001.parquet"].clone()).unwrap()
    };
    let (whole, three) = (first(&whole), first(&three));
    for (a, b) in whole.values.chunks_exact(SLICES).zip(three.values.chunks_exact(3)) {
        assert_eq!(a[..3], *b);
    }
    let left_out = outcome.manifest.result.composites.last().unwrap();
    assert!(left_out.k == 3 && left_out.residual_rms > 1.0, "{left_out:?}");
}
