//! What the driver sends to every executor, as bytes.

use serde::Serialize;

use crate::error::{Error, Result};

/// The bytes of what every executor needs.
pub(crate) fn to_broadcast(magic: &[u8], value: &impl Serialize) -> Result<Vec<u8>> {
    let mut bytes = magic.to_vec();
    rmp_serde::encode::write_named(&mut bytes, value).map_err(|error| Error::Internal(error.to_string()))?;
    check_broadcast(bytes.len(), MOST_BROADCAST)?;
    Ok(bytes)
}

/// Java's arrays are indexed by 31 bits.
const MOST_BROADCAST: usize = i32::MAX as usize;

/// Refuses to send so many bytes to every executor where at most `most` can be.
///
/// # Errors
/// [`Error::Option`] naming `--rank`.
pub fn check_broadcast(length: usize, most: usize) -> Result<()> {
    if length <= most {
        return Ok(());
    }
    let gigabytes = |bytes: usize| bytes as f64 / 1e9;
    let problem = format!(
        "executors would need {:.1} GB of this scan's factors, and at most {:.1} can be broadcast; give a smaller --rank K, or use \
         `tomobasis decompose`",
        gigabytes(length),
        gigabytes(most)
    );
    Err(Error::option("--rank", problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_to_be_broadcast_is_refused_with_what_to_do() {
        assert!(check_broadcast(i32::MAX as usize, MOST_BROADCAST).is_ok());
        let refused = check_broadcast(2_300_000_000, MOST_BROADCAST).unwrap_err();
        assert_eq!(refused.exit_code(), 2);
        assert!(refused.to_string().starts_with("--rank: executors would need 2.3 GB"), "{refused}");
    }
}
