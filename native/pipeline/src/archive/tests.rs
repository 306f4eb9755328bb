use std::io::{Cursor, Write};

use super::*;

/// Path and content.
type Packed = (String, Vec<u8>);

fn files() -> Vec<Packed> {
    (0..5).map(|i| (format!("scan/{i}"), vec![i as u8; 100 * (5 - i)])).collect()
}

fn tar_of(files: &[Packed]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut folder = tar::Header::new_ustar();
    folder.set_entry_type(tar::EntryType::Directory);
    folder.set_size(0);
    builder.append_data(&mut folder, "scan/", &[][..]).unwrap();
    for (name, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        builder.append_data(&mut header, name, &bytes[..]).unwrap();
    }
    builder.into_inner().unwrap()
}

fn zip_of(files: &[Packed]) -> Vec<u8> {
    let mut archive = rawzip::ZipArchiveWriter::new(Vec::new());
    archive.new_dir("scan/").create().unwrap();
    for (name, bytes) in files {
        let (mut entry, config) =
            archive.new_file(name).compression_method(CompressionMethod::DEFLATE).start().unwrap();
        let encoder = flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::fast());
        let mut writer = config.wrap(encoder);
        writer.write_all(bytes).unwrap();
        let (encoder, descriptor) = writer.finish().unwrap();
        encoder.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap()
}

fn archives() -> Vec<Vec<u8>> {
    let tar = tar_of(&files());
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&tar).unwrap();
    vec![tar, gz.finish().unwrap(), zip_of(&files())]
}

#[test]
fn every_kind_gives_the_files_in_its_order_and_as_much_as_is_asked_for() {
    for archive in archives() {
        let kind = kind(&archive).unwrap();
        let (mut all, mut heads) = (Vec::new(), Vec::new());
        walk(kind, Cursor::new(&archive), &|_| true, &mut |entry| {
            all.push((entry.name.clone(), entry.into_bytes().unwrap()));
            Ok(true)
        })
        .unwrap();
        assert_eq!(all, files(), "{kind:?}");
        walk(kind, Cursor::new(&archive), &|index| index % 2 == 1, &mut |mut entry| {
            assert_eq!(entry.head(7).unwrap().len(), 7);
            heads.push((entry.index, entry.head(150).unwrap().to_vec()));
            Ok(entry.index < 3)
        })
        .unwrap();
        assert_eq!(heads, [(1, vec![1; 150]), (3, vec![3; 150])], "{kind:?}");
    }
}

#[test]
fn the_list_is_by_name_and_says_where_each_file_is() {
    for archive in archives() {
        let kind = kind(&archive).unwrap();
        let mut unzipped = archive.clone();
        if kind == Kind::TarGz {
            unzipped.clear();
            MultiGzDecoder::new(&archive[..]).read_to_end(&mut unzipped).unwrap();
        }
        for (file, (name, bytes)) in list(kind, Cursor::new(&archive)).unwrap().into_iter().zip(files()) {
            assert_eq!((&file.name, file.length), (&name, bytes.len() as u64), "{kind:?}");
            let start = file.start as usize;
            match file.packing {
                Packing::Tar | Packing::TarGz => assert_eq!(unzipped[start..start + bytes.len()], bytes),
                Packing::ZipStored | Packing::ZipDeflated => {
                    assert_eq!(unzipped[start..start + 4], *b"PK\x03\x04");
                    let data = start + 30 + name.len();
                    let deflated = &unzipped[data..data + file.size as usize];
                    assert_eq!(inflate(deflated, bytes.len(), file.crc).unwrap(), bytes);
                    assert_eq!(inflate(deflated, 7, None).unwrap(), bytes[..7]);
                    assert!(inflate(&deflated[..1], bytes.len(), file.crc).unwrap().len() < bytes.len());
                    assert_eq!(inflate(deflated, bytes.len(), Some(7)).unwrap_err().exit_code(), 3);
                    assert_eq!(inflate(&[0xFF; 40], 9, None).unwrap_err().exit_code(), 3);
                }
            }
        }
    }
}

#[test]
fn a_list_of_a_cut_archive_is_an_error_or_of_files_that_are_whole() {
    for archive in archives() {
        let kind = kind(&archive).unwrap();
        for length in (0..archive.len()).step_by(41) {
            let cut = Cursor::new(&archive[..length]);
            if let Ok(listed) = list(kind, cut.clone()) {
                let whole = |entry: Entry<'_>| entry.into_bytes().map(|_| true).map_err(damaged);
                walk(kind, cut, &|_| true, &mut { whole }).unwrap();
                assert!(listed.len() < 5 || kind != Kind::Zip, "{kind:?} cut at {length}");
            }
        }
    }
}

#[test]
fn a_changed_byte_is_found_by_the_checksum() {
    for archive in archives().into_iter().filter(|archive| kind(archive) != Some(Kind::Tar)) {
        let kind = kind(&archive).unwrap();
        let read = |archive: &[u8]| -> Result<Vec<Packed>> {
            let mut all = Vec::new();
            list(kind, Cursor::new(archive))?;
            walk(kind, Cursor::new(archive), &|_| true, &mut |entry| {
                all.push((entry.name.clone(), entry.into_bytes().map_err(damaged)?));
                Ok(true)
            })?;
            Ok(all)
        };
        for at in 0..archive.len() {
            let mut changed = archive.clone();
            changed[at] ^= 4;
            let found = read(&changed).unwrap_or_default();
            // A folder whose name was changed is an empty file.
            let known = |bytes: &Vec<u8>| bytes.is_empty() || files().iter().any(|(_, file)| file == bytes);
            assert!(found.iter().all(|(_, bytes)| known(bytes)), "{kind:?}: byte {at}");
        }
    }
}

#[test]
fn an_encrypted_file_is_an_error() {
    let mut archive = zip_of(&files()[..1]);
    let directory = archive.windows(4).rposition(|bytes| bytes == b"PK\x01\x02").unwrap();
    archive[directory + 8] |= 1; // bit 0 of the general purpose flags
    assert_eq!(list(Kind::Zip, Cursor::new(&archive)).unwrap_err().exit_code(), 3);
}

#[test]
fn an_archive_cut_anywhere_or_changed_is_an_error_or_has_fewer_files() {
    for archive in archives() {
        let kind = kind(&archive).unwrap();
        for length in (0..archive.len()).step_by(41) {
            let mut read = Vec::new();
            let outcome = walk(kind, Cursor::new(&archive[..length]), &|_| true, &mut |entry| {
                let name = entry.name.clone();
                read.push((name, entry.into_bytes().map_err(damaged)?));
                Ok(true)
            });
            // Behind its last file a tar has zeros, which nobody needs; a zip has its directory.
            assert_eq!(read, files()[..read.len()], "{kind:?} cut at {length}");
            assert!(outcome.is_err() || read.len() < 5 || kind != Kind::Zip, "{kind:?} cut at {length}");
            if let Err(error) = outcome {
                assert_eq!(error.exit_code(), 3);
                assert!(!error.to_string().contains("scan/"), "{error}");
            }
        }
    }
}

#[test]
fn a_tar_that_was_cut_between_two_entries_is_an_error() {
    let whole = tar_of(&files());
    let zeros = whole.len() - 1024;
    let listed = |length: usize| list(Kind::Tar, Cursor::new(&whole[..length]));
    assert_eq!(listed(whole.len()).unwrap().len(), 5);
    assert_eq!(listed(zeros + 512).unwrap().len(), 5, "one block of zeros is enough for others too");
    // Each of the six entries takes a block, and the contents of all but the folder one more.
    for cut in [512, 512 + 1024, 512 + 4 * 1024, zeros] {
        let text = listed(cut).unwrap_err().to_string();
        assert!(text.contains("cut off"), "{cut}: {text}");
    }
}

#[test]
fn other_files_are_no_archives() {
    for head in [&b""[..], b"PK", b"DICM", &[0; 265], b"\x1F\x8B"] {
        assert_eq!(kind(head), None);
    }
}
