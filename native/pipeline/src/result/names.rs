//! Names that every result folder has, and those that runs and Hadoop are known to leave in one.

/// Name of the manifest.
pub const MANIFEST: &str = "manifest.json";
/// Name of the empty file that is written last.
pub const SUCCESS: &str = "_SUCCESS";
/// What the job has in a result until it is complete.
pub const UNFINISHED_MARK: &str = "_UNFINISHED";

/// Whether it is what every result has and no list.
pub(super) fn is_last(name: &str) -> bool {
    [MANIFEST, SUCCESS].contains(&name)
}

/// Whether it is what other runs may leave in a result ("How a result is committed").
pub(super) fn is_leftover(name: &str) -> bool {
    name == UNFINISHED_MARK || is_run_folder(name)
}

/// Whether this is a name that the job gives to the folder of a run: `run-` and its id, twice eight hexadecimal digits.
pub(super) fn is_run_folder(name: &str) -> bool {
    let parts = name.strip_prefix("run-").and_then(|id| id.split_once('-'));
    let is_half = |half: &str| half.len() == 8 && half.bytes().all(|byte| byte.is_ascii_hexdigit());
    parts.is_some_and(|(run, attempt)| is_half(run) && is_half(attempt))
}

/// Whether it is one of the checksums that Hadoop leaves beside local files.
pub(super) fn is_checksum(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.starts_with('.') && name.ends_with(".crc")
}

/// The file whose checksum Hadoop keeps under this path.
pub(super) fn of_checksum(path: &str) -> Option<String> {
    let (folder, name) =
        path.rsplit_once('/').map_or(("", path), |(folder, _)| path.split_at(folder.len() + 1));
    Some(format!("{folder}{}", name.strip_prefix('.')?.strip_suffix(".crc")?))
}
