"""The JSON of one analysed radiograph."""

import json
from dataclasses import replace

import numpy as np
import pytest

from core.domain.detections import CellOrigin, Detections, View
from core.domain.familiarity import Familiarity
from core.domain.indication import IndicationClass
from core.domain.inspection import DetectionResult
from core.domain.model_version import CalibrationRecord, ModelVersion
from core.domain.outline import Outline
from core.domain.radiograph import PitchSource, PixelPitch, Polarity, Radiograph
from core.reports.detection_json import detection_to_dict


def result(*, pitch: PixelPitch | None = None, n: int = 2) -> DetectionResult:
    """An analysis with `n` boxes, the first a crack."""
    calibration = CalibrationRecord("0123456789ab", "platt", (1.0, 0.0), 0.05, 0.4, "three films")
    model = ModelVersion("weld", 2, "ab" * 32, Polarity.FILM, calibration, {"data_notice": "ours"})
    classes = (IndicationClass.CRACK, IndicationClass.UNCLASSIFIED)[:n]
    detections = Detections(
        np.array([[1, 2, 30.5, 12.25], [40, 40, 44, 60]], np.float32)[:n].reshape(-1, 4),
        np.array([0.9, 0.2], np.float32)[:n],
        classes,
        (CellOrigin(View(0, 0, 96, 64), 0, 1, 2),) * n,
        np.array([0.8, 0.3], np.float32)[:n],
    )
    pixels = np.linspace(0, 4095, 64 * 96).reshape(64, 96).astype(np.uint16)
    radiograph = Radiograph(pixels, 12, Polarity.FILM, pitch, "cd" * 32, "PNG")
    return DetectionResult("film.png", radiograph, model, detections, 123.456, "cpu")


def test_has_the_documented_keys_and_values() -> None:
    content = detection_to_dict(result(pitch=PixelPitch(0.05, PitchSource.FILE)), "in/film.png")
    assert content["image"] == {
        "path": "in/film.png",
        "sha256": "cd" * 32,
        "width": 96,
        "height": 64,
        "bit_depth": 12,
        "polarity": "film",
        "polarity_ground": "assumed",
        "mm_per_px": 0.05,
    }
    assert content["model"] == {"name": "weld", "version": 2, "sha256": "ab" * 32}
    assert content["calibration"] == {"id": "0123456789ab", "method": "platt", "score_cut": 0.05}
    assert content["operating_probability"] == 0.4
    assert content["elapsed_ms"] == 123.5
    assert content["detections"][0] == {
        "bbox": [1.0, 2.0, 30.5, 12.25],
        "class": "crack",
        "iso6520": "100",
        "score": 0.9,
        "probability": 0.8,
    }
    assert content["detections"][1]["iso6520"] is None


def test_is_plain_json_also_without_boxes_and_scale() -> None:
    content = detection_to_dict(result(n=0), "film.png")
    assert json.loads(json.dumps(content)) == content
    assert content["detections"] == []
    assert content["image"]["mm_per_px"] is None


def test_a_raw_score_is_never_passed_off_as_a_probability() -> None:
    calibrated = result()
    raw = replace(calibrated, detections=replace(calibrated.detections, probabilities=None))
    with pytest.raises(ValueError, match="not calibrated"):
        detection_to_dict(raw, "film.png")


def test_a_detection_has_an_outline_where_the_model_drew_one() -> None:
    drawn = Outline(1, 2, 2, np.ones((5, 14), np.bool_), 28.0, 10.0, 0.0)
    plain = result(pitch=PixelPitch(0.05, PitchSource.FILE))
    outlined = replace(plain, detections=replace(plain.detections, outlines=(drawn, None)))
    first, second = detection_to_dict(outlined, "film.png")["detections"]
    assert first["outline"] == drawn.to_dict(0.05)
    assert first["size"].keys() >= {"length_px", "width_px", "of", "length_mm", "width_mm"}
    assert "outline" not in second
    assert "size" not in second
    assert "outline" not in detection_to_dict(plain, "film.png")["detections"][0]


def test_outlines_go_with_their_detections() -> None:
    drawn = Outline(1, 2, 2, np.ones((5, 14), np.bool_), 28.0, 10.0, 0.0)
    found = replace(result().detections, outlines=(drawn, None))
    assert found.take([1, 0]).outlines == (None, drawn)
    assert found.above(0.5).outlines == (drawn,)
    with pytest.raises(ValueError, match="1 outlines"):
        replace(found, outlines=(drawn,))


def test_it_says_how_familiar_the_image_looks_where_the_version_can_tell() -> None:
    assert "familiarity" not in detection_to_dict(result(), "film.png")
    strange = replace(result(), familiarity=Familiarity(2.0, 1.5))
    content = detection_to_dict(strange, "film.png")
    assert content["familiarity"] == {"distance": 2.0, "limit": 1.5, "is_familiar": False}


def test_each_detection_says_whether_it_lies_in_the_zone_that_was_found() -> None:
    y = np.mgrid[:256, :1024][0]
    seam = (
        60 + 80 / (1 + np.exp((np.abs(y - 40.0) - 20) / 2)) + np.random.default_rng(3).normal(0, 4, y.shape)
    )
    made = result()
    film = replace(made.radiograph, pixels=seam.astype(np.uint16))
    boxes = np.array([[1, 30, 30.5, 42.25], [40, 200, 44, 220]], np.float32)
    content = detection_to_dict(
        replace(made, radiograph=film, detections=replace(made.detections, boxes=boxes)), "film.png"
    )
    assert content["zone"]["is_band"]
    assert [found["in_zone"] for found in content["detections"]] == [True, False]
    assert "zone" not in detection_to_dict(made, "film.png")
    assert all("in_zone" not in found for found in detection_to_dict(made, "film.png")["detections"])
