//! The stage of the methods of class `fixed`, in process: each pass over all row blocks, in HU.

use super::{BlockBuffer, Runner, Scan};
use crate::{
    commands::stages::Stage,
    error::Result,
    options::Options,
    solve::{decomposition::Decomposition, passes::PassDriver},
};

impl Runner<'_> {
    /// `s`, `V` and what gives `U`.
    pub(super) fn fixed(&mut self, scan: &Scan, options: Options) -> Result<Decomposition> {
        let method = options.method;
        let mut driver = PassDriver::new(scan.plan.clone(), options, scan.values.numbers())?;
        let total = driver.left().saturating_mul(scan.blocks() as usize);
        let began = self.stage(Stage::Sums, method, total);
        while let Some(pass) = driver.pass() {
            self.for_blocks(scan.blocks(), Vec::new, |hu, values: &mut BlockBuffer, block| {
                let (values, rows) = scan.values_of(block, values);
                driver.add(pass.block(block, values, rows, hu)?)
            })?;
            self.pool.install(|| driver.advance())?;
        }
        self.record(began);
        let began = self.stage(Stage::Decompose, method, 1);
        let decomposition = driver.finish(&scan.records)?;
        self.progress.advance(1);
        self.record(began);
        Ok(decomposition)
    }
}
