"""NIfTI images: every voxel where the scan has it, with the axes and affines of dcm2niix."""

import subprocess

import dcm2niix
import nibabel
import numpy as np
import pydicom
import pytest

import tomobasis
from running import made_scan

ANGLE = np.deg2rad(25)
COS, SIN = np.cos(ANGLE), np.sin(ANGLE)
# Along a row, along a column, and from slice to slice where that is not the normal.
PLANES = {
    "axial": ([1, 0, 0], [0, 1, 0], None),
    "coronal": ([1, 0, 0], [0, 0, -1], None),
    "sagittal": ([0, 1, 0], [0, 0, -1], None),
    "oblique": ([COS, SIN, 0], [-SIN * COS, COS * COS, -SIN], None),
    "feet first": ([-1, 0, 0], [0, 1, 0], None),
}


def turned(folder, along_row, along_column, step):
    """A phantom scan on disk, lying in another way."""
    _, paths = made_scan(folder, slices=6, rows=20, columns=30)
    along_row, along_column = np.array(along_row, float), np.array(along_column, float)
    step = np.cross(along_row, along_column) * 2.5 if step is None else np.array(step)
    for place, path in enumerate(paths):
        dataset = pydicom.dcmread(path)
        dataset.ImageOrientationPatient = [f"{x:.10f}" for x in (*along_row, *along_column)]
        dataset.ImagePositionPatient = [f"{x:.6f}" for x in np.array([-40.0, -30.0, 12.5]) + place * step]
        dataset.PixelSpacing = [1.5, 1.25]
        dataset.SliceThickness = 2.5
        dataset.save_as(path)
    return folder


@pytest.mark.parametrize("plane", PLANES)
def test_axes_affine_and_voxels_are_those_of_dcm2niix(tmp_path, plane):
    folder = turned(tmp_path / "scan", *PLANES[plane])
    (tmp_path / "theirs").mkdir()
    command = [dcm2niix.bin, "-f", "scan", "-o", tmp_path / "theirs", "-z", "n", "-b", "n", folder]
    subprocess.run(command, check=True, capture_output=True)
    theirs = nibabel.load(tmp_path / "theirs/scan.nii")
    ours = tomobasis.read(folder).to_nifti(tmp_path / "ours.nii")
    loaded = nibabel.load(tmp_path / "ours.nii")
    assert np.allclose(loaded.affine, theirs.affine, atol=1e-3), (loaded.affine, theirs.affine)
    assert np.array_equal(np.asanyarray(loaded.dataobj), theirs.get_fdata())
    for one in (loaded, theirs):
        assert one.header["sform_code"] == one.header["qform_code"] == 1
    assert np.array_equal(ours.affine, tomobasis.read(folder).to_nifti().affine)


def test_a_tilted_gantry_shears_the_affine_and_leaves_the_voxels(tmp_path):
    step = [0, -2.5 * np.tan(np.deg2rad(16.5)), 2.5]
    scan = tomobasis.read(turned(tmp_path / "scan", [1, 0, 0], [0, 1, 0], step))
    assert scan.tilt == pytest.approx(16.5, abs=0.01)
    image = scan.to_nifti()
    assert image.header["qform_code"] == 0 and image.header["sform_code"] == 1
    for slice_, row, column in [(0, 0, 0), (5, 19, 29), (3, 7, 11)]:
        x, y, z = scan.origins[slice_] + [1.25 * column, 1.5 * row, 0]
        assert np.allclose(image.affine @ [column, 19 - row, slice_, 1], [-x, -y, z, 1], atol=1e-4)


def test_uneven_slices_have_no_affine(tmp_path):
    folder = turned(tmp_path / "scan", [1, 0, 0], [0, 1, 0], None)
    last = max(folder.iterdir(), key=lambda path: pydicom.dcmread(path).ImagePositionPatient[2])
    last.unlink()
    middle = sorted(folder.iterdir(), key=lambda path: pydicom.dcmread(path).ImagePositionPatient[2])[2]
    middle.unlink()
    with pytest.raises(tomobasis.InputError, match="beside an even spacing"):
        tomobasis.read(folder).to_nifti()
