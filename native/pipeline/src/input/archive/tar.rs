//! The entries of a tar: v7, ustar, pax and GNU, with sparse files in the formats that GNU tar writes (its old one, and those of
//! pax: 0.0, 0.1, 1.0).
//!
//! The fields of a header are read by the `tar` crate. The way from header to header is our own, since the crate knows
//! one of the sparse formats only and takes names as long as an entry says.

use std::io::{self, Read};

use tar::{GnuSparseHeader, Header, PaxExtensions};
use tomobasis_dicom::Unread;

use super::{
    Beside, Listed, Packing,
    links::{Found, Target},
};

/// Headers and contents take whole blocks, and two of zeros are the end (POSIX, pax: ustar interchange format).
const BLOCK: usize = 512;
/// Blocks behind the end that are looked at: more than any blocking factor. Archives that were put together have more
/// entries behind such an end.
const MOST_BEHIND: u32 = 1 << 15;
/// What writes to tapes fills its last record of 20 blocks with anything.
const RECORD: u64 = 20 * BLOCK as u64;
/// A longer name, or more pax records, is damage.
const LONGEST_EXTENSION: u64 = 1 << 20;
/// More pieces of a sparse file than that are no slice's.
const MOST_PIECES: usize = 1 << 14;

/// Whether a file begins with the header of a tar.
pub(super) fn is_header(head: &[u8]) -> bool {
    head.get(257..262) == Some(b"ustar")
        || head.first_chunk::<BLOCK>().is_some_and(|block| block[0] != 0 && has_checksum(block))
}

/// All entries but folders, and how many bytes that are no zeros stand behind them in the last record. `skip` moves on in the archive.
pub(super) fn list<R: Read>(
    archive: &mut R,
    skip: &dyn Fn(&mut R, u64) -> io::Result<()>,
    packing: Packing,
) -> io::Result<(Vec<Found>, Beside)> {
    let mut tar = Blocks { archive, skip, place: 0 };
    let (mut found, mut named, mut global) = (Vec::new(), Extensions::default(), Extensions::default());
    let (mut behind, mut ended, mut other, mut record_end) = (0, false, 0, 0);
    loop {
        let block = if ended { tar.block_behind()? } else { tar.block()? };
        let Some(block) = block else { break };
        // A stream is read to its end anyway.
        if behind >= MOST_BEHIND && packing == Packing::Tar {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if block.iter().all(|&byte| byte == 0) {
            if behind == 0 {
                record_end = tar.place.next_multiple_of(RECORD);
            }
            (behind, ended) = (behind + 1, true);
            continue;
        }
        if !has_checksum(&block) {
            // Up to the end of the record, anything may stand; beyond, it is another archive, or what no archive has.
            if ended && tar.place <= record_end {
                (behind, other) =
                    (behind + 1, other + block.iter().filter(|&&byte| byte != 0).count() as u64);
                continue;
            }
            return Err(io::ErrorKind::InvalidData.into());
        }
        if other > 0 {
            // It is not known whose entries these are, nor what was lost.
            return Err(io::ErrorKind::InvalidData.into());
        }
        behind = 0;
        let header = Header::from_byte_slice(&block);
        match header.entry_type().as_byte() {
            b'L' => named.name = Some(until_nul(tar.extension(header.entry_size()?)?)),
            b'K' => named.link = Some(until_nul(tar.extension(header.entry_size()?)?)),
            b'x' | b'X' => named.take(&tar.extension(header.entry_size()?)?)?,
            b'g' => global.take(&tar.extension(header.entry_size()?)?)?,
            // A part of a file that began in another volume.
            b'M' => return Err(io::ErrorKind::Unsupported.into()),
            kind => {
                let own = std::mem::take(&mut named).or(&global);
                found.extend(entry(&mut tar, header, kind, own, packing)?);
            }
        }
    }
    // Truncated between two entries, a tar is whole but for the zeros at its end. Others read on without them; here, a part of a scan
    // would be taken for the scan.
    if ended { Ok((found, Beside { program: 0, other })) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// What follows the header, which is moved over; `None` for folders and what describes the archive.
fn entry<R: Read>(
    tar: &mut Blocks<'_, R>,
    header: &Header,
    kind: u8,
    own: Extensions,
    packing: Packing,
) -> io::Result<Option<Found>> {
    let name = own.name.unwrap_or_else(|| header.path_bytes().into_owned());
    let link = || own.link.unwrap_or_else(|| header.link_name_bytes().unwrap_or_default().into_owned());
    let mut listed = Listed::new(packing);
    // A hard link may state the length of its file, and holds none of it.
    let mut size = if kind == b'1' { 0 } else { own.size.map_or_else(|| header.entry_size(), Ok)? };
    let target = match kind {
        b'1' => Some(Target::Hard(link())),
        b'2' => Some(Target::Symbolic(link())),
        _ => None,
    };
    match kind {
        b'3' | b'4' | b'6' => listed.unread = Some(Unread::Special),
        b'S' => (listed.pieces, listed.length) = old_sparse_map(tar, header)?,
        _ if own.sparse.is_some_and(|version| version >= 1) => {
            let before = tar.place;
            listed.pieces = tar.sparse_map()?;
            size = size.checked_sub(tar.place - before).ok_or(io::ErrorKind::InvalidData)?;
            listed.length = own.real_size.ok_or(io::ErrorKind::InvalidData)?;
        }
        _ if own.sparse.is_some() || !own.map.is_empty() => {
            listed.pieces = own.map.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
            listed.length = own.real_size.ok_or(io::ErrorKind::InvalidData)?;
        }
        b'1' => listed.length = header.entry_size()?,
        _ => listed.length = size,
    }
    let sparse = kind == b'S' || own.sparse.is_some() || !own.map.is_empty();
    if sparse {
        check_map(&listed, size)?;
        listed.pieces.retain(|&(_, length)| length > 0);
        if listed.pieces.is_empty() {
            // Nothing but a hole.
            listed.pieces.push((0, 0));
        }
    }
    (listed.start, listed.size) = (tar.place, size);
    tar.over(size)?;
    // A folder has no content (`D` has its list of names): what has some may be a slice that somebody named so.
    let is_folder = kind == b'D'
        || (size == 0 && (matches!(kind, b'5' | b'V' | b'N') || (kind != b'2' && name.ends_with(b"/"))));
    Ok((!is_folder).then_some(Found { name, listed, link: target }))
}

/// The pieces of a sparse file ascend, lie in it and make up what is kept of it.
fn check_map(listed: &Listed, size: u64) -> io::Result<()> {
    let (mut end, mut kept) = (0_u64, 0_u64);
    for &(offset, length) in &listed.pieces {
        let next = offset.checked_add(length).filter(|_| offset >= end);
        end = next.filter(|&next| next <= listed.length).ok_or(io::ErrorKind::InvalidData)?;
        kept += length;
    }
    if kept == size { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
}

/// GNU tar's first format: four pieces in the header, more in blocks behind it.
fn old_sparse_map<R: Read>(tar: &mut Blocks<'_, R>, header: &Header) -> io::Result<(Vec<(u64, u64)>, u64)> {
    let gnu = header.as_gnu().ok_or(io::ErrorKind::InvalidData)?;
    let mut pieces = Vec::new();
    let mut take = |all: &[GnuSparseHeader]| -> io::Result<()> {
        for piece in all.iter().filter(|piece| !piece.is_empty()) {
            pieces.push((piece.offset()?, piece.length()?));
        }
        if pieces.len() > MOST_PIECES { Err(io::ErrorKind::InvalidData.into()) } else { Ok(()) }
    };
    take(&gnu.sparse)?;
    let mut more = gnu.is_extended();
    while more {
        let mut block = tar::GnuExtSparseHeader::new();
        *block.as_mut_bytes() = tar.block()?.ok_or(io::ErrorKind::UnexpectedEof)?;
        take(block.sparse())?;
        more = block.is_extended();
    }
    Ok((pieces, gnu.real_size()?))
}

/// What long names and pax records say of the next entry.
#[derive(Clone, Default)]
struct Extensions {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    real_size: Option<u64>,
    /// Major version of the format of a sparse file.
    sparse: Option<u64>,
    /// Offsets and lengths of a sparse file's pieces, in turn.
    map: Vec<u64>,
}

impl Extensions {
    /// Adds the records of a pax header.
    fn take(&mut self, records: &[u8]) -> io::Result<()> {
        let number = |bytes: &[u8]| -> io::Result<u64> {
            let text = std::str::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData)?;
            text.trim().parse().map_err(|_| io::ErrorKind::InvalidData.into())
        };
        let mut sparse_name = None;
        for record in PaxExtensions::new(records) {
            let record = record?;
            let value = record.value_bytes();
            match record.key_bytes() {
                b"path" => self.name = Some(value.to_vec()),
                b"linkpath" => self.link = Some(value.to_vec()),
                b"size" => self.size = Some(number(value)?),
                b"GNU.sparse.name" => sparse_name = Some(value.to_vec()),
                b"GNU.sparse.size" | b"GNU.sparse.realsize" => self.real_size = Some(number(value)?),
                b"GNU.sparse.major" => self.sparse = Some(number(value)?),
                b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => self.map.push(number(value)?),
                b"GNU.sparse.numblocks" => self.sparse = self.sparse.or(Some(0)),
                b"GNU.sparse.map" => {
                    self.map = value.split(|&byte| byte == b',').map(number).collect::<io::Result<_>>()?;
                }
                _ => {}
            }
        }
        // The other name is that of a folder made up for tools that do not know sparse files.
        self.name = sparse_name.or(self.name.take());
        if self.map.len() > 2 * MOST_PIECES || !self.map.len().is_multiple_of(2) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(())
    }

    fn or(self, global: &Self) -> Self {
        Self {
            name: self.name.or_else(|| global.name.clone()),
            link: self.link.or_else(|| global.link.clone()),
            size: self.size.or(global.size),
            ..self
        }
    }
}

/// The blocks of an archive, one after the other.
struct Blocks<'a, R> {
    archive: &'a mut R,
    skip: &'a dyn Fn(&mut R, u64) -> io::Result<()>,
    place: u64,
}

impl<R: Read> Blocks<'_, R> {
    /// The next block; `None` at the end.
    fn block(&mut self) -> io::Result<Option<[u8; BLOCK]>> {
        let bytes = self.at_most_a_block()?;
        match bytes.first_chunk() {
            Some(block) => Ok(Some(*block)),
            None if bytes.is_empty() => Ok(None),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// The next block behind the end of the archive, where the file's last one may be a part of one.
    fn block_behind(&mut self) -> io::Result<Option<[u8; BLOCK]>> {
        let mut bytes = self.at_most_a_block()?;
        if bytes.is_empty() {
            return Ok(None);
        }
        bytes.resize(BLOCK, 0);
        Ok(bytes.first_chunk().copied())
    }

    fn at_most_a_block(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(BLOCK);
        self.archive.by_ref().take(BLOCK as u64).read_to_end(&mut bytes)?;
        self.place += bytes.len() as u64;
        Ok(bytes)
    }

    /// The content of an entry that describes the next one.
    fn extension(&mut self, size: u64) -> io::Result<Vec<u8>> {
        if size > LONGEST_EXTENSION {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < size {
            bytes.extend(self.block()?.ok_or(io::ErrorKind::UnexpectedEof)?);
        }
        bytes.truncate(size as usize);
        Ok(bytes)
    }

    /// Moves over content.
    fn over(&mut self, size: u64) -> io::Result<()> {
        let blocks = size.checked_next_multiple_of(BLOCK as u64).ok_or(io::ErrorKind::InvalidData)?;
        (self.skip)(self.archive, blocks)?;
        self.place = self.place.checked_add(blocks).ok_or(io::ErrorKind::InvalidData)?;
        Ok(())
    }

    /// The map of a sparse file in format 1.0, which comes before its pieces: numbers, a line each, in whole blocks.
    fn sparse_map(&mut self) -> io::Result<Vec<(u64, u64)>> {
        let (mut numbers, mut digits) = (Vec::new(), Vec::new());
        loop {
            for byte in self.block()?.ok_or(io::ErrorKind::UnexpectedEof)? {
                if numbers.first().is_some_and(|&count| numbers.len() as u64 == 1 + 2 * count) {
                    break;
                }
                if byte != b'\n' {
                    digits.push(byte);
                    continue;
                }
                let text = String::from_utf8(std::mem::take(&mut digits)).unwrap_or_default();
                numbers.push(text.parse::<u64>().map_err(|_| io::ErrorKind::InvalidData)?);
            }
            let count = numbers.first().copied().unwrap_or(0);
            if count > MOST_PIECES as u64 || digits.len() > BLOCK {
                return Err(io::ErrorKind::InvalidData.into());
            }
            if !numbers.is_empty() && numbers.len() as u64 == 1 + 2 * count {
                return Ok(numbers[1..].chunks_exact(2).map(|pair| (pair[0], pair[1])).collect());
            }
        }
    }
}

/// Whether a header has its own checksum: the sum of its bytes, the checksum's own taken for spaces.
fn has_checksum(block: &[u8; BLOCK]) -> bool {
    let sum = |of: fn(u8) -> i64| -> i64 {
        let field = 148..156;
        block.iter().enumerate().map(|(i, &byte)| of(if field.contains(&i) { b' ' } else { byte })).sum()
    };
    // Some old writers took the bytes for signed.
    let sums = [sum(i64::from), sum(|byte| i64::from(byte.cast_signed()))];
    Header::from_byte_slice(block).cksum().is_ok_and(|found| sums.contains(&i64::from(found)))
}

fn until_nul(mut name: Vec<u8>) -> Vec<u8> {
    name.truncate(name.iter().position(|&byte| byte == 0).unwrap_or(name.len()));
    name
}
