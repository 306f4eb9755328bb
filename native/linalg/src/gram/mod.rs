//! Exact products of integer columns: `A^T A`.
//!
//! Values are stored as integers of at most 16 bits, so every product of two columns and every column sum is
//! an integer, and what is added up here is never rounded: in 64 bits up to 2^30 rows, in 128 beyond
//! ([`sums`]). Exact sums have no order, hence blocks may come in any order, be grouped in any way, be added
//! by any kernel, and be merged by any tree. The rescale of each column is applied at the end, to the exact
//! sums, exactly ([`GramMatrix`]).
//!
//! | file | what |
//! |---|---|
//! | `accumulator`, `bytes` | sums of `A^T A` over row blocks, and their serialized form, whole or in parts |
//! | `check` | sums and parts that know when one of their bits was changed |
//! | `sums` | what they hold: 64 or 128-bit products, column sums, ranges |
//! | `kernel` | the products of one block, by the widest instructions that the CPU has |
//! | `digits` | integers of any width as planes of 62 bits or fewer |
//! | `matrix` | from sums to the Gram matrix of rescaled columns |
//! | `modular` | whether sums are those of a matrix, by a random vector modulo a prime |
//! | `real` | the same for floats, by residues modulo a few small integers |

mod accumulator;
mod bytes;
mod check;
mod digits;
mod kernel;
mod matrix;
mod modular;
mod real;
mod sums;

pub use accumulator::{GramAccumulator, MAX_COLUMNS};
pub use bytes::GramPart;
pub use check::{CheckedGram, CheckedPart, block_check, verify_block};
pub use matrix::GramMatrix;
pub use modular::ModularCheck;
pub use real::{
    ColumnRanges, RealBlocks, RealGramAccumulator, centered_real_gram, check_magnitude, real_gram,
};

pub(crate) use kernel::{check_forced, kernel_name};
