//! The in-process run: all stages on one thread pool.
//!
//! The scan is held once, as its 16-bit integers, slice after slice; a row block is gathered from it when it is needed. Threads
//! take blocks from a counter. That the result does not depend on which thread took which block, or on how many there are,
//! is the linear algebra's promise: sums are exact, and each row of `U` is computed for itself.

mod denoise;
mod derive;
mod fixed;
mod matrix;
mod reference;
mod scan;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Instant,
};

use self::scan::BlockBuffer;
pub(crate) use self::{
    denoise::{Denoised, Removal, Target},
    derive::{COMPOSITE_BYTES, each_instance},
    scan::Scan,
};
use rayon::ThreadPool;
use serde_json::{Map, Value};
use tomobasis_dicom::{Inventory, SeriesPlan, SliceRecord};
use tomobasis_linalg::{
    CertifiedSvd, GramAccumulator, GramMatrix, Rank, Witness, certified_svd_with_witness, column_major,
};

use crate::{
    blocks::renderer::{BlockRecord, BlockRenderer, RenderedBlock, Scratch},
    commands::stages::{Stage, StageName},
    error::{Error, Result},
    input::{
        decode, describe_series,
        files::{Files, ScanFiles},
        inventory,
        layout::rescale_of,
        listing::InputFile,
        matrix::Values,
    },
    limits::Held,
    memory,
    need::{self, Need},
    options::{Emit, Method, OnBadSlice, Options},
    output::dicom::Band,
    progress::Progress,
    result::Environment,
    solve::{decomposition::Decomposition, digest::Digest},
};

/// A stage that is under way.
pub(crate) struct Begun {
    name: &'static str,
    at: Instant,
}

/// What is kept of the row blocks, in any order.
#[derive(Default)]
pub(crate) struct Rendered {
    pub records: Vec<BlockRecord>,
    /// Of the pictures.
    pub bands: Vec<Vec<u8>>,
    /// Of composites for derived DICOM.
    pub composites: Vec<Band>,
}

/// The pool that a run works on, and what it reports to.
pub(crate) struct Runner<'a> {
    pub pool: ThreadPool,
    progress: &'a dyn Progress,
    /// Stages that were run before this run's own.
    before: usize,
    /// This run's own.
    stages: usize,
    /// Bytes of composites for derived DICOM that are held at a time.
    composite_bytes: usize,
    timings: Map<String, Value>,
}

impl<'a> Runner<'a> {
    pub(crate) fn new(
        threads: usize,
        progress: &'a dyn Progress,
        before: usize,
        dicom: bool,
    ) -> Result<Self> {
        Self::with_stages(threads, progress, before, Stage::count(dicom))
    }

    /// A run of this many stages.
    pub(crate) fn with_stages(
        threads: usize,
        progress: &'a dyn Progress,
        before: usize,
        stages: usize,
    ) -> Result<Self> {
        let pool = memory::pool(threads)?;
        Ok(Self { pool, progress, before, stages, composite_bytes: COMPOSITE_BYTES, timings: Map::new() })
    }

    /// Begins the stage before this run's own first one.
    pub(crate) fn first_stage(&self, name: &str, unit: &str, total: u64) {
        self.progress.stage(1, self.before + self.stages, name, unit, total);
    }

    /// Shows that stage `number` of this run begins.
    pub(crate) fn show_stage(&self, number: usize, StageName { name, unit }: StageName, total: usize) {
        self.progress.stage(self.before + number, self.before + self.stages, name, unit, total as u64);
    }

    /// Begins a stage of a decomposition by this method.
    fn stage(&self, stage: Stage, method: Method, total: usize) -> Begun {
        let named = stage.named(method);
        self.show_stage(stage.number(), named, total);
        Begun { name: named.name, at: Instant::now() }
    }

    /// # Errors
    /// [`Error::Stopped`] when the run is to stop.
    fn check_stop(&self) -> Result<()> {
        if self.progress.stopped() { Err(Error::Stopped) } else { Ok(()) }
    }

    /// Ends a stage: its time goes into the manifest.
    fn record(&mut self, stage: Begun) {
        self.record_time(stage.name, stage.at);
    }

    /// The time since `began` goes into the manifest under this name.
    pub(crate) fn record_time(&mut self, name: &str, began: Instant) {
        let milliseconds = (began.elapsed().as_secs_f64() * 1e3).round();
        self.timings.insert(name.to_owned(), (milliseconds / 1e3).into());
        memory::log_peak(name);
    }

    pub(crate) fn environment(&self, id: String) -> Environment {
        Environment {
            runner: "in-process".to_owned(),
            id: Some(id),
            folder: None,
            cores: self.pool.current_num_threads(),
            timings: self.timings.clone(),
            more: Map::new(),
        }
    }

    /// Scan and decode; between them `check` refuses what needs more memory than there is.
    pub(crate) fn read(
        &mut self,
        files: Vec<InputFile>,
        options: &Options,
        check: impl Fn(&SeriesPlan, &Need) -> Result<()>,
    ) -> Result<Scan> {
        if !options.input_format.is_scan() {
            return self.read_matrix(files, options, check);
        }
        let plan = self.plan(&files, options)?;
        self.progress.message(&format!("found {}", describe_series(&plan)));
        for note in plan.left_out.iter().chain(&plan.warnings) {
            self.progress.message(&note.text);
        }
        self.read_planned(plan, ScanFiles::Listed(files), options, check)
    }

    /// Decode: the pixels of a series whose plan is known.
    pub(crate) fn read_planned(
        &mut self,
        plan: SeriesPlan,
        files: ScanFiles,
        options: &Options,
        check: impl Fn(&SeriesPlan, &Need) -> Result<()>,
    ) -> Result<Scan> {
        let threads = self.pool.current_num_threads();
        let need = Need::new(&plan, options, &files, threads, self.composite_bytes).beyond(Held::now());
        check(&plan, &need)?;
        let began = self.stage(Stage::Decode, options.method, plan.slices.len());
        let (plan, records, pixels) =
            self.decode(plan, &files, options.on_bad_slice).inspect_err(|error| tell_path(error, &files))?;
        self.record(began);
        tomobasis_dicom::notes(&plan, &records).iter().for_each(|note| self.progress.message(&note.text));
        Ok(Scan { plan, records, files, values: Values::Stored(pixels), need })
    }

    /// Scan: the series that the options mean.
    pub(crate) fn plan(&mut self, files: &[InputFile], options: &Options) -> Result<SeriesPlan> {
        let began = self.stage(Stage::Scan, options.method, files.len());
        let plan =
            self.inventory(files).and_then(|mut inventory| self.select(&mut inventory, files, options))?;
        self.record(began);
        Ok(plan)
    }

    /// What the files hold.
    pub(crate) fn inventory(&self, files: &[InputFile]) -> Result<Inventory> {
        self.pool
            .install(|| inventory::take_inventory(files, self.progress))
            .inspect_err(|error| tell_path(error, files))
    }

    /// The series of these files that the options mean, its copies compared.
    pub(crate) fn select(
        &self,
        inventory: &mut Inventory,
        files: &[InputFile],
        options: &Options,
    ) -> Result<SeriesPlan> {
        inventory::select(inventory, options)
            .and_then(|plan| self.compare_copies(plan, files, options.on_bad_slice))
            .inspect_err(|error| tell_path(error, files))
    }

    /// The same of every series that there is.
    pub(crate) fn select_each(
        &self,
        inventory: &mut Inventory,
        files: &[InputFile],
        options: &Options,
    ) -> Result<Vec<SeriesPlan>> {
        let plans =
            inventory::select_each(inventory, options).inspect_err(|error| tell_path(error, files))?;
        let compared = |plan| {
            self.compare_copies(plan, files, options.on_bad_slice)
                .inspect_err(|error| tell_path(error, files))
        };
        plans.into_iter().map(compared).collect()
    }

    /// The plan once the pixels of what seem to be copies have been compared.
    pub(crate) fn compare_copies(
        &self,
        plan: SeriesPlan,
        files: &(impl Files + ?Sized),
        on_bad: OnBadSlice,
    ) -> Result<SeriesPlan> {
        let Some(comparison) = plan.comparison() else { return Ok(plan) };
        let digests = self.pool.install(|| decode::entry_digests(&comparison.plan, files))?;
        let mut unequal = comparison.judge(digests, |error| error);
        if on_bad == OnBadSlice::Fail && !unequal.is_empty() {
            return Err(unequal.swap_remove(0).1.into());
        }
        let unequal: Vec<_> = unequal.into_iter().map(|(slice, error)| (slice, error.to_string())).collect();
        Ok(plan.compared(&unequal)?)
    }

    /// What decoding says, and pixels, of all slices, and the plan of those that could be decoded.
    fn decode(
        &self,
        plan: SeriesPlan,
        files: &(impl Files + ?Sized),
        on_bad: OnBadSlice,
    ) -> Result<(SeriesPlan, Vec<SliceRecord>, Vec<i16>)> {
        let mut pixels = memory::for_scan(&plan)?;
        let decoded = self.pool.install(|| decode::decode(&plan, files, &mut pixels, self.progress))?;
        self.check_stop()?;
        let (mut records, mut bad) = (Vec::new(), Vec::new());
        for (slice, decoded) in decoded.into_iter().enumerate() {
            match decoded {
                Ok(record) => {
                    // Slices behind a bad one move up.
                    let good = records.len();
                    if good < slice {
                        let from = slice * plan.pixels();
                        pixels.copy_within(from..from + plan.pixels(), good * plan.pixels());
                    }
                    records.push(record);
                }
                Err(error) if on_bad == OnBadSlice::Skip => bad.push((slice, error.to_string())),
                Err(error) => return Err(error.into()),
            }
        }
        if bad.is_empty() {
            return Ok((plan, records, pixels));
        }
        pixels.truncate(records.len() * plan.pixels());
        let plan = plan.without(&bad)?;
        bad.iter().for_each(|(_, reason)| self.progress.message(&format!("skipped: {reason}")));
        Ok((plan, records, pixels))
    }

    /// `s` and `V`, by the method that the options name.
    pub(crate) fn decompose(&mut self, scan: &Scan, options: Options) -> Result<Decomposition> {
        match options.method {
            Method::Gram { .. } => match &scan.values {
                Values::Stored(_) | Values::Signed8(_) | Values::Unsigned8(_) => {
                    self.certified(scan, options, |_, _| Ok(()))
                }
                Values::Real(values) => self.certified_floats(scan, values, options),
            },
            Method::Tsqr { .. } | Method::Dssvd(_) | Method::Dspca(_) => self.fixed(scan, options),
        }
    }

    /// Gram matrix of integers, at which `look` looks, then `s` and `V`.
    pub(crate) fn certified(
        &mut self,
        scan: &Scan,
        options: Options,
        look: impl FnOnce(&Self, &GramAccumulator) -> Result<()>,
    ) -> Result<Decomposition> {
        let gram = self.integer_sums(scan, options.method)?;
        look(self, &gram)?;
        let began = self.stage(Stage::Decompose, options.method, 1);
        let threads = self.pool.current_num_threads();
        let decomposition =
            Decomposition::compute(scan.plan.clone(), options, &gram, &scan.records, threads)?;
        self.progress.advance(1);
        self.record(began);
        Ok(decomposition)
    }

    /// The exact sums of a scan, or of a matrix of integers.
    fn integer_sums(&mut self, scan: &Scan, method: Method) -> Result<GramAccumulator> {
        let blocks = scan.blocks();
        let began = self.stage(Stage::Sums, method, blocks as usize);
        let shared = scan.plan.slices.len() >= GramAccumulator::SHARED;
        let gram = match &scan.values {
            Values::Signed8(values) => self.sums_of_bytes(scan, values)?,
            Values::Unsigned8(values) => self.sums_of_bytes(scan, values)?,
            _ if shared => self.shared_sums(scan, blocks)?,
            _ => self.sums(scan, blocks)?,
        };
        self.record(began);
        Ok(gram)
    }

    /// The exact Gram matrix of the scan, without the means that the method removes, and its leading eigenpairs with a witness.
    pub(crate) fn witnessed(
        &mut self,
        scan: &Scan,
        method: Method,
        rank: Rank,
    ) -> Result<(GramMatrix, CertifiedSvd, Witness)> {
        let gram = match &scan.values {
            Values::Real(values) => self.gram_of_floats(scan, values, method)?.gram,
            Values::Stored(_) | Values::Signed8(_) | Values::Unsigned8(_) => self
                .integer_sums(scan, method)?
                .finish_centered(&rescale_of(&scan.plan), method.center().map(Into::into))?,
        };
        let began = self.stage(Stage::Decompose, method, 1);
        let threads = self.pool.current_num_threads();
        let (svd, witness) = certified_svd_with_witness(&gram, rank, threads)?;
        self.progress.advance(1);
        self.record(began);
        Ok((gram, svd, witness))
    }

    /// The sums of all blocks: each thread's own, merged.
    fn sums(&self, scan: &Scan, blocks: u32) -> Result<GramAccumulator> {
        let slices = scan.plan.slices.len();
        let sums = self.for_blocks(
            blocks,
            || GramAccumulator::new(slices),
            |sum, values, block| {
                let rows = scan.gather(block, values);
                Ok(sum.as_mut().map_err(|error| error.clone())?.add(column_major(values, rows, slices)?)?)
            },
        )?;
        let mut sums = sums.into_iter();
        let mut gram = sums.next().ok_or_else(|| Error::Internal("there are no threads".to_owned()))??;
        for sum in sums {
            gram.merge(&sum?)?;
        }
        Ok(gram)
    }

    /// The same, block after block, each by all threads.
    fn shared_sums(&self, scan: &Scan, blocks: u32) -> Result<GramAccumulator> {
        self.pool.install(|| {
            let mut sums = GramAccumulator::new(scan.plan.slices.len())?;
            let mut values = Vec::new();
            for block in 0..blocks {
                self.check_stop()?;
                let rows = scan.gather_parallel(block, &mut values);
                sums.add_parallel(column_major(&values, rows, scan.plan.slices.len())?)?;
                self.progress.advance(1);
            }
            Ok(sums)
        })
    }

    /// What renders the blocks, with as many of the composites for derived DICOM as are held at a time.
    pub(crate) fn renderer(&self, scan: &Scan, decomposition: &Arc<Decomposition>) -> Result<BlockRenderer> {
        let derived = decomposition.options.emits(Emit::Dicom);
        let composites = if derived { self.composites_at_once(scan, decomposition) } else { 0 };
        let shown = decomposition.composites.len();
        need::check_rest(&scan.plan, &scan.need.of_result(decomposition.rank(), shown, composites))?;
        BlockRenderer::with_composites(decomposition.clone(), composites)
    }

    /// Renders all blocks, handing each to `take`.
    pub(crate) fn render(
        &mut self,
        scan: &Scan,
        renderer: &BlockRenderer,
        take: impl Fn(&RenderedBlock<'_>) -> Result<()> + Sync,
    ) -> Result<Rendered> {
        let began =
            self.stage(Stage::Render, renderer.decomposition().options.method, scan.blocks() as usize);
        let state = || (Scratch::default(), Rendered::default());
        let done =
            self.for_blocks(scan.blocks(), state, |(scratch, done), values: &mut BlockBuffer, block| {
                let (values, rows) = scan.values_of(block, values);
                let rendered = renderer.render(scratch, block, values, rows, &[0])?;
                take(&rendered)?;
                done.records.push(rendered.record);
                done.bands.push(rendered.bands);
                done.composites.extend(rendered.composites);
                Ok(())
            })?;
        self.record(began);
        let mut all = Rendered::default();
        for (_, some) in done {
            all.records.extend(some.records);
            all.bands.extend(some.bands);
            all.composites.extend(some.composites);
        }
        Ok(all)
    }

    /// The digests of the basis vectors of some blocks, in the order of `blocks`; nothing is rendered.
    pub(crate) fn basis_digests_of(
        &mut self,
        scan: &Scan,
        renderer: &BlockRenderer,
        blocks: &[u32],
    ) -> Result<Vec<Digest>> {
        let count = u32::try_from(blocks.len()).unwrap_or(u32::MAX);
        let unit = StageName { name: "basis", unit: "row blocks" };
        self.show_stage(Stage::Render.number(), unit, blocks.len());
        let state = || (Scratch::default(), Vec::new());
        let done =
            self.for_blocks(count, state, |(scratch, digests), values: &mut BlockBuffer, number| {
                let block = blocks.get(number as usize).copied().unwrap_or_default();
                let (values, rows) = scan.values_of(block, values);
                digests.push((number, renderer.basis(scratch, block, values, rows)?.1.digest));
                Ok(())
            })?;
        let mut digests: Vec<_> = done.into_iter().flat_map(|(_, digests)| digests).collect();
        digests.sort_by_key(|(number, _)| *number);
        Ok(digests.into_iter().map(|(_, digest)| digest).collect())
    }

    /// Runs `work` on every block; each thread keeps a state and a buffer for the block's values. Returns the states.
    pub(crate) fn for_blocks<S: Send, B: Default>(
        &self,
        blocks: u32,
        state: impl Fn() -> S + Sync,
        work: impl Fn(&mut S, &mut B, u32) -> Result<()> + Sync,
    ) -> Result<Vec<S>> {
        let next = AtomicU32::new(0);
        let states = self.pool.broadcast(|_| {
            let mut state = state();
            let mut values = B::default();
            loop {
                let block = next.fetch_add(1, Ordering::Relaxed);
                if block >= blocks {
                    return Ok(state);
                }
                self.check_stop().inspect_err(|_| next.store(blocks, Ordering::Relaxed))?;
                // After an error the other threads find no more blocks.
                work(&mut state, &mut values, block)
                    .inspect_err(|_| next.store(blocks, Ordering::Relaxed))?;
                self.progress.advance(1);
            }
        });
        states.into_iter().collect()
    }
}

/// For the log that `--verbose` shows: which file the error's label means.
fn tell_path(error: &Error, files: &(impl Files + ?Sized)) {
    let index = match error {
        Error::Dicom(error) => error.file(),
        _ => None,
    };
    if let Some(file) = index.and_then(|index| files.at(index)) {
        log::debug!("the file at fault is {}", file.path.display());
    }
}
