//! Why something in an input is not read, in words.

use std::fmt;

use serde::{Deserialize, Serialize};

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
    /// A file of an archive whose bytes are not those that were packed.
    Damaged,
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
            Unread::Damaged => f.write_str(
                "it is damaged in the archive (its bytes do not unpack, or not to its checksum); pack it again from its source",
            ),
            Unread::Program => f.write_str("it is the program that unpacks the archive"),
            Unread::Beside => f.write_str(
                "these are bytes before, between or behind the archive's entries, in its file; unpack it first, and look what they are",
            ),
        }
    }
}

impl Unread {
    /// What one is, and what several are.
    pub(crate) fn nouns(&self) -> [&'static str; 2] {
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
            Unread::Damaged => ["damaged file of an archive", "damaged files of an archive"],
            Unread::Program => ["program before its archive", "programs before their archives"],
            Unread::Beside => [
                "stretch of bytes beside an archive's entries",
                "stretches of bytes beside archives' entries",
            ],
        }
    }
}
