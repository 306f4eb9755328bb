//! Header values as text and numbers (PS3.5 section 6.2), with the padding that writers use.

use dicom_core::dictionary::DataDictionary;
use dicom_core::{Tag, VR};
use dicom_dictionary_std::StandardDataDictionary;

use super::elements::{Element, Elements, Stop, Vr};
use crate::problem::Problem;

/// One needed element: its bytes and what is known of their type.
#[derive(Clone, Copy)]
pub(crate) struct RawValue<'a> {
    pub vr: Option<Vr>,
    pub bytes: &'a [u8],
    pub big_endian: bool,
}

impl<'a> RawValue<'a> {
    /// The value of `element`. What a writer did not know (UN) is little-endian in every encoding (PS3.5 section 6.2.2).
    pub fn read(elements: &Elements<'a>, element: &Element) -> Result<Self, Stop> {
        let bytes = elements.value(element)?;
        let big_endian = elements.encoding.big_endian && element.vr != Some(*b"UN");
        Ok(RawValue { vr: element.vr, bytes, big_endian })
    }

    /// What it is by its own word, or else by the standard's.
    fn known_vr(&self, tag: Tag) -> Option<Vr> {
        let by_standard = || StandardDataDictionary.by_tag(tag)?.vr.exact().map(VR::to_bytes);
        self.vr.filter(|vr| vr != b"UN").or_else(by_standard)
    }

    /// No bytes or, of text, nothing but padding.
    pub fn is_empty(&self, tag: Tag) -> bool {
        let is_text =
            self.known_vr(tag).is_some_and(|vr| matches!(&vr, b"CS" | b"DS" | b"IS" | b"LO" | b"SH" | b"UI"));
        self.bytes.is_empty() || (is_text && text(self.bytes).is_empty())
    }
}

/// Text without the spaces and NULs around it. Bytes outside UTF-8 become U+FFFD: no character set stops a
/// read, and nothing here depends on letters outside ASCII.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_matches([' ', '\0', '\t', '\r', '\n']).to_owned()
}

/// The backslash-separated values of a text element.
pub(crate) fn texts(bytes: &[u8]) -> Vec<String> {
    bytes.split(|&b| b == b'\\').map(text).collect()
}

/// A short code of the header (CS, SH) fit for a listing: printable ASCII, at most 16 characters.
pub(crate) fn code(bytes: &[u8]) -> String {
    text(bytes).chars().filter(|c| c.is_ascii() && !c.is_ascii_control()).take(16).collect()
}

/// Decimal strings have at most 16 characters; writers exceed that, but not by much.
const LONGEST_DECIMAL: usize = 64;

/// One decimal string (DS) as the nearest `f64`. Only what the standard allows: no `nan`, `inf` or comma.
pub(crate) fn decimal(text: &str) -> Option<f64> {
    let allowed = |b: u8| b.is_ascii_digit() || b"+-.eE".contains(&b);
    if text.len() > LONGEST_DECIMAL || !text.bytes().all(allowed) {
        return None;
    }
    text.parse::<f64>().ok().filter(|value| value.is_finite())
}

/// Exactly `N` decimal strings.
pub(crate) fn decimals<const N: usize>(
    tag: Tag,
    value: RawValue<'_>,
    expected: &'static str,
) -> Result<[f64; N], Problem> {
    let wrong = || Problem::value(tag, &text(value.bytes), expected);
    let parsed: Option<Vec<f64>> = texts(value.bytes).iter().map(|item| decimal(item)).collect();
    parsed.and_then(|numbers| numbers.try_into().ok()).ok_or_else(wrong)
}

/// The first of the decimal or integer strings of an element (DS, IS).
fn first_decimal(value: RawValue) -> Option<f64> {
    decimal(texts(value.bytes).first()?)
}

/// The first integer string of an element (IS), also when written as `3.0`.
pub(crate) fn integer(value: RawValue) -> Option<i64> {
    let number = first_decimal(value)?;
    (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
}

/// The numbers of an element: text (DS, IS) or binary (FL, FD), as it says of itself, or else as the standard says of its tag.
pub(crate) fn numbers(tag: Tag, value: RawValue) -> Vec<Option<f64>> {
    let finite = |number: f64| Some(number).filter(|number| number.is_finite());
    match value.known_vr(tag).as_ref() {
        Some(b"FD") => {
            let number = if value.big_endian { f64::from_be_bytes } else { f64::from_le_bytes };
            value.bytes.as_chunks().0.iter().map(|&bytes| finite(number(bytes))).collect()
        }
        Some(b"FL") => {
            let number = if value.big_endian { f32::from_be_bytes } else { f32::from_le_bytes };
            // As it is shown: 10.1, and not the float64 that the float32 next to 10.1 is.
            let shown = |bytes: &[u8; 4]| number(*bytes).to_string().parse().ok().and_then(finite);
            value.bytes.as_chunks().0.iter().map(shown).collect()
        }
        _ => texts(value.bytes).iter().map(|text| decimal(text)).collect(),
    }
}

/// The first number of an element.
pub(crate) fn number(tag: Tag, value: RawValue) -> Option<f64> {
    numbers(tag, value).first().copied().flatten()
}

/// An unsigned integer (US, UL), also where the writer stored it as text (IS, DS).
pub(crate) fn unsigned(value: RawValue) -> Option<u32> {
    if let Some(b"IS" | b"DS") = value.vr.as_ref() {
        return u32::try_from(integer(value)?).ok();
    }
    match *value.bytes {
        [a, b] => Some(u32::from(if value.big_endian {
            u16::from_be_bytes([a, b])
        } else {
            u16::from_le_bytes([a, b])
        })),
        [a, b, c, d] if value.big_endian => Some(u32::from_be_bytes([a, b, c, d])),
        [a, b, c, d] => Some(u32::from_le_bytes([a, b, c, d])),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw<'a>(vr: Option<&[u8; 2]>, bytes: &'a [u8]) -> RawValue<'a> {
        RawValue { vr: vr.copied(), bytes, big_endian: false }
    }

    #[test]
    fn a_decimal_string_is_the_nearest_double() {
        assert_eq!(decimal("0.1"), Some(0.1));
        assert_eq!(decimal("+1.5E-3"), Some(0.0015));
        assert_eq!(decimal("2.0002442002442"), Some(2.0002442002442));
        assert_eq!(first_decimal(raw(None, b" -1024 \\0 ")), Some(-1024.0));
    }

    #[test]
    fn what_is_no_decimal_string_is_refused() {
        for bad in ["", &"1".repeat(65), "1,5", "nan", "inf", "-Infinity", "1e999", "1 2", "0x10", "1d0"] {
            assert_eq!(decimal(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_number_is_read_as_its_element_or_else_the_standard_says() {
        // Nominal Percentage of Cardiac Phase is FL, Diffusion b-value FD, Slice Thickness DS.
        let [phase, b_value, thickness] = [Tag(0x0020, 0x9241), Tag(0x0018, 0x9087), Tag(0x0018, 0x0050)];
        let (single, double) = (10.1_f32.to_le_bytes(), 10.1_f64.to_le_bytes());
        for tag in [phase, b_value, thickness] {
            assert_eq!(number(tag, raw(Some(b"FL"), &single)), Some(10.1));
            assert_eq!(number(tag, raw(Some(b"FD"), &double)), Some(10.1));
            assert_eq!(number(tag, raw(Some(b"DS"), b"10.1")), Some(10.1));
            assert_eq!(number(tag, raw(Some(b"IS"), b"10 ")), Some(10.0));
        }
        for vr in [None, Some(b"UN")] {
            assert_eq!(number(phase, raw(vr, &single)), Some(10.1));
            assert_eq!(number(b_value, raw(vr, &double)), Some(10.1));
            assert_eq!(number(thickness, raw(vr, b"10.1")), Some(10.1));
        }
        let big = RawValue { vr: Some(*b"FL"), bytes: &10.1_f32.to_be_bytes(), big_endian: true };
        assert_eq!(number(phase, big), Some(10.1));
        assert_eq!(number(phase, raw(Some(b"FL"), &f32::NAN.to_le_bytes())), None);
        assert_eq!(number(phase, raw(Some(b"FL"), &single[..3])), None);
    }

    #[test]
    fn an_unsigned_integer_is_read_as_short_long_or_text() {
        assert_eq!(unsigned(raw(Some(b"US"), &[0, 2])), Some(512));
        assert_eq!(unsigned(raw(None, &[0, 2, 0, 0])), Some(512));
        assert_eq!(unsigned(raw(Some(b"IS"), b"512 ")), Some(512));
        assert_eq!(unsigned(raw(Some(b"IS"), b"-1")), None);
        assert_eq!(unsigned(raw(Some(b"US"), &[])), None);
    }

    #[test]
    fn text_of_any_character_set_is_read() {
        assert_eq!(text(b"CT\0\0"), "CT");
        assert_eq!(texts(b"ORIGINAL\\PRIMARY \\AXIAL"), ["ORIGINAL", "PRIMARY", "AXIAL"]);
        assert_eq!(text(&[0xB1, 0xE8]), "\u{fffd}\u{fffd}");
    }
}
