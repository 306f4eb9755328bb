use std::io::{Cursor, Write};

use super::*;

/// Path and content.
type Packed = (String, Vec<u8>);

fn files() -> Vec<Packed> {
    (0..5).map(|i| (format!("scan/{i}"), vec![i as u8; 100 * (5 - i)])).collect()
}

fn header(kind: ::tar::EntryType, size: u64) -> ::tar::Header {
    let mut header = ::tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_size(size);
    header
}

fn tar_of(files: &[Packed]) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    builder.append_data(&mut header(::tar::EntryType::Directory, 0), "scan/", &[][..]).unwrap();
    for (name, bytes) in files {
        let mut header = header(::tar::EntryType::Regular, bytes.len() as u64);
        builder.append_data(&mut header, name, &bytes[..]).unwrap();
    }
    builder.into_inner().unwrap()
}

fn zip_of(files: &[Packed]) -> Vec<u8> {
    let mut archive = rawzip::ZipArchiveWriter::new(Vec::new());
    archive.new_dir("scan/").create().unwrap();
    for (name, bytes) in files {
        let (mut entry, config) =
            archive.new_file(name).compression_method(rawzip::CompressionMethod::DEFLATE).start().unwrap();
        let encoder = flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::fast());
        let mut writer = config.wrap(encoder);
        writer.write_all(bytes).unwrap();
        let (encoder, descriptor) = writer.finish().unwrap();
        encoder.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap()
}

fn gzip_of(bytes: &[u8]) -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

fn archives() -> Vec<Vec<u8>> {
    let tar = tar_of(&files());
    let gz = gzip_of(&tar);
    vec![tar, gz, zip_of(&files())]
}

fn kind_of(archive: &[u8]) -> Kind {
    super::kind_of(&mut Cursor::new(archive)).unwrap().unwrap()
}

fn listed(archive: &[u8]) -> Result<Vec<Listed>> {
    list(kind_of(archive), Cursor::new(archive))
}

/// A part of each entry, as whoever has the archive would read them.
fn parts(archive: &[u8], part: std::ops::Range<u64>) -> Result<Vec<Packed>> {
    let read_at = |place: u64, bytes: &mut [u8]| {
        archive.get(usize::try_from(place).unwrap_or(usize::MAX)..).unwrap_or_default().read_exact(bytes)
    };
    let mut entries = listed(archive)?;
    entries.sort_by_key(|entry| entry.start);
    let mut stream = Stream::new(archive);
    let mut all = Vec::new();
    for entry in entries.iter().filter(|entry| entry.unread.is_none()) {
        let part = part.start..part.end.min(entry.length);
        let bytes = match entry.packing {
            Packing::Gzip => stream.read(entry, part),
            _ => read(&read_at, entry, part),
        };
        all.push((entry.name.clone(), bytes.map_err(damaged)?));
    }
    Ok(all)
}

/// Of bytes that are none of an entry, how many: of a program, and others.
fn beside(archive: &[u8]) -> [u64; 2] {
    let listed = listed(archive).unwrap();
    [Unread::Program, Unread::Beside].map(|what| {
        let lengths = listed.iter().filter(|entry| entry.unread.as_ref() == Some(&what));
        lengths.map(|entry| entry.known_length().unwrap()).sum()
    })
}

fn unpacked(archive: &[u8]) -> Result<Vec<Packed>> {
    parts(archive, 0..u64::MAX)
}

#[test]
fn every_kind_gives_its_files_and_as_much_of_them_as_is_asked_for() {
    for archive in archives() {
        assert_eq!(unpacked(&archive).unwrap(), files(), "{:?}", kind_of(&archive));
        let some: Vec<Packed> =
            files().into_iter().map(|(name, bytes)| (name, bytes[20..70].to_vec())).collect();
        assert_eq!(parts(&archive, 20..70).unwrap(), some);
    }
}

#[test]
fn the_list_is_by_name_and_says_where_each_file_is() {
    let mut reversed = files();
    reversed.reverse();
    for archive in [tar_of(&reversed), gzip_of(&tar_of(&reversed)), zip_of(&reversed)] {
        let entries = listed(&archive).unwrap();
        for (entry, (name, bytes)) in entries.iter().zip(files()) {
            assert_eq!((&entry.name, entry.length), (&name, bytes.len() as u64));
        }
        assert!(entries.windows(2).all(|pair| pair[0].start > pair[1].start));
    }
}

#[test]
fn deflated_bytes_are_inflated_as_far_as_is_asked_for_and_there() {
    let bytes: Vec<u8> = (0..5000_u32).map(|i| ((i * i) >> 5) as u8).collect();
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&bytes).unwrap();
    let deflated = encoder.finish().unwrap();
    assert_eq!(inflate(&deflated, 0..5000, None).unwrap(), bytes);
    assert_eq!(inflate(&deflated, 100..200, None).unwrap(), bytes[100..200]);
    assert!(inflate(&deflated[..9], 0..5000, None).unwrap().len() < 5000);
    assert_eq!(inflate(&deflated, 0..5000, Some(7)).unwrap_err().exit_code(), 3);
    assert_eq!(inflate(&[0xFF; 40], 0..9, None).unwrap_err().exit_code(), 3);
}

#[test]
fn an_archive_cut_anywhere_is_an_error_or_has_files_that_are_whole() {
    for archive in archives() {
        for length in (MAGIC_BYTES as usize..archive.len()).step_by(41) {
            match unpacked(&archive[..length]) {
                // Behind its last file a tar has zeros, of which one block is enough.
                Ok(read) => assert!(read == files() && kind_of(&archive) == Kind::Tar, "cut at {length}"),
                Err(error) => {
                    assert_eq!(error.exit_code(), 3);
                    assert!(!error.to_string().contains("scan/"), "{error}");
                }
            }
        }
    }
}

#[test]
fn a_changed_byte_is_found_by_the_checksum() {
    for archive in archives().into_iter().filter(|archive| kind_of(archive) != Kind::Tar) {
        for at in 0..archive.len() {
            let mut changed = archive.clone();
            changed[at] ^= 4;
            let found =
                if kind(&changed).is_ok_and(|kind| kind.is_some()) { unpacked(&changed) } else { Ok(vec![]) };
            // A folder whose name was changed is an empty file.
            let known = |bytes: &Vec<u8>| bytes.is_empty() || files().iter().any(|(_, file)| file == bytes);
            assert!(found.unwrap_or_default().iter().all(|(_, bytes)| known(bytes)), "byte {at}");
        }
    }
}

#[test]
fn encrypted_files_and_unknown_methods_are_listed_with_the_reason() {
    let archive = zip_of(&files()[..2]);
    let directory = archive.windows(4).rposition(|bytes| bytes == b"PK\x01\x02").unwrap();
    for (at, value, why) in [(8, 1, Unread::Encrypted), (10, 14, Unread::Method("LZMA".to_owned()))] {
        let mut changed = archive.clone();
        changed[directory + at] = value;
        let found: Vec<_> = listed(&changed).unwrap().into_iter().map(|entry| entry.unread).collect();
        assert_eq!(found, [None, Some(why)]);
    }
}

#[test]
fn a_tar_that_was_cut_between_two_entries_is_an_error() {
    let whole = tar_of(&files());
    let zeros = whole.len() - 1024;
    assert_eq!(listed(&whole).unwrap().len(), 5);
    assert_eq!(
        listed(&whole[..zeros + 512]).unwrap().len(),
        5,
        "one block of zeros is enough for others too"
    );
    // Each of the six entries takes a block, and the contents of all but the folder one more.
    for cut in [512, 512 + 1024, 512 + 4 * 1024, zeros] {
        let text = listed(&whole[..cut]).unwrap_err().to_string();
        assert!(text.contains("truncated"), "{cut}: {text}");
    }
}

#[test]
fn archives_put_together_have_the_files_of_both() {
    let (one, two) = (tar_of(&files()[..2]), tar_of(&files()[2..]));
    for archive in [[&one[..], &two].concat(), [gzip_of(&one), gzip_of(&two)].concat()] {
        assert_eq!(unpacked(&archive).unwrap(), files());
    }
}

#[test]
fn links_to_files_are_the_files_and_other_entries_are_listed_with_the_reason() {
    let mut builder = ::tar::Builder::new(Vec::new());
    builder.append_data(&mut header(::tar::EntryType::Regular, 3), "a/file", &b"abc"[..]).unwrap();
    for (kind, name, target) in [
        (::tar::EntryType::Link, "b/hard", "a/file"),
        (::tar::EntryType::Symlink, "b/soft", "../a/file"),
        (::tar::EntryType::Symlink, "b/twice", "soft"),
        (::tar::EntryType::Symlink, "c/folder", "../a"),
        (::tar::EntryType::Symlink, "c/itself", "itself"),
        (::tar::EntryType::Symlink, "c/nowhere", "/etc/passwd"),
        (::tar::EntryType::Symlink, "c/outside", "../../x"),
    ] {
        builder.append_link(&mut header(kind, 0), name, target).unwrap();
    }
    builder.append_data(&mut header(::tar::EntryType::Fifo, 0), "d", &b""[..]).unwrap();
    let tar = builder.into_inner().unwrap();
    for archive in [gzip_of(&tar), tar] {
        let found: Vec<_> = listed(&archive)
            .unwrap()
            .into_iter()
            .map(|entry| (entry.name, entry.length, entry.unread))
            .collect();
        let expected = [
            ("a/file", 3, None),
            ("b/hard", 3, None),
            ("b/soft", 3, None),
            ("b/twice", 3, None),
            ("c/folder", 0, Some(Unread::FolderLink)),
            ("c/itself", 0, Some(Unread::Link)),
            ("c/nowhere", 0, Some(Unread::Link)),
            ("c/outside", 0, Some(Unread::Link)),
            ("d", 0, Some(Unread::Special)),
        ];
        assert_eq!(found, expected.map(|(name, length, why)| (name.to_owned(), length, why)));
    }
}

#[test]
fn a_tar_older_than_its_magic_is_a_tar() {
    let mut header = ::tar::Header::new_old();
    header.set_size(3);
    header.set_path("old").unwrap();
    header.set_cksum();
    let mut builder = ::tar::Builder::new(Vec::new());
    builder.append(&header, &b"abc"[..]).unwrap();
    let archive = builder.into_inner().unwrap();
    assert!(!archive.windows(5).any(|bytes| bytes == b"ustar"));
    assert_eq!(unpacked(&archive).unwrap(), [("old".to_owned(), b"abc".to_vec())]);
}

#[test]
fn a_gzip_stream_of_anything_else_is_one_file() {
    let archive = gzip_of(&[7; 1000]);
    assert_eq!(unpacked(&archive).unwrap(), [(String::new(), vec![7; 1000])]);
}

#[test]
fn names_and_maps_longer_than_any_are_damage_and_take_no_memory() {
    for kind in [::tar::EntryType::GNULongName, ::tar::EntryType::GNULongLink, ::tar::EntryType::XHeader] {
        let mut long = header(kind, 1 << 33);
        long.set_path("long").unwrap();
        long.set_cksum();
        let endless = long.as_bytes().to_vec();
        let error = list(Kind::Tar, Cursor::new([endless, vec![0; 4096]].concat())).unwrap_err();
        assert_eq!(error.exit_code(), 3, "{error}");
    }
}

#[test]
fn other_files_are_no_archives() {
    for head in [&b""[..], b"PK", b"DICM", &[0; 512], b"\x1F\x8B"] {
        assert_eq!(kind(head).unwrap(), None);
    }
}

#[test]
fn zeros_behind_a_member_of_a_gzip_stream_are_padding_and_other_bytes_are_damage() {
    let (one, two) = (tar_of(&files()[..2]), tar_of(&files()[2..]));
    let [one, two] = [one, two].map(|tar| gzip_of(&tar));
    for zeros in [1, 511, 1 << 17] {
        let padded = [&one[..], &vec![0; zeros], &two, &vec![0; zeros]].concat();
        assert_eq!(unpacked(&padded).unwrap(), files(), "{zeros}");
    }
    for rest in [&b"\0\0more"[..], b"\x1F", b"\x1F\x8B\x08", &two[..two.len() - 9]] {
        assert_eq!(listed(&[&one[..], rest].concat()).unwrap_err().exit_code(), 3, "{rest:?}");
    }
}

#[test]
fn a_zip_behind_other_bytes_is_read_and_what_only_looks_like_one_is_not() {
    let zip = zip_of(&files());
    for before in [&b"MZ a program"[..], b"#!/bin/sh\n", &[0; 3_000_000]] {
        for behind in [&b""[..], b"a signature", &[7; 1_000_000]] {
            let archive = [before, &zip, behind].concat();
            assert_eq!(unpacked(&archive).unwrap(), files());
            let program = if before[0] == 0 { 0 } else { before.len() as u64 };
            let other = (before.len() + behind.len()) as u64 - program;
            assert_eq!(beside(&archive), [program, other]);
        }
    }
    let text = listed(&[&zip[..], &[7; 2_000_000]].concat()).unwrap_err().to_string();
    assert!(text.contains("more than 1 MiB of something else stands behind it"), "{text}");
    let end = &zip[zip.len() - 22..];
    let dicom = [&[0; 128][..], b"DICM", &zip].concat();
    for other in
        [[b"text".as_slice(), end].concat(), dicom, vec![], b"text".to_vec(), zip[4..zip.len() - 30].to_vec()]
    {
        assert_eq!(super::kind_of(&mut Cursor::new(&other)).unwrap(), None);
    }
}

#[test]
fn archives_that_unpack_themselves_and_images_of_disks_are_refused_by_name() {
    let tar = gzip_of(&tar_of(&files()));
    let disk = [&[0; 32769][..], b"CD001", &tar].concat();
    for (archive, format) in [
        ([&b"#!/bin/sh\n# makeself\n"[..], &tar].concat(), "unpacks itself"),
        ([&b"MZ"[..], &[1; 5000], b"7z\xBC\xAF\x27\x1C"].concat(), "unpacks itself"),
        (disk, "ISO 9660"),
    ] {
        let text = super::kind_of(&mut Cursor::new(archive)).unwrap_err().to_string();
        assert!(text.contains(format) && text.contains("unpack it"), "{text}");
    }
}

#[test]
fn a_hard_link_whose_file_is_not_in_the_archive_is_told_from_a_symbolic_one() {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (kind, size, name, target) in [
        (::tar::EntryType::Link, 0, "a", "elsewhere"),
        (::tar::EntryType::Link, 700, "b", "elsewhere"),
        (::tar::EntryType::Symlink, 0, "c", "a"),
        (::tar::EntryType::Symlink, 0, "d", "elsewhere"),
        (::tar::EntryType::Link, 0, "e", "d"),
    ] {
        builder.append_link(&mut header(kind, size), name, target).unwrap();
    }
    let found = listed(&builder.into_inner().unwrap()).unwrap();
    let found: Vec<_> =
        found.iter().map(|entry| (entry.known_length(), entry.unread.clone().unwrap())).collect();
    use Unread::{HardLink, Link};
    assert_eq!(
        found,
        [(None, HardLink), (Some(700), HardLink), (None, HardLink), (None, Link), (None, Link)]
    );
}

#[test]
fn what_stands_behind_the_end_of_a_tar_hides_no_entries() {
    let (one, two) = (tar_of(&files()[..2]), tar_of(&files()[2..]));
    for unpadded in [[&one[..], &[7; 700]].concat(), gzip_of(&[&one[..], &[0; 512], &[7; 700]].concat())] {
        assert_eq!(unpacked(&unpadded).unwrap(), files()[..2]);
        assert_eq!(beside(&unpadded), [0, 700]);
    }
    let far = [&one[..], &vec![0; 20 << 20], &two].concat();
    assert!(listed(&far).unwrap_err().to_string().contains("more than 16 MiB behind its end"));
    assert_eq!(unpacked(&gzip_of(&far)).unwrap(), files());
    let hidden = [&one[..], &[7; 512], &two].concat();
    assert!(listed(&hidden).unwrap_err().to_string().contains("damaged"));
    // At places where no block begins, compressed, or in another format, behind the last record.
    let one = [&one[..], &vec![0; one.len().next_multiple_of(20 * 512) - one.len()]].concat();
    for between in [1, 100, 511] {
        let shifted = [&one[..], &vec![0; between], &two].concat();
        assert!(listed(&shifted).unwrap_err().to_string().contains("damaged"), "{between}");
        assert!(listed(&gzip_of(&shifted)).unwrap_err().to_string().contains("damaged"), "{between}");
    }
    for other in [gzip_of(&two), zip_of(&files()[2..])] {
        let behind = [&one[..], &other].concat();
        assert!(listed(&behind).unwrap_err().to_string().contains("damaged"));
    }
}

#[test]
fn of_a_zip_beside_another_archive_in_one_file_nothing_is_lost_in_silence() {
    let (one, two) = (zip_of(&files()[..2]), zip_of(&files()[2..]));
    let tar = tar_of(&files()[..2]);
    for (first, second) in [(&one, &two), (&two, &one), (&one, &tar), (&one, &gzip_of(&tar))] {
        let both = [&first[..], &second[..]].concat();
        assert!(listed(&both).unwrap_err().to_string().contains("damaged"));
    }
}

#[test]
fn a_tar_with_an_impossible_size_is_damaged() {
    for size in [1 << 40, 1 << 62] {
        let mut tar = tar_of(&files());
        let mut large = header(::tar::EntryType::Regular, size);
        large.set_path("scan/large").unwrap();
        large.set_cksum();
        let end = tar.len() - 1024;
        tar.splice(end..end, large.as_bytes().iter().copied());
        let error = list(Kind::Tar, Cursor::new(&tar)).unwrap_err();
        assert!(error.to_string().contains("damaged"), "{size}: {error}");
    }
}

/// A zip whose directory has lost the record of one entry.
fn without_record(zip: &[u8], name: &[u8]) -> Vec<u8> {
    let record = |from: usize| (from..zip.len()).find(|&at| zip[at..].starts_with(b"PK\x01\x02"));
    let mut start = record(0).unwrap();
    while !zip[start + 46..].starts_with(name) {
        start = record(start + 4).unwrap();
    }
    let field = |at: usize| usize::from(u16::from_le_bytes([zip[start + at], zip[start + at + 1]]));
    let size = 46 + field(28) + field(30) + field(32);
    let mut less = [&zip[..start], &zip[start + size..]].concat();
    let end = less.len() - 22;
    assert!(less[end..].starts_with(b"PK\x05\x06"));
    for at in [8, 10] {
        less[end + at] -= 1;
    }
    let length = u32::from_le_bytes(less[end + 12..end + 16].try_into().unwrap()) - size as u32;
    less[end + 12..end + 16].copy_from_slice(&length.to_le_bytes());
    less
}

#[test]
fn entries_that_the_directory_of_a_zip_does_not_list_are_counted() {
    // Bytes that do not deflate.
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let files: Vec<Packed> =
        (0..4).map(|i| (format!("scan/{i}"), (0..1000 + i).map(|_| noise()).collect())).collect();
    let zip = zip_of(&files);
    assert_eq!(beside(&zip), [0, 0]);
    for (name, bytes) in &files {
        let less = without_record(&zip, name.as_bytes());
        assert_eq!(unpacked(&less).unwrap().len(), 3);
        let [_, lost] = beside(&less);
        assert!((bytes.len() as u64..bytes.len() as u64 + 200).contains(&lost), "{name}: {lost}");
    }
}

#[test]
fn entries_with_content_are_files_though_they_are_named_or_typed_as_folders() {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (kind, name, content) in [
        (::tar::EntryType::Regular, "a/", &b"one"[..]),
        (::tar::EntryType::Directory, "b", b"two"),
        (::tar::EntryType::new(b'V'), "c", b"three"),
        (::tar::EntryType::Directory, "d", b""),
        (::tar::EntryType::new(b'D'), "e", b"Yname\0"),
    ] {
        builder.append_data(&mut header(kind, content.len() as u64), name, content).unwrap();
    }
    let tar = builder.into_inner().unwrap();
    let contents =
        |archive: &[u8]| unpacked(archive).unwrap().into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>();
    assert_eq!(contents(&tar), [b"one".to_vec(), b"two".to_vec(), b"three".to_vec()]);
    let mut zip = zip_of(&[("plain!".to_owned(), b"one".to_vec())]);
    let name = b"plain!";
    for at in 0..zip.len() - name.len() {
        if zip[at..].starts_with(name) {
            zip[at + name.len() - 1] = b'/';
        }
    }
    assert_eq!(contents(&zip), [b"one".to_vec()]);
}

#[test]
fn a_dicom_file_in_the_comment_of_a_zip_is_counted_and_text_is_not() {
    let dicom = [&[0; 128][..], b"DICM\x02\0\0\0UL\x04\0\xD0\0\0\0", &[7; 500]].concat();
    for (comment, counted) in [(&dicom[..], dicom.len()), (&b"DICM is no file, nor is PK"[..], 0)] {
        let mut archive = zip_of(&files());
        let size = archive.len() - 2;
        archive[size..].copy_from_slice(&(comment.len() as u16).to_le_bytes());
        archive.extend(comment);
        assert_eq!(beside(&archive), [0, counted as u64]);
        assert_eq!(unpacked(&archive).unwrap(), files());
    }
}
