"""One slice of Hounsfield values -> one conformant CT Image instance (DICOM PS3.3 A.3), and a localizer to go with a
series.

UIDs are hashes under 2.25 (PS3.5 B.2), dates are fixed, the patient is made up: the same arguments give the same bytes.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian

TRANSFER_SYNTAXES = {"explicit": ExplicitVRLittleEndian, "implicit": ImplicitVRLittleEndian}


@dataclass(frozen=True)
class Storage:
    """How HU become stored integers: stored = HU - intercept in `bits` bits, and how they are written."""

    intercept: int = -1024
    signed: bool = False
    bits: int = 12
    transfer_syntax: str = "explicit"

    @property
    def limits(self):
        return (-(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1) if self.signed else (0, (1 << self.bits) - 1)

    def stored(self, hu):
        """Stored pixels of `hu`, rounded to the nearest integer and clipped to what the bits hold."""
        return np.clip(np.rint(hu) - self.intercept, *self.limits).astype("<i2" if self.signed else "<u2")


@dataclass(frozen=True)
class Scan:
    """What all slices of a synthetic series share."""

    name: str
    slices: int
    spacing_mm: tuple  # between slices, rows, columns
    storage: Storage = Storage()
    patient: str = "PHANTOM^HEAD"
    patient_id: str = "PHANTOM"

    def uid(self, *parts):
        digest = hashlib.sha256(repr((self.name, self.slices, self.spacing_mm, self.storage, *parts)).encode()).digest()
        return f"2.25.{int.from_bytes(digest[:16], 'big')}"


def decimal(value):
    """A decimal string (at most 16 characters) with a micrometer's resolution."""
    return f"{round(value, 6) + 0.0:.6f}".rstrip("0").rstrip(".")  # + 0.0: no "-0"


def common(scan, series, image_type):
    """Patient, study, series, equipment and frame of reference modules."""
    d = Dataset()
    d.SpecificCharacterSet = "ISO_IR 100"
    d.ImageType = ["ORIGINAL", "PRIMARY", image_type]
    d.SOPClassUID = CTImageStorage
    d.StudyDate = d.SeriesDate = d.AcquisitionDate = d.ContentDate = "20200101"
    d.StudyTime = d.SeriesTime = d.AcquisitionTime = d.ContentTime = "120000"
    d.Modality, d.Manufacturer, d.ManufacturerModelName = "CT", "TomoBasis", "make_ct_series.py"
    d.AccessionNumber = d.ReferringPhysicianName = d.PatientBirthDate = d.PositionReferenceIndicator = ""
    d.StudyDescription = "MADE HEAD CT"
    d.SeriesDescription = scan.name
    d.PatientName, d.PatientID, d.PatientSex = scan.patient, scan.patient_id, "O"
    d.PatientIdentityRemoved, d.DeidentificationMethod = "YES", "No patient: synthetic data or re-sampled public data"
    d.BodyPartExamined, d.PatientPosition, d.KVP, d.StudyID = "HEAD", "HFS", "120", "1"
    d.SeriesNumber, d.AcquisitionNumber = series, 1
    d.StudyInstanceUID, d.SeriesInstanceUID = scan.uid("study"), scan.uid("series", series)
    d.FrameOfReferenceUID = scan.uid("frame of reference")
    return d


def pixels(d, scan, hu, window):
    """Image pixel, modality and VOI modules."""
    storage = scan.storage
    d.SamplesPerPixel, d.PhotometricInterpretation = 1, "MONOCHROME2"
    d.Rows, d.Columns = hu.shape
    d.BitsAllocated, d.BitsStored, d.HighBit = 16, storage.bits, storage.bits - 1
    d.PixelRepresentation = int(storage.signed)
    d.WindowCenter, d.WindowWidth = window
    d.RescaleIntercept, d.RescaleSlope, d.RescaleType = decimal(storage.intercept), "1", "HU"
    d.add_new("PixelData", "OW", storage.stored(hu).tobytes())


def ct_slice(scan, index, hu):
    """The dataset of slice `index` (0 is the lowest): `hu` is rows x columns."""
    d = common(scan, 1, "AXIAL")
    dz, dy, dx = scan.spacing_mm
    rows, columns = hu.shape
    d.SOPInstanceUID, d.InstanceNumber = scan.uid("slice", index), index + 1
    position = (-dx * (columns - 1) / 2, -dy * (rows - 1) / 2, dz * (index - (scan.slices - 1) / 2))
    d.ImagePositionPatient = [decimal(v) for v in position]
    d.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    d.SliceThickness, d.SliceLocation = decimal(dz), decimal(position[2])
    d.PixelSpacing = [decimal(dy), decimal(dx)]
    pixels(d, scan, hu, ("40", "400"))
    return d


def localizer(scan, hu):
    """The dataset of a lateral scout, in a series of its own as scanners write it; the rows of `hu` from the top."""
    d = common(scan, 99, "LOCALIZER")
    rows, columns = hu.shape
    dz, dy, _ = scan.spacing_mm
    d.SOPInstanceUID, d.InstanceNumber = scan.uid("localizer"), 1
    d.ImagePositionPatient = ["0", decimal(-dy * (columns - 1) / 2), decimal(dz * (rows - 1) / 2)]
    d.ImageOrientationPatient = ["0", "1", "0", "0", "0", "-1"]
    d.SliceThickness, d.PixelSpacing = "1", [decimal(dz), decimal(dy)]
    pixels(d, scan, hu, ("0", "1000"))
    d.RescaleType = "US"  # a projection has no Hounsfield units (PS3.3 C.11.1.1.2)
    return d


def write(dataset, path, transfer_syntax="explicit"):
    """Writes `dataset` as a DICOM file (PS3.10)."""
    syntax = TRANSFER_SYNTAXES[transfer_syntax]
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID, meta.ImplementationVersionName = "2.25.283174512", "TOMOBASIS_DATA"
    file = FileDataset(str(path), dataset, preamble=bytes(128), file_meta=meta)
    file.save_as(path, enforce_file_format=True, implicit_vr=syntax.is_implicit_VR, little_endian=True)
