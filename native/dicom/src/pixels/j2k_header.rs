//! What a JPEG 2000 codestream will ask of a decoder, read from its headers (ISO/IEC 15444-1 annex A).
//!
//! A few bytes can ask for gigabytes: of tiles, precincts or layers, each with its own bookkeeping in the
//! decoder. So the main header and the headers of all tile-parts are read here first, and what no image of that
//! size needs is refused.

use super::shape::{Numbers, Shape};

const SOC: u32 = 0xFF4F;
const SIZ: u32 = 0xFF51;
const COD: u32 = 0xFF52;
const COC: u32 = 0xFF53;
const SOT: u32 = 0xFF90;
const SOD: u32 = 0xFF93;
const EOC: u32 = 0xFFD9;

/// Tiles of an image: 64 x 64 pixels each in 4096 x 4096.
const MOST_TILES: u64 = 4096;
/// Smallest precinct, as exponent of two: 8 x 8 pixels, which is 4 x 4 in each subband, as small as a code-block.
const SMALLEST_PRECINCT: u32 = 3;
/// Packets of one tile: layers x resolutions x precincts.
const MOST_PACKETS: u64 = 1 << 22;

/// Shape and sign of the samples, from the SIZ segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ImageHeader {
    pub shape: Shape,
    pub signed: bool,
}

/// The raw codestream of a frame: what a JP2 file (which the standard does not allow here) wraps, or all of it.
pub(super) fn codestream(frame: &[u8]) -> &[u8] {
    let mut boxes = Numbers(frame);
    if !frame.starts_with(b"\0\0\0\x0CjP  ") {
        return frame;
    }
    loop {
        let rest = boxes.0;
        let (Some(length), Some(kind)) = (boxes.next::<4>(), boxes.next::<4>()) else { return frame };
        if kind == u32::from_be_bytes(*b"jp2c") {
            return boxes.0;
        }
        match rest.get(length as usize..) {
            Some(next) if length >= 8 => boxes = Numbers(next),
            _ => return frame,
        }
    }
}

/// The SIZ segment, which is the first.
pub(super) fn image_header(codestream: &[u8]) -> Option<ImageHeader> {
    size(codestream).map(|size| size.image)
}

/// What the headers say of a codestream that asks for no more than images need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Modest {
    /// Some of its coefficients are those of the 9-7 transform, which loses something.
    pub irreversible: bool,
}

/// That the headers, or a tile-part, end before they should.
pub(super) const CUT: &str = "it is truncated";

/// Whether the codestream asks for no more tiles, precincts and packets than images need, and its tile-parts
/// follow each other; in words what is wrong, otherwise.
pub(super) fn is_modest(codestream: &[u8]) -> Result<Modest, &'static str> {
    let size = size(codestream).ok_or("it has no image header")?;
    let tiles = u64::from(size.across) * u64::from(size.down);
    if tiles > MOST_TILES {
        return Err("it has too many tiles");
    }
    let mut numbers = Numbers(codestream.get(2..).unwrap_or(&[]));
    let mut seen = Modest { irreversible: false };
    loop {
        let at = codestream.len() - numbers.0.len();
        let marker = numbers.next::<2>().ok_or(CUT)?;
        if marker == EOC {
            return Ok(seen);
        }
        let length = numbers.next::<2>().ok_or(CUT)? as usize;
        let segment = length.checked_sub(2).and_then(|length| numbers.take(length)).ok_or(CUT)?;
        match marker {
            COD => size.coding(segment.first().copied(), segment.get(1..4), segment.get(5..), &mut seen)?,
            COC => size.coding(segment.get(1).copied(), None, segment.get(2..), &mut seen)?,
            SOT => {
                let mut fields = Numbers(segment);
                let (_, part) = (fields.next::<2>(), fields.next::<4>().ok_or(CUT)? as usize);
                // The headers of the tile-part, up to the packets.
                size.tile_part(&mut numbers, &mut seen)?;
                match part {
                    0 => return Ok(seen),
                    _ => {
                        numbers =
                            Numbers(at.checked_add(part).and_then(|end| codestream.get(end..)).ok_or(CUT)?)
                    }
                }
                if codestream.len() - numbers.0.len() <= at {
                    return Err("its tile-parts overlap");
                }
                // Encoders leave out the end marker, and padding may follow.
                if numbers.0.len() < 2 {
                    return Ok(seen);
                }
            }
            _ => (),
        }
    }
}

/// Whether a second codestream begins somewhere behind the end marker of one that [`is_modest`].
pub(super) fn another_image(codestream: &[u8]) -> bool {
    let rest = behind_end(codestream).unwrap_or_default();
    rest.windows(4)
        .any(|bytes| bytes == [SOC, SIZ].map(|marker| (marker as u16).to_be_bytes()).as_flattened())
}

fn behind_end(codestream: &[u8]) -> Option<&[u8]> {
    let mut numbers = Numbers(codestream.get(2..)?);
    loop {
        let at = codestream.len() - numbers.0.len();
        let marker = numbers.next::<2>()?;
        if marker == EOC {
            return Some(numbers.0);
        }
        let length = numbers.next::<2>()? as usize;
        let mut segment = Numbers(numbers.take(length.checked_sub(2)?)?);
        if marker != SOT {
            continue;
        }
        let (_tile, part) = (segment.next::<2>()?, segment.next::<4>()? as usize);
        numbers = match part {
            // Up to the end marker, which cannot be in coded bytes: there, 0xFF is followed by a byte below 0x90.
            0 => {
                let end = numbers.0.windows(2).position(|pair| pair == [0xFF, 0xD9])?;
                return numbers.0.get(end + 2..);
            }
            _ => Numbers(codestream.get(at.checked_add(part)?..)?),
        };
        if codestream.len() - numbers.0.len() <= at {
            return None;
        }
    }
}

struct Size {
    image: ImageHeader,
    tile_columns: u32,
    tile_rows: u32,
    across: u32,
    down: u32,
}

fn size(codestream: &[u8]) -> Option<Size> {
    let mut numbers = Numbers(codestream);
    if numbers.next::<2>()? != SOC || numbers.next::<2>()? != SIZ {
        return None;
    }
    let (_length, _capabilities) = (numbers.next::<2>()?, numbers.next::<2>()?);
    let mut pair = || Some([numbers.next::<4>()?, numbers.next::<4>()?]);
    let ([right, bottom], [left, top]) = (pair()?, pair()?);
    let ([tile_columns, tile_rows], [tile_left, tile_top]) = (pair()?, pair()?);
    let components = numbers.next::<2>()?;
    let (depth, step_right, step_down) = (numbers.next::<1>()?, numbers.next::<1>()?, numbers.next::<1>()?);
    let (columns, rows) = (right.checked_sub(left)?, bottom.checked_sub(top)?);
    if tile_columns == 0 || tile_rows == 0 || (step_right, step_down) != (1, 1) {
        return None;
    }
    let bits = (depth & 0x7F) as u16 + 1;
    Some(Size {
        image: ImageHeader { shape: Shape { rows, columns, components, bits }, signed: depth & 0x80 != 0 },
        tile_columns: tile_columns.min(columns),
        tile_rows: tile_rows.min(rows),
        across: right.checked_sub(tile_left)?.div_ceil(tile_columns),
        down: bottom.checked_sub(tile_top)?.div_ceil(tile_rows),
    })
}

impl Size {
    /// Headers of one tile-part.
    fn tile_part(&self, numbers: &mut Numbers, seen: &mut Modest) -> Result<(), &'static str> {
        loop {
            let marker = numbers.next::<2>().ok_or(CUT)?;
            if marker == SOD {
                return Ok(());
            }
            let length = numbers.next::<2>().ok_or(CUT)? as usize;
            let segment = length.checked_sub(2).and_then(|length| numbers.take(length)).ok_or(CUT)?;
            match marker {
                COD => self.coding(segment.first().copied(), segment.get(1..4), segment.get(5..), seen)?,
                COC => self.coding(segment.get(1).copied(), None, segment.get(2..), seen)?,
                _ => (),
            }
        }
    }

    /// Checks one COD or COC segment: its style, its progression and layers, its levels and precincts.
    fn coding(
        &self,
        style: Option<u8>,
        order: Option<&[u8]>,
        levels: Option<&[u8]>,
        seen: &mut Modest,
    ) -> Result<(), &'static str> {
        let (Some(style), Some([count, rest @ ..])) = (style, levels) else { return Err(CUT) };
        // After the number of levels: code-block width, height and style, then the transform, 0 for 9-7.
        seen.irreversible |= rest.get(3) == Some(&0);
        let layers = match order {
            Some([_, high, low]) => u64::from(u16::from_be_bytes([*high, *low])),
            _ => 1,
        };
        let resolutions = u64::from(*count) + 1;
        let mut precincts = 1;
        if style & 1 != 0 {
            // After code-block width, height, style and transform, one byte per resolution, the smallest first.
            for exponents in rest.get(4..).unwrap_or(&[]) {
                let exponents = [u32::from(exponents & 15), u32::from(exponents >> 4)];
                if exponents.iter().any(|&exponent| exponent < SMALLEST_PRECINCT) {
                    return Err("it has too small precincts");
                }
                let [across, down] = exponents;
                let count =
                    u64::from((self.tile_columns >> across) + 2) * u64::from((self.tile_rows >> down) + 2);
                precincts = precincts.max(count);
            }
        }
        if layers * resolutions * precincts > MOST_PACKETS {
            return Err("it has too many layers or precincts");
        }
        Ok(())
    }
}
