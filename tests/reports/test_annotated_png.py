"""The radiograph with boxes drawn on it."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from core.domain.inspection import DetectionResult, HeatMap
from core.domain.outline import Outline
from core.domain.radiograph import Polarity, Radiograph
from core.reports.annotated_png import annotated_png
from tests.reports.test_detection_json import result


def drawn(analysis: DetectionResult, **options: object) -> np.ndarray:
    """The PNG decoded, RGB."""
    data = np.frombuffer(annotated_png(analysis, **options), np.uint8)
    return cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def coloured(picture: np.ndarray) -> np.ndarray:
    """Where a pixel is not grey."""
    spread = picture.max(axis=2).astype(int) - picture.min(axis=2)
    return spread > 20


def test_keeps_the_resolution_and_is_grey_where_nothing_is_drawn() -> None:
    picture = drawn(result(n=0), threshold=0.1)
    assert picture.shape == (64, 96, 3)
    assert not coloured(picture).any()


@pytest.mark.parametrize(("threshold", "is_drawn"), [(0.3, True), (0.31, False)])
def test_draws_boxes_at_or_above_the_threshold(threshold: float, is_drawn: bool) -> None:
    around_the_second = coloured(drawn(result(), threshold=threshold))[36:64, 36:48]
    assert around_the_second.any() == is_drawn


def test_the_inside_of_a_box_stays_visible() -> None:
    plain, boxed = drawn(result(n=0), threshold=0.1), drawn(result(), threshold=0.1)
    assert (boxed[44:56, 41:43] == plain[44:56, 41:43]).all()


def test_a_map_colours_its_region_only_and_may_reach_over_the_edge() -> None:
    values = np.ones((20, 20), np.float32)
    picture = drawn(result(n=0), threshold=0.1, heat_map=HeatMap(values, -5, 50, 1.0))
    assert coloured(picture)[52:62, 2:12].all()
    assert not coloured(picture)[:48].any()


def test_an_empty_map_changes_nothing() -> None:
    empty = HeatMap(np.zeros((20, 20), np.float32), 5, 5, 0.0)
    assert (drawn(result(), threshold=0.1, heat_map=empty) == drawn(result(), threshold=0.1)).all()


def test_refuses_uncalibrated_detections() -> None:
    calibrated = result()
    raw = replace(calibrated, detections=replace(calibrated.detections, probabilities=None))
    with pytest.raises(ValueError, match="not calibrated"):
        annotated_png(raw, threshold=0.5)


def test_float_radiographs_can_be_drawn() -> None:
    analysis = result()
    pixels = np.linspace(-1, 1, 64 * 96).reshape(64, 96).astype(np.float32)
    as_float = Radiograph(pixels, 32, Polarity.FILM, None, "cd" * 32, "TIFF")
    assert drawn(replace(analysis, radiograph=as_float), threshold=0.9).shape == (64, 96, 3)


def test_an_outline_is_drawn_within_its_box() -> None:
    analysis = result()
    outline = Outline(42, 46, 2, np.ones((3, 1), np.bool_), 6.0, 2.0, 90.0)
    outlined = replace(analysis, detections=replace(analysis.detections, outlines=(None, outline)))
    is_changed = (drawn(outlined, threshold=0.1) != drawn(analysis, threshold=0.1)).any(axis=2)
    rows, columns = np.nonzero(is_changed)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (46, 51, 42, 43)
