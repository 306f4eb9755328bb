//! A picture in memory: RGB pixels that `embedded-graphics` can draw on and the `png` crate can encode.

use std::convert::Infallible;

use embedded_graphics::{
    mono_font::{MonoFont, MonoTextStyle, iso_8859_1},
    pixelcolor::{Rgb888, RgbColor as _},
    prelude::*,
    primitives::Rectangle,
    text::{Alignment, Baseline, Text, TextStyleBuilder},
};

use crate::error::{Error, Result};

/// Ink for text and axes: near black.
pub(super) const INK: Rgb888 = Rgb888::new(0x1a, 0x1a, 0x1a);
/// Ink for secondary text and grid lines.
pub(super) const FAINT: Rgb888 = Rgb888::new(0x5f, 0x63, 0x68);
/// Font of titles.
pub(super) const TITLE: &MonoFont<'_> = &iso_8859_1::FONT_10X20;
/// Font of the first line of a caption.
pub(super) const BOLD: &MonoFont<'_> = &iso_8859_1::FONT_9X18_BOLD;
/// Font of everything else.
pub(super) const PLAIN: &MonoFont<'_> = &iso_8859_1::FONT_9X15;

/// How bytes become colors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Palette {
    /// Black to white.
    Gray,
    /// White to black: MONOCHROME1.
    InvertedGray,
    /// Purple below the middle, white in the middle, orange above: safe for all common color blindness.
    Diverging,
}

/// ColorBrewer's PuOr with 11 classes (Harrower and Brewer 2003, colorbrewer2.org), from low to high.
const PURPLE_ORANGE: [[u8; 3]; 11] = [
    [0x2d, 0x00, 0x4b],
    [0x54, 0x27, 0x88],
    [0x80, 0x73, 0xac],
    [0xb2, 0xab, 0xd2],
    [0xd8, 0xda, 0xeb],
    [0xf7, 0xf7, 0xf7],
    [0xfe, 0xe0, 0xb6],
    [0xfd, 0xb8, 0x63],
    [0xe0, 0x82, 0x14],
    [0xb3, 0x58, 0x06],
    [0x7f, 0x3b, 0x08],
];

impl Palette {
    /// The colors of all bytes, each as six hexadecimal digits: for who draws in another way.
    pub(crate) fn in_hex(self) -> String {
        let in_hex = |color: Rgb888| format!("{:02x}{:02x}{:02x}", color.r(), color.g(), color.b());
        (0..=u8::MAX).map(|byte| in_hex(self.color(byte))).collect()
    }

    /// The color of a byte.
    pub(super) fn color(self, byte: u8) -> Rgb888 {
        match self {
            Self::Gray => Rgb888::new(byte, byte, byte),
            Self::InvertedGray => Rgb888::new(255 - byte, 255 - byte, 255 - byte),
            Self::Diverging => {
                let steps = PURPLE_ORANGE.len() - 1;
                let at = usize::from(byte) * steps;
                let (class, weight) = ((at / 255).min(steps - 1), at - (at / 255).min(steps - 1) * 255);
                let (low, high) = (PURPLE_ORANGE[class], PURPLE_ORANGE[class + 1]);
                let mix = |i: usize| {
                    ((usize::from(low[i]) * (255 - weight) + usize::from(high[i]) * weight) / 255) as u8
                };
                Rgb888::new(mix(0), mix(1), mix(2))
            }
        }
    }
}

/// RGB pixels, row by row.
pub(super) struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Canvas {
    /// A white canvas.
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![255; width * height * 3] }
    }

    /// Averages squares of `factor` x `factor` pixels: what was drawn large becomes smooth.
    pub(super) fn reduced(&self, factor: usize) -> Self {
        let (width, height) = (self.width / factor, self.height / factor);
        let mut small = Self::new(width, height);
        let area = factor * factor;
        for (i, value) in small.pixels.iter_mut().enumerate() {
            let (x, y, channel) = ((i / 3 % width) * factor, (i / 3 / width) * factor, i % 3);
            let sum: usize = (0..area)
                .map(|s| {
                    usize::from(self.pixels[((y + s / factor) * self.width + x + s % factor) * 3 + channel])
                })
                .sum();
            *value = ((sum + area / 2) / area) as u8;
        }
        small
    }

    /// Writes text whose top left corner (or top middle, top right, by `alignment`) is at `x`, `y`.
    pub(super) fn text(
        &mut self,
        text: &str,
        (x, y): (usize, usize),
        font: &MonoFont<'_>,
        color: Rgb888,
        alignment: Alignment,
    ) {
        let style = TextStyleBuilder::new().alignment(alignment).baseline(Baseline::Top).build();
        let position = Point::new(x as i32, y as i32);
        let Ok(_) = Text::with_text_style(text, position, MonoTextStyle::new(font, color), style).draw(self);
    }

    /// Draws anything drawable.
    pub(super) fn draw(&mut self, drawable: &impl Drawable<Color = Rgb888>) {
        let Ok(_) = drawable.draw(self);
    }

    /// Fills the pixel at `x`, `y`.
    pub(super) fn set(&mut self, x: usize, y: usize, color: Rgb888) {
        if x < self.width
            && let Some(pixel) = self.pixels.get_mut((y * self.width + x) * 3..(y * self.width + x) * 3 + 3)
        {
            pixel.copy_from_slice(&[color.r(), color.g(), color.b()]);
        }
    }

    /// The picture as a PNG file.
    pub(super) fn to_png(&self) -> Result<Vec<u8>> {
        let failed =
            |error: png::EncodingError| Error::Internal(format!("a picture cannot be encoded ({error})"));
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Fast);
        let mut writer = encoder.write_header().map_err(failed)?;
        writer.write_image_data(&self.pixels).map_err(failed)?;
        writer.finish().map_err(failed)?;
        Ok(file)
    }
}

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        Size::new(self.width as u32, self.height as u32)
    }
}

impl DrawTarget for Canvas {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(
        &mut self,
        pixels: I,
    ) -> std::result::Result<(), Infallible> {
        for Pixel(point, color) in pixels {
            if let (Ok(x), Ok(y)) = (usize::try_from(point.x), usize::try_from(point.y)) {
                self.set(x, y, color);
            }
        }
        Ok(())
    }

    fn fill_solid(&mut self, area: &Rectangle, color: Rgb888) -> std::result::Result<(), Infallible> {
        self.draw_iter(area.points().map(|point| Pixel(point, color)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_diverging_palette_is_white_in_the_middle_and_dark_at_its_ends() {
        assert_eq!(Palette::Diverging.color(0), Rgb888::new(0x2d, 0x00, 0x4b));
        assert_eq!(Palette::Diverging.color(255), Rgb888::new(0x7f, 0x3b, 0x08));
        for byte in [127, 128] {
            let color = Palette::Diverging.color(byte);
            assert!(color.r() > 0xf0 && color.g() > 0xf0 && color.b() > 0xf0, "{color:?}");
        }
    }

    #[test]
    fn a_palette_in_hex_has_the_colors_of_all_bytes() {
        let text = Palette::Diverging.in_hex();
        assert_eq!((text.len(), &text[..6], &text[255 * 6..]), (256 * 6, "2d004b", "7f3b08"));
        assert_eq!(&Palette::InvertedGray.in_hex()[6..12], "fefefe");
    }

    #[test]
    fn a_png_reads_back_pixel_by_pixel() {
        let mut canvas = Canvas::new(3, 2);
        canvas.set(2, 1, Rgb888::new(1, 2, 3));
        let file = canvas.to_png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        assert_eq!(pixels, canvas.pixels);
        assert_eq!(pixels[15..], [1, 2, 3]);
    }

    #[test]
    fn a_picture_that_cannot_be_encoded_is_a_fault_of_this_program_and_says_to_report_it() {
        let error = Canvas::new(0, 0).to_png().unwrap_err();
        assert!(matches!(error, Error::Internal(_)) && error.exit_code() == 1, "{error}");
        let text = error.to_string();
        assert!(text.starts_with("internal error: ") && text.contains("please report"), "{text}");
    }

    #[test]
    fn reducing_averages_squares() {
        let mut canvas = Canvas::new(4, 2);
        canvas.set(0, 0, Rgb888::new(55, 255, 255));
        assert_eq!(canvas.reduced(2).pixels, [205, 255, 255, 255, 255, 255]);
    }
}
