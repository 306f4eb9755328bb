//! The pixels of a derived instance: in the source's format, its padding kept.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::DerivedSyntax;
use super::attribute::{Attribute, Attributes, open_long, write_fragments};
use super::jpeg_ls;
use crate::header::PixelFormat;
use crate::problem::Problem;

/// Corrects the attributes that say how far the pixels go; those about the whole series are left out.
pub(super) fn correct_range(attributes: &mut Attributes, format: &PixelFormat, stored: &[i16], offset: i32) {
    type End = fn(&[i16]) -> Option<i16>;
    let ends: [(Tag, End); 2] = [
        (tags::SMALLEST_IMAGE_PIXEL_VALUE, |stored| stored.iter().min().copied()),
        (tags::LARGEST_IMAGE_PIXEL_VALUE, |stored| stored.iter().max().copied()),
    ];
    for (tag, end) in ends {
        if let Some(attribute) = attributes.get_mut(&tag)
            && let Some(end) = end(stored)
        {
            let vr = if format.signed { *b"SS" } else { *b"US" };
            *attribute = Attribute::new(vr, cell(end, offset).to_le_bytes().to_vec());
        }
    }
    attributes.remove(&tags::SMALLEST_PIXEL_VALUE_IN_SERIES);
    attributes.remove(&tags::LARGEST_PIXEL_VALUE_IN_SERIES);
}

/// Appends the pixel data element: `stored` + `offset` in the cells of `format`, frame after frame of `rows` x `columns`.
pub(super) fn write(
    stored: &[i16],
    offset: i32,
    (rows, columns): (usize, usize),
    format: &PixelFormat,
    syntax: DerivedSyntax,
    out: &mut Vec<u8>,
) -> Result<(), Problem> {
    match syntax {
        DerivedSyntax::Explicit => {
            let bytes = stored.len() * usize::from(format.bits_allocated / 8);
            // `check_source` has refused what is longer.
            let length = u32::try_from(bytes.next_multiple_of(2)).map_err(|_| Problem::Changed)?;
            let vr = if format.bits_allocated == 8 { *b"OB" } else { *b"OW" };
            open_long(tags::PIXEL_DATA, vr, length, out);
            let start = out.len();
            put_cells(stored, offset, format, u16::MAX, u16::to_le_bytes, out);
            out.resize(start + length as usize, 0);
        }
        DerivedSyntax::JpegLs => {
            // CharLS knows no samples of one bit.
            let bits = format.bits_stored.max(2);
            let mask = u16::MAX >> (16 - bits);
            let format = PixelFormat { bits_allocated: if bits > 8 { 16 } else { 8 }, ..format.clone() };
            let encode = |frame: &[i16]| {
                let mut samples = Vec::with_capacity(2 * frame.len());
                put_cells(frame, offset, &format, mask, u16::to_ne_bytes, &mut samples);
                jpeg_ls::encode(&samples, rows, columns, bits)
                    .map_err(|reason| Problem::Codestream { codec: "JPEG-LS", reason })
            };
            let frames = stored.chunks(rows * columns).map(encode).collect::<Result<Vec<_>, _>>()?;
            write_fragments(tags::PIXEL_DATA, &frames, out);
        }
    }
    Ok(())
}

fn put_cells(
    stored: &[i16],
    offset: i32,
    format: &PixelFormat,
    mask: u16,
    order: impl Fn(u16) -> [u8; 2],
    out: &mut Vec<u8>,
) {
    if format.bits_allocated == 8 {
        out.extend(stored.iter().map(|&value| (cell(value, offset) & mask) as u8));
    } else {
        let start = out.len();
        out.resize(start + 2 * stored.len(), 0);
        let (cells, _) = out[start..].as_chunks_mut::<2>();
        cells.iter_mut().zip(stored).for_each(|(out, &value)| *out = order(cell(value, offset) & mask));
    }
}

/// A stored value in 16 bits, its sign extended.
fn cell(value: i16, offset: i32) -> u16 {
    (i32::from(value) + offset) as u16
}
