//! Plain pictures: the scan and its composites in gray, in any view, one by one or as an animation that scrolls through them.

use std::{
    fs::File,
    io::BufWriter,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use super::{
    cut::{Cut, View},
    files,
    tables::Tables,
};
use crate::{
    commands::{runner::Runner, stages::StageName},
    error::Result,
    input::layout::{block_count, block_rows, first_row},
    output::pictures::{Display, GrayFormat, GrayWriter},
};

/// What is added to values that are shown as they are, so that none is negative.
const OFFSET: f64 = 32768.0;
/// Rows of a block whose composites of all slices exist as floats at a time.
const ROWS: usize = 256;

/// How values become levels of gray.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Levels {
    /// A window, in so many levels.
    Window { display: Display, levels: u16 },
    /// 16 bits: the value, rounded, plus 32768.
    Values,
}

/// Plain pictures of a result.
pub(super) struct Plain<'a> {
    pub tables: &'a Tables<'a>,
    pub cut: Cut,
    pub levels: Levels,
    pub composites: &'a [usize],
    /// Pictures in a second of an animation; none where each is a file.
    pub per_second: Option<u16>,
    /// Bytes of pictures in memory at a time; the others are drawn after, in further passes over the tables.
    pub budget: usize,
}

/// A row block's levels: for the scan, if it is given, and each composite, of each row and slice.
struct Band {
    /// Pixels of the rows, ascending.
    pixels: Vec<usize>,
    kinds: Vec<Vec<u16>>,
}

impl Levels {
    fn deep(self) -> bool {
        match self {
            Self::Window { levels, .. } => levels > 255,
            Self::Values => true,
        }
    }

    /// The level of a value, and whether it is outside what 16 bits hold; outside of a window is as it is meant.
    fn level(self, value: f64) -> (u16, bool) {
        match self {
            Self::Values => {
                let level = value.round_ties_even() + OFFSET;
                // The cast saturates.
                (level as u16, !(0.0..=65535.0).contains(&level))
            }
            Self::Window { display: Display { low, high, inverted }, levels } => {
                let top = f64::from(levels);
                let level = ((value - low) / (high - low) * top).round().clamp(0.0, top) as u16;
                (if inverted { levels - level } else { level }, false)
            }
        }
    }

    /// What a level means, as in the file's comment.
    fn meaning(self, unit: &str) -> String {
        let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
        match self {
            Self::Values => format!("value = level - 32768{unit}"),
            Self::Window { display: Display { low, high, inverted }, levels } => {
                let (first, last) = if inverted { (high, low) } else { (low, high) };
                format!("0 is {first}{unit}, {levels} is {last}{unit}")
            }
        }
    }
}

/// Names of the files: of these pictures, or of animations.
pub(super) fn names(
    view: View,
    pictures: Option<&[usize]>,
    with_scan: bool,
    composites: &[usize],
) -> Vec<String> {
    let kinds = kinds(with_scan, composites);
    match pictures {
        None => kinds.iter().map(|kind| name(view, kind, None)).collect(),
        Some(pictures) => pictures
            .iter()
            .flat_map(|&picture| kinds.iter().map(move |kind| name(view, kind, Some(picture))))
            .collect(),
    }
}

/// What is drawn of each picture: the scan, where it is given, and the composites.
fn kinds(with_scan: bool, composites: &[usize]) -> Vec<String> {
    let original = with_scan.then(|| "original".to_owned());
    original.into_iter().chain(composites.iter().map(|k| format!("k={k}"))).collect()
}

/// Pictures count from 1.
fn name(view: View, kind: &str, picture: Option<usize>) -> String {
    let view = view.name();
    match picture {
        Some(picture) => format!("{view}-{:05}-{kind}.png", picture + 1),
        None => format!("scroll-{view}-{kind}.png"),
    }
}

impl Plain<'_> {
    /// Draws these pictures of the view into the folder; returns how many values are outside what 16 bits hold.
    pub(super) fn draw_all(
        &self,
        runner: &Runner<'_>,
        (stage, named): (usize, StageName),
        pictures: &[usize],
        output: &Path,
    ) -> Result<u64> {
        let kinds = kinds(self.tables.scan.is_some(), self.composites);
        // Levels as they come from the blocks, and put together.
        let bytes = 4 * self.cut.area() * kinds.len().max(1);
        let groups: Vec<&[usize]> = pictures.chunks((self.budget / bytes.max(1)).max(1)).collect();
        let blocks = block_count(self.tables.manifest().result.rows);
        runner.show_stage(stage, named, groups.len() * blocks as usize);
        let clipped = AtomicU64::new(0);
        let mut animations: Vec<GrayWriter<BufWriter<File>>> = Vec::new();
        for group in groups {
            let mut places = vec![None; self.cut.count()];
            group.iter().enumerate().for_each(|(place, &picture)| places[picture] = Some(place));
            let slices: Vec<usize> = match self.cut.by_slices() {
                true => group.to_vec(),
                false => (0..self.tables.manifest().result.columns).collect(),
            };
            let bands = runner.for_blocks(blocks, Vec::new, |bands: &mut Vec<Band>, values, block| {
                bands.extend(self.band(block, values, &slices, &places, &clipped)?);
                Ok(())
            })?;
            for (kind, what) in kinds.iter().enumerate() {
                let images = self.assemble(bands.iter().flatten(), kind, &slices, &places, group.len());
                if let Some(per_second) = self.per_second {
                    if animations.len() <= kind {
                        let to = files::create(output, &name(self.cut.view, what, None))?;
                        animations.push(self.begin(to, Some((pictures.len(), per_second)))?);
                    }
                    for image in &images {
                        if let Some(writer) = animations.get_mut(kind) {
                            writer.frame(&self.cut.squared(image))?;
                        }
                    }
                } else {
                    for (image, &picture) in images.iter().zip(group) {
                        let to = files::create(output, &name(self.cut.view, what, Some(picture)))?;
                        let mut writer = self.begin(to, None)?;
                        writer.frame(&self.cut.squared(image))?;
                        writer.finish()?;
                    }
                }
            }
        }
        animations.into_iter().try_for_each(GrayWriter::finish)?;
        Ok(clipped.into_inner())
    }

    fn begin(
        &self,
        to: BufWriter<File>,
        animated: Option<(usize, u16)>,
    ) -> Result<GrayWriter<BufWriter<File>>> {
        let (width, height) = self.cut.size;
        let format = GrayFormat { width, height, deep: self.levels.deep(), pixel_mm: self.cut.pixel_mm };
        GrayWriter::new(to, format, &self.levels.meaning(&self.tables.manifest().series.unit), animated)
    }

    /// A block's levels of the slices, for the pixels that some picture shows; none where there is no such pixel.
    fn band(
        &self,
        block: u32,
        values: &mut Vec<i16>,
        slices: &[usize],
        places: &[Option<usize>],
        clipped: &AtomicU64,
    ) -> Result<Option<Band>> {
        let first = first_row(block) as usize;
        let shown =
            |row: usize| self.cut.by_slices() || places[self.cut.picture_of(first + row, 0)].is_some();
        let rows = self.tables.rows(block, values, shown)?;
        if rows.count == 0 {
            return Ok(None);
        }
        let limit = block_rows(block, self.tables.manifest().result.rows);
        let pixels: Vec<usize> = (0..limit).filter(|&row| shown(row)).map(|row| first + row).collect();
        let mut outside = 0;
        let mut levels = |values: &[f64]| -> Vec<u16> {
            let level = |value: &f64| {
                let (level, out) = self.levels.level(*value);
                outside += u64::from(out);
                level
            };
            values.iter().map(level).collect()
        };
        let mut kinds = Vec::new();
        if self.tables.scan.is_some() {
            kinds.push(levels(&self.tables.originals(&rows, slices)?));
        }
        let mut buffer = Vec::new();
        for &rank in self.composites {
            let mut kind = vec![0; rows.count * slices.len()];
            for at in (0..rows.count).step_by(ROWS) {
                let part = rows.part(at..rows.count.min(at + ROWS), self.tables.s.len());
                self.tables.composites(&part, &[rank], slices, &mut buffer)?;
                for (slice, values) in buffer.chunks_exact(part.count).enumerate() {
                    let to = slice * rows.count + at;
                    kind[to..to + part.count].copy_from_slice(&levels(values));
                }
            }
            kinds.push(kind);
        }
        clipped.fetch_add(outside, Ordering::Relaxed);
        Ok(Some(Band { pixels, kinds }))
    }

    /// The voxels of each picture, from the bands.
    fn assemble<'b>(
        &self,
        bands: impl Iterator<Item = &'b Band>,
        kind: usize,
        slices: &[usize],
        places: &[Option<usize>],
        count: usize,
    ) -> Vec<Vec<u16>> {
        let mut images = vec![vec![0; self.cut.area()]; count];
        for band in bands {
            let levels = band.kinds[kind].chunks_exact(band.pixels.len());
            for (&slice, levels) in slices.iter().zip(levels) {
                for (&pixel, &level) in band.pixels.iter().zip(levels) {
                    if let Some(place) = places[self.cut.picture_of(pixel, slice)] {
                        images[place][self.cut.place_of(pixel, slice)] = level;
                    }
                }
            }
        }
        images
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_kept_or_windowed() {
        assert_eq!(Levels::Values.level(-1024.4), (31744, false));
        assert_eq!(Levels::Values.level(0.5), (32768, false));
        assert_eq!(Levels::Values.level(40_000.0), (65535, true));
        assert_eq!(Levels::Values.level(-40_000.0), (0, true));
        let display = Display { low: -100.0, high: 155.0, inverted: false };
        let window = Levels::Window { display, levels: 255 };
        assert_eq!([-3000.0, 0.4, 9000.0].map(|value| window.level(value).0), [0, 100, 255]);
        let display = Display { inverted: true, ..display };
        let deep = Levels::Window { display, levels: 65535 };
        assert_eq!([-3000.0, -100.0, 155.0].map(|value| deep.level(value).0), [65535, 65535, 0]);
        assert_eq!(deep.meaning("HU"), "0 is 155 HU, 65535 is -100 HU");
    }
}
