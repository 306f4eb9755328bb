//! Numbers of basis vectors as they are typed: `50`, `full`, `10%`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The composites of the 2020 paper: 50, 244 and 300 of its 301 slices.
pub(super) const PAPER_COMPOSITES: [Composite; 3] =
    [Composite::Columns(50), Composite::Columns(244), Composite::Columns(300)];

/// `--rank` or `--energy`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum RankChoice {
    /// All columns up to the numerical rank.
    Full,
    /// At most this many.
    Columns(usize),
    /// Those above the optimal hard threshold for noise of unknown strength (Gavish and Donoho 2014).
    Auto,
    /// The fewest that hold this share of `||A||_F^2`, above 0 and at most 1.
    Energy(f64),
}

/// How a share of the energy is written where a rank stands: `energy 0.99`.
const ENERGY: &str = "energy ";

/// One item of `--composite`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Composite {
    /// This many basis vectors.
    Columns(usize),
    /// This percentage of the number of slices, rounded to the nearest number, at least 1.
    Percent(f64),
    /// All but the last, of which this percentage of the rank is left out, as in the 2020 pipeline: what is kept is rounded to the
    /// nearest number, halves to the even one, and at least 1.
    AllBut(f64),
}

impl Composite {
    /// The number of basis vectors for a series of this many slices, of which `rank` were computed; [`Columns`](Self::Columns) may
    /// ask for more.
    #[must_use]
    pub fn columns(self, slices: usize, rank: usize) -> usize {
        let all = rank as f64;
        match self {
            Self::Columns(k) => k,
            Self::Percent(percent) => ((percent / 100.0 * slices as f64).round() as usize).max(1).min(rank),
            // In the operations of 2020, whose rounding is Python's.
            Self::AllBut(percent) => {
                ((all - all * (percent / 100.0)).round_ties_even() as usize).max(1).min(rank)
            }
        }
    }
}

/// The value of `--energy`.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if share > 0.0 && share <= 1.0 => Ok(share),
        _ => Err("must be above 0 and at most 1".to_owned()),
    }
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".to_owned()),
        Ok(k) => Ok(k),
        Err(_) => Err("is no whole number".to_owned()),
    }
}

impl FromStr for RankChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "full" => Ok(Self::Full),
            "auto" => Ok(Self::Auto),
            _ => {
                positive(text).map(Self::Columns).map_err(|why| format!("{why}; give a number, auto or full"))
            }
        }
    }
}

impl FromStr for Composite {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_suffix('%') {
            Some(number) => match number.parse::<f64>() {
                Ok(percent) if percent > 0.0 && percent <= 100.0 => Ok(Self::Percent(percent)),
                Ok(percent) if percent < 0.0 && percent > -100.0 => Ok(Self::AllBut(-percent)),
                _ => Err(
                    "a percentage must be above 0% and at most 100%, or from -100% to 0%, both excluded, \
                          for all basis vectors but the last"
                        .to_owned(),
                ),
            },
            None => {
                positive(text).map(Self::Columns).map_err(|why| format!("{why}; give numbers or percentages"))
            }
        }
    }
}

impl fmt::Display for RankChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("full"),
            Self::Columns(k) => write!(f, "{k}"),
            Self::Auto => f.write_str("auto"),
            Self::Energy(share) => write!(f, "{ENERGY}{share}"),
        }
    }
}

impl fmt::Display for Composite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Columns(k) => write!(f, "{k}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
            Self::AllBut(percent) => write!(f, "-{percent}%"),
        }
    }
}

impl TryFrom<String> for RankChoice {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.strip_prefix(ENERGY) {
            Some(number) => share(number).map(Self::Energy),
            None => text.parse(),
        }
    }
}

impl TryFrom<String> for Composite {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<RankChoice> for String {
    fn from(rank: RankChoice) -> Self {
        rank.to_string()
    }
}

impl From<Composite> for String {
    fn from(composite: Composite) -> Self {
        composite.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_means_that_share_of_the_slices_and_at_least_one() {
        let ten = "10%".parse::<Composite>().unwrap();
        assert_eq!(ten.columns(301, 301), 30);
        assert_eq!(ten.columns(3, 3), 1);
        assert_eq!("100%".parse::<Composite>().unwrap().columns(301, 301), 301);
        assert_eq!("100%".parse::<Composite>().unwrap().columns(301, 50), 50);
    }

    #[test]
    fn a_negative_percentage_leaves_out_that_share_of_the_basis_vectors() {
        // What the program of 2020 keeps of its 245, computed by Python.
        for (percent, kept) in [("0.1", 245), ("1", 243), ("5", 233), ("10", 220), ("30", 172)] {
            assert_eq!(format!("-{percent}%").parse::<Composite>().unwrap().columns(301, 245), kept);
        }
        assert_eq!("-99%".parse::<Composite>().unwrap().columns(301, 2), 1);
    }

    #[test]
    fn zero_negative_and_garbage_are_refused() {
        for text in ["0", "-1", "1.5", "", "ten", "energy 0.5"] {
            assert!(text.parse::<RankChoice>().is_err(), "{text}");
        }
        for text in ["0", "1.01", "-0.5", "NaN", "99%", ""] {
            assert!(share(text).is_err(), "{text}");
        }
        for text in ["0", "0%", "-0%", "-100%", "101%", "NaN%", "%", "x"] {
            assert!(text.parse::<Composite>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for text in ["full", "7", "auto", "energy 0.99"] {
            assert_eq!(RankChoice::try_from(text.to_owned()).unwrap().to_string(), text);
        }
        for text in ["50", "12.5%", "-0.1%"] {
            assert_eq!(text.parse::<Composite>().unwrap().to_string(), text);
        }
    }
}
