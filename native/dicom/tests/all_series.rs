//! `--series all`: every series with its plan or what is wrong with it, by the headers of one process or of several.

mod common;

use common::inventory;
use common::volumes::{SERIES, SLICES, by_id, slice};
use tomobasis_dicom::{ErrorKind, Inventory, InventoryPart, SeriesChoice, SeriesEntry, Unread};

/// Slices of some series, one of which has a slice without pixels, and files of none.
fn files() -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    for number in 1..=3 {
        let uid = format!("2.25.{number}");
        files.extend((0..SLICES).map(|place| slice(0, place).text(SERIES, "UI", &uid).bytes()));
    }
    let of_two = || slice(0, SLICES).text(SERIES, "UI", "2.25.2").text((0x0008, 0x0018), "UI", "2.25.99");
    files.push(of_two().without((0x7FE0, 0x0010)).bytes());
    // Of a series that has no other.
    files.push(slice(0, 2).text(SERIES, "UI", "2.25.7").without((0x7FE0, 0x0010)).bytes());
    let scout = slice(0, 0).text((0x0008, 0x0008), "CS", "ORIGINAL\\PRIMARY\\LOCALIZER");
    files.push(scout.text(SERIES, "UI", "2.25.8").bytes());
    files.push(b"no image".to_vec());
    files.push(b"PK\x03\x04 an archive".to_vec());
    files
}

fn entries(inventory: &Inventory) -> Vec<SeriesEntry> {
    let mut entries = Vec::new();
    let visit = |entry| -> Result<(), ()> {
        entries.push(entry);
        Ok(())
    };
    inventory.visit_series(visit).unwrap();
    entries
}

fn said(entry: &SeriesEntry) -> String {
    entry.plan.as_ref().and_then(|plan| plan.as_ref().err()).map_or(String::new(), ToString::to_string)
}

#[test]
fn each_series_is_there_once_and_a_bad_one_stops_no_other() {
    let inventory = inventory(&files());
    let entries = entries(&inventory);
    let usable: Vec<_> = entries.iter().filter_map(|entry| entry.plan.as_ref()?.as_ref().ok()).collect();
    assert_eq!((entries.len(), usable.len()), (5, 2));
    for plan in usable {
        assert_eq!(*plan, by_id(&inventory, &plan.id));
    }
    let failed: Vec<String> = entries.iter().map(said).filter(|text| !text.is_empty()).collect();
    assert_eq!(failed.len(), 2, "{failed:?}");
    assert!(failed.iter().all(|text| text.contains("no pixel data")), "{failed:?}");
    let left_out: Vec<_> = entries.iter().filter(|entry| entry.plan.is_none()).collect();
    assert_eq!((left_out.len(), left_out[0].why_left_out), (1, "a localizer"));
    assert_eq!(entries.iter().filter(|entry| entry.folder.is_empty()).count(), 1);
    assert_eq!(inventory.of_no_series(), ["2 files in other formats than DICOM"]);
}

#[test]
fn derived_images_are_left_out_beside_originals_of_their_own_study_only() {
    let of = |series: &str, study: &str, kind: &str| -> Vec<Vec<u8>> {
        let dressed = |place| slice(0, place).text(SERIES, "UI", series).text((0x0020, 0x000D), "UI", study);
        (0..SLICES).map(|place| dressed(place).text((0x0008, 0x0008), "CS", kind).bytes()).collect()
    };
    let (original, derived) = ("ORIGINAL\\PRIMARY\\AXIAL", "DERIVED\\SECONDARY\\MPR");
    let files = [
        of("2.25.1", "2.25.50", original),
        of("2.25.2", "2.25.50", derived),
        of("2.25.3", "2.25.60", derived),
    ];
    let entries = entries(&inventory(&files.concat()));
    let mut why: Vec<_> = entries.iter().map(|entry| entry.why_left_out).collect();
    why.sort_unstable();
    assert_eq!(why, ["", "", "derived images, beside originals of their study"]);
    assert!(entries.iter().all(|entry| said(entry).is_empty()));
}

#[test]
fn a_file_of_which_nothing_is_known_stops_the_series_in_its_folder_and_those_that_miss_slices() {
    let archive = || {
        let mut inventory = Inventory::new();
        let mut count = 0;
        // Of 7, 6 and 5 slices; the last one misses its third.
        for (folder, uid, end, missing) in
            [("a", "2.25.1", 7, 7), ("b", "2.25.2", 6, 6), ("c", "2.25.3", 6, 2)]
        {
            for place in (0..end).filter(|&place| place != missing) {
                let bytes = slice(0, place).text(SERIES, "UI", uid).bytes();
                let name = format!("{folder}/{place}.dcm");
                assert_eq!(inventory.add(count, &name, bytes.len() as u64, &bytes).unwrap(), 0);
                count += 1;
            }
        }
        (inventory, count)
    };
    let failed = |inventory: &Inventory| -> Vec<usize> {
        let entries = entries(inventory);
        let failed = entries.iter().filter(|entry| !said(entry).is_empty());
        failed.map(|entry| entry.slices).collect()
    };
    assert_eq!(failed(&archive().0), [0; 0]);
    let (mut linked, count) = archive();
    linked.add_unread(count, "b/9.dcm", None, Unread::Link);
    assert_eq!(failed(&linked), [6, 5]);
    assert_eq!(linked.of_no_series(), ["1 file not read (1 link that leads nowhere)"]);
    // Of one series it might be as well.
    assert!(linked.select(&SeriesChoice::Uid("2.25.1".to_owned())).is_err());
    let (mut empty, count) = archive();
    (0..11).for_each(|i| assert_eq!(empty.add(count + i, &format!("d/{i}.dcm"), 0, &[]).unwrap(), 0));
    assert_eq!(failed(&empty), [5]);
    let (mut empty, count) = archive();
    (0..11).for_each(|i| assert_eq!(empty.add(count + i, &format!("b/x{i}"), 0, &[]).unwrap(), 0));
    assert_eq!(failed(&empty), [6, 5]);
    let (mut folder, count) = archive();
    folder.add_unread(count, "d", None, Unread::Folder("it is locked".to_owned()));
    assert_eq!(failed(&folder), [7, 6, 5]);
}

#[test]
fn one_series_is_never_what_all_means() {
    let one: Vec<_> = files().into_iter().take(SLICES).collect();
    let error = inventory(&one).select(&SeriesChoice::All).unwrap_err();
    assert!(error.to_string().starts_with("--series all: one series is used here"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert_eq!(inventory(&one).select_all(&SeriesChoice::All).unwrap().len(), 1);
}

#[test]
fn folders_stay_when_other_series_come_or_files_move() {
    let few: Vec<_> = files().into_iter().take(SLICES).collect();
    let folders = |files: &[Vec<u8>]| -> Vec<String> {
        entries(&inventory(files)).into_iter().map(|entry| entry.folder).collect()
    };
    let [alone]: [String; 1] = folders(&few).try_into().unwrap();
    assert_eq!(alone.len(), "series-".len() + 32);
    let reversed: Vec<_> = files().into_iter().rev().collect();
    for others in [files(), reversed] {
        assert!(folders(&others).contains(&alone));
    }
}

#[test]
fn parts_that_several_processes_have_read_make_the_inventory_of_one() {
    let files = files();
    let whole = inventory(&files);
    let part = |places: &[usize]| -> InventoryPart {
        let mut part = Inventory::new();
        for &place in places {
            let file = &files[place];
            part.add(place, &format!("scan/{place}.dcm"), file.len() as u64, file).unwrap();
        }
        let json = serde_json::to_string(&part.part()).unwrap();
        serde_json::from_str(&json).unwrap()
    };
    let (odd, even): (Vec<usize>, Vec<usize>) = (0..files.len()).partition(|place| place % 2 == 1);
    for order in [[&odd[..], &even[..]], [&even[..], &odd[..]]] {
        let mut merged = Inventory::new();
        order.into_iter().for_each(|places| merged.merge(part(places)).unwrap());
        assert_eq!(merged.counts(), whole.counts());
        assert_eq!(merged.series(), whole.series());
        assert_eq!((merged.of_no_series(), merged.kinds()), (whole.of_no_series(), whole.kinds()));
        assert_eq!(merged.unusable(), whole.unusable());
        let (found, expected) = (entries(&merged), entries(&whole));
        let plans = |entries: &[SeriesEntry]| -> Vec<_> {
            entries.iter().map(|entry| entry.plan.as_ref().and_then(|plan| plan.clone().ok())).collect()
        };
        assert_eq!(plans(&found), plans(&expected));
        assert_eq!(found.iter().map(said).collect::<Vec<_>>(), expected.iter().map(said).collect::<Vec<_>>());
        assert!(merged.merge(part(&[0])).is_err());
    }
}
