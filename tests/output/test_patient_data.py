"""Nothing that identifies the patient leaves the DICOM files: not in what is printed, not in what is written."""

import pyarrow.parquet as pq
import pytest

from running import decompose, secrets, submit, tomobasis


def found(scan, text):
    return [secret for secret in secrets(scan) if secret in text]


def test_the_result_folder_holds_no_patient_data(made):
    for path in (p for p in made.result.rglob("*") if p.is_file()):
        text = path.read_bytes().decode("latin-1")
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            text += str(table.schema.metadata) + str([table.column(c).to_pylist() for c in strings(table)])
        assert found(made.scan, text + path.name) == [], path.name
        assert str(made.folder) not in text, path.name


def strings(table):
    return [f.name for f in table.schema if str(f.type) == "string"]


@pytest.mark.parametrize("way", [decompose, pytest.param(submit, marks=pytest.mark.spark)], ids=["command", "job"])
def test_a_run_prints_no_patient_data(made, tmp_path, way):
    run = way("--input", made.folder, "--output", tmp_path / "result")
    assert run.code == 0, run.err
    assert found(made.scan, run.out + run.err) == []


def test_inspect_shows_the_series_and_no_patient_data(made):
    run = tomobasis("inspect", made.folder)
    assert run.code == 0, run.err
    assert "24" in run.out and "120" in run.out and "160" in run.out
    assert found(made.scan, run.out + run.err) == []
