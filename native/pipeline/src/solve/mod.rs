//! Stored pixels to `s` and `V`, and the digests of what was found.

pub(crate) mod decomposition;
pub mod digest;
pub(crate) mod factors;
pub(crate) mod padding_counts;
pub mod passes;
pub(crate) mod spectrum;

pub use self::{
    decomposition::{Decomposition, GramOfFloats},
    factors::{Certified, Factors, Removed},
    padding_counts::PaddingCounts,
};
