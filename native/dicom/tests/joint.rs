//! `--basis joint`: the slices of several series as one plan, whatever the order of files, and what becomes of series that do not fit.

mod common;

use common::inventory;
use common::volumes::{SERIES, SLICES, slice};
use tomobasis_dicom::testing::DicomFile;
use tomobasis_dicom::{Error, Inventory, JointChoice, SeriesPlan, decode};

const INSTANCE: (u16, u16) = (0x0008, 0x0018);

/// A slice of series `2.25.SERIES`, whose slope is its number.
fn of_series(series: u32, place: usize) -> DicomFile {
    slice(0, place)
        .text(SERIES, "UI", &format!("2.25.{series}"))
        .text(INSTANCE, "UI", &format!("2.25.77.{series}.{place}"))
        .text((0x0028, 0x1053), "DS", &series.to_string())
}

/// Three series of one size; the names of their UIDs are in another order as numbers than as bytes.
fn files() -> Vec<Vec<u8>> {
    [10, 9, 100]
        .into_iter()
        .flat_map(|series| (0..SLICES).map(move |place| of_series(series, place).bytes()))
        .collect()
}

fn all() -> JointChoice {
    JointChoice { all: true, ..JointChoice::default() }
}

fn named(names: &[&str]) -> JointChoice {
    JointChoice { names: names.iter().map(|&name| name.to_owned()).collect(), ..JointChoice::default() }
}

fn joint(inventory: &Inventory, choice: &JointChoice) -> SeriesPlan {
    inventory.select_joint(choice).unwrap()
}

fn slopes(plan: &SeriesPlan) -> Vec<f64> {
    plan.slices.iter().map(|slice| slice.slope).collect()
}

/// Which file each slice is of, by its UID.
fn instances(plan: &SeriesPlan) -> Vec<&str> {
    plan.slices.iter().map(|slice| slice.instance_uid.as_str()).collect()
}

#[test]
fn series_follow_one_another_by_their_uids_as_bytes_whatever_the_order_of_files() {
    let files = files();
    let plan = joint(&inventory(&files), &all());
    // "2.25.10", "2.25.100", "2.25.9".
    let expected: Vec<f64> = [10.0, 100.0, 9.0].into_iter().flat_map(|slope| [slope; SLICES]).collect();
    assert_eq!(slopes(&plan), expected);
    let reversed: Vec<_> = files.iter().rev().cloned().collect();
    let other = inventory(&reversed);
    assert_eq!(instances(&joint(&other, &all())), instances(&plan));
    let series = &plan.joint.as_ref().unwrap().series;
    assert_eq!(
        series.iter().map(|one| (one.first, one.slices)).collect::<Vec<_>>(),
        [0, 1, 2].map(|i| (i * SLICES, SLICES))
    );
    // Each is what it is alone.
    let inventory = inventory(&files);
    let alone: Vec<SeriesPlan> = inventory.select_each().unwrap();
    for one in plan.by_series() {
        let same = alone.iter().find(|plan| plan.id == one.id).unwrap();
        assert_eq!((&one.slices, &one.series_instance_uid), (&same.slices, &same.series_instance_uid));
    }
    // And can be decoded.
    let mut pixels = vec![0; plan.pixels()];
    for (place, slice) in plan.slices.iter().enumerate() {
        decode(&plan, place, &files[slice.file], &mut pixels).unwrap();
    }
}

#[test]
fn what_does_not_fit_most_slices_is_left_out_and_named() {
    let mut files = files();
    let other = |series: u32, tag, vr, value: &str| {
        (0..SLICES - 1)
            .map(move |place| of_series(series, place).text(tag, vr, value).bytes())
            .collect::<Vec<_>>()
    };
    files.extend(other(11, (0x0008, 0x0060), "CS", "MR"));
    files.extend((0..2).map(|place| {
        let small = DicomFile::ct(2, 3, &[1, 2, 3, 4, 5, 6]).text(SERIES, "UI", "2.25.12");
        small.text(INSTANCE, "UI", &format!("2.25.78.{place}")).position(0.0, 0.0, place as f64).bytes()
    }));
    files.push(of_series(13, 0).without((0x7FE0, 0x0010)).bytes());
    files.push(of_series(14, 0).text((0x0008, 0x0008), "CS", "ORIGINAL\\PRIMARY\\LOCALIZER").bytes());
    let inventory = inventory(&files);
    let plan = joint(&inventory, &all());
    let joint_plan = plan.joint.as_ref().unwrap();
    assert_eq!((plan.slices.len(), joint_plan.series.len(), joint_plan.not_meant), (3 * SLICES, 3, 0));
    let why: Vec<&str> = joint_plan.left_out.iter().map(|one| one.why.as_str()).collect();
    assert_eq!(why.len(), 4, "{why:?}");
    for words in ["another modality", "another size", "no pixel data", "a localizer"] {
        assert!(why.iter().any(|why| why.contains(words)), "{words}: {why:?}");
    }
    assert_eq!(joint_plan.left_out.iter().filter(|one| one.failed).count(), 1);
    let notes: Vec<&str> = plan.left_out.iter().map(|note| note.text.as_str()).collect();
    assert!(notes.contains(&"4 of 7 series are left out of the joint matrix"), "{notes:?}");
    for one in &joint_plan.left_out {
        assert!(notes.iter().any(|note| note.starts_with(&format!("series {} (", one.id))), "{notes:?}");
    }
    let fail_fast = JointChoice { fail_fast: true, ..all() };
    assert!(matches!(inventory.select_joint(&fail_fast), Err(Error::Slice { .. })));
}

#[test]
fn a_localizer_and_derived_images_that_are_joined_are_not_told_as_left_out() {
    let image_type = (0x0008, 0x0008);
    let mut files = files();
    files.push(of_series(14, 0).text(image_type, "CS", "ORIGINAL\\PRIMARY\\LOCALIZER").bytes());
    files.push(of_series(15, 0).text(image_type, "CS", "DERIVED\\PRIMARY\\AXIAL").bytes());
    let inventory = inventory(&files);
    let plan = joint(&inventory, &named(&["2.25.9", "2.25.14", "2.25.15"]));
    assert_eq!(plan.slices.len(), SLICES + 2);
    let notes: Vec<&str> = plan.left_out.iter().map(|note| note.text.as_str()).collect();
    assert!(notes.contains(&format!("{} slices of other series", 2 * SLICES).as_str()), "{notes:?}");
    assert!(!notes.iter().any(|note| note.contains("localizer") || note.contains("derived")), "{notes:?}");
    // Where they are left out, they are told of once, with their series.
    let plan = joint(&inventory, &all());
    let notes: Vec<&str> = plan.left_out.iter().map(|note| note.text.as_str()).collect();
    for why in ["a localizer", "derived images, beside originals"] {
        assert_eq!(notes.iter().filter(|note| note.ends_with(why)).count(), 1, "{notes:?}");
    }
    assert!(!notes.iter().any(|note| note.contains("localizer image")), "{notes:?}");
}

#[test]
fn series_are_named_by_uid_by_id_and_by_the_hash_of_their_folder() {
    let inventory = inventory(&files());
    let whole = joint(&inventory, &all());
    let series = &whole.joint.as_ref().unwrap().series;
    let [first, _, last] = series.as_slice() else { panic!("three series") };
    let by_uid = joint(&inventory, &named(&["2.25.9", "2.25.10"]));
    assert_eq!(by_uid.slices.len(), 2 * SLICES);
    assert_eq!(by_uid.joint.as_ref().unwrap().not_meant, SLICES);
    assert!(by_uid.left_out.iter().any(|note| note.text == format!("{SLICES} slices of other series")));
    let hash = last.folder.strip_prefix("series-").unwrap();
    for names in [
        [first.plan.id.as_str(), last.plan.id.as_str()],
        [hash, first.plan.id.as_str()],
        ["2.25.9", "2.25.10"],
    ] {
        assert_eq!(joint(&inventory, &named(&names)), by_uid);
    }
    // Named twice, it is there once.
    let twice = joint(&inventory, &named(&["2.25.9", hash, "2.25.10"]));
    assert_eq!(twice, by_uid);
    assert!(matches!(inventory.select_joint(&named(&["2.25.8"])), Err(Error::UnknownSeries { .. })));
}

#[test]
fn of_named_series_the_others_are_told_where_all_are_looked_at() {
    let inventory = inventory(&files());
    let choice = JointChoice { all: true, ..named(&["2.25.9", "2.25.10"]) };
    let plan = joint(&inventory, &choice);
    let left_out = &plan.joint.as_ref().unwrap().left_out;
    assert_eq!((plan.slices.len(), left_out.len()), (2 * SLICES, 1));
    assert_eq!(left_out[0].why, "it is not among the series that are asked for");
}

#[test]
fn where_no_series_can_be_used_one_error_says_so() {
    let broken = |series: u32| of_series(series, 0).without((0x7FE0, 0x0010)).bytes();
    let mut files = vec![broken(1), broken(2)];
    files.push(of_series(1, 1).bytes());
    let error = inventory(&files).select_joint(&all()).unwrap_err();
    assert!(matches!(error, Error::NoneToJoin { series: 2, .. }), "{error}");
    assert!(!error.to_string().contains('\n'));
    assert!(matches!(inventory(&[]).select_joint(&all()), Err(Error::NoFiles)));
}

#[test]
fn slices_that_turn_out_bad_are_left_out_of_their_own_series() {
    const MANY: usize = 12;
    let series = |series: u32| (0..MANY).map(move |place| of_series(series, place).bytes());
    let files: Vec<_> = series(1).chain(series(2)).chain(series(3)).collect();
    let plan = joint(&inventory(&files), &all());
    let bad =
        |slices: &[usize]| slices.iter().map(|&slice| (slice, format!("bad {slice}"))).collect::<Vec<_>>();
    let fewer = plan.without(&bad(&[MANY + 2, 2 * MANY + 5])).unwrap();
    let series = &fewer.joint.as_ref().unwrap().series;
    let places: Vec<_> = series.iter().map(|one| (one.first, one.slices, one.plan.skipped)).collect();
    assert_eq!(places, [(0, MANY, 0), (MANY, MANY - 1, 1), (2 * MANY - 1, MANY - 1, 1)]);
    assert_eq!((fewer.slices.len(), fewer.skipped), (3 * MANY - 2, 2));
    let skipped: Vec<&str> = fewer.left_out.iter().map(|note| note.text.as_str()).collect();
    assert!(
        skipped.contains(&format!("series {}: skipped: bad {}", series[1].plan.id, MANY + 2).as_str()),
        "{skipped:?}"
    );
    // Two of one series are too many, though they are less than a tenth of the matrix.
    assert!(matches!(plan.without(&bad(&[1, 5])), Err(Error::TooManySkipped { skipped: 2, total: MANY })));
    assert_eq!(plan.without(&[]).unwrap(), plan);
}
