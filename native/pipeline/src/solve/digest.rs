//! Digests: what "the same bits" means, to the byte.
//!
//! All are SHA-256 (FIPS 180-4) over little-endian bytes; `docs/format.md` is the definition and `docs/recompute_digests.py`
//! an independent implementation. The digests of `U` are combined as a Merkle tree over the canonical tree of row blocks, so
//! that blocks may be computed anywhere and in any order, and one digest still names all of `U`.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tomobasis_dicom::Secret;

#[cfg(target_endian = "big")]
compile_error!("digests and files are little-endian, and values are taken as they are in memory");

/// First line of what the root digest is taken of; changes with any change of the definitions.
pub const FORMAT: &str = "tomobasis result 1";

/// A SHA-256, shown and stored as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// SHA-256 of the concatenation of `parts`.
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    /// SHA-256 of values as little-endian IEEE 754 doubles.
    #[must_use]
    pub fn of_f64(values: &[f64]) -> Self {
        Self::of([bytemuck::cast_slice(values)])
    }

    /// SHA-256 of the concatenation of other digests.
    #[must_use]
    pub fn of_digests(digests: &[Self]) -> Self {
        Self::of(digests.iter().map(|digest| digest.0.as_slice()))
    }

    /// The first 16 hexadecimal digits, for people.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string().chars().take(16).collect()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        let malformed = || format!("{text:?} is no digest of 64 hexadecimal digits, lower case");
        if text.len() != 64 || !text.is_ascii() {
            return Err(malformed());
        }
        let mut bytes = [0; 32];
        for (i, byte) in bytes.iter_mut().enumerate() {
            let digits = text.get(2 * i..2 * i + 2).ok_or_else(malformed)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| malformed())?;
        }
        // One way to write it: no upper case, no signs.
        Some(Self(bytes)).filter(|digest| digest.to_string() == text).ok_or_else(malformed)
    }
}

/// The hash that stands for a SOP Instance UID, keyed with the secret of the series: who has not got the scan cannot tell from it
/// whether a UID is the one.
#[must_use]
pub fn instance_hash(secret: &Secret, uid: &str) -> Digest {
    Digest::of([b"tomobasis instance 2\n".as_slice(), &secret.0, uid.as_bytes()])
}

/// The hash that stands for the input's name in the manifest.
#[must_use]
pub fn input_hash(secret: &Secret, inputs: &[String]) -> Digest {
    Digest::of([b"tomobasis input 2\n".as_slice(), &secret.0, inputs.join("\n").as_bytes()])
}

/// The root of the canonical tree over row-block digests (in block order).
///
/// A node covers an aligned power-of-two range of blocks and is `SHA-256(left || right)`; a node whose right half holds no
/// block is its left child. `None` without blocks.
#[must_use]
pub fn tree_root(blocks: &[Digest]) -> Option<Digest> {
    let mut level = blocks.to_vec();
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| if pair.len() == 2 { Digest::of_digests(pair) } else { pair[0] })
            .collect();
    }
    level.first().copied()
}

/// The digests of a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digests {
    /// Of the stored pixels: over the slices' digests, in series order.
    pub pixels: Digest,
    /// Of the instance hashes, in series order.
    pub instances: Digest,
    /// Of the singular values.
    pub s: Digest,
    /// Of the weights, n x k row-major.
    #[serde(rename = "V")]
    pub v: Digest,
    /// Of the basis vectors.
    #[serde(rename = "U")]
    pub u: BasisDigests,
    /// Of the whole result: see [`root`].
    pub root: Digest,
}

/// The digests of the basis vectors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BasisDigests {
    /// Of the canonical tree over [`Self::blocks`].
    pub root: Digest,
    /// Of each row block, rows x k row-major, in block order.
    pub blocks: Vec<Digest>,
}

impl BasisDigests {
    /// Combines the digests of all row blocks; `None` when there are none.
    #[must_use]
    pub fn new(blocks: Vec<Digest>) -> Option<Self> {
        Some(Self { root: tree_root(&blocks)?, blocks })
    }
}

/// What the root digest is taken of, besides the digests themselves.
#[derive(Clone, Debug)]
pub struct RootOf<'a> {
    /// Class of reproducibility.
    pub class: &'a str,
    /// Method that ran.
    pub method: &'a str,
    /// Pixels of a slice, m.
    pub rows: u64,
    /// Slices, n.
    pub columns: usize,
    /// Basis vectors, k.
    pub rank: usize,
    /// The method's parameters, and what became of padding: [`Decomposition::parameter_lines`](super::Decomposition::parameter_lines).
    pub parameters: String,
}

/// The root digest: a property of scan and parameters, so no date, version, name or machine is in it.
#[must_use]
pub fn root(of: &RootOf<'_>, pixels: &Digest, s: &Digest, v: &Digest, u: &Digest) -> Digest {
    let RootOf { class, method, rows, columns, rank, parameters } = of;
    let lines = format!(
        "{FORMAT}\nclass {class}\nmethod {method}\nrows {rows}\ncolumns {columns}\nrank {rank}\n\
         {parameters}pixels {pixels}\ns {s}\nV {v}\nU {u}\n"
    );
    Digest::of([lines.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(i: u8) -> Digest {
        Digest([i; 32])
    }

    #[test]
    fn the_digest_of_abc_is_the_one_of_fips_180() {
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of([b"a".as_slice(), b"bc"]).to_string(), hex);
        assert_eq!(Digest::try_from(hex.to_owned()).unwrap().to_string(), hex);
        for bad in ["", "ba", &hex.replace('a', "g"), &format!("{hex}00"), &"é".repeat(32)] {
            assert!(Digest::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn doubles_are_hashed_as_little_endian_bytes() {
        let bytes: Vec<u8> = [1.0f64, -0.0, f64::MIN_POSITIVE].iter().flat_map(|x| x.to_le_bytes()).collect();
        assert_eq!(Digest::of_f64(&[1.0, -0.0, f64::MIN_POSITIVE]), Digest::of([bytes.as_slice()]));
    }

    #[test]
    fn the_tree_pairs_aligned_ranges_and_passes_a_lone_left_child_up() {
        let pair = |a, b| Digest::of_digests(&[a, b]);
        let l: Vec<Digest> = (0..7).map(leaf).collect();
        assert_eq!(tree_root(&[]), None);
        assert_eq!(tree_root(&l[..1]), Some(l[0]));
        assert_eq!(tree_root(&l[..3]), Some(pair(pair(l[0], l[1]), l[2])));
        let left = pair(pair(l[0], l[1]), pair(l[2], l[3]));
        assert_eq!(tree_root(&l[..5]), Some(pair(left, l[4])));
        assert_eq!(tree_root(&l), Some(pair(left, pair(pair(l[4], l[5]), l[6]))));
    }
}
