//! What a `VectorWritable` is in bytes.
//!
//! A byte of flags; the length; the numbers, big-endian: all of them (dense), or a count and as many pairs of index and number (sparse),
//! whose indices are the differences of one to the next where the vector is "sequential"; then, of a named vector, its name. Lengths,
//! counts and indices are 7 bits a byte, the lowest first. Floats of 32 bits where Mahout was told that less precision will do.

/// All numbers are there.
const DENSE: u8 = 1;
/// Indices ascend, and are stored as differences.
const SEQUENTIAL: u8 = 2;
/// A name follows.
const NAMED: u8 = 4;
/// Numbers are floats of 32 bits.
const LAX_PRECISION: u8 = 8;

/// Numbers of a vector.
pub(super) fn length(bytes: &[u8]) -> Result<usize, String> {
    let mut rest = bytes;
    flags(&mut rest)?;
    Ok(number(&mut rest)? as usize)
}

/// Gives the numbers of a vector of `columns`, with their indices; those that a sparse one lacks are not given.
pub(super) fn read(bytes: &[u8], columns: usize, mut put: impl FnMut(usize, f64)) -> Result<(), String> {
    let mut rest = bytes;
    let flags = flags(&mut rest)?;
    let length = number(&mut rest)? as usize;
    if length != columns {
        return Err(format!(
            "its vector has {length} numbers, and the first one has {columns}; give rows of one length"
        ));
    }
    let lax = flags & LAX_PRECISION != 0;
    if flags & DENSE != 0 {
        for column in 0..length {
            put(column, float(&mut rest, lax)?);
        }
    } else {
        let count = number(&mut rest)?;
        let sequential = flags & SEQUENTIAL != 0;
        // Of others no order is known: which ones were there.
        let mut seen = if sequential { Vec::new() } else { vec![false; length] };
        let mut next = 0;
        for nth in 0..count {
            let stored = number(&mut rest)? as usize;
            let column = if sequential { next + stored } else { stored };
            let twice = match seen.get_mut(column) {
                Some(seen) => std::mem::replace(seen, true),
                None => sequential && nth > 0 && stored == 0,
            };
            if column >= length {
                return Err(format!(
                    "its vector has an index {column}, and a length of {length}; write it again"
                ));
            }
            if twice {
                return Err(format!("its vector has index {column} twice; write it again"));
            }
            next = column;
            put(column, float(&mut rest, lax)?);
        }
    }
    if flags & NAMED != 0 {
        let name: [u8; 2] = take(&mut rest)?;
        rest = rest.get(u16::from_be_bytes(name).into()..).ok_or_else(ends)?;
    }
    match rest {
        [] => Ok(()),
        _ => Err("its vector ends before its record; write it again".to_owned()),
    }
}

fn flags(rest: &mut &[u8]) -> Result<u8, String> {
    match take(rest)? {
        [flags] if flags & !(DENSE | SEQUENTIAL | NAMED | LAX_PRECISION) == 0 => Ok(flags),
        _ => Err("its vector is none that Mahout writes; write it again".to_owned()),
    }
}

/// An unsigned integer of up to 31 bits.
fn number(rest: &mut &[u8]) -> Result<u32, String> {
    let mut value = 0u64;
    for shift in (0..35).step_by(7) {
        let [byte] = take(rest)?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return u32::try_from(value)
                .ok()
                .filter(|&value| value <= i32::MAX as u32)
                .ok_or_else(|| "its vector has an integer beyond 31 bits; write it again".to_owned());
        }
    }
    Err("its vector has an integer of more than 5 bytes; write it again".to_owned())
}

fn float(rest: &mut &[u8], lax: bool) -> Result<f64, String> {
    Ok(if lax { f32::from_be_bytes(take(rest)?).into() } else { f64::from_be_bytes(take(rest)?) })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], String> {
    let (first, others) = rest.split_first_chunk().ok_or_else(ends)?;
    *rest = others;
    Ok(*first)
}

fn ends() -> String {
    "its record ends before its vector; write it again".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(bytes: &[u8], columns: usize) -> Result<Vec<f64>, String> {
        let mut found = vec![0.0; columns];
        read(bytes, columns, |column, number| found[column] = number).map(|()| found)
    }

    /// As Mahout 0.13 wrote `[1.5, 0, -2]` in each of its ways.
    #[test]
    fn every_way_that_mahout_writes_a_vector_is_the_same_vector() {
        let right = vec![1.5, 0.0, -2.0];
        let (one, zero, two) = (1.5f64.to_be_bytes(), 0f64.to_be_bytes(), (-2f64).to_be_bytes());
        let dense = [&[3, 3][..], &one, &zero, &two].concat();
        assert_eq!(numbers(&dense, 3).unwrap(), right);
        assert_eq!(length(&dense).unwrap(), 3);
        let named = [&[7, 3][..], &one, &zero, &two, &[0, 4], b"slic"].concat();
        assert_eq!(numbers(&named, 3).unwrap(), right);
        let sequential = [&[2, 3, 2, 0][..], &one, &[2], &two].concat();
        assert_eq!(numbers(&sequential, 3).unwrap(), right);
        let random = [&[0, 3, 2, 2][..], &two, &[0], &one].concat();
        assert_eq!(numbers(&random, 3).unwrap(), right);
        let lax = [&[11, 3][..], &1.5f32.to_be_bytes(), &0f32.to_be_bytes(), &(-2f32).to_be_bytes()].concat();
        assert_eq!(numbers(&lax, 3).unwrap(), right);
        // 300 = 44 + 2 * 128.
        let long = [&[2, 0xac, 2, 1, 0xab, 2][..], &one].concat();
        assert_eq!(numbers(&long, 300).unwrap()[299], 1.5);
    }

    #[test]
    fn what_is_no_such_vector_is_refused() {
        let one = 1.5f64.to_be_bytes();
        for (bytes, said) in [
            (vec![], "ends before its vector"),
            (vec![16, 1], "none that Mahout writes"),
            ([&[1, 2][..], &one].concat(), "ends before its vector"),
            ([&[1, 3][..], &one].concat(), "has 3 numbers, and the first one has 2"),
            ([&[2, 2, 1, 2][..], &one].concat(), "an index 2, and a length of 2"),
            ([&[2, 2, 2, 1][..], &one, &[0], &one].concat(), "index 1 twice"),
            ([&[0, 2, 2, 1][..], &one, &[1], &one].concat(), "index 1 twice"),
            ([&[1, 2][..], &one, &one, &[0]].concat(), "ends before its record"),
            ([&[5, 2][..], &one, &one, &[0, 9, 1]].concat(), "ends before its vector"),
            (vec![1, 0xff, 0xff, 0xff, 0xff, 0x0f], "beyond 31 bits"),
            (vec![1, 0xff, 0xff, 0xff, 0xff, 0xff, 1], "more than 5 bytes"),
        ] {
            let refused = numbers(&bytes, 2).unwrap_err();
            assert!(refused.contains(said), "{bytes:?}: {refused}");
        }
    }
}
