//! `render`: the pictures of a result folder, from its tables.

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
};

use common::{SIZE, SLICES, decompose, series};
use tomobasis_pipeline::{
    Error,
    commands::render::{RenderArgs, render},
    progress::Silent,
};

/// A slice is shown three times as large, 16 pixels from the left and below title and caption.
const SIDES: (usize, usize) = (3 * SIZE.1 as usize, 3 * SIZE.0 as usize);
const CORNER: (usize, usize) = (16, 48 + 44);

fn draw(result: &Path, output: &Path, more: &str) -> Result<Vec<PathBuf>, Error> {
    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: RenderArgs,
    }
    let words = ["render", result.to_str().unwrap(), "--output", output.to_str().unwrap()];
    let line = words.into_iter().chain(more.split_whitespace());
    render(&<Line as clap::Parser>::try_parse_from(line).unwrap().args, 2, &Silent)
}

fn with_scan(input: &Path, more: &str) -> String {
    format!("--input {} {more}", input.display())
}

/// The colors of the panel in the given column of a sheet's first line.
fn panel(file: &Path, column: usize) -> Vec<u8> {
    let decoder = png::Decoder::new(std::io::BufReader::new(fs::File::open(file).unwrap()));
    let mut reader = decoder.read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut bytes).unwrap();
    let sample = bytes.len() / (info.width * info.height) as usize;
    let left = CORNER.0 + column * (SIDES.0 + 16);
    let line = |y: usize| {
        let start = ((CORNER.1 + y) * info.width as usize + left) * sample;
        bytes[start..start + SIDES.0 * sample].to_vec()
    };
    (0..SIDES.1).flat_map(line).collect()
}

#[test]
fn the_same_request_gives_the_bytes_of_the_run() {
    let (base, input) = series();
    for (i, options) in [
        "",
        "--rank 4",
        "--composite 1,50%",
        "--method tsqr",
        "--method tsqr --center",
        "--method dssvd --rank 4 --oversample 3",
        "--method dspca --rank 3 --oversample 3",
    ]
    .into_iter()
    .enumerate()
    {
        let (result, output) =
            (base.path().join(format!("result-{i}")), base.path().join(format!("out-{i}")));
        decompose(&input, &result, options, 2).unwrap();
        draw(&result, &output, &with_scan(&input, "")).unwrap();
        for name in ["composites.png", "differences.png", "basis.png", "spectrum.png"] {
            let same =
                fs::read(output.join(name)).unwrap() == fs::read(result.join("pictures").join(name)).unwrap();
            assert!(same, "{options}: {name}");
        }
    }
}

#[test]
fn without_the_scan_all_is_drawn_but_the_scan() {
    let (base, input) = series();
    let (result, output) = (base.path().join("result"), base.path().join("pictures"));
    decompose(&input, &result, "--rank 4 --composite 3", 2).unwrap();
    fs::remove_dir_all(&input).unwrap();
    let names = draw(&result, &output, "").unwrap();
    assert_eq!(names, ["basis.png", "composites.png", "spectrum.png"].map(|name| output.join(name)));
    for name in ["basis.png", "spectrum.png"] {
        assert!(
            fs::read(output.join(name)).unwrap() == fs::read(result.join("pictures").join(name)).unwrap()
        );
    }
    let shown = panel(&output.join("composites.png"), 0);
    assert!(shown == panel(&result.join("pictures/composites.png"), 1));
    assert!(shown != panel(&result.join("pictures/composites.png"), 0));
}

#[test]
fn any_slice_and_any_composite_up_to_the_rank_can_be_drawn() {
    let (base, input) = series();
    let (result, output) = (base.path().join("result"), base.path().join("pictures"));
    decompose(&input, &result, "--emit parquet", 2).unwrap();
    let more = with_scan(&input, &format!("--slice 1,100% --slice 4 --composite {SLICES},100%"));
    let names = draw(&result, &output, &more).unwrap();
    assert_eq!(names.len(), 3 * 2 + 2);
    let sheets = [1, 4, 9].map(|slice| output.join(format!("slice-{slice:05}/composites.png")));
    for sheet in &sheets {
        assert!(panel(sheet, 0) == panel(sheet, 1), "all basis vectors rebuild the slice");
    }
    assert!(panel(&sheets[0], 0) != panel(&sheets[1], 0));
    assert!(panel(&sheets[1], 0) != panel(&sheets[2], 0));
}

#[test]
fn a_damaged_or_incomplete_result_is_refused_before_anything_is_written() {
    let (base, input) = series();
    let output = base.path().join("pictures");
    for (name, damage) in [
        ("basis/part-00001.parquet", true),
        ("basis/part-00002.parquet", false),
        ("weights.parquet", true),
        ("singular_values.parquet", false),
    ] {
        let result = base.path().join("result");
        decompose(&input, &result, "--rank 4 --overwrite", 2).unwrap();
        let file = result.join(name);
        if damage {
            let mut bytes = fs::read(&file).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(&file, bytes).unwrap();
        } else {
            fs::remove_file(&file).unwrap();
        }
        let error = draw(&result, &output, "").expect_err(name);
        assert_eq!(error.exit_code(), 3, "{error}");
        assert!(error.to_string().starts_with(name) && !error.to_string().contains('\n'), "{error}");
        assert!(!output.exists(), "{name}");
    }
}

/// A FIFO or a device would never end.
#[test]
fn a_table_that_is_no_file_of_the_listed_size_is_refused_unread() {
    use std::os::unix::{fs::symlink, net::UnixListener};
    type Replace = fn(&Path);
    let replacements: [(&str, Replace); 4] = [
        ("it is not a file", |file| symlink("/dev/zero", file).unwrap()),
        ("it is not a file", |file| drop(UnixListener::bind(file).unwrap())),
        ("it is not a file", |file| fs::create_dir(file).unwrap()),
        ("the manifest lists", |file| fs::File::create(file).unwrap().set_len(50 << 30).unwrap()),
    ];
    let (base, input) = series();
    let (result, output) = (base.path().join("result"), base.path().join("pictures"));
    decompose(&input, &result, "--rank 4", 2).unwrap();
    for name in ["weights.parquet", "singular_values.parquet", "basis/part-00001.parquet"] {
        let file = result.join(name);
        let kept = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        for (what, replace) in replacements {
            replace(&file);
            let error = draw(&result, &output, "").expect_err(name);
            assert_eq!(error.exit_code(), 3, "{error}");
            assert!(error.to_string().starts_with(name) && error.to_string().contains(what), "{error}");
            fs::remove_file(&file).or_else(|_| fs::remove_dir(&file)).unwrap();
        }
        fs::write(&file, kept).unwrap();
    }
    draw(&result, &output, "").unwrap();
}

#[test]
fn what_cannot_be_drawn_is_one_line_that_says_why() {
    let (base, input) = series();
    let (plain, bare, centered) =
        (base.path().join("plain"), base.path().join("bare"), base.path().join("centered"));
    decompose(&input, &plain, "--rank 4", 2).unwrap();
    decompose(&input, &bare, "--emit png", 2).unwrap();
    decompose(&input, &centered, "--method dspca --rank 3", 2).unwrap();
    let (other_base, other) = series();
    fs::remove_file(other.join("0.dcm")).unwrap();
    let output = base.path().join("pictures");
    let of_other = with_scan(&other, "");
    for (result, more, code, says) in [
        (&plain, "--composite 5", 2, "--composite: 5 is more than the 4 basis vectors"),
        (&plain, "--slice 10", 2, "--slice: there is no slice 10; give 1 to 9"),
        (&plain, "--slice 0", 2, "--slice: there is no slice 0; give 1 to 9"),
        (&plain, &of_other, 3, "--input: its pixels are not those that were decomposed"),
        (&plain, "--input s3a://bucket/scan", 2, "read and written by the Spark job only"),
        (&bare, "", 3, "manifest.json: the result was made without its tables"),
        (&centered, "", 2, "--input: the result does not hold the means"),
        (&input, "", 3, "_SUCCESS: there is no such file"),
    ] {
        let error = draw(result, &output, more).expect_err(more);
        assert_eq!(error.exit_code(), code, "{error}");
        assert!(error.to_string().contains(says) && !error.to_string().contains('\n'), "{more}: {error}");
        assert!(!output.exists(), "{more}");
    }
    drop(other_base);
}

#[test]
fn pictures_are_replaced_only_on_request_and_other_files_never() {
    let (base, input) = series();
    let (result, output) = (base.path().join("result"), base.path().join("pictures"));
    decompose(&input, &result, "--rank 2", 2).unwrap();
    fs::create_dir(&output).unwrap();
    fs::write(output.join("basis.png"), b"mine").unwrap();
    fs::write(output.join("notes.txt"), b"mine").unwrap();
    assert!(matches!(draw(&result, &output, ""), Err(Error::OutputExists)));
    assert_eq!(fs::read_dir(&output).unwrap().count(), 2);
    draw(&result, &output, "--overwrite").unwrap();
    assert!(fs::read(output.join("basis.png")).unwrap() != b"mine");
    assert_eq!(fs::read(output.join("notes.txt")).unwrap(), b"mine");
}
