"""Measures: what they read in px and mm, and what is refused."""

import numpy as np
import pytest

from core.domain.errors import BadInputError
from core.domain.measures import Measure, MeasureKind, MeasureLine, measure_from, measure_lines, with_values
from core.domain.radiograph import PitchSource, PixelPitch

PITCH = PixelPitch(0.1, PitchSource.USER)
LENGTH = Measure("L1", MeasureKind.LENGTH, (0, 0), (30, 40))
REGION = Measure("R1", MeasureKind.REGION, (1, 1), (3, 4), is_background=True)


def test_a_length_is_told_in_mm_with_the_source_of_the_scale_else_in_px() -> None:
    assert measure_lines([LENGTH], PITCH) == (MeasureLine("L1", "length", "5.00 mm", "entered by the user"),)
    assert measure_lines([LENGTH], None) == (MeasureLine("L1", "length", "50.0 px", "no scale: in px"),)


def test_a_region_reads_the_px_whose_centres_lie_in_it() -> None:
    pixels = np.arange(60, dtype=np.uint16).reshape(6, 10)
    read = with_values(REGION, pixels)
    inside = pixels[1:4, 1:3].astype(float)
    assert (read.mean, read.sd) == pytest.approx((inside.mean(), inside.std(ddof=1)))
    (line,) = measure_lines([read], PITCH)
    assert (line.kind, line.value) == ("region, background", "mean 21.5, sd 8.961, 0.20 mm × 0.30 mm")


def test_a_region_outside_of_the_image_reads_nothing() -> None:
    outside = with_values(Measure("R1", MeasureKind.REGION, (90, 90), (99, 99)), np.zeros((4, 4), np.uint8))
    assert outside.mean is None
    assert measure_lines([outside], PITCH)[0].value == "outside of the image"


def test_a_measure_comes_back_as_it_was_kept() -> None:
    for one in (LENGTH, REGION, Measure("P2", MeasureKind.PROFILE, (0.5, 1), (7, 1), 9)):
        assert measure_from(one.to_dict()) == one


@pytest.mark.parametrize(
    "change",
    [{"measure_id": "<b>"}, {"kind": "angle"}, {"a": [0]}, {"a": [0, "x"]}, {"band_px": 500},
     {"b": [0, float("nan")]}],
)  # fmt: skip
def test_what_is_no_measure_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(BadInputError, match="measure"):
        measure_from(LENGTH.to_dict() | change)
