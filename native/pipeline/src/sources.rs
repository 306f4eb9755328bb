//! The bytes of the scan's files, each file read once: files of the disk spread over the threads, an archive walked once and its
//! entries handed out some at a time.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    mem,
    path::Path,
};

use rayon::prelude::*;
use tomobasis_dicom::FileBuffer;

use crate::{
    archive::damaged,
    error::{Error, Result},
    scan::{self, InputFile},
};

/// Bytes of an archive's entries that are in memory at a time.
const BATCH: usize = 64 << 20;

/// Calls `plain` for files of the disk, with a buffer that the thread keeps, and `packed` for entries of archives, with their bytes; on
/// the current thread pool. `wanted` are the files by their place in the listing, each with what is wanted of it.
///
/// # Errors
/// When files or archives cannot be read.
pub(crate) fn each_file<T: Send, R: Send>(
    files: &[InputFile],
    wanted: BTreeMap<usize, T>,
    plain: impl Fn(&InputFile, T, &mut FileBuffer) -> io::Result<R> + Sync,
    packed: impl Fn(&[u8], T) -> R + Sync,
) -> Result<Vec<R>> {
    let (mut on_disk, mut archives) = (Vec::new(), BTreeMap::<&Path, BTreeMap<usize, T>>::new());
    for (index, what) in wanted {
        let file = files.get(index).ok_or_else(|| Error::Protocol(format!("there is no file {index}")))?;
        match file.entry {
            None => on_disk.push((index, file, what)),
            Some(entry) => drop(archives.entry(&file.path).or_default().insert(entry, what)),
        }
    }
    let read = |buffer: &mut FileBuffer, (index, file, what): (usize, &InputFile, T)| {
        plain(file, what, buffer).map_err(|source| file.unreadable(index, files.len(), source))
    };
    let mut done: Vec<R> = on_disk.into_par_iter().map_init(FileBuffer::new, read).collect::<Result<_>>()?;
    for (path, entries) in archives {
        each_entry(path, entries, &packed, &mut done)?;
    }
    Ok(done)
}

/// The whole of a file of the disk.
pub(crate) fn read<'b>(file: &InputFile, buffer: &'b mut FileBuffer) -> io::Result<&'b [u8]> {
    let mut opened = File::open(&file.path)?;
    let length = opened.metadata()?.len();
    buffer.fill(length, |bytes| opened.read_exact(bytes))
}

fn each_entry<T: Send, R: Send>(
    path: &Path,
    mut wanted: BTreeMap<usize, T>,
    work: &(impl Fn(&[u8], T) -> R + Sync),
    done: &mut Vec<R>,
) -> Result<()> {
    let entries: Vec<usize> = wanted.keys().copied().collect();
    let (mut batch, mut size) = (Vec::<(Vec<u8>, T)>::new(), 0);
    let mut finish = |batch: &mut Vec<(Vec<u8>, T)>| {
        done.par_extend(mem::take(batch).into_par_iter().map(|(bytes, what)| work(&bytes, what)));
    };
    scan::walk(path, &|entry| entries.binary_search(&entry).is_ok(), &mut |entry| {
        let index = entry.index;
        let bytes = entry.into_bytes().map_err(damaged)?;
        size += bytes.len();
        batch.extend(wanted.remove(&index).map(|what| (bytes, what)));
        if size > BATCH {
            finish(&mut batch);
            size = 0;
        }
        Ok(!wanted.is_empty())
    })?;
    finish(&mut batch);
    if wanted.is_empty() { Ok(()) } else { Err(damaged(io::ErrorKind::UnexpectedEof)) }
}
