//! The bytes of an archive's entries.

use std::{
    io::{self, Read},
    ops::Range,
};

use flate2::{Crc, read::DeflateDecoder};
use tomobasis_dicom::zeros;

use super::{Listed, Packing, damaged, gunzip, gzip::Members};
use crate::error::Result;

/// Bytes of an archive that are read at a time.
pub(super) const BUFFER: usize = 64 << 10;
/// A zip's local header, up to the name (APPNOTE.TXT 4.3.7).
const LOCAL_HEADER: u64 = 30;

/// Fills a buffer with the archive's bytes from a place on.
pub type ReadAt<'a> = dyn Fn(u64, &mut [u8]) -> io::Result<()> + 'a;

/// A part of an entry of a zip or a tar. A file that is read whole is compared with its checksum.
///
/// # Errors
/// What the archive or its storage gives; `UnexpectedEof` for an entry that expands to less than it declares.
pub fn read(archive: &ReadAt<'_>, entry: &Listed, part: Range<u64>) -> io::Result<Vec<u8>> {
    let part = part.start.min(entry.length)..part.end.min(entry.length);
    let bytes = match entry.packing {
        Packing::Tar => expanded(archive, entry, part.clone())?,
        Packing::ZipStored => {
            let mut bytes = room(&part)?;
            archive(behind_local_header(archive, entry)? + part.start, &mut bytes)?;
            bytes
        }
        Packing::ZipDeflated => {
            let start = behind_local_header(archive, entry)?;
            let stored = At { archive, place: start, end: start.saturating_add(entry.size) };
            some_of(DeflateDecoder::new(stored), &part)?
        }
        Packing::Gzip => return Err(io::ErrorKind::Unsupported.into()),
    };
    if part == (0..entry.length) {
        check(&bytes, entry.crc)?;
    }
    Ok(bytes)
}

/// A part of what a deflated entry expands to, compared with the checksum where there is one; fewer bytes where `deflated` ends before.
///
/// # Errors
/// [`Error::Input`](crate::Error::Input) when it is damaged.
pub fn inflate(deflated: &[u8], part: Range<u64>, crc: Option<u32>) -> Result<Vec<u8>> {
    match some_of(DeflateDecoder::new(deflated), &part) {
        Ok(bytes) => {
            check(&bytes, crc).map_err(damaged)?;
            Ok(bytes)
        }
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Vec::new()),
        Err(error) => Err(damaged(error)),
    }
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

/// A gzip stream, read once from its start on.
pub struct Stream<R> {
    stream: Members<io::BufReader<R>>,
    place: u64,
    /// What is kept of the last sparse file, and where that was.
    kept: Option<(u64, Vec<u8>)>,
}

impl<R: Read> Stream<R> {
    /// At its start.
    pub fn new(archive: R) -> Self {
        Self { stream: gunzip(archive), place: 0, kept: None }
    }

    /// A part of an entry, which must not begin before the last one's end; of a sparse file, all that is kept is read at once.
    ///
    /// # Errors
    /// What the stream gives.
    pub fn read(&mut self, entry: &Listed, part: Range<u64>) -> io::Result<Vec<u8>> {
        if entry.pieces.is_empty() {
            let part = part.start.min(entry.length)..part.end.min(entry.length);
            return self.some(entry.start + part.start..entry.start + part.end);
        }
        let stored = match self.kept.take_if(|(start, _)| *start == entry.start) {
            Some((_, stored)) => stored,
            None => self.some(entry.start..entry.start + entry.size)?,
        };
        let (_, stored) = self.kept.insert((entry.start, stored));
        let copy = |place: u64, bytes: &mut [u8]| {
            let from = usize::try_from(place - entry.start).map_err(|_| io::ErrorKind::OutOfMemory)?;
            stored.get(from..).unwrap_or_default().read_exact(bytes)
        };
        expanded(&copy, entry, part)
    }

    fn some(&mut self, part: Range<u64>) -> io::Result<Vec<u8>> {
        let ahead = part.start.checked_sub(self.place).ok_or(io::ErrorKind::InvalidInput)?;
        let bytes = some_of(&mut self.stream, &(ahead..ahead + (part.end - part.start)))?;
        self.place = part.end;
        Ok(bytes)
    }
}

/// A part of an entry of a tar, holes filled.
fn expanded(archive: &ReadAt<'_>, entry: &Listed, part: Range<u64>) -> io::Result<Vec<u8>> {
    let mut bytes = room(&part)?;
    if entry.pieces.is_empty() {
        archive(entry.start + part.start, &mut bytes)?;
        return Ok(bytes);
    }
    let mut stored = entry.start;
    for &(offset, length) in &entry.pieces {
        let (from, to) = (offset.max(part.start), (offset + length).min(part.end));
        if from < to {
            let target = (from - part.start) as usize..(to - part.start) as usize;
            archive(stored + (from - offset), bytes.get_mut(target).unwrap_or_default())?;
        }
        stored += length;
    }
    Ok(bytes)
}

/// Where the bytes of a zip's entry are: behind its local header, whose length only the header itself says.
fn behind_local_header(archive: &ReadAt<'_>, entry: &Listed) -> io::Result<u64> {
    let mut header = [0; LOCAL_HEADER as usize];
    archive(entry.start, &mut header)?;
    let [b'P', b'K', 3, 4, .., n0, n1, e0, e1] = header else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let more = [[n0, n1], [e0, e1]].map(u16::from_le_bytes).map(u64::from);
    Ok(entry.start + LOCAL_HEADER + more[0] + more[1])
}

fn room(part: &Range<u64>) -> io::Result<Vec<u8>> {
    let count =
        usize::try_from(part.end.saturating_sub(part.start)).map_err(|_| io::ErrorKind::OutOfMemory)?;
    Ok(zeros(count)?)
}

/// A part of what is ahead in a stream: all of it, or an error.
fn some_of(mut stream: impl Read, part: &Range<u64>) -> io::Result<Vec<u8>> {
    let skipped = io::copy(&mut (&mut stream).take(part.start), &mut io::sink())?;
    let (count, mut bytes) = (part.end.saturating_sub(part.start), Vec::new());
    stream.take(count).read_to_end(&mut bytes)?;
    if skipped < part.start || (bytes.len() as u64) < count {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}

/// The bytes of an archive from one place to another.
struct At<'a> {
    archive: &'a ReadAt<'a>,
    place: u64,
    end: u64,
}

impl Read for At<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.place).unwrap_or(usize::MAX);
        let count = bytes.len().min(left);
        let some = bytes.get_mut(..count).unwrap_or_default();
        (self.archive)(self.place, some)?;
        self.place += count as u64;
        Ok(count)
    }
}
