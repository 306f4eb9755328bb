//! The methods of class `fixed` as passes over the row blocks of a series, wherever these are.
//!
//! | where | what |
//! |---|---|
//! | driver | [`PassDriver`]: which pass is next; takes what it found, goes on; in the end the [`Decomposition`] |
//! | per row block | [`BlockPass`]: stored pixels to HU, and what the linear algebra's pass finds in them |
//! | per partition, in the job | [`BlockPartials`]: what was found in its blocks, as bytes for the driver |
//!
//! The passes themselves are `tomobasis_linalg`'s. Added to them here: the rescale, and the least and greatest stored value of
//! each slice, which the first pass looks for.

use std::{
    borrow::Cow,
    sync::{Mutex, PoisonError},
};

use rayon::{ThreadPoolBuilder, prelude::*};
use serde::{Deserialize, Serialize};
use tomobasis_dicom::SeriesPlan;
use tomobasis_linalg::{Partial, Partials, Pass, RealPasses, Rescale, RowBlock};

use crate::{
    decomposition::{Decomposition, columns_needed, image_pixels, rescale_of, to_broadcast},
    digest::Digest,
    error::{Error, Result},
    options::{Method, Options, RankChoice},
};

/// First bytes of a serialized [`BlockPass`].
const PASS_MAGIC: &[u8] = b"tomobasis pass 1\n";

/// First bytes of serialized [`BlockPartials`].
const PARTIALS_MAGIC: &[u8] = b"tomobasis partials 1\n";

/// Least and greatest stored value of each slice; none where nothing was looked at.
type Ranges = Vec<(i16, i16)>;

/// A decomposition of class `fixed` under way.
pub struct PassDriver {
    plan: SeriesPlan,
    options: Options,
    rescale: Vec<Rescale>,
    passes: RealPasses,
    first: bool,
    ranges: Mutex<Ranges>,
}

/// What one pass does with row blocks. Immutable: shared by the threads of an executor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BlockPass<'a> {
    method: Method,
    pass: Cow<'a, Pass>,
    rescale: Cow<'a, [Rescale]>,
    /// Whether least and greatest values are looked for.
    first: bool,
}

/// What a pass found in one row block.
#[derive(Debug)]
pub struct BlockPartial {
    partial: Partial,
    ranges: Ranges,
}

/// What a pass found in the row blocks of a partition.
#[derive(Debug, Default)]
pub struct BlockPartials {
    partials: Partials,
    ranges: Ranges,
}

impl PassDriver {
    /// Begins the decomposition that the options ask for.
    ///
    /// # Errors
    /// [`Error::Option`] for a rank above the number of slices or pixels, [`Error::Protocol`] when the method takes no passes.
    pub fn new(plan: SeriesPlan, options: Options) -> Result<Self> {
        options.check_against(&plan)?;
        let (rows, columns) = (image_pixels(&plan), plan.slices.len());
        let k = || match options.rank {
            RankChoice::Columns(k) => Ok(k),
            other => Err(Error::Protocol(format!("rank {other} says no number of columns"))),
        };
        let passes = match options.method {
            Method::Tsqr { center } => RealPasses::tsqr(rows, columns, columns_needed(options.rank), center),
            Method::Dssvd(sketching) => {
                RealPasses::randomized(rows, columns, &sketching.of_rank(k()?), false)
            }
            Method::Dspca(sketching) => RealPasses::randomized(rows, columns, &sketching.of_rank(k()?), true),
            Method::Gram => return Err(Error::Protocol("gram takes no passes".to_owned())),
        }?;
        let rescale = rescale_of(&plan);
        Ok(Self { plan, options, rescale, passes, first: true, ranges: Mutex::default() })
    }

    /// Passes that are left, with the one under way.
    #[must_use]
    pub fn left(&self) -> usize {
        self.passes.left()
    }

    /// The pass under way; none after the last.
    #[must_use]
    pub fn pass(&self) -> Option<BlockPass<'_>> {
        self.passes.pass().map(|pass| BlockPass {
            method: self.options.method,
            pass: Cow::Borrowed(pass),
            rescale: Cow::Borrowed(&self.rescale),
            first: self.first,
        })
    }

    /// Adds what the pass found in a block. From any thread, in any order.
    ///
    /// # Errors
    /// [`Error::Linalg`] for what is not of this pass, or came already.
    pub fn add(&self, found: BlockPartial) -> Result<()> {
        self.passes.add(found.partial)?;
        self.widen(found.ranges)
    }

    /// Takes all that the pass found, as the bytes of [`BlockPartials`], on up to `threads` threads, and goes on.
    ///
    /// # Errors
    /// [`Error::Protocol`] for bytes that this version did not write; what [`add`](Self::add) and
    /// [`advance`](Self::advance) refuse.
    pub fn take(&mut self, partials: &[Vec<u8>], threads: usize) -> Result<()> {
        ThreadPoolBuilder::new().num_threads(threads.max(1)).build()?.install(|| {
            partials.par_iter().try_for_each(|bytes| {
                let (ranges, partials) = split(bytes)?;
                // A partition without blocks has neither.
                if ranges.is_empty() && partials.is_empty() {
                    return Ok(());
                }
                partials.into_iter().try_for_each(|partial| self.passes.add(partial))?;
                self.widen(ranges)
            })?;
            self.advance()
        })
    }

    /// Goes on to the next pass when all blocks were added; on the current thread pool.
    ///
    /// # Errors
    /// [`Error::Linalg`] when blocks are missing, and what the linear algebra refuses.
    pub fn advance(&mut self) -> Result<()> {
        self.first = false;
        Ok(self.passes.advance()?)
    }

    /// The decomposition, after the last pass.
    ///
    /// # Errors
    /// Those of [`Decomposition::fixed`]; [`Error::Linalg`] while passes are left.
    pub fn finish(self, slice_digests: &[Digest]) -> Result<Decomposition> {
        let ranges = self.ranges.into_inner().unwrap_or_else(PoisonError::into_inner);
        let ranges: Vec<(i32, i32)> = ranges.into_iter().map(|(a, b)| (a.into(), b.into())).collect();
        Decomposition::fixed(self.plan, self.options, self.passes.finish()?, &ranges, slice_digests)
    }

    fn widen(&self, ranges: Ranges) -> Result<()> {
        let fits = ranges.len() == if self.first { self.rescale.len() } else { 0 };
        if !fits {
            return Err(Error::Protocol("a pass found ranges of other slices".to_owned()));
        }
        widen(&mut self.ranges.lock().unwrap_or_else(PoisonError::into_inner), ranges);
        Ok(())
    }
}

impl BlockPass<'_> {
    /// What the pass finds in row block `block`: `values` are its `rows` stored pixels of each slice, slice-major. `hu` is a
    /// buffer that the caller keeps from block to block.
    ///
    /// # Errors
    /// [`Error::Linalg`] when the block is not of this series.
    pub fn block(&self, block: u32, values: &[i16], rows: usize, hu: &mut Vec<f64>) -> Result<BlockPartial> {
        let input = RowBlock::new(values, rows, self.rescale.len())?;
        hu.clear();
        let mut ranges = Ranges::new();
        for (j, rescale) in self.rescale.iter().enumerate() {
            let column = input.column(j);
            hu.extend(column.iter().map(|&stored| rescale.apply(stored)));
            if self.first {
                let (least, greatest) = (column.iter().min(), column.iter().max());
                ranges.push((least.copied().unwrap_or(i16::MAX), greatest.copied().unwrap_or(i16::MIN)));
            }
        }
        Ok(BlockPartial { partial: self.pass.block(block as usize, hu)?, ranges })
    }

    /// What is broadcast.
    ///
    /// # Errors
    /// [`Error::Option`] when it is too large for that; [`Error::Protocol`] when it cannot be serialized.
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
    /// [`Error::Linalg`] when it is of another pass than the rest.
    pub fn add(&mut self, found: BlockPartial) -> Result<()> {
        widen(&mut self.ranges, found.ranges);
        Ok(self.partials.add(found.partial)?)
    }

    /// What is sent to the driver: the number of ranges (u32), their least and greatest values (i16), little-endian, then the
    /// linear algebra's bytes.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        let mut bytes = PARTIALS_MAGIC.to_vec();
        bytes.extend((self.ranges.len() as u32).to_le_bytes());
        bytes.extend(self.ranges.iter().flat_map(|&(a, b)| [a, b]).flat_map(i16::to_le_bytes));
        bytes.extend(self.partials.into_bytes());
        bytes
    }
}

/// The two parts of the bytes of [`BlockPartials`].
fn split(bytes: &[u8]) -> Result<(Ranges, Vec<Partial>)> {
    let read = || {
        let (count, rest) = bytes.strip_prefix(PARTIALS_MAGIC)?.split_first_chunk::<4>()?;
        let count = usize::try_from(u32::from_le_bytes(*count)).ok()?;
        let (ranges, partials) = rest.split_at_checked(count.checked_mul(4)?)?;
        let range = |&[a, b, c, d]: &[u8; 4]| (i16::from_le_bytes([a, b]), i16::from_le_bytes([c, d]));
        Some((ranges.as_chunks::<4>().0.iter().map(range).collect(), partials))
    };
    let (ranges, partials) =
        read().ok_or_else(|| Error::Protocol("these bytes are not what a pass found".to_owned()))?;
    Ok((ranges, Partials::parts(partials)?))
}

/// Makes the ranges of `all` hold those of `more`, slice by slice.
fn widen(all: &mut Ranges, more: Ranges) {
    if all.is_empty() {
        *all = more;
        return;
    }
    for (all, more) in all.iter_mut().zip(more) {
        *all = (all.0.min(more.0), all.1.max(more.1));
    }
}
