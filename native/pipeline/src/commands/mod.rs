//! What a user asks for: decompose, verify, compare, render; reference matrices and scores.

pub mod compare;
pub mod decompose;
pub mod reference;
pub mod render;
pub(crate) mod runner;
pub mod stages;
mod values;
pub mod verify;
