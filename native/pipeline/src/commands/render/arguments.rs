//! The command line of `render`.

use std::str::FromStr;

use clap::{Args, ValueEnum, builder::NonEmptyStringValueParser as NotEmpty};

use super::cut::View;
use crate::{
    commands::verify::{PartArgs, VerifyArgs},
    error::{Error, Result},
    options::{Composite, OnBadSlice},
    output::pictures::Display,
    result::{MANIFEST, Manifest},
};

/// Composites of the figure: shares of the slices.
const FIGURE: [Composite; 3] = [Composite::Percent(10.0), Composite::Percent(30.0), Composite::Percent(81.0)];

/// What is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Composites and differences beside each other with captions, basis vectors, the spectrum, as a run draws them
    #[default]
    Sheets,
    /// The scan and each composite as a gray picture of its own, without captions
    Images,
    /// The same as animated PNG files that go through all slices
    Scroll,
    /// One figure of four panels: the slice, and its composites of 10 %, 30 % and 81 % of the slices, or of three others
    Figure,
}

/// Black and white, as center and width of a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    center: f64,
    width: f64,
}

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
    /// Slices to show, counted from 1, or how far through the series (`25%`); of sheets and figures each in a folder of its own
    /// [default: the one that the result's pictures show, of other views the middle one; for a scroll all]
    #[arg(long, value_name = "N,...", value_delimiter = ',', allow_hyphen_values = true)]
    pub slice: Vec<Place>,
    /// What to draw
    #[arg(long = "as", value_enum, value_name = "FORM", default_value = "sheets")]
    pub form: Form,
    /// Direction to look in, for images and scroll; --slice then counts the pictures of that view
    #[arg(long, value_enum, default_value = "axial")]
    pub view: View,
    /// Bits of a pixel, for images and scroll. With 16, a level is the value (in HU) + 32768, or with --window the window
    #[arg(long, value_name = "8|16", default_value = "8", value_parser = depth)]
    pub depth: u8,
    /// What is black and white: center and width, such as 40,400 [default: the window of the scan]
    #[arg(long, value_name = "CENTER,WIDTH", allow_hyphen_values = true)]
    pub window: Option<Window>,
    /// Pictures in a second of a scroll, 1 to 60 [default: 10]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=60))]
    pub fps: Option<u16>,
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
            reference: None,
            part: PartArgs::default(),
            verbose: self.verbose,
        })
    }

    /// Refuses options that do not go together.
    ///
    /// # Errors
    /// [`Error::Option`] naming one that has no meaning for what is drawn.
    pub(crate) fn check(&self) -> Result<()> {
        let plain = matches!(self.form, Form::Images | Form::Scroll);
        let given = [("--view", self.view != View::Axial), ("--depth", self.depth != 8)];
        match given.into_iter().find(|(_, given)| *given && !plain) {
            Some((option, _)) => {
                let problem = "it is for plain pictures; add --as images or --as scroll, or leave it out";
                Err(Error::option(option, problem))
            }
            None if self.form != Form::Scroll && self.fps.is_some() => {
                Err(Error::option("--fps", "it is for animations; add --as scroll, or leave it out"))
            }
            None if self.form == Form::Figure && self.input.is_empty() => {
                let problem = "a figure shows the scan's own slice too; add --input with the scan";
                Err(Error::option("--as", problem))
            }
            None => Ok(()),
        }
    }

    /// What is black and white.
    pub(crate) fn display(&self, of_scan: Display) -> Display {
        match self.window {
            Some(Window { center, width }) => {
                let (low, high) = (center - width / 2.0, center + width / 2.0);
                Display { low, high, ..of_scan }
            }
            None => of_scan,
        }
    }

    /// The composites to render, ascending and without repetition.
    ///
    /// # Errors
    /// [`Error::Option`] for a number above the rank, and for a figure of another number than three.
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
            None if self.form == Form::Figure => FIGURE.iter().map(resolved).collect::<Result<_>>()?,
            None => manifest.result.composites.iter().map(|entry| entry.k).collect(),
        };
        ranks.sort_unstable();
        ranks.dedup();
        match ranks.iter().find(|k| !(1..=rank).contains(k)) {
            Some(k) => Err(Error::result_file(MANIFEST, format!("there is no composite of {k}"))),
            None if self.form == Form::Figure && ranks.len() != 3 => {
                let k: Vec<String> = ranks.iter().map(ToString::to_string).collect();
                let problem = format!("a figure has three composites, not k = {}; give three", k.join(", "));
                Err(Error::option("--composite", problem))
            }
            None => Ok(ranks),
        }
    }

    /// The pictures of a view to show (their indices, from 0, of `count`), ascending and without repetition.
    ///
    /// # Errors
    /// [`Error::Option`] for one that is not there.
    pub(crate) fn pictures(&self, manifest: &Manifest, count: usize) -> Result<Vec<usize>> {
        if self.slice.is_empty() && self.form == Form::Scroll {
            return Ok((0..count).collect());
        }
        let (shown, what) = match self.view {
            View::Axial => (Place::Number(manifest.parameters.shown_slice.saturating_add(1)), "slice"),
            View::Coronal => (Place::Percent(50.0), "row"),
            View::Sagittal => (Place::Percent(50.0), "column"),
        };
        let asked = if self.slice.is_empty() { std::slice::from_ref(&shown) } else { &self.slice };
        let mut pictures = asked.iter().map(|place| place.index(count, what)).collect::<Result<Vec<_>>>()?;
        pictures.sort_unstable();
        pictures.dedup();
        Ok(pictures)
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
    /// Its index, from 0, among so many slices, or whatever they are.
    fn index(self, count: usize, what: &str) -> Result<usize> {
        let last = count.saturating_sub(1);
        match self {
            Self::Number(number) if (1..=count).contains(&number) => Ok(number - 1),
            Self::Number(number) => {
                let problem = format!("there is no {what} {number}; give 1 to {count}");
                Err(Error::option("--slice", problem))
            }
            Self::Percent(percent) => Ok(((percent / 100.0 * count as f64) as usize).min(last)),
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

impl FromStr for Window {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        let pair = text.split_once(',').and_then(|(center, width)| number(center).zip(number(width)));
        match pair {
            Some((center, width)) if width > 0.0 => Ok(Self { center, width }),
            _ => Err("give center and width, the width above 0, such as 40,400".to_owned()),
        }
    }
}

/// The value of `--depth`.
fn depth(text: &str) -> std::result::Result<u8, String> {
    match text {
        "8" => Ok(8),
        "16" => Ok(16),
        _ => Err("give 8 or 16".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_number_or_a_share_of_the_way_through() {
        let slice = |text: &str, n| text.parse::<Place>().unwrap().index(n, "slice");
        assert_eq!(slice("1", 9).unwrap(), 0);
        assert_eq!(slice("9", 9).unwrap(), 8);
        assert_eq!(slice("50%", 9).unwrap(), 4, "the one that a run shows");
        assert_eq!(slice("100%", 9).unwrap(), 8);
        assert!(slice("0", 9).is_err() && slice("10", 9).is_err());
        for text in ["", "-1", "101%", "NaN%", "first"] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_window_is_a_center_and_a_width() {
        assert_eq!("-600,1500".parse(), Ok(Window { center: -600.0, width: 1500.0 }));
        for text in ["", "40", "40,0", "40,-1", "a,b", "NaN,1", "1,inf", "1,2,3"] {
            assert!(text.parse::<Window>().is_err(), "{text}");
        }
        assert!(depth("16").is_ok() && depth("12").is_err());
    }
}
