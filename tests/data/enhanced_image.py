"""Slices of Hounsfield values -> one conformant Enhanced CT or MR Image instance (DICOM PS3.3 A.38, A.36): frames of one stack.

As `ct_image`: the same arguments give the same bytes.
"""

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import EnhancedCTImageStorage, EnhancedMRImageStorage

from ct_image import common, decimal, pixels

FRAME_TYPE = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
WHEN = "20200101120000"


def item(**attributes):
    """A sequence of one item."""
    d = Dataset()
    for keyword, value in attributes.items():
        setattr(d, keyword, value)
    return Sequence([d])


def code(value, scheme, meaning):
    return item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


def properties(d):
    """What an image, and each type of frames, says of its pixels."""
    d.PixelPresentation, d.VolumetricProperties, d.VolumeBasedCalculationTechnique = "MONOCHROME", "VOLUME", "NONE"


def multi_frame(scan, number, frames, modality="CT"):
    """The dataset of instance `number` (from 1), whose frames are `frames`: (index of the slice, HU as rows x columns) in any order."""
    d = common(scan, 1, "VOLUME")
    d.ImageType = FRAME_TYPE
    d.SOPClassUID = EnhancedCTImageStorage if modality == "CT" else EnhancedMRImageStorage
    d.SOPInstanceUID, d.InstanceNumber = scan.uid("instance", number), number
    d.Modality, d.DeviceSerialNumber, d.SoftwareVersions = modality, "4711", "1"
    d.AcquisitionDateTime, d.AcquisitionDuration = WHEN, 1.0
    d.ContentQualification, d.BurnedInAnnotation, d.PresentationLUTShape = "PRODUCT", "NO", "IDENTITY"
    d.AcquisitionContextSequence = Sequence()
    properties(d)
    pixels(d, scan, frames[0][1], ("40", "400"))
    del d.WindowCenter, d.WindowWidth, d.RescaleIntercept, d.RescaleSlope, d.RescaleType, d.KVP
    d.PixelData = b"".join(scan.storage.stored(hu).tobytes() for _, hu in frames)
    d.LossyImageCompression, d.NumberOfFrames = "00", len(frames)
    organization = scan.uid("dimensions")
    d.DimensionOrganizationSequence = item(DimensionOrganizationUID=organization)
    d.DimensionIndexSequence = Sequence(
        item(DimensionOrganizationUID=organization, DimensionIndexPointer=pointer, FunctionalGroupPointer=0x00209111)[0]
        for pointer in (0x00209056, 0x00209057)
    )
    order = sorted(index for index, _ in frames)
    d.SharedFunctionalGroupsSequence = shared(scan, modality)
    d.PerFrameFunctionalGroupsSequence = Sequence(
        frame(scan, index, order.index(index) + 1, hu.shape) for index, hu in frames
    )
    return d


def shared(scan, modality):
    dz, dy, dx = scan.spacing_mm
    frame_type = item(FrameType=FRAME_TYPE)
    properties(frame_type[0])
    groups = item(
        PixelMeasuresSequence=item(PixelSpacing=[decimal(dy), decimal(dx)], SliceThickness=decimal(dz)),
        PlaneOrientationSequence=item(ImageOrientationPatient=["1", "0", "0", "0", "1", "0"]),
        FrameVOILUTSequence=item(WindowCenter="40", WindowWidth="400"),
        FrameAnatomySequence=item(FrameLaterality="U", AnatomicRegionSequence=code("69536005", "SCT", "Head")),
    )
    if modality == "CT":
        groups[0].CTImageFrameTypeSequence = frame_type
        groups[0].CTAcquisitionTypeSequence = item(
            AcquisitionType="SEQUENCED", ConstantVolumeFlag="NO", FluoroscopyFlag="NO"
        )
        for name, attributes in ct_macros(dy, dx).items():
            setattr(groups[0], name, item(**attributes))
    else:
        frame_type[0].ComplexImageComponent, frame_type[0].AcquisitionContrast = "MAGNITUDE", "T1"
        groups[0].MRImageFrameTypeSequence = frame_type
    return groups


def ct_macros(dy, dx):
    """What original CT frames must say of the scanner."""
    phantom = code("113690", "DCM", "IEC Head Dosimetry Phantom")
    return {
        "CTAcquisitionDetailsSequence": {
            "RotationDirection": "CW", "RevolutionTime": 1.0, "SingleCollimationWidth": 1.0, "TotalCollimationWidth": 1.0,
            "TableHeight": 0.0, "GantryDetectorTilt": 0.0, "DataCollectionDiameter": 500.0,
        },
        "CTTableDynamicsSequence": {"TableSpeed": 1.0, "TableFeedPerRotation": 1.0, "SpiralPitchFactor": 1.0},
        "CTPositionSequence": {
            "TablePosition": 0.0, "DataCollectionCenterPatient": [0.0] * 3, "ReconstructionTargetCenterPatient": [0.0] * 3,
        },
        "CTGeometrySequence": {"DistanceSourceToDetector": 1000.0, "DistanceSourceToDataCollectionCenter": 500.0},
        "CTReconstructionSequence": {
            "ReconstructionAlgorithm": "FILTER_BACK_PROJ", "ConvolutionKernel": "H40", "ConvolutionKernelGroup": "BRAIN",
            "ReconstructionFieldOfView": [200.0, 200.0], "ReconstructionPixelSpacing": [dy, dx], "ReconstructionAngle": 360.0,
            "ImageFilter": "NONE",
        },
        "CTExposureSequence": {
            "ExposureTimeInms": 100.0, "XRayTubeCurrentInmA": 100.0, "ExposureInmAs": 10.0,
            "ExposureModulationType": "NONE", "CTDIvol": 10.0, "CTDIPhantomTypeCodeSequence": phantom,
        },
        "CTXRayDetailsSequence": {"KVP": 120.0, "FocalSpots": [1.0], "FilterType": "NONE", "FilterMaterial": "NONE"},
    }  # fmt: skip


def frame(scan, index, place, shape):
    dz, dy, dx = scan.spacing_mm
    rows, columns = shape
    position = (-dx * (columns - 1) / 2, -dy * (rows - 1) / 2, dz * (index - (scan.slices - 1) / 2))
    content = item(
        FrameAcquisitionNumber=1, FrameReferenceDateTime=WHEN, FrameAcquisitionDateTime=WHEN, FrameAcquisitionDuration=1.0,
        StackID="1", InStackPositionNumber=place, DimensionIndexValues=[1, place], FrameComments=scan.patient,
    )  # fmt: skip
    return item(
        FrameContentSequence=content,
        PlanePositionSequence=item(ImagePositionPatient=[decimal(v) for v in position]),
        PixelValueTransformationSequence=item(
            RescaleIntercept=decimal(scan.storage.intercept), RescaleSlope="1", RescaleType="HU"
        ),
        IrradiationEventIdentificationSequence=item(IrradiationEventUID=scan.uid("event")),
    )[0]
