//! Functional groups (PS3.3 C.7.6.16): what the enhanced classes say of each frame, once for all frames (shared) or for each
//! (per frame), in sequences of sequences.
//!
//! Read are the elements of [`super::needed`] in the macros below. That one of them may be in either group, or at the top
//! level in converted objects, is left to who asks: a frame's own value comes first, then the shared one, then that of the top
//! level.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::elements::{Element, Elements, Stop};
use super::values::RawValue;

/// More frames than scanners write into one instance. What is kept of each bounds the memory for a file's headers.
pub(crate) const MOST_FRAMES: usize = 1 << 15;

/// Sequences in a group that hold needed elements, all with a single item.
const MACROS: [Tag; 22] = [
    tags::FRAME_CONTENT_SEQUENCE,
    tags::PLANE_POSITION_SEQUENCE,
    tags::PLANE_ORIENTATION_SEQUENCE,
    tags::PIXEL_MEASURES_SEQUENCE,
    tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE,
    tags::FRAME_VOILUT_SEQUENCE,
    tags::CT_IMAGE_FRAME_TYPE_SEQUENCE,
    tags::CT_RECONSTRUCTION_SEQUENCE,
    tags::CT_EXPOSURE_SEQUENCE,
    tags::CTX_RAY_DETAILS_SEQUENCE,
    tags::MR_IMAGE_FRAME_TYPE_SEQUENCE,
    tags::MR_ECHO_SEQUENCE,
    tags::MR_TIMING_AND_RELATED_PARAMETERS_SEQUENCE,
    tags::MR_MODIFIER_SEQUENCE,
    tags::MR_DIFFUSION_SEQUENCE,
    tags::CARDIAC_SYNCHRONIZATION_SEQUENCE,
    tags::RESPIRATORY_SYNCHRONIZATION_SEQUENCE,
    tags::TEMPORAL_POSITION_SEQUENCE,
    tags::PET_FRAME_TYPE_SEQUENCE,
    tags::X_RAY3_D_FRAME_TYPE_SEQUENCE,
    tags::UNASSIGNED_SHARED_CONVERTED_ATTRIBUTES_SEQUENCE,
    tags::UNASSIGNED_PER_FRAME_CONVERTED_ATTRIBUTES_SEQUENCE,
];

/// The needed elements of one group.
pub(crate) type Group<'a> = Vec<(Tag, RawValue<'a>)>;

/// The groups of a file.
#[derive(Clone, Default)]
pub(crate) struct Groups<'a> {
    pub shared: Group<'a>,
    pub frames: Vec<Group<'a>>,
}

/// One group per item of a sequence of functional groups, up to [`MOST_FRAMES`] and one more; and an element, if any, that has two
/// values in one item.
pub(crate) fn read<'a>(
    elements: &Elements<'a>,
    sequence: &Element,
    needed: impl Fn(Tag) -> bool,
) -> Result<(Vec<Group<'a>>, Option<Tag>), Stop> {
    let (mut groups, mut twice) = (Vec::new(), None);
    elements.children(sequence, |inside, item| {
        if groups.len() <= MOST_FRAMES {
            groups.push(group(inside, item, &needed, &mut twice)?);
        }
        Ok(())
    })?;
    Ok((groups, twice))
}

fn group<'a>(
    elements: &Elements<'a>,
    item: &Element,
    needed: &impl Fn(Tag) -> bool,
    twice: &mut Option<Tag>,
) -> Result<Group<'a>, Stop> {
    let mut values = Group::new();
    let mut met: Vec<Tag> = Vec::new();
    elements.children(item, |inside, sequence| {
        if !MACROS.contains(&sequence.tag) {
            return Ok(());
        }
        if met.contains(&sequence.tag) {
            twice.get_or_insert(sequence.tag);
        }
        met.push(sequence.tag);
        gather(inside, sequence, needed, &mut values, twice)
    })?;
    Ok(values)
}

/// The needed elements in the items of a sequence. One level below is entered only for gradient directions.
fn gather<'a>(
    elements: &Elements<'a>,
    sequence: &Element,
    needed: &impl Fn(Tag) -> bool,
    values: &mut Group<'a>,
    twice: &mut Option<Tag>,
) -> Result<(), Stop> {
    elements.children(sequence, |inside, item| {
        let mut own = Group::new();
        inside.children(item, |inside, element| {
            if element.tag == tags::DIFFUSION_GRADIENT_DIRECTION_SEQUENCE {
                return inside.children(element, |inside, item| {
                    inside.children(item, |inside, element| take(inside, element, needed, &mut own, twice))
                });
            }
            take(inside, element, needed, &mut own, twice)
        })?;
        for (tag, value) in own {
            if values.iter().all(|(known, _)| *known != tag) {
                values.push((tag, value));
            }
        }
        Ok(())
    })
}

fn take<'a>(
    elements: &Elements<'a>,
    element: &Element,
    needed: &impl Fn(Tag) -> bool,
    values: &mut Group<'a>,
    twice: &mut Option<Tag>,
) -> Result<(), Stop> {
    // The type of a frame stands for the type of the image.
    let tag = if element.tag == tags::FRAME_TYPE { tags::IMAGE_TYPE } else { element.tag };
    if needed(tag) {
        let value = RawValue::read(elements, element)?;
        match values.iter().find(|(known, _)| *known == tag) {
            Some((_, first)) if first.bytes != value.bytes => {
                twice.get_or_insert(tag);
            }
            Some(_) => (),
            None => values.push((tag, value)),
        }
    }
    Ok(())
}
