//! What `--no-patient-data` does to which attribute: the Basic Application Level Confidentiality Profile (PS3.15 annex E).
//!
//! The table is data, in `basic_profile.txt`. It is applied at every depth of sequences. Beyond it, attributes that
//! the dictionary does not know are removed, since what they hold cannot be known either; of the rest, `values` says what
//! may stay.

use std::collections::HashMap;
use std::sync::LazyLock;

use dicom_core::Tag;
use dicom_core::dictionary::DataDictionary;
use dicom_dictionary_std::StandardDataDictionary;

use crate::header::Vr;

const TABLE: &str = include_str!("basic_profile.txt");

static ACTIONS: LazyLock<HashMap<Tag, Action>> = LazyLock::new(|| rows().collect());

/// What is done with an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Keep,
    Remove,
    Empty,
    Dummy,
    NewUid,
}

/// The rows of the table.
pub(super) fn rows() -> impl Iterator<Item = (Tag, Action)> {
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(row)
}

fn row(line: &str) -> Option<(Tag, Action)> {
    let mut words = line.split_whitespace();
    let tag = u32::from_str_radix(words.next()?, 16).ok()?;
    let action = match words.next()?.chars().next()? {
        'X' => Action::Remove,
        'Z' => Action::Empty,
        'D' => Action::Dummy,
        'U' => Action::NewUid,
        _ => return None,
    };
    Some((Tag((tag >> 16) as u16, tag as u16), action))
}

/// What the profile does with the attribute `tag`.
pub(super) fn action(tag: Tag) -> Action {
    match ACTIONS.get(&tag) {
        Some(&action) => action,
        None if StandardDataDictionary.by_tag(tag).is_none() => Action::Remove,
        None => Action::Keep,
    }
}

/// A value of a VR that means nothing; empty for those that may be empty in every object.
pub(super) fn dummy(vr: Vr) -> &'static [u8] {
    match &vr {
        b"DA" => b"19000101",
        b"TM" => b"000000",
        b"DT" => b"19000101000000",
        b"AS" => b"000Y",
        b"DS" | b"IS" => b"0 ",
        b"US" | b"SS" => &[0; 2],
        b"UL" | b"SL" | b"FL" | b"AT" => &[0; 4],
        b"FD" | b"UV" | b"SV" => &[0; 8],
        b"AE" | b"CS" | b"LO" | b"LT" | b"PN" | b"SH" | b"ST" | b"UC" | b"UT" => b"REMOVED ",
        _ => b"",
    }
}

#[cfg(test)]
mod tests {
    use dicom_dictionary_std::tags;

    use super::*;

    #[test]
    fn every_row_of_the_table_is_read() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(rows().count(), lines);
        assert_eq!(ACTIONS.len(), lines, "a tag has two rows");
        assert_eq!(lines, 652);
    }

    #[test]
    fn the_first_of_several_actions_is_taken() {
        assert_eq!(action(tags::PATIENT_NAME), Action::Empty);
        assert_eq!(action(tags::PATIENT_ID), Action::Empty);
        assert_eq!(action(tags::INSTITUTION_NAME), Action::Remove);
        assert_eq!(action(tags::STUDY_INSTANCE_UID), Action::NewUid);
        assert_eq!(action(tags::CLINICAL_TRIAL_SPONSOR_NAME), Action::Dummy);
        assert_eq!(action(tags::ROWS), Action::Keep);
        assert_eq!(action(Tag(0x0010, 0x9999)), Action::Remove);
    }
}
