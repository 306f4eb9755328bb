//! The exact Gram matrix of integer columns.
//!
//! Stored CT pixels are integers of at most 16 bits, so every entry of `A^T A`, every column sum and every partial result is an
//! integer that 64 bits hold: [`GramAccumulator`] adds them up without rounding. Exact sums have no order, hence blocks may come in
//! any order, be grouped in any way, be added by any kernel, and be merged by any tree. The rescale of each column is applied at the
//! end, to the exact sums, exactly ([`GramMatrix`]).

mod accumulator;
mod kernel;
mod matrix;

pub use accumulator::GramAccumulator;
pub use matrix::GramMatrix;

pub(crate) fn kernel_name() -> &'static str {
    kernel::chosen().name
}
