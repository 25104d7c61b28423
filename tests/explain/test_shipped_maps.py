"""On the shipped weld model and simulated flaws."""

import os
from pathlib import Path

import numpy as np
import pytest

from core.engine.detector import Detector
from core.evaluate.matching import match
from core.explain.box_gradcam import explain_box, explain_box_nearby
from core.imaging.normalise import normalise
from core.simulate.render import simulate_weld

WEIGHTS = Path(__file__).resolve().parents[2] / "models" / "checkpoints" / "weld-v1" / "weights.safetensors"
SEEDS = range(9_000_000, 9_000_004)


@pytest.fixture(scope="module")
def detector() -> Detector:
    if not WEIGHTS.is_file():
        reason = "models/checkpoints/weld-v1 is not there"
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return Detector.load(WEIGHTS)


def test_a_map_from_the_surroundings_of_the_box_is_that_of_the_whole_view(detector: Detector) -> None:
    radiograph = simulate_weld(SEEDS[0])
    image = normalise(radiograph.pixels, polarity=radiograph.polarity, model_polarity=detector.polarity)
    image = image[:, 1000:1800]
    found = detector.detect(image).above(0.1)
    assert len(found)
    whole, near = (make(detector, image, found, 0) for make in (explain_box, explain_box_nearby))
    assert near.values.shape == whole.values.shape
    assert np.corrcoef(near.values.ravel(), whole.values.ravel())[0, 1] > 0.98


@pytest.mark.slow
def test_maps_peak_in_their_boxes_far_more_often_than_chance(detector: Detector) -> None:
    hits, by_chance, explained = 0, 0.0, 0
    for seed in SEEDS:
        radiograph = simulate_weld(seed)
        image = normalise(radiograph.pixels, polarity=radiograph.polarity, model_polarity=detector.polarity)
        found = detector.detect(image).above(0.3)
        truth = np.array([flaw.bbox for flaw in radiograph.truth], np.float32).reshape(-1, 4)
        is_true = match(found.boxes, found.scores, truth).is_true
        for index in np.flatnonzero(is_true)[:12]:
            heat = explain_box(detector, image, found, int(index))
            if heat.is_empty:
                continue
            y, x = np.unravel_index(heat.values.argmax(), heat.values.shape)
            x1, y1, x2, y2 = found.boxes[index]
            hits += bool(x1 - 1 <= heat.x0 + x <= x2 + 1 and y1 - 1 <= heat.y0 + y <= y2 + 1)
            by_chance += float((x2 - x1) * (y2 - y1)) / heat.values.size
            explained += 1
    assert explained >= 5, "too few true detections to judge"
    assert hits / explained > 0.6
    assert hits > 1.5 * by_chance
