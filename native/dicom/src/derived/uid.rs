//! UIDs from digests (PS3.5 B.2): `2.25.` and the decimal of a UUID, whose 128 bits are those of a SHA-256 but for the ones
//! that say so (version 8 and the variant of RFC 9562). The same digest gives the same UID, on any machine and at any time.

use sha2::{Digest, Sha256};

/// The UID of the concatenation of `parts`.
pub(super) fn uid(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    let digest: [u8; 32] = hash.finalize().into();
    let [bits, ..] = digest.as_chunks::<16>().0 else { return String::new() };
    let uuid = u128::from_be_bytes(*bits) & !(0xF << 76) & !(0x3 << 62) | (8 << 76) | (2 << 62);
    format!("2.25.{uuid}")
}

/// New UIDs for those of a scan: the same for the same. Who has the derived instances and a list of the source's UIDs cannot tell
/// which became which: a secret of the scan is part of what is hashed, which only its pixels give.
#[derive(Clone, Copy)]
pub(super) struct NewUids {
    /// Secret of the series.
    pub secret: [u8; 32],
}

impl NewUids {
    /// The UID that stands for `old`.
    pub fn replace(&self, old: &str) -> String {
        uid(&[b"tomobasis uid 2\n", &self.secret, old.as_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_is_a_uuid_of_version_8() {
        // python3 -c 'import hashlib, uuid; d = hashlib.sha256(b"abc").digest()[:16]; b = bytearray(d)
        // b[6] = b[6] & 15 | 0x80; b[8] = b[8] & 63 | 0x80; print(uuid.UUID(bytes=bytes(b)).int)'
        assert_eq!(uid(&[b"a", b"bc"]), "2.25.247859944228867097191300499870369849891");
        assert!(uid(&[b"anything"]).len() <= 64);
    }

    #[test]
    fn another_scan_gives_other_uids() {
        let (one, other) = (NewUids { secret: [1; 32] }, NewUids { secret: [2; 32] });
        assert_eq!(one.replace("1.2.3"), one.replace("1.2.3"));
        assert_ne!(one.replace("1.2.3"), one.replace("1.2.4"));
        assert_ne!(one.replace("1.2.3"), other.replace("1.2.3"));
    }
}
