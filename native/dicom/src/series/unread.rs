//! What an input has besides files that can be read: each is counted and reported, and where it could be a slice of the chosen series it
//! counts as one that cannot be used.
//!
//! Nothing is known of its content, so that is decided by what is known: a file with far fewer bytes than the slices' files, or
//! a link that is called otherwise, is no slice of them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::group::Group;
use super::{Content, Inventory};

/// Why something in an input is not read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Unread {
    /// A FIFO, socket or device.
    Special,
    /// A link that leads nowhere, to itself, or out of the archive that it is in.
    Link,
    /// A hard link of an archive to a file that is not in it.
    HardLink,
    /// A link to a folder that it is in, or to one that is listed at its own place.
    FolderLink,
    /// `lost+found`, which file systems keep for themselves and only root may list.
    LostAndFound,
    /// A folder that cannot be listed, for a reason of the operating system.
    Folder(String),
    /// A file that cannot be read, for a reason of the operating system.
    File(String),
    /// An encrypted file of an archive.
    Encrypted,
    /// A file of an archive, packed by a method of this name.
    Method(String),
    /// Bytes of an archive's file that are none of its entries.
    Beside,
    /// A program or script before the archive that it unpacks.
    Program,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unread::Special => f.write_str("it is a FIFO, a socket or a device"),
            Unread::Link => f.write_str("it is a link that leads nowhere; mend or remove it"),
            Unread::HardLink => f.write_str(
                "it is a hard link to a file that is not in the archive; pack the files again, all of them together",
            ),
            Unread::FolderLink => f.write_str("it is a link to a folder that is listed in another place"),
            Unread::LostAndFound => f.write_str("it is lost+found, which only root may list"),
            Unread::Folder(reason) => {
                write!(f, "it is a folder that cannot be listed ({reason}); check its permissions")
            }
            Unread::File(reason) => {
                write!(f, "it cannot be read ({reason}); check its permissions and the disk")
            }
            Unread::Encrypted => f.write_str("it is encrypted; unpack the archive first"),
            Unread::Method(name) => {
                write!(f, "it is packed by {name}, which is not read; unpack the archive first")
            }
            Unread::Program => f.write_str("it is the program that unpacks the archive"),
            Unread::Beside => f.write_str(
                "these are bytes before, between or behind the archive's entries, in its file; unpack it first, and look what they are",
            ),
        }
    }
}

impl Unread {
    /// What one is, and what several are.
    fn nouns(&self) -> [&'static str; 2] {
        match self {
            Unread::Special => ["special file", "special files"],
            Unread::Link => ["link that leads nowhere", "links that lead nowhere"],
            Unread::HardLink => {
                ["hard link to a file outside the archive", "hard links to files outside the archive"]
            }
            Unread::FolderLink => ["link to a listed folder", "links to listed folders"],
            Unread::LostAndFound | Unread::Folder(_) => {
                ["folder that cannot be listed", "folders that cannot be listed"]
            }
            Unread::File(_) => ["unreadable file", "unreadable files"],
            Unread::Encrypted => ["encrypted file", "encrypted files"],
            Unread::Method(_) => ["file in an unknown packing", "files in an unknown packing"],
            Unread::Program => ["program before its archive", "programs before their archives"],
            Unread::Beside => [
                "stretch of bytes beside an archive's entries",
                "stretches of bytes beside archives' entries",
            ],
        }
    }
}

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
