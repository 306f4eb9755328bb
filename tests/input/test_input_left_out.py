"""What lies beside a scan and what a scan lies in: names of any bytes, special files, links, archives as others write them. Digests are those
of the plain folder; what is not read is reported and counted, and stops nothing but what it may belong to."""

import gzip
import io
import json
import os
import shutil
import socket
import subprocess
import tarfile
import unicodedata
import zipfile

import numpy as np
import pydicom
import pytest
from PIL import Image

from limited import limited
from oracle import result
from results import same
from running import ROOT, SHARED, decompose, made_scan, start, submit, tomobasis

WAYS = [decompose, pytest.param(submit, marks=pytest.mark.spark)]
ways = pytest.mark.parametrize("way", WAYS, ids=["command", "job"])
GRID = (8, 24, 32)


def both_ways(name, values, in_the_job):
    """Each value for the command; those that the job reads by code of its own for the job too."""
    cases = [(decompose, value) for value in values]
    cases += [pytest.param(submit, value, marks=pytest.mark.spark) for value in in_the_job]
    return pytest.mark.parametrize(("way", name), cases, ids=lambda one: getattr(one, "__name__", one))


def manifest(run, out):
    assert run.code == 0, run.err
    return result.read(out).manifest


def reads(way, source, out, *options):
    return manifest(way("--input", source, "--output", out, "--emit", "parquet", *options), out)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    base = tmp_path_factory.mktemp("plain")
    paths = made_scan(base / "scan", *GRID)[1]
    return base / "scan", paths, reads(decompose, base / "scan", base / "result")["digests"]


def not_read(found):
    return [note["text"] for note in found["series"]["left_out"] if note["kind"] == "not-read"]


def latin1(folder, paths):
    """The last files, and those in a folder, with names that are no UTF-8."""
    inner = os.fsencode(folder) + b"/f\xe9"
    os.mkdir(inner)
    for path in paths[:3]:
        path.rename(os.fsdecode(inner + b"/" + os.fsencode(path.name)))
    for path in paths[-3:]:
        path.rename(os.fsdecode(os.fsencode(folder) + b"/\xff" + os.fsencode(path.name)))


def copied(plain, folder):
    shutil.copytree(plain[0], folder)
    return [folder / path.name for path in plain[1]]


@both_ways("locale", ["C.UTF-8"], ["C", "C.UTF-8"])
def test_files_and_folders_of_any_name_are_read(plain, way, locale, tmp_path, monkeypatch):
    monkeypatch.setenv("LC_ALL", locale)
    latin1(tmp_path / "scan", copied(plain, tmp_path / "scan"))
    (tmp_path / "scan/\u00e9\U0001f600").write_bytes(b"a text")
    found = reads(way, tmp_path / "scan", tmp_path / "result")
    assert found["digests"] == plain[2]


def strays(folder):
    """Everything that is no readable file."""
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "socket"))
    (folder / "nowhere").symlink_to("absent")
    (folder / "itself").symlink_to("itself")
    (folder / "deep").mkdir()
    (folder / "deep/up").symlink_to(folder, target_is_directory=True)


@ways
def test_special_files_and_links_are_said_and_stop_nothing(plain, way, tmp_path):
    copied(plain, tmp_path / "scan")
    strays(tmp_path / "scan")
    found = reads(way, tmp_path / "scan", tmp_path / "result")
    assert found["digests"] == plain[2]
    said = "2 links that lead nowhere, 1 link to a listed folder, 2 special files"
    assert not_read(found) == [f"5 files not read ({said})"]
    if way is decompose:
        assert said in tomobasis("inspect", tmp_path / "scan").out
        assert json.loads(tomobasis("inspect", "--json", tmp_path / "scan").out)["files"]["not_read"] == 5


@ways
def test_a_link_to_nothing_among_the_slices_is_an_error_that_names_it(plain, way, tmp_path):
    paths = copied(plain, tmp_path / "scan")
    paths[3].unlink()
    paths[3].symlink_to("absent")
    run = way("--input", tmp_path / "scan", "--output", tmp_path / "result")
    assert run.code == 3 and len(run.errors) == 1, run.err
    assert "it may be a slice of the series, but it is a link that leads nowhere" in run.errors[0]


def tool(name):
    if not shutil.which(name):
        pytest.skip(f"{name} is not here")
    return name


def tar(*options):
    def pack(folder, target):
        subprocess.run([tool("tar"), *options, "-cf", target, "-C", folder.parent, folder.name], check=True)

    pack.__name__ = "tar " + " ".join(options)
    return pack


def tar_of_links(folder, target):
    """Half of the files as symbolic links into a pool, a quarter as hard links, behind it."""
    with tarfile.open(target, "w") as archive:
        for i, path in enumerate(sorted(folder.iterdir())):
            info = archive.gettarinfo(path, f"pool/{i}")
            with path.open("rb") as file:
                archive.addfile(info, file)
            if i % 2:
                link = tarfile.TarInfo(f"scan/{path.name}")
                link.type = tarfile.LNKTYPE if i % 4 == 1 else tarfile.SYMTYPE
                link.linkname = f"pool/{i}" if i % 4 == 1 else f"../pool/{i}"
                archive.addfile(link)


def zip_stored_with_links(folder, target):
    with zipfile.ZipFile(target, "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"scan/{path.name}")
        link = zipfile.ZipInfo("scan/link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, sorted(folder.iterdir())[0].name)


def zip64(folder, target):
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in folder.iterdir():
            with archive.open(path.name, "w", force_zip64=True) as file:
                file.write(path.read_bytes())


def streamed_zip(folder, target):
    """Sizes and checksums behind the files, in data descriptors."""
    with target.open("wb") as out:
        subprocess.run([tool("zip"), "-q", "-r", "-", folder.name], cwd=folder.parent, stdout=out, check=True)


def gzip_members_with_zeros_between(folder, target):
    """As tapes and some writers of blocks leave it."""
    with tarfile.open(target.with_suffix(".tar"), "w") as archive:
        archive.add(folder, "scan")
    data = target.with_suffix(".tar").read_bytes()
    third = len(data) // 3
    parts = [gzip.compress(data[i : i + third]) for i in range(0, len(data), third)]
    target.write_bytes(bytes(300_000).join(parts) + bytes(512))


FORMATS = ["v7", "ustar", "oldgnu", "gnu", "posix"]
OLD_SPARSE = tar("--format=oldgnu", "--sparse")
PAX_SPARSE_GZ = tar("--format=posix", "--sparse", "-z")
PACKS = [
    *(tar(f"--format={name}") for name in FORMATS),
    OLD_SPARSE,
    *(tar("--format=posix", "--sparse", f"--sparse-version={version}") for version in ("0.0", "0.1", "1.0")),
    PAX_SPARSE_GZ,
    tar("--format=oldgnu", "--sparse", "-z"),
    tar_of_links,
    zip_stored_with_links,
    zip64,
    streamed_zip,
    gzip_members_with_zeros_between,
]


def holes(folder):
    """Each slice with a hole in its private attributes, so that tar --sparse has something to leave out."""
    for path in folder.iterdir():
        data = path.read_bytes()
        at = data.index(b"\x28\x00\x02\x00US")
        element = b"\x09\x00\x01\x10OB\0\0" + (1 << 20).to_bytes(4, "little")
        with path.open("wb") as file:
            file.write(data[:at] + element)
            file.seek(1 << 20, os.SEEK_CUR)
            file.write(data[at:])


@both_ways(
    "pack", PACKS, [OLD_SPARSE, PAX_SPARSE_GZ, tar_of_links, zip_stored_with_links, gzip_members_with_zeros_between]
)
def test_an_archive_as_other_tools_write_it_is_its_folder(plain, pack, way, tmp_path):
    copied(plain, tmp_path / "scan")
    if "sparse" in pack.__name__:
        holes(tmp_path / "scan")
    pack(tmp_path / "scan", tmp_path / "archive")
    found = reads(way, tmp_path / "archive", tmp_path / "result")
    assert found["digests"] == plain[2]
    assert not_read(found) == []


@ways
def test_a_tar_with_strays_is_its_folder(plain, way, tmp_path):
    copied(plain, tmp_path / "scan")
    strays(tmp_path / "scan")
    (tmp_path / "scan/socket").unlink()
    tar()(tmp_path / "scan", tmp_path / "archive")
    found = reads(way, tmp_path / "archive", tmp_path / "result")
    assert found["digests"] == plain[2]
    # The link up leads to an absolute path, which is out of the archive.
    assert not_read(found) == ["4 files not read (3 links that lead nowhere, 1 special file)"]


@ways
def test_an_encrypted_text_in_a_zip_is_said_and_an_encrypted_slice_stops_it(plain, way, tmp_path):
    for name in ("readme", sorted(path.name for path in plain[1])[2]):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for path in plain[0].iterdir():
                archive.write(path, path.name)
            archive.writestr("readme", "a text")
        data = bytearray((tmp_path / name).read_bytes())
        entry = data.rindex(name.encode()) - 46
        data[entry + 8] |= 1
        (tmp_path / name).write_bytes(data)
        run = way("--input", tmp_path / name, "--output", tmp_path / f"{name}.result", "--emit", "parquet")
        if name == "readme":
            found = manifest(run, tmp_path / f"{name}.result")
            assert found["digests"] == plain[2] and not_read(found) == ["1 file not read (1 encrypted file)"]
        else:
            assert run.code == 3 and "may be a slice of the series, but it is encrypted" in run.errors[0], run.err


@both_ways("suffix", ["bz2", "xz", "zst"], ["xz"])
def test_packed_formats_that_are_not_read_are_named(plain, way, suffix, tmp_path):
    names = {"bz2": "bzip2", "xz": "xz", "zst": "zstd"}
    program = tool(names[suffix])
    tar()(plain[0], tmp_path / "scan.tar")
    subprocess.run([program, "-q", tmp_path / "scan.tar"], check=True)
    run = way("--input", tmp_path / f"scan.tar.{suffix}", "--output", tmp_path / "result")
    assert run.code == 3 and f"its format is {names[suffix]}, which is not read" in run.errors[0], run.err


@ways
def test_one_slice_in_a_gzip_stream_is_the_slice(plain, way, tmp_path):
    (tmp_path / "one.dcm.gz").write_bytes(gzip.compress(plain[1][0].read_bytes()))
    expected = reads(decompose, plain[1][0], tmp_path / "expected")
    assert reads(way, tmp_path / "one.dcm.gz", tmp_path / "result")["digests"] == expected["digests"]


def test_a_folder_of_packed_files_is_refused_with_their_formats(plain, tmp_path):
    (tmp_path / "scan").mkdir()
    for path in plain[1]:
        (tmp_path / "scan" / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    run = tomobasis("inspect", tmp_path / "scan")
    assert run.code == 3 and f"some are packed ({GRID[0]} x gzip)" in run.errors[0], run.err


@ways
def test_the_case_with_latin_1_names_has_all_its_slices(way, tmp_path):
    case = SHARED / "cases/latin1_ends.tar"
    if not case.is_file():
        pytest.skip("the case is not beside this checkout (TOMOBASIS_SHARED names another place)")
    subprocess.run(["tar", "-xf", case, "-C", tmp_path], check=True)
    right = np.load(case.with_suffix(".npy"))
    unpacked = next(path for path in tmp_path.iterdir() if path.is_dir())
    digests = [reads(way, source, tmp_path / f"result{i}")["digests"] for i, source in enumerate((case, unpacked))]
    assert digests[0] == digests[1]
    s = result.read(tmp_path / "result0").s
    assert len(s) == np.linalg.matrix_rank(right.astype(float)) and right.shape[1] == 12
    np.testing.assert_allclose(s, np.linalg.svd(right.astype(float), compute_uv=False)[: len(s)], rtol=1e-9)


@both_ways("form", ["strays", "tar", "zip", "tar.gz"], ["strays", "tar"])
def test_a_scanner_folder_in_any_form_has_its_digests(shared, way, form, tmp_path):
    folder = shared("philips_tilt_S21610")
    expected = reads(decompose, folder, tmp_path / "expected")["digests"]
    shutil.copytree(folder, tmp_path / "scan")
    # Shared data may be read-only, and a copy of a folder has its mode.
    (tmp_path / "scan").chmod(0o755)
    strays(tmp_path / "scan")
    shutil.copy(next(path for path in sorted(folder.rglob("*")) if path.is_file()), tmp_path / "scan/copy")
    source = tmp_path / "scan"
    if form == "zip":
        source = tmp_path / "archive"
        zip_stored_with_links(folder, source)
    elif form != "strays":
        (source / "socket").unlink()
        tar(*(["-z"] if form.endswith("gz") else []))(source, tmp_path / "archive")
        source = tmp_path / "archive"
    assert reads(way, source, tmp_path / "result")["digests"] == expected


def with_long_elements(path, length=20 << 20):
    """Two elements before the pixels, as holes."""
    data = path.read_bytes()
    at = data.index(b"\x28\x00\x02\x00US")
    with path.open("wb") as file:
        file.write(data[:at])
        for element in (b"\x09\x00\x01\x10OB\0\0", b"\x09\x00\x02\x10OB\0\0"):
            file.write(element + length.to_bytes(4, "little"))
            file.seek(length, os.SEEK_CUR)
        file.write(data[at:])


def with_elements_of_4_gb(path):
    with_long_elements(path, 0xFFFFFF00)


def with_long_tail(path):
    os.truncate(path, 100 << 30)


@pytest.mark.parametrize("change", [with_long_elements, with_long_tail], ids=lambda f: f.__name__.replace("_", " "))
def test_sparse_files_take_no_memory_for_what_they_claim(plain, change, tmp_path):
    for path in copied(plain, tmp_path / "scan"):
        change(path)
    run = limited("decompose", "--input", tmp_path / "scan", "--output", tmp_path / "result", "--emit", "parquet")
    assert manifest(run, tmp_path / "result")["digests"] == plain[2]


def test_pixels_behind_elements_of_4_gb_are_refused_before_they_are_read(plain, tmp_path):
    for path in copied(plain, tmp_path / "scan"):
        with_elements_of_4_gb(path)
    run = limited("decompose", "--input", tmp_path / "scan", "--output", tmp_path / "result")
    assert run.code == 3 and "its pixel data begins at byte 85899" in run.errors[0], run.err
    assert [path.name for path in tmp_path.iterdir()] == ["scan"]


def as_rle(dataset, size):
    dataset.compress(pydicom.uid.RLELossless, generate_instance_uid=False)


def as_jpeg(dataset, size):
    """A JPEG of a few hundred bytes whose start of frame claims this many rows and columns, as the header does."""
    image = io.BytesIO()
    Image.new("L", (16, 16)).save(image, "JPEG")
    data = bytearray(image.getvalue())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = size.to_bytes(2, "big") * 2
    assert len(data) < 2000
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.JPEGBaseline8Bit
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PixelData = pydicom.encaps.encapsulate([bytes(data)])
    dataset["PixelData"].is_undefined_length = True


@pytest.mark.parametrize("pack", [as_rle, as_jpeg])
@pytest.mark.parametrize(
    ("size", "code", "says"),
    [
        (46_000, 1, ["the 2 slices of 46000 x 46000 pixels need ", "GB of memory (k = 2, ", "tomobasis-submit"]),
        (65_535, 3, ["its slices have 65535 x 65535 pixels; slices of at most 2147483647 pixels are read"]),
    ],
)
def test_a_scan_larger_than_memory_is_one_error_that_says_how_much_it_needs(pack, size, code, says, tmp_path):
    for path in made_scan(tmp_path / "scan", 2, 16, 16)[1]:
        dataset = pydicom.dcmread(path)
        pack(dataset, size)
        dataset.Rows = dataset.Columns = size
        dataset.save_as(path)
    run = limited("decompose", "--input", tmp_path / "scan", "--output", tmp_path / "result")
    assert run.code == code and len(run.errors) == 1, run.err
    assert all(words in run.errors[0] for words in says), run.errors
    assert [path.name for path in tmp_path.iterdir()] == ["scan"]


def test_a_zip_whose_slice_has_a_header_longer_than_memory_is_no_abort(plain, tmp_path):
    data = plain[1][0].read_bytes()
    at = data.index(b"\x28\x00\x02\x00US")
    element = b"\x09\x00\x01\x10OB\0\0" + (700_000_000).to_bytes(4, "little")
    with zipfile.ZipFile(tmp_path / "zip", "w", zipfile.ZIP_DEFLATED) as archive, archive.open("slice", "w") as file:
        file.write(data[:at] + element)
        for _ in range(700):
            file.write(bytes(1_000_000))
        file.write(data[at:])
    run = limited("inspect", tmp_path / "zip", gigabytes=0.6)
    assert run.code == 0 and "1 slices" in run.out, run.err


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE])
def test_a_name_without_end_in_a_tar_is_damage(kind, tmp_path):
    header = tarfile.TarInfo("long")
    header.type, header.size = kind, 8_000_000_000
    with (tmp_path / "tar").open("wb") as file:
        file.write(header.tobuf(tarfile.GNU_FORMAT))
        file.truncate(9_000_000_000)
    run = limited("inspect", tmp_path / "tar")
    assert run.code == 3 and "the archive is damaged" in run.errors[0], run.err


def test_a_file_that_gives_fewer_bytes_than_its_size_ends_there(plain, tmp_path):
    (tmp_path / "scan").mkdir()
    # 4096 bytes, says the system, and gives a few.
    (tmp_path / "scan/sysfs").symlink_to("/sys/kernel/uevent_seqnum")
    run = start([ROOT / "bin/tomobasis", "inspect", tmp_path / "scan"], timeout=30)
    assert run.code == 3 and "none of the 1 files" in run.errors[0], run.err


def test_what_a_killed_run_left_is_removed_by_the_next(plain, tmp_path):
    os.mkfifo(tmp_path / "wait")
    left = tmp_path / "result.tmp-abcdef"
    left.mkdir()
    (tmp_path / "result.tmp-abcdef.owner").write_text("tomobasis folder in the making\n")
    kept = tmp_path / "result.tmp-notes"
    kept.mkdir()
    assert tomobasis("decompose", "--input", plain[0], "--output", tmp_path / "result", "--emit", "parquet").code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["result", kept.name, "wait"]
    assert not list((tmp_path / "result").glob(".*"))


def obeyed(said):
    """What a terminal would obey, or not show."""
    return [c for c in said if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")]


@ways
def test_no_message_sends_control_characters_of_a_file_name_to_the_terminal(plain, way, tmp_path):
    folder = tmp_path / "scan"
    cut = copied(plain, folder)[0]
    name = "\x1b[31m\x07\x9b1m\u202e\u061c\u200b"
    cut.write_bytes(cut.read_bytes()[:-100])
    cut.rename(folder / name)
    run = way("--input", folder, "--output", tmp_path / name, "--verbose")
    assert run.code == 3 and len(run.errors) == 1 and "truncated" in run.errors[0], run.err
    assert not obeyed(run.out + run.err)
    if way is decompose:
        assert "\\u{1b}[31m" in run.err
        run = tomobasis("inspect", folder, "--verbose")
        assert not obeyed(run.out + run.err)


def test_a_result_that_is_made_in_the_folder_of_its_scan_is_that_of_the_scan(tmp_path):
    made_scan(tmp_path / "scan", slices=8, rows=40, columns=50)
    sorted((tmp_path / "scan").iterdir())[3].unlink()
    assert decompose("--input", tmp_path / "scan", "--output", tmp_path / "outside").code == 0
    run = decompose("--input", tmp_path / "scan", "--output", tmp_path / "scan/inside")
    assert run.code == 0, run.err
    same(tmp_path / "scan/inside", tmp_path / "outside")
