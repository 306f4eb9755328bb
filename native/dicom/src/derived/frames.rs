//! What a derived multi-frame instance says of its frames: the functional groups (PS3.3 C.7.6.16) of the source's frames.
//!
//! They go over as they are, the shared ones and those of each frame: place, spacing, rescale, window, content. What is new:
//!
//! | attribute | in the derived instance |
//! |---|---|
//! | Image Type, Frame Type (C.8.16.1) | `DERIVED`, then the source's; the fourth value, how pixels were calculated, is `ADDITION` |
//! | Derivation Image Sequence of each frame (C.7.6.16.2.6) | the frame it stands for, and the same as a code: pixel by pixel addition |
//! | Source Image Evidence Sequence | that instance, in its study and series |
//! | Dimension Index Values, In-Stack Position Number | the source's; where frames are left out, numbered anew |
//! | Concatenation attributes (C.7.6.16.2.2) | none: an instance is for itself |
//! | Device Serial Number | must be there, and software has none: `NONE` |
//!
//! A composite is a weighted sum of all slices, pixel by pixel: addition is the nearest of the terms and codes that the
//! standard has, and it asks for one.

use std::collections::BTreeMap;

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::Derivation;
use super::attribute::{Attribute, Attributes};
use super::describe::{source_image, source_uid};
use super::profile::Action;
use crate::header::{SliceHeader, Stop, texts};
use crate::problem::Problem;

/// What must be at the top of a multi-frame instance, though not of a single-frame one: it is the source's, and without patient data
/// what this leaves of it.
pub(super) fn needed(tag: Tag) -> Option<Action> {
    match tag {
        tags::CONTENT_DATE | tags::CONTENT_TIME => Some(Action::Dummy),
        tags::ACQUISITION_CONTEXT_SEQUENCE => Some(Action::Empty),
        _ => None,
    }
}

/// Image Type and Frame Type of a source that has fewer values than it should.
const USUAL_TYPE: [&str; 4] = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"];

const OF_CONCATENATIONS: [Tag; 5] = [
    tags::CONCATENATION_UID,
    tags::SOP_INSTANCE_UID_OF_CONCATENATION_SOURCE,
    tags::IN_CONCATENATION_NUMBER,
    tags::IN_CONCATENATION_TOTAL_NUMBER,
    tags::CONCATENATION_FRAME_OFFSET_NUMBER,
];

/// They name frames by their number.
const FRAME_NUMBERS: [Tag; 4] = [
    tags::REPRESENTATIVE_FRAME_NUMBER,
    tags::FRAME_NUMBERS_OF_INTEREST,
    tags::FRAME_OF_INTEREST_DESCRIPTION,
    tags::FRAME_OF_INTEREST_TYPE,
];

/// Sets what the instance says of its frames, which were these of the source, in this order.
pub(super) fn describe(
    attributes: &mut Attributes,
    frames: &[SliceHeader],
    derivation: &Derivation,
) -> Result<(), Problem> {
    let mut edit = |tag, change: &dyn Fn(&mut Vec<Attributes>) -> Result<(), Stop>| {
        let Some(sequence) = attributes.get_mut(&tag) else { return Ok(()) };
        let changed = sequence.items().and_then(|mut groups| change(&mut groups).map(|()| groups));
        *sequence = Attribute::sequence(&changed.map_err(|_| Problem::Sequence { tag })?);
        Ok(())
    };
    edit(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, &|groups| groups.iter_mut().try_for_each(mark_derived))?;
    let all = frames.first().map_or(0, |frame| frame.frames as usize) == frames.len();
    edit(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, &|groups| {
        let kept = frames.iter().map(|frame| groups.get(frame.frame as usize).cloned().unwrap_or_default());
        *groups = kept.collect();
        for (group, frame) in groups.iter_mut().zip(frames) {
            mark_derived(group)?;
            group.insert(tags::DERIVATION_IMAGE_SEQUENCE, derivation_image(frame, derivation));
        }
        if all { Ok(()) } else { renumber(groups) }
    })?;
    let image_type = attributes.get(&tags::IMAGE_TYPE).map(|attribute| texts(&attribute.value));
    attributes.insert(tags::IMAGE_TYPE, derived_type(&image_type.unwrap_or_default()));
    attributes.insert(tags::NUMBER_OF_FRAMES, Attribute::text(b"IS", &frames.len().to_string()));
    attributes.insert(tags::DEVICE_SERIAL_NUMBER, Attribute::text(b"LO", "NONE"));
    if let Some(first) = frames.first() {
        let evidence = evidence(attributes, first, derivation);
        attributes.insert(tags::SOURCE_IMAGE_EVIDENCE_SEQUENCE, evidence);
    }
    let gone = OF_CONCATENATIONS.iter().chain(FRAME_NUMBERS.iter().filter(|_| !all));
    gone.for_each(|tag| drop(attributes.remove(tag)));
    Ok(())
}

/// Says in a functional group that its frames are derived; from what, each frame says for itself.
fn mark_derived(group: &mut Attributes) -> Result<(), Stop> {
    group.remove(&tags::DERIVATION_IMAGE_SEQUENCE);
    // Each class has a sequence of its own for the frame's type.
    for sequence in group.values_mut().filter(|attribute| &attribute.vr == b"SQ") {
        let mut items = sequence.items()?;
        let mut types = items.iter_mut().filter_map(|item| item.get_mut(&tags::FRAME_TYPE)).peekable();
        if types.peek().is_some() {
            types.for_each(|frame_type| *frame_type = derived_type(&texts(&frame_type.value)));
            *sequence = Attribute::sequence(&items);
        }
    }
    Ok(())
}

fn derived_type(source: &[String]) -> Attribute {
    let given = source.iter().map(String::as_str);
    let missing = USUAL_TYPE.into_iter().skip(source.len());
    let mut values: Vec<&str> = given.chain(missing).collect();
    for (place, value) in [(0, "DERIVED"), (3, "ADDITION")] {
        values.splice(place..=place, [value]);
    }
    Attribute::text(b"CS", &values.join("\\"))
}

/// The item of the Derivation Image macro.
fn derivation_image(frame: &SliceHeader, derivation: &Derivation) -> Attribute {
    let mut source = source_image(frame, derivation);
    let number = (frame.frame + 1).to_string();
    source.insert(tags::REFERENCED_FRAME_NUMBER, Attribute::text(b"IS", &number));
    Attribute::sequence(&[Attributes::from([
        (tags::SOURCE_IMAGE_SEQUENCE, Attribute::sequence(&[source])),
        (tags::DERIVATION_CODE_SEQUENCE, Attribute::code("113042", "Pixel by pixel addition")),
    ])])
}

/// The instances that source image sequences name, by study and series: the one source.
fn evidence(attributes: &Attributes, source: &SliceHeader, derivation: &Derivation) -> Attribute {
    let uid = |uid: &str| Attribute::text(b"UI", uid);
    let instance = Attributes::from([
        (tags::REFERENCED_SOP_CLASS_UID, uid(&source.sop_class_uid)),
        (tags::REFERENCED_SOP_INSTANCE_UID, uid(&source_uid(&source.sop_instance_uid, derivation))),
    ]);
    let series = Attributes::from([
        (tags::REFERENCED_SOP_SEQUENCE, Attribute::sequence(&[instance])),
        (tags::SERIES_INSTANCE_UID, uid(&source_uid(&source.series_instance_uid, derivation))),
    ]);
    let mut study = Attributes::from([(tags::REFERENCED_SERIES_SEQUENCE, Attribute::sequence(&[series]))]);
    study.extend(attributes.get_key_value(&tags::STUDY_INSTANCE_UID).map(|(&tag, uid)| (tag, uid.clone())));
    Attribute::sequence(&[study])
}

/// Numbers the frames anew along their dimensions and in their stacks, from 1 and without gaps, in the order they had.
fn renumber(groups: &mut [Attributes]) -> Result<(), Stop> {
    let content = |group: &Attributes| {
        group.get(&tags::FRAME_CONTENT_SEQUENCE).map_or(Ok(Vec::new()), Attribute::items)
    };
    let contents = groups.iter().map(content).collect::<Result<Vec<_>, _>>()?;
    let mut along = BTreeMap::<Counted, BTreeMap<u32, u32>>::new();
    for (counted, number) in contents.iter().flatten().flat_map(numbers) {
        along.entry(counted).or_default().insert(number, 0);
    }
    for numbers in along.values_mut() {
        numbers.values_mut().zip(1..).for_each(|(new, number)| *new = number);
    }
    for (group, mut items) in groups.iter_mut().zip(contents) {
        for item in &mut items {
            let mut values = BTreeMap::<Tag, Vec<u8>>::new();
            for (counted, number) in numbers(item) {
                let new = along.get(&counted).and_then(|numbers| numbers.get(&number)).unwrap_or(&number);
                values.entry(counted.0).or_default().extend(new.to_le_bytes());
            }
            item.extend(values.into_iter().map(|(tag, value)| (tag, Attribute::new(*b"UL", value))));
        }
        if !items.is_empty() {
            group.insert(tags::FRAME_CONTENT_SEQUENCE, Attribute::sequence(&items));
        }
    }
    Ok(())
}

/// What frames are counted along: a dimension by its place, or a stack by its name.
type Counted = (Tag, Vec<u8>);

/// The numbers of a frame, each with what it counts along.
fn numbers(content: &Attributes) -> Vec<(Counted, u32)> {
    let values = |tag| {
        let value = content.get(&tag).map_or(&[][..], |attribute: &Attribute| &attribute.value);
        value.as_chunks::<4>().0.iter().map(|&bytes| u32::from_le_bytes(bytes))
    };
    let dimensions = values(tags::DIMENSION_INDEX_VALUES).enumerate();
    let dimension = |(place, number): (usize, u32)| {
        ((tags::DIMENSION_INDEX_VALUES, place.to_be_bytes().to_vec()), number)
    };
    let stack = content.get(&tags::STACK_ID).map_or(Vec::new(), |name| name.value.clone());
    let positions = values(tags::IN_STACK_POSITION_NUMBER)
        .map(|number| ((tags::IN_STACK_POSITION_NUMBER, stack.clone()), number));
    dimensions.map(dimension).chain(positions).collect()
}
