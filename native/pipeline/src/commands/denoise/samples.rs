//! The values of a denoised series that the browser in its report shows: samples of the scan and of what was made of it.
//!
//! As in a report of a decomposition they are the values themselves, each `step`-th of each `step`-th row of each `slice_step`-th slice
//! ([`Sampling`]). Tasks take those of their rows; put together they are one block of the encoding, so it does not matter how many bands
//! there were.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use tomobasis_dicom::SeriesPlan;

use crate::{
    error::{Error, Result},
    options::ReportSize,
    output::report::volume::{Sampling, append_plane},
};

/// As sparse as with so many composites: noise, which is most of what was removed, takes a byte and more for each value.
const ROOM: usize = 3;

/// Samples of some rows of all slices.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Samples {
    rows: Range<usize>,
    /// Before and after: slice after slice.
    values: [Vec<i16>; 2],
}

/// Which values are samples.
pub(super) fn sampling(plan: &SeriesPlan) -> Sampling {
    Sampling::of((plan.rows, plan.columns), plan.slices.len(), ROOM, ReportSize::default())
}

/// Stored values of some rows of all slices, slice after slice.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    /// The first row.
    pub first: usize,
    pub values: &'a [i16],
}

impl Samples {
    /// Those of these rows, which both parts hold.
    ///
    /// # Errors
    /// [`Error::Protocol`] for parts that do not hold them.
    pub fn of(plan: &SeriesPlan, rows: Range<usize>, before: Part<'_>, after: Part<'_>) -> Result<Self> {
        let foreign =
            || Error::Protocol(format!("these values are not of rows {} to {}", rows.start, rows.end));
        let sampling = sampling(plan);
        let (columns, slices) = (plan.columns.max(1), plan.slices.len().max(1));
        let wanted: Vec<usize> = rows.clone().filter(|row| row.is_multiple_of(sampling.step)).collect();
        let of_part = |Part { first, values }: Part<'_>| -> Result<Vec<i16>> {
            let of_slice = values.len() / slices;
            let fits = values.len() == of_slice * slices && of_slice.is_multiple_of(columns);
            if !fits || rows.start < first || rows.end > first + of_slice / columns {
                return Err(foreign());
            }
            let row = |slice: usize, row: usize| {
                let from = slice * of_slice + (row - first) * columns;
                values.iter().skip(from).take(columns).step_by(sampling.step)
            };
            let sampled =
                sampling.slices().flat_map(|slice| wanted.iter().flat_map(move |&at| row(slice, at)));
            Ok(sampled.copied().collect())
        };
        Ok(Self { values: [of_part(before)?, of_part(after)?], rows })
    }
}

/// The planes that the browser decodes, of the samples of all rows: before and after.
///
/// # Errors
/// [`Error::Protocol`] when rows are missing or there twice.
pub(super) fn volume(plan: &SeriesPlan, mut parts: Vec<Samples>) -> Result<[Vec<u8>; 2]> {
    let sampling = sampling(plan);
    parts.sort_by_key(|part| part.rows.start);
    let starts = parts.iter().map(|part| part.rows.start).chain([plan.rows]);
    let ends = [0].into_iter().chain(parts.iter().map(|part| part.rows.end));
    if !starts.eq(ends) {
        return Err(Error::Protocol("rows of the report's volume are missing".to_owned()));
    }
    let slices = sampling.slices().count();
    let whole = |plane: usize| -> Vec<i16> {
        let of_slice = |slice: usize| {
            let part = move |part: &'_ Samples| {
                let values = part.values.get(plane).map(Vec::as_slice).unwrap_or_default();
                let count = values.len() / slices.max(1);
                values.get(slice * count..(slice + 1) * count).unwrap_or_default().to_vec()
            };
            parts.iter().flat_map(part)
        };
        (0..slices).flat_map(of_slice).collect()
    };
    let [before, after] = [whole(0), whole(1)];
    if [&before, &after].iter().any(|plane| plane.len() != sampling.samples()) {
        return Err(Error::Protocol("values of the report's volume are missing".to_owned()));
    }
    let (rows, columns) = sampling.size();
    let encode = |values: &[i16], original: Option<&[i16]>| {
        let mut plane = Vec::new();
        append_plane(values, original, rows * columns, &mut plane).map(|()| plane)
    };
    let (first, second) = rayon::join(|| encode(&before, None), || encode(&after, Some(&before)));
    Ok([first?, second?])
}
