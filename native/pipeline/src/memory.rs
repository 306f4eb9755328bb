//! Memory of the size of the scan: asked for once, and refused in words.
//!
//! A length in a header may be anything, and an allocation that fails would end the process without a word. Where the system
//! promises more than it has, the request is compared with what there is first.

use std::fs;

use tomobasis_dicom::{SeriesPlan, zeros};

use crate::error::{Error, Result};

/// Room for the stored pixels of all slices, zeroed.
///
/// # Errors
/// [`Error::Memory`] when there is not so much.
pub(crate) fn for_scan(plan: &SeriesPlan) -> Result<Vec<i16>> {
    let (slices, pixels) = (plan.slices.len(), plan.pixels());
    let bytes = 2 * pixels as u128 * slices as u128;
    let refused = || Error::Memory { bytes, slices, rows: plan.rows, columns: plan.columns };
    let count = usize::try_from(bytes / 2).ok().filter(|_| bytes <= u128::from(installed()));
    zeros(count.ok_or_else(refused)?).map_err(|_| refused())
}

/// Bytes of memory that this process can have at most, as far as the system tells: main memory and swap, or the limit of its container.
fn installed() -> u64 {
    let number = |text: &str| text.split_whitespace().next().and_then(|word| word.parse::<u64>().ok());
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let field = |name: &str| meminfo.lines().find_map(|line| line.strip_prefix(name)).and_then(number);
    let machine = field("MemTotal:").map(|kib| 1024 * (kib + field("SwapTotal:").unwrap_or(0)));
    let container = fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| number(&text));
    machine.into_iter().chain(container).min().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_says_how_much_memory_it_has() {
        assert!((1 << 26..1 << 50).contains(&installed()), "{}", installed());
    }
}
