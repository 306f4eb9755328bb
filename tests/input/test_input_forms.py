"""The same scan however it lies there: as an archive, as one multi-frame file, between hidden files and links, with a damaged
slice. Digests are those of the plain folder."""

import json
import shutil
import subprocess
import tarfile
import zipfile

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import EnhancedCTImageStorage

from oracle import result
from running import decompose, made_scan, submit, tomobasis

WAYS = [decompose, pytest.param(submit, marks=pytest.mark.spark)]
ways = pytest.mark.parametrize("way", WAYS, ids=["command", "job"])
GRID = (24, 40, 48)


def manifest(way, folder, out, *options):
    run = way("--input", folder, "--output", out, "--emit", "parquet", *options)
    assert run.code == 0, run.err
    return result.read(out).manifest


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    base = tmp_path_factory.mktemp("plain")
    paths = made_scan(base / "scan", *GRID)[1]
    return base / "scan", paths, manifest(decompose, base / "scan", base / "result")["digests"]


def zipped(folder, target, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(target, "w", method) as archive:
        for path in folder.iterdir():
            archive.write(path, f"scan/{path.name}")


def zipped_as_they_are(folder, target):
    zipped(folder, target, zipfile.ZIP_STORED)


def tarred(folder, target, mode="w"):
    with tarfile.open(target, mode) as archive:
        archive.add(folder, "scan")


def tarred_and_zipped(folder, target):
    tarred(folder, target, "w:gz")


PACKS = [zipped, zipped_as_they_are, tarred, tarred_and_zipped]
packs = pytest.mark.parametrize("pack", PACKS, ids=lambda f: f.__name__.replace("_", " "))


@ways
@packs
def test_an_archive_is_the_folder_that_is_in_it(scan, pack, way, tmp_path):
    folder, _, digests = scan
    pack(folder, tmp_path / "archive")
    assert manifest(way, tmp_path / "archive", tmp_path / "result")["digests"] == digests
    if way == decompose:
        listed = json.loads(tomobasis("inspect", "--json", tmp_path / "archive").out)
        assert [series["slices"] for series in listed["series"]] == [GRID[0]]


@packs
def test_composites_of_an_archive_are_those_of_its_folder(scan, pack, tmp_path):
    pack(scan[0], tmp_path / "archive")
    for name in ("plain", "packed"):
        source = scan[0] if name == "plain" else tmp_path / "archive"
        run = decompose("--input", source, "--output", tmp_path / name, "--emit", "dicom", "--composite", "2,5")
        assert run.code == 0, run.err
    files = [sorted((tmp_path / name).glob("dicom/*/*.dcm")) for name in ("plain", "packed")]
    assert len(files[0]) == 2 * GRID[0]
    assert [path.read_bytes() for path in files[0]] == [path.read_bytes() for path in files[1]]


def with_system_tools(script):
    """A pack by a shell script that has $1, the folder of the scan, and $2, what to make."""

    def pack(folder, target):
        if "gzip" not in script and "zip " in script and shutil.which("zip") is None:
            pytest.skip("zip is not here")
        subprocess.run(["bash", "-euc", script, "bash", folder, target], check=True)

    return pack


ODD_PACKS = {
    "tar.gz padded with zeros": "tar -C $1 -cz . > $2; head -c 10240 /dev/zero >> $2",
    "tar.gz in blocks": "tar -C $1 -c . | gzip | dd of=$2 bs=10k conv=sync status=none",
    "tar.gz of several members": 'cd $1; tar -c . | split -b 20000 --filter "gzip -c" - >> $2',
    "zip that unpacks itself": "cd $1; zip -qr $2.zip .; (cat /bin/true; cat $2.zip) > $2",
    "zip behind a script, adjusted": "cd $1; zip -qr $2.zip .; (echo exit; cat $2.zip) > $2; mv $2 $2.zip; zip -qA $2.zip; mv $2.zip $2",
    "zip with a comment": 'cd $1; zip -qr $2.zip .; (echo a; echo "PK said so") | zip -qz $2.zip; mv $2.zip $2',
    "zip from a pipe": "cd $1; zip -qr - . | cat > $2",
    "zip64": "cd $1; zip -qr -fz $2.zip .; mv $2.zip $2",
    "two tars, by tar -A": "cd $1; ls > $2.l; head -9 $2.l | tar -cT - -f $2; tail -n +10 $2.l | tar -cT - -f $2.b; tar -Af $2 $2.b",
    "two tars, by cat": "cd $1; ls > $2.l; (head -9 $2.l | tar -cT -; tail -n +10 $2.l | tar -cT -) > $2",
    "tar of long paths": """cd $1; d=$(printf "%0200d/" 1 2 3 4 5); mkdir -p $2.d/$d; cp * $2.d/$d
        tar --format=pax -C $2.d -cf $2 .""",
    "tar of hard links": "cp -r $1 $2.d; mkdir $2.d/0; cd $2.d; for f in *.dcm; do ln $f 0/; done; tar -cf $2 .; rm -r $2.d",
}


@pytest.mark.parametrize("pack", ODD_PACKS)
def test_odd_archives_that_system_tools_make_and_read_are_read(scan, pack, tmp_path):
    folder, _, digests = scan
    with_system_tools(ODD_PACKS[pack])(folder, tmp_path / "archive")
    assert manifest(decompose, tmp_path / "archive", tmp_path / "result")["digests"] == digests


@pytest.mark.spark
def test_the_job_reads_padded_streams_and_zips_behind_programs(scan, tmp_path):
    for pack in ("tar.gz padded with zeros", "zip that unpacks itself"):
        with_system_tools(ODD_PACKS[pack])(scan[0], tmp_path / pack.replace(" ", "-"))
        found = manifest(submit, tmp_path / pack.replace(" ", "-"), tmp_path / f"result of {pack}")
        assert found["digests"] == scan[2], pack


@ways
def test_a_hard_link_to_a_slice_outside_the_tar_stops_the_series(scan, way, tmp_path):
    shutil.copytree(scan[0], tmp_path / "scan")
    first = sorted((tmp_path / "scan").iterdir())[0]
    (tmp_path / "scan/a").hardlink_to(first)
    with tarfile.open(tmp_path / "all.tar", "w") as archive:
        archive.add(tmp_path / "scan", "scan")
    with tarfile.open(tmp_path / "all.tar") as archive:
        (target,) = [entry.linkname for entry in archive if entry.islnk()]
    subprocess.run(["tar", "--delete", "-f", tmp_path / "all.tar", target], check=True)
    run = way("--input", tmp_path / "all.tar", "--output", tmp_path / "result")
    assert run.code == 3 and "hard link to a file that is not in the archive" in run.errors[0], run.err


def cut(data):
    return data[: len(data) // 2]


def changed(data):
    """Another byte in the middle: of a slice's pixels."""
    return data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 4]) + data[len(data) // 2 + 1 :]


DAMAGES = [
    (zipped, cut), (zipped, changed), (zipped_as_they_are, changed), (tarred, cut),
    (tarred_and_zipped, cut), (tarred_and_zipped, changed),
]  # fmt: skip


@pytest.mark.spark
@pytest.mark.parametrize(("pack", "damage"), DAMAGES, ids=lambda f: f.__name__.replace("_", " "))
def test_a_damaged_archive_is_one_error_the_same_both_ways(scan, pack, damage, tmp_path):
    archive = tmp_path / "archive"
    pack(scan[0], archive)
    archive.write_bytes(damage(archive.read_bytes()))
    said = []
    for way in (decompose, submit):
        run = way("--input", archive, "--output", tmp_path / "result")
        assert run.code == 3 and len(run.errors) == 1, run.err
        assert not (tmp_path / "result").exists()
        said += run.errors
    # A directory that is there tells which file it is.
    of_file = damage is changed and pack in (zipped, zipped_as_they_are)
    assert said[0] == said[1], said
    assert (
        ("it is damaged in the archive" in said[0] and "file " in said[0])
        if of_file
        else ("--input: the archive is damaged" in said[0])
    )


@ways
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_damaged_file_that_is_no_slice_is_counted_and_the_scan_decomposed(scan, way, method, tmp_path):
    folder, _, digests = scan
    with zipfile.ZipFile(tmp_path / "zip", "w", method) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, path.name)
        archive.writestr("notes.txt", "of no interest " * 20)
        at = archive.getinfo("notes.txt").header_offset + 30 + len("notes.txt") + 4
    data = bytearray((tmp_path / "zip").read_bytes())
    data[at] ^= 0xFF
    (tmp_path / "zip").write_bytes(data)
    found = manifest(way, tmp_path / "zip", tmp_path / "result")
    assert found["digests"] == digests
    assert any("1 damaged file of an archive" in note["text"] for note in found["series"]["left_out"])


@ways
def test_hidden_files_and_links_change_nothing(scan, way, tmp_path):
    _, paths, digests = scan
    (tmp_path / "scan/.git").mkdir(parents=True)
    (tmp_path / "scan/.DS_Store").write_bytes(bytes(6148))
    (tmp_path / "scan/.git/config").write_text("[core]")
    (tmp_path / "scan/nowhere").symlink_to("absent")
    for path in paths:
        shutil.copy(path, tmp_path / "scan" / f".{path.name}") if path == paths[0] else (
            tmp_path / "scan" / path.name
        ).symlink_to(path)
        (tmp_path / "scan" / f"._{path.name}").write_bytes(b"\0\5\x16\7" + bytes(4092))
    assert manifest(way, tmp_path / "scan", tmp_path / "result")["digests"] == digests


def enhanced(paths, target):
    """One Enhanced CT instance with the slices as frames, the last first."""
    slices = [pydicom.dcmread(path) for path in reversed(paths)]
    whole, pixels = slices[0], np.stack([d.pixel_array for d in slices])
    per_frame = []
    for d in slices:
        frame, position, rescale = Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = d.ImagePositionPatient
        rescale.RescaleIntercept, rescale.RescaleSlope, rescale.RescaleType = d.RescaleIntercept, d.RescaleSlope, "HU"
        frame.PlanePositionSequence, frame.PixelValueTransformationSequence = Sequence([position]), Sequence([rescale])
        per_frame.append(frame)
    shared, orientation, measures = Dataset(), Dataset(), Dataset()
    orientation.ImageOrientationPatient, measures.PixelSpacing = whole.ImageOrientationPatient, whole.PixelSpacing
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = Sequence([orientation]), Sequence([measures])
    whole.SharedFunctionalGroupsSequence = Sequence([shared])
    whole.PerFrameFunctionalGroupsSequence = Sequence(per_frame)
    whole.NumberOfFrames = len(slices)
    whole.PixelData = pixels.tobytes()
    whole.SOPClassUID = whole.file_meta.MediaStorageSOPClassUID = EnhancedCTImageStorage
    for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleIntercept", "RescaleSlope"):
        delattr(whole, name)
    whole.save_as(target)


@ways
def test_a_multi_frame_file_is_the_scan_of_its_frames(scan, way, tmp_path):
    _, paths, digests = scan
    (tmp_path / "scan").mkdir()
    enhanced(paths, tmp_path / "scan/all")
    found = manifest(way, tmp_path / "scan", tmp_path / "result")["digests"]
    assert {**found, "instances": digests["instances"]} == digests


@ways
def test_a_slice_that_cannot_be_decoded_is_skipped_when_asked(scan, way, tmp_path):
    _, paths, _ = scan
    for folder in ("damaged", "without"):
        shutil.copytree(scan[0], tmp_path / folder)
    (tmp_path / "without" / paths[7].name).unlink()
    dataset = pydicom.dcmread(paths[7])
    dataset.compress(pydicom.uid.RLELossless, generate_instance_uid=False)
    # The header stays as it is; the number of segments does not.
    dataset.PixelData = dataset.PixelData.replace(b"\2\0\0\0\x40\0\0\0", b"\3\0\0\0\x40\0\0\0")
    dataset.save_as(tmp_path / "damaged" / paths[7].name)
    run = way("--input", tmp_path / "damaged", "--output", tmp_path / "result")
    assert run.code == 3 and f"of {GRID[0]} (id " in run.errors[0], run.err
    found = manifest(way, tmp_path / "damaged", tmp_path / "result", "--on-bad-slice", "skip")
    expected = manifest(decompose, tmp_path / "without", tmp_path / "expected")
    assert found["digests"] == expected["digests"]
    assert [note["kind"] for note in found["series"]["left_out"]] == ["skipped"]
    verify = tomobasis("verify", tmp_path / "result", "--input", tmp_path / "damaged", "--on-bad-slice", "skip")
    assert verify.code == 0, verify.err
