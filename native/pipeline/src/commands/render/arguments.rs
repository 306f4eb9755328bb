//! The command line of `render`.

use std::str::FromStr;

use clap::{Args, builder::NonEmptyStringValueParser as NotEmpty};

use crate::{
    commands::verify::VerifyArgs,
    error::{Error, Result},
    options::{Composite, OnBadSlice},
    result::{MANIFEST, Manifest},
};

/// The arguments of `render`.
#[derive(Args, Clone, Debug)]
pub struct RenderArgs {
    /// Result folder to draw
    #[arg(value_name = "RESULT", value_parser = NotEmpty::new())]
    pub result: String,
    /// Folder for the pictures
    #[arg(long, value_name = "FOLDER", required = true, value_parser = NotEmpty::new())]
    pub output: String,
    /// Replace existing pictures
    #[arg(long)]
    pub overwrite: bool,
    /// Ranks of the composites, or percentages: `10%` of the slices, at most the rank; `-10%`: the last tenth of the basis vectors
    /// left out, as in the 2020 pipeline [default: those of the result]
    #[arg(long, value_name = "K,...", value_delimiter = ',', allow_hyphen_values = true)]
    pub composite: Option<Vec<Composite>>,
    /// Slices to show, counted from 1, or how far through the series (`25%`), each in a folder of its own
    /// [default: the one that the result's pictures show]
    #[arg(long, value_name = "N,...", value_delimiter = ',', allow_hyphen_values = true)]
    pub slice: Vec<Place>,
    /// The scan that was decomposed, as for `decompose`: its slices and the differences from them are then drawn too
    #[arg(long, value_name = "URI", value_parser = NotEmpty::new())]
    pub input: Vec<String>,
    /// Which series of the input, as for `decompose`
    #[arg(long, value_name = "UID", requires = "input", value_parser = NotEmpty::new())]
    pub series: Option<String>,
    /// Use the volumes of one series as one matrix, as for `decompose`
    #[arg(long, requires = "input")]
    pub join: bool,
    /// What to do about slices that cannot be used, as for `decompose`
    #[arg(long, value_enum, default_value = "fail", requires = "input")]
    pub on_bad_slice: OnBadSlice,
    /// Print more on stderr: paths of files, details of errors
    #[arg(long)]
    pub verbose: bool,
}

impl RenderArgs {
    /// How the scan is found: as for a verification of the result. None without `--input`.
    pub(crate) fn scan(&self) -> Option<VerifyArgs> {
        (!self.input.is_empty()).then(|| VerifyArgs {
            result: self.result.clone(),
            input: self.input.clone(),
            series: self.series.clone(),
            join: self.join,
            on_bad_slice: self.on_bad_slice,
            verbose: self.verbose,
        })
    }

    /// The composites to render, ascending and without repetition.
    ///
    /// # Errors
    /// [`Error::Option`] for a number above the rank.
    pub(crate) fn composites(&self, manifest: &Manifest) -> Result<Vec<usize>> {
        let (n, rank) = (manifest.result.columns, manifest.result.rank);
        let resolved = |composite: &Composite| match composite {
            Composite::Percent(_) | Composite::AllBut(_) => Ok(composite.columns(n, rank)),
            Composite::Columns(k) if *k <= rank => Ok(*k),
            Composite::Columns(k) => {
                let problem =
                    format!("{k} is more than the {rank} basis vectors of the result; give 1 to {rank}");
                Err(Error::option("--composite", problem))
            }
        };
        let mut ranks: Vec<usize> = match &self.composite {
            Some(asked) => asked.iter().map(resolved).collect::<Result<_>>()?,
            None => manifest.result.composites.iter().map(|entry| entry.k).collect(),
        };
        ranks.sort_unstable();
        ranks.dedup();
        match ranks.iter().find(|k| !(1..=rank).contains(k)) {
            Some(k) => Err(Error::result_file(MANIFEST, format!("there is no composite of {k}"))),
            None => Ok(ranks),
        }
    }

    /// The slices to show (their indices, from 0), ascending and without repetition, and whether each gets a folder of its own.
    ///
    /// # Errors
    /// [`Error::Option`] for one that is not there.
    pub(crate) fn slices(&self, manifest: &Manifest) -> Result<(Vec<usize>, bool)> {
        let n = manifest.result.columns;
        let shown = Place::Number(manifest.parameters.shown_slice.saturating_add(1));
        let asked = if self.slice.is_empty() { std::slice::from_ref(&shown) } else { &self.slice };
        let mut slices = asked.iter().map(|place| place.slice(n)).collect::<Result<Vec<_>>>()?;
        slices.sort_unstable();
        slices.dedup();
        Ok((slices, !self.slice.is_empty()))
    }
}

/// One item of `--slice`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    /// This slice, from 1.
    Number(usize),
    /// The slice this far through the series, 0% to 100%.
    Percent(f64),
}

impl Place {
    /// Its index, from 0.
    fn slice(self, slices: usize) -> Result<usize> {
        let last = slices.saturating_sub(1);
        match self {
            Self::Number(number) if (1..=slices).contains(&number) => Ok(number - 1),
            Self::Number(number) => {
                let problem = format!("there is no slice {number}; give 1 to {slices}");
                Err(Error::option("--slice", problem))
            }
            Self::Percent(percent) => Ok(((percent / 100.0 * slices as f64) as usize).min(last)),
        }
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text.strip_suffix('%') {
            Some(number) => match number.parse::<f64>() {
                Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(Self::Percent(percent)),
                _ => Err("a percentage must be from 0% to 100%".to_owned()),
            },
            None => text
                .parse()
                .map(Self::Number)
                .map_err(|_| "is not a whole number; give numbers or percentages".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_number_or_a_share_of_the_way_through() {
        let slice = |text: &str, n| text.parse::<Place>().unwrap().slice(n);
        assert_eq!(slice("1", 9).unwrap(), 0);
        assert_eq!(slice("9", 9).unwrap(), 8);
        assert_eq!(slice("50%", 9).unwrap(), 4, "the one that a run shows");
        assert_eq!(slice("100%", 9).unwrap(), 8);
        assert!(slice("0", 9).is_err() && slice("10", 9).is_err());
        for text in ["", "-1", "101%", "NaN%", "first"] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }
}
