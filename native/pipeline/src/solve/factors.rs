//! What `U` is computed from besides `s` and `V`, by the class of the method.

use serde::{Deserialize, Serialize};
use tomobasis_linalg::{Bounds, Centering, RealCentering, RealSvd};

/// What `U` is computed from, besides `s` and `V`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Factors {
    /// Class `certified`.
    Certified(Certified),
    /// Class `fixed`.
    Fixed(Box<RealSvd>),
}

/// What a certified decomposition knows besides `s` and `V`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Certified {
    /// Second words of the weights, n x k row-major.
    pub v_low: Vec<f64>,
    /// Which of the k columns use the second word.
    pub compensated: Vec<bool>,
    /// Columns (from 0) whose singular values coincide to the working precision.
    pub unresolved: Vec<usize>,
    /// Error bounds that were proven.
    pub bounds: Bounds,
    /// The means that were removed.
    pub centering: Option<Removed>,
}

/// Means, by what the matrix is of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Removed {
    /// Stored integers.
    Stored(Centering),
    /// Floats.
    Real(RealCentering),
}

impl Removed {
    fn columns(&self) -> usize {
        match self {
            Self::Stored(centering) => centering.sums.len(),
            Self::Real(centering) => centering.columns(),
        }
    }
}

impl Certified {
    /// Means of stored integers that were removed.
    #[must_use]
    pub fn stored_centering(&self) -> Option<&Centering> {
        match &self.centering {
            Some(Removed::Stored(centering)) => Some(centering),
            _ => None,
        }
    }

    /// Means of floats that were removed.
    pub(crate) fn real_centering(&self) -> Option<&RealCentering> {
        match &self.centering {
            Some(Removed::Real(centering)) => Some(centering),
            _ => None,
        }
    }
}

impl Factors {
    /// What only a certified decomposition has.
    #[must_use]
    pub fn certified(&self) -> Option<&Certified> {
        match self {
            Self::Certified(certified) => Some(certified),
            Self::Fixed(_) => None,
        }
    }

    /// Columns (from 0) whose singular values coincide to the working precision; none are known in class `fixed`.
    #[must_use]
    pub fn unresolved(&self) -> &[usize] {
        self.certified().map_or(&[], |certified| &certified.unresolved)
    }

    /// Whether they are those of `n` slices and `k` basis vectors.
    pub(crate) fn fit(&self, n: usize, k: usize) -> bool {
        match self {
            Self::Certified(factors) => {
                let centering = factors.centering.as_ref();
                factors.v_low.len() == n * k
                    && factors.compensated.len() == k
                    && centering.is_none_or(|centering| centering.columns() == n)
            }
            Self::Fixed(svd) => svd.v.dim() == (n, k),
        }
    }
}
