//! The methods of class `fixed` as passes over the row blocks of a series, wherever these are.
//!
//! | where | what |
//! |---|---|
//! | driver | [`PassDriver`]: which pass is next; what it found is added; then it goes on; in the end the [`Decomposition`] |
//! | per row block | [`BlockPass`]: stored pixels to HU, and what the linear algebra's pass finds in them |
//! | per partition, in the job | [`BlockPartials`]: what was found in its blocks, as bytes for the driver |
//!
//! The passes themselves are `tomobasis_linalg`'s. Added to them here: the rescale.

use std::borrow::Cow;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tomobasis_dicom::{SeriesPlan, SliceRecord};
use tomobasis_linalg::{Partial, Partials, Pass, RealPasses, Rescale, column_major};

use crate::{
    error::{Error, Result},
    input::{
        BlockValues, Numbers,
        layout::{image_pixels, rescale_of},
    },
    memory,
    options::{Method, Options, RankChoice},
    solve::{
        broadcast::to_broadcast,
        decomposition::{Decomposition, columns_needed},
    },
};

/// First bytes of a serialized [`BlockPass`].
const PASS_MAGIC: &[u8] = b"tomobasis pass 2\n";

/// First bytes of serialized [`BlockPartials`].
const PARTIALS_MAGIC: &[u8] = b"tomobasis partials 1\n";

/// A decomposition of class `fixed` under way.
pub struct PassDriver {
    plan: SeriesPlan,
    options: Options,
    numbers: Numbers,
    rescale: Vec<Rescale>,
    passes: RealPasses,
}

/// What one pass does with row blocks. Immutable: shared by the threads of an executor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BlockPass<'a> {
    method: Method,
    pass: Cow<'a, Pass>,
    rescale: Cow<'a, [Rescale]>,
}

/// What a pass found in one row block.
#[derive(Debug)]
pub struct BlockPartial(Partial);

/// What a pass found in the row blocks of a partition.
#[derive(Debug, Default)]
pub struct BlockPartials(Partials);

impl PassDriver {
    /// Begins the decomposition that the options ask for, of a matrix of such numbers.
    ///
    /// # Errors
    /// [`Error::Option`] for a rank above the number of slices or pixels, [`Error::Internal`] when the method takes no passes.
    pub fn new(plan: SeriesPlan, options: Options, numbers: Numbers) -> Result<Self> {
        options.check_against(&plan)?;
        let (rows, columns) = (image_pixels(&plan), plan.slices.len());
        let k = || match options.rank {
            RankChoice::Columns(k) => Ok(k),
            other => Err(Error::Internal(format!("rank {other} says no number of columns"))),
        };
        let passes = match options.method {
            Method::Tsqr { center } => RealPasses::tsqr(rows, columns, columns_needed(options.rank), center),
            Method::Dssvd(sketching) => {
                RealPasses::randomized(rows, columns, &sketching.of_rank(k()?), false)
            }
            Method::Dspca(sketching) => RealPasses::randomized(rows, columns, &sketching.of_rank(k()?), true),
            Method::Gram { .. } => return Err(Error::Internal("gram takes no passes".to_owned())),
        }?;
        let rescale = rescale_of(&plan);
        Ok(Self { plan, options, numbers, rescale, passes })
    }

    /// Passes that are left, with the one under way.
    #[must_use]
    pub fn left(&self) -> usize {
        self.passes.left()
    }

    /// Refuses passes that would bring more to the driver than the `limit` bytes that Spark lets through; 0 is no limit.
    ///
    /// # Errors
    /// [`Error::Option`] that names Spark's property.
    pub fn check_results(&self, limit: u64, partitions: usize) -> Result<()> {
        let bytes = 8 * self.passes.numbers_found(partitions);
        if limit == 0 || bytes <= limit {
            return Ok(());
        }
        let megabytes = |bytes: u64| bytes.div_ceil(1 << 20);
        Err(Error::option(
            "--conf spark.driver.maxResultSize",
            format!(
                "a pass over {} slices brings up to {} MB to the driver, and {} MB may come; allow more (0 is no limit), and give \
                 as much more --driver-memory",
                self.rescale.len(),
                megabytes(bytes),
                megabytes(limit)
            ),
        ))
    }

    /// The pass under way; none after the last.
    #[must_use]
    pub fn pass(&self) -> Option<BlockPass<'_>> {
        self.passes.pass().map(|pass| BlockPass {
            method: self.options.method,
            pass: Cow::Borrowed(pass),
            rescale: Cow::Borrowed(&self.rescale),
        })
    }

    /// Adds what the pass found in a block. From any thread, in any order.
    ///
    /// # Errors
    /// [`Error::Protocol`] for what is not of this pass, or came already.
    pub fn add(&self, found: BlockPartial) -> Result<()> {
        Ok(self.passes.add(found.0)?)
    }

    /// Adds all that the pass found, as the bytes of [`BlockPartials`], on up to `threads` threads, and goes on.
    ///
    /// # Errors
    /// [`Error::Protocol`] for bytes that this version did not write; what [`add`](Self::add) and
    /// [`advance`](Self::advance) refuse.
    pub fn add_bytes(&mut self, partials: &[Vec<u8>], threads: usize) -> Result<()> {
        memory::pool(threads.max(1))?.install(|| {
            partials.par_iter().try_for_each(|bytes| {
                let foreign = || Error::Protocol("these bytes are not what a pass found".to_owned());
                let partials = Partials::parts(bytes.strip_prefix(PARTIALS_MAGIC).ok_or_else(foreign)?)?;
                partials.into_iter().try_for_each(|partial| self.passes.add(partial)).map_err(Error::from)
            })?;
            self.advance()
        })
    }

    /// Goes on to the next pass when all blocks were added; on the current thread pool.
    ///
    /// # Errors
    /// [`Error::Protocol`] when blocks are missing, and what the linear algebra refuses.
    pub fn advance(&mut self) -> Result<()> {
        Ok(self.passes.advance()?)
    }

    /// The decomposition, after the last pass.
    ///
    /// # Errors
    /// [`Error::Protocol`] when the records are not those of this series, [`Error::Input`] when nothing is left to decompose,
    /// [`Error::Protocol`] while passes are left.
    pub fn finish(self, records: &[SliceRecord]) -> Result<Decomposition> {
        Decomposition::fixed(self.plan, self.options, self.numbers, self.passes.finish()?, records)
    }
}

impl BlockPass<'_> {
    /// What the pass finds in row block `block`: `values` are its `rows` stored pixels of each slice, slice-major. `hu` is a
    /// buffer that the caller keeps from block to block.
    ///
    /// # Errors
    /// [`Error::Internal`] when the block is not of this series.
    pub fn block<'v>(
        &self,
        block: u32,
        values: impl Into<BlockValues<'v>>,
        rows: usize,
        hu: &mut Vec<f64>,
    ) -> Result<BlockPartial> {
        let columns = self.rescale.len();
        let values = match values.into() {
            BlockValues::Stored(values) => values,
            BlockValues::Real(values) => {
                let values = column_major(values, rows, columns)?;
                return Ok(BlockPartial(self.pass.block(block as usize, values)?));
            }
        };
        let input = column_major(values, rows, columns)?;
        hu.clear();
        for (column, rescale) in input.columns().into_iter().zip(self.rescale.iter()) {
            hu.extend(column.iter().map(|&stored| rescale.apply(stored)));
        }
        Ok(BlockPartial(self.pass.block(block as usize, column_major(hu, rows, columns)?)?))
    }

    /// What is broadcast.
    ///
    /// # Errors
    /// [`Error::Option`] when it is too large for that; [`Error::Internal`] when it cannot be serialized.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        to_broadcast(PASS_MAGIC, self)
    }

    /// The inverse of [`Self::to_bytes`].
    ///
    /// # Errors
    /// [`Error::Protocol`] for bytes that this version did not write; [`Error::Option`] on a machine on which the method does not
    /// give the promised bits.
    pub fn from_bytes(bytes: &[u8]) -> Result<BlockPass<'static>> {
        let foreign = || Error::Protocol("these bytes are no pass".to_owned());
        let body = bytes.strip_prefix(PASS_MAGIC).ok_or_else(foreign)?;
        let this: BlockPass<'static> = rmp_serde::from_slice(body).map_err(|_| foreign())?;
        this.method.check_machine()?;
        if this.rescale.len() == this.pass.columns() { Ok(this) } else { Err(foreign()) }
    }
}

impl BlockPartials {
    /// Adds what was found in one block.
    ///
    /// # Errors
    /// [`Error::Protocol`] when it is of another pass than the rest.
    pub fn add(&mut self, found: BlockPartial) -> Result<()> {
        Ok(self.0.add(found.0)?)
    }

    /// What is sent to the driver.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        [PARTIALS_MAGIC, &self.0.into_bytes()].concat()
    }
}
