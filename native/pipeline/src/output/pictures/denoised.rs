//! The pictures of a denoised series.
//!
//! - `denoised.png`: a slice as it was scanned and denoised, in one window, and what was removed;
//! - `noise.png`: the noise power spectrum before and after.

use embedded_graphics::{
    pixelcolor::Rgb888,
    prelude::*,
    primitives::{Line, PrimitiveStyle},
    text::Alignment,
};

use super::{
    DENOISED, Display, FOLDER, NOISE,
    canvas::{BOLD, Canvas, FAINT, INK, PLAIN, TITLE},
    pair::{SlicePair, draw_pair},
    panel::SMALLEST_REACH,
};
use crate::{error::Result, output::NamedFile};

/// What is removed is shown up to so many standard deviations of the noise.
const DEVIATIONS: f64 = 4.0;

const SMOOTH: usize = 3;
const SIZE: (usize, usize) = (640, 420);
/// Left, top, width and height of the plot.
const FRAME: (usize, usize, usize, usize) = (96, 96, 500, 260);
/// Blue and vermilion of Okabe and Ito's palette for color-blind readers (2008).
const BEFORE: Rgb888 = Rgb888::new(0x00, 0x72, 0xb2);
const AFTER: Rgb888 = Rgb888::new(0xd5, 0x5e, 0x00);
const GRID: Rgb888 = Rgb888::new(0xdd, 0xdd, 0xdd);

/// A slice before and after.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DenoisedSlice<'a> {
    /// Width and height.
    pub size: (usize, usize),
    pub display: Display,
    /// The slice, from 0, and how many there are.
    pub slice: (usize, usize),
    /// Standard deviation of the noise in HU.
    pub sigma: f64,
    /// HU, row by row.
    pub before: &'a [f64],
    pub after: &'a [f64],
}

/// Draws the slice, the denoised one and what was removed.
pub(crate) fn draw_denoised(shown: &DenoisedSlice<'_>) -> Result<NamedFile> {
    let (slice, n) = shown.slice;
    let pair = SlicePair {
        size: shown.size,
        display: shown.display,
        unit: "HU",
        title: format!("Slice {} of {n}: original, denoised, removed", slice + 1),
        names: ["Original", "Denoised", "Removed"],
        reach: (DEVIATIONS * shown.sigma).max(SMALLEST_REACH),
        a: shown.before,
        b: shown.after,
    };
    Ok(NamedFile { path: format!("{FOLDER}/{DENOISED}"), bytes: draw_pair(&pair)? })
}

/// Draws the noise power at equal steps from 0 to half a cycle per voxel, before and after.
pub(crate) fn draw_noise(before: &[f64], after: &[f64]) -> Result<NamedFile> {
    let (left, top, width, height) = FRAME;
    let highest = before.iter().chain(after).copied().fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    let place = |index: usize, count: usize, value: f64| {
        let x = left as f64 + width as f64 * index as f64 / (count.max(2) - 1) as f64;
        (x, (top + height) as f64 - height as f64 * (value / highest))
    };
    let large = |(x, y): (f64, f64)| Point::new((x * SMOOTH as f64) as i32, (y * SMOOTH as f64) as i32);
    let mut canvas = Canvas::new(SIZE.0 * SMOOTH, SIZE.1 * SMOOTH);
    let thin = SMOOTH as u32;
    for step in 0..=4 {
        let ends = [0, 1].map(|end| large(place(end, 2, highest * f64::from(step) / 4.0)));
        canvas.draw(&Line::new(ends[0], ends[1]).into_styled(PrimitiveStyle::with_stroke(GRID, thin)));
    }
    for (values, color) in [(before, BEFORE), (after, AFTER)] {
        let points: Vec<Point> =
            values.iter().enumerate().map(|(k, &value)| large(place(k, values.len(), value))).collect();
        for ends in points.windows(2) {
            canvas
                .draw(&Line::new(ends[0], ends[1]).into_styled(PrimitiveStyle::with_stroke(color, 2 * thin)));
        }
    }
    let mut canvas = canvas.reduced(SMOOTH);
    canvas.text("Noise power spectrum, HU\u{b2} x voxel area", (16, 16), TITLE, INK, Alignment::Left);
    canvas.text("before", (left, top - 36), BOLD, BEFORE, Alignment::Left);
    canvas.text("after", (left + 80, top - 36), BOLD, AFTER, Alignment::Left);
    for step in 0..=4 {
        let value = highest * f64::from(step) / 4.0;
        let decimals = if highest < 10.0 { 2 } else { 0 };
        let y = top + height - height * step as usize / 4;
        canvas.text(&format!("{value:.decimals$}"), (left - 8, y - 7), PLAIN, FAINT, Alignment::Right);
    }
    for step in 0..=4 {
        let x = left + width * step / 4;
        let text = format!("{:.3}", 0.125 * step as f64);
        canvas.text(&text, (x, top + height + 8), PLAIN, FAINT, Alignment::Center);
    }
    canvas.text("cycles per voxel", (left + width / 2, top + height + 30), PLAIN, FAINT, Alignment::Center);
    Ok(NamedFile { path: format!("{FOLDER}/{NOISE}"), bytes: canvas.to_png()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixels(file: &NamedFile) -> Vec<u8> {
        let mut reader = png::Decoder::new(std::io::Cursor::new(&file.bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        pixels
    }

    #[test]
    fn a_slice_is_shown_before_and_after_in_one_window_and_what_was_removed_in_its_own() {
        let (before, after) = (vec![50.0; 300 * 300], vec![0.0; 300 * 300]);
        let display = Display { low: -100.0, high: 100.0, inverted: false };
        let shown = DenoisedSlice {
            size: (300, 300),
            display,
            slice: (3, 9),
            sigma: 12.5,
            before: &before,
            after: &after,
        };
        let file = draw_denoised(&shown).unwrap();
        assert_eq!(file.path, "pictures/denoised.png");
        let found = pixels(&file);
        let count = |color: [u8; 3]| found.as_chunks::<3>().0.iter().filter(|pixel| **pixel == color).count();
        // 50 of -100 to 100 is three quarters of the way to white, 0 half; 50 removed is the end of four times 12.5.
        for color in [[191; 3], [128; 3], [0x7f, 0x3b, 0x08]] {
            assert!(count(color) >= 300 * 300, "{color:?}: {}", count(color));
        }
    }

    #[test]
    fn a_spectrum_of_zeros_can_be_drawn() {
        let zeros = pixels(&draw_noise(&[0.0; 9], &[0.0; 9]).unwrap());
        assert_ne!(zeros, pixels(&draw_noise(&[1.0; 9], &[0.5; 9]).unwrap()));
    }
}
