"""Mutated pictures, read here and by pydicom, tifffile or Pillow: refused, or the same grey values.

RADIKAL_FUZZ_INPUTS says how many, RADIKAL_FUZZ_FIRST with which number to begin.
"""

import io
import json
import logging
import os
import warnings
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
import tifffile

from core.domain.errors import UnreadableImageError
from core.imaging.sniff import FileFormat, sniff
from tests.fuzz.mutations import mutated_picture
from tests.imaging.differential.references import by_pillow, by_pydicom, difference, luma_of, ours

N_INPUTS = int(os.environ.get("RADIKAL_FUZZ_INPUTS", "500"))
FIRST = int(os.environ.get("RADIKAL_FUZZ_FIRST", "1"))
#: Luma of 16 bit in fixed point; JPEG and palettes.
_TOLERANCE = 4.0


def reference_of(data: bytes) -> list[np.ndarray] | None:
    """The same pictures by the library that owns the format; None where it reads none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            match sniff(data):
                case FileFormat.DICOM:
                    return list(by_pydicom(data))
                case FileFormat.TIFF:
                    return _pages(data)
                case FileFormat.NUMPY:
                    array = np.load(io.BytesIO(data), allow_pickle=False)
                    return list(array.reshape(-1, *array.shape[-2:]).astype(np.float64))
                case _:
                    return [luma_of(by_pillow(data))]
        except Exception:  # noqa: BLE001 - a reference may fail in any way on a broken file
            return None


def _pages(data: bytes) -> list[np.ndarray] | None:
    """The first page; None where tifffile reads another picture than the first, or turns it round."""
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        page = tiff.pages[0]
        planes = page.asarray()
        if page.subfiletype or page.subifds or int(page.photometric) not in (1, 2) or page.bitspersample < 8:
            return None
        return [luma_of(planes)] if planes.ndim == 2 or int(page.planarconfig) == 1 else None


def outcome(data: bytes, name: str) -> str:
    """ "refused", "alone", "same", or the difference."""
    try:
        radiographs = ours(data, name)
    except UnreadableImageError:
        return "refused"
    expected = reference_of(data)
    if expected is None or "padding pixels" in " ".join(radiographs[0].notes):  # no reference fills padding
        return "alone"
    if radiographs[0].pixels.shape != expected[0].shape:
        return f"another size: {radiographs[0].pixels.shape}, the reference {expected[0].shape}"
    off = difference(radiographs[0], expected[0])
    return "same" if off <= _TOLERANCE else f"off by {off:g}"


@pytest.mark.slow
def test_no_mutated_picture_is_read_as_other_grey_values_than_its_library_reads(
    capsys: pytest.CaptureFixture[str], record_property: Callable[[str, object], None]
) -> None:
    logging.disable(logging.CRITICAL)
    counts: Counter[str] = Counter()
    different = []
    for number in range(FIRST, FIRST + N_INPUTS):
        name, data = mutated_picture(number)
        found = outcome(data, name)
        counts[found if found in ("refused", "alone", "same") else "different"] += 1
        if found not in ("refused", "alone", "same"):
            different.append(f"picture {number} ({name}): {found}")
    logging.disable(logging.NOTSET)
    record_property("n_pictures", N_INPUTS)
    record_property("outcomes", json.dumps(counts))
    with capsys.disabled():
        print(f"\n{N_INPUTS} mutated pictures from number {FIRST}: {dict(counts)}")
    assert different == []
