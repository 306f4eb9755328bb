"""Series that hold two volumes each, one folder for each way in which headers tell them apart, with the volumes as NumPy arrays.

Every value is random, so that no slice is like another, and nothing of a header is needed but what a kind says.
"""

from copy import deepcopy
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    CTImageStorage,
    EnhancedCTImageStorage,
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    generate_uid,
)

PLACES, ROWS, COLUMNS, STEP_MM = 5, 6, 8, 2.5


@dataclass(frozen=True)
class Made:
    """Stored pixels of the volumes (each places x rows x columns) in one folder, and all slices by place, then number, time or frame."""

    volumes: list
    joined: list


def uid(*parts):
    return generate_uid(entropy_srcs=[repr(parts)])


def volume(seed):
    return np.random.default_rng(seed).integers(-900, 3000, (PLACES, ROWS, COLUMNS)).astype("<i2")


def image(pixels, number, modality):
    d = Dataset()
    d.file_meta = FileMetaDataset()
    d.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    d.SOPClassUID = CTImageStorage if modality == "CT" else MRImageStorage
    d.SOPInstanceUID, d.Modality, d.Manufacturer = uid("instance", number), modality, "TomoBasis"
    d.StudyInstanceUID, d.SeriesInstanceUID, d.FrameOfReferenceUID = uid("study"), uid("series"), uid("frame")
    d.ImageType, d.SeriesNumber, d.InstanceNumber = ["ORIGINAL", "PRIMARY", "AXIAL"], 1, number
    d.PatientName = d.PatientID = ""
    d.StudyDate = d.AcquisitionDate = d.ContentDate = "20200101"
    d.StudyTime = d.AcquisitionTime = d.ContentTime = "120000"
    d.SamplesPerPixel, d.PhotometricInterpretation, d.Rows, d.Columns = 1, "MONOCHROME2", ROWS, COLUMNS
    d.BitsAllocated, d.BitsStored, d.HighBit, d.PixelRepresentation = 16, 16, 15, 1
    d.SliceThickness = str(STEP_MM)
    d.PixelSpacing, d.ImageOrientationPatient = ["1", "1"], ["1", "0", "0", "0", "1", "0"]
    if modality == "CT":
        d.RescaleSlope, d.RescaleIntercept, d.RescaleType = "1", "0", "HU"
    d.PixelData = pixels.tobytes()
    return d


def position(place):
    return ["0", "0", str(place * STEP_MM)]


def classic(folder, dress, modality="CT"):
    """One file for each slice of two volumes; `dress(dataset, volume, place)` says what tells them apart."""
    stacks, numbered = [volume(1), volume(2)], []
    for v, stack in enumerate(stacks):
        for place, pixels in enumerate(stack):
            d = image(pixels, v * PLACES + place + 1, modality)
            d.ImagePositionPatient = position(place)
            dress(d, v, place)
            numbered.append((float(d.ImagePositionPatient[2]), d.InstanceNumber, pixels))
            save(d, folder / f"{v}-{place}.dcm")
    return Made(stacks, [pixels for *_, pixels in sorted(numbered, key=lambda one: one[:2])])


def turns(place, volumes=2):
    """Volumes in an order that is another at each second place, so that it does not tell them apart."""
    return range(volumes) if place % 2 == 0 else reversed(range(volumes))


def item(**attributes):
    d = Dataset()
    for keyword, value in attributes.items():
        setattr(d, keyword, value)
    return Sequence([d])


def enhanced(folder, dress, modality="MR", volumes=2, seeds=(1, 2), name="enhanced"):
    """One multi-frame file; `dress(group, volume, place)` puts into a frame's functional groups what tells them apart."""
    stacks = [volume(seed) for seed in seeds[:volumes]]
    frames = [(v, place) for place in range(PLACES) for v in turns(place, volumes)]
    d = image(np.concatenate([stacks[v][place] for v, place in frames]), 1000, modality)
    d.SOPClassUID = EnhancedCTImageStorage if modality == "CT" else EnhancedMRImageStorage
    for keyword in ("RescaleSlope", "RescaleIntercept", "RescaleType", "SliceThickness", "AcquisitionTime"):
        if keyword in d:
            delattr(d, keyword)
    orientation, spacing = d.ImageOrientationPatient, d.PixelSpacing
    del d.ImageOrientationPatient, d.PixelSpacing
    d.ImageType, d.NumberOfFrames = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"], len(frames)
    d.SharedFunctionalGroupsSequence = item(
        PlaneOrientationSequence=item(ImageOrientationPatient=orientation),
        PixelMeasuresSequence=item(PixelSpacing=spacing, SliceThickness=str(STEP_MM)),
    )
    groups = []
    for v, place in frames:
        group = item(
            FrameContentSequence=item(StackID="1", InStackPositionNumber=place + 1),
            PlanePositionSequence=item(ImagePositionPatient=position(place)),
            PixelValueTransformationSequence=item(
                RescaleIntercept="0", RescaleSlope="1", RescaleType="HU" if modality == "CT" else "US"
            ),
        )[0]
        dress(group, v, place)
        groups.append(group)
    d.PerFrameFunctionalGroupsSequence = Sequence(groups)
    save(d, folder / f"{name}.dcm")
    times = [getattr(group.FrameContentSequence[0], "TemporalPositionIndex", 0) for group in groups]
    numbered = sorted(zip(frames, times, strict=True), key=lambda one: (one[0][1], one[1]))
    return Made(stacks, [stacks[v][place] for (v, place), _ in numbered])


def save(d, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    d = deepcopy(d)
    d.file_meta.MediaStorageSOPClassUID, d.file_meta.MediaStorageSOPInstanceUID = d.SOPClassUID, d.SOPInstanceUID
    d.save_as(path, enforce_file_format=True)


def setting(**values):
    """A dress for classic images: each keyword's value for the first and for the second volume."""

    def dress(d, v, place):
        if values:
            d.InstanceNumber = 2 * place + list(turns(place)).index(v) + 1
        for keyword, pair in values.items():
            setattr(d, keyword, pair[v])

    return dress


def frame(sequence, **values):
    """The same for a functional group."""

    def dress(group, v, place):
        if sequence not in group:
            setattr(group, sequence, item())
        for keyword, pair in values.items():
            setattr(getattr(group, sequence)[0], keyword, pair[v])

    return dress


def phases(d, v, place):
    """Cardiac phases: the heart's rate, and with it the trigger time, is another at each place."""
    d.TriggerTime, d.InstanceNumber = str(v * 400 + place), 2 * place + v + 1


def cine(d, v, place):
    """All times of one place before the table moves."""
    d.AcquisitionTime = f"1200{2 * place + v:02}"
    d.InstanceNumber = 2 * place + v + 1


def raw_beside(d, v, place):
    if v == 1:
        del d.RescaleSlope, d.RescaleIntercept, d.RescaleType
    else:
        d.RescaleIntercept = "-1024"


def copies(folder):
    """A scan as classic images and, converted, as one enhanced instance of the same series."""
    made = classic(folder, lambda d, v, place: None)
    for path in folder.glob("1-*.dcm"):
        path.unlink()
    enhanced(folder, lambda group, v, place: None, "CT", volumes=1)
    return Made([made.volumes[0], made.volumes[0]], [pixels for pixels in made.volumes[0] for _ in range(2)])


CLASSIC_CT = {
    "dual energy": setting(KVP=("80", "140"), AcquisitionNumber=(1, 2)),
    "two kernels": setting(ConvolutionKernel=("Br40d\\3", "Bl57d\\3")),
    "arterial and venous phase": setting(AcquisitionNumber=(1, 2), AcquisitionTime=("120000", "120040")),
    "temporal positions": setting(TemporalPositionIdentifier=(1, 2)),
    "cine of a table position": cine,
    "cardiac phases by trigger time": phases,
    "original and derived": setting(ImageType=(["ORIGINAL", "PRIMARY", "AXIAL"], ["DERIVED", "SECONDARY", "AXIAL"])),
    "two kinds of original": setting(
        ImageType=(["ORIGINAL", "PRIMARY", "AXIAL", "A"], ["ORIGINAL", "PRIMARY", "AXIAL", "B"])
    ),
    "HU beside unspecified units": setting(RescaleType=("HU", "US")),
    "HU beside raw values": raw_beside,
    "nothing but the instance number": setting(),
}
CLASSIC_MR = {
    "echoes": setting(EchoNumbers=(1, 2), EchoTime=("4.92", "7.38")),
    "echo times alone": setting(EchoTime=("4.92", "7.38")),
    "magnitude and phase": setting(ImageType=(["ORIGINAL", "PRIMARY", "M", "ND"], ["ORIGINAL", "PRIMARY", "P", "ND"])),
    "magnitude and phase by component": setting(ComplexImageComponent=("MAGNITUDE", "PHASE")),
    "b-values": setting(DiffusionBValue=(0.0, 1000.0)),
    "cardiac phases": setting(NominalPercentageOfCardiacPhase=(35.0, 75.0)),
    "respiratory phases": setting(NominalPercentageOfRespiratoryPhase=(0.0, 50.0)),
    "gradient directions": setting(
        DiffusionBValue=(1000.0, 1000.0), DiffusionGradientOrientation=([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    ),
    "inversion times": setting(InversionTime=("100", "900")),
}
FRAMES_MR = {
    "frames: echoes": frame("MREchoSequence", EffectiveEchoTime=(4.92, 7.38)),
    "frames: temporal positions": frame("FrameContentSequence", TemporalPositionIndex=(1, 2)),
    "frames: acquisitions": frame("FrameContentSequence", FrameAcquisitionNumber=(1, 2)),
    "frames: times": frame("FrameContentSequence", FrameAcquisitionDateTime=("20200101120000", "20200101120010")),
    "frames: magnitude and phase": frame("MRImageFrameTypeSequence", ComplexImageComponent=("MAGNITUDE", "PHASE")),
    "frames: b-values": frame("MRDiffusionSequence", DiffusionBValue=(0.0, 1000.0)),
    "frames: gradient directions": frame("MRDiffusionSequence", DiffusionGradientDirectionSequence=(
        item(DiffusionGradientOrientation=[1.0, 0.0, 0.0]), item(DiffusionGradientOrientation=[0.0, 1.0, 0.0]))),
    "frames: cardiac phases": frame("CardiacSynchronizationSequence", NominalPercentageOfCardiacPhase=(35.0, 75.0)),
    "frames: trigger delays": frame("CardiacSynchronizationSequence", NominalCardiacTriggerDelayTime=(0.0, 40.0)),
    "frames: respiratory phases": frame("RespiratorySynchronizationSequence", NominalPercentageOfRespiratoryPhase=(0.0, 50.0)),
}  # fmt: skip
FRAMES_CT = {
    "frames: energies": frame("CTXRayDetailsSequence", KVP=(80.0, 140.0)),
    "frames: kernels": frame("CTReconstructionSequence", ConvolutionKernel=("B30f", "B70f")),
    "frames: units": frame("PixelValueTransformationSequence", RescaleType=("HU", "US")),
    "frames: derived": frame("CTImageFrameTypeSequence", FrameType=(
        ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"], ["DERIVED", "PRIMARY", "VOLUME", "ENERGY_PROP_WT"])),
}  # fmt: skip


def makers():
    """Name of a kind: what writes it into a folder."""
    made = {}
    for kinds, write, modality in (
        (CLASSIC_CT, classic, "CT"),
        (CLASSIC_MR, classic, "MR"),
        (FRAMES_MR, enhanced, "MR"),
        (FRAMES_CT, enhanced, "CT"),
    ):
        for name, dress in kinds.items():
            made[name] = lambda folder, write=write, dress=dress, modality=modality: write(folder, dress, modality)
    made["classic and enhanced copies"] = copies
    return made
