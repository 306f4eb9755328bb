//! What a listing shows of a series: free of patient data, so no UIDs, descriptions or dates.

use std::fmt;

use serde::Serialize;

use super::group::{Group, SliceRole};
use super::notes;
use super::{Inventory, geometry};
use crate::header::SliceHeader;
use crate::known;
use crate::phrases::{counted, decimals};
use crate::syntax;

/// One volume of an input, as `tomobasis inspect` shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SeriesSummary {
    /// Place in the listing, from 1.
    pub number: usize,
    /// Salted id: names this series for `--series`.
    pub id: String,
    /// Series Number of the header.
    pub series_number: Option<i64>,
    /// Modality.
    pub modality: String,
    /// Original, derived or localizer.
    pub role: SliceRole,
    /// What tells it from other volumes of its series: `echo 2`, `80 kV`.
    pub part: Vec<String>,
    /// Plane of the slices: axial, coronal, sagittal, oblique.
    pub plane: &'static str,
    /// Number of usable slices.
    pub slices: usize,
    /// Pixel rows.
    pub rows: usize,
    /// Pixel columns.
    pub columns: usize,
    /// Distance between rows, then between columns, mm; `None` when the headers do not say it.
    pub pixel_spacing_mm: Option<[f64; 2]>,
    /// Median distance between slices, mm.
    pub slice_spacing_mm: Option<f64>,
    /// Gantry tilt, degrees.
    pub tilt_degrees: f64,
    /// Convolution kernels in the series; `other` where one has no known name or form, since it may be what a person typed.
    pub kernels: Vec<String>,
    /// Lowest and highest tube voltage, kV.
    pub kvp: Option<(f64, f64)>,
    /// Lowest and highest tube current, mA.
    pub tube_current_ma: Option<(f64, f64)>,
    /// Lowest and highest exposure, mAs.
    pub exposure_mas: Option<(f64, f64)>,
    /// Lowest and highest CTDIvol, mGy.
    pub ctdi_vol_mgy: Option<(f64, f64)>,
    /// Names of the transfer syntaxes in the series.
    pub transfer_syntaxes: Vec<String>,
    /// Why it cannot be decomposed, and what is odd about it.
    pub problems: Vec<String>,
}

impl fmt::Display for SeriesSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}  {} {}, {} of {} x {}",
            self.id,
            self.modality,
            self.plane,
            counted(self.slices, "slice"),
            self.rows,
            self.columns
        )?;
        if let Some([row_mm, column_mm]) = self.pixel_spacing_mm {
            write!(f, ", pixels {} x {} mm", decimals(row_mm), decimals(column_mm))?;
        }
        if let Some(spacing) = self.slice_spacing_mm {
            write!(f, ", {} mm apart", decimals(spacing))?;
        }
        if let Some(number) = self.series_number {
            write!(f, ", series number {number}")?;
        }
        for label in &self.part {
            write!(f, ", {label}")?;
        }
        match self.role {
            SliceRole::Original => Ok(()),
            SliceRole::Derived => f.write_str(", derived"),
            SliceRole::Localizer => f.write_str(", localizer"),
        }
    }
}

pub(super) fn summarize<'a>(
    inventory: &Inventory,
    all: &notes::Listed<'a>,
    group: &Group<'a>,
    number: usize,
) -> SeriesSummary {
    let headers: Vec<&SliceHeader> = group.slices.iter().map(|member| member.header).collect();
    let first = group.first;
    let range = |value: fn(&SliceHeader) -> Option<f64>| {
        headers.iter().filter_map(|header| value(header)).filter(|&x| known::is_shown(x)).fold(
            None,
            |range: Option<(f64, f64)>, x| {
                Some(range.map_or((x, x), |(low, high)| (low.min(x), high.max(x))))
            },
        )
    };
    let distinct = |values: Vec<String>| {
        let mut values = values;
        values.sort();
        values.dedup();
        values
    };
    SeriesSummary {
        number,
        id: group.id.clone(),
        series_number: first.series_number.filter(|&number| known::is_shown(number as f64)),
        modality: known::modality(&first.modality).to_owned(),
        role: group.role,
        part: group.labels(),
        plane: geometry::plane_name(&first.orientation),
        slices: headers.len(),
        rows: first.rows,
        columns: first.columns,
        pixel_spacing_mm: first.pixel_spacing_mm,
        slice_spacing_mm: geometry::spacing(&group.positions_mm()),
        tilt_degrees: group.path().tilt_degrees,
        kernels: distinct(headers.iter().filter_map(|header| header.kernel.as_deref()).map(kernel).collect()),
        kvp: range(|header| header.kvp),
        tube_current_ma: range(|header| header.tube_current_ma),
        exposure_mas: range(|header| header.exposure_mas),
        ctdi_vol_mgy: range(|header| header.ctdi_vol_mgy),
        transfer_syntaxes: distinct(
            headers.iter().map(|header| syntax::describe(&header.transfer_syntax)).collect(),
        ),
        problems: notes::problems(inventory, all, group),
    }
}

fn kernel(value: &str) -> String {
    if known::is_kernel(value) { value } else { "other" }.to_owned()
}
