//! The first stage: what the listed files hold, which series is meant. Headers are read here.

use std::{collections::BTreeMap, fs::File, io, path::Path};

use rayon::prelude::*;
use tomobasis_dicom::{Inventory, SeriesEntry, SeriesPlan, USUAL_HEAD, Unread};

use crate::{
    error::{Error, Result, is_no_fault_of_input},
    input::{
        archive::{Packing, Stream, damaged},
        decode,
        listing::InputFile,
    },
    options::{OnBadSlice, Options, series_choice},
    progress::Progress,
};

/// Files whose first bytes are in memory at a time.
const BATCH: usize = 256;
/// More pixels than this in a slice are no medical image: the job holds a slice in one array.
const MOST_PIXELS: u64 = i32::MAX as u64;

/// Reads the headers of all files, on the current thread pool, and pixels where headers do not tell copies from volumes.
///
/// # Errors
/// [`Error::Input`] for a gzip stream that is damaged, [`Error::Unreadable`] for a file that fails after its head was read, and
/// [`Error::System`] where that is not the file's fault.
pub fn take_inventory(files: &[InputFile], progress: &dyn Progress) -> Result<Inventory> {
    let mut inventory = Inventory::new();
    let (mut direct, mut streamed) = (Vec::new(), BTreeMap::<&Path, Vec<usize>>::new());
    for (index, file) in files.iter().enumerate() {
        match (&file.unread, &file.entry) {
            (Some(why), _) => {
                inventory.add_unread(index, &file.name, file.length, why.clone());
                progress.advance(1);
            }
            (None, Some(entry)) if entry.packing == Packing::Gzip => {
                streamed.entry(&file.path).or_default().push(index);
            }
            _ => direct.push(index),
        }
    }
    for part in direct.chunks(BATCH) {
        if progress.stopped() {
            return Err(Error::Stopped);
        }
        let heads: Vec<io::Result<Vec<u8>>> =
            part.par_iter().map(|&index| files[index].read(0, USUAL_HEAD)).collect();
        for (&index, head) in part.iter().zip(heads) {
            add(&mut inventory, files, index, head)?;
            progress.advance(1);
        }
    }
    for (path, indices) in streamed {
        add_streamed(&mut inventory, files, path, indices, progress)?;
    }
    compare_repeats(&mut inventory, files)?;
    Ok(inventory)
}

/// Reads the pixels of slices that no attribute tells apart: they decide which are copies and what the volumes are.
fn compare_repeats(inventory: &mut Inventory, files: &[InputFile]) -> Result<()> {
    for plan in inventory.repeats().iter().filter(|plan| is_readable(plan)) {
        let decoded = decode::entry_digests(plan, files)?.into_iter();
        let digests: Vec<_> = decoded.map(std::result::Result::ok).collect();
        inventory.know(plan, &digests);
    }
    Ok(())
}

/// Whether its slices are no larger than those that are read.
#[must_use]
pub fn is_readable(plan: &SeriesPlan) -> bool {
    plan.rows as u64 * plan.columns as u64 <= MOST_PIXELS
}

/// Adds a file that can be read at any place.
fn add(
    inventory: &mut Inventory,
    files: &[InputFile],
    index: usize,
    head: io::Result<Vec<u8>>,
) -> Result<()> {
    let file = &files[index];
    let mut head = match (head, &file.entry) {
        (Ok(head), _) => head,
        (Err(error), _) if file.is_damaged(&error) => {
            inventory.add_unread(index, &file.name, file.length, Unread::Damaged);
            return Ok(());
        }
        (Err(error), Some(_)) => return Err(file.unreadable(index, files.len(), error)),
        (Err(error), None) if is_no_fault_of_input(&error) => {
            return Err(file.unreadable(index, files.len(), error));
        }
        (Err(error), None) => {
            log::debug!("{error}: {}", file.path.display());
            inventory.add_unread(index, &file.name, file.length, Unread::File(error.kind().to_string()));
            return Ok(());
        }
    };
    // A file that gives fewer bytes than its size says ends where they do.
    let length = file.length.filter(|&length| head.len() as u64 >= length.min(USUAL_HEAD));
    let length = length.unwrap_or(head.len() as u64);
    // One that has grown since it was listed is read as it was then.
    head.truncate(length as usize);
    inventory.read(index, &file.name, length, head, |range| {
        file.read(range.start, range.end).map_err(|error| file.unreadable(index, files.len(), error))
    })
}

/// Adds files of a gzip stream, which is read once.
fn add_streamed(
    inventory: &mut Inventory,
    files: &[InputFile],
    path: &Path,
    mut indices: Vec<usize>,
    progress: &dyn Progress,
) -> Result<()> {
    let start = |index: usize| files[index].entry.as_ref().map_or(0, |entry| entry.start);
    indices.sort_by_key(|&index| start(index));
    let mut stream = Stream::new(File::open(path).map_err(damaged)?);
    for same in indices.chunk_by(|&a, &b| start(a) == start(b)) {
        // Links to one file are that file; the stream passes it once.
        let whole = match (same, same.first().and_then(|&index| files[index].entry.as_ref())) {
            ([_, _, ..], Some(entry)) => Some(stream.read(entry, 0..entry.length).map_err(damaged)?),
            _ => None,
        };
        for &index in same {
            let (file, Some(entry)) = (&files[index], &files[index].entry) else { continue };
            let mut read = |from: u64, to: u64| match &whole {
                Some(bytes) => {
                    Ok(bytes[(from as usize).min(bytes.len())..(to as usize).min(bytes.len())].to_vec())
                }
                None => stream.read(entry, from..to).map_err(damaged),
            };
            let head = read(0, USUAL_HEAD.min(entry.length))?;
            inventory.read(index, &file.name, entry.length, head, |range| read(range.start, range.end))?;
            progress.advance(1);
        }
    }
    Ok(())
}

/// The series that the options mean, or the several that are one matrix, checked against them.
///
/// # Errors
/// What the inventory and [`Options::check_against`] refuse.
pub fn select(inventory: &mut Inventory, options: &Options) -> Result<SeriesPlan> {
    prepare(inventory, options);
    let plan = match options.joint() {
        Some(choice) => inventory.select_joint(&choice),
        None => inventory.select(&series_choice(options.series.as_deref())),
    };
    // What is denoised is one volume, so that nothing advises to take several as one.
    let plan = plan.map_err(|error| if options.denoise.is_some() { error.without_join() } else { error })?;
    checked(plan, options)
}

/// Every series that there is, in the order of a listing, each checked against the options but for `--series`.
///
/// # Errors
/// As [`select`], for the first that cannot be used.
pub fn select_each(inventory: &mut Inventory, options: &Options) -> Result<Vec<SeriesPlan>> {
    prepare(inventory, options);
    inventory.select_each()?.into_iter().map(|plan| checked(plan, options)).collect()
}

/// Visits every series of an input in which all are meant, the largest first, each plan checked against the options.
///
/// # Errors
/// Those of `visit`.
pub fn visit_series<E>(
    inventory: &mut Inventory,
    options: &Options,
    mut visit: impl FnMut(SeriesEntry, Option<Result<SeriesPlan>>) -> std::result::Result<(), E>,
) -> std::result::Result<(), E> {
    prepare(inventory, options);
    inventory.visit_series(|mut entry| {
        let plan = entry.plan.take();
        let plan = plan.map(|plan| plan.map_err(Error::from).and_then(|plan| checked(plan, options)));
        visit(entry, plan)
    })
}

/// What an inventory knows of its files, for [`merge`] in another process.
///
/// # Errors
/// [`Error::Internal`] when it cannot be written.
pub fn to_bytes(inventory: &Inventory) -> Result<Vec<u8>> {
    rmp_serde::to_vec(&inventory.part()).map_err(|error| Error::Internal(error.to_string()))
}

/// Takes what another inventory knows of other files of the same listing.
///
/// # Errors
/// [`Error::Protocol`] for bytes that are none of [`to_bytes`]; those of [`Inventory::merge`].
pub fn merge(inventory: &mut Inventory, bytes: &[u8]) -> Result<()> {
    let part = rmp_serde::from_slice(bytes)
        .map_err(|error| Error::Protocol(format!("these are no headers that a task has read ({error})")))?;
    Ok(inventory.merge(part)?)
}

fn prepare(inventory: &mut Inventory, options: &Options) {
    if options.on_bad_slice == OnBadSlice::Skip {
        inventory.skip_bad_slices();
    }
    if options.join {
        inventory.join();
    }
}

fn checked(mut plan: SeriesPlan, options: &Options) -> Result<SeriesPlan> {
    if !is_readable(&plan) {
        return Err(Error::Input(format!(
            "its slices have {} x {} pixels; slices of at most {MOST_PIXELS} pixels are read",
            plan.rows, plan.columns
        )));
    }
    plan.padding = options.padding.into();
    options.check_against(&plan)?;
    Ok(plan)
}
