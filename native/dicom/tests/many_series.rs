//! Planning every series of an input: as when each is chosen by its id, in work that grows with their number.
//!
//! The allocator of this test program counts.

mod common;

use std::alloc::System;
use std::sync::Mutex;

use cap::Cap;
use common::volumes::{KERNEL, SERIES, SLICES, by_id, slice, two};
use common::{inventory, refusal};
use tomobasis_dicom::testing::DicomFile;
use tomobasis_dicom::{Inventory, SeriesPlan};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// Tests run at the same time, and the allocator counts for all of them.
static ALONE: Mutex<()> = Mutex::new(());

/// The slices of one volume of a series.
fn series(number: usize) -> Vec<DicomFile> {
    let uid = format!("2.25.{}", 1000 + number);
    (0..SLICES).map(|place| slice(0, place).text(SERIES, "UI", &uid)).collect()
}

fn bytes(files: &[DicomFile]) -> impl Iterator<Item = Vec<u8>> {
    files.iter().map(DicomFile::bytes)
}

/// Series with all that a plan of one says about the others: localizers, derived images, several volumes, slices and files of none.
fn varied() -> Vec<Vec<u8>> {
    let mut files: Vec<Vec<u8>> =
        (0..5).flat_map(|number| bytes(&series(number)).collect::<Vec<_>>()).collect();
    let of_type = |number: usize, kind: &str| -> Vec<Vec<u8>> {
        let dressed = series(number).into_iter().map(|file| file.text((0x0008, 0x0008), "CS", kind));
        dressed.map(|file| file.bytes()).collect()
    };
    files.extend(of_type(5, "ORIGINAL\\PRIMARY\\LOCALIZER"));
    files.extend(of_type(6, "DERIVED\\SECONDARY"));
    files.extend(two(|volume, _, file| file.text(KERNEL, "SH", ["Br40d", "Br60f"][volume])));
    let nowhere = slice(0, 0).position(0.0, 0.0, -900.0);
    files.push(nowhere.clone().text(SERIES, "UI", "").bytes());
    let cut = nowhere.bytes();
    files.push(cut[..140].to_vec());
    files.push(slice(0, 2).text(SERIES, "UI", "2.25.7").without((0x7FE0, 0x0010)).bytes());
    files.push(b"no image".to_vec());
    files
}

fn one_by_one(inventory: &Inventory) -> Vec<SeriesPlan> {
    inventory.series().iter().map(|one| by_id(inventory, &one.id)).collect()
}

#[test]
fn each_series_has_the_plan_that_it_has_when_its_id_is_chosen() {
    let _alone = ALONE.lock();
    let inventory = inventory(&varied());
    let each = inventory.select_each().unwrap();
    assert_eq!(each.len(), 10);
    let said: Vec<&str> =
        each.iter().flat_map(|plan| &plan.left_out).map(|note| note.text.as_str()).collect();
    for words in [
        "localizer",
        "derived",
        "of other series",
        "without Series Instance UID",
        "of no series",
        "other formats",
    ] {
        assert!(said.iter().any(|note| note.contains(words)), "{words}: {said:#?}");
    }
    assert_eq!(each, one_by_one(&inventory));
}

#[test]
fn joined_volumes_are_one_series() {
    let _alone = ALONE.lock();
    let mut inventory = inventory(&varied());
    inventory.join();
    let each = inventory.select_each().unwrap();
    assert_eq!(each.len(), 9);
    assert_eq!(each.iter().filter(|plan| plan.slices.len() == 2 * SLICES).count(), 1);
    assert_eq!(each, one_by_one(&inventory));
}

#[test]
fn what_stops_one_series_stops_all_and_an_input_without_series_is_refused_as_ever() {
    let _alone = ALONE.lock();
    let mut files: Vec<Vec<u8>> = bytes(&series(1)).collect();
    files
        .push(series(1)[0].clone().without((0x7FE0, 0x0010)).text((0x0008, 0x0018), "UI", "2.25.99").bytes());
    let broken = inventory(&files);
    let id = &broken.series()[0].id;
    let choice = tomobasis_dicom::SeriesChoice::Uid(id.clone());
    assert_eq!(
        broken.select_each().unwrap_err().to_string(),
        broken.select(&choice).unwrap_err().to_string()
    );
    let none = vec![b"no image".to_vec()];
    assert_eq!(inventory(&none).select_each().unwrap_err().to_string(), refusal(&none));
}

#[test]
fn the_work_for_all_series_grows_as_their_number() {
    let _alone = ALONE.lock();
    let work = |count: usize| {
        let files: Vec<Vec<u8>> =
            (0..count).flat_map(|number| bytes(&series(number)).collect::<Vec<_>>()).collect();
        let inventory = inventory(&files);
        let before = ALLOCATOR.total_allocated();
        let plans = inventory.select_each().unwrap();
        assert_eq!(plans.len(), count);
        ALLOCATOR.total_allocated() - before
    };
    let (some, more) = (work(50), work(400));
    // Eight times as many series; sorting takes a little more than in proportion.
    assert!(more < 10 * some, "{some} bytes are asked for in all for 50 series, {more} for 400");
}
