//! A sheet: panels in a grid, each with a caption and a key to its colors above.

use embedded_graphics::text::Alignment;

use super::{
    canvas::{BOLD, Canvas, FAINT, INK, PLAIN, TITLE},
    panel::Panel,
};

/// Smallest side of a panel: smaller slices are enlarged by a whole factor.
const SMALLEST: usize = 256;
/// Width of a cell from which on its caption has room for a key to the colors, and the size of that key.
const WIDE: usize = 480;
const KEY: (usize, usize) = (96, 12);
const GAP: usize = 16;
const TITLE_HEIGHT: usize = 48;
const CAPTION_HEIGHT: usize = 44;

/// A picture of several panels.
pub(super) struct Sheet<'a> {
    /// Name of its file.
    pub name: &'static str,
    pub title: String,
    /// Panels beside each other.
    pub columns: usize,
    /// Largest side of a panel: larger slices are reduced by a whole factor.
    pub largest: usize,
    /// Each panel with its bytes.
    pub panels: Vec<(&'a Panel, &'a Vec<u8>)>,
}

/// How the pixels of a slice become those of a panel.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Scale {
    Enlarge(usize),
    Reduce(usize),
}

impl Scale {
    fn of((width, height): (usize, usize), largest: usize) -> Self {
        let side = width.max(height).max(1);
        if side < SMALLEST {
            Self::Enlarge(SMALLEST.div_ceil(side))
        } else {
            Self::Reduce(side.div_ceil(largest))
        }
    }

    fn apply(self, side: usize) -> usize {
        match self {
            Self::Enlarge(factor) => side * factor,
            Self::Reduce(factor) => side.div_ceil(factor),
        }
    }

    /// The byte that a panel shows at `x`, `y`: the slice's own pixel, or the mean of those that fall there.
    fn sample(self, image: &[u8], (width, height): (usize, usize), x: usize, y: usize) -> u8 {
        match self {
            Self::Enlarge(factor) => image[y / factor * width + x / factor],
            Self::Reduce(1) => image[y * width + x],
            Self::Reduce(factor) => {
                let columns = x * factor..((x + 1) * factor).min(width);
                let rows = y * factor..((y + 1) * factor).min(height);
                let count = columns.len() * rows.len();
                let sum: usize = rows
                    .flat_map(|row| columns.clone().map(move |c| usize::from(image[row * width + c])))
                    .sum();
                ((sum + count / 2) / count) as u8
            }
        }
    }
}

/// Draws a sheet of panels of `size` (width, height) pixels each.
pub(super) fn draw_sheet(sheet: &Sheet<'_>, size: (usize, usize)) -> Canvas {
    let scale = Scale::of(size, sheet.largest);
    let (width, height) = (scale.apply(size.0), scale.apply(size.1));
    let columns = sheet.columns.min(sheet.panels.len()).max(1);
    let lines = sheet.panels.len().div_ceil(columns);
    // Captions need 27 characters, so a narrow slice still gets a wide cell.
    let cell = width.max(SMALLEST);
    let title_width = sheet.title.chars().count() * TITLE.character_size.width as usize;
    let sheet_width = (GAP + columns * (cell + GAP)).max(title_width + 2 * GAP);
    let mut canvas = Canvas::new(sheet_width, TITLE_HEIGHT + lines * (CAPTION_HEIGHT + height + GAP));
    canvas.text(&sheet.title, (GAP, GAP), TITLE, INK, Alignment::Left);
    for (i, (panel, image)) in sheet.panels.iter().enumerate() {
        let left = GAP + i % columns * (cell + GAP);
        let top = TITLE_HEIGHT + i / columns * (CAPTION_HEIGHT + height + GAP);
        for (line, text) in panel.caption.iter().enumerate() {
            let (font, color) = if line == 0 { (BOLD, INK) } else { (PLAIN, FAINT) };
            canvas.text(text, (left, top + 20 * line), font, color, Alignment::Left);
        }
        if cell >= WIDE {
            draw_key(&mut canvas, panel, left + cell, top + 20);
        }
        for y in 0..height {
            for x in 0..width {
                let byte = scale.sample(image, size, x, y);
                canvas.set(left + x, top + CAPTION_HEIGHT + y, panel.palette.color(byte));
            }
        }
    }
    canvas
}

/// The colors of a panel from its lowest to its highest value, ending at `right`.
fn draw_key(canvas: &mut Canvas, panel: &Panel, right: usize, top: usize) {
    let decimals = match panel.high - panel.low {
        span if span < 0.1 => 4,
        span if span < 100.0 => 1,
        _ => 0,
    };
    let label = |value: f64| format!("{value:.decimals$}");
    let (low, high) = (label(panel.low), label(panel.high));
    let width_of = |text: &str| text.len() * PLAIN.character_size.width as usize;
    let bar = right - width_of(&high) - 6 - KEY.0;
    canvas.text(&high, (right, top), PLAIN, FAINT, Alignment::Right);
    canvas.text(&low, (bar - 6, top), PLAIN, FAINT, Alignment::Right);
    for x in 0..KEY.0 {
        let color = panel.palette.color((x * 255 / (KEY.0 - 1)) as u8);
        (0..KEY.1).for_each(|y| canvas.set(bar + x, top + 1 + y, color));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_slices_are_enlarged_and_large_ones_averaged() {
        assert_eq!(Scale::of((40, 36), 1024), Scale::Enlarge(7));
        assert_eq!(Scale::of((512, 512), 1024), Scale::Reduce(1));
        assert_eq!(Scale::of((2048, 1500), 1024), Scale::Reduce(2));
        assert_eq!(Scale::of((512, 512), 256), Scale::Reduce(2));
        assert_eq!(Scale::Enlarge(2).sample(&[1, 2, 3, 4], (2, 2), 3, 0), 2);
        assert_eq!(Scale::Reduce(2).sample(&[1, 2, 9, 3, 4, 9, 7, 7, 5], (3, 3), 0, 0), 3);
        assert_eq!(Scale::Reduce(2).sample(&[1, 2, 9, 3, 4, 9, 7, 7, 5], (3, 3), 1, 1), 5);
    }
}
