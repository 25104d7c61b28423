"""The data files that come with pydicom, read by both; nothing is downloaded."""

import io
from pathlib import Path

import numpy as np
import pydicom
import pytest

from core.domain.radiograph import Radiograph
from tests.fuzz.worker import LONGEST_MESSAGE
from tests.imaging.differential.references import (
    LUMA_TOLERANCE,
    by_pydicom,
    difference,
    ours,
    refusal,
    shifted_back,
)

FOLDER = Path(pydicom.__file__).parent / "data" / "test_files"
FILES = sorted(path for path in FOLDER.glob("*") if path.suffix == ".dcm")
#: Read by pydicom and refused here, with the reason.
REFUSED = {"GDCMJ2K_TextGBR.dcm": "the compressed frame is cut off"}


def expected_of(data: bytes) -> np.ndarray | None:
    """What pydicom reads; None where it does not."""
    try:
        return by_pydicom(data)
    except Exception:  # noqa: BLE001 - whatever pydicom raises on its own bad files
        return None


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_is_read_as_pydicom_reads_it_or_refused_in_one_line(path):
    data = path.read_bytes()
    expected = expected_of(data)
    if told := refusal(data, path.name):
        assert expected is None or REFUSED[path.name] in told
        assert told.isprintable()
        assert len(told) <= LONGEST_MESSAGE
        return
    found = ours(data, path.name)
    assert path.name not in REFUSED
    assert expected is not None, "pydicom does not read it"
    assert len(found) == len(expected)
    for radiograph, frame in zip(found, expected, strict=True):
        is_colour = "colour converted to grey" in radiograph.notes
        tolerance = LUMA_TOLERANCE.get(radiograph.bit_depth, 128.0) if is_colour else 1e-3
        assert difference(radiograph, without_padding(data, radiograph, frame)) <= tolerance


def without_padding(data: bytes, radiograph: Radiograph, frame: np.ndarray) -> np.ndarray:
    """The frame, but padding as it is read here: a note says that it takes the nearest value."""
    if not any("padding pixels set to" in note for note in radiograph.notes):
        return frame
    dataset = pydicom.dcmread(io.BytesIO(data))
    is_padding = dataset.pixel_array == dataset.PixelPaddingValue
    assert np.count_nonzero(is_padding) < 0.01 * is_padding.size
    return np.where(is_padding, shifted_back(radiograph), frame)


def test_pydicom_brings_enough_files_to_compare():
    n_compared = sum(expected_of(path.read_bytes()) is not None for path in FILES)
    assert n_compared >= 55
