//! Nothing is written into a finished folder of this program, which holds nothing but its files.

use std::path::{self, Path};

use super::names::{MANIFEST, SUCCESS};
use crate::error::{Error, Result};

/// Refuses an output (a file or a folder, there or not yet) that lies in a folder with a manifest and the marker of success, whatever
/// links lead there. Files beside each other in a new folder: give one of them.
///
/// # Errors
/// [`Error::Option`].
pub fn refuse_inside_a_result(option: &'static str, output: &Path) -> Result<()> {
    let there = path::absolute(output).ok();
    let above =
        there.as_deref().and_then(|output| output.ancestors().skip(1).find_map(|it| it.canonicalize().ok()));
    let is_finished = |folder: &Path| [MANIFEST, SUCCESS].iter().all(|name| folder.join(name).is_file());
    match above {
        Some(above) if above.ancestors().any(is_finished) => Err(Error::option(
            option,
            "it lies in a result, which holds nothing but its files; name a place beside the result",
        )),
        _ => Ok(()),
    }
}
