//! The elements that this crate reads, picked out of one pass over the data set.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::elements::{Element, Elements, Stop};
use super::values::RawValue;
use crate::syntax::Encoding;

/// In ascending order. None of them identifies a person but the UIDs, which leave the crate hashed only.
const WANTED: [Tag; 31] = [
    tags::IMAGE_TYPE,
    tags::SOP_CLASS_UID,
    tags::SOP_INSTANCE_UID,
    tags::MODALITY,
    tags::KVP,
    tags::EXPOSURE,
    tags::CONVOLUTION_KERNEL,
    tags::CTD_IVOL,
    tags::SERIES_INSTANCE_UID,
    tags::SERIES_NUMBER,
    tags::INSTANCE_NUMBER,
    tags::IMAGE_POSITION_PATIENT,
    tags::IMAGE_ORIENTATION_PATIENT,
    tags::FRAME_OF_REFERENCE_UID,
    tags::SAMPLES_PER_PIXEL,
    tags::PHOTOMETRIC_INTERPRETATION,
    tags::NUMBER_OF_FRAMES,
    tags::ROWS,
    tags::COLUMNS,
    tags::PIXEL_SPACING,
    tags::BITS_ALLOCATED,
    tags::BITS_STORED,
    tags::HIGH_BIT,
    tags::PIXEL_REPRESENTATION,
    tags::WINDOW_CENTER,
    tags::WINDOW_WIDTH,
    tags::RESCALE_INTERCEPT,
    tags::RESCALE_SLOPE,
    tags::RESCALE_TYPE,
    tags::LOSSY_IMAGE_COMPRESSION,
    tags::MODALITY_LUT_SEQUENCE,
];

/// The wanted elements of one data set.
pub(crate) struct Wanted<'a> {
    values: [Option<RawValue<'a>>; WANTED.len()],
    /// The pixel data element, where the scan stops.
    pub pixels: Option<Element>,
    /// Numbers are big-endian.
    pub big_endian: bool,
    /// The file ends inside an element (whose tag may be unknown) before the pixel data.
    pub cut: Option<Option<Tag>>,
}

impl<'a> Wanted<'a> {
    /// Scans from `offset` to the pixel data. `Err` is the number of bytes of the file that are needed.
    pub fn read(head: &'a [u8], file_length: u64, offset: u64, encoding: Encoding) -> Result<Self, u64> {
        let big_endian = encoding.big_endian;
        let mut wanted = Wanted { values: [None; WANTED.len()], pixels: None, big_endian, cut: None };
        match wanted.scan(Elements::new(head, file_length, offset, encoding), encoding) {
            Ok(()) => (),
            Err(Stop::NeedBytes(bytes)) => return Err(bytes),
            Err(Stop::CutOff(tag)) => wanted.cut = Some(tag),
        }
        Ok(wanted)
    }

    fn scan(&mut self, mut elements: Elements<'a>, encoding: Encoding) -> Result<(), Stop> {
        while let Some(element) = elements.peek()? {
            if element.tag == tags::PIXEL_DATA {
                self.pixels = Some(element);
                break;
            }
            // Elements ascend: past group 0028 without a size, the object is no image, however large it is.
            if element.tag.group() > 0x0028 && !self.describes_an_image() {
                break;
            }
            if let Ok(index) = WANTED.binary_search(&element.tag) {
                let bytes = elements.value(&element)?;
                let value = RawValue { vr: element.vr, bytes, big_endian: encoding.big_endian };
                if let Some(slot) = self.values.get_mut(index) {
                    *slot = Some(value);
                }
            }
            elements.skip(&element)?;
        }
        Ok(())
    }

    /// The value of an element that is in [`WANTED`] and in the file.
    pub fn get(&self, tag: Tag) -> Option<RawValue<'a>> {
        let index = WANTED.binary_search(&tag).ok()?;
        self.values.get(index).copied().flatten()
    }

    /// As [`get`](Self::get), without elements that are empty.
    pub fn filled(&self, tag: Tag) -> Option<RawValue<'a>> {
        self.get(tag).filter(|value| !value.bytes.is_empty())
    }

    /// Whether any element gives the size or depth of an image.
    pub fn describes_an_image(&self) -> bool {
        [tags::ROWS, tags::COLUMNS, tags::BITS_ALLOCATED].iter().any(|&tag| self.get(tag).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wanted_tags_ascend_so_that_they_can_be_searched() {
        assert!(WANTED.is_sorted_by(|a, b| a < b));
    }
}
