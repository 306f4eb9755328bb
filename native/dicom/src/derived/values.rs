//! What may stand in an attribute that the profile keeps: without patient data a value goes over only if its form shows that nobody
//! typed it.
//!
//! PS3.15 lists the attributes that are known to identify. Names, dates and orders stand in others too: in retired attributes, in code
//! meanings, in what a vendor puts where. So what is not numbers is left out unless it is known:
//!
//! | VR | goes over |
//! |---|---|
//! | numbers in binary | all but what reads as text |
//! | DS, IS, AS | what is written as these are |
//! | CS | defined terms (`known`), up to the first other one |
//! | UI | those of the standard; others are replaced |
//! | SH, LO | kernels, units and manufacturers that are known; codes by their form, meanings that are defined terms |
//! | all others | nothing: PN, DA, TM, DT, AE, ST, LT, UT, UC, UR, and bytes (OB, OW, UN and the like) |
//!
//! A value in another VR than the attribute's is left out.

use dicom_core::dictionary::{DataDictionary, UidDictionary, VirtualVr};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, StandardSopClassDictionary, tags};

use super::profile::Action;
use crate::header::{Vr, texts};
use crate::known::{self, has};
use crate::syntax;

/// UIDs that the standard registers (PS3.6 annex A) beside SOP classes and transfer syntaxes: coding schemes and context groups, each
/// with a number of at most four digits behind.
const STANDARD_ROOTS: [&str; 3] = ["1.2.840.10008.2.6.", "1.2.840.10008.2.16.", "1.2.840.10008.6.1."];

/// Coding schemes by their designators (PS3.16 table 8-1).
const SCHEMES: [&str; 12] =
    ["DCM", "SCT", "SRT", "SNM3", "UCUM", "LN", "FMA", "RADLEX", "ACR", "NCIt", "MDC", "BI"];
/// Units as codes of UCUM.
const UCUM: [&str; 14] =
    ["1", "mm", "cm", "m", "s", "ms", "%", "g", "ml", "mm2/s", "1/s", "keV", "[hnsf'U]", "g/ml{SUVbw}"];

/// What is done with a value of an attribute that the profile keeps, and how many of its bytes stay.
pub(super) fn admit(tag: Tag, vr: Vr, value: &[u8]) -> (Action, usize) {
    let all = value.len();
    let kept = |fits: bool| (if fits { Action::Keep } else { Action::Remove }, all);
    if !is_vr_of(tag, vr) {
        return kept(false);
    }
    match &vr {
        b"US" | b"SS" | b"UL" | b"SL" | b"FL" | b"FD" | b"AT" | b"UV" | b"SV" => kept(!reads_as_text(value)),
        b"DS" => kept(each(value, |text| has(text, 0..=16, |b| b.is_ascii_digit() || b"+-.eE".contains(b)))),
        b"IS" => kept(each(value, |text| has(text, 0..=12, |b| b.is_ascii_digit() || b"+-".contains(b)))),
        b"AS" => kept(each(value, is_age)),
        b"CS" => coded(value),
        b"UI" if each(value, is_standard_uid) => kept(true),
        b"UI" => (Action::NewUid, all),
        b"SH" | b"LO" => (named(tag, value), all),
        _ => kept(false),
    }
}

/// Whether the dictionary gives an attribute this VR.
fn is_vr_of(tag: Tag, vr: Vr) -> bool {
    let numbers = [VR::US, VR::SS].map(|vr| vr.to_bytes());
    StandardDataDictionary.by_tag(tag).is_some_and(|entry| match entry.vr {
        VirtualVr::Exact(exact) => exact.to_bytes() == vr,
        VirtualVr::Xs | VirtualVr::Lt => numbers.contains(&vr),
        _ => false,
    })
}

/// Numbers whose bytes are all printable, but for a NUL at the end: eight such bytes in a row are text.
fn reads_as_text(value: &[u8]) -> bool {
    let text = value.strip_suffix(b"\0").unwrap_or(value);
    value.len() >= 8 && text.iter().all(|byte| (b' '..=b'~').contains(byte))
}

fn each(value: &[u8], fits: impl Fn(&str) -> bool) -> bool {
    texts(value).iter().all(|text| fits(text.as_str()))
}

fn is_age(text: &str) -> bool {
    let (number, unit) = text.split_at_checked(3).unwrap_or_default();
    text.is_empty() || (has(number, 3..=3, u8::is_ascii_digit) && matches!(unit, "D" | "W" | "M" | "Y"))
}

/// Whoever makes UIDs under the root of the standard names their own instances, so a root is not enough.
fn is_standard_uid(uid: &str) -> bool {
    let numbered =
        |root: &str| uid.strip_prefix(root).is_some_and(|number| has(number, 1..=4, u8::is_ascii_digit));
    uid.is_empty()
        || StandardSopClassDictionary.by_uid(uid).is_some()
        || syntax::find(uid).is_some()
        || STANDARD_ROOTS.into_iter().any(numbered)
}

/// Defined terms, up to the first that is none.
fn coded(value: &[u8]) -> (Action, usize) {
    let mut kept = 0_usize;
    for part in value.split_inclusive(|&byte| byte == b'\\') {
        if !each(part.strip_suffix(b"\\").unwrap_or(part), |term| term.is_empty() || known::is_coded(term)) {
            // Without the backslash before it.
            let kept = kept.saturating_sub(1);
            return (if kept == 0 { Action::Remove } else { Action::Keep }, kept);
        }
        kept += part.len();
    }
    (Action::Keep, kept)
}

/// Names of attributes that have known ones.
fn named(tag: Tag, value: &[u8]) -> Action {
    // A kernel and its strength are two values.
    let text = texts(value).join("\\");
    let (known, otherwise) = match tag {
        _ if text.is_empty() => return Action::Keep,
        tags::CONVOLUTION_KERNEL => (known::is_kernel(&text), Action::Remove),
        tags::RESCALE_TYPE => (known::unit(&text) == text, Action::Dummy),
        tags::MANUFACTURER => (known::is_maker(&text), Action::Remove),
        tags::FILTER_TYPE | tags::IMAGE_FILTER => (known::is_coded(&text), Action::Remove),
        tags::STACK_ID => (has(&text, 1..=4, u8::is_ascii_digit), Action::Remove),
        tags::CODING_SCHEME_VERSION => (has(&text, 1..=8, u8::is_ascii_digit), Action::Remove),
        tags::CODING_SCHEME_DESIGNATOR => (SCHEMES.contains(&text.as_str()), Action::Dummy),
        tags::CODE_VALUE => (is_code(&text), Action::Dummy),
        tags::CODE_MEANING => (known::is_coded(&text.to_ascii_uppercase()), Action::Dummy),
        _ => (false, Action::Remove),
    };
    if known { Action::Keep } else { otherwise }
}

/// A code of digits, one of SNOMED's former kind (`T-D1100`), or a unit.
fn is_code(text: &str) -> bool {
    let digits = has(text, 1..=16, u8::is_ascii_digit);
    let former = text.split_once('-').is_some_and(|(axis, code)| {
        has(axis, 1..=1, u8::is_ascii_uppercase) && has(code, 4..=6, |b| b.is_ascii_hexdigit())
    });
    digits || former || UCUM.contains(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(tag: Tag, vr: &Vr, value: &str) -> Action {
        admit(tag, *vr, value.as_bytes()).0
    }

    #[test]
    fn numbers_go_over_and_text_in_their_place_does_not() {
        assert_eq!(action(tags::KVP, b"DS", "120 "), Action::Keep);
        assert_eq!(action(tags::PIXEL_SPACING, b"DS", "0.5\\5e-1"), Action::Keep);
        assert_eq!(action(tags::KVP, b"DS", "DOE^JOHN"), Action::Remove);
        assert_eq!(action(tags::KVP, b"LO", "120 "), Action::Remove);
        assert_eq!(action(tags::SERIES_NUMBER, b"IS", "12"), Action::Keep);
        assert_eq!(action(tags::SERIES_NUMBER, b"IS", "12A"), Action::Remove);
        assert_eq!(admit(tags::ROWS, *b"US", &[0, 2]).0, Action::Keep);
        assert_eq!(admit(tags::SPIRAL_PITCH_FACTOR, *b"FD", &1.5_f64.to_le_bytes()).0, Action::Keep);
        for text in ["DOE^JOHN", "SMITHJO\0"] {
            assert_eq!(action(tags::SPIRAL_PITCH_FACTOR, b"FD", text), Action::Remove);
        }
        assert_eq!(action(tags::PATIENT_SIZE, b"AS", "033Y"), Action::Remove);
    }

    #[test]
    fn terms_go_over_up_to_the_first_unknown_one() {
        assert_eq!(admit(tags::IMAGE_TYPE, *b"CS", b"ORIGINAL\\PRIMARY\\AXIAL "), (Action::Keep, 23));
        assert_eq!(admit(tags::IMAGE_TYPE, *b"CS", b"ORIGINAL\\PRIMARY\\DOE\\AXIAL"), (Action::Keep, 16));
        assert_eq!(action(tags::IMAGE_TYPE, b"CS", "DOE\\AXIAL"), Action::Remove);
        assert_eq!(action(tags::PATIENT_POSITION, b"CS", "HFS "), Action::Keep);
        assert_eq!(action(tags::PATIENT_POSITION, b"CS", "DOE JOHN"), Action::Remove);
        assert_eq!(action(tags::SPECIFIC_CHARACTER_SET, b"CS", "ISO_IR 192"), Action::Keep);
    }

    #[test]
    fn uids_are_those_of_the_standard_or_new() {
        assert_eq!(
            action(tags::REFERENCED_SOP_CLASS_UID, b"UI", "1.2.840.10008.5.1.4.1.1.2\0"),
            Action::Keep
        );
        assert_eq!(action(tags::REFERENCED_SOP_CLASS_UID, b"UI", "1.3.6.1.4.1.4711"), Action::NewUid);
        for uid in ["1.2.840.10008.1.2.4.70", "1.2.840.10008.2.16.4", "1.2.840.10008.6.1.31"] {
            assert_eq!(action(tags::REFERENCED_SOP_CLASS_UID, b"UI", uid), Action::Keep, "{uid}");
        }
        for uid in [
            "1.2.840.10008.DOE",
            "1.2.840.10008.777.777",
            "1.2.840.10008.5.1.4.1.1.2.4711",
            "1.2.840.10008.6.1.47110815",
        ] {
            assert_eq!(action(tags::REFERENCED_SOP_CLASS_UID, b"UI", uid), Action::NewUid, "{uid}");
        }
    }

    #[test]
    fn names_are_known_ones() {
        for (tag, vr, kept, left) in [
            (tags::CONVOLUTION_KERNEL, b"SH", "Br40d\\3 ", "DOE^JOHN"),
            (tags::RESCALE_TYPE, b"LO", "HU", "DOE^JOHN"),
            (tags::MANUFACTURER, b"LO", "SIEMENS ", "DOE^JOHN"),
            (tags::CODE_VALUE, b"SH", "T-D1100 ", "QWXJK4711"),
            (tags::CODE_VALUE, b"SH", "69536005", "DOE-JOHN"),
            (tags::CODE_MEANING, b"LO", "Head", "DOE^JOHN"),
            (tags::CODING_SCHEME_DESIGNATOR, b"SH", "SRT ", "DOE^JOHN"),
        ] {
            assert_eq!(action(tag, vr, kept), Action::Keep, "{tag}");
            assert_ne!(action(tag, vr, left), Action::Keep, "{tag}");
        }
        // Text, names, dates and bytes of attributes that the profile does not list.
        for (tag, vr) in [
            (Tag(0x0014, 0x2006), b"PN"),
            (Tag(0x0014, 0x0104), b"LO"),
            (Tag(0x0040, 0x1006), b"SH"),
            (tags::TEXT_VALUE, b"UT"),
            (tags::RETRIEVE_URL, b"UR"),
            (tags::RETRIEVE_AE_TITLE, b"AE"),
            (tags::ICC_PROFILE, b"OB"),
        ] {
            assert_eq!(action(tag, vr, "DOE^JOHN"), Action::Remove, "{tag}");
        }
    }
}
