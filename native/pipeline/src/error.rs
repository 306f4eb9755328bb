//! What can go wrong, in words that tell the reader what to do.
//!
//! Every error has one exit code, shared by the command and the Spark job: 2 for options, 3 for input, 4 for a result that
//! differs, 1 for a failure while running. No text holds a path or anything out of a DICOM header; files appear under the
//! labels of [`tomobasis_dicom::file_label`].

use std::{any::Any, fmt, io};

use crate::{
    hadoop,
    limits::{Limit, size},
};
use system::{instead, is_refusal};
pub use system::{is_no_fault_of_input, is_of_system};

mod system;

/// An error of any stage.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The command line as a whole does not parse; the text is clap's, in one line.
    #[error("{0}")]
    CommandLine(String),
    /// One option has a value that cannot be used.
    #[error("{option}: {problem}")]
    Option {
        /// The option as typed, `--rank`.
        option: &'static str,
        /// What is wrong with its value and what to give instead.
        problem: String,
    },
    /// The output folder is there already.
    #[error("--output: it exists already; name another folder or add --overwrite")]
    OutputExists,
    /// `--overwrite` would remove something that is not a folder of the kind to be written.
    #[error("--output: it exists and is not a {0}, so --overwrite will not replace it; name another folder")]
    OutputForeign(FolderKind),
    /// `--overwrite` would remove something beside one of our results.
    #[error(
        "--output: the {kind} holds {others} more {}, which --overwrite would remove; move {}, or name another folder",
        if *others == 1 { "file or folder" } else { "files or folders" },
        if *others == 1 { "it" } else { "them" }
    )]
    OutputHoldsOthers {
        /// What the folder is.
        kind: FolderKind,
        /// Names that are none of a result.
        others: usize,
    },
    /// `--overwrite` would remove what somebody has changed in a folder of ours.
    #[error(
        "--output: {what} in the {kind} was changed since it was written, which --overwrite would lose; move the folder, or name another"
    )]
    OutputChanged {
        /// What the folder is.
        kind: FolderKind,
        /// File, or folder of a series.
        what: String,
    },
    /// The output is an unfinished result.
    #[error(
        "--output: an unfinished result is there (its run was killed, or is under way); name another folder or add --overwrite"
    )]
    OutputUnfinished,
    /// Another run finished its result where this one was to be.
    #[error("--output: another run put its result there meanwhile, which stays; name another folder")]
    OutputOvertaken,
    /// Another run took the output over.
    #[error(
        "--output: another run took it over while this one ran (the same run's retry, or one with --overwrite); this one left nothing"
    )]
    OutputSuperseded,
    /// The input lies in the output, which is replaced as a whole.
    #[error(
        "--output: the scan of --input lies in this folder, which the result would replace; name another folder"
    )]
    OutputHoldsInput,
    /// The output of `--series all` lies in the input, where its files would be taken for series.
    #[error("--output: it lies in the input of --series all; name a folder beside it")]
    OutputInInput,
    /// An output with DICOM files lies in the input, whose next reader would take them for a part of it.
    #[error(
        "--output: it lies in --input, where the next run would take its DICOM files for a part of the scan; name a folder beside the scan"
    )]
    OutputBesideSlices,
    /// The output of `--series all` holds something else.
    #[error(
        "--output: it exists and is no archive of results, whose index.parquet --series all has written; name another folder, or one that is empty"
    )]
    OutputNoArchive,
    /// The output of `--series all` holds results of another kind.
    #[error(
        "--output: it holds results of another kind of run, and this one would make each series a {0}; name another folder"
    )]
    OutputOtherArchive(FolderKind),
    /// Some series of `--series all` failed.
    #[error("{failed} of {series} series failed; index.parquet in the output says why{}", others(*failed, *series))]
    SeriesFailed {
        /// How many.
        failed: usize,
        /// How many there are.
        series: usize,
        /// Whether all of them because of the input.
        of_input: bool,
    },
    /// `--series all` came to an end before all series had been looked at.
    #[error("{pending} of {series} series are not done; run again to go on")]
    SeriesPending {
        /// How many.
        pending: usize,
        /// How many there are.
        series: usize,
    },
    /// The first series that failed ended `--series all` with `--fail-fast`.
    #[error(
        "series {id}: {problem}; {left} of {series} series are left (--fail-fast), run again to go on once it is mended or removed"
    )]
    FailedFast {
        /// Of the series.
        id: String,
        /// Why.
        problem: String,
        /// Series that are not done.
        left: usize,
        /// How many there are.
        series: usize,
        /// Of that error.
        exit_code: u8,
    },
    /// The output folder cannot be made.
    #[error("--output: cannot write there ({0}); {instead}", instead = instead(_0))]
    OutputNotWritable(#[source] io::Error),
    /// The input cannot be used as a whole.
    #[error("--input: {0}")]
    Input(String),
    /// There is no input of this name.
    #[error("--input: there is no such folder or file; check the path")]
    InputAbsent,
    /// A Hadoop file system failed, of which the job tells.
    #[error(transparent)]
    Hadoop(#[from] hadoop::Failure),
    /// One file of the input cannot be read.
    #[error("{file}: cannot be read ({source}); check its permissions and the disk")]
    Unreadable {
        /// Label of the file, without its name.
        file: String,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The system failed while a file was read, which says nothing of the file.
    #[error("{file}: cannot be read ({source}); {}", instead(source))]
    System {
        /// Label of the file of the input, or path inside the result folder.
        file: String,
        /// The operating system's reason.
        source: io::Error,
    },
    /// There is too little memory.
    #[error("{what}, and {} {}; {instead}", size((*room).into()), of.text())]
    Memory {
        /// What needs how much.
        what: String,
        /// That can be had.
        room: u64,
        /// What keeps it from being more.
        of: Limit,
        /// What to do.
        instead: String,
    },
    /// There is no room for the threads' stacks.
    #[error(
        "--threads: {threads} threads need {} of memory to start, and {} {}; give fewer, or raise the limit",
        size((*needed).into()), size((*room).into()), of.text()
    )]
    ThreadMemory {
        /// Threads.
        threads: usize,
        /// For their stacks.
        needed: u64,
        /// That can be had.
        room: u64,
        /// What keeps it from being more.
        of: Limit,
    },
    /// A header, a series or pixels are not what they must be.
    #[error(transparent)]
    Dicom(#[from] tomobasis_dicom::Error),
    /// The linear algebra refused the matrix, the machine or a setting.
    #[error("{error}{instead}", error = .0, instead = options_instead(.0))]
    Linalg(tomobasis_linalg::Error),
    /// The scan cannot be denoised.
    #[error("denoise: {0}")]
    Denoise(#[from] tomobasis_denoise::Error),
    /// A file of a result folder is missing or not in the documented format.
    #[error("{file}: {problem}")]
    ResultFile {
        /// Path inside the result folder.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// Two results, or a result and its input, differ.
    #[error("{0}")]
    Differs(String),
    /// A result folder that is read from is not what its manifest says.
    #[error("{0}; get the folder again, or decompose the scan again")]
    DamagedResult(String),
    /// A file of the result could not be written.
    #[error("{file}: cannot be written ({source}); {}", instead(source))]
    Write {
        /// Path inside the result folder.
        file: String,
        /// The operating system's reason.
        source: io::Error,
    },
    /// A message between driver and executors, or between two calls, is not one of ours.
    #[error("{0}; check that all parts of the job have the same version")]
    Protocol(String),
    /// What cannot happen unless this program is wrong.
    #[error("internal error: {0}; please report this line, with the version and the command line")]
    Internal(String),
    /// Whoever watched the run asked it to stop.
    #[error("stopped before it was done; nothing was written")]
    Stopped,
    /// The thread pool could not be started.
    #[error(
        "cannot start the worker threads ({0}); give fewer with --threads, or raise the limits of memory and processes"
    )]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

/// What became of the others where some series failed.
fn others(failed: usize, series: usize) -> &'static str {
    if failed < series { ", and the others are done" } else { "" }
}

/// What a folder that this program writes is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FolderKind {
    /// A decomposition.
    Result,
    /// Reference matrices.
    Reference,
    /// A denoised series.
    Denoised,
    /// A proof of the digits of a result.
    Certificate,
}

impl fmt::Display for FolderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Result => "result folder",
            Self::Reference => "folder of reference matrices",
            Self::Denoised => "folder of a denoised series",
            Self::Certificate => "bundle of `certify`",
        })
    }
}

/// Short for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl From<tomobasis_linalg::Error> for Error {
    fn from(error: tomobasis_linalg::Error) -> Self {
        use tomobasis_linalg::Error as Linalg;
        match error {
            // Bytes from another part of the job.
            Linalg::Bytes { .. } | Linalg::Partial { .. } => Self::Protocol(error.to_string()),
            // What no scan and no option leads to.
            Linalg::Shape { .. }
            | Linalg::Columns { .. }
            | Linalg::Rows { .. }
            | Linalg::Dimensions { .. }
            | Linalg::BlockRows { .. }
            | Linalg::Block { .. }
            | Linalg::RankRange { .. }
            | Linalg::NotFinite
            | Linalg::NoStart { .. }
            | Linalg::NoConvergence { .. } => Self::Internal(error.to_string()),
            _ => Self::Linalg(error),
        }
    }
}

impl From<ndarray::ShapeError> for Error {
    fn from(error: ndarray::ShapeError) -> Self {
        Self::Internal(format!("an array of another size ({error})"))
    }
}

impl From<parquet::errors::ParquetError> for Error {
    fn from(error: parquet::errors::ParquetError) -> Self {
        Self::Internal(format!("a table cannot be encoded ({error})"))
    }
}

impl Error {
    /// An error of `--output`, under the name that it has in another command.
    #[must_use]
    pub fn of_output(self, name: &'static str) -> Self {
        match self {
            Self::OutputNotWritable(source) if is_no_fault_of_input(&source) => {
                Self::Write { file: name.to_owned(), source }
            }
            error => match error.to_string().strip_prefix("--output: ") {
                Some(problem) => Self::option(name, problem),
                None => error,
            },
        }
    }

    /// The exit code of the process: 1 failed while running, 2 bad options, 3 bad input, 4 differs.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::CommandLine(_)
            | Self::Option { .. }
            | Self::OutputExists
            | Self::OutputForeign(_)
            | Self::OutputHoldsOthers { .. }
            | Self::OutputChanged { .. }
            | Self::OutputUnfinished
            | Self::OutputOvertaken
            | Self::OutputHoldsInput
            | Self::OutputInInput
            | Self::OutputBesideSlices
            | Self::OutputNoArchive
            | Self::OutputOtherArchive(_) => 2,
            Self::SeriesFailed { of_input: true, .. } => 3,
            Self::FailedFast { exit_code, .. } => *exit_code,
            Self::Hadoop(failure) => failure.exit_code(),
            Self::OutputNotWritable(source) if is_of_system(source) && !is_refusal(source) => 1,
            Self::OutputNotWritable(_) => 2,
            Self::Dicom(error) => match error.kind() {
                tomobasis_dicom::ErrorKind::Usage => 2,
                tomobasis_dicom::ErrorKind::Input => 3,
            },
            Self::Input(_) | Self::InputAbsent => 3,
            Self::Unreadable { .. } | Self::ResultFile { .. } | Self::DamagedResult(_) => 3,
            // What the headers say, and no fault of the run.
            Self::Linalg(
                tomobasis_linalg::Error::Rescale { .. }
                | tomobasis_linalg::Error::RescaleRange { .. }
                | tomobasis_linalg::Error::CenteringRange { .. }
                | tomobasis_linalg::Error::NotFiniteValue { .. }
                | tomobasis_linalg::Error::RealRange { .. }
                | tomobasis_linalg::Error::RealSpan { .. },
            ) => 3,
            Self::Denoise(error) => match error {
                tomobasis_denoise::Error::Strength { .. } => 2,
                tomobasis_denoise::Error::Shape { .. }
                | tomobasis_denoise::Error::Rows { .. }
                | tomobasis_denoise::Error::Model => 1,
                _ => 3,
            },
            Self::Differs(_) => 4,
            _ => 1,
        }
    }

    /// The error for a panic that was caught.
    #[must_use]
    pub fn of_panic(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        Self::Internal(text.unwrap_or("a panic without a message").to_owned())
    }

    /// In a folder that is read from, a difference from its manifest is damage.
    pub(crate) fn of_damage(self) -> Self {
        match self {
            Self::Differs(what) => Self::DamagedResult(what),
            other => other,
        }
    }

    pub(crate) fn option(option: &'static str, problem: impl Into<String>) -> Self {
        Self::Option { option, problem: problem.into() }
    }

    /// The error for something that cannot be read: [`Self::System`] where that says nothing of it, else what `bad` makes of it.
    pub(crate) fn reading(file: &str, source: io::Error, bad: impl FnOnce(io::Error) -> Self) -> Self {
        match is_of_system(&source) {
            true => Self::System { file: file.to_owned(), source },
            false => bad(source),
        }
    }

    /// The error for an input that cannot be read at all.
    #[must_use]
    pub fn unreadable_input(source: io::Error) -> Self {
        if is_no_fault_of_input(&source) {
            return Self::System { file: "--input".to_owned(), source };
        }
        Self::Input(format!("it cannot be read ({}); check its permissions and the disk", source.kind()))
    }

    pub(crate) fn result_file(file: &str, problem: impl ToString) -> Self {
        Self::ResultFile { file: file.to_owned(), problem: problem.to_string() }
    }
}

/// The options with which a matrix can be decomposed that the linear algebra refuses.
fn options_instead(error: &tomobasis_linalg::Error) -> &'static str {
    use tomobasis_linalg::Error as Linalg;
    match error {
        Linalg::CenteringRange { .. } => {
            "; without --center, or with --method tsqr --center, the matrix can be decomposed"
        }
        Linalg::Unproven { .. } => "; --method tsqr decomposes the matrix without proof",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::*;

    #[test]
    fn what_the_system_fails_at_is_a_failure_of_the_run_and_says_what_to_do() {
        for (errno, code, says) in [
            (Errno::MFILE.raw_os_error(), 1, "ulimit -n"),
            (Errno::NFILE.raw_os_error(), 1, "too many open files"),
            (Errno::NOMEM.raw_os_error(), 1, "more memory"),
            (Errno::IO.raw_os_error(), 1, "check the disk"),
            (Errno::STALE.raw_os_error(), 1, "check the disk"),
            (Errno::ACCESS.raw_os_error(), 1, "check the permissions"),
            (Errno::NOENT.raw_os_error(), 3, "No such file"),
            (Errno::NOTDIR.raw_os_error(), 3, "Not a directory"),
        ] {
            let source = io::Error::from_raw_os_error(errno);
            let error =
                Error::reading("manifest.json", source, |source| Error::result_file("manifest.json", source));
            assert_eq!(error.exit_code(), code, "{error}");
            assert!(error.to_string().contains(says), "{error}");
        }
        let damaged = io::Error::new(io::ErrorKind::InvalidData, "not the size");
        assert_eq!(Error::reading("x", damaged, |_| Error::Input(String::new())).exit_code(), 3);
    }

    #[test]
    fn a_file_that_nobody_may_read_or_that_is_gone_is_no_failure_of_the_run() {
        // EMFILE, ENFILE, ENOMEM, EIO, ESTALE, ETIMEDOUT, ENOTCONN, EREMOTEIO, EUCLEAN; EPERM, ENOENT, EACCES, ENOTDIR, ELOOP.
        for (errnos, code) in [(&[24, 23, 12, 5, 116, 110, 107, 121, 117][..], 1), (&[1, 2, 13, 20, 40], 3)] {
            for &errno in errnos {
                let error = Error::unreadable_input(io::Error::from_raw_os_error(errno));
                assert_eq!(error.exit_code(), code, "{errno}: {error}");
            }
        }
        let error = Error::unreadable_input(io::ErrorKind::OutOfMemory.into());
        assert!(error.to_string().contains("more memory"), "{error}");
    }

    #[test]
    fn an_output_that_the_user_may_not_write_to_is_a_wrong_option_and_a_full_disk_is_not() {
        for (errno, code) in
            [(Errno::ACCESS, 2), (Errno::ROFS, 2), (Errno::NOENT, 2), (Errno::NOSPC, 1), (Errno::MFILE, 1)]
        {
            let error = Error::OutputNotWritable(io::Error::from_raw_os_error(errno.raw_os_error()));
            assert_eq!(error.exit_code(), code, "{error}");
            let named = error.of_output("FOLDER");
            assert_eq!(named.exit_code(), code, "{named}");
            assert!(named.to_string().starts_with("FOLDER: "), "{named}");
        }
    }

    #[test]
    fn what_no_scan_leads_to_asks_for_a_report_and_foreign_bytes_for_one_version() {
        use tomobasis_linalg::Error as Linalg;
        for (error, says) in [
            (Error::from(Linalg::Columns { expected: 3, actual: 4 }), "please report this line"),
            (Error::from(Linalg::NoStart { columns: 3 }), "please report this line"),
            (parquet::errors::ParquetError::General(String::new()).into(), "please report this line"),
            (Error::from(Linalg::Partial { why: "it came twice" }), "have the same version"),
            (Error::from(Linalg::SingularValueRange { column: 0 }), "rescale the matrix"),
            (Error::from(Linalg::Unproven { what: "the rank".to_owned() }), "--method tsqr"),
        ] {
            assert_eq!(error.exit_code(), 1, "{error}");
            assert!(error.to_string().contains(says), "{error}");
        }
    }
}
