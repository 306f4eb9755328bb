"""The compiled pipelines that are checked in are those of their sources."""

import re

import pytest

from kits import PIPELINES, compiled


def without_time(text):
    return re.sub(r"pipeline_compilation_time: '[^']*'", "", text)


@pytest.mark.parametrize(("version", "program"), [("v1", "pipeline"), ("v1", "steps"), ("v2", "pipeline")])
def test_the_compiled_pipeline_is_that_of_its_source(version, program, tmp_path):
    committed = (PIPELINES / version / f"{program}.yaml").read_text()
    assert without_time(compiled(version, tmp_path / "compiled.yaml", program)) == without_time(committed)
