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

    /// No bytes or, of text, nothing but padding.
    pub fn is_empty(&self, tag: Tag) -> bool {
        let known = |vr: &Vr| vr != b"UN";
        let vr = self.vr.filter(known).or_else(|| {
            let entry = StandardDataDictionary.by_tag(tag)?;
            entry.vr.exact().map(VR::to_bytes)
        });
        let is_text = vr.is_some_and(|vr| matches!(&vr, b"CS" | b"DS" | b"IS" | b"LO" | b"SH" | b"UI"));
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
pub(crate) fn first_decimal(value: RawValue) -> Option<f64> {
    decimal(texts(value.bytes).first()?)
}

/// The first integer string of an element (IS), also when written as `3.0`.
pub(crate) fn integer(value: RawValue) -> Option<i64> {
    let number = first_decimal(value)?;
    (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
}

/// A binary double (FD).
pub(crate) fn double(value: RawValue) -> Option<f64> {
    let bytes = *value.bytes.first_chunk::<8>()?;
    let number = if value.big_endian { f64::from_be_bytes(bytes) } else { f64::from_le_bytes(bytes) };
    number.is_finite().then_some(number)
}

/// Three of them.
pub(crate) fn doubles(value: RawValue) -> Option<[f64; 3]> {
    let (eights, _) = value.bytes.as_chunks::<8>();
    let one = |bytes: &[u8; 8]| double(RawValue { bytes, ..value });
    match eights {
        [a, b, c] => Some([one(a)?, one(b)?, one(c)?]),
        _ => None,
    }
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
