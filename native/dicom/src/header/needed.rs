//! The elements that this crate reads, picked out of one pass over the data set.

use dicom_core::Tag;
use dicom_core::dictionary::DataDictionary;
use dicom_dictionary_std::StandardDataDictionary;
use dicom_dictionary_std::tags;

use super::classes::is_volumetric;
use super::elements::{Element, Elements, Stop};
use super::groups::{self, Group, Groups, MOST_FRAMES};
use super::joined::{FILE_MARK, JOINT, MOST_BEHIND, has_mark, is_in_pixels, starts_a_file};
use super::known::{Known, Need};
use super::values::{self, RawValue};
use crate::problem::Problem;
use crate::syntax::Encoding;

/// In ascending order. None of them identifies a person but the UIDs, which leave the crate hashed only, and Patient ID, of which
/// nothing but a hash is kept.
const NEEDED: [Tag; 71] = [
    tags::IMAGE_TYPE,
    tags::SOP_CLASS_UID,
    tags::SOP_INSTANCE_UID,
    tags::ACQUISITION_DATE,
    tags::CONTENT_DATE,
    tags::ACQUISITION_DATE_TIME,
    tags::ACQUISITION_TIME,
    tags::CONTENT_TIME,
    tags::MODALITY,
    tags::COMPLEX_IMAGE_COMPONENT,
    tags::PATIENT_ID,
    tags::SLICE_THICKNESS,
    tags::KVP,
    tags::ECHO_TIME,
    tags::INVERSION_TIME,
    tags::ECHO_NUMBERS,
    tags::TRIGGER_TIME,
    tags::X_RAY_TUBE_CURRENT,
    tags::EXPOSURE,
    tags::CONVOLUTION_KERNEL,
    tags::FLIP_ANGLE,
    tags::FRAME_ACQUISITION_DATE_TIME,
    tags::INVERSION_TIMES,
    tags::EFFECTIVE_ECHO_TIME,
    tags::DIFFUSION_B_VALUE,
    tags::DIFFUSION_GRADIENT_ORIENTATION,
    tags::X_RAY_TUBE_CURRENT_INM_A,
    tags::EXPOSURE_INM_AS,
    tags::CTD_IVOL,
    tags::STUDY_INSTANCE_UID,
    tags::SERIES_INSTANCE_UID,
    tags::SERIES_NUMBER,
    tags::ACQUISITION_NUMBER,
    tags::INSTANCE_NUMBER,
    tags::IMAGE_POSITION_PATIENT,
    tags::IMAGE_ORIENTATION_PATIENT,
    tags::FRAME_OF_REFERENCE_UID,
    tags::TEMPORAL_POSITION_IDENTIFIER,
    tags::STACK_ID,
    tags::TEMPORAL_POSITION_INDEX,
    tags::NOMINAL_CARDIAC_TRIGGER_DELAY_TIME,
    tags::FRAME_ACQUISITION_NUMBER,
    tags::CONCATENATION_UID,
    tags::IN_CONCATENATION_NUMBER,
    tags::IN_CONCATENATION_TOTAL_NUMBER,
    tags::CONCATENATION_FRAME_OFFSET_NUMBER,
    tags::NOMINAL_PERCENTAGE_OF_CARDIAC_PHASE,
    tags::NOMINAL_PERCENTAGE_OF_RESPIRATORY_PHASE,
    tags::TEMPORAL_POSITION_TIME_OFFSET,
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
    tags::PIXEL_PADDING_VALUE,
    tags::PIXEL_PADDING_RANGE_LIMIT,
    tags::WINDOW_CENTER,
    tags::WINDOW_WIDTH,
    tags::RESCALE_INTERCEPT,
    tags::RESCALE_SLOPE,
    tags::RESCALE_TYPE,
    tags::LOSSY_IMAGE_COMPRESSION,
    GE_PARAMETERS,
    GE_RAW_DATA_TYPE,
    tags::UNITS,
    tags::FRAME_REFERENCE_TIME,
];

/// Who reserved GE's private elements, and in them which part of a complex image it is (dcm2niix reads it likewise).
pub(super) const GE_PARAMETERS: Tag = Tag(0x0043, 0x0010);
pub(super) const GE_RAW_DATA_TYPE: Tag = Tag(0x0043, 0x102F);

/// The needed elements of one data set.
pub(crate) struct NeededElements<'a> {
    values: [Option<RawValue<'a>>; NEEDED.len()],
    /// The pixel data element, where the scan stops.
    pub pixels: Option<Element>,
    /// Numbers are big-endian.
    pub big_endian: bool,
    /// The bits of a cell that hold an overlay: of each Overlay Bit Position (60xx,0102), bit 0 apart, which is where overlays of
    /// their own have it.
    pub overlays: u16,
    /// What the header says of each frame, in the enhanced classes.
    pub groups: Groups<'a>,
    /// Extended Offset Table and its lengths (PS3.5 A.4): 8 bytes per frame each.
    offsets: [&'a [u8]; 2],
    /// The last element that was scanned.
    last: Option<Tag>,
    /// The last element that another one follows as elements do: what stands up to there can be relied on.
    reliable: Option<Tag>,
    /// Something else followed: a wrong length before, or damage, or an order that the standard does not have.
    out_of_step: bool,
    /// There is a Modality LUT Sequence with something in it.
    pub modality_lut: bool,
    /// The file ends inside an element (whose tag may be unknown) before the pixel data.
    pub truncated: Option<Option<Tag>>,
    /// What readers would understand in different ways.
    pub ambiguous: Option<Problem>,
}

/// How far a data set is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// To its end: elements behind pixel data of known length are asked for. The fragments of compressed pixel data would have to be
    /// walked for that, so what is behind them is seen where it is at hand, which is when they are decoded.
    End,
    /// To the pixel data, and behind it as far as the bytes at hand go.
    AtHand,
}

impl<'a> NeededElements<'a> {
    /// Scans from `offset`. `Err` says which bytes of the file are needed.
    pub fn read(
        known: Known<'a>,
        file_length: u64,
        offset: u64,
        encoding: Encoding,
        reach: Reach,
    ) -> Result<Self, Need> {
        let big_endian = encoding.big_endian;
        let mut needed = NeededElements {
            values: [None; NEEDED.len()],
            pixels: None,
            big_endian,
            overlays: 0,
            groups: Groups::default(),
            offsets: [&[]; 2],
            last: None,
            reliable: None,
            out_of_step: false,
            modality_lut: false,
            truncated: None,
            ambiguous: None,
        };
        let mut elements = Elements::new(known, file_length, offset, encoding);
        match needed.scan(&mut elements) {
            Ok(()) if needed.out_of_step => (),
            Ok(()) => needed.reliable = needed.last,
            Err(Stop::Need(need)) => return Err(need),
            Err(Stop::Truncated(tag)) => {
                needed.truncated = Some(tag);
                // The file ends between two elements, or in the header of one.
                if tag.is_none() && !needed.out_of_step {
                    needed.reliable = needed.last;
                }
            }
        }
        if let Some(pixels) = needed.pixels {
            match needed.behind(elements, &pixels, reach) {
                Err(Stop::Need(need)) if reach == Reach::End && pixels.length.is_some() => return Err(need),
                // A file that ends in the pixels is another matter, and what is no element is none that readers find.
                Ok(()) | Err(Stop::Need(_) | Stop::Truncated(_)) => (),
            }
        }
        Ok(needed)
    }

    /// What is behind the pixel data, and whether another file is there or, if these were truncated before, in them.
    fn behind(&mut self, mut elements: Elements<'a>, pixels: &Element, reach: Reach) -> Result<(), Stop> {
        let most = if reach == Reach::End { MOST_BEHIND } else { u64::MAX };
        if let Err(stop) = elements.skip(pixels) {
            let rest = elements.between(pixels.start, pixels.start.saturating_add(most))?;
            if has_mark(rest) {
                self.ambiguous = Some(Problem::AnotherFile);
            }
            return Err(stop);
        }
        let at_hand = elements.between(pixels.start, elements.position);
        let ends_here = elements.position == elements.file_length();
        let mut end = elements.position;
        let seen = self.elements_behind(elements, &mut end);
        if let Err(Stop::Need(_)) = seen {
            return seen;
        }
        let is_behind = end < elements.file_length()
            && has_mark(elements.between(end.saturating_sub(JOINT), end.saturating_add(most))?);
        let is_in_pixels = at_hand.is_ok_and(|bytes| is_in_pixels(bytes, pixels.start, ends_here));
        if is_behind || is_in_pixels {
            self.ambiguous = Some(Problem::AnotherFile);
        }
        seen
    }

    /// Elements behind the pixel data. The standard has them ascend, so what this crate reads cannot be there; readers that
    /// take it from there get other pixels than those that stop at the pixel data. `end` becomes where those that ascend end.
    fn elements_behind(&mut self, mut elements: Elements<'a>, end: &mut u64) -> Result<(), Stop> {
        let mut last = Some(tags::PIXEL_DATA);
        while let Some(element) = elements.peek()? {
            if starts_a_file(elements.ahead(FILE_MARK)?) {
                self.ambiguous = Some(Problem::AnotherFile);
                break;
            }
            if element.tag == Tag(0, 0) {
                elements.skip_zeros(MOST_BEHIND)?;
                continue;
            }
            if element.tag.group() < 0x0008 {
                break;
            }
            if element.tag == tags::PIXEL_DATA {
                self.ambiguous.get_or_insert(Problem::Twice { tag: element.tag });
            } else if is_read(element.tag) {
                self.ambiguous.get_or_insert(Problem::BehindPixels { tag: element.tag });
            }
            elements.skip(&element)?;
            last = last.filter(|&last| last < element.tag).map(|_| element.tag);
            if last.is_some() {
                *end = elements.position;
            }
        }
        Ok(())
    }

    fn scan(&mut self, elements: &mut Elements<'a>) -> Result<(), Stop> {
        while let Some(element) = elements.peek()? {
            self.step(&element, elements.encoding);
            if element.tag == tags::PIXEL_DATA {
                self.pixels = Some(element);
                break;
            }
            // Elements ascend: past group 0028 without a size, the object is no image, however large it is. One whose class is made
            // of slices may have them out of order.
            if element.tag.group() > 0x0028 && !self.describes_an_image() && !self.is_volumetric() {
                break;
            }
            match element.tag {
                // Zeros where an element should begin are the preamble of another file, or what was never written.
                Tag(0, 0) => {
                    if has_mark(elements.ahead(FILE_MARK)?) {
                        self.ambiguous = Some(Problem::AnotherFile);
                        break;
                    }
                    elements.skip_zeros(MOST_BEHIND)?;
                    continue;
                }
                tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE => {
                    let groups = self.groups_of(elements, &element)?;
                    self.once(&element, self.groups.shared.is_empty());
                    self.groups.shared = groups.into_iter().next().unwrap_or_default();
                }
                tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE => {
                    let groups = self.groups_of(elements, &element)?;
                    self.once(&element, self.groups.frames.is_empty());
                    self.groups.frames = groups;
                }
                tags::EXTENDED_OFFSET_TABLE | tags::EXTENDED_OFFSET_TABLE_LENGTHS => {
                    let [offsets, lengths] = &mut self.offsets;
                    let table = if element.tag == tags::EXTENDED_OFFSET_TABLE { offsets } else { lengths };
                    let first = table.is_empty();
                    if element.length.is_some_and(|length| length as usize <= 8 * MOST_FRAMES) {
                        *table = elements.whole_value(&element)?;
                    }
                    self.once(&element, first);
                }
                tag if is_overlay_bit(tag) => {
                    let bit = values::unsigned(RawValue::read(elements, &element)?);
                    self.overlays |= bit.filter(|bit| (1..16).contains(bit)).map_or(0, |bit| 1 << bit);
                }
                tags::MODALITY_LUT_SEQUENCE => elements.children(&element, |inside, item| {
                    inside.children(item, |_, _| {
                        self.modality_lut = true;
                        Ok(())
                    })
                })?,
                tag if is_needed(tag) => {
                    let value = RawValue::read(elements, &element)?;
                    self.once(&element, self.element(tag).is_none_or(|first| first.bytes == value.bytes));
                    self.set(tag, value);
                }
                _ => (),
            }
            elements.skip(&element)?;
        }
        Ok(())
    }

    /// Notes the next element, and whether it is one that may follow the last.
    fn step(&mut self, element: &Element, encoding: Encoding) {
        let ascends = self.last.is_none_or(|last| last < element.tag);
        self.out_of_step |=
            !ascends || element.tag == Tag(0, 0) || (element.vr.is_none() && encoding.explicit);
        // Without a VR any eight bytes are an element.
        let is_known = element.vr.is_some() || StandardDataDictionary.by_tag(element.tag).is_some();
        if !self.out_of_step && is_known {
            self.reliable = self.last;
        }
        self.last = Some(element.tag);
    }

    /// Whether the header was followed to its end: elements that are not known here are not in the file.
    pub fn is_whole(&self) -> bool {
        self.pixels.is_some() || (self.truncated.is_none() && !self.out_of_step)
    }

    /// What is wrong with a header that is not whole.
    pub fn why_not_whole(&self, file_length: u64) -> Problem {
        match self.truncated {
            Some(tag) => Problem::Truncated { tag, length: file_length },
            None if self.last == Some(Tag(0, 0)) => Problem::Blank,
            None => Problem::OutOfStep,
        }
    }

    fn groups_of(&mut self, elements: &Elements<'a>, sequence: &Element) -> Result<Vec<Group<'a>>, Stop> {
        let (groups, twice) = groups::read(elements, sequence, is_needed)?;
        if let Some(tag) = twice {
            self.ambiguous.get_or_insert(Problem::Twice { tag });
        }
        Ok(groups)
    }

    /// Of an element that occurs twice readers take the first or the last.
    fn once(&mut self, element: &Element, is_once: bool) {
        if !is_once {
            self.ambiguous.get_or_insert(Problem::Twice { tag: element.tag });
        }
    }

    fn set(&mut self, tag: Tag, value: RawValue<'a>) {
        if let Ok(index) = NEEDED.binary_search(&tag)
            && let Some(slot) = self.values.get_mut(index)
        {
            *slot = Some(value);
        }
    }

    /// What holds for one frame: its own values, else the shared ones, else those of the top level.
    pub fn frame(&self, frame: usize) -> Self {
        let mut needed = NeededElements { groups: Groups::default(), ambiguous: None, ..*self };
        let own = self.groups.frames.get(frame);
        for (tag, value) in self.groups.shared.iter().chain(own.into_iter().flatten()) {
            needed.set(*tag, *value);
        }
        needed
    }

    /// Offset, from the first fragment, and length of a frame, as the Extended Offset Table has them.
    pub fn fragment(&self, frame: usize) -> Option<(u64, u64)> {
        let number = |table: &[u8]| table.as_chunks::<8>().0.get(frame).copied().map(u64::from_le_bytes);
        let [offsets, lengths] = self.offsets.map(number);
        offsets.zip(lengths)
    }

    /// The value of an element that is in [`NEEDED`] and in the file. An empty one, or one of padding only, is absent: so writers
    /// leave out what they do not know (PS3.5 section 7.4).
    pub fn get(&self, tag: Tag) -> Option<RawValue<'a>> {
        self.element(tag).filter(|value| !value.is_empty(tag))
    }

    /// Whether the scan came past `tag`, so that what was found of it is what the file says.
    pub fn passed(&self, tag: Tag) -> bool {
        self.pixels.is_some() || self.reliable.is_some_and(|last| last >= tag)
    }

    fn element(&self, tag: Tag) -> Option<RawValue<'a>> {
        let index = NEEDED.binary_search(&tag).ok()?;
        self.values.get(index).copied().flatten()
    }

    fn is_volumetric(&self) -> bool {
        self.element(tags::SOP_CLASS_UID).is_some_and(|class| is_volumetric(&values::text(class.bytes)))
    }

    /// Whether any element gives the size or depth of an image.
    pub fn describes_an_image(&self) -> bool {
        [tags::ROWS, tags::COLUMNS, tags::BITS_ALLOCATED].iter().any(|&tag| self.element(tag).is_some())
    }
}

fn is_needed(tag: Tag) -> bool {
    NEEDED.binary_search(&tag).is_ok()
}

/// Overlay Bit Position.
fn is_overlay_bit(tag: Tag) -> bool {
    matches!(tag, Tag(0x6000..=0x60FF, 0x0102))
}

/// Whether anything depends on the element.
fn is_read(tag: Tag) -> bool {
    let sequences = [
        tags::MODALITY_LUT_SEQUENCE,
        tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
        tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE,
        tags::EXTENDED_OFFSET_TABLE,
        tags::EXTENDED_OFFSET_TABLE_LENGTHS,
    ];
    is_needed(tag) || is_overlay_bit(tag) || sequences.contains(&tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_needed_tags_ascend_so_that_they_can_be_searched() {
        assert!(NEEDED.is_sorted_by(|a, b| a < b));
    }
}
