"""Functional groups of enhanced DICOM files (PS3.3 section C.7.6.16): values of one frame or of all."""

from pydicom.dataset import Dataset

SHARED, PER_FRAME = "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"
#: What is read of a data set, and the macro that holds it in an enhanced file.
_MACROS = {
    "PixelSpacing": "PixelMeasuresSequence",
    "RescaleSlope": "PixelValueTransformationSequence",
    "RescaleIntercept": "PixelValueTransformationSequence",
    "ImagerPixelSpacing": "FramePixelDataPropertiesSequence",
    "PixelIntensityRelationshipSign": "FramePixelDataPropertiesSequence",
}


def from_functional_groups(dataset: Dataset, index: int) -> None:
    """Put spacing, rescale and intensity sign of frame `index`, from 0, where ordinary files have them.

    What is said of the frame wins over what is said of all frames, and both over the same element outside of
    the groups. Files without functional groups stay as they are.
    """
    for groups, place in ((SHARED, 0), (PER_FRAME, index)):
        items = dataset.get(groups) or ()
        if place >= len(items):
            continue
        for keyword, macro in _MACROS.items():
            if (inner := items[place].get(macro)) and keyword in inner[0]:
                dataset[keyword] = inner[0][keyword]
