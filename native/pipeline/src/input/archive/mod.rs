//! Archives: a zip, a tar or a tar.gz given as `--input` stands for the files in it; a gzip stream of anything else for that one file.
//!
//! | file | what |
//! |---|---|
//! | `tar` | the entries of a tar, sparse files and links too |
//! | `zip` | the entries of a zip |
//! | `gzip` | the members of a gzip stream |
//! | `links` | links of an archive to files of it |
//! | `content` | the bytes of an entry |
//!
//! Nothing is unpacked to disk, so entries may have any names. A [`list`] says where each entry's bytes are, so that whoever has the
//! archive can read its own: in a zip and a plain tar at once, in a gzip stream on the way through it ([`Stream`]). The
//! command and the tasks of the Spark job read by the same list. What an entry expands to is bounded by what is asked for,
//! and by the length that it declares. Entries that hold no file, or none that can be read, are listed with the reason. A
//! zip's checksums are compared when a file is read whole, a gzip stream's when the archive is listed. Archives
//! inside archives or inside folders are files like any other.

mod content;
mod gzip;
mod links;
mod tar;
mod zip;

use std::io::{self, Read, Seek, SeekFrom};

use serde::Serialize;
use tomobasis_dicom::{Unread, packed_format};

pub use content::{Stream, check, inflate, read};

use crate::error::{Error, Result, is_no_fault_of_input};

/// Bytes of a file that tell an archive.
pub const MAGIC_BYTES: u64 = 512;
/// Where an ISO 9660 file system has its mark (ECMA-119, 8.1).
const ISO_9660_MARK: u64 = 16 * 2048 + 1;

/// A kind of archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `PK`
    Zip,
    /// A header with `ustar` in it, or with the right checksum: tar is older than its magic.
    Tar,
    /// A gzip stream: of a tar, or of one file.
    Gzip,
}

/// The kind of archive that begins with these bytes; `None` for other files.
///
/// # Errors
/// [`Error::Input`] for formats that hold files and are not read, by name.
pub fn kind(head: &[u8]) -> Result<Option<Kind>> {
    match head {
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Ok(Some(Kind::Zip)),
        [0x1F, 0x8B, 8, ..] => Ok(Some(Kind::Gzip)),
        [b'P', b'K', 7, 8, ..] => Err(not_read("a zip in several parts")),
        _ if tar::is_header(head) => Ok(Some(Kind::Tar)),
        _ => packed_format(head).map_or(Ok(None), |format| Err(not_read(format))),
    }
}

fn not_read(format: &str) -> Error {
    Error::Input(format!(
        "its format is {format}, which is not read; unpack it, or pack the files as zip, tar or tar.gz"
    ))
}

/// The kind of archive that a file is. A zip may have other bytes before it, such as a program that unpacks it: it is known by its end.
///
/// # Errors
/// As [`kind`], and those of reading.
pub fn kind_of<R: Read + Seek>(file: &mut R) -> Result<Option<Kind>> {
    let mut head = Vec::new();
    file.rewind()
        .and_then(|()| file.take(MAGIC_BYTES).read_to_end(&mut head))
        .map_err(Error::unreadable_input)?;
    let known = kind(&head)?;
    if known.is_some() || head.is_empty() || head.get(128..132) == Some(b"DICM") {
        return Ok(known);
    }
    if zip::ends_as_zip(&mut *file) {
        return Ok(Some(Kind::Zip));
    }
    let mut volume = Vec::new();
    file.seek(SeekFrom::Start(ISO_9660_MARK))
        .and_then(|_| file.take(5).read_to_end(&mut volume))
        .map_err(Error::unreadable_input)?;
    if volume == b"CD001" {
        return Err(not_read("an image of a CD or DVD (ISO 9660)"));
    }
    let program = "a program or script, such as an archive that unpacks itself";
    if is_program(&head) { Err(not_read(program)) } else { Ok(None) }
}

/// How the bytes of an entry are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Packing {
    /// As they are, in a tar.
    Tar,
    /// As they are, in a zip, behind the entry's local header.
    ZipStored,
    /// Deflated, in a zip, behind the entry's local header.
    ZipDeflated,
    /// As they are, in what a gzip stream expands to.
    Gzip,
}

/// An entry of an archive, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Its path; empty for a gzip stream of one file.
    pub name: String,
    /// Its length.
    pub length: u64,
    /// How it is kept.
    pub packing: Packing,
    /// Where its bytes start, in a zip its local header; in a gzip stream, as that expands.
    pub start: u64,
    /// How many bytes it takes there, a zip's local header aside.
    pub size: u64,
    /// CRC-32 of its content, in a zip.
    pub crc: Option<u32>,
    /// Of a sparse file, offset and length of what is kept of it, one behind the other; the rest is zeros. Empty for other files.
    pub pieces: Vec<(u64, u64)>,
    /// Why it cannot be read.
    pub unread: Option<Unread>,
}

impl Listed {
    fn new(packing: Packing) -> Self {
        Self {
            name: String::new(),
            length: 0,
            packing,
            start: 0,
            size: 0,
            crc: None,
            pieces: Vec::new(),
            unread: None,
        }
    }

    /// Its length, where it has one.
    #[must_use]
    pub fn known_length(&self) -> Option<u64> {
        let contentless = match self.unread {
            Some(Unread::Special | Unread::Link | Unread::FolderLink) => true,
            // Some writers state the length of the file.
            Some(Unread::HardLink) => self.length == 0,
            _ => false,
        };
        (!contentless).then_some(self.length)
    }
}

/// What an archive holds, by the bytes of the names: the order of the input's files; last, what stands beside its entries in the file.
/// Folders are not listed.
///
/// # Errors
/// [`Error::Input`] for an archive that cannot be read or ends before its files do.
pub fn list<R: Read + Seek>(kind: Kind, mut archive: R) -> Result<Vec<Listed>> {
    let end = archive.seek(SeekFrom::End(0)).map_err(damaged)?;
    archive.rewind().map_err(damaged)?;
    let (files, beside) = match kind {
        Kind::Zip => zip::list(archive)?,
        Kind::Tar => {
            let skip = |tar: &mut R, bytes: u64| match i64::try_from(bytes.min(end.saturating_add(1))) {
                Ok(bytes) => tar.seek_relative(bytes),
                Err(_) => Err(io::ErrorKind::UnexpectedEof.into()),
            };
            tar::list(&mut archive, &skip, Packing::Tar).map_err(damaged)?
        }
        Kind::Gzip => list_gzip(archive).map_err(damaged)?,
    };
    // Seeking goes beyond the end without a word.
    if kind != Kind::Gzip && files.iter().any(|file| file.listed.start.saturating_add(file.listed.size) > end)
    {
        return Err(damaged(io::ErrorKind::UnexpectedEof));
    }
    let mut files = links::resolved(files);
    let beside = [(beside.program, Unread::Program), (beside.other, Unread::Beside)];
    for (length, what) in beside.into_iter().filter(|(length, _)| *length > 0) {
        files.push(Listed { length, unread: Some(what), ..Listed::new(Packing::Tar) });
    }
    Ok(files)
}

/// Bytes of an archive's file that are none of its entries.
#[derive(Clone, Copy, Default)]
struct Beside {
    /// Of a program before it.
    program: u64,
    other: u64,
}

/// Whether a file begins as a program or a script does.
fn is_program(head: &[u8]) -> bool {
    matches!(head, [b'#', b'!', ..] | [b'M', b'Z', ..] | [0x7F, b'E', b'L', b'F', ..])
}

fn gunzip<R: Read>(archive: R) -> gzip::Members<io::BufReader<R>> {
    gzip::Members::new(io::BufReader::with_capacity(content::BUFFER, archive))
}

fn list_gzip(archive: impl Read) -> io::Result<(Vec<links::Found>, Beside)> {
    let (mut stream, mut head) = (gunzip(archive), Vec::new());
    (&mut stream).take(MAGIC_BYTES).read_to_end(&mut head)?;
    let is_tar = tar::is_header(&head);
    let mut whole = io::Cursor::new(head).chain(stream);
    if !is_tar {
        let length = io::copy(&mut whole, &mut io::sink())?;
        let listed = Listed { length, size: length, ..Listed::new(Packing::Gzip) };
        return Ok((vec![links::Found::file(Vec::new(), listed)], Beside::default()));
    }
    let files = tar::list(&mut whole, &|tar, bytes| read_over(tar, bytes), Packing::Gzip)?;
    // Up to the checksum.
    io::copy(&mut whole, &mut io::sink())?;
    Ok(files)
}

fn read_over(stream: &mut impl Read, bytes: u64) -> io::Result<()> {
    let read = io::copy(&mut stream.take(bytes), &mut io::sink())?;
    if read == bytes { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// Whether an error of [`read`] is that the file is damaged, whose archive is as it is.
#[must_use]
pub fn is_damage(error: &io::Error) -> bool {
    let kinds = [io::ErrorKind::InvalidData, io::ErrorKind::InvalidInput, io::ErrorKind::UnexpectedEof];
    error.raw_os_error().is_none() && kinds.contains(&error.kind())
}

/// The error for an archive as a whole: its library's words may hold names, so only their kind is shown.
#[must_use]
pub fn damaged(error: impl Into<io::Error>) -> Error {
    let error = error.into();
    log::debug!("the archive cannot be read: {error}");
    if error.raw_os_error().is_some() || is_no_fault_of_input(&error) {
        return Error::unreadable_input(error);
    }
    let kind = match error.kind() {
        io::ErrorKind::InvalidInput => io::ErrorKind::InvalidData, // flate2's word for damaged data
        io::ErrorKind::FileTooLarge => {
            return Error::Input(
                "the archive goes on for more than 16 MiB behind its end, where more files may be; truncate it there, or \
                 unpack it first"
                    .to_owned(),
            );
        }
        io::ErrorKind::Unsupported => {
            return Error::Input(
                "the archive is one of several parts, and only whole ones are read; unpack it first"
                    .to_owned(),
            );
        }
        kind => kind,
    };
    Error::Input(format!("the archive is damaged, truncated or encrypted ({kind}); unpack it first"))
}

#[cfg(test)]
mod tests;
