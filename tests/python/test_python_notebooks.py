"""The notebooks of `examples/`: clean in the repository, and every cell runs. What needs a cluster runs in tests/cluster."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import notebooks
from running import ROOT

sys.path.append(str(ROOT / "tests/k8s"))
import schemas
from api_server import ApiServer


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    # The kernels and Spark's workers import much, twice as slowly in the development mode.
    monkeypatch.delenv("PYTHONDEVMODE", raising=False)
    beside = Path(schemas.kubectl() or "/").parent
    monkeypatch.setenv("PATH", f"{beside}:{os.environ['PATH']}")
    monkeypatch.delenv("TOMOBASIS_OVERLAY", raising=False)


def added(notebook, source):
    """Appends a cell, which a reader of the notebook might type."""
    notebook.cells.append(notebooks.nbformat.v4.new_code_cell(source))


def test_every_notebook_is_run_here():
    text = Path(__file__).read_text()
    assert notebooks.NOTEBOOKS and all(f'notebooks.read("{name}")' in text for name in notebooks.NOTEBOOKS)


@pytest.mark.parametrize("name", notebooks.NOTEBOOKS)
def test_a_notebook_holds_its_text_and_nothing_of_a_run(name):
    text = (notebooks.EXAMPLES / name).read_text()
    notebook = notebooks.read(name)
    notebooks.nbformat.validate(notebook)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.metadata.kernelspec.name == "python3"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert all(set(cell.metadata) <= {"tags"} for cell in notebook.cells)
    assert notebook.cells[0].source.startswith("# ")
    assert len(text) < 40_000 and text == json.dumps(json.loads(text), indent=1, ensure_ascii=False) + "\n"
    # Prose: a reader is told what the next cells do.
    runs = "".join(cell.cell_type[0] for cell in notebook.cells)
    assert "cccc" not in runs, runs


def first_cells(name):
    """A notebook up to its imports, and where it then is."""
    notebook = notebooks.read(name)
    code = [at for at, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    notebook.cells = notebook.cells[: code[1] + 1]
    added(notebook, "print(Path.cwd(), Path('ct_series/make_ct_series.py').exists(), work.resolve())")
    return notebook


@pytest.mark.parametrize("name", notebooks.NOTEBOOKS)
def test_a_notebook_may_be_opened_from_anywhere_in_the_checkout(name, tmp_path):
    for at, start in enumerate((".", "docs/how-to")):
        folder = tmp_path / str(at)
        (folder / start).mkdir(parents=True)
        ran = notebooks.execute(first_cells(name), folder, start=start)
        examples = (folder / "examples").resolve()
        assert f"{examples} True {examples}/work" in notebooks.outputs(ran, "text/plain")[-1]


def test_a_notebook_that_is_opened_elsewhere_says_what_it_needs(tmp_path):
    notebook = first_cells("scan_on_a_laptop.ipynb")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "made").mkdir()
    with pytest.raises(RuntimeError, match="somewhere in the checkout"):
        notebooks.execute(notebook, tmp_path / "made", start=elsewhere)
    assert list(elsewhere.iterdir()) == []


def test_a_scan_on_a_laptop(tmp_path):
    notebook = notebooks.read("scan_on_a_laptop.ipynb")
    # The sliders are kept, so that their ends can be looked at.
    sliders = next(cell for cell in notebook.cells if cell.id == "slider")
    assert sliders.source.count("interact(") == 1
    sliders.source = "from ipywidgets import interactive\n" + sliders.source.replace("interact(", "made = interactive(")
    added(notebook, "print([slider.max for slider in made.children[:2]])\nshow(1, 1)\nshow(slices, len(s))")
    notebook = notebooks.execute(notebook, tmp_path)
    assert "True" in notebooks.outputs(notebook, "text/plain")
    assert "[60, 60]\n" in notebooks.outputs(notebook, "text/plain")
    assert len(notebooks.outputs(notebook, "image/png")) == 2 + 1 + 2


def test_the_chapter_of_2020(tmp_path):
    notebook = notebooks.read("chapter_2020.ipynb")
    added(notebook, "import json\nprint('table', json.dumps(table.reset_index().to_dict('list')))")
    added(notebook, "print('kept', json.dumps(list(kept.values())), k, p, q)")
    notebook = notebooks.execute(notebook, tmp_path)
    assert len(notebooks.outputs(notebook, "image/png")) == 2
    printed = dict(text.split(" ", 1) for text in notebooks.outputs(notebook, "text/plain")[-2:])
    table = json.loads(printed["table"])
    assert printed["kept"].split() == "[88, 87, 84, 79, 62] 88 15 1".split()
    # The whole scan is as good as it was, and of few basis vectors both noise and detail are gone.
    assert table["gain, dB"][0] == 0 and table["detail left, %"][0] == pytest.approx(100)
    assert table["basis vectors"][-1] == 11
    assert max(table["detail left, %"][1:]) < 75 and table["gain, dB"][-1] < -20


@pytest.mark.spark
def test_a_hundred_series_on_spark(tmp_path):
    notebook = notebooks.execute(notebooks.read("series_on_spark.ipynb"), tmp_path)
    assert len(notebooks.outputs(notebook, "image/png")) == 2
    assert any("series-042" in text for text in notebooks.outputs(notebook, "text/plain"))


@pytest.mark.skipif(schemas.kubectl() is None, reason="kubectl is not installed")
def test_the_manifest_that_a_notebook_submits_is_one_of_the_operators_definition(tmp_path, monkeypatch):
    """Without a cluster, up to the manifest; then the submission, against a server that answers like the API server.
    tests/cluster/test_notebook.py runs all cells."""
    whole = notebooks.read("kubernetes.ipynb")
    tagged = [cell.id for cell in whole.cells if notebooks.CLUSTER in cell.metadata.get("tags", ())]
    assert tagged == ["copy-there", "run", "copy-here", "show-report", "verify-result", "remove"]
    next(cell for cell in whole.cells if cell.id == "run").metadata.tags = []
    notebook = notebooks.without(whole, notebooks.CLUSTER)
    added(notebook, "import json\nprint(json.dumps({'name': name, 'job': job, 'manifest': printed}))")
    server = ApiServer()
    server.on_get = lambda application: application.update(status={"applicationState": {"state": "COMPLETED"}})
    monkeypatch.setenv("KUBECONFIG", str(server.config(tmp_path)))
    try:
        notebook = notebooks.execute(notebook, tmp_path)
    finally:
        server.close()
    assert any("[completed]" in text for text in notebooks.outputs(notebook, "text/plain"))
    made = json.loads(notebooks.outputs(notebook, "text/plain")[-1])
    command = [
        ROOT / "bin/tomobasis-submit",
        "--kubernetes",
        "--overlay",
        "minikube",
        "--name",
        made["name"],
        "--print",
    ]
    direct = subprocess.run([*command, "--", *made["job"]], capture_output=True, text=True, check=True)
    assert made["manifest"] == direct.stdout
    manifest = yaml.safe_load(made["manifest"])
    assert manifest["spec"]["arguments"] == made["job"]
    assert server.application(made["name"])["spec"]["arguments"] == made["job"]
    if schemas.operator_schema():
        assert schemas.problems(manifest) == []
