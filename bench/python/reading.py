#!/usr/bin/env python3
"""`tomobasis.read` against pydicom with NumPy, SimpleITK's series reader and dicom2nifti: time, memory, the same values.

    bench/python/reading.py demo/series          writes build/bench/python-reading.json (make bench-python)

Every measurement is a process of its own, and the ways take turns; the files are in the cache of the operating system. Each way
ends with the rescaled values of the largest series in memory, padding as it is stored, but for dicom2nifti, which writes a
NIfTI file, as `to_nifti` does.
A folder given as --single holds no series: it is read file by file. A folder that is not there is left out.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "bench")]

from methods import timed  # noqa: E402
from records import heading, markdown, measured, show  # noqa: E402


def files_of(folder):
    return sorted(path for path in Path(folder).rglob("*") if path.is_file())


def ours(folder, scratch):
    import tomobasis

    return lambda: tomobasis.read(folder, series="largest", padding="keep").hu


def with_pydicom(folder, scratch):
    """As its users' guides do it: read, sort by position, stack, rescale."""
    import pydicom
    from pydicom.errors import InvalidDicomError

    def run():
        datasets = []
        for path in files_of(folder):
            try:
                dataset = pydicom.dcmread(path)
            except InvalidDicomError:
                continue
            if "PixelData" in dataset and "ImagePositionPatient" in dataset:
                datasets.append(dataset)
        largest = Counter(d.SeriesInstanceUID for d in datasets).most_common(1)[0][0]
        datasets = [d for d in datasets if d.SeriesInstanceUID == largest]
        normal = np.cross(*np.reshape(datasets[0].ImageOrientationPatient, (2, 3)).astype(float))
        datasets.sort(key=lambda d: np.dot(normal, np.array(d.ImagePositionPatient, dtype=float)))
        slope, intercept = float(datasets[0].RescaleSlope), float(datasets[0].RescaleIntercept)
        return np.stack([(d.pixel_array * slope + intercept).astype(np.int16) for d in datasets])

    return run


def with_simpleitk(folder, scratch):
    import SimpleITK as sitk

    def run():
        reader = sitk.ImageSeriesReader()
        series = {uid: reader.GetGDCMSeriesFileNames(str(folder), uid) for uid in reader.GetGDCMSeriesIDs(str(folder))}
        reader.SetFileNames(max(series.values(), key=len))
        return sitk.GetArrayFromImage(reader.Execute())

    return run


def ours_to_nifti(folder, scratch):
    import nibabel  # noqa: F401 - before the clock starts, as for the other way

    import tomobasis

    def run():
        tomobasis.read(folder, series="largest", padding="keep").to_nifti(Path(scratch) / "scan.nii")
        return Path(scratch) / "scan.nii"

    return run


def with_dicom2nifti(folder, scratch):
    from dicom2nifti import dicom_series_to_nifti

    def run():
        dicom_series_to_nifti(folder, Path(scratch) / "scan.nii", reorient_nifti=False)
        return Path(scratch) / "scan.nii"

    return run


ARRAYS = (ours, with_pydicom, with_simpleitk)
NIFTI = (ours_to_nifti, with_dicom2nifti)
NAMES = {
    "ours": "tomobasis.read",
    "with_pydicom": "pydicom and NumPy",
    "with_simpleitk": "SimpleITK",
    "ours_to_nifti": "tomobasis, to_nifti",
    "with_dicom2nifti": "dicom2nifti",
}


def one_slice_ours(path):
    import tomobasis

    return tomobasis.read(path, padding="keep").hu


def one_slice_pydicom(path):
    import pydicom
    from pydicom.pixels import apply_rescale

    dataset = pydicom.dcmread(path)
    return apply_rescale(dataset.pixel_array, dataset)


def one_slice_simpleitk(path):
    import SimpleITK as sitk

    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


SINGLE = {"ours": one_slice_ours, "with_pydicom": one_slice_pydicom, "with_simpleitk": one_slice_simpleitk}


def digest(values):
    """Of the values, not of their type; of a NIfTI file, in the order of its closest canonical axes."""
    if isinstance(values, Path):
        import nibabel

        values = np.asarray(nibabel.as_closest_canonical(nibabel.load(values)).dataobj)
    return hashlib.sha256(np.ascontiguousarray(values, dtype=np.float64).data).hexdigest()


def one(way, folder):
    """In a process of its own: a whole series."""
    with tempfile.TemporaryDirectory() as scratch:
        run = next(f for f in (*ARRAYS, *NIFTI) if f.__name__ == way)(folder, scratch)
        for path in files_of(folder):
            path.read_bytes()
        cost, values = timed(run)
        print(json.dumps({**cost, "digest": digest(values)}))


def each(way, folder):
    """In a process of its own: file by file, those that can be read."""
    paths = [path for path in files_of(folder) if path.suffix == ".dcm"]

    def run():
        found = {}
        for path in paths:
            try:
                found[path.name] = digest(SINGLE[way](path))
            except Exception as error:
                print(f"{path.name}: {error}", file=sys.stderr)
        return found

    cost, found = timed(run)
    print(json.dumps({**cost, "files": len(paths), "read": found}))


def measure(mode, way, folder):
    command = [sys.executable, __file__, "--process", mode, way, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1][:200]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def in_turn(mode, ways, folder, repeat):
    """Of each way its median run."""
    runs = {way: [] for way in ways}
    for turn in range(repeat):
        for way in ways:
            print(f"{turn + 1}/{repeat} {Path(folder).name}: {way}", file=sys.stderr, flush=True)
            runs[way].append(measure(mode, way, folder))
    middle = {}
    for way, some in runs.items():
        failed = [run for run in some if "error" in run]
        middle[way] = failed[0] if failed else sorted(some, key=lambda run: run["seconds"])[len(some) // 2]
    return middle


def series_rows(result):
    runs = result["series"]
    for way, run in runs.items():
        own = runs["ours_to_nifti" if way in {f.__name__ for f in NIFTI} else "ours"]
        if "error" in run:
            yield [result["folder"], NAMES[way], "failed", "", "", ""]
            continue
        same = "yes" if run["digest"] == own["digest"] else "no"
        ratio = f"{run['seconds'] / own['seconds']:.1f}"
        yield [result["folder"], NAMES[way], f"{run['seconds']:.3f}", ratio, f"{run['memory_mb']:.0f}", same]


def single_rows(result):
    runs = result["single"]
    own = runs["ours"]["read"]
    for way, run in runs.items():
        if "error" in run:
            yield [result["folder"], NAMES[way], "failed", "", "", ""]
            continue
        same = sum(own.get(name) == digest for name, digest in run["read"].items())
        count = f"{len(run['read'])} of {run['files']}"
        yield [result["folder"], NAMES[way], f"{run['seconds']:.3f}", count, f"{run['memory_mb']:.0f}", str(same)]


def report(record):
    parts = [heading(record)]
    rows = [row for result in record["results"] if "series" in result for row in series_rows(result)]
    if rows:
        parts.append(markdown(["series", "by", "s", "times ours", "MB", "same values as ours"], rows))
    rows = [row for result in record["results"] if "single" in result for row in single_rows(result)]
    if rows:
        parts.append(markdown(["single slices", "by", "s", "files read", "MB", "same values as ours"], rows))
    for result in record["results"]:
        for way, run in result.get("series", result.get("single")).items():
            if "error" in run:
                parts.append(f"{result['folder']}, {NAMES[way]}: {run['error']}")
    if record["absent"]:
        parts.append(f"not there: {', '.join(record['absent'])}")
    return "\n\n".join(parts)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("series", nargs="+", type=Path, help="folders of a series")
    p.add_argument("--single", nargs="*", type=Path, default=[], help="folders of files that are no series")
    p.add_argument("--repeat", type=int, default=3)
    p.add_argument("--json", type=Path, default=ROOT / "build/bench/python-reading.json")
    o = p.parse_args()
    about = measured(o.repeat)
    results = [
        {"folder": folder.name, "series": in_turn("one", [f.__name__ for f in (*ARRAYS, *NIFTI)], folder, o.repeat)}
        for folder in o.series
        if folder.is_dir()
    ]
    results += [
        {"folder": folder.name, "single": in_turn("each", SINGLE, folder, o.repeat)}
        for folder in o.single
        if folder.is_dir()
    ]
    absent = [folder.name for folder in (*o.series, *o.single) if not folder.is_dir()]
    record = {**about, "absent": absent, "results": results}
    show(report(record), record, o.json)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--process"]:
        {"one": one, "each": each}[sys.argv[2]](*sys.argv[3:])
    else:
        main()
