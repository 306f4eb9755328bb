//! Matrices whose decomposition is known to every digit, as files, and scores for the decompositions of others.
//!
//! | file | what |
//! |---|---|
//! | `write` | the folder of matrices that `tomobasis reference` writes |
//! | `score` | the factors that `tomobasis score` reads, checked, and how many of their digits are right |
//! | `npz` | NumPy's zips of arrays |
//!
//! The matrices and the scores themselves are `tomobasis_linalg::reference`; `docs/reference-matrices.md` describes both.

mod npz;
mod score;
mod write;

pub use score::{Scored, names, score};
pub use write::{Written, write};

#[cfg(test)]
mod tests;
