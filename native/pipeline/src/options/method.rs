//! Methods with their parameters.
//!
//! [`Method`] holds just the parameters that its method has, so that a combination without meaning cannot be written down. What
//! it holds is part of the result's definition: [`Method::lines`] enter the root digest.

use serde::{Deserialize, Serialize};
use tomobasis_linalg::Randomized;

use super::RankChoice;
use crate::error::{Error, Result};

/// Columns of the sketch beyond k, as in Mahout's paper.
const OVERSAMPLE: usize = 15;
/// Power iterations, as in Mahout's paper.
const POWER_ITERATIONS: usize = 2;

/// How the decomposition is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "lowercase")]
pub enum Method {
    /// Singular values and vectors of the exact Gram matrix, correctly rounded: class `certified`.
    Gram {
        /// Means that are removed first, exactly.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        center: Option<Center>,
    },
    /// Householder QR along the canonical tree, then the SVD of `R`: class `fixed`.
    Tsqr {
        /// Whether the mean slice is removed first.
        center: bool,
    },
    /// Randomized SVD: class `fixed`.
    Dssvd(Sketching),
    /// Randomized SVD without the mean slice: class `fixed`.
    Dspca(Sketching),
}

/// Means that are removed before the decomposition, as `--center`, the manifest and the root digest name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Center {
    /// Each pixel's mean over the slices: the mean slice.
    Pixels,
    /// Each slice's mean over its pixels.
    Slices,
    /// Both.
    Both,
}

impl Center {
    /// `pixels`, `slices` or `both`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pixels => "pixels",
            Self::Slices => "slices",
            Self::Both => "both",
        }
    }
}

impl From<Center> for tomobasis_linalg::Center {
    /// A pixel is a row of the matrix, a slice a column.
    fn from(center: Center) -> Self {
        match center {
            Center::Pixels => Self::Rows,
            Center::Slices => Self::Columns,
            Center::Both => Self::Both,
        }
    }
}

/// The parameters of the randomized methods besides k.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sketching {
    /// Columns of the sketch beyond k, `p`.
    pub oversample: usize,
    /// Power iterations, `q`.
    pub power_iterations: usize,
    /// Of the random matrix.
    pub seed: u64,
    /// What its entries are.
    pub sketch: Sketch,
}

/// The entries of the random matrix, as the manifest and the root digest name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sketch {
    /// +1 and -1.
    Signs,
}

impl Method {
    /// As in `--method`, in the manifest and in the root digest.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Gram { .. } => "gram",
            Self::Tsqr { .. } => "tsqr",
            Self::Dssvd(_) => "dssvd",
            Self::Dspca(_) => "dspca",
        }
    }

    /// Class of reproducibility.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            Self::Gram { .. } => "certified",
            _ => "fixed",
        }
    }

    /// For what the bits are promised to be the same.
    #[must_use]
    pub fn promise(&self) -> &'static str {
        match self {
            Self::Gram { .. } => {
                "the same bits for any partitions, threads, order of files, retries, version and correct solver, on any \
                 IEEE 754 machine with fused multiply-add (x86-64: with AVX2 too)"
            }
            _ => {
                "the same bits for the same method and parameters, any threads, order of files and retries, on any \
                 x86-64 machine with AVX2 and fused multiply-add"
            }
        }
    }

    /// The means that are removed before the decomposition.
    #[must_use]
    pub fn center(&self) -> Option<Center> {
        match *self {
            Self::Gram { center } => center,
            Self::Tsqr { center: true } | Self::Dspca(_) => Some(Center::Pixels),
            Self::Tsqr { center: false } | Self::Dssvd(_) => None,
        }
    }

    /// The random matrix, where there is one.
    #[must_use]
    pub fn sketching(&self) -> Option<Sketching> {
        match *self {
            Self::Gram { .. } | Self::Tsqr { .. } => None,
            Self::Dssvd(sketching) | Self::Dspca(sketching) => Some(sketching),
        }
    }

    /// The parameters as lines of the root digest; none for `gram` without `--center`, whose result is a property of the scan alone.
    #[must_use]
    pub fn lines(&self) -> String {
        match *self {
            Self::Gram { center: None } => String::new(),
            Self::Gram { center: Some(center) } => format!("center {}\n", center.name()),
            Self::Tsqr { center } => format!("center {center}\n"),
            Self::Dssvd(sketching) | Self::Dspca(sketching) => {
                let Sketching { oversample, power_iterations, seed, sketch } = sketching;
                let sketch = match sketch {
                    Sketch::Signs => "signs",
                };
                format!(
                    "oversample {oversample}\npower_iterations {power_iterations}\nseed {seed}\nsketch {sketch}\n"
                )
            }
        }
    }

    /// Why the method cannot follow a choice of rank, and what to give; none where it can.
    pub(crate) fn rank_problem(&self, rank: RankChoice) -> Option<String> {
        let name = self.name();
        match (self.sketching(), rank) {
            (None, _) | (_, RankChoice::Columns(_)) => None,
            (_, RankChoice::Full) => {
                Some(format!("{name} needs to know how many basis vectors; add --rank K"))
            }
            (_, RankChoice::Auto | RankChoice::Energy(_)) => Some(format!(
                "{name} does not compute all singular values that this rule looks at; give --rank K, or use \
                 --method exact"
            )),
        }
    }

    /// Refuses a machine on which the promise does not hold.
    ///
    /// # Errors
    /// [`Error::Option`] naming `--method`.
    pub(crate) fn check_machine(&self) -> Result<()> {
        if matches!(self, Self::Gram { .. }) || cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) {
            return Ok(());
        }
        let problem = format!(
            "{} is promised to give the same bits on x86-64 and aarch64 only; use such a machine, or --method exact",
            self.name()
        );
        Err(Error::option("--method", problem))
    }
}

impl Default for Sketching {
    fn default() -> Self {
        Self { oversample: OVERSAMPLE, power_iterations: POWER_ITERATIONS, seed: 0, sketch: Sketch::Signs }
    }
}

impl Sketching {
    /// For `rank` basis vectors.
    #[must_use]
    pub fn of_rank(self, rank: usize) -> Randomized {
        let Self { oversample, power_iterations, seed, sketch: Sketch::Signs } = self;
        Randomized { rank, oversample, power_iterations, seed }
    }
}
