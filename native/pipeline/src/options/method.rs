//! `--method` and the options that belong to one method only.
//!
//! [`Method`] holds just the parameters that its method has, so that a combination without meaning cannot be written down. What
//! it holds is part of the result's definition: [`Method::lines`] enter the root digest.

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use tomobasis_linalg::{Center, Randomized};

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

/// A method as typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Name {
    /// The exact method that fits the input: for the integer pixels of DICOM, `gram`
    Exact,
    /// Exact Gram matrix; s and V correctly rounded, proven (class certified)
    Gram,
    /// QR in floating point along a fixed tree (deterministic: class fixed)
    Tsqr,
    /// Randomized, for the leading K of many slices; needs --rank K (deterministic: class fixed)
    Dssvd,
    /// The same without the mean slice; needs --rank K (deterministic: class fixed)
    Dspca,
}

/// `--center`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Means {
    /// Each pixel's mean over the slices: the mean slice
    Pixels,
    /// Each slice's mean over its pixels
    Slices,
    /// Both
    Both,
}

impl From<Means> for Center {
    fn from(means: Means) -> Self {
        match means {
            Means::Pixels => Self::Pixels,
            Means::Slices => Self::Slices,
            Means::Both => Self::Both,
        }
    }
}

/// The method, as typed.
#[derive(Args, Clone, Debug)]
pub(super) struct MethodArgs {
    /// How to decompose
    #[arg(long, value_enum, default_value = "exact")]
    method: Name,
    /// With exact and tsqr: remove means first (principal component analysis). Without a value: the mean slice; exact can also
    /// remove each slice's mean, or both
    #[arg(long, value_enum, value_name = "MEANS", num_args = 0..=1, default_missing_value = "pixels")]
    center: Option<Means>,
    /// With dssvd and dspca: columns of the random matrix beyond K [default: 15]
    #[arg(long, value_name = "P")]
    oversample: Option<usize>,
    /// With dssvd and dspca: power iterations, each of which needs two more passes over the scan [default: 2]
    #[arg(long, value_name = "Q")]
    power_iterations: Option<usize>,
    /// With dssvd and dspca: seed of the random matrix [default: 0]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

impl MethodArgs {
    /// The method with its parameters.
    ///
    /// # Errors
    /// [`Error::Option`] for an option that the method does not use, or a rule for the rank that it cannot follow.
    pub(super) fn resolve(&self, rank: RankChoice) -> Result<Method> {
        let sketching = Sketching {
            oversample: self.oversample.unwrap_or(OVERSAMPLE),
            power_iterations: self.power_iterations.unwrap_or(POWER_ITERATIONS),
            seed: self.seed.unwrap_or_default(),
            sketch: Sketch::Signs,
        };
        let method = match self.method {
            Name::Exact | Name::Gram => Method::Gram { center: self.center.map(Center::from) },
            Name::Tsqr => Method::Tsqr { center: self.center.is_some() },
            Name::Dssvd => Method::Dssvd(sketching),
            Name::Dspca => Method::Dspca(sketching),
        };
        let name = method.name();
        if let Some(problem) = self.center.and_then(|means| center_problem(method, means)) {
            return Err(Error::option("--center", problem));
        }
        if method.sketching().is_none() {
            let given = [
                ("--oversample", self.oversample.is_some()),
                ("--power-iterations", self.power_iterations.is_some()),
                ("--seed", self.seed.is_some()),
            ];
            if let Some((option, _)) = given.into_iter().find(|(_, given)| *given) {
                let problem =
                    format!("{name} uses no random numbers; add --method dssvd or dspca, or leave it out");
                return Err(Error::option(option, problem));
            }
            return Ok(method);
        }
        match rank {
            RankChoice::Columns(_) => Ok(method),
            RankChoice::Full => Err(Error::option(
                "--rank",
                format!("{name} needs to know how many basis vectors; add --rank K"),
            )),
            RankChoice::Auto | RankChoice::Energy(_) => {
                let option = if rank == RankChoice::Auto { "--rank" } else { "--energy" };
                let problem = format!(
                    "{name} does not compute all singular values that this rule looks at; give --rank K, or use \
                     --method exact"
                );
                Err(Error::option(option, problem))
            }
        }
    }
}

/// Why a method can't remove these means, and what to do.
fn center_problem(method: Method, means: Means) -> Option<&'static str> {
    match (method, means) {
        (Method::Dspca(_), _) => Some("dspca always removes the mean slice; leave it out"),
        (Method::Dssvd(_), _) => Some("dssvd without the mean slice is --method dspca"),
        (Method::Tsqr { .. }, Means::Slices | Means::Both) => {
            Some("tsqr removes the mean slice only; give pixels, or use --method exact")
        }
        _ => None,
    }
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

impl Sketching {
    /// For `rank` basis vectors.
    #[must_use]
    pub fn of_rank(self, rank: usize) -> Randomized {
        let Self { oversample, power_iterations, seed, sketch: Sketch::Signs } = self;
        Randomized { rank, oversample, power_iterations, seed }
    }
}
