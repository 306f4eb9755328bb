//! What an input has besides files that can be read: each is counted and reported, and where it could be a slice of the chosen series it
//! counts as one that cannot be used.
//!
//! Nothing is known of its content, so that is decided by what is known: a file with far fewer bytes than the slices' files, or
//! a link that is called otherwise, is no slice of them.

use std::collections::BTreeMap;

use super::group::Group;
use super::{Content, Inventory};
use crate::unread::Unread;

/// The last part of a path, with `0` for each run of letters and digits that has a digit: alike for the files of a series, whose names
/// count or are hashes.
pub(super) fn shape(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or(name);
    let (mut shape, mut word) = (String::new(), String::new());
    for c in last.chars().chain([' ']) {
        if c.is_alphanumeric() {
            word.push(c);
            continue;
        }
        shape.push_str(if word.contains(|c: char| c.is_ascii_digit()) { "0" } else { &word });
        word.clear();
        shape.push(c);
    }
    shape.pop();
    shape
}

impl Inventory {
    /// What is not read, in file order.
    pub(super) fn unread(&self) -> impl Iterator<Item = (usize, &Unread)> {
        self.unread.iter().filter_map(|&file| match &self.files.get(&file)?.content {
            Content::Unread(unread) => Some((file, unread)),
            _ => None,
        })
    }

    /// Of what is not read, that which could be a slice of the group.
    pub(super) fn unread_slices(&self, group: &Group) -> impl Iterator<Item = (usize, &Unread)> {
        let slices = group.slices.iter().filter(|_| !self.unread.is_empty());
        let files: Vec<_> = slices.filter_map(|slice| self.files.get(&slice.file)).collect();
        let shortest = files.iter().filter_map(|file| file.length).min().unwrap_or(0);
        self.unread().filter(move |(file, unread)| match (unread, self.files.get(file)) {
            (Unread::Special | Unread::FolderLink | Unread::LostAndFound | Unread::Program, _)
            | (_, None) => false,
            (Unread::Folder(_), _) => true,
            (Unread::HardLink, Some(this)) if this.length.is_none() => true,
            (_, Some(this)) => match this.length {
                Some(length) => length >= shortest / 2,
                None => files.iter().any(|file| file.shape == this.shape),
            },
        })
    }

    /// What is not read and how many of each: `1 special file, 2 unreadable files`. Empty when everything is.
    pub fn unread_kinds(&self) -> String {
        let mut kinds = BTreeMap::<_, usize>::new();
        self.unread().for_each(|(_, unread)| *kinds.entry(unread.nouns()).or_default() += 1);
        let texts = kinds
            .iter()
            .map(|([one, more], count)| format!("{count} {}", if *count == 1 { one } else { more }));
        texts.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_count_and_names_that_are_hashes_have_one_shape() {
        for name in ["a/IM0001", "IM0002", "3f2a9c01", "7"] {
            assert_eq!(shape(name), "0");
        }
        assert_eq!(
            (shape("b/1.2.840.dcm"), shape("slice_7.dcm")),
            ("0.0.0.dcm".to_owned(), "slice_0.dcm".to_owned())
        );
        assert_eq!(
            (shape("readme.txt"), shape(".#1.dcm"), shape("")),
            ("readme.txt".to_owned(), ".#0.dcm".to_owned(), String::new())
        );
    }
}
