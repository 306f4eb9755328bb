//! Names for files, series and instances that are safe in a log.
//!
//! Paths and UIDs lead to a patient for whoever has the archive, so messages use a short hash of them
//! instead: enough to find the file again with the listing at hand, useless without it. The salt is a
//! constant, so that two runs over the same folder, or the job and the command, name things alike; it keeps
//! the ids apart from plain SHA-256 tables of UIDs, it does not hide a name from who can guess it.

use std::fmt;
use std::ops::RangeInclusive;

use sha2::{Digest, Sha256};

const SALT: &str = "tomobasis/1";

/// Hexadecimal digits of an id; ids of series have more where two would be the same.
pub(crate) const SHORTEST_ID: usize = 8;

/// The first 8 hexadecimal digits of SHA-256 over `tomobasis/1 NUL domain NUL text` (UTF-8).
///
/// `domain` keeps equal texts of different meaning apart: `"file"`, `"series"`, `"instance"`.
pub fn salted_id(domain: &str, text: &str) -> String {
    let mut id = salted_hash(domain, text);
    id.truncate(SHORTEST_ID);
    id
}

/// All 64 of them.
pub(crate) fn salted_hash(domain: &str, text: &str) -> String {
    let digest = Sha256::new()
        .chain_update(SALT)
        .chain_update([0])
        .chain_update(domain)
        .chain_update([0])
        .chain_update(text)
        .finalize();
    digest
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// How messages name a file: its place in the sorted listing and a hash of its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileLabel {
    /// Position in the sorted listing, from 0.
    pub index: usize,
    /// Number of files in the listing.
    pub count: usize,
    /// `salted_id("file", name)`.
    pub id: String,
}

impl fmt::Display for FileLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "file {} of {} (id {})", self.index + 1, self.count, self.id)
    }
}

/// The text of a [`FileLabel`], with `index` from 0.
///
/// ```
/// assert_eq!(tomobasis_dicom::file_label(16, 303, "a"), "file 17 of 303 (id fdaf70c3)");
/// ```
pub fn file_label(index: usize, count: usize, name: &str) -> String {
    FileLabel { index, count, id: salted_id("file", name) }.to_string()
}

/// Characters without a shape of their own (Unicode's categories Cf, Zl and Zp, version 13): they turn the direction of writing, join,
/// hide or end lines.
#[rustfmt::skip]
const SHAPELESS: [RangeInclusive<char>; 20] = [
    '\u{AD}'..='\u{AD}', '\u{600}'..='\u{605}', '\u{61C}'..='\u{61C}', '\u{6DD}'..='\u{6DD}', '\u{70F}'..='\u{70F}',
    '\u{8E2}'..='\u{8E2}', '\u{180E}'..='\u{180E}', '\u{200B}'..='\u{200F}', '\u{2028}'..='\u{202E}',
    '\u{2060}'..='\u{2064}', '\u{2066}'..='\u{206F}', '\u{FEFF}'..='\u{FEFF}', '\u{FFF9}'..='\u{FFFB}',
    '\u{110BD}'..='\u{110BD}', '\u{110CD}'..='\u{110CD}', '\u{13430}'..='\u{13438}', '\u{1BCA0}'..='\u{1BCA3}',
    '\u{1D173}'..='\u{1D17A}', '\u{E0001}'..='\u{E0001}', '\u{E0020}'..='\u{E007F}',
];

/// A text from outside, such as a file's name, fit for a terminal and a log: characters that move the cursor, change colors, turn
/// the direction of writing or are not seen are shown as `\u{1b}`.
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_shapeless(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    shown
}

/// The same for a JSON document, in the escapes of JSON (RFC 8259): its values stay what they are.
pub fn printable_json(document: &str) -> String {
    let mut shown = String::with_capacity(document.len());
    for c in document.chars() {
        // Line ends within strings are escaped already.
        if c != '\n' && is_shapeless(c) {
            shown.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            shown.push(c);
        }
    }
    shown
}

fn is_shapeless(c: char) -> bool {
    c.is_control() || SHAPELESS.iter().any(|range| range.contains(&c))
}

/// The same for text in lines of our own.
pub fn printable_lines(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        assert_eq!(
            printable("a\u{1b}[31m\r\nb\u{9b}c\u{202e}d\u{7f}"),
            "a\\u{1b}[31m\\u{d}\\u{a}b\\u{9b}c\\u{202e}d\\u{7f}"
        );
        assert_eq!(printable("\u{61c}\u{200b}\u{e0041}"), "\\u{61c}\\u{200b}\\u{e0041}");
        assert_eq!(printable("Kopf \u{e9} \u{1f600}"), "Kopf \u{e9} \u{1f600}");
        assert_eq!(printable_lines("a\n\u{1b}"), "a\n\\u{1b}");
        assert_eq!(
            printable_json("{\n\"a\u{202e}\": \"\u{7f}\u{e0041}\u{e9}\"}"),
            "{\n\"a\\u202e\": \"\\u007f\\udb40\\udc41\u{e9}\"}"
        );
    }

    #[test]
    fn a_label_counts_from_one_and_does_not_show_the_name() {
        let label = file_label(16, 303, "/scans/DOE^JOHN/1.dcm");
        assert!(label.starts_with("file 17 of 303 (id "), "{label}");
        assert!(!label.contains("DOE"));
        assert_ne!(label, file_label(16, 303, "/scans/DOE^JANE/1.dcm"));
    }

    #[test]
    fn an_id_is_the_hash_that_the_documentation_defines() {
        let id = salted_id("file", "a");
        // printf 'tomobasis/1\0file\0a' | sha256sum | cut -c1-8
        assert_eq!(id, "fdaf70c3");
        assert_ne!(id, salted_id("series", "a"));
    }
}
