//! DICOM files to checked slices: bytes -> slice headers -> series in spatial order -> stored pixels.
//!
//! | module | takes | gives |
//! |---|---|---|
//! | [`header`] | the first bytes of a file | what the file is; for an image, a checked [`SliceHeader`] per slice |
//! | [`series`] | the headers of all files | [`Inventory`]: series grouped, ordered, described; a [`SeriesPlan`] for the chosen one |
//! | [`pixels`] | a plan and the bytes of one file | the stored pixels of one slice as `i16`, and their digest |
//! | [`derived`] | the file of a slice and other pixels for it | a derived DICOM instance, with or without patient data |
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
//! * *UN of implicit content*, in data sets of either byte order (PS3.5 section 6.2.2, note 4).
//! * *Hostile files.* A tree of typed values is built by recursion into sequences (files nested some thousand deep
//!   overflow the stack and abort the process, which here is an executor's JVM) and by allocating what a length field
//!   asks for. The scanner ([`header`]) walks the elements once, iteratively, allocates nothing, and borrows the values.
//!
//! Tags, SOP classes and their names come from `dicom-dictionary-std`; end-to-end tests read the same files with pydicom
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
pub mod pixels;
pub mod problem;
pub mod series;
pub mod syntax;
#[cfg(feature = "testing")]
pub mod testing;

pub use buffer::{FileBuffer, LONGEST_FILE, asking, check_room, zeros};
pub use error::{Error, ErrorKind};
pub use header::{
    ByteOrder, HeaderOutcome, NotAnImage, PixelFormat, Rescale, SliceHeader, USUAL_HEAD, packed_format,
    read_header, read_header_by,
};
pub use label::{FileLabel, file_label, printable, printable_lines, salted_id};
pub use pixels::{
    FileBytes, Findings, PaddingFound, PaddingRule, Remark, Secret, SliceFile, SliceRecord, decode, notes,
};
pub use problem::Problem;
pub use series::{
    Comparison, FileCounts, Inventory, Note, NoteKind, Piece, SeriesChoice, SeriesPlan, SeriesSummary,
    SliceCopy, SlicePlan, SliceRole, Unread, decimals,
};
