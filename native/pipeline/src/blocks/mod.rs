//! Row blocks: basis vectors, and what each output needs of them.

pub(crate) mod block_factors;
pub(crate) mod composites;
pub(crate) mod measured;
pub(crate) mod renderer;
pub(crate) mod sampled;

pub use self::{
    composites::{CompositeRenderer, CompositeScratch},
    renderer::{BlockRecord, BlockRenderer, RenderedBlock, Scratch},
};
