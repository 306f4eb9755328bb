//! [`SliceHeader`]: the checked description of one slice.

use std::ops::Range;

use dicom_dictionary_std::tags;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::acquisition::Acquisition;
use super::checks;
use super::format::{ByteOrder, PixelFormat, Rescale};
use super::needed::NeededElements;
use super::values::{self, text, texts};
use crate::buffer::LONGEST_FILE;
use crate::problem::Problem;

/// Which part of a multi-frame image an instance is that was written in several (PS3.3 C.7.6.16.2.2.4).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Concatenation {
    /// Concatenation UID.
    pub uid: String,
    /// In-concatenation Number, from 1.
    pub number: u32,
    /// In-concatenation Total Number, which headers may lack.
    pub total: Option<u32>,
    /// Concatenation Frame Offset Number: frames in the parts before.
    pub frames_before: u32,
}

/// What one slice is: its identity, place, pixel format, rescale and acquisition. No attribute of the patient but a hash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SliceHeader {
    /// SOP Class UID.
    pub sop_class_uid: String,
    /// SOP Instance UID, empty when absent.
    pub sop_instance_uid: String,
    /// Frame within the instance, from 0.
    pub frame: u32,
    /// Frames of the instance.
    pub frames: u32,
    /// A hash of Patient ID, to be compared within one input and to go nowhere; `None` when absent.
    pub patient: Option<u64>,
    /// Where it is in a concatenation, when it is.
    pub concatenation: Option<Box<Concatenation>>,
    /// Study Instance UID, empty when absent.
    pub study_instance_uid: String,
    /// Series Instance UID, empty when absent.
    pub series_instance_uid: String,
    /// Frame of Reference UID, empty when absent.
    pub frame_of_reference_uid: String,
    /// Modality, `CT` and so on.
    pub modality: String,
    /// Series Number.
    pub series_number: Option<i64>,
    /// Instance Number.
    pub instance_number: Option<i64>,
    /// Temporal Position Index of a frame, or Temporal Position Identifier, from 1.
    pub temporal_position: Option<u32>,
    /// Values of Image Type.
    pub image_type: Vec<String>,
    /// Compressed with loss, now or at some time before.
    pub lossy: bool,
    /// Pixel rows.
    pub rows: usize,
    /// Pixel columns.
    pub columns: usize,
    /// Distance between rows, then between columns, mm; `None` when Pixel Spacing is absent or not two distances.
    pub pixel_spacing_mm: Option<[f64; 2]>,
    /// Image Position (Patient): center of the first pixel, mm.
    pub position_mm: [f64; 3],
    /// Image Orientation (Patient): direction along a row, then along a column.
    pub orientation: [f64; 6],
    /// How a pixel is stored.
    pub pixels: PixelFormat,
    /// Transfer Syntax UID.
    pub transfer_syntax: String,
    /// Offset of the pixel data's value in the file, of all frames.
    pub pixel_offset: u64,
    /// Offset from the first fragment, and length, of a compressed frame, where an Extended Offset Table has them.
    pub fragment: Option<(u64, u64)>,
    /// How uncompressed pixels lie in the file.
    pub byte_order: ByteOrder,
    /// Bytes of the pixel data beyond the images; 0 for compressed ones.
    pub spare_bytes: u64,
    /// Pixel Padding Value and Range Limit: stored pixels from the first to the second hold nothing.
    pub padding: Option<[i32; 2]>,
    /// The bits of a cell in which old files keep overlays.
    pub overlays: u16,
    /// Rescale Slope and Intercept.
    pub rescale: Rescale,
    /// Rescale Type, `HU` for instance; of PET, Units.
    pub rescale_type: Option<String>,
    /// First Window Center and Window Width.
    pub window: Option<(f64, f64)>,
    /// Convolution Kernel.
    pub kernel: Option<String>,
    /// KVP: tube voltage, kV.
    pub kvp: Option<f64>,
    /// X-Ray Tube Current, mA.
    pub tube_current_ma: Option<f64>,
    /// Exposure, mAs.
    pub exposure_mas: Option<f64>,
    /// CTDIvol, mGy.
    pub ctdi_vol_mgy: Option<f64>,
    /// What tells volumes of one series apart.
    pub acquisition: Acquisition,
}

impl SliceHeader {
    /// Checks and gathers the elements of an image: one slice per frame.
    pub(crate) fn all(
        needed: &NeededElements,
        class: Option<String>,
        syntax: &str,
        file_length: u64,
    ) -> Result<Vec<Self>, Problem> {
        if let Some(Problem::AnotherFile) = &needed.ambiguous {
            return Err(Problem::AnotherFile);
        }
        if !needed.is_whole() {
            return Err(needed.why_not_whole(file_length));
        }
        if needed.pixels.is_none() && !needed.describes_an_image() {
            return Err(Problem::NoPixels);
        }
        if let Some(problem) = &needed.ambiguous {
            return Err(problem.clone());
        }
        let class = class.ok_or(Problem::Missing { tag: tags::SOP_CLASS_UID })?;
        let frames = checks::frames(needed, &class)?;
        let slice = |frame: u32| {
            let own = needed.frame(frame as usize);
            let header = Self::new(&own, &class, syntax, file_length, (frame, frames));
            let in_frame = |problem| Problem::Frame { frame: frame + 1, problem: Box::new(problem) };
            header.map_err(|problem| if frames > 1 { in_frame(problem) } else { problem })
        };
        // As many as there are functional groups: no growing, which would hold them twice.
        let mut all = Vec::with_capacity(frames as usize);
        for frame in 0..frames {
            all.push(slice(frame)?);
        }
        Ok(all)
    }

    /// One of this many frames.
    fn new(
        needed: &NeededElements,
        class: &str,
        syntax: &str,
        file_length: u64,
        (frame, frames): (u32, u32),
    ) -> Result<Self, Problem> {
        let code =
            |tag| needed.get(tag).map(|value| values::code(value.bytes)).filter(|code| !code.is_empty());
        let string = |tag| needed.get(tag).map(|value| text(value.bytes)).unwrap_or_default();
        let number = |tag| values::number(tag, needed.get(tag)?);
        let integer = |tag| needed.get(tag).and_then(values::integer);

        let (rows, columns) = (checks::size(needed, tags::ROWS)?, checks::size(needed, tags::COLUMNS)?);
        let pixels = checks::pixel_format(needed)?;
        let byte_order = checks::byte_order(needed, &pixels);
        let modality = code(tags::MODALITY).unwrap_or_default();
        let image_type = needed.get(tags::IMAGE_TYPE).map(|value| texts(value.bytes)).unwrap_or_default();
        if image_type.iter().any(|value| value == "MOSAIC") {
            return Err(Problem::Mosaic);
        }
        let image_bytes = image_bytes(rows, columns, &pixels);
        let expected = image_bytes * u64::from(frames);
        if frames > 1 && byte_order == ByteOrder::SwappedPairs && !image_bytes.is_multiple_of(2) {
            // A word would hold pixels of two frames.
            return Err(Problem::Syntax { uid: syntax.to_owned() });
        }
        let (pixel_offset, spare_bytes) = checks::pixel_data(needed, syntax, expected, file_length)?;
        if pixel_offset > LONGEST_FILE {
            return Err(Problem::FarPixels { offset: pixel_offset, limit: LONGEST_FILE });
        }
        if needed.modality_lut {
            return Err(Problem::ModalityLut);
        }
        Ok(SliceHeader {
            sop_class_uid: class.to_owned(),
            sop_instance_uid: string(tags::SOP_INSTANCE_UID),
            frame,
            frames,
            patient: needed.get(tags::PATIENT_ID).map(|value| hash(&text(value.bytes))),
            concatenation: concatenation(needed).map(Box::new),
            study_instance_uid: string(tags::STUDY_INSTANCE_UID),
            series_instance_uid: string(tags::SERIES_INSTANCE_UID),
            frame_of_reference_uid: string(tags::FRAME_OF_REFERENCE_UID),
            acquisition: Acquisition::read(needed, &modality, &image_type),
            modality,
            series_number: integer(tags::SERIES_NUMBER),
            instance_number: integer(tags::INSTANCE_NUMBER),
            temporal_position: needed.get(tags::TEMPORAL_POSITION_INDEX).and_then(values::unsigned).or_else(
                || integer(tags::TEMPORAL_POSITION_IDENTIFIER).and_then(|number| u32::try_from(number).ok()),
            ),
            image_type,
            lossy: checks::lossy(needed, syntax),
            rows,
            columns,
            pixel_spacing_mm: checks::pixel_spacing(needed),
            position_mm: checks::position(needed)?,
            orientation: checks::orientation(needed)?,
            padding: checks::padding(needed, &pixels),
            overlays: needed.overlays,
            pixels,
            transfer_syntax: syntax.to_owned(),
            pixel_offset,
            fragment: needed.fragment(frame as usize),
            byte_order,
            spare_bytes,
            rescale: checks::rescale(needed)?,
            rescale_type: code(tags::RESCALE_TYPE).or_else(|| code(tags::UNITS)),
            window: number(tags::WINDOW_CENTER).zip(number(tags::WINDOW_WIDTH)),
            kernel: code(tags::CONVOLUTION_KERNEL),
            kvp: number(tags::KVP),
            tube_current_ma: number(tags::X_RAY_TUBE_CURRENT)
                .or_else(|| number(tags::X_RAY_TUBE_CURRENT_INM_A)),
            exposure_mas: number(tags::EXPOSURE).or_else(|| number(tags::EXPOSURE_INM_AS)),
            ctdi_vol_mgy: number(tags::CTD_IVOL),
        })
    }

    /// Where its uncompressed pixels are in the file.
    pub(crate) fn native_range(&self) -> Range<u64> {
        let before = u64::from(self.frame) * self.image_bytes();
        let start = self.pixel_offset + before;
        // Swapped words are read whole.
        let odd = self.byte_order == ByteOrder::SwappedPairs && !self.image_bytes().is_multiple_of(2);
        start..start + self.image_bytes() + u64::from(odd)
    }

    /// Bytes of the image when uncompressed.
    pub(crate) fn image_bytes(&self) -> u64 {
        image_bytes(self.rows, self.columns, &self.pixels)
    }
}

fn hash(text: &str) -> u64 {
    Sha256::digest(text).iter().take(8).fold(0, |hash, &byte| hash << 8 | u64::from(byte))
}

fn concatenation(needed: &NeededElements) -> Option<Concatenation> {
    let number = |tag| needed.get(tag).and_then(values::unsigned);
    Some(Concatenation {
        uid: needed.get(tags::CONCATENATION_UID).map(|value| text(value.bytes))?,
        number: number(tags::IN_CONCATENATION_NUMBER)?,
        total: number(tags::IN_CONCATENATION_TOTAL_NUMBER),
        frames_before: number(tags::CONCATENATION_FRAME_OFFSET_NUMBER).unwrap_or(0),
    })
}

fn image_bytes(rows: usize, columns: usize, pixels: &PixelFormat) -> u64 {
    // At most 65535 x 65535 x 2.
    rows as u64 * columns as u64 * u64::from(pixels.bits_allocated / 8)
}
