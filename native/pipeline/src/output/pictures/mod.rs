//! The pictures of a result: what a reader looks at first.
//!
//! - `composites.png`: the middle slice, and the same slice rebuilt from the first k basis vectors;
//! - `differences.png`: the slice minus each composite;
//! - `basis.png`: the first basis vectors ("eigen-images");
//! - `spectrum.png`: singular values, and what the first k leave out.
//!
//! A picture is made of *panels*, images of the size of a slice. Each row block reduces its pixels of every panel to bytes
//! (`panel`), whose windows are known beforehand from `s` alone; here the bands are put together, laid out on a `sheet`, and
//! drawn on a `canvas`. Logarithms are libm's, not those of the machine's C library, whose last bit may be another.

mod canvas;
mod denoised;
mod gray;
mod pair;
mod panel;
mod plot;
mod sheet;

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    input::layout::{block_count, block_rows, first_row},
    output::NamedFile,
    solve::{decomposition::Decomposition, spectrum::Spectrum},
};

pub(crate) use self::canvas::Palette;
pub(crate) use self::denoised::{DenoisedSlice, draw_denoised, draw_noise};
pub(crate) use self::gray::{GrayFormat, GrayWriter, LARGEST};
pub(crate) use self::pair::{SlicePair, draw_pair};
pub(crate) use self::panel::{
    BASIS_SHOWN, Panel, SMALLEST_REACH, basis_panels, figure_panels, percent, slice_panels,
};
use self::{
    panel::PanelKind,
    sheet::{Sheet, draw_sheet},
};

/// Folder of the pictures in a result.
pub(crate) const FOLDER: &str = "pictures";
/// Names of the pictures: of a slice first, then of what all slices share.
pub(crate) const COMPOSITES: &str = "composites.png";
pub(crate) const DIFFERENCES: &str = "differences.png";
pub(crate) const BASIS: &str = "basis.png";
pub(crate) const SPECTRUM: &str = "spectrum.png";
/// Of a slice alone: itself and three composites.
pub(crate) const FIGURE: &str = "figure.png";
/// Those of a denoised series: a slice, and the spectrum of the noise.
pub(crate) const DENOISED: &str = "denoised.png";
pub(crate) const NOISE: &str = "noise.png";

/// What black and white are in the pictures of slices.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Display {
    /// The value that is black.
    pub low: f64,
    /// The value that is white.
    pub high: f64,
    /// Whether black and white are exchanged (MONOCHROME1).
    pub inverted: bool,
}

/// What the pictures of one slice show: of a decomposition that was just made, or of a result folder.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    /// Width and height of a slice.
    pub size: (usize, usize),
    /// Unit of the values; empty when the source names none.
    pub unit: &'a str,
    pub display: Display,
    pub spectrum: Spectrum<'a>,
    /// Numbers of basis vectors of the composites, ascending.
    pub composites: &'a [usize],
    /// The slice, from 0.
    pub slice: usize,
    /// Its weights, k.
    pub weights: &'a [f64],
}

impl<'a> Subject<'a> {
    /// The slice that a run shows.
    pub(crate) fn of(decomposition: &'a Decomposition) -> Self {
        let slice = decomposition.shown_slice();
        Self {
            size: (decomposition.plan.columns, decomposition.plan.rows),
            unit: &decomposition.plan.rescale_unit,
            display: Display::of(decomposition),
            spectrum: decomposition.spectrum(),
            composites: &decomposition.composites,
            slice,
            weights: decomposition.weights_of(slice),
        }
    }
}

/// Draws the sheets that `panels` give, from their bytes.
pub(crate) fn draw(subject: &Subject<'_>, panels: &[Panel], images: &[Vec<u8>]) -> Result<Vec<NamedFile>> {
    let chosen = |wanted: fn(&PanelKind) -> bool| {
        panels.iter().zip(images).filter(|(panel, _)| wanted(&panel.kind)).collect::<Vec<_>>()
    };
    let (slice, n) = (subject.slice, subject.spectrum.columns);
    let sheets = [
        Sheet {
            name: COMPOSITES,
            title: format!("Slice {} of {n}, rebuilt from the first k basis vectors", slice + 1),
            columns: 2,
            largest: 1024,
            panels: chosen(|kind| matches!(kind, PanelKind::Original | PanelKind::Composite { .. })),
        },
        Sheet {
            name: DIFFERENCES,
            title: format!("Slice {} of {n}: original minus composite", slice + 1),
            columns: 2,
            largest: 1024,
            panels: chosen(|kind| matches!(kind, PanelKind::Difference { .. })),
        },
        Sheet {
            name: BASIS,
            title: "The first basis vectors (eigen-images)".to_owned(),
            columns: 4,
            largest: 256,
            panels: chosen(|kind| matches!(kind, PanelKind::Basis { .. })),
        },
    ];
    let drawn = sheets.iter().filter(|sheet| !sheet.panels.is_empty()).map(|sheet| {
        Ok(NamedFile { path: sheet.name.to_owned(), bytes: draw_sheet(sheet, subject.size).to_png()? })
    });
    drawn.collect()
}

/// Draws the figure that [`figure_panels`] gives.
pub(crate) fn draw_figure(subject: &Subject<'_>, panels: &[Panel], images: &[Vec<u8>]) -> Result<NamedFile> {
    let sheet = Sheet {
        name: FIGURE,
        title: format!("Slice {} of {}", subject.slice + 1, subject.spectrum.columns),
        columns: 2,
        largest: 1024,
        panels: panels.iter().zip(images).collect(),
    };
    Ok(NamedFile { path: FIGURE.to_owned(), bytes: draw_sheet(&sheet, subject.size).to_png()? })
}

/// Draws the spectrum.
pub(crate) fn draw_spectrum(subject: &Subject<'_>) -> Result<NamedFile> {
    let bytes = plot::draw_spectrum(subject).to_png()?;
    Ok(NamedFile { path: SPECTRUM.to_owned(), bytes })
}

/// What a band consists of: the index of its block, the block's pixels of each panel, and what follows.
///
/// # Errors
/// [`Error::Protocol`] when it is not of a scan with so many pixels and panels.
pub(crate) fn split(band: &[u8], pixels: u64, panels: usize) -> Result<(u32, &[u8], &[u8])> {
    let parts = || {
        let (block, bytes) = band.split_first_chunk::<4>()?;
        let block = u32::from_le_bytes(*block);
        let (of_panels, rest) = bytes.split_at_checked(block_rows(block, pixels) * panels)?;
        Some((block, of_panels, rest))
    };
    parts().ok_or_else(foreign)
}

fn foreign() -> Error {
    Error::Protocol("these picture bands are not of this decomposition".to_owned())
}

/// Whole panels of `pixels` pixels from those of all blocks: a block's index, and its pixels of each panel.
pub(crate) fn assemble<'a>(
    pixels: u64,
    panels: usize,
    bands: impl IntoIterator<Item = (u32, &'a [u8])>,
) -> Result<Vec<Vec<u8>>> {
    let mut images = vec![vec![0; pixels as usize]; panels];
    let mut seen = vec![false; block_count(pixels) as usize];
    for (block, bytes) in bands {
        let rows = block_rows(block, pixels);
        if rows == 0 || bytes.len() != rows * panels {
            return Err(foreign());
        }
        seen[block as usize] = true;
        let first = first_row(block) as usize;
        for (image, part) in images.iter_mut().zip(bytes.chunks_exact(rows)) {
            image[first..first + rows].copy_from_slice(part);
        }
    }
    match seen.iter().position(|seen| !seen) {
        Some(block) => Err(Error::Protocol(format!("the picture bands of block {block} are missing"))),
        None => Ok(images),
    }
}
