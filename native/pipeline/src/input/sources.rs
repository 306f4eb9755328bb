//! The bytes of the scan's files, each file read once: those that can be read at any place spread over the threads, a gzip stream
//! read from its start and its files handed out some at a time.

use std::{collections::BTreeMap, fs::File, io, mem, path::Path};

use rayon::prelude::*;
use tomobasis_dicom::{FileBuffer, LONGEST_FILE};

use crate::{
    error::{Error, Result},
    input::{
        archive::{Packing, Stream, damaged},
        files::Files,
        listing::InputFile,
    },
};

/// Bytes of a stream's files that are in memory at a time.
pub(crate) const BATCH: usize = 64 << 20;

/// Calls `plain` for files of the disk, with a buffer that the thread keeps, and `packed` for files of archives, with their bytes; on
/// the current thread pool. `wanted` are the files by their place in the listing, each with what is wanted of it.
///
/// # Errors
/// When files or archives cannot be read.
pub(crate) fn each_file<T: Send, R: Send>(
    files: &(impl Files + ?Sized),
    wanted: BTreeMap<usize, T>,
    plain: impl Fn(&InputFile, T, &mut FileBuffer) -> io::Result<R> + Sync,
    packed: impl Fn(&[u8], T) -> R + Sync,
) -> Result<Vec<R>> {
    let (mut direct, mut streams) = (Vec::new(), BTreeMap::<&Path, Vec<(&InputFile, T)>>::new());
    for (index, what) in wanted {
        let file = files.at(index).ok_or_else(|| Error::Internal(format!("there is no file {index}")))?;
        if let Some(length) =
            file.entry.as_ref().map(|entry| entry.length).filter(|length| *length > LONGEST_FILE)
        {
            return Err(file.unreadable(index, files.count(), too_long(length)));
        }
        match &file.entry {
            Some(entry) if entry.packing == Packing::Gzip => {
                streams.entry(&file.path).or_default().push((file, what));
            }
            _ => direct.push((index, file, what)),
        }
    }
    let read = |buffer: &mut FileBuffer, (index, file, what): (usize, &InputFile, T)| match &file.entry {
        None => plain(file, what, buffer).map_err(|source| file.unreadable(index, files.count(), source)),
        Some(entry) => {
            let bytes = file.read(0, entry.length);
            bytes
                .map(|bytes| packed(&bytes, what))
                .map_err(|source| file.unreadable(index, files.count(), source))
        }
    };
    let mut done: Vec<R> = direct.into_par_iter().map_init(FileBuffer::new, read).collect::<Result<_>>()?;
    for (path, entries) in streams {
        each_streamed(path, entries, &packed, &mut done)?;
    }
    Ok(done)
}

/// The whole of a file of the disk, or of one whose bytes are at hand.
pub(crate) fn read<'b>(file: &'b InputFile, buffer: &'b mut FileBuffer) -> io::Result<&'b [u8]> {
    if let Some(held) = &file.held {
        return Ok(held);
    }
    let mut opened = File::open(&file.path)?;
    let length = opened.metadata()?.len();
    if length > LONGEST_FILE {
        return Err(too_long(length));
    }
    buffer.fill(length, |bytes| io::Read::read_exact(&mut opened, bytes))
}

fn too_long(length: u64) -> io::Error {
    io::Error::new(
        io::ErrorKind::FileTooLarge,
        format!("it has {length} bytes; at most {LONGEST_FILE} are read"),
    )
}

fn each_streamed<T: Send, R: Send>(
    path: &Path,
    mut wanted: Vec<(&InputFile, T)>,
    work: &(impl Fn(&[u8], T) -> R + Sync),
    done: &mut Vec<R>,
) -> Result<()> {
    let start = |file: &InputFile| file.entry.as_ref().map_or(0, |entry| entry.start);
    wanted.sort_by_key(|(file, _)| start(file));
    let mut stream = Stream::new(File::open(path).map_err(damaged)?);
    let (mut batch, mut size, mut last) = (Vec::<(Vec<u8>, T)>::new(), 0, None);
    let mut finish = |batch: &mut Vec<(Vec<u8>, T)>| {
        done.par_extend(mem::take(batch).into_par_iter().map(|(bytes, what)| work(&bytes, what)));
    };
    for (file, what) in wanted {
        let Some(entry) = &file.entry else { continue };
        if size > BATCH && last != Some(entry.start) {
            finish(&mut batch);
            size = 0;
        }
        // A link to the file before it.
        let again =
            if last == Some(entry.start) { batch.last().map(|(bytes, _)| bytes.clone()) } else { None };
        let bytes = match again {
            Some(bytes) => bytes,
            None => stream.read(entry, 0..entry.length).map_err(damaged)?,
        };
        (size, last) = (size + bytes.len(), Some(entry.start));
        batch.push((bytes, what));
    }
    finish(&mut batch);
    Ok(())
}
