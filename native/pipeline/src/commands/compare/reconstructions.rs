//! How far the reconstructions of two results are apart, slice by slice: from their tables alone, in rounded arithmetic, for people.

use ndarray::{ArrayView2, Axis};

use super::series::WorstSlice;
use crate::{
    blocks::block_factors::row_major,
    commands::{runner::Runner, stages::StageName},
    error::{Error, Result},
    input::{layout::block_count, listing::local_path},
    memory,
    output::pictures::Display,
    progress::Progress,
    result::{MANIFEST, Manifest, ResultFolder},
};

/// Rows of a block that are multiplied at a time.
const ROWS: usize = 256;

/// What was found.
pub(super) struct Reconstructions {
    /// Rows and columns of a slice.
    pub size: (usize, usize),
    pub unit: String,
    /// Pixels that differ, root mean square and largest difference of each slice.
    pub slices: Vec<(u64, f64, f64)>,
    pub worst: Option<WorstSlice>,
}

/// A result's factors.
struct Factors {
    folder: ResultFolder,
    /// `V diag(s)`, n x k row-major.
    weights: Vec<f64>,
    k: usize,
}

/// What both are, side by side.
pub(super) fn facts(a: &str, b: &str) -> Result<Vec<(String, String)>> {
    let open = |name, path| ResultFolder::open(&local_path(name, path)?);
    // A denoised series has no such manifest, and the difference has been told.
    let (Ok(a), Ok(b)) = (open("A", a), open("B", b)) else { return Ok(Vec::new()) };
    type Fact = (&'static str, fn(&Manifest) -> String);
    let both: [Fact; 4] = [
        ("root digest", |manifest| manifest.digests.root.to_string()),
        ("pixels", |manifest| manifest.digests.pixels.to_string()),
        ("method", |manifest| format!("{}, class {}", manifest.result.method, manifest.result.class)),
        ("rank", |manifest| manifest.result.rank.to_string()),
    ];
    let of = |which: &str, folder: &ResultFolder| {
        both.map(|(name, of)| (format!("{which}: {name}"), of(&folder.manifest))).to_vec()
    };
    Ok([of("A", &a), of("B", &b)].concat())
}

/// Compares them, on `threads` threads (0: one per core).
///
/// # Errors
/// [`Error::ResultFile`] for results without tables, or of scans of other sizes; what keeps tables from being read.
pub(super) fn compare(a: &str, b: &str, threads: usize, progress: &dyn Progress) -> Result<Reconstructions> {
    let (a, b) = (Factors::open("A", a)?, Factors::open("B", b)?);
    let (one, other) = (&a.folder.manifest, &b.folder.manifest);
    let shape = |manifest: &Manifest| {
        (manifest.result.columns, manifest.series.rows, manifest.series.columns, manifest.result.rows)
    };
    let (n, rows, columns, pixels) = shape(one);
    if shape(one) != shape(other) || (rows * columns) as u64 != pixels {
        let problem = "A and B are not results of scans of one size";
        return Err(Error::result_file(MANIFEST, problem));
    }
    let runner = Runner::with_stages(threads, progress, 0, 2)?;
    let of_thread = 8 * (2 * 4096 * (a.k + b.k) + 4 * ROWS * n) as u128;
    let needed = of_thread * runner.pool.current_num_threads() as u128;
    memory::check_other("comparing the reconstructions", needed, "give fewer with --threads")?;
    let blocks = block_count(pixels);
    runner.show_stage(1, StageName { name: "compare", unit: "row blocks" }, blocks as usize);
    let sums = runner.for_blocks(
        blocks,
        || vec![(0_u64, 0.0_f64, 0.0_f64); n],
        |sums, _: &mut Vec<f64>, block| {
            let (x, y) = (a.folder.read_block(block)?, b.folder.read_block(block)?);
            let (x, y) = (row_major(&x, a.k)?, row_major(&y, b.k)?);
            let parts = x.axis_chunks_iter(Axis(0), ROWS).zip(y.axis_chunks_iter(Axis(0), ROWS));
            for (x, y) in parts {
                let apart = x.dot(&a.weights()?.t()) - y.dot(&b.weights()?.t());
                for row in apart.rows() {
                    for (sum, apart) in sums.iter_mut().zip(row) {
                        sum.0 += u64::from(*apart != 0.0);
                        sum.1 += apart * apart;
                        sum.2 = sum.2.max(apart.abs());
                    }
                }
            }
            Ok(())
        },
    )?;
    let mut slices = vec![(0_u64, 0.0_f64, 0.0_f64); n];
    for sums in &sums {
        for ((differing, squares, largest), sum) in slices.iter_mut().zip(sums) {
            *differing += sum.0;
            *squares += sum.1;
            *largest = sum.2.max(*largest);
        }
    }
    slices.iter_mut().for_each(|slice| slice.1 = (slice.1 / pixels.max(1) as f64).sqrt());
    let worst = (0..n).reduce(|most, next| if slices[next].1 > slices[most].1 { next } else { most });
    let worst = worst.filter(|&slice| slices[slice].1 > 0.0);
    let worst = worst.map(|slice| worst_slice(&runner, &a, &b, slice, slices[slice].1)).transpose()?;
    Ok(Reconstructions { size: (rows, columns), unit: one.series.unit.clone(), slices, worst })
}

/// The values of a slice of both.
fn worst_slice(runner: &Runner<'_>, a: &Factors, b: &Factors, slice: usize, rms: f64) -> Result<WorstSlice> {
    let manifest = &a.folder.manifest;
    let blocks = block_count(manifest.result.rows);
    runner.show_stage(2, StageName { name: "draw", unit: "row blocks" }, blocks as usize);
    let values = |of: &Factors, block: u32| -> Result<Vec<f64>> {
        let basis = of.folder.read_block(block)?;
        let weights = of.weights()?;
        Ok(row_major(&basis, of.k)?.dot(&weights.row(slice)).to_vec())
    };
    let parts = runner.for_blocks(blocks, Vec::new, |parts: &mut Vec<_>, _: &mut Vec<f64>, block| {
        parts.push((block, values(a, block)?, values(b, block)?));
        Ok(())
    })?;
    let mut parts: Vec<_> = parts.into_iter().flatten().collect();
    parts.sort_by_key(|part| part.0);
    let one: Vec<f64> = parts.iter().flat_map(|part| part.1.iter().copied()).collect();
    let other: Vec<f64> = parts.iter().flat_map(|part| part.2.iter().copied()).collect();
    let bound = |start: f64, of: fn(f64, f64) -> f64| one.iter().copied().fold(start, of);
    let all = Display {
        low: bound(f64::INFINITY, f64::min),
        high: bound(f64::NEG_INFINITY, f64::max),
        inverted: false,
    };
    let display = manifest.series.display.unwrap_or(all);
    Ok(WorstSlice { slice, rms, display, a: one, b: other })
}

impl Factors {
    fn open(name: &'static str, path: &str) -> Result<Self> {
        let folder = ResultFolder::open(&local_path(name, path)?)?;
        if !folder.has_tables() {
            let problem = format!("{name} was made without its tables (--emit without parquet)");
            return Err(Error::result_file(MANIFEST, problem));
        }
        let (s, mut weights) = folder.read_factors()?;
        let k = s.len().max(1);
        weights.chunks_exact_mut(k).for_each(|row| row.iter_mut().zip(&s).for_each(|(v, s)| *v *= s));
        Ok(Self { folder, weights, k })
    }

    fn weights(&self) -> Result<ArrayView2<'_, f64>> {
        row_major(&self.weights, self.k)
    }
}
