"""With a detector whose score is the darkness of the image, and on a tiny real network."""

import numpy as np
import pytest
import torch
from torch import nn

from core.domain.detections import CellOrigin, Detections, View
from core.domain.explanations import Fill
from core.domain.indication import IndicationClass
from core.domain.radiograph import Polarity
from core.engine.detector import SCORE_FLOOR, Detector, Request
from core.engine.network import IndicationNetwork
from core.explain.reading_again import CONTEXT_PX, scores_at, views_around
from core.explain.without_region import read_box_without, read_without
from tests.artefacts import TINY

WHOLE = View(0, 0, 640, 480)
BOX = np.array([300, 200, 330, 228], np.float32)
ORIGIN = CellOrigin(WHOLE, 0, 50, 78)
#: Where the part begins that is read for the box.
CORNER = next((v.x0, v.y0) for v in views_around(BOX, ORIGIN, (480, 640)))


@pytest.fixture(scope="module")
def detector() -> Detector:
    torch.manual_seed(0)
    network = IndicationNetwork(TINY)
    nn.init.normal_(network.score.weight, std=0.5)
    return Detector(network, Polarity.FILM, torch.device("cpu"), dtype=torch.float32)


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return np.random.default_rng(0).random((480, 640), np.float32)


def test_the_surroundings_lie_on_the_grid_of_the_view_and_hold_the_context() -> None:
    view = View(100, 30, 1124, 1054)
    (around,) = views_around(
        np.array([500, 600, 540, 630], np.float32), CellOrigin(view, 0, 1, 1), (1300, 5000)
    )
    assert (around.x0 - 100) % 32 == (around.y0 - 30) % 32 == 0
    assert around.x0 <= 500 - CONTEXT_PX
    assert around.x1 >= 540 + CONTEXT_PX
    assert around.x1 - around.x0 <= 40 + 2 * CONTEXT_PX + 64


def test_a_box_of_the_coarse_pass_is_read_at_its_scale_too() -> None:
    view = View(0, 0, 5000, 1300, 0.25)
    full, coarse = views_around(
        np.array([500, 600, 1500, 630], np.float32), CellOrigin(view, 0, 1, 1), (1300, 5000)
    )
    assert (full.scale, coarse.scale) == (1.0, 0.25)
    assert (coarse.x1 - coarse.x0) % 128 == 0


def test_what_is_read_again_is_what_the_whole_view_gives(detector: Detector, image: np.ndarray) -> None:
    found = detector.detect(image)
    close = [
        abs(scores_at(detector, [image], box, views_around(box, origin, image.shape))[0] - score)
        for box, origin, score in zip(found.boxes[:5], found.origins[:5], found.scores[:5], strict=True)
    ]
    assert max(close) < 0.05


def test_only_the_views_that_are_asked_for_are_read(detector: Detector, image: np.ndarray) -> None:
    part = View(64, 96, 192, 224)
    (found,) = detector.detect_many([Request(image, SCORE_FLOOR, (part,))])
    assert len(found)
    assert all(origin.view == part for origin in found.origins)
    assert (found.boxes[:, [0, 1]] >= (64, 96)).all()
    assert (found.boxes[:, [2, 3]] <= (192, 224)).all()


class _Darkness(Detector):
    """Reports one box with the darkness of its middle as score, wherever the part of the image begins."""

    def detect_many(self, requests):
        found = []
        for request in requests:
            part = request.image
            left, top = (0, 0) if part.shape == (480, 640) else CORNER
            dark = 1 - float(part[205 - top : 222 - top, 305 - left : 325 - left].mean())
            found.append(
                Detections(
                    BOX[None] - np.array([left, top] * 2, np.float32),
                    np.array([max(0.0, dark)], np.float32),
                    (IndicationClass.UNCLASSIFIED,),
                    (ORIGIN,),
                )
            )
        return found


@pytest.fixture(scope="module")
def darkness() -> Detector:
    return _Darkness(IndicationNetwork(TINY), Polarity.FILM, torch.device("cpu"))


def _flawed() -> np.ndarray:
    image = np.full((480, 640), 0.8, np.float32)
    image[200:228, 300:330] = 0.1
    return image


def test_a_call_that_rests_on_the_flaw_falls_without_it(darkness: Detector) -> None:
    image = _flawed()
    scores = read_without(darkness, image, darkness.detect(image), 0, seed=1)
    assert scores.before == pytest.approx(0.9, abs=1e-3)
    assert set(scores.after) == set(Fill)
    assert all(after == pytest.approx(0.2, abs=0.02) for after in scores.after.values())


def test_another_region_may_be_hidden(darkness: Detector) -> None:
    elsewhere = np.array([10, 10, 60, 60], np.float32)
    scores = read_box_without(darkness, _flawed(), BOX, ORIGIN, seed=1, hidden=elsewhere)
    assert all(after == scores.before for after in scores.after.values())


def test_a_box_elsewhere_does_not_count(detector: Detector, image: np.ndarray) -> None:
    far = np.array([10, 10, 12, 12], np.float32)
    assert scores_at(
        _Darkness(detector.network, Polarity.FILM, torch.device("cpu")), [image], far, (WHOLE,)
    ) == [0.0]


def test_the_same_seed_gives_the_same_answer(detector: Detector, image: np.ndarray) -> None:
    found = detector.detect(image)
    assert read_without(detector, image, found, 0, seed=4) == read_without(detector, image, found, 0, seed=4)


@pytest.mark.parametrize("index", [-1, 10_000])
def test_a_detection_that_is_not_there_is_refused(detector: Detector, image: np.ndarray, index: int) -> None:
    with pytest.raises(IndexError, match="detection"):
        read_without(detector, image, detector.detect(image), index, seed=1)
