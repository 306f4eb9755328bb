//! The second stage of the in-process run: stored pixels of all slices, each file read once.
//!
//! Files are spread over the threads, and so are the frames of a file that has several. Of a large uncompressed multi-frame
//! file only the head and the frames themselves are read.

use std::{collections::BTreeMap, fs::File, io, path::Path};

use rayon::prelude::*;
use tomobasis_dicom::{FileBuffer, FileBytes, Piece, SeriesPlan, SliceFile, SliceRecord};

use crate::{
    error::Result,
    input::{
        files::Files,
        listing::InputFile,
        sources::{each_file, read},
    },
    os::read_exact_at,
    progress::{Progress, Silent},
};

/// A slice of the plan and the room for its pixels, where they are wanted.
type Target<'a> = (usize, Option<&'a mut [i16]>);
/// What became of a slice.
type Decoded<T> = std::result::Result<T, tomobasis_dicom::Error>;
/// A slice of the plan and what became of it.
type Done<T> = (usize, Decoded<T>);

/// Decodes all slices of the plan, on the current thread pool: `pixels` gets them one after the other. Returns what became of
/// each, in series order; of fewer where the run is to stop.
///
/// # Errors
/// When files or archives cannot be read at all, which is not the slices' fault.
pub(crate) fn decode(
    plan: &SeriesPlan,
    files: &(impl Files + ?Sized),
    pixels: &mut [i16],
    progress: &dyn Progress,
) -> Result<Vec<Decoded<SliceRecord>>> {
    let work = Work { plan, progress, read: |file, plan, slice, out| file.decode(plan, slice, out) };
    work.slices(files, pixels.chunks_mut(plan.pixels()).map(Some))
}

/// The digests of the entries of all slices, by which copies are compared; no pixels are kept.
///
/// # Errors
/// As [`decode`].
pub(crate) fn entry_digests(
    plan: &SeriesPlan,
    files: &(impl Files + ?Sized),
) -> Result<Vec<Decoded<[u8; 32]>>> {
    let work =
        Work { plan, progress: &Silent, read: |file, plan, slice, out| file.entries(plan, slice, out) };
    work.slices(files, plan.slices.iter().map(|_| None))
}

struct Work<'a, T> {
    plan: &'a SeriesPlan,
    progress: &'a dyn Progress,
    read: fn(&SliceFile<'_>, &SeriesPlan, usize, &mut [i16]) -> Decoded<T>,
}

impl<T: Send> Work<'_, T> {
    fn slices<'p>(
        &self,
        files: &(impl Files + ?Sized),
        rooms: impl Iterator<Item = Option<&'p mut [i16]>>,
    ) -> Result<Vec<Decoded<T>>> {
        let mut by_file: BTreeMap<usize, Vec<Target<'_>>> = BTreeMap::new();
        for (target, slice) in rooms.enumerate().zip(&self.plan.slices) {
            by_file.entry(slice.file).or_default().push(target);
        }
        let done = each_file(
            files,
            by_file,
            |file, targets, buffer| self.file(file, targets, buffer),
            |bytes, targets| self.whole(bytes, targets),
        )?;
        let mut done: Vec<Done<T>> = done.into_iter().flatten().collect();
        done.sort_by_key(|(slice, _)| *slice);
        Ok(done.into_iter().map(|(_, decoded)| decoded).collect())
    }

    /// The slices of one file.
    fn file(
        &self,
        file: &InputFile,
        targets: Vec<Target<'_>>,
        buffer: &mut FileBuffer,
    ) -> io::Result<Vec<Done<T>>> {
        if self.progress.stopped() {
            return Ok(Vec::new());
        }
        match targets.first().and_then(|(slice, _)| self.piece(*slice)) {
            Some(piece) if file.held.is_none() => self.pieces(&file.path, piece, targets),
            _ => Ok(self.whole(read(file, buffer)?, targets)),
        }
    }

    fn piece(&self, slice: usize) -> Option<Piece> {
        self.plan.slices.get(slice)?.piece
    }

    /// Slices of a file whose bytes are at hand.
    fn whole(&self, bytes: &[u8], targets: Vec<Target<'_>>) -> Vec<Done<T>> {
        let opened = SliceFile::open(FileBytes::whole(bytes));
        targets.into_par_iter().map(|target| self.slice(&opened, target)).collect()
    }

    /// Slices of a large file, of which no more than its head and their own bytes are read.
    fn pieces(&self, path: &Path, piece: Piece, targets: Vec<Target<'_>>) -> io::Result<Vec<Done<T>>> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        // A file that has become shorter is another one, which the decoder says.
        let length_of = |start: u64, end: u64| end.min(length).saturating_sub(start.min(length));
        let mut head = FileBuffer::new();
        let head = head.fill(length_of(0, piece.head), |bytes| read_exact_at(&file, bytes, 0))?;
        let opened = SliceFile::open(FileBytes { length, ..FileBytes::whole(head) });
        let one = |buffer: &mut FileBuffer, target: Target<'_>| {
            let Piece { start, end, .. } = self.piece(target.0).unwrap_or(piece);
            let bytes = buffer.fill(length_of(start, end), |bytes| read_exact_at(&file, bytes, start))?;
            Ok(self.slice(&opened.with_piece(start, bytes), target))
        };
        targets.into_par_iter().map_init(FileBuffer::new, one).collect()
    }

    fn slice(&self, opened: &SliceFile<'_>, (slice, out): Target<'_>) -> Done<T> {
        let decoded = match out {
            Some(out) => (self.read)(opened, self.plan, slice, out),
            None => (self.read)(opened, self.plan, slice, &mut vec![0; self.plan.pixels()]),
        };
        self.progress.advance(1);
        (slice, decoded)
    }
}
