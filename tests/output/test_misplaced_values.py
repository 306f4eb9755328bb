"""What stands in a wrong place: a name or a date of birth in any element that the reader reads, in one slice or in all, ends in no
message, listing, manifest or report, whether the element can be used or not."""

import re
import struct

import pydicom
import pytest
from pydicom.datadict import dictionary_VR, keyword_dict
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from running import ROOT, decompose, made_scan, tomobasis

NAME, BIRTH = "QUILLON^ZZYZX", "19470811"
# Measures of the scan and of its pixels: numbers that can be used are values of the result, and are shown.
MEASURES = {
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleIntercept", "RescaleSlope",
    "WindowCenter", "WindowWidth",
}  # fmt: skip


def elements_read():
    """All that `native/dicom` reads, by its own list."""
    source = (ROOT / "native/dicom/src/header/needed.rs").read_text()
    names = re.findall(r"tags::(\w+)", source[source.index("const NEEDED") : source.index("];")])
    keywords = {keyword.lower(): tag for keyword, tag in keyword_dict.items()}
    private = [Tag(0x0043, 0x0010), Tag(0x0043, 0x102F)]
    return [Tag(keywords[name.replace("_", "").lower()]) for name in names] + private


READ = elements_read()
SHOWN = re.compile(r"QUILLON|ZZYZX|19470811|\b20817\b", re.IGNORECASE)


def vr_of(tag):
    return "LO" if tag.is_private else dictionary_VR(tag).split(" or ")[0]


def canaries(tag):
    """Values that may be in the element of a broken file; in binary ones the letters are those of the name too."""
    vr = vr_of(tag)
    binary = {"US": "<H", "UL": "<I", "FD": "<d", "SS": "<h"}.get(vr)
    if binary:
        yield NAME.encode() + b" "
        yield struct.pack(binary, 19470811 if vr in ("UL", "FD") else 20817)
    else:
        yield NAME.encode() + b" "
        if pydicom.datadict.keyword_for_tag(tag) not in MEASURES:
            yield BIRTH.encode()


def test_the_list_of_elements_is_that_of_the_reader():
    assert len(READ) == 71 and Tag("PatientID") in READ and Tag("RescaleSlope") in READ


@pytest.fixture(scope="module")
def slices(tmp_path_factory):
    paths = made_scan(tmp_path_factory.mktemp("misplaced") / "scan", 5, 8, 8)[1]
    return [pydicom.dcmread(path) for path in paths]


@pytest.mark.parametrize("tag", READ, ids=lambda tag: pydicom.datadict.keyword_for_tag(tag) or str(tag))
def test_a_misplaced_value_is_shown_nowhere(slices, tag, tmp_path):
    for number, value in enumerate(canaries(tag)):
        for where, some in (("all", slices), ("one", slices[2:3])):
            folder, out = tmp_path / f"{where}{number}", tmp_path / f"result {where}{number}"
            folder.mkdir()
            for place, dataset in enumerate(slices):
                dataset = pydicom.dcmread(dataset.filename)
                if any(dataset.filename == one.filename for one in some):
                    dataset[tag] = RawDataElement(tag, vr_of(tag), len(value), value, 0, False, True)
                dataset.save_as(folder / f"{place}.dcm")
            runs = [decompose("--input", folder, "--output", out, "--series", "largest", "--emit", "report")]
            if some is slices:
                runs.append(tomobasis("inspect", folder))
            texts = [run.out + run.err for run in runs]
            texts += [path.read_text() for path in out.glob("*.json")]
            texts += [re.sub('base64,[^"]*', "", path.read_text()) for path in out.glob("*.html")]
            for text in texts:
                text = text.replace(str(tmp_path), "")
                assert not SHOWN.search(text), text


def test_a_private_transfer_syntax_is_not_shown(slices, tmp_path):
    for place, dataset in enumerate(slices):
        dataset = pydicom.dcmread(dataset.filename)
        dataset.file_meta.TransferSyntaxUID = f"1.2.3.{BIRTH}"
        dataset.save_as(tmp_path / f"{place}.dcm", implicit_vr=False, little_endian=True, enforce_file_format=False)
    for run in (decompose("--input", tmp_path, "--output", tmp_path / "out"), tomobasis("inspect", tmp_path)):
        assert "private or unknown transfer syntax" in run.out + run.err and BIRTH not in run.out + run.err
