//! Series: the headers of all files of an input, grouped into volumes, put in spatial order, described and
//! chosen from.
//!
//! | file | what |
//! |---|---|
//! | `group` | the slices of one volume |
//! | `grouping` | which slices make one volume, and their order |
//! | `entries` | the slices whose entries are known |
//! | `all` | `--series all`: each series by itself, planned or with what keeps it from being
//! | `joint` | `--basis joint`: several series as one matrix |
//! | `absent` | attributes that group slices and that some lack |
//! | `concatenation` | images in several parts, of which one is missing |
//! | `scattered` | slices with a Series Instance UID each |
//! | `aspects` | in what the volumes of one series may differ, and the rule for each |
//! | `parts` | the volumes of a group, by these rules |
//! | `ids` | names of volumes |
//! | `copies` | files of one instance: copies, and slices that share a UID |
//! | `repeats` | slices at one place that no attribute tells apart: scans that were sent again |
//! | `agreement` | volumes that agree in most slices |
//! | `geometry` | positions, spacing, gaps, tilt |
//! | `choice` | `--series`: which group is meant, and the errors that help to say it |
//! | `build` | a group to a [`SeriesPlan`] |
//! | `notes` | what is left out of an input, and what is odd about a series |
//! | `skip` | a series without its bad slices |
//! | `strays` | files that cannot be used: which of them matter to a series |
//! | `summary` | what a listing shows of a series |
//! | `travel` | what was read of some files, for the process that puts all together
//! | `unread` | what is no readable file, and whether it could be a slice |
//! | `whole` | all of an input, counted once for the plans of all its series |

mod absent;
mod agreement;
mod all;
mod aspects;
mod build;
mod choice;
mod concatenation;
mod copies;
mod entries;
mod geometry;
mod group;
mod grouping;
mod ids;
mod joint;
mod notes;
mod parts;
mod repeats;
mod scattered;
mod skip;
mod strays;
mod summary;
mod travel;
mod unread;
mod whole;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;

use serde::Serialize;

pub use all::SeriesEntry;
pub use choice::SeriesChoice;
pub use copies::Comparison;
pub use group::SliceRole;
pub use joint::JointChoice;
pub use summary::SeriesSummary;
pub use travel::InventoryPart;

use crate::error::Error;
use crate::header::{HeaderOutcome, NotAnImage, SliceHeader, packed_format, read_header, read_header_by};
use crate::label::{FileLabel, salted_id};
use crate::plan::SeriesPlan;
use crate::problem::Problem;
use crate::unread::Unread;
use group::{Group, Member};
use whole::Whole;

/// So many series are listed in an error.
const LISTED: usize = 20;

/// What the files of an input are, collected from their headers in any order.
///
/// ```
/// use tomobasis_dicom::{Inventory, SeriesChoice, decode, testing::DicomFile};
/// // Three slices, the uppermost first.
/// let slice = |z: i16| DicomFile::ct(2, 2, &[z, 0, 0, 7]).number(9 - z as u32).position(0.0, 0.0, f64::from(z));
/// let files = [3, 2, 1].map(|z| slice(z).bytes());
/// let mut inventory = Inventory::new();
/// for (index, bytes) in files.iter().enumerate() {
///     // The first bytes of a file, and more where its header goes on.
///     let mut head = bytes.len().min(256);
///     loop {
///         match inventory.add(index, &format!("file{index}"), bytes.len() as u64, &bytes[..head])? {
///             0 => break,
///             needed => head = needed as usize,
///         }
///     }
/// }
/// let plan = inventory.select(&SeriesChoice::Only)?;
/// assert_eq!((plan.slices.len(), plan.rows, plan.columns), (3, 2, 2));
/// let mut pixels = vec![0; plan.pixels()];
/// for (number, slice) in plan.slices.iter().enumerate() {
///     decode(&plan, number, &files[slice.file], &mut pixels)?;
///     assert_eq!(pixels, [number as i16 + 1, 0, 0, 7]);
/// }
/// # Ok::<(), tomobasis_dicom::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    files: BTreeMap<usize, File>,
    /// Those among them that are not read.
    unread: BTreeSet<usize>,
    known: entries::Known,
    skip_bad_slices: bool,
    join: bool,
}

#[derive(Clone, Debug)]
struct File {
    id: String,
    /// Of its name: see [`unread::shape`].
    shape: String,
    /// Stands for the folder that it is in.
    folder: String,
    /// `None` for what has none, such as a link.
    length: Option<u64>,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    /// The format, of an archive or a compressed file.
    NotDicom(Option<&'static str>),
    NotAnImage(NotAnImage),
    Broken(Broken),
    Slices(Vec<SliceHeader>),
    Unread(Unread),
}

/// A slice that cannot be used.
#[derive(Clone, Debug)]
struct Broken {
    /// Series Instance UID: empty when the header has none, `None` when it cannot be known.
    series: Option<String>,
    /// SOP Instance UID, likewise.
    instance: Option<String>,
    /// Image Position (Patient), mm, where that is known.
    position_mm: Option<[f64; 3]>,
    volumetric: bool,
    /// How many slices it has, where that is known.
    slices: Option<usize>,
    problem: Problem,
}

impl Broken {
    /// A file of which nothing is known but what is wrong with it.
    fn unknown(problem: Problem) -> Self {
        Self { series: None, instance: None, position_mm: None, volumetric: false, slices: None, problem }
    }
}

/// What the first bytes of a file tell, whether or not it is DICOM.
#[derive(Clone, Copy)]
struct Seen {
    packed: Option<&'static str>,
    /// Nothing but zeros, with or without the mark of a DICOM file.
    blank: bool,
}

impl Seen {
    fn of(head: &[u8]) -> Self {
        let rest = match head.split_at_checked(132) {
            Some((start, rest)) if start.ends_with(b"DICM") => rest,
            // The mark itself may end in what was never written.
            Some((start, rest))
                if [&b"D\0\0\0"[..], b"DI\0\0", b"DIC\0"].iter().any(|mark| start.ends_with(mark)) =>
            {
                rest
            }
            _ => head,
        };
        Self { packed: packed_format(head), blank: rest.iter().all(|&byte| byte == 0) }
    }
}

impl Content {
    fn of(outcome: HeaderOutcome, seen: Seen) -> Self {
        match outcome {
            HeaderOutcome::NotDicom | HeaderOutcome::NeedBytes(_) | HeaderOutcome::NotAnImage(_)
                if seen.blank =>
            {
                let problem = Problem::Blank;
                Content::Broken(Broken::unknown(problem))
            }
            // Nothing is left to be asked for when the whole file is there.
            HeaderOutcome::NotDicom | HeaderOutcome::NeedBytes(_) => Content::NotDicom(seen.packed),
            HeaderOutcome::NotAnImage(reason) => Content::NotAnImage(reason),
            HeaderOutcome::Broken {
                series_instance_uid: series,
                sop_instance_uid: instance,
                position_mm,
                volumetric,
                slices,
                problem,
            } => Content::Broken(Broken { series, instance, position_mm, volumetric, slices, problem }),
            HeaderOutcome::Slices(slices) => Content::Slices(slices),
        }
    }
}

/// How many files of an input are what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FileCounts {
    /// All files.
    pub files: usize,
    /// Files that are not DICOM.
    pub not_dicom: usize,
    /// DICOM files without slices.
    pub not_images: usize,
    /// Files with a slice that cannot be used.
    pub broken: usize,
    /// Usable slices.
    pub slices: usize,
    /// What is not read: special files, links that lead nowhere, encrypted files, ...
    pub not_read: usize,
}

impl Inventory {
    /// An empty inventory.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on, slices that cannot be used are left out of a plan and reported, instead of being an error, as long as
    /// what is left is still the scan.
    pub fn skip_bad_slices(&mut self) {
        self.skip_bad_slices = true;
    }

    /// From now on, the volumes of one series that have one size, orientation and frame of reference are one matrix.
    pub fn join(&mut self) {
        self.join = true;
    }

    /// Takes the beginning of the file at position `file` of the sorted listing: the first bytes of its
    /// `file_length`. Returns 0 when done with this file, else the number of bytes of it that are needed:
    /// call again with these. What is wrong with a file is the error of [`select`](Self::select), since it only
    /// matters in the series that is chosen.
    ///
    /// # Errors
    /// `Argument` when `head` is longer than the file or the position was already taken.
    pub fn add(&mut self, file: usize, name: &str, file_length: u64, head: &[u8]) -> Result<u64, Error> {
        self.check_new(file, file_length, head.len())?;
        match read_header(head, file_length) {
            HeaderOutcome::NeedBytes(bytes) => Ok(bytes),
            outcome => {
                self.insert(file, name, Some(file_length), Content::of(outcome, Seen::of(head)));
                Ok(0)
            }
        }
    }

    /// Takes the file at position `file` of the sorted listing, of which `head` was read, and asks `more` for other parts of
    /// it as far as its header needs them: see [`read_header_by`].
    ///
    /// # Errors
    /// `Argument` as [`add`](Self::add); those of `more`, without which the file is not taken.
    pub fn read<E: From<Error>>(
        &mut self,
        file: usize,
        name: &str,
        file_length: u64,
        head: Vec<u8>,
        more: impl FnMut(Range<u64>) -> Result<Vec<u8>, E>,
    ) -> Result<(), E> {
        self.check_new(file, file_length, head.len())?;
        let seen = Seen::of(&head);
        let outcome = read_header_by(head, file_length, more)?;
        self.insert(file, name, Some(file_length), Content::of(outcome, seen));
        Ok(())
    }

    /// Takes what is at position `file` of the sorted listing and cannot be read.
    pub fn add_unread(&mut self, file: usize, name: &str, length: Option<u64>, why: Unread) {
        let content = match why {
            Unread::File(reason) => {
                let problem = Problem::Unreadable { reason };
                Content::Broken(Broken::unknown(problem))
            }
            why => Content::Unread(why),
        };
        self.insert(file, name, length, content);
    }

    fn insert(&mut self, file: usize, name: &str, length: Option<u64>, content: Content) {
        let (id, shape) = (salted_id("file", name), unread::shape(name));
        let folder = salted_id("folder", name.rsplit_once('/').map_or("", |(folder, _)| folder));
        if matches!(content, Content::Unread(_)) {
            self.unread.insert(file);
        }
        self.files.insert(file, File { id, shape, folder, length, content });
    }

    fn check_new(&self, file: usize, file_length: u64, head: usize) -> Result<(), Error> {
        if head as u64 > file_length {
            return Err(Error::Argument(format!("{head} bytes of a file of {file_length} bytes were given")));
        }
        if self.files.contains_key(&file) {
            return Err(Error::Argument(format!("position {file} of the listing was given twice")));
        }
        Ok(())
    }

    /// How many files are what.
    pub fn counts(&self) -> FileCounts {
        let mut counts = FileCounts { files: self.files.len(), ..FileCounts::default() };
        for file in self.files.values() {
            match &file.content {
                Content::NotDicom(_) => counts.not_dicom += 1,
                Content::NotAnImage(_) => counts.not_images += 1,
                Content::Broken(_) => counts.broken += 1,
                Content::Slices(slices) => counts.slices += slices.len(),
                Content::Unread(_) => counts.not_read += 1,
            }
        }
        counts
    }

    /// The plan of the one series that `choice` means.
    ///
    /// # Errors
    /// `Usage` kind when several series fit or none does, or all are asked for; `Input` when the series cannot be used: broken
    /// slices, slices that make no volume, compressed pixels.
    pub fn select(&self, choice: &SeriesChoice) -> Result<SeriesPlan, Error> {
        let mut plans = self.select_all(choice)?;
        match (plans.pop(), plans.len()) {
            // What was asked for is more than one series, even if there is no other.
            (Some(_), 0) if matches!(choice, SeriesChoice::All) => Err(Error::AllSeries),
            (Some(plan), 0) => Ok(plan),
            (_, others) => Err(Error::SeveralSeries {
                count: others + 1,
                listing: self.listing(|one| one.role == SliceRole::Original),
            }),
        }
    }

    /// The plans of all series that `choice` means: more than one for [`SeriesChoice::All`] only.
    ///
    /// # Errors
    /// As [`select`](Self::select).
    pub fn select_all(&self, choice: &SeriesChoice) -> Result<Vec<SeriesPlan>, Error> {
        let groups = self.groups();
        let chosen = choice::choose(self, &groups, choice)?;
        let all = Whole::new(self, &groups);
        chosen.into_iter().map(|group| build::plan(self, &all, group)).collect()
    }

    /// The plan of each of the [`series`](Self::series), in their order: what [`select`](Self::select) gives for its id.
    ///
    /// # Errors
    /// As [`select`](Self::select), where there is none, or for the first that cannot be used.
    pub fn select_each(&self) -> Result<Vec<SeriesPlan>, Error> {
        let groups = self.groups();
        if groups.is_empty() {
            return self.select_all(&SeriesChoice::Only);
        }
        let all = Whole::new(self, &groups);
        groups.iter().map(|group| build::plan(self, &all, group)).collect()
    }

    /// What a listing shows: one summary per volume, the one with most slices first.
    pub fn series(&self) -> Vec<SeriesSummary> {
        let groups = self.groups();
        let all = notes::Listed::new(self, &groups);
        let summary = |(i, group)| summary::summarize(self, &all, group, i + 1);
        groups.iter().enumerate().map(summary).collect()
    }

    /// Files with slices that cannot be used and belong to none of the [`series`](Self::series): one sentence
    /// per problem.
    pub fn unusable(&self) -> Vec<String> {
        let groups = self.groups();
        let series: HashSet<&str> = groups.iter().flat_map(Group::series_uids).collect();
        let listed = |uid: &str| series.contains(uid);
        let lost = self.broken().filter(|(_, broken)| !broken.series.as_deref().is_some_and(listed));
        notes::sentences(self, lost.map(|(file, broken)| (file, broken.problem.clone())))
    }

    fn listing(&self, keep: impl Fn(&SeriesSummary) -> bool) -> String {
        let series = self.series();
        let kept: Vec<&SeriesSummary> = series.iter().filter(|one| keep(one)).collect();
        let mut lines: Vec<String> = kept.iter().take(LISTED).map(|one| format!("  {one}")).collect();
        if kept.len() > LISTED {
            lines.push(format!("  and {} more: see tomobasis inspect", kept.len() - LISTED));
        }
        lines.join("\n")
    }

    fn groups(&self) -> Vec<Group<'_>> {
        self.grouped(self.join)
    }

    fn grouped(&self, join: bool) -> Vec<Group<'_>> {
        let members = self.files.iter().flat_map(|(&file, entry)| {
            let slices: &[SliceHeader] = match &entry.content {
                Content::Slices(slices) => slices,
                _ => &[],
            };
            slices.iter().map(move |header| Member { file, header, series: &header.series_instance_uid })
        });
        grouping::group(members.collect(), join, &self.known)
    }

    fn broken(&self) -> impl Iterator<Item = (usize, &Broken)> {
        self.files.iter().filter_map(|(&file, entry)| match &entry.content {
            Content::Broken(broken) => Some((file, broken)),
            _ => None,
        })
    }

    /// What the DICOM files without slices are (DICOMDIR, color picture, the name of a SOP class), and how many
    /// of each.
    pub fn without_slices(&self) -> BTreeMap<String, usize> {
        let mut kinds = BTreeMap::new();
        for file in self.files.values() {
            if let Content::NotAnImage(reason) = &file.content {
                *kinds.entry(reason.to_string()).or_default() += 1;
            }
        }
        kinds
    }

    /// The same as text: `2 x DICOMDIR, 1 x color picture`.
    pub fn kinds(&self) -> String {
        let kinds = self.without_slices();
        kinds.iter().map(|(kind, count)| format!("{count} x {kind}")).collect::<Vec<_>>().join(", ")
    }

    /// Archives and compressed files among those that are not DICOM: `2 x gzip, 1 x zip`.
    pub fn packed_kinds(&self) -> String {
        let mut kinds = BTreeMap::<_, usize>::new();
        for file in self.files.values() {
            if let Content::NotDicom(Some(format)) = &file.content {
                *kinds.entry(format).or_default() += 1;
            }
        }
        kinds.iter().map(|(kind, count)| format!("{count} x {kind}")).collect::<Vec<_>>().join(", ")
    }

    /// The error for the first of some files with problems; `None` when there are none.
    fn first_error<'a>(&self, mut problems: impl Iterator<Item = (usize, &'a Problem)>) -> Option<Error> {
        let (file, problem) = problems.next()?;
        Some(Error::Slice { file: self.label(file), problem: problem.clone(), others: problems.count() })
    }

    fn label(&self, file: usize) -> FileLabel {
        let id = self.files.get(&file).map_or(String::new(), |entry| entry.id.clone());
        FileLabel { index: file, count: self.file_count(), id }
    }

    fn length(&self, file: usize) -> Option<u64> {
        self.files.get(&file)?.length
    }

    fn file_count(&self) -> usize {
        self.files.last_key_value().map_or(0, |(&last, _)| last + 1)
    }
}
