//! Hadoop's SequenceFiles of integer keys: where their records are, and what is in them.
//!
//! A header names the classes of keys and values and says how records are packed: not at all, each by itself, or many in a block. Before
//! some records, and before each block, is a mark: the length -1 and 16 bytes that the header has too.

use std::{io::Read, ops::Range};

use flate2::read::{MultiGzDecoder, ZlibDecoder};
use serde::{Deserialize, Serialize};
use tomobasis_dicom::{printable, zeros};

use super::super::source::{Files, Problem};

/// Bytes that are read at a time.
const PIECE: u64 = 4 << 20;
/// Bytes of a header: names of classes, and what its writer added.
const LONGEST_HEADER: u64 = 1 << 20;
/// Bytes of a record: more than any row has.
const LONGEST_RECORD: usize = 16 << 20;
/// Bytes of a part of a block, packed or not.
const LONGEST_BLOCK: usize = 1 << 30;
const VALUES: &str = "org.apache.mahout.math.VectorWritable";
/// Classes of keys, and the bytes of one.
const INTEGERS: [(&str, usize); 2] =
    [("org.apache.hadoop.io.IntWritable", 4), ("org.apache.hadoop.io.LongWritable", 8)];
const CODECS: [(&str, Codec); 3] = [
    ("org.apache.hadoop.io.compress.DefaultCodec", Codec::Zlib),
    ("org.apache.hadoop.io.compress.DeflateCodec", Codec::Zlib),
    ("org.apache.hadoop.io.compress.GzipCodec", Codec::Gzip),
];

/// How bytes are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Codec {
    Zlib,
    Gzip,
}

/// How records are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Packing {
    None,
    /// The value of each record.
    Records(Codec),
    /// Many records together.
    Blocks(Codec),
}

/// What the beginning of a file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    packing: Packing,
    /// Bytes of a key.
    key: usize,
    mark: [u8; 16],
    /// Where the first record, or block, begins.
    pub start: u64,
}

impl Header {
    pub fn read(files: &Files, file: usize) -> Result<Self, Problem> {
        let mut bytes = vec![0; files.length(file).min(LONGEST_HEADER) as usize];
        files.read(file, &mut bytes, 0)?;
        Self::parse(&bytes).map_err(|text| Problem::Input(files.named(file), text))
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        const WRITE: &str =
            "give files that Mahout, or Spark, wrote as IntWritable or LongWritable to VectorWritable";
        let mut rest = bytes
            .strip_prefix(b"SEQ")
            .ok_or_else(|| format!("it is no SequenceFile of Hadoop's; {WRITE}"))?;
        let damaged = || "the header of its SequenceFile is damaged; write it again".to_owned();
        let [version] = take(&mut rest).ok_or_else(damaged)?;
        if version != 6 {
            return Err(format!(
                "it is a SequenceFile of version {version}, and version 6 is read, which Hadoop has written since 2007; write it again"
            ));
        }
        let key = text(&mut rest).ok_or_else(damaged)?;
        let value = text(&mut rest).ok_or_else(damaged)?;
        let Some(&(_, key)) = INTEGERS.iter().find(|&&(known, _)| known == key) else {
            return Err(format!("its keys are {}, and not indices of rows; {WRITE}", printable(key)));
        };
        if value != VALUES {
            return Err(format!("its values are {}, and not Mahout's vectors; {WRITE}", printable(value)));
        }
        let [packed, blocks] = take(&mut rest).ok_or_else(damaged)?;
        let packing = match (packed, blocks) {
            (0, 0) => Packing::None,
            (1, 0 | 1) => {
                let name = text(&mut rest).ok_or_else(damaged)?;
                let codec =
                    CODECS.iter().find(|&&(known, _)| known == name).map(|&(_, codec)| codec).ok_or_else(
                        || {
                            format!(
                                "it is compressed by {}; write it with DefaultCodec, GzipCodec or none",
                                printable(name)
                            )
                        },
                    )?;
                if blocks == 1 { Packing::Blocks(codec) } else { Packing::Records(codec) }
            }
            _ => return Err(damaged()),
        };
        // What its writer added: pairs of texts.
        let added = take(&mut rest).map(u32::from_be_bytes).ok_or_else(damaged)?;
        for _ in 0..u64::from(added) * 2 {
            text_bytes(&mut rest).ok_or_else(damaged)?;
        }
        let mark = take(&mut rest).ok_or_else(damaged)?;
        Ok(Self { packing, key, mark, start: (bytes.len() - rest.len()) as u64 })
    }
}

/// A record.
pub(super) struct Record<'a> {
    pub key: i64,
    /// The place from which on it is read: its own, or that of its block.
    pub at: u64,
    /// Where that ends.
    pub end: u64,
    /// Records of its block before it.
    pub before: usize,
    value: &'a [u8],
    packed: Option<Codec>,
    unpacked: &'a mut Vec<u8>,
    named: Option<usize>,
}

impl<'a> Record<'a> {
    /// Its value's bytes.
    pub fn value(self) -> Result<&'a [u8], Problem> {
        match self.packed {
            None => Ok(self.value),
            Some(codec) => {
                *self.unpacked = unpack(self.value, codec, LONGEST_RECORD, "a record")
                    .map_err(|text| Problem::Input(self.named, text))?;
                Ok(self.unpacked)
            }
        }
    }
}

/// The records of a part of a file, one after the other.
pub(super) struct Records<'a> {
    header: &'a Header,
    bytes: Cursor<'a>,
    block: Block,
    unpacked: Vec<u8>,
}

/// A block's records.
#[derive(Default)]
struct Block {
    at: u64,
    /// Records that were taken from it.
    taken: usize,
    records: usize,
    keys: Vec<u8>,
    values: Vec<u8>,
    key_lengths: Vec<u8>,
    value_lengths: Vec<u8>,
    /// How far each of these four was read.
    read: [usize; 4],
}

impl<'a> Records<'a> {
    /// Of a part of a file that begins with a record, a block or a mark.
    pub fn of(files: &'a Files, file: usize, header: &'a Header, part: Range<u64>) -> Self {
        let bytes = Cursor { files, file, at: part.start, end: part.end, held: Vec::new(), from: part.start };
        Self { header, bytes, block: Block::default(), unpacked: Vec::new() }
    }

    /// The next record; none at the end.
    pub fn next(&mut self) -> Result<Option<Record<'_>>, Problem> {
        match self.header.packing {
            Packing::None => self.single(None),
            Packing::Records(codec) => self.single(Some(codec)),
            Packing::Blocks(codec) => self.of_block(codec),
        }
    }

    fn single(&mut self, packed: Option<Codec>) -> Result<Option<Record<'_>>, Problem> {
        let at = self.bytes.at;
        if self.bytes.ends() {
            return Ok(None);
        }
        let mut length = self.bytes.integer()?;
        if length == -1 {
            self.mark()?;
            if self.bytes.ends() {
                return Ok(None);
            }
            length = self.bytes.integer()?;
        }
        let keys = self.bytes.integer()?;
        let (length, keys) = match (usize::try_from(length), usize::try_from(keys)) {
            (Ok(length), Ok(keys)) if keys <= length && length <= LONGEST_RECORD => (length, keys),
            _ => return Err(self.bytes.damaged("a record of a length that no row has")),
        };
        let Some(key) = key(&self.bytes.take(length)?[..keys], self.header.key) else {
            return Err(self.bytes.damaged("a key of another length"));
        };
        let (end, named) = (self.bytes.at, self.bytes.named());
        let value = self.bytes.last(length - keys);
        Ok(Some(Record { key, at, end, before: 0, value, packed, unpacked: &mut self.unpacked, named }))
    }

    fn of_block(&mut self, codec: Codec) -> Result<Option<Record<'_>>, Problem> {
        while self.block.taken == self.block.records {
            if self.bytes.ends() {
                return Ok(None);
            }
            self.next_block(codec)?;
        }
        let (named, damaged) = (self.bytes.named(), || self.bytes.damaged("a block that is none"));
        let block = &mut self.block;
        let [keys, values] = [
            length(&block.key_lengths, &mut block.read[0]).ok_or_else(damaged)?,
            length(&block.value_lengths, &mut block.read[1]).ok_or_else(damaged)?,
        ];
        let key = part(&block.keys, &mut block.read[2], keys)
            .and_then(|bytes| key(bytes, self.header.key))
            .ok_or_else(damaged)?;
        let value = part(&block.values, &mut block.read[3], values).ok_or_else(damaged)?;
        let before = block.taken;
        block.taken += 1;
        let parts = [&block.key_lengths, &block.value_lengths, &block.keys, &block.values];
        if block.taken == block.records && parts.map(Vec::len) != block.read {
            return Err(self.bytes.damaged("more in a block than its records"));
        }
        let (at, end) = (block.at, self.bytes.at);
        Ok(Some(Record { key, at, end, before, value, packed: None, unpacked: &mut self.unpacked, named }))
    }

    fn next_block(&mut self, codec: Codec) -> Result<(), Problem> {
        let at = self.bytes.at;
        if self.bytes.integer()? != -1 {
            return Err(self.bytes.damaged("a block without a mark"));
        }
        self.mark()?;
        let records = self.bytes.short_length()?;
        let mut part = || {
            let length = self.bytes.short_length()?;
            let named = self.bytes.named();
            unpack(self.bytes.take(length)?, codec, LONGEST_BLOCK, "a block")
                .map_err(|text| Problem::Input(named, text))
        };
        let (key_lengths, keys, value_lengths, values) = (part()?, part()?, part()?, part()?);
        if records == 0 && !key_lengths.is_empty() {
            return Err(self.bytes.damaged("more in a block than its records"));
        }
        self.block = Block { at, taken: 0, records, keys, values, key_lengths, value_lengths, read: [0; 4] };
        Ok(())
    }

    fn mark(&mut self) -> Result<(), Problem> {
        let right = self.bytes.take(self.header.mark.len())? == self.header.mark;
        if right { Ok(()) } else { Err(self.bytes.damaged("a mark that is not its own")) }
    }
}

/// Bytes of a part of a file, read forwards.
struct Cursor<'a> {
    files: &'a Files,
    file: usize,
    /// The place of the next byte.
    at: u64,
    end: u64,
    held: Vec<u8>,
    /// The place of what is held.
    from: u64,
}

impl Cursor<'_> {
    fn ends(&self) -> bool {
        self.at >= self.end
    }

    fn named(&self) -> Option<usize> {
        self.files.named(self.file)
    }

    fn damaged(&self, what: &str) -> Problem {
        Problem::Input(self.named(), format!("its SequenceFile is damaged: it has {what}; write it again"))
    }

    fn take(&mut self, count: usize) -> Result<&[u8], Problem> {
        let left = self.end.saturating_sub(self.at);
        if (count as u64) > left {
            return Err(Problem::Input(
                self.named(),
                "its SequenceFile ends within a record; copy it again once it is complete".to_owned(),
            ));
        }
        let behind = (self.at - self.from) as usize + count;
        if behind > self.held.len() {
            let size = left.min(PIECE.max(count as u64)) as usize;
            self.held = zeros(size).map_err(|_| {
                Problem::Input(self.named(), format!("{size} bytes of it do not fit into memory"))
            })?;
            self.files.read(self.file, &mut self.held, self.at)?;
            self.from = self.at;
        }
        let start = (self.at - self.from) as usize;
        self.at += count as u64;
        Ok(&self.held[start..start + count])
    }

    /// The bytes that were taken last.
    fn last(&self, count: usize) -> &[u8] {
        let end = (self.at - self.from) as usize;
        &self.held[end - count..end]
    }

    fn integer(&mut self) -> Result<i32, Problem> {
        let bytes = self.take(4)?.first_chunk().copied().unwrap_or_default();
        Ok(i32::from_be_bytes(bytes))
    }

    /// A length as Hadoop shortens it.
    fn short_length(&mut self) -> Result<usize, Problem> {
        let first = self.take(1)?[0];
        let mut bytes = vec![first];
        bytes.extend(self.take(more_bytes(first))?);
        let length = length(&bytes, &mut 0).filter(|&length| length <= LONGEST_BLOCK);
        length.ok_or_else(|| self.damaged("a block of a length that none has"))
    }
}

/// Unpacks bytes, to at most so many.
fn unpack(bytes: &[u8], codec: Codec, most: usize, what: &str) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let limit = most as u64 + 1;
    let read = match codec {
        _ if bytes.is_empty() => Ok(0),
        Codec::Zlib => ZlibDecoder::new(bytes).take(limit).read_to_end(&mut out),
        Codec::Gzip => MultiGzDecoder::new(bytes).take(limit).read_to_end(&mut out),
    };
    match read {
        Err(_) => Err(format!("its SequenceFile is damaged: {what} cannot be unpacked; write it again")),
        Ok(_) if out.len() > most => {
            Err(format!("{what} of it is more than {most} bytes long unpacked; write it in smaller ones"))
        }
        Ok(_) => Ok(out),
    }
}

/// The index of a row, in so many bytes.
fn key(bytes: &[u8], length: usize) -> Option<i64> {
    match bytes.len() {
        other if other != length => None,
        4 => bytes.first_chunk().map(|&bytes| i32::from_be_bytes(bytes).into()),
        8 => bytes.first_chunk().map(|&bytes| i64::from_be_bytes(bytes)),
        _ => None,
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, others) = rest.split_first_chunk()?;
    *rest = others;
    Some(*first)
}

/// Some bytes from a place on.
fn part<'a>(bytes: &'a [u8], at: &mut usize, count: usize) -> Option<&'a [u8]> {
    let end = at.checked_add(count)?;
    let found = bytes.get(*at..end)?;
    *at = end;
    Some(found)
}

/// Bytes that follow the first one of a shortened integer (`WritableUtils.writeVLong`).
fn more_bytes(first: u8) -> usize {
    match first as i8 {
        first @ ..=-121 => (-120 - i32::from(first)) as usize,
        first @ -120..=-113 => (-112 - i32::from(first)) as usize,
        _ => 0,
    }
}

/// A length as Hadoop shortens integers: itself from -112 to 127, else the number of bytes that follow.
fn length(bytes: &[u8], at: &mut usize) -> Option<usize> {
    let first = *part(bytes, at, 1)?.first()?;
    let more = part(bytes, at, more_bytes(first))?;
    match first as i8 {
        small @ 0.. => usize::try_from(small).ok(),
        -120..=-113 if more.len() <= 4 => {
            Some(more.iter().fold(0, |value, &byte| value << 8 | usize::from(byte)))
        }
        _ => None, // negative, or longer than anything
    }
}

fn text_bytes<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let mut at = 0;
    let count = length(rest, &mut at)?;
    let found = part(rest, &mut at, count)?;
    *rest = &rest[at..];
    Some(found)
}

fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    std::str::from_utf8(text_bytes(rest)?).ok()
}
