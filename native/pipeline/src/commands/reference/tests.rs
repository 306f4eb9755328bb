//! Files of computed factors that are damaged, or made to harm who reads them. What NumPy writes is tested in
//! `tests/numerics/test_reference.py`.

use std::{fs, io::Write as _};

use super::{
    npz::{self, Array, Writer},
    score, write,
};
use crate::progress::Silent;

fn npy(header: &[u8], data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    [&bytes, header, data].concat()
}

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = rawzip::ZipArchiveWriter::new(Vec::new());
    for (name, bytes) in files {
        let (mut entry, config) = archive.new_file(name).start().unwrap();
        let mut writer = config.wrap(&mut entry);
        writer.write_all(bytes).unwrap();
        let (_, descriptor) = writer.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap()
}

#[test]
fn what_is_written_is_read_and_has_the_same_bytes_again() {
    let file = || {
        let mut file = Writer::new();
        file.add("s", "<f8", &[2], &[&2.5, &-0.0]).unwrap();
        file.add("V", "<f8", &[2, 3], &[&1.0, &2.0, &3.0, &4.0, &5.0, &6.0]).unwrap();
        file.add("matrix", "<U6", &[], &["random"]).unwrap();
        file.finish().unwrap()
    };
    let bytes = file();
    assert_eq!(bytes, file());
    let arrays = npz::read(&bytes).unwrap();
    assert_eq!(arrays["s"], Array::Numbers(vec![2], vec![2.5, 0.0]));
    assert_eq!(arrays["V"], Array::Numbers(vec![2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    assert_eq!(arrays["matrix"], Array::Text("random".to_owned()));
}

#[test]
fn fortran_order_and_big_endian_numbers_are_understood() {
    let header = b"{'descr': '>f4', 'fortran_order': True, 'shape': (2, 3), }\n";
    let data: Vec<u8> = [1.0f32, 4.0, 2.0, 5.0, 3.0, 6.0].iter().flat_map(|x| x.to_be_bytes()).collect();
    let arrays = npz::read(&zip(&[("V.npy", &npy(header, &data))])).unwrap();
    assert_eq!(arrays["V"], Array::Numbers(vec![2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
}

#[test]
fn damaged_and_hostile_files_are_refused_in_a_sentence() {
    let one = |bytes: &[u8]| npz::read(&zip(&[("s.npy", bytes)])).unwrap_err();
    let header = |shape: &str| format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n");
    let good = npy(header("(1,)").as_bytes(), &1f64.to_le_bytes());
    assert!(npz::read(&zip(&[("s.npy", &good)])).is_ok());
    for (bytes, says) in [
        (b"no array".to_vec(), "no .npy array"),
        (vec![], "no .npy array"),
        (b"\x93NUMPY\x01\x00".to_vec(), "no .npy array"),
        (b"\x93NUMPY\x02\x00".to_vec(), "no array of floats"),
        ([b"\x93NUMPY\x03\x00".as_slice(), &u32::MAX.to_le_bytes(), b"{}"].concat(), "no array of floats"),
        (npy(&[b'('; 60_000], &[]), "no array of floats"),
        (npy(&[b'('; 256], &[]), "no .npy array"),
        (good[..good.len() - 1].to_vec(), "as long as its shape"),
        (npy(header("(1 << 60, 16)").as_bytes(), &[]), "no .npy array"),
        (npy(header("(1152921504606846976, 16)").as_bytes(), &[]), "as long as its shape"),
        (npy(header("(18446744073709551616,)").as_bytes(), &[]), "no .npy array"),
        (npy(header("(1000000000,)").as_bytes(), &[0; 16]), "as long as its shape"),
    ] {
        let said = one(&bytes);
        assert!(said.starts_with("s: ") && said.contains(says), "{said}");
    }
    for (kind, is) in [("'<c16'", "<c16"), ("'|O'", "|O"), ("[('a', '<f8')]", "a record"), ("'<i8'", "<i8")] {
        let bytes = npy(header("(1,)").replace("'<f8'", kind).as_bytes(), &[0; 16]);
        assert_eq!(npz::read(&zip(&[("s.npy", &bytes)])).unwrap()["s"], Array::Other(is.to_owned()));
    }
    assert!(npz::read(b"neither").unwrap_err().contains("numpy.savez"));
    assert!(npz::read(&zip(&[("s.npy", &good), ("s.npy", &good)])).unwrap_err().contains("twice"));
    assert!(npz::read(&zip(&[("notes.txt", b"x")])).unwrap_err().contains("notes.txt"));
    let mut flipped = zip(&[("s.npy", &good)]);
    let at = flipped.windows(8).position(|bytes| bytes == 1f64.to_le_bytes()).unwrap();
    flipped[at] ^= 1;
    assert!(npz::read(&flipped).unwrap_err().contains("damaged"));
    for end in 0..flipped.len() {
        assert!(npz::read(&flipped[..end]).is_err());
    }
}

#[test]
fn a_folder_is_written_once_or_over_itself_and_its_files_have_all_digits() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("matrices");
    let output = folder.to_str().unwrap();
    let written = write(output, false, 2, &Silent).unwrap();
    assert_eq!(written.matrices, 12);
    let error = write(output, false, 2, &Silent).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert_eq!(error.to_string(), "OUTPUT: it exists already; name another folder or add --overwrite");
    assert_eq!(write(output, true, 1, &Silent).unwrap().digest, written.digest);
    fs::write(folder.join("mine.txt"), b"mine").unwrap();
    assert!(write(output, true, 1, &Silent).unwrap_err().to_string().contains("1 more file"));
    let file = folder.join("hilbert.npz").to_str().unwrap().to_owned();
    let [scored] = &score(&[file], None, 1).unwrap()[..] else { panic!("one file, one score") };
    assert_eq!((scored.matrix, scored.computed, scored.score.rank_found), ("hilbert", 10, Some(10)));
    assert!(scored.score.digits.s.unwrap() > 15.9 && scored.score.digits.v.unwrap() > 15.9);
}
