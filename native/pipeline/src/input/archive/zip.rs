//! The entries of a zip, by its directory (APPNOTE.TXT 4.3.12).

use std::io::{self, Read, Seek, SeekFrom};

use flate2::read::DeflateDecoder;
use rawzip::{
    CompressionMethod, ErrorKind, RECOMMENDED_BUFFER_SIZE, ReaderAt, ZipArchive, ZipArchiveEntryWayfinder,
};
use tomobasis_dicom::{Unread, header::has_mark};

use super::{
    Beside, Listed, MAGIC_BYTES, Packing, damaged, is_program, kind,
    links::{Found, Target},
};
use crate::error::{Error, Result};

/// No path is longer on Linux.
const LONGEST_PATH: u64 = 4096;

/// Whether a file ends as a zip does, with a directory whose first entry is where it says.
pub(super) fn ends_as_zip<R: Read + Seek>(file: R) -> bool {
    let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
    let Ok(archive) = ZipArchive::from_seekable(file, &mut buffer) else { return false };
    let mut directory = archive.entries(&mut buffer);
    let first = directory.next_entry().ok().flatten().map(|file| file.wayfinder());
    first.is_some_and(|place| archive.get_entry(place).is_ok())
}

/// What stands between two entries besides the first one's content, at most, without being looked at: extra fields of its header.
const USUAL_SLACK: u64 = 256;

/// A local header without name and extra fields.
const LOCAL_HEADER: u64 = 30;

/// A data descriptor with its signature, in a zip64.
const DESCRIPTOR: u64 = 24;

/// All entries but folders, and how many bytes stand before the first, between them and behind the end; also those of a comment that is a
/// DICOM file. Of several archives in one file the
/// directory at its end knows the last alone: such a file is refused.
pub(super) fn list<R: Read + Seek>(mut file: R) -> Result<(Vec<Found>, Beside)> {
    let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
    let archive = ZipArchive::from_seekable(&mut file, &mut buffer).map_err(damaged_zip)?;
    let (found, mut places) = entries(&archive, &mut buffer)?;
    let (between, end) = (between(&archive, &mut places)?, archive.end_offset());
    let first = places.first().map_or(archive.directory_offset(), |place| place.start);
    let mut comment = Vec::new();
    archive.comment().read_to_end(&mut comment).map_err(damaged)?;
    let mut head_at = |place: u64| -> io::Result<Vec<u8>> {
        let mut head = Vec::new();
        file.seek(SeekFrom::Start(place))?;
        file.by_ref().take(MAGIC_BYTES).read_to_end(&mut head)?;
        Ok(head)
    };
    let is_archive = |head: &[u8]| !matches!(kind(head), Ok(None));
    let (start, rest) = (head_at(0).map_err(damaged)?, head_at(end).map_err(damaged)?);
    if (first > 0 && is_archive(&start)) || is_archive(&rest) {
        return Err(damaged(io::ErrorKind::InvalidData));
    }
    let behind = file.seek(SeekFrom::End(0)).map_err(damaged)?.saturating_sub(end);
    let program = if is_program(&start) { first } else { 0 };
    let hidden = if has_mark(&comment) { comment.len() as u64 } else { 0 };
    Ok((found, Beside { program, other: first - program + between + behind + hidden }))
}

/// Where an entry is in the file.
struct Place {
    start: u64,
    /// Its end, but for what its local header has besides the name.
    least_end: u64,
    entry: ZipArchiveEntryWayfinder,
}

/// How many bytes between entries, and between the last and the directory, are of none that the directory lists: an interrupted update
/// may leave entries that it lost. Puts the places in order.
fn between<R: ReaderAt>(archive: &ZipArchive<R>, places: &mut [Place]) -> Result<u64> {
    places.sort_by_key(|place| place.start);
    let starts = places.iter().map(|place| place.start).skip(1).chain([archive.directory_offset()]);
    let (mut sum, mut reached) = (0, 0);
    for (place, next) in places.iter().zip(starts) {
        reached = place.least_end.max(reached);
        if next.saturating_sub(reached) > USUAL_SLACK {
            let entry = archive.get_entry(place.entry).map_err(damaged_zip)?;
            reached = entry.compressed_data_range().1.max(reached);
            sum += Some(next.saturating_sub(reached)).filter(|&gap| gap > DESCRIPTOR).unwrap_or(0);
        }
    }
    Ok(sum)
}

/// The entries, and the places of all, folders too.
fn entries<R: ReaderAt>(archive: &ZipArchive<R>, buffer: &mut [u8]) -> Result<(Vec<Found>, Vec<Place>)> {
    let (mut found, mut links, mut places) = (Vec::new(), Vec::new(), Vec::new());
    let mut directory = archive.entries(buffer);
    while let Some(file) = directory.next_entry().map_err(damaged_zip)? {
        let start = file.local_header_offset();
        let header = LOCAL_HEADER + file.file_path().as_ref().len() as u64;
        let least_end = start.saturating_add(header).saturating_add(file.compressed_size_hint());
        places.push(Place { start, least_end, entry: file.wayfinder() });
        // A name like a folder's with content is a file that somebody named so.
        if file.is_dir() && file.uncompressed_size_hint() == 0 {
            continue;
        }
        let (packing, unread) = match file.compression_method() {
            _ if file.flags().is_encrypted() => (Packing::ZipStored, Some(Unread::Encrypted)),
            CompressionMethod::STORE => (Packing::ZipStored, None),
            CompressionMethod::DEFLATE => (Packing::ZipDeflated, None),
            method => (Packing::ZipStored, Some(Unread::Method(name(method)))),
        };
        let listed = Listed {
            length: file.uncompressed_size_hint(),
            start: file.local_header_offset(),
            size: file.compressed_size_hint(),
            crc: Some(file.crc32()),
            unread,
            ..Listed::new(packing)
        };
        if file.mode().is_symlink() && listed.unread.is_none() {
            links.push((found.len(), file.wayfinder()));
        }
        found.push(Found::file(file.file_path().as_ref().to_vec(), listed));
    }
    for (at, place) in links {
        let entry: &mut Found = &mut found[at];
        let target = target(archive, place, &entry.listed).map_err(damaged)?;
        entry.link = Some(Target::Symbolic(target));
    }
    Ok((found, places))
}

/// Where a symbolic link leads, which is the content of its entry.
fn target<R: ReaderAt>(
    archive: &ZipArchive<R>,
    place: ZipArchiveEntryWayfinder,
    listed: &Listed,
) -> io::Result<Vec<u8>> {
    let stored = archive.get_entry(place).map_err(cause)?;
    let mut path = Vec::new();
    match listed.packing {
        Packing::ZipDeflated => {
            DeflateDecoder::new(stored.reader()).take(LONGEST_PATH).read_to_end(&mut path)?
        }
        _ => stored.reader().take(LONGEST_PATH).read_to_end(&mut path)?,
    };
    Ok(path)
}

fn name(method: CompressionMethod) -> String {
    method.name().map_or_else(|| format!("method {}", method.as_u16()), str::to_owned)
}

fn damaged_zip(error: rawzip::Error) -> Error {
    match error.kind() {
        ErrorKind::MissingEndOfCentralDirectory => Error::Input(
            "the archive is damaged or truncated: it has no directory at its end, or more than 1 MiB of something else stands \
             behind it; unpack it first"
                .to_owned(),
        ),
        _ => damaged(cause(error)),
    }
}

/// The system's error where it is one, else that of damaged data.
fn cause(error: rawzip::Error) -> io::Error {
    match error.kind() {
        ErrorKind::IO(source) if source.raw_os_error().is_some() => {
            io::Error::from_raw_os_error(source.raw_os_error().unwrap_or_default())
        }
        _ => io::Error::new(io::ErrorKind::InvalidData, error),
    }
}
