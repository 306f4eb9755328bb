"""The makers of test data: the same bytes every time, conformant, with the statistics they claim."""

import hashlib

import numpy as np
import pydicom
import pytest

from anatomy import CRANIUM, Cranium, Phantom
from make_ct_series import main
from noise import band_limited, ct_noise
from oracle import scan


def make(folder, *options):
    main([str(folder), "--source", "phantom", "--slices", "6", "--size", "40x36", *options])
    return folder


def digests(folder):
    return sorted(hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir())


def test_the_same_options_give_the_same_bytes(tmp_path):
    assert digests(make(tmp_path / "a")) == digests(make(tmp_path / "b"))


def test_file_names_do_not_change_the_files(tmp_path):
    assert digests(make(tmp_path / "a")) == digests(make(tmp_path / "b", "--shuffle-names"))


def test_another_seed_gives_other_noise(tmp_path):
    assert digests(make(tmp_path / "a")) != digests(make(tmp_path / "b", "--seed", "2"))


@pytest.mark.parametrize("options", [["--transfer-syntax", "implicit"], ["--signed", "--intercept", "0"]])
def test_however_it_is_stored_the_hounsfield_values_are_the_same(tmp_path, options):
    plain = scan.read(make(tmp_path / "plain"))
    other = scan.read(make(tmp_path / "other", *options))
    kept = np.maximum(other.hu, -1024)  # what 12 unsigned bits hold
    assert np.array_equal(plain.hu, kept)


def test_slices_lie_one_spacing_apart(tmp_path):
    files = [pydicom.dcmread(p) for p in sorted(make(tmp_path / "a").iterdir())]
    z = np.array([float(d.ImagePositionPatient[2]) for d in files])
    assert np.allclose(np.diff(z), Phantom.extent_mm[0] / 6, atol=2e-6)


def test_a_dropped_slice_leaves_a_gap_and_a_localizer_is_extra(tmp_path):
    names = {p.name for p in make(tmp_path / "a", "--drop", "2", "--localizer").iterdir()}
    assert names == {"IM0001.dcm", "IM0002.dcm", "IM0004.dcm", "IM0005.dcm", "IM0006.dcm", "SCOUT"}


def test_a_folder_that_exists_is_not_written_into(tmp_path):
    with pytest.raises(SystemExit, match="exists: remove it first"):
        make(tmp_path)


def test_the_noise_has_no_mean_and_is_correlated_between_adjacent_pixels():
    field = band_limited(1, 0, 128, 128)
    assert abs(field.mean()) < 0.01 and abs(field.std() - 1) < 0.01
    assert np.mean(field[:, 1:] * field[:, :-1]) > 0.2


def test_the_noise_is_stronger_inside_the_head_than_in_air():
    hu = Phantom().slice_hu(30, 60, 128, 128).astype(np.float64)
    noise = ct_noise(hu, (245 / 128, 245 / 128), 1, 30)
    assert noise[54:74, 54:74].std() > 3 * noise[:10, :10].std()


@pytest.mark.skipif(not CRANIUM.exists(), reason="Debian's invesalius-examples is not installed")
def test_the_cranium_on_its_own_grid_is_the_scan_itself():
    source = Cranium()
    assert np.array_equal(source.slice_hu(50, 108, 256, 256), source.volume[50])
