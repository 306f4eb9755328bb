"""`tomobasis verify` and `compare`: exit 0 only when every bit is the same, else 4 and the first difference."""

import json
import os
import resource
import shutil
import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pydicom
import pytest

from oracle import result
from results import flip_last_bit, write_sealed
from running import ROOT, command, made_scan, start, tomobasis


@pytest.fixture
def copy(made, tmp_path):
    return shutil.copytree(made.result, tmp_path / "copy")


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_a_result_verifies_against_its_scan(made):
    run = tomobasis("verify", made.result, "--input", made.folder)
    assert run.code == 0, run.err
    assert "none missing, none extra" in run.out and "made again from the input, every byte the same" in run.out


@pytest.mark.spark
def test_nothing_of_a_result_of_the_job_can_be_changed_unseen(made, job, tmp_path):
    options = ("--emit", "parquet,png,report,dicom", "--composite", "2,3")
    run = job("--input", made.folder, "--output", tmp_path / "whole", *options)
    assert run.code == 0, run.err
    copy = tmp_path / "copy"

    def verified():
        return tomobasis("verify", copy, "--input", made.folder)

    def refused(named):
        run = verified()
        assert run.code == 4 and len(run.errors) == 1 and named in run.errors[0], (named, run.err)
        shutil.rmtree(copy)
        shutil.copytree(tmp_path / "whole", copy)

    shutil.copytree(tmp_path / "whole", copy)
    assert verified().code == 0, verified().err
    assert tomobasis("compare", tmp_path / "whole", copy).code == 0
    command = start([sys.executable, ROOT / "docs/recompute_digests.py", copy])
    assert command.code == 0, command.out
    for name in (
        "basis/part-00001.parquet",
        "weights.parquet",
        "singular_values.parquet",
        "pictures/composites.png",
        "report.html",
        "dicom/k=3/slice-00007.dcm",
    ):
        flip(copy / name)
        refused(name)
    (copy / "pictures/spectrum.png").unlink()
    refused("pictures/spectrum.png: it is missing")
    (copy / "dicom/k=2/slice-00099.dcm").write_bytes(b"")
    refused("dicom/k=2/slice-00099.dcm: it is not a file of the result")
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["result"]["energy"] *= 2
    write_sealed(copy, manifest)
    refused("manifest.json: result.energy is ")
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["run"]["block_partitions"] += 1
    (copy / "manifest.json").write_text(json.dumps(manifest))
    refused("manifest.json: its seal")


@pytest.mark.spark
def test_a_result_of_the_job_and_one_of_the_command_are_the_same_files(made, job, tmp_path):
    run = job("--input", made.folder, "--output", tmp_path / "job")
    assert run.code == 0, run.err
    run = tomobasis("compare", made.result, tmp_path / "job")
    assert run.code == 0 and "that both have, every byte" in run.out, run.err


def test_the_program_beside_the_format_finds_changed_files_and_a_broken_seal(made, copy):
    def differing():
        run = start([sys.executable, ROOT / "docs/recompute_digests.py", copy])
        assert run.code == 1, run.out
        return [line.split(maxsplit=2)[-1] for line in run.out.splitlines() if line.startswith("DIFFERS")]

    flip(copy / "pictures/basis.png")
    (copy / "pictures/spectrum.png").unlink()
    (copy / "notes.txt").write_text("mine")
    assert differing() == ["file notes.txt", "file pictures/basis.png", "file pictures/spectrum.png"]
    shutil.rmtree(copy)
    shutil.copytree(made.result, copy)
    path = copy / "manifest.json"
    path.write_text(path.read_text().replace('"cores": ', '"cores": 1'))
    assert differing() == ["seal"]


@pytest.mark.parametrize(("file", "column"), [("basis/part-00002.parquet", "values"), ("weights.parquet", "weights")])
def test_one_changed_bit_is_found_and_named(made, copy, file, column):
    flip_last_bit(copy / file, column)
    run = tomobasis("verify", copy, "--input", made.folder)
    assert run.code == 4, run.err
    assert len(run.errors) == 1 and file in run.errors[0]


def hexadecimal(x):
    return f"{x!r} ({x.hex()})"


def changed_number(made, copy, file, column):
    """The number of a table that `flip_last_bit` changed: its index, what it was, and what it is now."""
    was, now = (
        pq.read_table(folder / file).column(column).combine_chunks().flatten().to_numpy()
        for folder in (made.result, copy)
    )
    [at] = np.nonzero(was != now)[0]
    return int(at), float(was[at]), float(now[at])


def test_verify_names_the_first_number_that_differs_with_both_values(made, copy):
    k = json.loads((made.result / "manifest.json").read_text())["result"]["rank"]
    flip_last_bit(copy / "basis/part-00002.parquet", "values")
    at, was, now = changed_number(made, copy, "basis/part-00002.parquet", "values")
    run = tomobasis("verify", copy, "--input", made.folder)
    place = f"U[{2 * 4096 + at // k}, {at % k}] (pixel and column from 0; row {at // k} of row block 2)"
    told = f"; {place} is {hexadecimal(now)} in the result, {hexadecimal(was)} from the input"
    assert run.code == 4 and len(run.errors) == 1 and run.errors[0].endswith(told), (run.err, told)
    # V comes before U.
    flip_last_bit(copy / "weights.parquet", "weights")
    at, was, now = changed_number(made, copy, "weights.parquet", "weights")
    run = tomobasis("verify", copy, "--input", made.folder)
    told = f"; V[{at // k}, {at % k}] (slice and column from 0) is {hexadecimal(now)} in the result, {hexadecimal(was)} from"
    assert run.code == 4 and len(run.errors) == 1 and told in run.errors[0], (run.err, told)


def test_verify_says_so_where_the_bytes_of_a_table_differ_and_no_number(made, copy):
    table = pq.read_table(copy / "weights.parquet")
    pq.write_table(table, copy / "weights.parquet", compression="zstd")
    run = tomobasis("verify", copy, "--input", made.folder)
    assert run.code == 4 and run.errors[0].endswith("; every number in the tables is that of the manifest's digests")
    # Nothing was decomposed to find that out.
    assert "decompose" not in run.err, run.err


def test_nothing_is_decomposed_to_name_a_file_that_is_no_table(made, copy):
    (copy / "pictures/basis.png").unlink()
    run = tomobasis("verify", copy, "--input", made.folder)
    assert run.code == 4 and run.errors == ["error: pictures/basis.png: it is missing"], run.err
    assert "decompose" not in run.err, run.err


def test_another_scan_of_fewer_slices_is_named_as_such(made, tmp_path):
    made_scan(tmp_path / "short", slices=4)
    shutil.copytree(made.result, tmp_path / "copy")
    said = "the pixels of the input are not those that were decomposed"
    for asked in (["verify", tmp_path / "copy"], ["certify", tmp_path / "copy", "--output", tmp_path / "bundle"]):
        run = tomobasis(*asked, "--input", tmp_path / "short")
        assert run.code == 4 and run.errors == [f"error: {said}"], run.err
    run = tomobasis("render", tmp_path / "copy", "--output", tmp_path / "pictures", "--input", tmp_path / "short")
    assert run.code == 3 and run.errors[0].startswith("error: --input: its pixels are not those"), run.err
    manifest = json.loads((tmp_path / "copy/manifest.json").read_text())
    manifest["result"]["composites"][0]["k"] = 10**6
    write_sealed(tmp_path / "copy", manifest)
    run = tomobasis("verify", tmp_path / "copy", "--input", made.folder)
    assert run.code == 4 and "manifest.json: result.composites has 1000000, which is more than" in run.err, run.err


def test_compare_names_the_first_number_of_two_results_that_differ(made, tmp_path):
    scan = tmp_path / "scan"
    shutil.copytree(made.folder, scan)
    path = sorted(scan.iterdir())[3]
    dataset = pydicom.dcmread(path)
    pixels = dataset.pixel_array.copy()
    pixels[60, 80] += 1
    dataset.PixelData = pixels.tobytes()
    dataset.save_as(path)
    assert tomobasis("decompose", "--input", scan, "--output", tmp_path / "other").code == 0
    run = tomobasis("compare", made.result, tmp_path / "other", "--json")
    a, b = (result.read(folder).s[0].item() for folder in (made.result, tmp_path / "other"))
    told = f"the digest of pixels of the input; s[0] (from 0) is {hexadecimal(a)} in A, {hexadecimal(b)} in B"
    assert run.code == 4 and len(run.errors) == 1 and run.errors[0].endswith(told), (run.err, told)
    assert json.loads(run.out) == {
        "compared": "results", "same": False, "text": run.errors[0].removeprefix("error: ")
    }  # fmt: skip
    run = tomobasis("compare", made.result, made.result, "--json")
    assert run.code == 0 and json.loads(run.out)["same"] is True


def test_a_damaged_byte_in_a_part_file_is_found_and_named(made, copy):
    path = copy / "basis/part-00001.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x40
    path.write_bytes(data)
    run = tomobasis("verify", copy, "--input", made.folder)
    assert run.code == 4, run.err
    assert len(run.errors) == 1 and "basis/part-00001.parquet" in run.errors[0]


def test_a_missing_part_file_is_found_and_named(made, copy):
    (copy / "basis/part-00003.parquet").unlink()
    run = tomobasis("verify", copy, "--input", made.folder)
    assert run.code in (3, 4)
    assert len(run.errors) == 1 and "part-00003" in run.errors[0]


def test_another_scan_does_not_verify(made, tmp_path):
    made_scan(tmp_path / "scan", seed=2)
    run = tomobasis("verify", made.result, "--input", tmp_path / "scan")
    assert run.code == 4
    assert len(run.errors) == 1


def test_two_results_compare(made, copy):
    assert tomobasis("compare", made.result, copy).code == 0
    flip_last_bit(copy / "basis/part-00000.parquet", "values")
    run = tomobasis("compare", made.result, copy)
    assert run.code == 4
    assert "basis/part-00000.parquet" in run.errors[0]


def test_a_result_whose_files_are_in_a_folder_of_its_run_is_read_there(made, copy, tmp_path):
    """As a job leaves it on an object store where it was not the first in the folder."""
    place = copy / "run-3f2a9c01-77aa12bc"
    place.mkdir()
    for path in copy.iterdir():
        if path.name not in ("manifest.json", "_SUCCESS", place.name):
            path.rename(place / path.name)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["run"]["folder"] = place.name
    write_sealed(copy, manifest)
    verified = tomobasis("verify", copy, "--input", made.folder)
    assert verified.code == 0 and "not looked at" not in verified.out, verified.err
    (copy / "basis").mkdir()
    (copy / "basis/part-00000.parquet").write_bytes(b"of an attempt that was taken over")
    verified = tomobasis("verify", copy, "--input", made.folder)
    assert verified.code == 0 and "not looked at 1 beside the result" in verified.out, verified.err
    shutil.rmtree(copy / "basis")
    assert tomobasis("compare", made.result, copy).code == 0
    assert tomobasis("render", copy, "--output", tmp_path / "pictures").code == 0
    recomputed = start([sys.executable, ROOT / "docs/recompute_digests.py", copy])
    assert recomputed.code == 0, recomputed.out
    manifest["run"]["folder"] = "run-../elsewhere"
    (copy / "manifest.json").write_text(json.dumps(manifest))
    refused = tomobasis("verify", copy, "--input", made.folder)
    assert refused.code == 3, refused.err
    assert len(refused.errors) == 1 and "manifest.json" in refused.errors[0]


def test_what_is_no_file_of_a_manifests_size_is_refused_at_once(made, copy, tmp_path):
    path = copy / "manifest.json"
    for place in ("fifo", "sparse", "endless"):
        path.unlink()
        if place == "fifo":
            os.mkfifo(path)
        elif place == "endless":
            path.symlink_to("/dev/zero")
        else:
            with path.open("wb") as sparse:
                sparse.truncate(20 << 30)
        for arguments in (
            ("verify", copy, "--input", made.folder),
            ("compare", made.result, copy),
            ("render", copy, "--output", tmp_path / "pictures"),
        ):
            run = tomobasis(*arguments)
            assert run.code == 3 and len(run.errors) == 1 and "manifest.json" in run.errors[0], (place, run.err)
        run = tomobasis("decompose", "--input", made.folder, "--output", copy, "--overwrite")
        assert run.code == 2 and "is not a result folder" in run.err, run.err


def test_a_disk_that_fails_is_a_failure_of_the_run_and_no_damage(made, copy, tmp_path):
    """/proc/self/mem is a file whose first byte cannot be read: EIO."""

    def failed(name, *commands):
        for arguments in commands:
            run = tomobasis(*arguments)
            assert run.code == 1 and len(run.errors) == 1, (name, arguments[0], run.err)
            assert f"{name}: cannot be read (Input/output error" in run.errors[0] or arguments[0] == "decompose", (
                run.err
            )
            assert "check the disk" in run.errors[0], run.err

    verify = ("verify", copy, "--input", made.folder)
    compare = ("compare", made.result, copy)
    render = ("render", copy, "--output", tmp_path / "pictures")
    path = copy / "manifest.json"
    manifest = json.loads(path.read_text())
    path.unlink()
    path.symlink_to("/proc/self/mem")
    overwrite = ("decompose", "--input", made.folder, "--output", copy, "--overwrite")
    failed("manifest.json", verify, compare, render, overwrite)
    assert path.is_symlink()
    path.unlink()
    for name, commands in (("singular_values.parquet", (verify, compare, render)), ("report.html", (verify, compare))):
        (copy / name).unlink()
        (copy / name).symlink_to("/proc/self/mem")
        changed = json.loads(json.dumps(manifest))
        listed = [*changed["files"], changed["run"]["report"]]
        next(file for file in listed if file["path"] == name)["bytes"] = 0  # as the system says
        write_sealed(copy, changed)
        failed(name, *commands)
        (copy / name).unlink()
        shutil.copy(made.result / name, copy / name)


def test_too_few_open_files_are_a_failure_of_the_run_and_no_damage(made, tmp_path):
    for files in range(4, 9):
        for arguments in (
            ("compare", made.result, made.result),
            ("render", made.result, "--output", tmp_path / f"{files}"),
        ):
            run = subprocess.run(
                [command(), *arguments, "--threads", "4"],
                preexec_fn=lambda files=files: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files)),
                capture_output=True,
                text=True,
            )
            assert run.returncode in (0, 1), (files, arguments[0], run.stderr)
            if run.returncode == 1:
                errors = [line for line in run.stderr.splitlines() if line.startswith("error: ")]
                assert len(errors) == 1 and "ulimit -n" in errors[0], run.stderr


def test_a_forged_manifest_is_damage_and_no_wrong_option(made, copy, tmp_path):
    manifest = json.loads((copy / "manifest.json").read_text())
    for section, key in (
        ("parameters", "shown_slice"),
        ("series", "slices"),
        ("result", "columns"),
        ("series", "rows"),
    ):
        changed = json.loads(json.dumps(manifest))
        changed[section][key] = 2**40
        for write in (write_sealed, lambda folder, m: (folder / "manifest.json").write_text(json.dumps(m))):
            write(copy, changed)
            run = tomobasis("render", copy, "--output", tmp_path / "pictures")
            assert run.code == 3 and len(run.errors) == 1 and "manifest.json" in run.errors[0], (key, run.err)


def test_names_of_strange_files_forge_no_lines(made, copy):
    (copy / "a\nerror: forged").write_text("")
    run = tomobasis("verify", copy, "--input", made.folder)
    assert run.code == 4 and len(run.errors) == 1, run.err
    assert "a\\u{a}error: forged: it is not a file of the result" in run.errors[0]
    (copy / "a\nerror: forged").unlink()
    (copy / "_SUCCESS").write_text("more")
    run = tomobasis("verify", copy, "--input", made.folder)
    assert run.code == 4 and "_SUCCESS: it is not empty" in run.err
