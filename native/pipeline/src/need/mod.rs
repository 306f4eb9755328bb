//! How much memory a run needs, stage by stage.
//!
//! m pixels, n slices (n' rounded up to 16), k basis vectors, T threads, R = 4096 rows of a block (m where that is less), b row blocks.
//! Everything is beyond what the process has when the headers are read; the scan, `2 m n`, is there from the first stage to the last.
//! What counts is the largest stage. The constants of `solve` and `passes` were fitted to measured peaks, the others are what is allocated;
//! `docs/operations.md` has them in one table, and `tests/output/test_memory_need.py` compares the whole with the peaks of real runs.

mod check;
mod job;
mod scratch;

use std::iter;

use tomobasis_dicom::{LONGEST_FILE, SeriesPlan};
use tomobasis_linalg::{BLOCK_ROWS, GramAccumulator};

pub(crate) use self::check::{check, check_gram, check_rest, check_verification};
pub use self::{
    job::{check_real_solver, check_real_sums, check_solver, check_sums, of_block, of_found},
    scratch::{Scratch, assumed, check_driver, scratch},
};
use crate::{
    blocks::{composites, sampled},
    input::{files::Files, layout::block_count, listing::InputFile, sources::BATCH},
    limits::Held,
    options::{Emit, Method, Options, RankChoice, ReportSize},
    output::{
        drm,
        measured::measured_slices,
        pictures::BASIS_SHOWN,
        report::{
            basis,
            volume::{MOST_BYTES, Sampling},
        },
        text,
    },
};

/// Whatever is small: lists of slices and files, the report, fragments that the C library keeps.
const SMALL: u128 = 24 << 20;
/// For each thread, likewise.
const SMALL_OF_A_THREAD: u128 = 1 << 20;

/// No files: what reading them needs is not counted.
pub(crate) const NO_FILES: &[InputFile] = &[];

/// What decides how much memory a decomposition needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Need {
    /// Whether the input is a scan, for the words of a refusal.
    of_scan: bool,
    pub pixels: u128,
    pub slices: u128,
    /// Bytes of a value in memory.
    value: u128,
    pub threads: u128,
    /// Columns that the solver computes: all of them where a rule chooses k.
    pub computed: u128,
    /// Columns that are kept, k; where a rule chooses them, 1 until it has.
    pub rank: u128,
    method: Solver,
    /// Bytes of the largest file as it is read, and of what decoding needs besides.
    file: u128,
    /// Of a gzip stream's files that are in memory together.
    batch: u128,
    tables: bool,
    text: bool,
    drm: bool,
    draws: bool,
    report: bool,
    size: ReportSize,
    /// Rows and columns of a slice.
    shape: (usize, usize),
    /// Composites that are shown, and those that are held for derived DICOM.
    composites: u128,
    derived: u128,
    /// What the process has already.
    held: Held,
}

/// The sizes of a series that decide how much memory it needs.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Size {
    slices: usize,
    rows: usize,
    columns: usize,
    /// Whether slopes and intercepts are integers.
    integers: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Solver {
    /// With so many exact sums of integers, and planes of digits.
    Gram { sums: u128, planes: u128 },
    /// Columns of the tree's nodes, and whether all of them are A's own.
    Passes { columns: u128, sketched: bool },
}

impl Need {
    /// Of a decomposition, its headers being known. `composite_bytes` of composites for derived DICOM are held at a time.
    pub fn new(
        plan: &SeriesPlan,
        options: &Options,
        files: &(impl Files + ?Sized),
        threads: usize,
        composite_bytes: usize,
    ) -> Self {
        let whole = |number: f64| number.fract() == 0.0 && number.abs() < 1e6;
        let integers = plan.slices.iter().all(|slice| whole(slice.slope) && whole(slice.intercept));
        let size = Size { slices: plan.slices.len(), rows: plan.rows, columns: plan.columns, integers };
        let (file, batch) = reading(plan, files);
        Self { file, batch, ..Self::of(size, options, threads, composite_bytes) }
    }

    /// The same of a series of some size, without what reading its files takes.
    fn of(size: Size, options: &Options, threads: usize, composite_bytes: usize) -> Self {
        let (n, pixels) = (size.slices, size.rows * size.columns);
        let most = n.min(pixels);
        let (computed, rank) = match options.rank {
            RankChoice::Columns(k) => (k.min(most), k.min(most)),
            RankChoice::Full => (most, most),
            RankChoice::Auto | RankChoice::Energy(_) => (most, 1),
        };
        let method = match options.method {
            Method::Gram { center } => {
                let planes = if size.integers { 1 } else { 3 } + u128::from(center.is_some());
                Solver::Gram { sums: 1, planes }
            }
            Method::Tsqr { .. } => Solver::Passes { columns: n as u128, sketched: false },
            Method::Dssvd(sketching) | Method::Dspca(sketching) => {
                let columns = computed.saturating_add(sketching.oversample).min(most) as u128;
                Solver::Passes { columns, sketched: true }
            }
        };
        let composites = options.composites(n, rank).len();
        let at_once = (composite_bytes / (2 * pixels * n).max(1)).clamp(1, composites.max(1));
        Self {
            of_scan: options.input_format.is_scan(),
            pixels: pixels as u128,
            slices: n as u128,
            value: 2,
            threads: threads as u128,
            computed: computed as u128,
            rank: rank as u128,
            method,
            file: 0,
            batch: 0,
            tables: options.emits(Emit::Parquet),
            text: options.emits(Emit::Text),
            drm: options.emits(Emit::Drm),
            // Of a matrix only the spectrum is drawn.
            draws: options.draws() && options.input_format.is_scan(),
            report: options.emits(Emit::Report),
            size: options.report,
            shape: (size.rows, size.columns),
            composites: composites as u128,
            derived: if options.emits(Emit::Dicom) { at_once as u128 } else { 0 },
            held: Held::default(),
        }
    }

    /// The same for a matrix whose values take so many bytes while they are read.
    pub fn of_values(self, bytes: usize) -> Self {
        Self { value: bytes as u128, file: 16 << 20, ..self }
    }

    /// The same once it is known how many sums of integers the exact Gram matrix of floats takes, and how many bits it has.
    pub fn of_gram(self, sums: usize, bits: u32) -> Self {
        let planes = u128::from(bits.div_ceil(62)).max(1);
        Self { method: Solver::Gram { sums: sums as u128, planes }, ..self }
    }

    /// The Gram matrix, and what is made of it.
    pub fn gram(&self) -> u128 {
        self.sums().max(self.solver())
    }

    /// The same beyond what the process has.
    pub fn beyond(self, held: Held) -> Self {
        Self { held, ..self }
    }

    pub fn held(&self) -> Held {
        self.held
    }

    /// The same where this many columns were kept, and this many composites are shown; `derived` of them are held.
    pub fn of_result(self, rank: usize, composites: usize, derived: usize) -> Self {
        let (rank, composites, derived) = (rank as u128, composites as u128, derived as u128);
        Self { computed: rank, rank, composites, derived, ..self }
    }

    /// The same on this many threads.
    pub fn on(self, threads: u128) -> Self {
        Self { threads, ..self }
    }

    /// The same with this many columns asked for.
    pub fn computing(self, rank: u128) -> Self {
        let method = match self.method {
            Solver::Passes { columns, sketched: true } => {
                Solver::Passes { columns: (columns - self.computed.min(columns)) + rank, sketched: true }
            }
            other => other,
        };
        Self { computed: rank, rank, method, ..self }
    }

    /// The largest stage, with the scan.
    pub fn bytes(&self) -> u128 {
        let stages = match self.method {
            Solver::Gram { planes, .. } => [self.decode(), self.sums(), self.solve(planes), self.rest()],
            Solver::Passes { columns, sketched } => {
                [self.decode(), self.passes(columns, sketched), 0, self.rest()]
            }
        };
        self.scan() + stages.into_iter().max().unwrap_or(0)
    }

    /// What comes after `s` and `V`, without the scan.
    pub fn rest(&self) -> u128 {
        self.render().max(self.derive()).max(self.pictures())
    }

    /// `2 m n`: the stored pixels. Of a matrix of floats, `10 m n`: its values, and once more as integers if they are such.
    pub fn scan(&self) -> u128 {
        self.value * self.pixels * self.slices
    }

    /// `T f + g`: a file of f bytes on each thread with what its decoder needs; g bytes of a gzip stream's files.
    pub fn decode(&self) -> u128 {
        self.small() + self.threads * self.file + self.batch
    }

    /// `T (4 n'^2 + 4160 n' + 2 R n)`: sums, a row block and a packed part of it on each thread; of many slices once.
    fn sums(&self) -> u128 {
        // Of many slices, one for all threads.
        let sums = if self.slices < GramAccumulator::SHARED as u128 { self.threads } else { 1 };
        let each = match self.method {
            Solver::Gram { sums, .. } => sums,
            Solver::Passes { .. } => 1,
        };
        self.small() + sums * (each * of_sums(self.slices) + self.block())
    }

    /// What finding `s` and `V` takes beyond what was summed up, or what comes of passes.
    pub fn solver(&self) -> u128 {
        match self.method {
            Solver::Gram { planes, .. } => self.solve(planes),
            Solver::Passes { columns, sketched } => self.passes(columns, sketched),
        }
    }

    /// `4 n'^2 + (82 + 48 (p - 1)) n^2 + 190 n k`, p the planes of 62 bits that hold the Gram matrix; with 52 for 82 where n is 1000 or
    /// more and k at most n / 20: the sums, big integers and planes, the f64 eigenproblem, fixed-point vectors.
    fn solve(&self, planes: u128) -> u128 {
        let (n, k) = (self.slices, self.computed);
        let partial = n >= 1000 && 20 * k <= n;
        let square = if partial { 52 } else { 82 } + 48 * (planes - 1);
        // Its threads are a pool of their own; on each digits of 256 rows of the matrix and of 256 columns at the most, eight of an
        // entry, and their products.
        let columns = k.div_ceil(self.threads).min(256);
        let pool = self.threads * (2 * SMALL_OF_A_THREAD + 5500 * n + 64 * columns * (n + 512));
        self.small() + pool + of_sums(n) + square * n * n + 190 * n * k
    }

    /// `20 l^2 b + 2 * 8 l k b + 100 l^2`, l the columns of the tree's nodes: nodes, internal ones among them, coefficients (of a sketch l of them for the
    /// projection), the SVD of the last R; on each thread a row block, in f64 and its factors, and its `Y`; `8 n l` of sums and bases, six times.
    fn passes(&self, l: u128, sketched: bool) -> u128 {
        let (n, b) = (self.slices, self.blocks());
        let rows = self.rows().min(l);
        let nodes = if b > 1 { 20 * l * rows * b } else { 12 * l * rows };
        let coefficients = 16 * rows * if sketched { l } else { self.computed } * b;
        let of_thread =
            self.block() + 3 * 4 * self.block() + if sketched { 3 * 8 * self.rows() * l } else { 0 };
        let matrices = if sketched { 6 * 8 * n * l } else { 0 };
        self.small() + nodes + coefficients + 100 * l * l + matrices + self.threads * of_thread
    }

    /// Of the report's browser: 16-bit values of all planes, those of basis vectors counted twice, and what a thread takes for those of its
    /// block, which are collected, rounded, predicted and encoded.
    fn sampled(&self) -> (u128, u128) {
        if !(self.draws && self.report) {
            return (0, 0);
        }
        let number = |value: u128| usize::try_from(value).unwrap_or(usize::MAX);
        let (slices, composites) = (number(self.slices), number(self.composites));
        let sampling = Sampling::of(self.shape, slices, composites, self.size);
        let vectors = basis::vectors(number(self.rank), slices, self.size);
        let values = sampling.samples() * (1 + composites);
        let entries = basis::sampling(self.shape, vectors, values, self.size).samples();
        let (columns, step) = (self.shape.1.max(1), sampling.step);
        let rows = self.rows();
        let of_block = ((number(rows) / columns / step + 1) * columns.div_ceil(step)) as u128;
        let (of_block, slices, composites) =
            (of_block.min(rows), sampling.slices().count() as u128, self.composites);
        let at_once = of_block.min(sampled::ROWS as u128);
        let of_thread =
            of_block * slices * (2 * (1 + composites) + 8) + 8 * at_once * (slices * composites + self.rank);
        let of_basis = 16 * rows * vectors as u128;
        (values as u128 + 2 * entries as u128, of_thread.max(of_basis))
    }

    /// Of what is measured: slices with those of the composites, and values of all of them.
    fn measured(&self) -> (u128, u128) {
        if !(self.draws && self.report) {
            return (0, 0);
        }
        let number = |value: u128| usize::try_from(value).unwrap_or(usize::MAX);
        let slices = measured_slices(self.shape, number(self.slices), number(self.composites)).len() as u128;
        let of_all = slices * (1 + self.composites);
        (of_all, of_all * self.pixels)
    }

    /// `48 n k + e + T (2 R n + 8 R (2 k + d) + ..)`: `V` in its forms; what is encoded of the first table (`24 R k`), before the threads
    /// begin, and not given back; on each thread a row block, its `T` and `U`, what pictures and composites take; the blocks' parts of these.
    fn render(&self) -> u128 {
        let (n, k) = (self.slices, self.rank);
        let table = if self.tables { 24 * self.rows() * k } else { 0 };
        let kept = self.coefficients() + 48 * n * k;
        let samples = 2 * (self.sampled().0 + self.measured().1);
        let bands = self.panels() * self.pixels + self.derived * self.scan() + samples;
        self.small() + kept + table + self.threads * self.of_thread() + bands
    }

    /// What so many rows of k numbers take as text and in a SequenceFile.
    fn encoded(&self, rows: u128) -> u128 {
        let size = |count: u128| usize::try_from(count).unwrap_or(usize::MAX);
        let text = if self.text { text::most_bytes(size(rows), size(self.rank)) } else { 0 };
        let drm = if self.drm { drm::most_bytes(size(rows), size(self.rank)) } else { 0 };
        text as u128 + drm as u128
    }

    /// What rendering takes on one thread.
    pub fn of_thread(&self) -> u128 {
        let (n, k, rows) = (self.slices, self.rank, self.rows());
        let measured = self.measured().0 * (2 * rows + 8 * rows.min(composites::ROWS as u128));
        let pictured =
            if self.draws { 8 * rows * (k + self.composites + 1) + self.sampled().1 + measured } else { 0 };
        let composites =
            if self.derived > 0 { 8 * (composites::ROWS as u128).min(rows) * n * self.derived } else { 0 };
        // The block in f64, as it is scaled, and factored.
        let factored = match self.method {
            Solver::Gram { .. } => 0,
            Solver::Passes { columns, sketched } => {
                9 * self.block() + if sketched { 24 * rows * columns } else { 16 * rows * k }
            }
        };
        self.block() + 16 * rows * k + 12 * rows + pictured + composites + factored + self.encoded(rows)
    }

    /// `2 m n c + T (f + ..)`: c composites as integers; on each thread a source file and the instance that is made of it.
    fn derive(&self) -> u128 {
        if self.derived == 0 {
            return 0;
        }
        let kept = self.coefficients() + 48 * self.slices * self.rank;
        self.small() + kept + self.derived * self.scan() + self.threads * 3 * self.file + self.batch
    }

    /// `2 m p + 9 q (c + 2) + q (2 c + 1) r`: the panels' pixels of all blocks, and put together; the larger sheet in colors, as it is
    /// drawn and encoded, q pixels of a panel on it; files, in the report (r = 5, else 1) as text too. The samples for the report's
    /// browser, 2 bytes each, as bands, and as far as they go into the page once more and as text, when the bands are gone.
    fn pictures(&self) -> u128 {
        let drawn = if self.draws {
            // Small slices are enlarged, large ones reduced; a quarter more for captions and gaps.
            let shown = if self.pixels < 1 << 16 { 1 << 18 } else { self.pixels.min(1 << 20) } * 5 / 4;
            let files = if self.report { 5 } else { 1 } * (2 * self.composites + 1) * shown;
            9 * shown * (self.composites + 2) + files
        } else {
            0
        };
        let kept = self.coefficients() + 48 * self.slices * self.rank;
        let samples = 2 * self.sampled().0;
        let browser = match self.size {
            ReportSize::Sampled => samples + 4 * samples.min(MOST_BYTES as u128),
            ReportSize::Full => samples * 5 / 2,
        };
        // As bands; stored, then as floats; of even regions and of residuals on each thread.
        let measured = match self.measured() {
            (0, _) => 0,
            (_, values) => 8 * values + self.threads * 32 * self.pixels + 16 * self.pixels,
        };
        let encoded = self.encoded(self.slices);
        self.small() + kept + 2 * self.panels() * self.pixels + drawn + browser + measured + encoded
    }

    /// What gives `U` of each block, in the methods of class `fixed`.
    fn coefficients(&self) -> u128 {
        match self.method {
            Solver::Gram { .. } => 0,
            Solver::Passes { columns, .. } => 8 * columns.min(self.rows()) * self.rank * self.blocks(),
        }
    }

    fn panels(&self) -> u128 {
        if self.draws { 1 + 2 * self.composites + self.rank.min(BASIS_SHOWN as u128) } else { 0 }
    }

    /// A row block as it is gathered.
    fn block(&self) -> u128 {
        self.value.clamp(2, 8) * self.rows() * self.slices
    }

    fn rows(&self) -> u128 {
        self.pixels.min(BLOCK_ROWS as u128)
    }

    fn blocks(&self) -> u128 {
        block_count(u64::try_from(self.pixels).unwrap_or(u64::MAX)).into()
    }

    fn small(&self) -> u128 {
        SMALL + self.threads * SMALL_OF_A_THREAD
    }
}

/// Sums, `4 n' (n' + 16)`, and the packed part of a block that is added.
pub(crate) fn of_sums(columns: u128) -> u128 {
    let n = columns.next_multiple_of(16);
    4 * n * (n + 16) + 4096 * n
}

/// Checking a result's own tables: on each thread a row block of `U`, as a file, decoded and encoded again.
pub(crate) fn of_tables(pixels: u64, rank: usize, threads: usize) -> u128 {
    let block = 8 * u128::from(pixels.min(BLOCK_ROWS as u64)) * rank as u128;
    let small = SMALL + threads as u128 * SMALL_OF_A_THREAD;
    small + 3 * block + threads as u128 * 4 * block
}

/// Drawing a result's pictures again: on each thread a row block of `U`, as a file, decoded and scaled, and composites; with the scan
/// its row block, in f64 where means are removed; the panels' bytes twice.
pub(crate) fn of_drawing((pixels, slices): (u64, usize), rank: usize, threads: usize, panels: Drawn) -> u128 {
    let (n, k, rows) = (slices as u128, rank as u128, u128::from(pixels.min(BLOCK_ROWS as u64)));
    let scan = match panels.with_scan {
        true => {
            2 * rows * n
                + 8 * rows.min(panels.checked as u128) * (n + k)
                + if panels.centered { 8 * rows * n } else { 0 }
        }
        false => 0,
    };
    let of_thread = 5 * 8 * rows * k + scan + 8 * rows * (panels.slices + panels.composites) as u128;
    let small = SMALL + threads as u128 * SMALL_OF_A_THREAD;
    small + 24 * n * k + threads as u128 * of_thread + 2 * panels.bytes as u128
}

/// What is drawn again.
pub(crate) struct Drawn {
    /// Slices and composites of each at a time.
    pub slices: usize,
    pub composites: usize,
    /// Bytes of panels at a time.
    pub bytes: usize,
    pub with_scan: bool,
    /// Rows at a time whose values are compared with the tables.
    pub checked: usize,
    pub centered: bool,
}

/// Bytes that a thread needs for the largest file, and those of a gzip stream's files that are there together.
fn reading(plan: &SeriesPlan, files: &(impl Files + ?Sized)) -> (u128, u128) {
    let pixels = plan.pixels() as u128;
    let (mut largest, mut streamed, mut longest) = (0, 0, 0);
    for slice in &plan.slices {
        let Some(file) = files.at(slice.file) else { continue };
        let length = file.entry.as_ref().map(|entry| entry.length).or(file.length).unwrap_or(0);
        let length = u128::from(length.min(LONGEST_FILE));
        let read = slice
            .piece
            .map_or(length, |piece| u128::from(piece.head + piece.end.saturating_sub(piece.start)));
        // JPEG 2000 is decoded in 32 bits, in two copies or three; others make 16 bits of bytes.
        let decoder = match slice.transfer_syntax.strip_prefix("1.2.840.10008.1.2.4.") {
            Some(number) if number.starts_with('9') || number.starts_with("20") => 12 * pixels,
            _ if read < 2 * pixels => 4 * pixels,
            _ => 0,
        };
        largest = largest.max(read + decoder);
        if file.entry.as_ref().is_some_and(|entry| entry.packing == crate::input::archive::Packing::Gzip) {
            streamed += length;
            longest = longest.max(length);
        }
    }
    (largest, streamed.min(BATCH as u128 + longest))
}

/// The greatest number from 1 on, below `than`, that passes; passing ends at some number.
pub(crate) fn greatest(than: u128, passes: impl Fn(u128) -> bool) -> Option<u128> {
    let (mut good, mut bad) = (0, than);
    let halves = || {
        (bad - good > 1).then(|| {
            let middle = good.midpoint(bad);
            if passes(middle) { good = middle } else { bad = middle }
        })
    };
    iter::from_fn(halves).for_each(drop);
    (good > 0).then_some(good)
}
