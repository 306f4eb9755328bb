//! The whole decomposition of a matrix of raw integers, step by step, with the time of each: how this crate
//! is used alone, and what `bench/peers` measures.
//!
//!     cargo run --release -p tomobasis-linalg --example decompose_raw -- FILE ROWS COLUMNS RANK THREADS
//!
//! FILE holds ROWS x COLUMNS little-endian 16-bit integers, column after column; `made` in its place makes a
//! smooth scan with noise, `twice` one that has every slice twice. The matrix is in memory before the clock starts. Prints one line of JSON: seconds
//! of each step (`RUST_LOG=debug`: more of them), what was proven, and a checksum of `U`, which no number of threads changes.

use ndarray::{Array2, ArrayView2, ShapeBuilder, ShapeError, s};
use rayon::ThreadPool;
use std::error::Error;
use std::fs::File;
use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use tomobasis_linalg::{BLOCK_ROWS, GramAccumulator, Projector, Rank, Rescale, certified_svd, kernel_name};

/// Column after column.
struct Matrix {
    rows: usize,
    columns: usize,
    values: Vec<i16>,
}

impl Matrix {
    fn read(path: &str, rows: usize, columns: usize) -> Result<Self, Box<dyn Error>> {
        let mut file = File::open(path).map_err(|e| format!("{path}: {e}"))?;
        let (bytes, expected) = (file.metadata()?.len(), 2 * rows * columns);
        if bytes != expected as u64 {
            return Err(format!("{path} holds {bytes} bytes, not 2 x {rows} x {columns}").into());
        }
        // Column by column: the process is measured for its peak memory, too.
        let (mut values, mut column) = (Vec::with_capacity(rows * columns), vec![0; 2 * rows]);
        for _ in 0..columns {
            file.read_exact(&mut column)?;
            values.extend(column.as_chunks::<2>().0.iter().map(|&pair| i16::from_le_bytes(pair)));
        }
        Ok(Self { rows, columns, values })
    }

    fn made(rows: usize, columns: usize) -> Self {
        let mut state = 1u64;
        let mut noise = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 58) as f64
        };
        let wave =
            |i: usize, j: usize| (i as f64 * 8.0 / rows as f64 + j as f64 * 5.0 / columns as f64).sin();
        let values = (0..columns)
            .flat_map(|j| (0..rows).map(move |i| (i, j)))
            .map(|(i, j)| (1000.0 * wave(i, j) + noise()) as i16)
            .collect();
        Self { rows, columns, values }
    }

    /// The columns, and the first of them once more.
    fn twice(mut self, columns: usize) -> Self {
        self.values.extend_from_within(..(columns - self.columns) * self.rows);
        Self { columns, ..self }
    }

    /// Up to [`BLOCK_ROWS`] rows from row `first` on, where they are.
    fn block(&self, first: usize) -> Result<ArrayView2<'_, i16>, ShapeError> {
        let rows = BLOCK_ROWS.min(self.rows - first);
        let columns = (rows, self.columns).strides((1, self.rows));
        ArrayView2::from_shape(columns, self.values.get(first..).unwrap_or_default())
    }

    /// The sums of all row blocks: each thread's own, merged, or of many columns shared ones.
    fn gram(&self, pool: &ThreadPool) -> Result<GramAccumulator, Box<dyn Error>> {
        if self.columns >= GramAccumulator::SHARED {
            let mut gram = GramAccumulator::new(self.columns)?;
            for first in (0..self.rows).step_by(BLOCK_ROWS) {
                let block = self.block(first)?;
                pool.install(|| gram.add_parallel(block))?;
            }
            return Ok(gram);
        }
        let add = |sum: &mut Result<GramAccumulator, tomobasis_linalg::Error>, block: ArrayView2<i16>| {
            sum.as_mut().map_err(|e| e.clone())?.add(block)
        };
        let mut sums = self.for_blocks(pool, || GramAccumulator::new(self.columns), add)?.into_iter();
        let mut gram = sums.next().unwrap_or_else(|| GramAccumulator::new(self.columns))?;
        for sum in sums {
            gram.merge(&sum?)?;
        }
        Ok(gram)
    }

    /// Runs `work` on all row blocks; returns each thread's state.
    fn for_blocks<S: Send>(
        &self,
        pool: &ThreadPool,
        state: impl Fn() -> S + Sync,
        work: impl Fn(&mut S, ArrayView2<i16>) -> Result<(), tomobasis_linalg::Error> + Sync,
    ) -> Result<Vec<S>, Box<dyn Error>> {
        let blocks: Vec<_> =
            (0..self.rows).step_by(BLOCK_ROWS).map(|first| self.block(first)).collect::<Result<_, _>>()?;
        let next = AtomicUsize::new(0);
        let run = || {
            let mut state = state();
            while let Some(&block) = blocks.get(next.fetch_add(1, Ordering::Relaxed)) {
                work(&mut state, block)?;
            }
            Ok(state)
        };
        Ok(pool.broadcast(|_| run()).into_iter().collect::<Result<_, tomobasis_linalg::Error>>()?)
    }
}

/// Seconds of wall and CPU time since some moment; CPU time as Linux tells it, to a hundredth, 0 elsewhere.
#[derive(Clone, Copy)]
struct Clock(Instant, f64);

impl Clock {
    fn start() -> Self {
        Self(Instant::now(), Self::cpu())
    }

    fn elapsed(self) -> (f64, f64) {
        (self.0.elapsed().as_secs_f64(), Self::cpu() - self.1)
    }

    fn cpu() -> f64 {
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        // After the name, which may have spaces, user and system time are fields 12 and 13.
        let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields).split(' ');
        fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
    }
}

/// Largest resident set of this process in MB, as Linux tells it; 0 elsewhere.
fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|kb| kb.trim().trim_end_matches(" kB").parse().ok()).map_or(0.0, |kb: f64| kb / 1024.0)
}

fn main() -> Result<(), Box<dyn Error>> {
    env_logger::builder().format_timestamp_millis().init();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, numbers @ ..] = arguments.as_slice() else {
        return Err("usage: decompose_raw FILE|made|twice ROWS COLUMNS RANK THREADS".into());
    };
    let numbers: Vec<usize> = numbers.iter().map(|n| n.parse()).collect::<Result<_, _>>()?;
    let &[rows, columns, rank, threads] = numbers.as_slice() else {
        return Err("ROWS, COLUMNS, RANK and THREADS are four numbers".into());
    };
    let a = match file.as_str() {
        "made" => Matrix::made(rows, columns),
        "twice" => Matrix::made(rows, columns.div_ceil(2)).twice(columns),
        _ => Matrix::read(file, rows, columns)?,
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let rescale = vec![Rescale::IDENTITY; columns];

    let began = Clock::start();
    let sums = a.gram(&pool)?;
    log::debug!("sums: {:.3?}", began.elapsed());
    let gram = pool.install(|| sums.finish(&rescale))?;
    let (gram_seconds, gram_cpu) = began.elapsed();

    let began = Clock::start();
    let svd = certified_svd(&gram, Rank::Columns(rank), threads)?;
    let (certified_seconds, certified_cpu) = began.elapsed();

    let began = Clock::start();
    let projector = Projector::new(&svd, &rescale)?;
    let checksums = a.for_blocks(
        &pool,
        || {
            let t = Array2::zeros((BLOCK_ROWS, svd.s.len()));
            (0u64, t.clone(), t)
        },
        |(sum, t, u), block| {
            let rows = s![..block.nrows(), ..];
            let (mut t, mut u) = (t.slice_mut(rows), u.slice_mut(rows));
            projector.project_into(block, t.view_mut())?;
            projector.basis_into(t.view(), u.view_mut())?;
            *sum = u.iter().fold(*sum, |sum, v| sum.wrapping_add(v.to_bits()));
            Ok(())
        },
    )?;
    let (project_seconds, project_cpu) = began.elapsed();
    let checksum = checksums.iter().fold(0u64, |sum, (more, ..)| sum.wrapping_add(*more));
    println!(
        "{{\"gram\": {gram_seconds:.6}, \"certified\": {certified_seconds:.6}, \"project\": {project_seconds:.6}, \
         \"gram_cpu\": {gram_cpu:.2}, \"certified_cpu\": {certified_cpu:.2}, \"project_cpu\": {project_cpu:.2}, \
         \"rank\": {}, \"numerical_rank\": {}, \"unresolved\": {}, \"steps\": {}, \"bound\": {:e}, \"kernel\": \"{}\", \
         \"peak_mb\": {:.1}, \"checksum\": \"{checksum:016x}\"}}",
        svd.s.len(),
        svd.rank,
        svd.unresolved.len(),
        svd.bounds.steps,
        svd.bounds.v,
        kernel_name(),
        peak_mb(),
    );
    Ok(())
}
