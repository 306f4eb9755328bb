"""Scans from Python: what is in them against pydicom and the command, result folders byte for byte, NIfTI."""

import filecmp
import json
import os
import shutil

import nibabel
import numpy as np
import pydicom
import pytest

import tomobasis
from oracle import scan as oracle_scan
from running import decompose, made_scan, secrets
from running import tomobasis as command


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    base = tmp_path_factory.mktemp("scans")
    scan, paths = made_scan(base / "scan", slices=9, rows=70, columns=80, shuffled=True)
    return base / "scan", scan, paths


def test_inspect_lists_what_the_command_lists(made):
    folder, scan, _ = made
    table = tomobasis.inspect(folder)
    listed = json.loads(command("inspect", "--json", folder).out)
    assert list(table) == listed["series"] and table.files == listed["files"]
    assert len(table) == 1 and table[0]["slices"] == 9
    frame = table.to_pandas()
    assert frame.loc[0, "rows"] == 70
    for text in (repr(table), table._repr_html_()):
        assert table[0]["id"] in text and "axial" in text
        assert not any(secret in text for secret in secrets(scan))


def test_a_scan_is_what_pydicom_reads(made):
    folder, scan, _ = made
    ours = tomobasis.read(folder)
    theirs = oracle_scan.read(folder)
    assert ours.stored.shape == (9, 70, 80) and ours.stored.dtype == np.int16
    assert np.array_equal(ours.hu.reshape(9, -1).T, theirs.hu)
    datasets = sorted((pydicom.dcmread(path) for path in folder.iterdir()), key=lambda d: d.ImagePositionPatient[2])
    assert np.array_equal(ours.origins, [[float(x) for x in d.ImagePositionPatient] for d in datasets])
    assert ours.pixel_spacing == tuple(map(float, datasets[0].PixelSpacing))
    assert np.array_equal(ours.orientation.ravel(), datasets[0].ImageOrientationPatient)
    assert ours.unit == "HU" and ours.modality == "CT" and ours.id == tomobasis.inspect(folder)[0]["id"]
    assert not any(secret in repr(ours) for secret in secrets(scan))


def test_paths_may_be_bytes_and_may_begin_with_a_hyphen(made, tmp_path, monkeypatch):
    folder, _, _ = made
    (tmp_path / "-scan").symlink_to(folder)
    monkeypatch.chdir(tmp_path)
    digest = tomobasis.read(folder).digest
    assert tomobasis.read("-scan").digest == tomobasis.read(os.fsencode(folder)).digest == digest
    found = tomobasis.decompose("-scan", b"-result", rank=1, emit=["parquet"])
    assert found.digests["pixels"] == digest and (tmp_path / "-result/manifest.json").exists()


def test_folders_may_be_uris_of_files(made, tmp_path):
    folder, _, _ = made
    found = tomobasis.decompose(folder.as_uri(), (tmp_path / "result").as_uri(), rank=1, emit=["parquet"])
    assert found.folder == tmp_path / "result" and found.V.shape == (9, 1)
    assert tomobasis.Result((tmp_path / "result").as_uri()).digest == found.digest
    several = tomobasis.decompose_all(folder, (tmp_path / "all").as_uri(), rank=1, emit=["parquet"])
    assert [found.folder.parent for found in several.values()] == [tmp_path / "all"]
    with pytest.raises(tomobasis.InputError, match="folder: s3a: is read and written by the Spark job only"):
        tomobasis.Result("s3a://bucket/result")


def test_a_flag_is_no_value_and_takes_no_other_option_for_one(made, tmp_path):
    folder, _, _ = made
    with pytest.raises(tomobasis.InputError, match="a value is required for 'rank"):
        tomobasis.decompose(folder, tmp_path / "result", rank=True, emit=["parquet"])
    with pytest.raises(tomobasis.InputError, match="progress is of the type str: give a function"):
        tomobasis.decompose(folder, tmp_path / "result", progress="yes")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rescale", [("1", "-1024"), ("2.5", "-7.25"), ("9", "-40000")], ids=" ".join)
@pytest.mark.parametrize("signed", [True, False])
def test_rescaled_values_are_those_of_pydicom(tmp_path, rescale, signed):
    bits = 12 if signed else 16
    _, paths = made_scan(tmp_path / "scan", slices=3, rows=20, columns=24, signed=signed, bits=bits)
    theirs = []
    for path in paths:
        dataset = pydicom.dcmread(path)
        dataset.RescaleSlope, dataset.RescaleIntercept = rescale
        dataset.save_as(path)
        values = dataset.pixel_array * float(rescale[0]) + float(rescale[1])
        theirs.append((dataset.ImagePositionPatient[2], values))
    ours = tomobasis.read(tmp_path / "scan", padding="keep")
    assert np.array_equal(ours.hu, [values for _, values in sorted(theirs, key=lambda one: one[0])])


def test_decompose_gives_the_bytes_of_the_command(made, tmp_path):
    folder, _, _ = made
    options = {"rank": 5, "center": "pixels", "composite": [2, 5], "emit": ["parquet", "png", "report"]}
    result = tomobasis.decompose(folder, tmp_path / "python", **options)
    run = decompose(
        *("--input", folder, "--output", tmp_path / "command", "--rank", "5", "--center", "pixels"),
        *("--composite", "2,5", "--emit", "parquet,png,report"),
    )
    assert run.code == 0, run.err
    other = tomobasis.Result(tmp_path / "command")
    assert result.digests == other.digests
    places = [one.folder / one.manifest["run"].get("folder", "") for one in (result, other)]
    names = [sorted(p.relative_to(place).as_posix() for p in place.rglob("*") if p.is_file()) for place in places]
    assert names[0] == names[1]
    # The report and the manifest tell of the run.
    same = [name for name in names[0] if name.endswith((".parquet", ".png"))]
    assert len(same) > 5 and filecmp.cmpfiles(*places, same, shallow=False)[0] == same


def test_a_result_has_its_tables_composites_pictures_and_verifies(made, tmp_path):
    folder, _, _ = made
    result = tomobasis.decompose([folder], tmp_path / "result")
    scan = tomobasis.read(folder)
    found = tomobasis.svd(scan.hu.reshape(9, -1).T)
    assert np.array_equal(result.s, found.s) and np.array_equal(result.V.T, found.Vt)
    assert np.array_equal(result.U, found.U)
    assert np.allclose(result.composite(9), scan.hu, atol=1e-6)
    with pytest.raises(tomobasis.InputError, match="outside 1 to 9"):
        result.composite(10)
    assert result.table("weights.parquet").num_rows == 9
    assert result.pictures and result.digest in result._repr_html_()
    assert "9 slices" in result._repr_html_()
    assert result.verify(folder)
    other = tmp_path / "other"
    made_scan(other, slices=9, rows=70, columns=80, seed=2)
    with pytest.raises(tomobasis.VerificationError, match="pixels") as caught:
        result.verify(other)
    assert isinstance(caught.value, RuntimeError)


def test_several_series_are_decomposed_each_into_its_folder(tmp_path):
    made_scan(tmp_path / "scans/a", slices=5, rows=30, columns=40)
    _, paths = made_scan(tmp_path / "scans/b", slices=4, rows=30, columns=50)
    uid = pydicom.uid.generate_uid()
    for path in paths:
        dataset = pydicom.dcmread(path)
        dataset.SeriesInstanceUID, dataset.SOPInstanceUID = uid, pydicom.uid.generate_uid()
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.save_as(path)
    ids = {row["slices"]: row["id"] for row in tomobasis.inspect(tmp_path / "scans")}
    results = tomobasis.decompose_all(tmp_path / "scans", tmp_path / "results", rank=3)
    assert set(results) == set(ids.values())
    for slices, name in ids.items():
        alone = tomobasis.decompose(tmp_path / "scans", tmp_path / f"alone{slices}", rank=3, series=name)
        assert results[name].digest == alone.digest and results[name].folder == tmp_path / "results" / name
    with pytest.raises(tomobasis.InputError, match=f"series {ids[4]}: rank: 5"):
        tomobasis.decompose_all(tmp_path / "scans", tmp_path / "more", [ids[5], ids[4]], rank=5)
    assert (tmp_path / "more" / ids[5] / "manifest.json").exists()
    for bad, says in [(["0000"], "no 0000"), ([], "no id"), ([ids[4], ids[4]], "twice"), (ids[4], "list of ids")]:
        with pytest.raises(tomobasis.InputError, match=says):
            tomobasis.decompose_all(tmp_path / "scans", tmp_path / "none", bad)


CENTERED = [
    {"center": "pixels"},
    {"center": "slices"},
    {"center": "both"},
    {"method": "tsqr", "center": True},
    {"method": "dspca", "rank": 9},
]


def changed(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_numbers_that_are_not_those_of_the_manifest_are_never_returned(made, tmp_path):
    folder, _, _ = made
    good = tomobasis.decompose(folder, tmp_path / "good", rank=3, center=True)
    scan = tomobasis.read(folder)
    reads = {
        "singular_values.parquet": [lambda r: r.s, lambda r: r.composite(2, scan)],
        "weights.parquet": [lambda r: r.V, lambda r: r.composite(2, scan)],
        "basis/part-00001.parquet": [lambda r: r.U, lambda r: r.composite(2, scan), lambda r: r.table("basis")],
    }
    for name, calls in reads.items():
        copy = tmp_path / "copy"
        shutil.copytree(good.folder, copy)
        # The first number, behind what begins the file and its page.
        data = (copy / name).read_bytes()
        values = {"s": good.s, "w": good.V, "b": good.U[4096:]}[name[0]]
        changed(copy / name, data.index(values.ravel()[:1].tobytes()))
        result = tomobasis.Result(copy)
        for call in [*calls, lambda r, name=name: r.table(name)]:
            with pytest.raises(tomobasis.VerificationError, match=name) as caught:
                call(result)
            assert "\n" not in str(caught.value) and str(tmp_path) not in str(caught.value)
        shutil.rmtree(copy)
    assert np.array_equal(good.table("weights.parquet").column("weights").combine_chunks().flatten(), good.V.ravel())
    for name in ("../scan", "manifest.json", "/etc/hosts", "weights", "pictures"):
        with pytest.raises(tomobasis.FileError, match=name):
            good.table(name)
    for k in (2.0, None, "2"):
        with pytest.raises(tomobasis.InputError, match="k is of the type"):
            good.composite(k)


def test_a_folder_that_is_not_finished_or_was_changed_is_no_result(made, tmp_path):
    folder, _, _ = made
    good = tomobasis.decompose(folder, tmp_path / "good", rank=2, emit="png")
    with pytest.raises(tomobasis.FileError, match="no tables"):
        _ = good.s
    shutil.copytree(good.folder, tmp_path / "changed")
    manifest = tmp_path / "changed/manifest.json"
    for old, new in [
        (good.digest, good.digest[::-1]),
        ('"rank": "2"', '"rank": "3"'),
        ('"instruction_set": "', '"instruction_set": "x'),
    ]:
        text = (good.folder / "manifest.json").read_text()
        assert old in text
        manifest.write_text(text.replace(old, new))
        with pytest.raises(tomobasis.VerificationError, match=r"manifest\.json"):
            tomobasis.Result(tmp_path / "changed")
    (good.folder / "_SUCCESS").unlink()
    with pytest.raises(tomobasis.InputError, match="_SUCCESS"):
        tomobasis.Result(good.folder)


def test_a_result_stays_the_one_that_was_opened(made, tmp_path):
    folder, _, _ = made
    first = tomobasis.decompose(folder, tmp_path / "r", rank=2, emit="parquet")
    tomobasis.decompose(folder, tmp_path / "r", rank=3, emit="parquet", overwrite=True)
    for read in (lambda: first.s, lambda: first.U, lambda: first.composite(1)):
        with pytest.raises(tomobasis.VerificationError):
            read()


def test_the_pixels_of_a_scan_are_those_of_its_digest(made):
    scan = tomobasis.read(made[0])
    with pytest.raises(ValueError, match="read-only"):
        scan.stored[0, 0, 0] = 5


@pytest.mark.parametrize("options", CENTERED, ids=lambda options: "-".join(map(str, options.values())))
def test_composites_have_the_means_that_were_removed(made, tmp_path, options):
    folder, _, _ = made
    result = tomobasis.decompose(folder, tmp_path / "result", emit="parquet", **options)
    scan = tomobasis.read(folder)
    assert np.allclose(result.composite(len(result.s), scan), scan.hu, atol=1e-6)
    first = result.composite(1, scan)
    if options.get("center") not in ("slices", "both"):
        assert np.allclose(first.mean(0), scan.hu.mean(0), atol=1e-9)
    with pytest.raises(tomobasis.InputError, match="removed"):
        result.composite(1)
    made_scan(tmp_path / "other", slices=9, rows=70, columns=80, seed=2)
    with pytest.raises(tomobasis.InputError, match="not the one that was decomposed"):
        result.composite(1, tomobasis.read(tmp_path / "other"))
    with pytest.raises(tomobasis.InputError, match="padding='air'"):
        result.composite(1, tomobasis.read(folder, padding="keep"))


def test_what_cannot_be_used_is_one_error_each(made, tmp_path):
    folder, scan, _ = made
    (tmp_path / "text").mkdir()
    (tmp_path / "text/readme.txt").write_text("no scan")
    cases = [
        (lambda: tomobasis.inspect(tmp_path / "nowhere"), tomobasis.FileError, OSError),
        (lambda: tomobasis.read(tmp_path / "nowhere"), tomobasis.FileError, OSError),
        (lambda: tomobasis.inspect(tmp_path / "text"), tomobasis.InputError, ValueError),
        (lambda: tomobasis.read(tmp_path / "text"), tomobasis.InputError, ValueError),
        (lambda: tomobasis.read(folder, series="0000"), tomobasis.InputError, ValueError),
        (lambda: tomobasis.decompose(folder, tmp_path / "r", rank=10), tomobasis.InputError, ValueError),
        (lambda: tomobasis.decompose(folder, tmp_path / "r", color="red"), tomobasis.InputError, ValueError),
        (lambda: tomobasis.decompose(folder, folder), tomobasis.InputError, ValueError),
        (lambda: tomobasis.Result(tmp_path / "nowhere"), tomobasis.FileError, OSError),
        (lambda: tomobasis.Result(tmp_path / "text"), tomobasis.InputError, ValueError),
        (lambda: tomobasis.Denoised(tmp_path / "nowhere"), tomobasis.FileError, OSError),
        (lambda: tomobasis.inspect(None), tomobasis.InputError, ValueError),
        (lambda: tomobasis.inspect([folder, 3]), tomobasis.InputError, ValueError),
        (lambda: tomobasis.decompose(folder, None), tomobasis.InputError, ValueError),
        (lambda: tomobasis.decompose(folder, tmp_path / "r", input=folder), tomobasis.InputError, ValueError),
        (lambda: tomobasis.decompose(folder, b"r\xff"), tomobasis.InputError, ValueError),
        (lambda: tomobasis.decompose_all(folder, ""), tomobasis.InputError, ValueError),
        (lambda: tomobasis.read(b"\xff"), tomobasis.InputError, ValueError),
        (lambda: tomobasis.denoise_series(folder, 3), tomobasis.InputError, ValueError),
    ]
    for call, kind, also in cases:
        with pytest.raises(kind) as caught:
            call()
        text = str(caught.value)
        # One line; below it, where one is to be chosen, the series that there are.
        below = [line for line in text.splitlines()[1:] if not line.startswith("  ")]
        assert isinstance(caught.value, also) and below == [] and "--" not in text and text
        assert not any(secret in text for secret in [*secrets(scan), str(tmp_path)])
    assert not (tmp_path / "r").exists()


def test_a_run_that_is_stopped_leaves_nothing(made, tmp_path):
    folder, _, _ = made

    def stop(stage, done, total):
        if stage == "render":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tomobasis.decompose(folder, tmp_path / "result", progress=stop, threads=1)
    assert list(tmp_path.iterdir()) == []


def test_a_nifti_image_has_each_voxel_where_the_scan_has_it(made, tmp_path):
    folder, _, _ = made
    scan = tomobasis.read(folder)
    image = scan.to_nifti(tmp_path / "scan.nii.gz")
    loaded = nibabel.load(tmp_path / "scan.nii.gz")
    assert loaded.shape == (80, 70, 9) and np.array_equal(loaded.affine, image.affine)
    assert loaded.header.get_zooms() == pytest.approx(
        (scan.pixel_spacing[1], scan.pixel_spacing[0], scan.slice_spacing)
    )
    # dcm2niix: rows from the last to the first, so that an axial scan is left, anterior, superior.
    assert nibabel.aff2axcodes(loaded.affine) == ("L", "A", "S")
    values = np.asarray(loaded.dataobj)
    for slice_, row, column in [(0, 0, 0), (8, 69, 79), (3, 5, 60)]:
        i, j, k = column, 69 - row, slice_
        assert values[i, j, k] == scan.hu[slice_, row, column]
        along_row, along_column = scan.orientation
        dicom = (
            scan.origins[slice_]
            + along_row * scan.pixel_spacing[1] * column
            + along_column * scan.pixel_spacing[0] * row
        )
        assert np.allclose(loaded.affine @ [i, j, k, 1], [-dicom[0], -dicom[1], dicom[2], 1], atol=1e-4)
    hidden = np.ma.masked_array(scan.hu, scan.hu > 0)
    for values in (np.zeros((1, 2, 3)), hidden, scan.hu > 0, scan.hu.astype(np.int64), scan.hu.astype(object)):
        with pytest.raises(tomobasis.InputError, match="values"):
            scan.to_nifti(tmp_path / "scan.nii.gz", values=values)
    for name in ("", "scan", "scan.img", "scan.txt", 3):
        with pytest.raises(tomobasis.InputError, match="path"):
            scan.to_nifti(name)
    before = (tmp_path / "scan.nii.gz").read_bytes()
    with pytest.raises(tomobasis.FileError, match="path"):
        scan.to_nifti(tmp_path / "nowhere/scan.nii")
    assert [path.name for path in tmp_path.iterdir()] == ["scan.nii.gz"]
    assert (tmp_path / "scan.nii.gz").read_bytes() == before
