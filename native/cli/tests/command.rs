//! The command as its user sees it: stdout, stderr and exit codes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tomobasis_dicom::testing::DicomFile;

fn tomobasis(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tomobasis")).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Five slices of 40 x 36 in a temporary folder.
fn series() -> (tempfile::TempDir, PathBuf) {
    let base = tempfile::tempdir().unwrap();
    let input = base.path().join("scan");
    fs::create_dir(&input).unwrap();
    for j in 0..5u32 {
        let pixels: Vec<i16> = (0..40 * 36u32).map(|i| ((i * i * (j + 3) + 17 * i) % 1901) as i16).collect();
        let file = DicomFile::ct(40, 36, &pixels).number(j + 1).position(0.0, 0.0, f64::from(j));
        fs::write(input.join(format!("{j}.dcm")), file.bytes()).unwrap();
    }
    (base, input)
}

fn utf8(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The error of a failed command: one line on stderr that begins with `error: `, nothing on stdout.
fn refusal(args: &[&str], code: i32) -> String {
    let output = tomobasis(args);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert!(output.stdout.is_empty());
    let line = stderr.trim_end();
    assert!(!line.contains('\n'), "{line}");
    line.strip_prefix("error: ").unwrap_or_else(|| panic!("{line}")).to_owned()
}

#[test]
fn a_decomposition_prints_where_to_look_and_verifies() {
    let (base, input) = series();
    let result = base.path().join("result");
    let run = tomobasis(&["decompose", "--input", utf8(&input), "--output", utf8(&result)]);
    let (stdout, stderr) = (text(&run.stdout), text(&run.stderr));
    assert_eq!(run.status.code(), Some(0), "{stderr}");
    for said in ["5 slices of 40 x 36", "s_1 = ", "s_5 = ", "root digest", "report.html"] {
        assert!(stdout.contains(said), "{said} is not in {stdout}");
    }
    for stage in ["[1/5] scan", "[2/5] decode", "[3/5] gram", "[4/5] decompose", "[5/5] render"] {
        assert!(stderr.contains(stage), "{stage} is not in {stderr}");
    }
    let root = stdout.lines().find_map(|line| line.strip_prefix("root digest  ")).unwrap().to_owned();
    let verified = tomobasis(&["verify", utf8(&result), "--input", utf8(&input)]);
    assert_eq!(verified.status.code(), Some(0), "{}", text(&verified.stderr));
    assert!(text(&verified.stdout).contains(&root));
    assert_eq!(tomobasis(&["compare", utf8(&result), utf8(&result)]).status.code(), Some(0));
}

#[test]
fn a_changed_result_exits_with_4_and_names_the_file() {
    let (base, input) = series();
    let result = base.path().join("result");
    tomobasis(&["decompose", "--input", utf8(&input), "--output", utf8(&result)]);
    let part = result.join("basis/part-00000.parquet");
    let mut bytes = fs::read(&part).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&part, bytes).unwrap();
    for args in [
        ["verify", utf8(&result), "--input", utf8(&input)].as_slice(),
        &["compare", utf8(&result), utf8(&result)],
    ] {
        let output = tomobasis(args);
        assert_eq!(output.status.code(), Some(4));
        assert!(text(&output.stderr).contains("basis/part-00000.parquet"), "{}", text(&output.stderr));
    }
}

#[test]
fn usage_errors_are_one_line_and_exit_with_2() {
    let (base, input) = series();
    let output = base.path().join("result");
    let decompose = ["decompose", "--input", utf8(&input), "--output", utf8(&output)];
    for (more, named) in [
        (["--rank", "0"], "--rank"),
        (["--rank", "6"], "--rank"),
        (["--method", "dssvd"], "--rank: dssvd needs to know how many basis vectors"),
        (["--seed", "1"], "--seed: gram uses no random numbers"),
        (["--basis", "joint"], "--basis"),
        (["--threads", "many"], "--threads"),
        (["--threads", "-1"], "'-1' for '--threads <N>'"),
    ] {
        let said = refusal(&[decompose.as_slice(), &more].concat(), 2);
        assert!(said.contains(named), "{said}");
    }
    assert!(refusal(&["decompose", "--input", utf8(&input)], 2).contains("--output"));
    assert!(refusal(&["redraw"], 2).contains("redraw"));
    assert!(refusal(&["render", utf8(&output)], 2).contains("--output"));
    let render = ["render", utf8(&output), "--output", "pictures"];
    assert!(
        refusal(&[render.as_slice(), &["--slice", "-1"]].concat(), 2).contains("'-1' for '--slice <N,...>'")
    );
    for empty in
        [&["inspect", ""][..], &["verify", "", "--input", "a"], &["compare", "a", ""], &["reference", ""]]
    {
        assert!(refusal(empty, 2).contains("a value is required for '<"), "{empty:?}");
    }
    assert!(!output.exists());
}

#[test]
fn bad_input_exits_with_3_without_naming_the_path() {
    let (base, input) = series();
    let output = base.path().join("result");
    let absent = base.path().join("DOE^JOHN");
    let said = refusal(&["decompose", "--input", utf8(&absent), "--output", utf8(&output)], 3);
    assert!(said.starts_with("--input") && !said.contains("DOE"), "{said}");
    assert!(!refusal(&["inspect", utf8(&absent)], 3).contains("DOE"));
    let said = refusal(&["verify", utf8(&input), "--input", utf8(&input)], 3);
    assert!(said.contains("_SUCCESS"), "{said}");
}

#[test]
fn render_prints_the_pictures_that_it_wrote() {
    let (base, input) = series();
    let (result, output) = (base.path().join("result"), base.path().join("pictures"));
    tomobasis(&["decompose", "--input", utf8(&input), "--output", utf8(&result)]);
    let render = ["render", utf8(&result), "--slice", "1", "--composite", "2,4", "--output", utf8(&output)];
    let run = tomobasis(&render);
    assert_eq!(run.status.code(), Some(0), "{}", text(&run.stderr));
    let told: Vec<PathBuf> = text(&run.stdout).lines().map(PathBuf::from).collect();
    let names = ["basis.png", "slice-00001/composites.png", "spectrum.png"];
    assert_eq!(told, names.map(|name| output.join(name)));
    assert!(told.iter().all(|path| fs::read(path).unwrap().starts_with(b"\x89PNG")));
    assert!(refusal(&render, 2).contains("--output: it exists already"));
    assert_eq!(tomobasis(&[render.as_slice(), &["--overwrite"]].concat()).status.code(), Some(0));
}

/// The cells of a line of the table that `inspect` prints.
fn cells(line: &str) -> Vec<&str> {
    line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()
}

#[test]
fn inspect_lists_series_as_table_and_as_json_without_patient_data() {
    let (_base, input) = series();
    for (name, mas) in [("0.dcm", "95"), ("1.dcm", "110")] {
        let file = DicomFile::ct(40, 36, &[0; 40 * 36]).number(if mas == "95" { 1 } else { 2 });
        let file = file.position(0.0, 0.0, if mas == "95" { 0.0 } else { 1.0 });
        let file = file.text((0x0018, 0x0060), "DS", "120").text((0x0018, 0x1152), "IS", mas);
        let file = file.text((0x0018, 0x1151), "IS", "200").text((0x0018, 0x1210), "SH", "B30f");
        fs::write(input.join(name), file.bytes()).unwrap();
    }
    let scout = DicomFile::ct(4, 4, &[0; 16]).number(9).text((0x0020, 0x000E), "UI", "2.25.8");
    let scout = scout.text((0x0008, 0x0008), "CS", "ORIGINAL\\PRIMARY\\LOCALIZER");
    fs::write(input.join("scout"), scout.bytes()).unwrap();
    let table = tomobasis(&["inspect", utf8(&input)]);
    let said = text(&table.stdout);
    let lines: Vec<&str> = said.lines().collect();
    let syntax = "Explicit VR Little Endian (1.2.840.10008.1.2.1)";
    assert_eq!(
        cells(lines[0]).join("|"),
        "series|no.|kind|slices|rows x columns|pixel, mm|step, mm|kernel|kVp|mA|mAs|CTDIvol, mGy|problems|\
         transfer syntax"
    );
    assert_eq!(
        cells(lines[1])[1..],
        [
            "-",
            "CT axial",
            "5",
            "40 x 36",
            "0.5 x 0.5",
            "1",
            "B30f",
            "120",
            "200",
            "95 to 110",
            "-",
            "2",
            syntax
        ]
    );
    assert_eq!(
        cells(lines[2])[1..],
        ["-", "CT axial localizer", "1", "4 x 4", "0.5 x 0.5", "-", "-", "-", "-", "-", "-", "0", syntax]
    );
    assert!(said.contains("\n  ! the slices have different kernels (Convolution Kernel)\n"), "{said}");
    assert!(said.contains("\n6 files: 6 slices, 0 not DICOM, 0 without slices, 0 broken\n"), "{said}");
    assert!(said.contains("localizer series (by Image Type) are decomposed only when"), "{said}");
    let json = tomobasis(&["inspect", utf8(&input), "--json"]);
    let parsed: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    let one = &parsed["series"][0];
    assert_eq!((&one["slices"], &one["rows"], &one["columns"]), (&5.into(), &40.into(), &36.into()));
    assert_eq!(one["exposure_mas"], serde_json::json!([95.0, 110.0]));
    assert_eq!(one["tube_current_ma"], serde_json::json!([200.0, 200.0]));
    assert!(one["ctdi_vol_mgy"].is_null());
    for output in [table, json] {
        assert!(!text(&output.stdout).contains("DOE") && !text(&output.stderr).contains("DOE"));
    }
}

#[test]
fn inspect_says_which_files_belong_to_no_series_and_why() {
    let (_base, input) = series();
    let lost = DicomFile::ct(4, 4, &[0; 16]).text((0x0020, 0x000E), "UI", "2.25.9").without((0x0020, 0x0032));
    fs::write(input.join("lost"), lost.bytes()).unwrap();
    let table = text(&tomobasis(&["inspect", utf8(&input)]).stdout).to_owned();
    assert!(table.contains("\n! file 6 of 6 (id "), "{table}");
    let json = tomobasis(&["inspect", utf8(&input), "--json"]);
    let parsed: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    let said = parsed["unusable"][0].as_str().unwrap();
    assert!(said.contains("Image Position (Patient) (0020,0032) is missing"), "{said}");
}

#[test]
fn inspect_exits_with_3_where_there_is_no_series_with_and_without_json() {
    let (_base, input) = series();
    for file in fs::read_dir(&input).unwrap() {
        fs::write(file.unwrap().path(), "no image").unwrap();
    }
    for more in [[].as_slice(), &["--json"]] {
        let output = tomobasis(&[&["inspect", utf8(&input)], more].concat());
        assert_eq!(output.status.code(), Some(3));
        assert!(text(&output.stderr).contains("none of the 5 files of the input is DICOM"));
        let parsed = serde_json::from_slice::<serde_json::Value>(&output.stdout);
        assert_eq!(parsed.is_ok_and(|json| json["files"]["not_dicom"] == 5), !more.is_empty());
    }
}

#[test]
fn help_and_version_go_to_stdout() {
    for args in [["--help"].as_slice(), &["decompose", "--help"], &["--version"]] {
        let output = tomobasis(args);
        assert_eq!(output.status.code(), Some(0));
        assert!(!output.stdout.is_empty() && output.stderr.is_empty());
    }
}

#[test]
fn what_cannot_be_printed_is_an_error() {
    let Ok(full) = std::fs::File::options().write(true).open("/dev/full") else { return };
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tomobasis"));
    let done = command.arg("--help").stdout(full).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(said.starts_with("error: ") && said.contains("standard output"), "{said}");
}
