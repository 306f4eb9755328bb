//! The stage of the methods of class `fixed`, in process: their drivers read the scan in HU, row block by row block.

use rayon::prelude::*;
use tomobasis_linalg::{RealBlocks, RealSvd, Rescale, dspca, dssvd, tsqr_svd};

use super::{Runner, Scan};
use crate::{
    decomposition::{Decomposition, columns_needed, rescale_of},
    error::{Error, Result},
    options::{Method, Options, RankChoice},
    progress::Progress,
};

/// A series as the matrix `A`, in HU.
struct InHu<'a> {
    scan: &'a Scan,
    rescale: Vec<Rescale>,
    progress: &'a dyn Progress,
}

impl RealBlocks for InHu<'_> {
    type Error = Error;

    fn rows(&self) -> u64 {
        self.scan.plan.pixels() as u64
    }

    fn columns(&self) -> usize {
        self.rescale.len()
    }

    fn read(&self, block: usize, values: &mut [f64]) -> Result<()> {
        let block =
            u32::try_from(block).map_err(|_| Error::Protocol(format!("there is no block {block}")))?;
        let mut stored = Vec::new();
        let rows = self.scan.gather(block, &mut stored);
        for ((target, stored), rescale) in
            values.chunks_exact_mut(rows).zip(stored.chunks_exact(rows)).zip(&self.rescale)
        {
            target.iter_mut().zip(stored).for_each(|(hu, &stored)| *hu = rescale.apply(stored));
        }
        self.progress.advance(1);
        Ok(())
    }
}

impl Runner<'_> {
    /// `s`, `V` and what gives `U`.
    pub(super) fn fixed(&mut self, scan: &Scan, options: Options) -> Result<Decomposition> {
        let method = options.method;
        let passes = method.sketching().map_or(1, |sketching| 2 * sketching.power_iterations + 2);
        let began = self.stage(3, method.name(), "row blocks", passes.saturating_mul(scan.blocks() as usize));
        let source = InHu { scan, rescale: rescale_of(&scan.plan), progress: self.progress };
        let svd = solve(&source, method, options.rank, self.pool.current_num_threads())?;
        self.record(method.name(), began);
        let began = self.stage(4, "decompose", "matrices", 1);
        let slices = scan.pixels.par_chunks_exact(scan.plan.pixels());
        let range = |slice: &[i16]| {
            let (least, greatest) = (slice.iter().min(), slice.iter().max());
            (least.copied().unwrap_or_default().into(), greatest.copied().unwrap_or_default().into())
        };
        let ranges: Vec<(i32, i32)> = self.pool.install(|| slices.map(range).collect());
        let decomposition =
            Decomposition::fixed(scan.plan.clone(), options, svd, &ranges, &scan.slice_digests)?;
        self.progress.advance(1);
        self.record("decompose", began);
        Ok(decomposition)
    }
}

fn solve(source: &InHu<'_>, method: Method, rank: RankChoice, threads: usize) -> Result<RealSvd> {
    let columns = || match rank {
        RankChoice::Columns(k) => Ok(k),
        other => Err(Error::Protocol(format!("rank {other} says no number of columns"))),
    };
    match method {
        Method::Tsqr { center } => tsqr_svd(source, columns_needed(rank), center, threads),
        Method::Dssvd(sketching) => dssvd(source, &sketching.of_rank(columns()?), threads),
        Method::Dspca(sketching) => dspca(source, &sketching.of_rank(columns()?), threads),
        Method::Gram => Err(Error::Protocol("gram is of another class".to_owned())),
    }
}
