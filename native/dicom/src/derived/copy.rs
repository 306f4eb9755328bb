//! The attributes of a source instance, read in whatever encoding it has and kept as Explicit VR Little Endian.
//!
//! One pass over the file, with a stack of open sequences on the heap: any nesting takes memory in proportion to the file and
//! no recursion. Values are copied byte by byte (numbers of a big-endian file are swapped), so every character set goes over.
//! VRs that the source does not write are the dictionary's; unknown ones are UN.

use dicom_core::dictionary::{DataDictionary, VirtualVr};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, tags};

use super::attribute::{
    Attribute, Attributes, close_item, close_sequence, open_item, open_sequence, write_value,
};
use super::profile::{Action, dummy};
use super::uid::NewUids;
use super::values::admit;
use crate::header::{DataSetBytes, Element, Elements, Known, Stop, Vr, texts};
use crate::problem::Problem;
use crate::syntax::Encoding;

const ITEM: Tag = Tag(0xFFFE, 0xE000);
const ITEM_END: Tag = Tag(0xFFFE, 0xE00D);
const SEQUENCE_END: Tag = Tag(0xFFFE, 0xE0DD);

/// Groups from here on hold pixels, or what only belongs to the source file.
const FIRST_PIXEL_GROUP: u16 = 0x7FE0;

/// What is copied, and how.
pub(super) struct Rules<'a> {
    /// What to do with an attribute at the top (`true`) or inside a sequence.
    pub action: &'a dyn Fn(Tag, bool) -> Action,
    pub uids: NewUids,
    /// Of what is kept, only values that are known to identify nobody.
    pub known_only: bool,
    /// Pixels are signed, and with them the values whose VR is "US or SS".
    pub signed: bool,
}

/// Copies all attributes before the pixels.
pub(super) fn copy(source: &DataSetBytes, rules: &Rules) -> Result<Attributes, Problem> {
    let reader = Reader { source, rules };
    let mut attributes = Attributes::new();
    let mut at = source.offset;
    while let Some(element) = reader.next(at, source.encoding)? {
        if element.tag.group() >= FIRST_PIXEL_GROUP {
            break;
        }
        at = reader.end(&element, source.encoding)?;
        let action = reader.action(&element, true, source.encoding)?;
        let vr = reader.vr(&element);
        let value = match reader.content(&element, vr, source.encoding)? {
            _ if action == Action::Remove => None,
            Content::Items(_) if action != Action::Keep => Some(Vec::new()),
            Content::Items(encoding) => Some(reader.items(&element, encoding)?),
            Content::Value(value) => reader.value(element.tag, vr, value, action),
            Content::Fragments => None,
        };
        if let Some(value) = value {
            attributes.insert(element.tag, Attribute::new(vr, value));
        }
    }
    Ok(attributes)
}

struct Reader<'a> {
    source: &'a DataSetBytes<'a>,
    rules: &'a Rules<'a>,
}

enum Content<'a> {
    /// A sequence, whose items are in this encoding.
    Items(Encoding),
    Value(Value<'a>),
    /// Compressed pixels, of an icon for instance.
    Fragments,
}

#[derive(Clone, Copy)]
struct Value<'a> {
    bytes: &'a [u8],
    big_endian: bool,
}

/// An open sequence or item.
#[derive(Clone, Copy)]
struct Open {
    is_item: bool,
    /// `None` where a delimiter ends it.
    end: Option<u64>,
    encoding: Encoding,
}

impl<'a> Reader<'a> {
    fn elements(&self, at: u64, encoding: Encoding) -> Elements<'a> {
        let bytes: &'a [u8] = &self.source.bytes;
        Elements::new(Known::head(bytes), bytes.len() as u64, at, encoding)
    }

    fn next(&self, at: u64, encoding: Encoding) -> Result<Option<Element>, Problem> {
        self.elements(at, encoding).peek().map_err(|stop| self.truncated(stop))
    }

    fn end(&self, element: &Element, encoding: Encoding) -> Result<u64, Problem> {
        let mut elements = self.elements(element.start, encoding);
        elements.skip(element).map_err(|stop| self.truncated(stop))?;
        Ok(elements.position)
    }

    fn truncated(&self, stop: Stop) -> Problem {
        let tag = if let Stop::Truncated(tag) = stop { tag } else { None };
        Problem::Truncated { tag, length: self.source.bytes.len() as u64 }
    }

    fn vr(&self, element: &Element) -> Vr {
        let known = element.vr.filter(|vr| vr != b"UN");
        known.or_else(|| dictionary_vr(element.tag, self.rules.signed)).unwrap_or_else(|| {
            // An unknown element of undefined length is a sequence (PS3.5 section 6.2.2, note 4).
            if element.length.is_none() { *b"SQ" } else { *b"UN" }
        })
    }

    /// What is done with an element at the top or inside a sequence. A code whose scheme does not go over means nothing, so it does not
    /// either.
    fn action(&self, element: &Element, top: bool, encoding: Encoding) -> Result<Action, Problem> {
        let action = (self.rules.action)(element.tag, top);
        let is_code = self.rules.known_only && element.tag == tags::CODE_VALUE;
        Ok(match action {
            Action::Keep if is_code && !self.is_of_known_scheme(element, encoding)? => Action::Dummy,
            _ => action,
        })
    }

    /// Whether a known Coding Scheme Designator follows a Code Value.
    fn is_of_known_scheme(&self, code: &Element, encoding: Encoding) -> Result<bool, Problem> {
        let mut element = *code;
        while element.tag < tags::CODING_SCHEME_DESIGNATOR {
            match self.next(self.end(&element, encoding)?, encoding)? {
                Some(next) if next.tag > element.tag => element = next,
                _ => return Ok(false),
            }
        }
        let vr = self.vr(&element);
        Ok(match self.content(&element, vr, encoding)? {
            Content::Value(value) if element.tag == tags::CODING_SCHEME_DESIGNATOR => {
                admit(element.tag, vr, value.bytes).0 == Action::Keep && texts(value.bytes) != [""]
            }
            _ => false,
        })
    }

    /// What an element holds that is in `encoding`.
    fn content(&self, element: &Element, vr: Vr, encoding: Encoding) -> Result<Content<'a>, Problem> {
        let inside = self.elements(element.start, encoding).encoding_inside(element);
        let encoding = inside.map_err(|stop| self.truncated(stop))?;
        let bytes: &'a [u8] = &self.source.bytes;
        Ok(match element.length {
            _ if &vr == b"SQ" => Content::Items(encoding),
            None => Content::Fragments,
            Some(length) => {
                let start = usize::try_from(element.start).unwrap_or(usize::MAX);
                let bytes = bytes.get(start..start.saturating_add(length as usize)).unwrap_or(&[]);
                Content::Value(Value { bytes, big_endian: encoding.big_endian })
            }
        })
    }

    /// A value after its action, little-endian; none where it is left out.
    fn value(&self, tag: Tag, vr: Vr, mut value: Value, mut action: Action) -> Option<Vec<u8>> {
        if action == Action::Keep && self.rules.known_only {
            let (admitted, kept) = admit(tag, vr, value.bytes);
            action = admitted;
            value.bytes = value.bytes.get(..kept).unwrap_or_default();
        }
        Some(match action {
            Action::Remove => return None,
            Action::Empty => Vec::new(),
            Action::Dummy => dummy(vr).to_vec(),
            Action::NewUid => {
                let uids = texts(value.bytes);
                let new = uids.iter().filter(|uid| !uid.is_empty()).map(|uid| self.rules.uids.replace(uid));
                new.collect::<Vec<_>>().join("\\").into_bytes()
            }
            Action::Keep if value.big_endian => {
                let numbers = value.bytes.chunks(number_size(vr));
                numbers.flat_map(|number| number.iter().rev().copied()).collect()
            }
            Action::Keep => value.bytes.to_vec(),
        })
    }

    /// The items of a sequence as they are written, without the delimiter after the last.
    fn items(&self, sequence: &Element, encoding: Encoding) -> Result<Vec<u8>, Problem> {
        let mut out = Vec::new();
        let mut at = sequence.start;
        let end_of = |element: &Element| element.length.map(|length| element.start + u64::from(length));
        let mut open = vec![Open { is_item: false, end: end_of(sequence), encoding }];
        while let Some(&Open { is_item, end, encoding }) = open.last() {
            let broken = || Problem::Sequence { tag: sequence.tag };
            let element = match end {
                Some(end) if at == end => None,
                Some(end) if at > end => return Err(broken()),
                _ => Some(self.next(at, encoding)?.ok_or_else(broken)?),
            };
            match element {
                // Ended by its length or by its delimiter.
                None => close(&mut open, &mut out),
                Some(element) if element.tag == if is_item { ITEM_END } else { SEQUENCE_END } => {
                    at = element.start;
                    close(&mut open, &mut out);
                }
                Some(element) if !is_item && element.tag == ITEM => {
                    at = element.start;
                    open_item(&mut out);
                    open.push(Open { is_item: true, end: end_of(&element), encoding });
                }
                Some(element) if is_item && element.tag.group() != ITEM.group() => {
                    let (action, vr) = (self.action(&element, false, encoding)?, self.vr(&element));
                    match self.content(&element, vr, encoding)? {
                        Content::Items(encoding) if action == Action::Keep => {
                            at = element.start;
                            open_sequence(element.tag, &mut out);
                            open.push(Open { is_item: false, end: end_of(&element), encoding });
                            continue;
                        }
                        Content::Items(_) if action != Action::Remove => {
                            Attribute::sequence(&[]).write(element.tag, &mut out);
                        }
                        Content::Value(value) if action != Action::Remove => {
                            if let Some(value) = self.value(element.tag, vr, value, action) {
                                write_value(element.tag, vr, &value, &mut out);
                            }
                        }
                        _ => (),
                    }
                    at = self.end(&element, encoding)?;
                }
                Some(_) => return Err(broken()),
            }
        }
        Ok(out)
    }
}

/// Closes the innermost sequence or item; the outermost sequence is closed by who writes it.
fn close(open: &mut Vec<Open>, out: &mut Vec<u8>) {
    match open.pop() {
        Some(Open { is_item: true, .. }) => close_item(out),
        Some(_) if !open.is_empty() => close_sequence(out),
        _ => (),
    }
}

/// The VR of an attribute where the file does not say it.
fn dictionary_vr(tag: Tag, signed: bool) -> Option<Vr> {
    let vr = match StandardDataDictionary.by_tag(tag)?.vr {
        VirtualVr::Exact(VR::UN) => return None,
        VirtualVr::Exact(vr) => vr,
        VirtualVr::Xs if signed => VR::SS,
        VirtualVr::Xs => VR::US,
        _ => VR::OW,
    };
    Some(vr.to_bytes())
}

/// Bytes of one number of a VR: what changes its order with the encoding.
fn number_size(vr: Vr) -> usize {
    match &vr {
        b"AT" | b"OW" | b"SS" | b"US" => 2,
        b"FL" | b"OF" | b"OL" | b"SL" | b"UL" => 4,
        b"FD" | b"OD" | b"OV" | b"SV" | b"UV" => 8,
        _ => 1,
    }
}
