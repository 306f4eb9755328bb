//! Archives of a folder: zip, tar and tar.gz, each entry of which is a file of the input.
//!
//! Nothing is unpacked to disk, so entries may have any names. An archive is walked in its own order, and the caller reads as
//! much of an entry as it needs: what an entry expands to is bounded by what is asked for, and by the length that
//! it declares. In a zip and a plain tar, entries that are not wanted are seeked over; a gzip stream has to be read up to the
//! last wanted entry. Archives inside archives or inside folders are files like any other.

use std::{
    fs::File,
    io::{self, Read},
};

use flate2::read::{DeflateDecoder, MultiGzDecoder};
use rawzip::{CompressionMethod, RECOMMENDED_BUFFER_SIZE, ZipArchive};

use crate::error::{Error, Result};

/// Bytes of a file that tell an archive.
pub const MAGIC_BYTES: u64 = 265;
/// Longer entries are not slices: as long as what the job can hold of a file.
const LONGEST: u64 = (1 << 31) - 9;

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
    reader: &'a mut dyn Read,
    bytes: Vec<u8>,
}

impl Entry<'_> {
    /// The first `wanted` bytes, or all there are.
    ///
    /// # Errors
    /// What the archive or its storage gives.
    pub fn head(&mut self, wanted: u64) -> io::Result<&[u8]> {
        let missing = wanted.min(self.length).saturating_sub(self.bytes.len() as u64);
        (&mut self.reader).take(missing).read_to_end(&mut self.bytes)?;
        if (self.bytes.len() as u64) < wanted.min(self.length) {
            return Err(io::ErrorKind::UnexpectedEof.into());
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

/// Calls `each` for the files of an archive in the archive's order, as far as `wanted` says so by their index; the walk ends when
/// `each` returns `false`.
///
/// # Errors
/// [`Error::Input`] for an archive that cannot be read; and the errors of `each`.
pub fn walk(
    kind: Kind,
    archive: File,
    wanted: &dyn Fn(usize) -> bool,
    each: &mut dyn FnMut(Entry<'_>) -> Result<bool>,
) -> Result<()> {
    match kind {
        Kind::Zip => walk_zip(archive, wanted, each),
        Kind::Tar => {
            let mut archive = tar::Archive::new(archive);
            walk_tar(archive.entries_with_seek().map_err(damaged)?, wanted, each)
        }
        Kind::TarGz => {
            let mut archive = tar::Archive::new(MultiGzDecoder::new(io::BufReader::new(archive)));
            walk_tar(archive.entries().map_err(damaged)?, wanted, each)
        }
    }
}

fn walk_zip(
    archive: File,
    wanted: &dyn Fn(usize) -> bool,
    each: &mut dyn FnMut(Entry<'_>) -> Result<bool>,
) -> Result<()> {
    let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
    let archive = ZipArchive::from_file(archive, &mut buffer).map_err(damaged_zip)?;
    let mut files = Vec::new();
    let mut directory = archive.entries(&mut buffer);
    while let Some(file) = directory.next_entry().map_err(damaged_zip)? {
        if !file.is_dir() {
            let name = String::from_utf8_lossy(file.file_path().as_ref()).into_owned();
            files.push((name, file.wayfinder(), file.compression_method()));
        }
    }
    for (index, (name, place, method)) in files.into_iter().enumerate().filter(|(index, _)| wanted(*index)) {
        let file = archive.get_entry(place).map_err(damaged_zip)?;
        let mut stored = file.reader();
        let mut inflated;
        let reader: &mut dyn Read = match method {
            CompressionMethod::STORE => &mut stored,
            CompressionMethod::DEFLATE => {
                inflated = DeflateDecoder::new(stored);
                &mut inflated
            }
            _ => return Err(damaged(io::ErrorKind::Unsupported)),
        };
        if !each(entry(index, name, place.uncompressed_size_hint(), reader)?)? {
            break;
        }
    }
    Ok(())
}

fn damaged_zip(error: rawzip::Error) -> Error {
    damaged(io::Error::new(io::ErrorKind::InvalidData, error))
}

fn walk_tar<'a, R: Read + 'a>(
    entries: tar::Entries<'a, R>,
    wanted: &dyn Fn(usize) -> bool,
    each: &mut dyn FnMut(Entry<'_>) -> Result<bool>,
) -> Result<()> {
    let files =
        entries.filter(|file| file.as_ref().map_or(true, |file| file.header().entry_type().is_file()));
    for (index, file) in files.enumerate() {
        let mut file = file.map_err(damaged)?;
        if wanted(index) {
            let (name, length) = (String::from_utf8_lossy(&file.path_bytes()).into_owned(), file.size());
            if !each(entry(index, name, length, &mut file)?)? {
                break;
            }
        }
    }
    Ok(())
}

fn entry(index: usize, name: String, length: u64, reader: &mut dyn Read) -> Result<Entry<'_>> {
    if length > LONGEST {
        return Err(Error::Input(format!(
            "an entry of the archive has {length} bytes; at most {LONGEST} are read"
        )));
    }
    Ok(Entry { index, name, length, reader, bytes: Vec::new() })
}

/// The error for an archive as a whole: its library's words may hold names, so only their kind is shown.
pub(crate) fn damaged(error: impl Into<io::Error>) -> Error {
    let error = error.into();
    log::debug!("the archive cannot be read: {error}");
    Error::Input(format!("the archive is damaged, cut off or encrypted ({}); unpack it first", error.kind()))
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, SeekFrom, Write};

    use super::*;

    /// Path and content.
    type Packed = (String, Vec<u8>);

    fn files() -> Vec<Packed> {
        (0..5).map(|i| (format!("scan/{i}"), vec![i as u8; 100 * (5 - i)])).collect()
    }

    fn tar_of(files: &[Packed]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        let mut folder = tar::Header::new_ustar();
        folder.set_entry_type(tar::EntryType::Directory);
        folder.set_size(0);
        builder.append_data(&mut folder, "scan/", &[][..]).unwrap();
        for (name, bytes) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            builder.append_data(&mut header, name, &bytes[..]).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn zip_of(files: &[Packed]) -> Vec<u8> {
        let mut archive = rawzip::ZipArchiveWriter::new(Vec::new());
        archive.new_dir("scan/").create().unwrap();
        for (name, bytes) in files {
            let (mut entry, config) =
                archive.new_file(name).compression_method(CompressionMethod::DEFLATE).start().unwrap();
            let encoder = flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::fast());
            let mut writer = config.wrap(encoder);
            writer.write_all(bytes).unwrap();
            let (encoder, descriptor) = writer.finish().unwrap();
            encoder.finish().unwrap();
            entry.finish(descriptor).unwrap();
        }
        archive.finish().unwrap()
    }

    fn archives() -> Vec<Vec<u8>> {
        let tar = tar_of(&files());
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(&tar).unwrap();
        vec![tar, gz.finish().unwrap(), zip_of(&files())]
    }

    /// A file of these bytes, open and without a name.
    fn stored(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        file
    }

    #[test]
    fn every_kind_gives_the_files_in_its_order_and_as_much_as_is_asked_for() {
        for archive in archives() {
            let kind = kind(&archive).unwrap();
            let (mut all, mut heads) = (Vec::new(), Vec::new());
            walk(kind, stored(&archive), &|_| true, &mut |entry| {
                all.push((entry.name.clone(), entry.into_bytes().unwrap()));
                Ok(true)
            })
            .unwrap();
            assert_eq!(all, files(), "{kind:?}");
            walk(kind, stored(&archive), &|index| index % 2 == 1, &mut |mut entry| {
                assert_eq!(entry.head(7).unwrap().len(), 7);
                heads.push((entry.index, entry.head(150).unwrap().to_vec()));
                Ok(entry.index < 3)
            })
            .unwrap();
            assert_eq!(heads, [(1, vec![1; 150]), (3, vec![3; 150])], "{kind:?}");
        }
    }

    #[test]
    fn an_archive_cut_anywhere_or_changed_is_an_error_or_has_fewer_files() {
        for archive in archives() {
            let kind = kind(&archive).unwrap();
            for length in (0..archive.len()).step_by(41) {
                let mut read = Vec::new();
                let outcome = walk(kind, stored(&archive[..length]), &|_| true, &mut |entry| {
                    let name = entry.name.clone();
                    read.push((name, entry.into_bytes().map_err(damaged)?));
                    Ok(true)
                });
                // Behind its last file a tar has zeros, which nobody needs; a zip has its directory.
                assert_eq!(read, files()[..read.len()], "{kind:?} cut at {length}");
                assert!(outcome.is_err() || read.len() < 5 || kind != Kind::Zip, "{kind:?} cut at {length}");
                if let Err(error) = outcome {
                    assert_eq!(error.exit_code(), 3);
                    assert!(!error.to_string().contains("scan/"), "{error}");
                }
            }
        }
    }

    #[test]
    fn other_files_are_no_archives() {
        for head in [&b""[..], b"PK", b"DICM", &[0; 265], b"\x1F\x8B"] {
            assert_eq!(kind(head), None);
        }
    }
}
