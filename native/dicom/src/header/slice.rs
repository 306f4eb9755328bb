//! [`SliceHeader`] and the checks that a header passes before anything relies on it.

use dicom_core::Tag;
use dicom_dictionary_std::{tags, uids};
use serde::{Deserialize, Serialize};

use super::values::{self, RawValue, decimal, decimals, text, texts};
use super::wanted::Wanted;
use crate::problem::Problem;
use crate::syntax;

/// What one slice is: its identity, place, pixel format and rescale. No attribute of the patient or study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SliceHeader {
    /// SOP Class UID.
    pub sop_class_uid: String,
    /// SOP Instance UID.
    pub sop_instance_uid: String,
    /// Frame within the instance, from 0.
    pub frame: u32,
    /// Series Instance UID.
    pub series_instance_uid: String,
    /// Frame of Reference UID, empty when absent.
    pub frame_of_reference_uid: String,
    /// Modality, `CT` and so on.
    pub modality: String,
    /// Series Number.
    pub series_number: Option<i64>,
    /// Instance Number.
    pub instance_number: Option<i64>,
    /// Values of Image Type.
    pub image_type: Vec<String>,
    /// Lossy Image Compression is 01.
    pub lossy: bool,
    /// Pixel rows.
    pub rows: usize,
    /// Pixel columns.
    pub columns: usize,
    /// Distance between rows, then between columns, mm.
    pub pixel_spacing_mm: [f64; 2],
    /// Image Position (Patient): centre of the first pixel, mm.
    pub position_mm: [f64; 3],
    /// Image Orientation (Patient): direction along a row, then along a column.
    pub orientation: [f64; 6],
    /// How a pixel is stored.
    pub pixels: PixelFormat,
    /// Transfer Syntax UID.
    pub transfer_syntax: String,
    /// Offset of the pixel data's value in the file.
    pub pixel_offset: u64,
    /// Bytes of the pixel data beyond the image; 0 for compressed ones.
    pub spare_bytes: u64,
    /// Rescale Slope and Intercept; `None` when the header has neither.
    pub rescale: Option<(f64, f64)>,
    /// Rescale Type, `HU` for instance.
    pub rescale_type: Option<String>,
    /// First Window Center and Window Width.
    pub window: Option<(f64, f64)>,
    /// Convolution Kernel.
    pub kernel: Option<String>,
    /// KVP: tube voltage, kV.
    pub kvp: Option<f64>,
    /// Exposure, mAs.
    pub exposure_mas: Option<f64>,
    /// CTDIvol, mGy.
    pub ctdi_vol_mgy: Option<f64>,
}

/// How the pixels of a slice are stored (PS3.3 C.7.6.3.1): one sample, in the low bits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PixelFormat {
    /// Bits Allocated: 8 or 16.
    pub bits_allocated: u16,
    /// Bits Stored: 1 to Bits Allocated. High Bit is one less.
    pub bits_stored: u16,
    /// Pixel Representation is 1: two's complement.
    pub signed: bool,
    /// Photometric Interpretation: MONOCHROME1 or MONOCHROME2.
    pub photometric: String,
}

impl PixelFormat {
    /// Values reach beyond `i16`.
    pub(crate) fn is_full_unsigned(&self) -> bool {
        !self.signed && self.bits_stored == 16
    }
}

/// Largest coordinate accepted, mm: far beyond any scanner, small enough for exact geometry.
const FARTHEST_MM: f64 = 1e6;

impl SliceHeader {
    /// Checks and gathers the elements of one single-frame image.
    pub(crate) fn new(
        wanted: &Wanted,
        class: Option<String>,
        syntax: String,
        file_length: u64,
    ) -> Result<Self, Problem> {
        if let Some(tag) = wanted.cut {
            return Err(Problem::CutInHeader { tag, length: file_length });
        }
        let get = |tag| wanted.get(tag).filter(|value| !value.bytes.is_empty());
        let code = |tag| get(tag).map(|value| values::code(value.bytes)).filter(|code| !code.is_empty());
        let string = |tag| get(tag).map(|value| text(value.bytes)).filter(|text| !text.is_empty());
        let required = |tag| string(tag).ok_or(Problem::Missing { tag });
        let number = |tag| get(tag).and_then(values::first_decimal);

        let sop_class_uid = class.ok_or(Problem::Missing { tag: tags::SOP_CLASS_UID })?;
        let sop_instance_uid = required(tags::SOP_INSTANCE_UID)?;
        let series_instance_uid = required(tags::SERIES_INSTANCE_UID)?;
        single_frame(wanted, &sop_class_uid)?;
        let modality = code(tags::MODALITY).unwrap_or_default();
        let (rows, columns) = (size(wanted, tags::ROWS)?, size(wanted, tags::COLUMNS)?);
        let pixels = pixel_format(wanted)?;
        let (pixel_offset, spare_bytes) = pixel_data(wanted, &syntax, rows, columns, &pixels, file_length)?;
        if wanted.get(tags::MODALITY_LUT_SEQUENCE).is_some() {
            return Err(Problem::ModalityLut);
        }
        Ok(SliceHeader {
            sop_class_uid,
            sop_instance_uid,
            frame: 0,
            series_instance_uid,
            frame_of_reference_uid: string(tags::FRAME_OF_REFERENCE_UID).unwrap_or_default(),
            modality,
            series_number: get(tags::SERIES_NUMBER).and_then(values::integer),
            instance_number: get(tags::INSTANCE_NUMBER).and_then(values::integer),
            image_type: get(tags::IMAGE_TYPE).map(|value| texts(value.bytes)).unwrap_or_default(),
            lossy: string(tags::LOSSY_IMAGE_COMPRESSION).is_some_and(|value| value == "01"),
            rows,
            columns,
            pixel_spacing_mm: pixel_spacing(wanted)?,
            position_mm: position(wanted)?,
            orientation: orientation(wanted)?,
            pixels,
            transfer_syntax: syntax,
            pixel_offset,
            spare_bytes,
            rescale: rescale(wanted)?,
            rescale_type: code(tags::RESCALE_TYPE),
            window: number(tags::WINDOW_CENTER).zip(number(tags::WINDOW_WIDTH)),
            kernel: code(tags::CONVOLUTION_KERNEL),
            kvp: number(tags::KVP),
            exposure_mas: number(tags::EXPOSURE),
            ctdi_vol_mgy: get(tags::CTD_IVOL).and_then(values::double),
        })
    }

    /// Bytes of the image when uncompressed.
    pub(crate) fn image_bytes(&self) -> u64 {
        image_bytes(self.rows, self.columns, &self.pixels)
    }
}

fn image_bytes(rows: usize, columns: usize, pixels: &PixelFormat) -> u64 {
    // At most 65535 x 65535 x 2.
    rows as u64 * columns as u64 * u64::from(pixels.bits_allocated / 8)
}

fn required<'a>(wanted: &Wanted<'a>, tag: Tag) -> Result<RawValue<'a>, Problem> {
    wanted.get(tag).filter(|value| !value.bytes.is_empty()).ok_or(Problem::Missing { tag })
}

fn unsigned(wanted: &Wanted, tag: Tag, expected: &'static str) -> Result<u32, Problem> {
    let value = required(wanted, tag)?;
    values::unsigned(value).ok_or_else(|| Problem::value(tag, &text(value.bytes), expected))
}

fn single_frame(wanted: &Wanted, class: &str) -> Result<(), Problem> {
    let frames = match wanted.get(tags::NUMBER_OF_FRAMES) {
        None => 1,
        Some(value) if value.bytes.is_empty() => 1,
        Some(value) => {
            values::integer(value).and_then(|frames| u64::try_from(frames).ok()).ok_or_else(|| {
                Problem::value(tags::NUMBER_OF_FRAMES, &text(value.bytes), "a number of at least 1")
            })?
        }
    };
    // Enhanced objects keep each frame's geometry in sequences, also when there is one frame only.
    let enhanced = [
        uids::ENHANCED_CT_IMAGE_STORAGE,
        uids::LEGACY_CONVERTED_ENHANCED_CT_IMAGE_STORAGE,
        uids::ENHANCED_MR_IMAGE_STORAGE,
        uids::LEGACY_CONVERTED_ENHANCED_MR_IMAGE_STORAGE,
        uids::ENHANCED_PET_IMAGE_STORAGE,
        uids::LEGACY_CONVERTED_ENHANCED_PET_IMAGE_STORAGE,
    ];
    if frames == 0 {
        return Err(Problem::number(tags::NUMBER_OF_FRAMES, frames, "a number of at least 1"));
    }
    if frames > 1 || enhanced.contains(&class) {
        return Err(Problem::MultiFrame { frames });
    }
    Ok(())
}

fn size(wanted: &Wanted, tag: Tag) -> Result<usize, Problem> {
    let expected = "a number of pixels from 1 to 65535";
    let pixels = unsigned(wanted, tag, expected)?;
    if pixels == 0 || pixels > 65535 {
        return Err(Problem::number(tag, pixels, expected));
    }
    usize::try_from(pixels).map_err(|_| Problem::number(tag, pixels, expected))
}

fn pixel_format(wanted: &Wanted) -> Result<PixelFormat, Problem> {
    let samples = match wanted.get(tags::SAMPLES_PER_PIXEL) {
        None => 1,
        Some(_) => unsigned(wanted, tags::SAMPLES_PER_PIXEL, "1 (grey values)")?,
    };
    if samples != 1 {
        return Err(Problem::number(tags::SAMPLES_PER_PIXEL, samples, "1 (grey values)"));
    }
    let photometric = text(required(wanted, tags::PHOTOMETRIC_INTERPRETATION)?.bytes);
    if photometric != "MONOCHROME1" && photometric != "MONOCHROME2" {
        return Err(Problem::Value {
            tag: tags::PHOTOMETRIC_INTERPRETATION,
            found: "another kind of colour".to_owned(),
            expected: "MONOCHROME2 or MONOCHROME1",
        });
    }
    let allocated = unsigned(wanted, tags::BITS_ALLOCATED, "16 or 8")?;
    let bits_allocated = match allocated {
        8 => 8,
        16 => 16,
        _ => return Err(Problem::number(tags::BITS_ALLOCATED, allocated, "16 or 8")),
    };
    let expected = "a number from 1 to Bits Allocated";
    let stored = unsigned(wanted, tags::BITS_STORED, expected)?;
    let bits_stored = match u16::try_from(stored) {
        Ok(bits) if (1..=bits_allocated).contains(&bits) => bits,
        _ => return Err(Problem::number(tags::BITS_STORED, stored, expected)),
    };
    if wanted.get(tags::HIGH_BIT).is_some_and(|value| !value.bytes.is_empty()) {
        // Readers differ on what another value means, so none is silently chosen.
        let expected = "one less than Bits Stored (PS3.3 C.7.6.3)";
        let high_bit = unsigned(wanted, tags::HIGH_BIT, expected)?;
        if high_bit != stored - 1 {
            return Err(Problem::number(tags::HIGH_BIT, high_bit, expected));
        }
    }
    let expected = "0 (unsigned) or 1 (two's complement)";
    let signed = match unsigned(wanted, tags::PIXEL_REPRESENTATION, expected)? {
        0 => false,
        1 => true,
        other => return Err(Problem::number(tags::PIXEL_REPRESENTATION, other, expected)),
    };
    Ok(PixelFormat { bits_allocated, bits_stored, signed, photometric })
}

/// Offset of the pixel data and the bytes it has beyond the image, checked against the file.
fn pixel_data(
    wanted: &Wanted,
    syntax: &str,
    rows: usize,
    columns: usize,
    pixels: &PixelFormat,
    file_length: u64,
) -> Result<(u64, u64), Problem> {
    let element = wanted.pixels.ok_or(Problem::NoPixels)?;
    let native = syntax::pixels_are_read(syntax);
    let declared = match element.length.map(u64::from) {
        None if native => return Err(Problem::Encapsulated),
        Some(length) if native => length,
        _ => return Ok((element.start, 0)),
    };
    let expected = image_bytes(rows, columns, pixels);
    let present = file_length.saturating_sub(element.start);
    if declared < expected {
        return Err(Problem::TooFewPixels { expected, found: declared });
    }
    if present < expected {
        return Err(Problem::CutInPixels { declared, present });
    }
    Ok((element.start, declared - expected))
}

fn pixel_spacing(wanted: &Wanted) -> Result<[f64; 2], Problem> {
    let expected = "two distances in mm, above 0";
    let value = required(wanted, tags::PIXEL_SPACING)?;
    let spacing = decimals::<2>(tags::PIXEL_SPACING, value, expected)?;
    if spacing.iter().any(|&mm| mm <= 0.0 || mm > FARTHEST_MM) {
        return Err(Problem::value(tags::PIXEL_SPACING, &text(value.bytes), expected));
    }
    Ok(spacing)
}

fn position(wanted: &Wanted) -> Result<[f64; 3], Problem> {
    let expected = "three coordinates in mm";
    let value = required(wanted, tags::IMAGE_POSITION_PATIENT)?;
    let position = decimals::<3>(tags::IMAGE_POSITION_PATIENT, value, expected)?;
    if position.iter().any(|mm| mm.abs() > FARTHEST_MM) {
        return Err(Problem::value(tags::IMAGE_POSITION_PATIENT, &text(value.bytes), expected));
    }
    Ok(position)
}

fn orientation(wanted: &Wanted) -> Result<[f64; 6], Problem> {
    let value = required(wanted, tags::IMAGE_ORIENTATION_PATIENT)?;
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

/// Slope and intercept, both or neither. A zero slope would erase the slice.
fn rescale(wanted: &Wanted) -> Result<Option<(f64, f64)>, Problem> {
    let one = |tag, value: RawValue| {
        let found = text(value.bytes);
        decimal(&found).ok_or_else(|| Problem::value(tag, &found, "one decimal number, such as 1 or -1024.5"))
    };
    match (wanted.get(tags::RESCALE_SLOPE), wanted.get(tags::RESCALE_INTERCEPT)) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(Problem::Missing { tag: tags::RESCALE_SLOPE }),
        (Some(_), None) => Err(Problem::Missing { tag: tags::RESCALE_INTERCEPT }),
        (Some(slope), Some(intercept)) => {
            let slope = one(tags::RESCALE_SLOPE, slope)?;
            let intercept = one(tags::RESCALE_INTERCEPT, intercept)?;
            if slope == 0.0 {
                return Err(Problem::number(tags::RESCALE_SLOPE, 0, "a number other than 0"));
            }
            Ok(Some((slope, intercept)))
        }
    }
}
