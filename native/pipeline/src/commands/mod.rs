//! What a user asks for: decompose, verify, compare, render.

pub mod compare;
pub mod decompose;
pub mod render;
pub(crate) mod runner;
pub mod stages;
mod values;
pub mod verify;
