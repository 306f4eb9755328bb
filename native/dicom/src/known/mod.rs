//! Values that identify nobody, because they are fixed: defined terms, names of kernels, units and manufacturers.
//!
//! Any attribute of a file may hold what a person typed, the modality too. What is shown or published is therefore quoted only if it
//! is one of these (`values.txt`) or of their form.

use std::collections::HashSet;
use std::sync::LazyLock;

static VALUES: LazyLock<HashSet<(&str, &str)>> = LazyLock::new(|| {
    let lines = include_str!("values.txt").lines().filter(|line| !line.starts_with('#'));
    let of_line = |line: &'static str| line.split_once(' ').unwrap_or_default();
    lines.map(of_line).flat_map(|(kind, values)| values.split('|').map(move |value| (kind, value))).collect()
});

fn listed(kind: &'static str, value: &str) -> bool {
    VALUES.contains(&(kind, value))
}

/// What is shown in the place of a value that is not known.
pub(crate) const OTHER: &str = "OT";

/// A modality as it may be shown.
pub(crate) fn modality(value: &str) -> &str {
    let known = value.is_empty() || (value.len() <= 12 && is_coded(value));
    if known { value } else { OTHER }
}

/// A unit (Rescale Type, Units) as it may be shown: an unknown one is unspecified (PS3.3 C.11.1.1.2).
pub(crate) fn unit(value: &str) -> &str {
    if listed("unit", value) { value } else { "US" }
}

/// Whether a number of a header that is no measure of the slices' geometry or pixels is short enough to be shown: of more than five
/// digits it may be a date or an accession number that stands in the wrong place.
pub(crate) fn is_shown(number: f64) -> bool {
    number.abs() < 1e5
}

/// Whether a coded string is a defined term of some attribute.
pub(crate) fn is_coded(value: &str) -> bool {
    listed("coded", value) || is_character_set(value)
}

/// Whether a manufacturer is one of medical devices.
pub(crate) fn is_maker(value: &str) -> bool {
    listed("maker", value)
}

/// Whether this is a convolution kernel: one with a name, or letters and two digits, and perhaps a strength (`Br40d`, `I31f\3`, `FC08`).
pub(crate) fn is_kernel(value: &str) -> bool {
    let letters = value.bytes().take_while(u8::is_ascii_alphabetic).count();
    let rest = value.as_bytes().get(letters..).unwrap_or_default();
    let (digits, rest) = rest.split_at_checked(2).unwrap_or_default();
    let rest = match rest {
        [last, rest @ ..] if last.is_ascii_alphabetic() => rest,
        _ => rest,
    };
    let strength = match rest {
        [] => true,
        [b'-' | b'_' | b'\\', digit] => digit.is_ascii_digit(),
        _ => false,
    };
    let numbered =
        (1..=2).contains(&letters) && digits.len() == 2 && digits.iter().all(u8::is_ascii_digit) && strength;
    numbered || listed("kernel", value)
}

/// Specific Character Set (PS3.3 C.12.1.1.2).
fn is_character_set(value: &str) -> bool {
    let number = value.strip_prefix("ISO_IR ").or_else(|| value.strip_prefix("ISO 2022 IR "));
    matches!(value, "GB18030" | "GBK") || number.is_some_and(|number| has(number, 1..=3, u8::is_ascii_digit))
}

/// Whether a text has this many characters, all of a kind.
pub(crate) fn has(text: &str, length: std::ops::RangeInclusive<usize>, kind: impl Fn(&u8) -> bool) -> bool {
    length.contains(&text.len()) && text.bytes().all(|byte| kind(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_a_kind_that_is_asked_for() {
        let kinds: HashSet<&str> = VALUES.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, HashSet::from(["coded", "unit", "maker", "kernel"]));
        assert!(VALUES.iter().all(|(_, value)| !value.is_empty() && value.trim() == *value));
        // What a coded string can be (PS3.5 table 6.2-1).
        let coded = VALUES.iter().filter(|(kind, _)| *kind == "coded");
        for (_, value) in coded {
            let fits = |b: &u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b"_ ".contains(b);
            assert!(has(value, 1..=26, fits), "{value}");
        }
    }

    #[test]
    fn kernels_are_known_by_name_or_form() {
        for kernel in [
            "B30f", "H31s", "Br40d", "Br40d\\3", "I31f-3", "FC08", "FL05", "D30", "STANDARD", "BONEPLUS",
            "YA",
        ] {
            assert!(is_kernel(kernel), "{kernel}");
        }
        for other in ["", "DOE", "DOE^JOHN", "Doe1970", "B30fDOE", "B3", "4711", "Br40d\\33", "QW47x9"] {
            assert!(!is_kernel(other), "{other}");
        }
    }

    #[test]
    fn what_is_not_known_is_not_shown() {
        assert_eq!((modality("CT"), modality(""), modality("DOE JOHN")), ("CT", "", "OT"));
        assert_eq!((unit("HU"), unit("DOE^JOHN")), ("HU", "US"));
        assert!(
            is_coded("ISO_IR 192") && is_coded("AXIAL") && !is_coded("DOE JOHN") && !is_coded("ISO_IR DOE")
        );
        assert!(is_maker("SIEMENS") && !is_maker("St. Mary's"));
    }
}
