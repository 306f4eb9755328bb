//! `--method` and the options that belong to one method only, as typed.

use clap::{Args, ValueEnum};

use crate::{
    error::{Error, Result},
    options::{Center, Method, RankChoice, Sketching},
};

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
    #[arg(long, value_name = "P", allow_hyphen_values = true)]
    oversample: Option<usize>,
    /// With dssvd and dspca: power iterations, each of which needs two more passes over the scan [default: 2]
    #[arg(long, value_name = "Q", allow_hyphen_values = true)]
    power_iterations: Option<usize>,
    /// With dssvd and dspca: seed of the random matrix [default: 0]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    seed: Option<u64>,
}

impl MethodArgs {
    /// The method with its parameters.
    ///
    /// # Errors
    /// [`Error::Option`] for an option that the method does not use, or a rule for the rank that it cannot follow.
    pub(super) fn resolve(&self, rank: RankChoice) -> Result<Method> {
        let usual = Sketching::default();
        let sketching = Sketching {
            oversample: self.oversample.unwrap_or(usual.oversample),
            power_iterations: self.power_iterations.unwrap_or(usual.power_iterations),
            seed: self.seed.unwrap_or(usual.seed),
            ..usual
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
        match method.rank_problem(rank) {
            None => Ok(method),
            Some(problem) => {
                let option = if matches!(rank, RankChoice::Energy(_)) { "--energy" } else { "--rank" };
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
