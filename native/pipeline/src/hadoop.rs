//! Failures of Hadoop's file systems.
//!
//! The job recognizes them, since only the JVM has the exceptions; their words, what to do about them and the exit codes are here, beside
//! those of the local file system ([`Error`](crate::Error)).

use serde::Deserialize;

/// Why an operation failed, as far as Hadoop's exception tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Fault {
    /// No space is left on a disk.
    DiskFull,
    /// The user's share of it is used up.
    QuotaExceeded,
    /// The process or the machine opens no more files.
    TooManyOpenFiles,
    /// The user may not do this.
    PermissionDenied,
    /// A file has the name of a folder.
    FileInTheWay,
    /// There is no such file.
    NotFound,
    /// A file ends before its length.
    Truncated,
    /// The object store does not know the access key.
    UnknownAccessKey,
    /// The secret key is that of another access key.
    WrongSecretKey,
    /// Keys are past their time.
    ExpiredKeys,
    /// There are no keys.
    NoKeys,
    /// The keys may not do this.
    KeysWithoutPermission,
    /// There is no such bucket.
    NoSuchBucket,
    /// The object store refuses requests for now.
    Overloaded,
    /// No host of this name, or none that answers.
    Unreachable,
    /// Anything else, of which the job has a word.
    Other,
}

impl Fault {
    /// In words; of [`Fault::Other`], they are the job's.
    #[must_use]
    pub fn words(self, other: &str) -> &str {
        match self {
            Self::DiskFull => "the disk is full",
            Self::QuotaExceeded => "the quota is used up",
            Self::TooManyOpenFiles => "too many open files",
            Self::PermissionDenied => "permission denied",
            Self::FileInTheWay => "a file is in the way",
            Self::NotFound => "not there, or not readable",
            Self::Truncated => "it ends early",
            Self::UnknownAccessKey => "the store does not know this access key",
            Self::WrongSecretKey => "the secret key does not belong to the access key",
            Self::ExpiredKeys => "the keys have expired, or a clock is wrong",
            Self::NoKeys => "no keys were given",
            Self::KeysWithoutPermission => "these keys have no permission",
            Self::NoSuchBucket => "there is no such bucket",
            Self::Overloaded => "the store is overloaded",
            Self::Unreachable => "it cannot be reached",
            Self::Other => other,
        }
    }

    /// What to do, where the failure says nothing of the file or folder that was named: it is a failure of the run, whatever was tried.
    fn of_system(self) -> Option<&'static str> {
        match self {
            Self::DiskFull | Self::QuotaExceeded => Some("check the free space of the disk"),
            Self::TooManyOpenFiles => Some("raise the limit on open files (ulimit -n)"),
            Self::Overloaded => Some("run it again when the store has less to do"),
            _ => None,
        }
    }
}

/// What failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Operation {
    /// Finding the file system of an input.
    ReachInput,
    /// Listing an input.
    ListInput,
    /// Reading a file of an input.
    ReadFile,
    /// Finding the file system of the output.
    ReachOutput,
    /// Looking at what is there.
    LookAtOutput,
    /// Making the result's folder.
    MakeOutput,
    /// Writing a file of the result.
    WriteFile,
}

impl Operation {
    /// What cannot be done, and what to do about it where it is not the system's fault.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::ReachInput => ("its file system cannot be reached", "check the URI"),
            Self::ListInput => ("it cannot be listed", "check its permissions"),
            Self::ReadFile => ("cannot be read", "check its permissions and its storage"),
            Self::ReachOutput => ("its file system cannot be used", "check the URI"),
            Self::LookAtOutput => ("it cannot be looked at", "check the URI and the permissions"),
            Self::MakeOutput => ("cannot write there", "name a folder that you may write to"),
            Self::WriteFile => ("cannot be written", "check the free space and the permissions"),
        }
    }
}

/// An operation of a Hadoop file system that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{subject}: {} ({}); {}", operation.words().0, fault.words(other), self.instead())]
pub struct Failure {
    /// What failed.
    pub operation: Operation,
    /// The option, the label of the input's file or the path in the result folder that it was done for.
    pub subject: String,
    /// Why.
    pub fault: Fault,
    /// The job's words for a fault that has none here.
    pub other: String,
}

impl Failure {
    fn instead(&self) -> &'static str {
        self.fault.of_system().unwrap_or(self.operation.words().1)
    }

    /// 1 where the system failed, else 2 for the output and 3 for the input.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.operation {
            _ if self.fault.of_system().is_some() => 1,
            Operation::ReachInput | Operation::ListInput | Operation::ReadFile => 3,
            Operation::ReachOutput | Operation::LookAtOutput | Operation::MakeOutput => 2,
            Operation::WriteFile => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(operation: Operation, fault: Fault) -> Failure {
        Failure { operation, subject: "--output".to_owned(), fault, other: "EOF".to_owned() }
    }

    #[test]
    fn what_the_system_fails_at_is_a_failure_of_the_run_whatever_was_tried() {
        use Operation::*;
        let (input, output) = ([ReachInput, ListInput, ReadFile], [ReachOutput, LookAtOutput, MakeOutput]);
        for operation in [&input[..], &output, &[WriteFile]].concat() {
            for fault in [Fault::DiskFull, Fault::QuotaExceeded, Fault::TooManyOpenFiles, Fault::Overloaded] {
                assert_eq!(failure(operation, fault).exit_code(), 1, "{operation:?} {fault:?}");
            }
        }
        for fault in [Fault::PermissionDenied, Fault::NotFound, Fault::NoSuchBucket, Fault::Other] {
            input.iter().for_each(|&read| assert_eq!(failure(read, fault).exit_code(), 3));
            output.iter().for_each(|&write| assert_eq!(failure(write, fault).exit_code(), 2));
            assert_eq!(failure(WriteFile, fault).exit_code(), 1);
        }
    }

    #[test]
    fn the_words_name_the_subject_the_reason_and_what_to_do() {
        let full = failure(Operation::MakeOutput, Fault::DiskFull).to_string();
        assert_eq!(full, "--output: cannot write there (the disk is full); check the free space of the disk");
        let other = failure(Operation::MakeOutput, Fault::Other).to_string();
        assert_eq!(other, "--output: cannot write there (EOF); name a folder that you may write to");
    }
}
