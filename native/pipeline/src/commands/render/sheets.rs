//! Sheets: slices, composites and differences with captions, as a run draws them; and the figure, of four panels.

use super::{arguments::Form, tables::Tables};
use crate::{
    commands::{runner::Runner, stages::StageName},
    error::Result,
    input::layout::block_count,
    output::{
        NamedFile,
        pictures::{self, Display, Panel, Subject, basis_panels, figure_panels, slice_panels},
    },
    result::ResultSection,
    solve::spectrum::Spectrum,
};

/// What is drawn on sheets.
pub(super) struct Sheets<'a> {
    pub tables: &'a Tables<'a>,
    pub form: Form,
    pub display: Display,
    pub composites: &'a [usize],
    /// Bytes of panels in memory at a time; slices beyond are drawn after, in further passes over the tables.
    pub budget: usize,
}

pub(super) fn spectrum_of<'a>(result: &ResultSection, s: &'a [f64]) -> Spectrum<'a> {
    Spectrum {
        s,
        energy: result.energy,
        numerical_rank: result.numerical_rank,
        rows: result.rows,
        columns: result.columns,
    }
}

impl Sheets<'_> {
    /// Draws all slices, and what belongs to no slice, and hands the files to `write` as they are made.
    pub(super) fn draw_all(
        &self,
        runner: &Runner<'_>,
        (stage, named): (usize, StageName),
        slices: &[usize],
        write: impl Fn(&NamedFile, Option<usize>) -> Result<()>,
    ) -> Result<()> {
        let pixels = self.tables.manifest().result.rows;
        let basis = match self.form {
            Form::Figure => Vec::new(),
            _ => basis_panels(&self.spectrum()),
        };
        let largest = self.panels(0).len();
        let at_once = (self.budget / (pixels as usize).max(1)).saturating_sub(basis.len()) / largest.max(1);
        let groups: Vec<&[usize]> = slices.chunks(at_once.max(1)).collect();
        let blocks = block_count(pixels);
        runner.show_stage(stage, named, groups.len() * blocks as usize);
        for (number, group) in groups.into_iter().enumerate() {
            let panels: Vec<Vec<Panel>> = group.iter().map(|&slice| self.panels(slice)).collect();
            // Once is enough for what all slices share.
            let basis: &[Panel] = if number == 0 { &basis } else { &[] };
            let bands = runner.for_blocks(blocks, Vec::new, |bands: &mut Vec<Vec<u8>>, values, block| {
                bands.push(self.band(block, values, group, &panels, basis)?);
                Ok(())
            })?;
            let count = panels.iter().map(Vec::len).sum::<usize>() + basis.len();
            let split = |band| pictures::split(band, pixels, count).map(|(block, panels, _)| (block, panels));
            let bands = bands.iter().flatten().map(|band| split(band)).collect::<Result<Vec<_>>>()?;
            let images = pictures::assemble(pixels, count, bands)?;
            let mut images = images.as_slice();
            for (&slice, panels) in group.iter().zip(&panels) {
                let (own, others) = images.split_at(panels.len());
                let subject = self.subject(slice);
                let made = match self.form {
                    Form::Figure => vec![pictures::draw_figure(&subject, panels, own)?],
                    _ => pictures::draw(&subject, panels, own)?,
                };
                for made in made {
                    write(&made, Some(slice))?;
                }
                images = others;
            }
            for made in pictures::draw(&self.subject(0), basis, images)? {
                write(&made, None)?;
            }
        }
        if self.form != Form::Figure {
            write(&pictures::draw_spectrum(&self.subject(0))?, None)?;
        }
        Ok(())
    }

    fn panels(&self, slice: usize) -> Vec<Panel> {
        match self.form {
            Form::Figure => figure_panels(&self.subject(slice)),
            _ => slice_panels(&self.subject(slice), self.tables.scan.is_some()),
        }
    }

    /// A block's pixels of every panel: the slices' after each other, then those of the basis vectors.
    fn band(
        &self,
        block: u32,
        values: &mut Vec<i16>,
        slices: &[usize],
        panels: &[Vec<Panel>],
        basis: &[Panel],
    ) -> Result<Vec<u8>> {
        let k = self.tables.s.len();
        let rows = self.tables.rows(block, values, |_| true)?;
        let count = rows.count;
        // Slice after slice.
        let originals = self.tables.originals(&rows, slices)?;
        let mut shown = Vec::new();
        let mut band = block.to_le_bytes().to_vec();
        for (i, (&slice, panels)) in slices.iter().zip(panels).enumerate() {
            self.tables.composites(&rows, self.composites, &[slice], &mut shown)?;
            let original = originals.get(i * count..(i + 1) * count).unwrap_or_default();
            for panel in panels {
                panel.append_pixels(count, original, &shown, rows.u.chunks_exact(k), &mut band);
            }
        }
        for panel in basis {
            panel.append_pixels(count, &[], &[], rows.u.chunks_exact(k), &mut band);
        }
        Ok(band)
    }

    fn spectrum(&self) -> Spectrum<'_> {
        spectrum_of(&self.tables.manifest().result, self.tables.s)
    }

    fn subject(&self, slice: usize) -> Subject<'_> {
        let series = &self.tables.manifest().series;
        Subject {
            size: (series.columns, series.rows),
            unit: &series.unit,
            display: self.display,
            spectrum: self.spectrum(),
            composites: self.composites,
            slice,
            weights: self.tables.v.chunks_exact(self.tables.s.len()).nth(slice).unwrap_or_default(),
        }
    }
}
