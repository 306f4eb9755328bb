//! A matrix that is no scan: its file to values, and the exact Gram matrix of floats.

use ndarray::{ArrayView2, s};
use tomobasis_linalg::{ColumnRanges, GramAccumulator, RealGramAccumulator, Sample, column_major};

use std::time::Instant;

use super::{Begun, Runner, Scan};
use crate::{
    commands::stages::{Stage, StageName},
    error::Result,
    input::{
        describe_input,
        files::ScanFiles,
        layout::{block_rows, first_row},
        listing::InputFile,
        matrix::MatrixInput,
    },
    limits::Held,
    need::{self, NO_FILES, Need},
    options::{Method, Options},
    solve::decomposition::{Decomposition, GramOfFloats},
};
use tomobasis_dicom::SeriesPlan;

impl Runner<'_> {
    /// Layout and values of the one file; between them `check` refuses what needs more memory than there is.
    pub(super) fn read_matrix(
        &mut self,
        files: Vec<InputFile>,
        options: &Options,
        check: impl Fn(&SeriesPlan, &Need) -> Result<()>,
    ) -> Result<Scan> {
        let began = self.stage(Stage::Scan, options.method, 1);
        let input = MatrixInput::open(&files, options.input_format)?;
        let mut plan = input.plan();
        options.check_against(&plan)?;
        self.progress.advance(1);
        self.record(began);
        input.note().iter().for_each(|note| self.progress.message(note));
        self.progress.message(&format!("found {}", describe_input(&plan, options.input_format)));
        let threads = self.pool.current_num_threads();
        let need = Need::new(&plan, options, NO_FILES, threads, 0).of_values(input.bytes_of_a_number());
        let need = need.beyond(Held::now());
        check(&plan, &need)?;
        let (number, name) = (Stage::Decode.number(), Stage::Decode.named(options.method).name);
        self.show_stage(number, StageName { name, unit: "parts" }, input.tiles());
        let began = Begun { name, at: Instant::now() };
        let (values, records) = self.pool.install(|| input.read(&mut plan, self.progress))?;
        self.record(began);
        Ok(Scan { plan, records, files: ScanFiles::Listed(files), values, need })
    }

    /// Gram matrix of floats, then `s` and `V`.
    pub(super) fn certified_floats(
        &mut self,
        scan: &Scan,
        values: &[f64],
        options: Options,
    ) -> Result<Decomposition> {
        let threads = self.pool.current_num_threads();
        let gram = self.gram_of_floats(scan, values, options.method)?;
        let began = self.stage(Stage::Decompose, options.method, 1);
        let decomposition =
            Decomposition::of_floats(scan.plan.clone(), options, gram, &scan.records, threads)?;
        self.progress.advance(1);
        self.record(began);
        Ok(decomposition)
    }

    /// The exact Gram matrix of floats without the means that the method removes: the ranges of all values, then the sums.
    pub(super) fn gram_of_floats(
        &mut self,
        scan: &Scan,
        values: &[f64],
        method: Method,
    ) -> Result<GramOfFloats> {
        let began = self.stage(Stage::Sums, method, 2 * scan.blocks() as usize);
        let sums = RealGramAccumulator::new(self.ranges(scan, values)?)?;
        let bits = sums.bits(method.center().map(Into::into));
        need::check_gram(&scan.plan, &scan.need.of_gram(sums.moduli(), bits))?;
        let sums = self.real_sums(scan, values, sums)?;
        let gram = self.pool.install(|| GramOfFloats::new(&sums, method))?;
        self.record(began);
        Ok(gram)
    }

    /// Which bits the values of each column use.
    fn ranges(&self, scan: &Scan, values: &[f64]) -> Result<ColumnRanges> {
        let columns = scan.plan.slices.len();
        let none = ColumnRanges::new(columns)?;
        let parts = self.for_blocks(
            scan.blocks(),
            || none.clone(),
            |ranges, (): &mut (), block| Ok(ranges.add(scan.block_of(values, block)?)?),
        )?;
        let mut ranges = none.clone();
        parts.iter().try_for_each(|part| ranges.merge(part))?;
        Ok(ranges)
    }

    /// The exact sums of integers of 8 bits, which the kernels take as they are.
    pub(super) fn sums_of_bytes<T: Sample>(&self, scan: &Scan, values: &[T]) -> Result<GramAccumulator> {
        let (blocks, columns) = (scan.blocks(), scan.plan.slices.len());
        let mut sums = GramAccumulator::new(columns)?;
        if columns >= GramAccumulator::SHARED {
            for block in 0..blocks {
                self.check_stop()?;
                let values = scan.block_of(values, block)?;
                self.pool.install(|| sums.add_parallel(values))?;
                self.progress.advance(1);
            }
            return Ok(sums);
        }
        let parts = self.for_blocks(
            blocks,
            || sums.clone(),
            |sums, (): &mut (), block| Ok(sums.add(scan.block_of(values, block)?)?),
        )?;
        parts.iter().try_for_each(|part| sums.merge(part))?;
        Ok(sums)
    }

    /// The exact sums: each thread's own, merged; of many columns, those of all threads.
    fn real_sums(
        &self,
        scan: &Scan,
        values: &[f64],
        none: RealGramAccumulator,
    ) -> Result<RealGramAccumulator> {
        let blocks = scan.blocks();
        let mut sums = none.clone();
        if scan.plan.slices.len() >= GramAccumulator::SHARED {
            for block in 0..blocks {
                let values = scan.block_of(values, block)?;
                self.pool.install(|| sums.add_parallel(values))?;
                self.progress.advance(1);
            }
        } else {
            let parts = self.for_blocks(
                blocks,
                || none.clone(),
                |sums, (): &mut (), block| Ok(sums.add(scan.block_of(values, block)?)?),
            )?;
            drop(none);
            parts.iter().try_for_each(|part| sums.merge(part))?;
        }
        Ok(sums)
    }
}

impl Scan {
    /// The values of a row block, where they are.
    fn block_of<'a, T>(&self, values: &'a [T], block: u32) -> Result<ArrayView2<'a, T>> {
        let size = self.plan.pixels();
        let first = first_row(block) as usize;
        let rows = first..first + block_rows(block, size as u64);
        Ok(column_major(values, size, self.plan.slices.len())?.slice_move(s![rows, ..]))
    }
}
