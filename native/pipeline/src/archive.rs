//! Archives of a folder: zip, tar and tar.gz, each entry of which is a file of the input.
//!
//! Nothing is unpacked to disk, so entries may have any names. An archive is walked in its own order, and the caller reads as
//! much of an entry as it needs: what an entry expands to is bounded by what is asked for, and by the length that
//! it declares. In a zip and a plain tar, entries that are not wanted are seeked over; a gzip stream has to be read up to the
//! last wanted entry. Archives inside archives or inside folders are files like any other. A zip's checksums are compared when a
//! file is read whole, a gzip stream's when the archive is listed.
//!
//! The Spark job takes the [`list`] only: it says where each entry's bytes are, so that any task can read its own.

use std::io::{self, Read, Seek, SeekFrom};

use flate2::{
    Crc,
    read::{DeflateDecoder, MultiGzDecoder},
};
use rawzip::{CompressionMethod, RECOMMENDED_BUFFER_SIZE, ZipArchive, ZipArchiveEntryWayfinder};
use serde::Serialize;

use crate::error::{Error, Result};

/// Bytes of a file that tell an archive.
pub const MAGIC_BYTES: u64 = 265;
/// Longer entries are not slices: as long as what the job can hold of a file.
const LONGEST: u64 = (1 << 31) - 9;
/// Headers and contents of a tar take whole blocks, and two of zeros are its end (POSIX, pax: ustar interchange format).
const TAR_BLOCK: u64 = 512;

/// A kind of archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `PK`
    Zip,
    /// `ustar` in the first header.
    Tar,
    /// A gzip stream, which holds a tar.
    TarGz,
}

/// The kind of archive that begins with these bytes; `None` for other files.
#[must_use]
pub fn kind(head: &[u8]) -> Option<Kind> {
    match head {
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Kind::Zip),
        [0x1F, 0x8B, 8, ..] => Some(Kind::TarGz),
        _ if head.get(257..262) == Some(b"ustar") => Some(Kind::Tar),
        _ => None,
    }
}

/// A file in an archive.
pub struct Entry<'a> {
    /// Its place in the archive's order, files only.
    pub index: usize,
    /// Its path.
    pub name: String,
    /// Its length.
    pub length: u64,
    crc: Option<u32>,
    reader: &'a mut dyn Read,
    bytes: Vec<u8>,
}

impl<'a> Entry<'a> {
    fn new(listed: Listed, reader: &'a mut dyn Read) -> Self {
        let Listed { index, name, length, crc, .. } = listed;
        Self { index, name, length, crc, reader, bytes: Vec::new() }
    }

    /// The first `wanted` bytes, or all there are.
    ///
    /// # Errors
    /// What the archive or its storage gives.
    pub fn head(&mut self, wanted: u64) -> io::Result<&[u8]> {
        let missing = wanted.min(self.length).saturating_sub(self.bytes.len() as u64);
        (&mut self.reader).take(missing).read_to_end(&mut self.bytes)?;
        let read = self.bytes.len() as u64;
        if read < wanted.min(self.length) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if missing > 0 && read == self.length {
            check(&self.bytes, self.crc)?;
        }
        Ok(&self.bytes)
    }

    /// All bytes.
    ///
    /// # Errors
    /// As [`head`](Self::head).
    pub fn into_bytes(mut self) -> io::Result<Vec<u8>> {
        self.head(self.length)?;
        Ok(self.bytes)
    }
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
    /// As they are, in the tar that a gzip stream expands to.
    TarGz,
}

/// A file in an archive, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Its place in the archive's order, files only.
    pub index: usize,
    /// Its path.
    pub name: String,
    /// Its length.
    pub length: u64,
    /// How it is kept.
    pub packing: Packing,
    /// Where its bytes start, in a zip its local header; in a tar.gz as the gzip stream expands.
    pub start: u64,
    /// How many bytes it takes there, a zip's local header aside.
    pub size: u64,
    /// CRC-32 of its content, in a zip.
    pub crc: Option<u32>,
}

/// The files of an archive, by the bytes of their names: the order of the input's files.
///
/// # Errors
/// [`Error::Input`] for an archive that cannot be read or ends before its files do.
pub fn list<R: Read + Seek>(kind: Kind, mut archive: R) -> Result<Vec<Listed>> {
    let end = archive.seek(SeekFrom::End(0)).map_err(damaged)?;
    archive.rewind().map_err(damaged)?;
    let mut files = match kind {
        Kind::Zip => {
            let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
            let archive = ZipArchive::from_seekable(archive, &mut buffer).map_err(damaged_zip)?;
            zip_files(&archive, &mut buffer)?.into_iter().map(|(file, _)| file).collect()
        }
        Kind::Tar => {
            let mut archive = tar::Archive::new(archive);
            let mut behind = 0;
            let entries = archive.entries_with_seek().map_err(damaged)?.inspect(|entry| {
                behind =
                    entry.as_ref().map_or(0, |entry| entry.raw_file_position().saturating_add(entry.size()));
            });
            let files =
                tar_files(entries, Packing::Tar).map(|file| Ok(file?.0)).collect::<Result<Vec<_>>>()?;
            // Cut between two entries, a tar is whole but for the zeros at its end. Others read on without them; here, a part
            // of a scan would be taken for the scan. A gzip stream has a checksum at its end.
            if behind.checked_next_multiple_of(TAR_BLOCK).is_none_or(|zeros| zeros >= end) {
                return Err(damaged(io::ErrorKind::UnexpectedEof));
            }
            files
        }
        Kind::TarGz => {
            let mut archive = tar_in_gzip(archive);
            let entries = archive.entries().map_err(damaged)?;
            let files =
                tar_files(entries, Packing::TarGz).map(|file| Ok(file?.0)).collect::<Result<Vec<_>>>()?;
            // Up to the checksum.
            io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(damaged)?;
            files
        }
    };
    // Seeking goes beyond the end without a word.
    if kind != Kind::TarGz && files.iter().any(|file| file.start.saturating_add(file.size) > end) {
        return Err(damaged(io::ErrorKind::UnexpectedEof));
    }
    files.sort_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
    Ok(files)
}

/// Calls `each` for the files of an archive in the archive's order, as far as `wanted` says so by their index; the walk ends when
/// `each` returns `false`.
///
/// # Errors
/// [`Error::Input`] for an archive that cannot be read; and the errors of `each`.
pub fn walk<R: Read + Seek>(
    kind: Kind,
    archive: R,
    wanted: &dyn Fn(usize) -> bool,
    each: &mut dyn FnMut(Entry<'_>) -> Result<bool>,
) -> Result<()> {
    match kind {
        Kind::Zip => walk_zip(archive, wanted, each),
        Kind::Tar => {
            let mut archive = tar::Archive::new(archive);
            walk_tar(tar_files(archive.entries_with_seek().map_err(damaged)?, Packing::Tar), wanted, each)
        }
        Kind::TarGz => {
            let mut archive = tar_in_gzip(archive);
            walk_tar(tar_files(archive.entries().map_err(damaged)?, Packing::TarGz), wanted, each)
        }
    }
}

fn tar_in_gzip<R: Read>(archive: R) -> tar::Archive<MultiGzDecoder<io::BufReader<R>>> {
    tar::Archive::new(MultiGzDecoder::new(io::BufReader::with_capacity(RECOMMENDED_BUFFER_SIZE, archive)))
}

/// The first `count` bytes that a deflated entry expands to, compared with the checksum where there is one; fewer where `deflated`
/// ends before.
///
/// # Errors
/// [`Error::Input`] when it is damaged.
pub fn inflate(deflated: &[u8], count: usize, crc: Option<u32>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match DeflateDecoder::new(deflated).take(count as u64).read_to_end(&mut bytes) {
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(damaged(error)),
        _ if bytes.len() == count => check(&bytes, crc).map_err(damaged)?,
        _ => {}
    }
    Ok(bytes)
}

/// Compares a whole file with its checksum.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] when they differ.
pub fn check(bytes: &[u8], crc: Option<u32>) -> io::Result<()> {
    let Some(crc) = crc else { return Ok(()) };
    let mut found = Crc::new();
    found.update(bytes);
    if found.sum() == crc { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
}

/// The files in a zip's directory.
fn zip_files<R: rawzip::ReaderAt>(
    archive: &ZipArchive<R>,
    buffer: &mut [u8],
) -> Result<Vec<(Listed, ZipArchiveEntryWayfinder)>> {
    let mut files = Vec::new();
    let mut directory = archive.entries(buffer);
    while let Some(file) = directory.next_entry().map_err(damaged_zip)? {
        if file.is_dir() {
            continue;
        }
        let packing = match file.compression_method() {
            _ if file.flags().is_encrypted() => return Err(damaged(io::ErrorKind::Unsupported)),
            CompressionMethod::STORE => Packing::ZipStored,
            CompressionMethod::DEFLATE => Packing::ZipDeflated,
            _ => return Err(damaged(io::ErrorKind::Unsupported)),
        };
        let listed = Listed {
            index: files.len(),
            name: String::from_utf8_lossy(file.file_path().as_ref()).into_owned(),
            length: bounded(file.uncompressed_size_hint())?,
            packing,
            start: file.local_header_offset(),
            size: bounded(file.compressed_size_hint())?,
            crc: Some(file.crc32()),
        };
        files.push((listed, file.wayfinder()));
    }
    Ok(files)
}

fn walk_zip<R: Read + Seek>(
    archive: R,
    wanted: &dyn Fn(usize) -> bool,
    each: &mut dyn FnMut(Entry<'_>) -> Result<bool>,
) -> Result<()> {
    let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
    let archive = ZipArchive::from_seekable(archive, &mut buffer).map_err(damaged_zip)?;
    for (listed, place) in
        zip_files(&archive, &mut buffer)?.into_iter().filter(|(file, _)| wanted(file.index))
    {
        let file = archive.get_entry(place).map_err(damaged_zip)?;
        let mut stored = file.reader();
        let mut inflated;
        let reader: &mut dyn Read = match listed.packing {
            Packing::ZipDeflated => {
                inflated = DeflateDecoder::new(stored);
                &mut inflated
            }
            _ => &mut stored,
        };
        if !each(Entry::new(listed, reader))? {
            break;
        }
    }
    Ok(())
}

fn damaged_zip(error: rawzip::Error) -> Error {
    damaged(io::Error::new(io::ErrorKind::InvalidData, error))
}

/// The files in a tar.
fn tar_files<'a, R: Read + 'a>(
    entries: impl Iterator<Item = io::Result<tar::Entry<'a, R>>>,
    packing: Packing,
) -> impl Iterator<Item = Result<(Listed, tar::Entry<'a, R>)>> {
    let files =
        entries.filter(|file| file.as_ref().map_or(true, |file| file.header().entry_type().is_file()));
    files.enumerate().map(move |(index, file)| {
        let file = file.map_err(damaged)?;
        let name = String::from_utf8_lossy(&file.path_bytes()).into_owned();
        let length = bounded(file.size())?;
        let start = file.raw_file_position();
        Ok((Listed { index, name, length, packing, start, size: length, crc: None }, file))
    })
}

fn walk_tar<'a, R: Read + 'a>(
    files: impl Iterator<Item = Result<(Listed, tar::Entry<'a, R>)>>,
    wanted: &dyn Fn(usize) -> bool,
    each: &mut dyn FnMut(Entry<'_>) -> Result<bool>,
) -> Result<()> {
    for file in files {
        let (listed, mut file) = file?;
        if wanted(listed.index) && !each(Entry::new(listed, &mut file))? {
            break;
        }
    }
    Ok(())
}

fn bounded(length: u64) -> Result<u64> {
    if length > LONGEST {
        return Err(Error::Input(format!(
            "an entry of the archive has {length} bytes; at most {LONGEST} are read"
        )));
    }
    Ok(length)
}

/// The error for an archive as a whole: its library's words may hold names, so only their kind is shown.
#[must_use]
pub fn damaged(error: impl Into<io::Error>) -> Error {
    let error = error.into();
    log::debug!("the archive cannot be read: {error}");
    let kind = match error.kind() {
        io::ErrorKind::InvalidInput => io::ErrorKind::InvalidData, // flate2's word for damaged data
        kind => kind,
    };
    Error::Input(format!("the archive is damaged, cut off or encrypted ({kind}); unpack it first"))
}

#[cfg(test)]
mod tests;
