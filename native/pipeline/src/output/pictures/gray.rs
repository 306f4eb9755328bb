//! Plain pictures: gray PNG files of 8 or 16 bits, and animations of such (APNG, in the third edition of the PNG specification).

use std::io::Write;

use crate::error::{Error, Result};

/// The largest side of a plain picture.
pub(crate) const LARGEST: usize = 1 << 14;

/// What is the same in all plain pictures of a kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct GrayFormat {
    pub width: usize,
    pub height: usize,
    /// Whether a pixel has 16 bits, not 8.
    pub deep: bool,
    /// Side of a pixel, in mm, where it is known.
    pub pixel_mm: Option<f64>,
}

/// A PNG file that is written frame by frame.
pub(crate) struct GrayWriter<W: Write> {
    writer: png::Writer<W>,
    format: GrayFormat,
}

fn failed(error: png::EncodingError) -> Error {
    match error {
        png::EncodingError::IoError(source) => Error::Write { file: "a picture".to_owned(), source },
        other => Error::Internal(format!("a picture cannot be encoded ({other})")),
    }
}

impl<W: Write> GrayWriter<W> {
    /// Begins a picture, with a comment in it; `animated` has the number of frames, at least 1, and how many are shown in a second.
    pub(crate) fn new(
        to: W,
        format: GrayFormat,
        comment: &str,
        animated: Option<(usize, u16)>,
    ) -> Result<Self> {
        let mut encoder = png::Encoder::new(to, format.width as u32, format.height as u32);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(if format.deep { png::BitDepth::Sixteen } else { png::BitDepth::Eight });
        encoder.set_compression(png::Compression::Fast);
        if let Some(mm) = format.pixel_mm {
            let per_meter = (1000.0 / mm).round() as u32;
            let unit = png::Unit::Meter;
            encoder.set_pixel_dims(Some(png::PixelDimensions { xppu: per_meter, yppu: per_meter, unit }));
        }
        if let Some((frames, per_second)) = animated {
            encoder.set_animated(frames as u32, 0).map_err(failed)?;
            encoder.set_frame_delay(1, per_second).map_err(failed)?;
        }
        encoder.add_text_chunk("Comment".to_owned(), comment.to_owned()).map_err(failed)?;
        Ok(Self { writer: encoder.write_header().map_err(failed)?, format })
    }

    /// Writes the next frame, row by row.
    pub(crate) fn frame(&mut self, levels: &[u16]) -> Result<()> {
        let bytes: Vec<u8> = match self.format.deep {
            true => levels.iter().flat_map(|level| level.to_be_bytes()).collect(),
            false => levels.iter().map(|&level| level as u8).collect(),
        };
        self.writer.write_image_data(&bytes).map_err(failed)
    }

    /// Ends the file.
    pub(crate) fn finish(self) -> Result<()> {
        self.writer.finish().map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_read_back_in_both_depths() {
        for deep in [false, true] {
            let format = GrayFormat { width: 3, height: 2, deep, pixel_mm: Some(0.5) };
            let frames: [[u16; 6]; 2] =
                [[0, 1, 2, 253, 254, 255], [9, 8, 7, 6, 5, if deep { 65535 } else { 4 }]];
            let mut file = Vec::new();
            let mut writer = GrayWriter::new(&mut file, format, "test", Some((2, 10))).unwrap();
            frames.iter().for_each(|frame| writer.frame(frame).unwrap());
            writer.finish().unwrap();
            let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
            assert_eq!(reader.info().pixel_dims.unwrap().xppu, 2000);
            assert_eq!(reader.info().animation_control.unwrap().num_frames, 2);
            for frame in &frames {
                let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
                reader.next_frame(&mut bytes).unwrap();
                let read: Vec<u16> = match deep {
                    true => bytes.chunks(2).map(|b| u16::from_be_bytes([b[0], b[1]])).collect(),
                    false => bytes.iter().map(|&b| u16::from(b)).collect(),
                };
                assert_eq!(read, frame);
            }
        }
    }
}
