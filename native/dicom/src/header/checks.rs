//! The checks that a header passes before anything relies on it: each returns the value, or the [`Problem`]
//! that names the element and says what it should have been.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::classes::is_enhanced;
use super::format::{ByteOrder, PixelFormat, Rescale};
use super::groups::MOST_FRAMES;
use super::needed::NeededElements;
use super::values::{self, RawValue, decimal, decimals, text};
use crate::problem::Problem;
use crate::syntax::{self, Codec};

/// Largest coordinate accepted, mm: far beyond any scanner, small enough for exact geometry.
const FARTHEST_MM: f64 = 1e6;

/// Slopes and intercepts have a size in between, or are 0: the squares of values must have room in an `f64`.
const LEAST_RESCALE: f64 = 1e-100;
const MOST_RESCALE: f64 = 1e100;

fn required<'a>(needed: &NeededElements<'a>, tag: Tag) -> Result<RawValue<'a>, Problem> {
    needed.get(tag).ok_or(Problem::Missing { tag })
}

fn unsigned(needed: &NeededElements, tag: Tag, expected: &'static str) -> Result<u32, Problem> {
    let value = required(needed, tag)?;
    values::unsigned(value).ok_or_else(|| Problem::value(tag, &text(value.bytes), expected))
}

/// The number of frames. Several, and those of the enhanced classes, have their geometry in functional groups.
pub(super) fn frames(needed: &NeededElements, class: &str) -> Result<u32, Problem> {
    let wrong = |value: RawValue| {
        Problem::value(tags::NUMBER_OF_FRAMES, &text(value.bytes), "a number of at least 1")
    };
    let frames = match needed.get(tags::NUMBER_OF_FRAMES) {
        None => 1,
        Some(value) => values::integer(value).filter(|&frames| frames >= 1).ok_or_else(|| wrong(value))?,
    };
    let groups = needed.groups.frames.len();
    if frames > MOST_FRAMES as i64 || groups > MOST_FRAMES {
        return Err(Problem::number(tags::NUMBER_OF_FRAMES, frames, "at most 32768"));
    }
    if groups == 0 && (frames > 1 || is_enhanced(class)) {
        return Err(Problem::NoFrameGroups);
    }
    if groups > 0 && groups as i64 != frames {
        return Err(Problem::FrameGroups { groups });
    }
    u32::try_from(frames).map_err(|_| Problem::NoFrameGroups)
}

/// How many slices a file has whose header is broken otherwise; `None` where that cannot be known.
pub(super) fn slices_of_broken(needed: &NeededElements, class: Option<&str>) -> Option<usize> {
    match needed.get(tags::NUMBER_OF_FRAMES) {
        Some(value) => values::integer(value)
            .and_then(|frames| usize::try_from(frames).ok())
            .filter(|frames| (1..=MOST_FRAMES).contains(frames)),
        None => (!class.is_some_and(is_enhanced)).then_some(1),
    }
}

/// Rows or Columns.
pub(super) fn size(needed: &NeededElements, tag: Tag) -> Result<usize, Problem> {
    let expected = "a number of pixels from 1 to 65535";
    let pixels = unsigned(needed, tag, expected)?;
    if pixels == 0 || pixels > 65535 {
        return Err(Problem::number(tag, pixels, expected));
    }
    usize::try_from(pixels).map_err(|_| Problem::number(tag, pixels, expected))
}

/// How pixels are stored.
pub(super) fn pixel_format(needed: &NeededElements) -> Result<PixelFormat, Problem> {
    let samples = match needed.get(tags::SAMPLES_PER_PIXEL) {
        None => 1,
        Some(_) => unsigned(needed, tags::SAMPLES_PER_PIXEL, "1 (gray values)")?,
    };
    if samples != 1 {
        return Err(Problem::number(tags::SAMPLES_PER_PIXEL, samples, "1 (gray values)"));
    }
    let photometric = text(required(needed, tags::PHOTOMETRIC_INTERPRETATION)?.bytes);
    if photometric != "MONOCHROME1" && photometric != "MONOCHROME2" {
        return Err(Problem::Value {
            tag: tags::PHOTOMETRIC_INTERPRETATION,
            found: "another kind of color".to_owned(),
            expected: "MONOCHROME2 or MONOCHROME1",
        });
    }
    let allocated = unsigned(needed, tags::BITS_ALLOCATED, "16 or 8")?;
    let bits_allocated = match allocated {
        8 => 8,
        16 => 16,
        _ => return Err(Problem::number(tags::BITS_ALLOCATED, allocated, "16 or 8")),
    };
    let expected = "a number from 1 to Bits Allocated";
    let stored = unsigned(needed, tags::BITS_STORED, expected)?;
    let bits_stored = match u16::try_from(stored) {
        Ok(bits) if (1..=bits_allocated).contains(&bits) => bits,
        _ => return Err(Problem::number(tags::BITS_STORED, stored, expected)),
    };
    if needed.get(tags::HIGH_BIT).is_some() {
        // Readers differ on what another value means, so none is silently chosen.
        let expected = "one less than Bits Stored (PS3.3 C.7.6.3)";
        let high_bit = unsigned(needed, tags::HIGH_BIT, expected)?;
        if high_bit != stored - 1 {
            return Err(Problem::number(tags::HIGH_BIT, high_bit, expected));
        }
    }
    let expected = "0 (unsigned) or 1 (two's complement)";
    let signed = match unsigned(needed, tags::PIXEL_REPRESENTATION, expected)? {
        0 => false,
        1 => true,
        other => return Err(Problem::number(tags::PIXEL_REPRESENTATION, other, expected)),
    };
    Ok(PixelFormat { bits_allocated, bits_stored, signed, photometric })
}

/// Whether the pixels lost anything to compression: by Lossy Image Compression or, where the header does not say
/// no, by a transfer syntax that may lose.
pub(super) fn lossy(needed: &NeededElements, syntax: &str) -> bool {
    let said = needed.get(tags::LOSSY_IMAGE_COMPRESSION).map(|value| text(value.bytes));
    said.as_deref() == Some("01") || (said.is_none() && syntax::may_lose(syntax))
}

/// How the bytes of uncompressed pixels lie.
pub(super) fn byte_order(needed: &NeededElements, format: &PixelFormat) -> ByteOrder {
    let words = needed.pixels.is_some_and(|element| element.vr == Some(*b"OW"));
    match (needed.big_endian, format.bits_allocated) {
        (true, 16) => ByteOrder::Big,
        (true, _) if words => ByteOrder::SwappedPairs,
        _ => ByteOrder::Little,
    }
}

/// Offset of the pixel data and the bytes it has beyond the `expected` bytes of all frames, checked against the
/// file. Of compressed data only the offset is known here: its fragments are checked when they are read.
pub(super) fn pixel_data(
    needed: &NeededElements,
    syntax: &str,
    expected: u64,
    file_length: u64,
) -> Result<(u64, u64), Problem> {
    let element = needed.pixels.ok_or(Problem::NoPixels)?;
    let declared = match (syntax::codec(syntax), element.length) {
        (Some(Codec::Native), Some(length)) => u64::from(length),
        (Some(Codec::Native), None) => return Err(Problem::Encapsulated),
        (Some(_), Some(_)) => return Err(Problem::NotEncapsulated),
        _ => return Ok((element.start, 0)),
    };
    let present = file_length.saturating_sub(element.start);
    if declared < expected {
        return Err(Problem::TooFewPixels { expected, found: declared });
    }
    if present < expected {
        return Err(Problem::TruncatedPixels { declared, present });
    }
    Ok((element.start, declared - expected))
}

/// Pixel Padding Value and Pixel Padding Range Limit, the lesser first, with the sign of the pixels whatever their VRs say.
pub(super) fn padding(needed: &NeededElements, format: &PixelFormat) -> Option<[i32; 2]> {
    let number = |tag| {
        let value = needed.get(tag)?;
        let bits = match value.vr.as_ref() {
            Some(b"IS" | b"DS") => values::integer(value)? as u16,
            _ => values::unsigned(value)? as u16,
        };
        Some(if format.signed { i32::from(bits.cast_signed()) } else { i32::from(bits) })
    };
    let value = number(tags::PIXEL_PADDING_VALUE)?;
    let limit = number(tags::PIXEL_PADDING_RANGE_LIMIT).unwrap_or(value);
    Some([value.min(limit), value.max(limit)])
}

/// Pixel Spacing, mm; `None` when it is absent or not two distances. No entry of a matrix needs it.
pub(super) fn pixel_spacing(needed: &NeededElements) -> Option<[f64; 2]> {
    let value = needed.get(tags::PIXEL_SPACING)?;
    let spacing = decimals::<2>(tags::PIXEL_SPACING, value, "two distances in mm").ok()?;
    spacing.iter().all(|&mm| mm > 0.0 && mm <= FARTHEST_MM).then_some(spacing)
}

/// Image Position (Patient), mm.
pub(super) fn position(needed: &NeededElements) -> Result<[f64; 3], Problem> {
    let expected = "three coordinates in mm";
    let value = required(needed, tags::IMAGE_POSITION_PATIENT)?;
    let position = decimals::<3>(tags::IMAGE_POSITION_PATIENT, value, expected)?;
    if position.iter().any(|mm| mm.abs() > FARTHEST_MM) {
        return Err(Problem::value(tags::IMAGE_POSITION_PATIENT, &text(value.bytes), expected));
    }
    Ok(position)
}

/// Image Orientation (Patient): two perpendicular unit vectors, to the digits that writers keep.
pub(super) fn orientation(needed: &NeededElements) -> Result<[f64; 6], Problem> {
    let value = required(needed, tags::IMAGE_ORIENTATION_PATIENT)?;
    let cosines =
        decimals::<6>(tags::IMAGE_ORIENTATION_PATIENT, value, "six direction cosines from -1 to 1")?;
    let [a, b, c, d, e, f] = cosines;
    let close = |x: f64, y: f64| (x - y).abs() < 0.01;
    if close(a * a + b * b + c * c, 1.0)
        && close(d * d + e * e + f * f, 1.0)
        && close(a * d + b * e + c * f, 0.0)
    {
        Ok(cosines)
    } else {
        Err(Problem::Orientation)
    }
}

/// Slope and intercept. A zero slope would erase the slice.
pub(super) fn rescale(needed: &NeededElements) -> Result<Rescale, Problem> {
    let one = |tag| {
        let Some(value) = needed.get(tag) else { return Ok(None) };
        let found = text(value.bytes);
        let wrong = |expected| Problem::value(tag, &found, expected);
        let number = decimal(&found).ok_or_else(|| wrong("one decimal number, such as 1 or -1024.5"))?;
        if number != 0.0 && !(LEAST_RESCALE..=MOST_RESCALE).contains(&number.abs()) {
            return Err(wrong("a size from 1e-100 to 1e100"));
        }
        Ok(Some(number))
    };
    let rescale = Rescale { slope: one(tags::RESCALE_SLOPE)?, intercept: one(tags::RESCALE_INTERCEPT)? };
    if rescale.slope == Some(0.0) {
        return Err(Problem::number(tags::RESCALE_SLOPE, 0, "a number other than 0"));
    }
    Ok(rescale)
}
