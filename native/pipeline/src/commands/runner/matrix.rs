//! A matrix that is no scan: its file to values, and the exact Gram matrix of floats.

use ndarray::{ArrayView2, ShapeBuilder as _};
use tomobasis_linalg::real_gram;

use super::{Runner, Scan};
use crate::{
    commands::stages::Stage,
    error::{Error, Result},
    input::{
        describe_series,
        listing::InputFile,
        matrix::{MatrixFile, Values},
    },
    limits::Held,
    need::Need,
    options::{Method, Options},
    solve::decomposition::Decomposition,
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
        let file = MatrixFile::open(&files, options.input_format)?;
        let mut plan = file.plan();
        options.check_against(&plan)?;
        self.progress.advance(1);
        self.record(began);
        self.progress.message(&format!("found {}", describe_series(&plan)));
        let threads = self.pool.current_num_threads();
        let need = Need::new(&plan, options, &[], threads, 0).of_values(file.bytes_of_a_number());
        let need = need.beyond(Held::now());
        check(&plan, &need)?;
        let began = self.stage(Stage::Decode, options.method, plan.slices.len());
        let (values, records) = self.pool.install(|| file.read(&mut plan, self.progress))?;
        if let (Values::Real(_), Method::Gram { center: Some(_) }) = (&values, options.method) {
            let problem =
                "means are removed exactly from integers of 16 bits only; add --method tsqr, or leave it out";
            return Err(Error::option("--center", problem));
        }
        self.record(began);
        Ok(Scan { plan, records, files, values, need })
    }

    /// Gram matrix of floats, then `s` and `V`.
    pub(super) fn certified_floats(
        &mut self,
        scan: &Scan,
        values: &[f64],
        options: Options,
    ) -> Result<Decomposition> {
        let blocks = scan.blocks();
        let threads = self.pool.current_num_threads();
        let began = self.stage(Stage::Sums, options.method, blocks as usize);
        let shape = (scan.plan.pixels(), scan.plan.slices.len());
        let matrix = ArrayView2::from_shape(shape.f(), values)
            .map_err(|error| Error::Internal(format!("an array of another size ({error})")))?;
        let gram = real_gram(&matrix, threads)?;
        self.progress.advance(blocks.into());
        self.record(began);
        let began = self.stage(Stage::Decompose, options.method, 1);
        let decomposition =
            Decomposition::of_floats(scan.plan.clone(), options, &gram, &scan.records, threads)?;
        self.progress.advance(1);
        self.record(began);
        Ok(decomposition)
    }
}
