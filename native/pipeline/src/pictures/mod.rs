//! The pictures of a result: what a reader looks at first.
//!
//! - `composites.png`: the middle slice, and the same slice rebuilt from the first k basis vectors;
//! - `differences.png`: the slice minus each composite;
//! - `basis.png`: the first basis vectors ("eigen-images");
//! - `spectrum.png`: singular values, and what the first k leave out.
//!
//! A picture is made of *panels*, images of the size of a slice. Each row block reduces its pixels of every panel to bytes
//! (`panel`), whose windows are known beforehand from `s` alone; here the strips are put together, laid out on a `sheet`, and
//! drawn on a `canvas`.

mod canvas;
mod panel;
mod sheet;
mod spectrum;

use crate::{
    NamedFile,
    decomposition::{Decomposition, block_rows},
    error::{Error, Result},
};

pub(crate) use self::panel::{Panel, panels, percent};
use self::{
    panel::PanelKind,
    sheet::{Sheet, draw_sheet},
};

/// Draws all pictures from the strips of all blocks.
pub(crate) fn draw<'a>(
    decomposition: &Decomposition,
    panels: &[Panel],
    strips: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<NamedFile>> {
    let images = assemble(decomposition, panels.len(), strips)?;
    let chosen = |wanted: fn(&PanelKind) -> bool| {
        panels.iter().zip(&images).filter(|(panel, _)| wanted(&panel.kind)).collect::<Vec<_>>()
    };
    let size = (decomposition.plan.columns, decomposition.plan.rows);
    let slice = decomposition.shown_slice();
    let n = decomposition.columns();
    let sheets = [
        Sheet {
            name: "pictures/composites.png",
            title: format!("Slice {} of {n}, rebuilt from the first k basis vectors", slice + 1),
            columns: 2,
            largest: 1024,
            panels: chosen(|kind| matches!(kind, PanelKind::Original | PanelKind::Composite { .. })),
        },
        Sheet {
            name: "pictures/differences.png",
            title: format!("Slice {} of {n}: original minus composite", slice + 1),
            columns: 2,
            largest: 1024,
            panels: chosen(|kind| matches!(kind, PanelKind::Difference { .. })),
        },
        Sheet {
            name: "pictures/basis.png",
            title: "The first basis vectors (eigen-images)".to_owned(),
            columns: 4,
            largest: 256,
            panels: chosen(|kind| matches!(kind, PanelKind::Basis { .. })),
        },
    ];
    let mut files = Vec::with_capacity(sheets.len() + 1);
    for sheet in &sheets {
        files.push(NamedFile { path: sheet.name.to_owned(), bytes: draw_sheet(sheet, size).to_png()? });
    }
    let spectrum = spectrum::draw_spectrum(decomposition).to_png()?;
    files.push(NamedFile { path: "pictures/spectrum.png".to_owned(), bytes: spectrum });
    Ok(files)
}

/// Whole panels from the strips of all blocks: a block's index, then its pixels of each panel.
fn assemble<'a>(
    decomposition: &Decomposition,
    panels: usize,
    strips: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<Vec<u8>>> {
    let foreign = || Error::Protocol("these picture strips are not of this decomposition".to_owned());
    let pixels = decomposition.rows();
    let mut images = vec![vec![0; pixels as usize]; panels];
    let mut seen = vec![false; decomposition.blocks() as usize];
    for strip in strips {
        let (block, bytes) = strip.split_first_chunk::<4>().ok_or_else(foreign)?;
        let block = u32::from_le_bytes(*block);
        let rows = block_rows(block, pixels);
        if rows == 0 || bytes.len() != rows * panels {
            return Err(foreign());
        }
        seen[block as usize] = true;
        let first = block as usize * tomobasis_linalg::BLOCK_ROWS;
        for (image, part) in images.iter_mut().zip(bytes.chunks_exact(rows)) {
            image[first..first + rows].copy_from_slice(part);
        }
    }
    match seen.iter().position(|seen| !seen) {
        Some(block) => Err(Error::Protocol(format!("the picture strips of block {block} are missing"))),
        None => Ok(images),
    }
}
