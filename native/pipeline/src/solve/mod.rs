//! Stored pixels to `s` and `V`, and the digests of what was found.

mod broadcast;
pub(crate) mod decomposition;
pub mod digest;
pub(crate) mod factors;
mod identity;
pub(crate) mod padding_counts;
pub mod passes;
pub(crate) mod spectrum;

pub use self::{
    broadcast::check_broadcast,
    decomposition::{Decomposition, GramOfFloats},
    factors::{Certified, Factors, Removed},
    identity::fingerprint,
    padding_counts::PaddingCounts,
};
