//! `spectrum.png`: singular values, and the share of the energy that the first k leave out, both on a logarithmic axis.
//!
//! Curves are drawn three times as large and averaged down, which smooths them; text is put on afterward, at its own size. Not by
//! plotters: its text is laid out by the fonts of the machine, and the bytes of a picture must be the same on every one.

use embedded_graphics::{
    pixelcolor::Rgb888,
    prelude::*,
    primitives::{Line, PrimitiveStyle},
    text::Alignment,
};
use libm::log10;

use super::{
    Subject,
    canvas::{BOLD, Canvas, FAINT, INK, PLAIN, TITLE},
};

const SMOOTH: usize = 3;
const WIDTH: usize = 1120;
const HEIGHT: usize = 460;
/// Sides of a plot's frame.
const FRAME: (usize, usize) = (440, 310);
const TOP: usize = 100;
const LEFT: [usize; 2] = [84, 644];
/// Blue and vermilion of Okabe and Ito's palette for color-blind readers (2008).
const CURVE: Rgb888 = Rgb888::new(0x00, 0x72, 0xb2);
const MARK: Rgb888 = Rgb888::new(0xd5, 0x5e, 0x00);
const GRID: Rgb888 = Rgb888::new(0xdd, 0xdd, 0xdd);

/// One plot: `values[i]` belongs to abscissa i + 1.
struct Plot<'a> {
    title: String,
    left: usize,
    values: &'a [f64],
    marks: &'a [usize],
    /// Decades of the axis: from `10^decades.0` to `10^decades.1`.
    decades: (i32, i32),
}

pub(super) fn draw_spectrum(subject: &Subject<'_>) -> Canvas {
    let spectrum = &subject.spectrum;
    let left_out: Vec<f64> = spectrum.left_out().iter().map(|rest| rest / spectrum.energy).collect();
    let plots = [
        Plot::new(
            format!("Singular values{}", in_parentheses(subject.unit)),
            LEFT[0],
            spectrum.s,
            subject.composites,
        ),
        Plot::new(
            "Share of the energy left out by the first k".to_owned(),
            LEFT[1],
            &left_out,
            subject.composites,
        ),
    ];
    let mut large = Canvas::new(WIDTH * SMOOTH, HEIGHT * SMOOTH);
    plots.iter().for_each(|plot| plot.draw_curves(&mut large));
    let mut canvas = large.reduced(SMOOTH);
    let title = format!("Spectrum of {} slices, rank {}", spectrum.columns, spectrum.s.len());
    canvas.text(&title, (16, 16), TITLE, INK, Alignment::Left);
    plots.iter().for_each(|plot| plot.draw_text(&mut canvas));
    canvas
}

fn in_parentheses(unit: &str) -> String {
    if unit.is_empty() { String::new() } else { format!(" ({unit})") }
}

impl<'a> Plot<'a> {
    fn new(title: String, left: usize, values: &'a [f64], marks: &'a [usize]) -> Self {
        let logs = values.iter().filter(|value| **value > 0.0).map(|&value| log10(value));
        let (low, high) =
            logs.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), log| (low.min(log), high.max(log)));
        let decades = if low <= high { (low.floor() as i32, high.ceil() as i32) } else { (0, 1) };
        let decades = (decades.0, decades.1.max(decades.0 + 1));
        Self { title, left, values, marks, decades }
    }

    /// Horizontal place of abscissa `k`, in pixels from the left of the canvas.
    fn x(&self, k: f64) -> f64 {
        let span = (self.values.len().max(2) - 1) as f64;
        self.left as f64 + (k - 1.0) / span * FRAME.0 as f64
    }

    /// Vertical place of the value whose logarithm is `log`.
    fn y(&self, log: f64) -> f64 {
        let span = f64::from(self.decades.1 - self.decades.0);
        (TOP + FRAME.1) as f64 - (log - f64::from(self.decades.0)) / span * FRAME.1 as f64
    }

    /// Decades that get a line: at most eight.
    fn ticks(&self) -> impl Iterator<Item = i32> {
        let step = ((self.decades.1 - self.decades.0) / 8 + 1) as usize;
        (self.decades.0..=self.decades.1).step_by(step)
    }

    fn visible_marks(&self) -> impl Iterator<Item = usize> {
        self.marks.iter().copied().filter(|&k| k <= self.values.len())
    }

    fn draw_curves(&self, canvas: &mut Canvas) {
        let at = |x: f64, y: f64| Point::new((x * SMOOTH as f64) as i32, (y * SMOOTH as f64) as i32);
        let (bottom, right) = ((TOP + FRAME.1) as f64, (self.left + FRAME.0) as f64);
        let thin = SMOOTH as u32;
        for decade in self.ticks() {
            let y = self.y(f64::from(decade));
            let line = Line::new(at(self.left as f64, y), at(right, y));
            canvas.draw(&line.into_styled(PrimitiveStyle::with_stroke(GRID, thin)));
        }
        for k in self.visible_marks() {
            let line = Line::new(at(self.x(k as f64), TOP as f64), at(self.x(k as f64), bottom));
            canvas.draw(&line.into_styled(PrimitiveStyle::with_stroke(MARK, thin)));
        }
        let corner = at(self.left as f64, bottom);
        for end in [at(self.left as f64, TOP as f64), at(right, bottom)] {
            canvas.draw(&Line::new(corner, end).into_styled(PrimitiveStyle::with_stroke(FAINT, thin)));
        }
        let positive = self.values.iter().enumerate().filter(|(_, value)| **value > 0.0);
        let curve: Vec<Point> =
            positive.map(|(i, value)| at(self.x((i + 1) as f64), self.y(log10(*value)))).collect();
        // One line each: the corners of the library's thick polylines overflow at such sizes.
        for ends in curve.windows(2) {
            canvas
                .draw(&Line::new(ends[0], ends[1]).into_styled(PrimitiveStyle::with_stroke(CURVE, 2 * thin)));
        }
    }

    fn draw_text(&self, canvas: &mut Canvas) {
        canvas.text(&self.title, (self.left, TOP - 44), BOLD, INK, Alignment::Left);
        for decade in self.ticks() {
            let y = self.y(f64::from(decade)) as usize - 7;
            canvas.text(&format!("1e{decade}"), (self.left - 8, y), PLAIN, FAINT, Alignment::Right);
        }
        for k in self.visible_marks() {
            let x = self.x(k as f64) as usize;
            canvas.text(&k.to_string(), (x, TOP - 18), PLAIN, MARK, Alignment::Center);
        }
        let last = self.values.len().max(2);
        for k in [1, last.div_ceil(4), last.div_ceil(2), (3 * last).div_ceil(4), last] {
            let x = self.x(k as f64) as usize;
            canvas.text(&k.to_string(), (x, TOP + FRAME.1 + 8), PLAIN, FAINT, Alignment::Center);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_spans_whole_decades_even_for_one_value() {
        let plot = Plot::new(String::new(), 0, &[100.0], &[1]);
        assert_eq!(plot.decades, (2, 3));
        assert_eq!(plot.y(2.0), (TOP + FRAME.1) as f64);
        let empty = Plot::new(String::new(), 0, &[], &[]);
        assert_eq!(empty.decades, (0, 1));
    }
}
