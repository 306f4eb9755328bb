//! DICOM files to checked slices: bytes -> slice headers -> series in spatial order -> stored pixels.
//!
//! A module calls only modules above it in this table, and only those named;
//! `native/pipeline/tests/modules.rs` fails otherwise.
//!
//! | module | what it is | calls |
//! |---|---|---|
//! | `buffer` | memory that files are read into | |
//! | [`label`] | names of files in messages; hashed ids | |
//! | `known` | values of a header that identify nobody | |
//! | `phrases` | counts and numbers as sentences have them | |
//! | [`syntax`] | the transfer syntaxes, one row each | |
//! | `unread` | why something in an input is not read | |
//! | [`problem`] | what can be wrong with one slice | `syntax`, `unread` |
//! | `inflate` | deflated bytes | `problem` |
//! | [`error`] | what can go wrong between bytes and slices | `label`, `problem` |
//! | [`header`] | the first bytes of a file: what it is; for an image, a checked [`SliceHeader`] per slice | `buffer`, `inflate`, `problem`, `syntax` |
//! | [`plan`] | the chosen series, or several as one matrix, as data: [`SeriesPlan`] | `error`, `header`, `label`, `phrases`, `problem` |
//! | [`series`] | the headers of all files: series grouped, ordered, described, chosen ([`Inventory`]) | `error`, `header`, `known`, `label`, `phrases`, `plan`, `problem`, `syntax`, `unread` |
//! | [`pixels`] | a plan and the bytes of one file: the stored pixels of one slice as `i16`, and their digest | `error`, `header`, `inflate`, `phrases`, `plan`, `problem`, `syntax` |
//! | [`derived`] | the file of a slice and other pixels for it: a derived DICOM instance, with or without patient data | `error`, `header`, `known`, `pixels`, `plan`, `problem`, `syntax` |
//! | `object` | to and from the objects of dicom-rs (feature `dicom-object`) | `derived`, `header`, `problem`, `syntax` |
//! | `testing` | a small writer of DICOM files (feature `testing`) | |
//!
//! The crate opens no files: who calls it lists and reads them, on a laptop or through Hadoop.
//! Nothing it returns, logs or puts in an error text is patient data: files are named by position and
//! hashed name ([`label`]), series by a hashed id, and free text of a header is never quoted.
//!
//! **Why our own element scanner, and not `dicom-object`.** What this crate needs from a header is some
//! thirty elements of files that are as hospitals have them:
//!
//! * *Partial headers.* A listing reads the first kilobytes of each of thousands of files, on object stores too. The
//!   scanner stops where the bytes at hand end and says which ones it needs; a general reader takes whole files, or a stream.
//! * *Missing preamble or meta group*, over-long values in the meta group, a wrong group length: the encoding is found
//!   from the first elements.
//! * *Mixed VR.* Elements without a VR in an explicit data set, as some writers leave them, are read as implicit ones.
//! * *UN of implicit content*, of known or undefined length, in data sets of either byte order (PS3.5 section 6.2.2, note 4).
//! * *Hostile files.* A tree of typed values is built by recursion into sequences (files nested some thousand deep
//!   overflow the stack and abort the process, which here is an executor's JVM) and by allocating what a length field
//!   asks for. The scanner ([`header`]) walks the elements once, iteratively, allocates nothing, and borrows the values.
//!
//! `tests/dicom_objects.rs` shows what dicom-rs makes of such files (all but the hostile ones, which would end the test), and that
//! both readers agree on all others. Tags, SOP classes and their names come from `dicom-dictionary-std`; end-to-end tests read the
//! same files with pydicom. Programs that have objects of dicom-rs convert them with the feature `dicom-object` (`object`).
//!
//! **Compressed pixels** are decoded by the libraries that the field trusts (libjpeg-turbo, CharLS, OpenJPEG; RLE
//! and the assembly of fragments are our own). Each is called from one small module of [`pixels`], the only places
//! with `unsafe`, after our own reading of the codestream's header has found that it is the image that the DICOM
//! header describes.
#![deny(unsafe_code)]

mod buffer;
pub mod derived;
pub mod error;
pub mod header;
mod inflate;
mod known;
pub mod label;
#[cfg(feature = "dicom-object")]
pub mod object;
mod phrases;
pub mod pixels;
pub mod plan;
pub mod problem;
pub mod series;
pub mod syntax;
#[cfg(feature = "testing")]
pub mod testing;
mod unread;

pub use buffer::{FileBuffer, LONGEST_FILE, asking, check_room, zeros};
pub use error::{Error, ErrorKind};
pub use header::{
    ByteOrder, HeaderOutcome, NotAnImage, PixelFormat, Rescale, SliceHeader, USUAL_HEAD, packed_format,
    read_header, read_header_by,
};
pub use label::{FileLabel, file_label, printable, printable_json, printable_lines, salted_id};
pub use phrases::decimals;
pub use pixels::{
    ColumnRecord, FileBytes, Findings, PaddingFound, Remark, Secret, SliceFile, SliceRecord, decode, notes,
};
pub use plan::{
    JoinedSeries, JointPlan, Note, NoteKind, PaddingRule, Piece, SeriesPlan, SliceCopy, SlicePlan,
    UnjoinedSeries,
};
pub use problem::Problem;
pub use series::{
    Comparison, FileCounts, Inventory, InventoryPart, JointChoice, SeriesChoice, SeriesEntry, SeriesSummary,
    SliceRole,
};
pub use unread::Unread;
