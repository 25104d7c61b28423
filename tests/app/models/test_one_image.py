"""One image in two versions: what each claims at each place, those that differ first."""

from dataclasses import replace

import numpy as np

from app.models.compare.one_image import version_places
from core.domain.indication import IndicationClass
from core.domain.inspection import DetectionResult
from tests.records import detection_result

CRACK, PORE = IndicationClass.CRACK, IndicationClass.POROSITY


def result(version: int, *boxes: tuple[float, float, IndicationClass]) -> DetectionResult:
    """Boxes of 10 px at x with a probability and a class; the operating probability is 0.4."""
    one = detection_result(version=version)
    corners = np.array([[x, 10, x + 10, 20] for x, _, _ in boxes], np.float32).reshape(-1, 4)
    found = replace(
        one.detections,
        boxes=corners,
        scores=np.array([p for _, p, _ in boxes], np.float32),
        classes=tuple(kind for _, _, kind in boxes),
        origins=one.detections.origins[:1] * len(boxes),
        probabilities=np.array([p for _, p, _ in boxes], np.float32),
    )
    return replace(one, detections=found)


def test_each_place_bears_the_class_of_both_versions() -> None:
    first = result(3, (0, 0.9, CRACK), (20, 0.8, PORE), (40, 0.5, PORE), (60, 0.2, PORE))
    second = result(4, (1, 0.7, PORE), (20, 0.8, PORE), (41, 0.3, CRACK), (80, 0.6, CRACK))
    places = version_places([first, second])
    assert [(one["group"], one["first"], one["second"]) for one in places] == [
        ("Only v3", "3 porosity 0.50", "4 crack 0.30, below"),
        ("Only v4", "–", "3 crack 0.60"),
        ("Other class", "1 crack 0.90", "2 porosity 0.70"),
        ("Both alike", "2 porosity 0.80", "1 porosity 0.80"),
    ]
    assert places[2]["difference"] == "v4: porosity instead of crack"
    assert places[2]["focus"] == [0, 10, 11, 20]


def test_what_neither_reports_is_no_place() -> None:
    assert version_places([result(3), result(4, (0, 0.1, PORE))]) == []
