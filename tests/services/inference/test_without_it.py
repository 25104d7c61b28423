from dataclasses import replace

import numpy as np
import pytest

from core.domain.explanations import Fill
from core.domain.inspection import DetectionResult
from core.engine.detector import Detector
from core.imaging.encode import encode_png
from core.imaging.read import read_radiograph
from core.services.inference.detecting import DetectService
from core.services.inference.without_it import WithoutItService, seed_of
from tests.artefacts import FolderModels, write_artefact


@pytest.fixture(scope="module")
def detect(tmp_path_factory: pytest.TempPathFactory) -> DetectService:
    folder = write_artefact(tmp_path_factory.mktemp("without") / "weld-v1", score_spread=1.0)
    return DetectService(FolderModels(folder), device="cpu")


@pytest.fixture(scope="module")
def result(detect: DetectService) -> DetectionResult:
    pixels = np.random.default_rng(0).integers(0, 65535, (96, 128), np.uint16)
    return detect.detect(read_radiograph(encode_png(pixels), "noise.png"), "noise.png", model="weld")


def test_it_begins_at_the_probability_that_was_reported(
    detect: DetectService, result: DetectionResult
) -> None:
    probabilities = result.detections.probabilities
    assert probabilities is not None
    answer = WithoutItService(detect).without(result, 0)
    assert answer.before == pytest.approx(float(probabilities[0]), abs=0.05)
    assert answer.listed == float(probabilities[0])
    assert set(answer.after) == set(Fill)


def test_the_answer_is_the_same_whoever_asks_and_read_once(
    detect: DetectService, result: DetectionResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = WithoutItService(detect)
    first = service.without(result, 0)
    assert WithoutItService(detect).without(result, 0) == first
    monkeypatch.setattr(Detector, "detect_many", lambda *_: pytest.fail("read once more"))
    assert service.without(result, 0) == first


def test_another_region_is_another_answer(detect: DetectService, result: DetectionResult) -> None:
    service = WithoutItService(detect)
    x1, y1, x2, y2 = result.detections.boxes[0].tolist()
    service.without(result, 0)
    far = [100.0, 80.0, 110.0, 90.0] if x1 < 60 else [2.0, 2.0, 12.0, 12.0]
    elsewhere = service.without(result, 0, hidden=far)
    assert elsewhere != service.without(result, 0)
    assert service.without(result, 0, hidden=[x1, y1, x2, y2]) == service.without(result, 0)


@pytest.mark.parametrize(
    ("hidden", "told"),
    [
        ([0, 0, 128, 96], "no background"),
        ([5, 5, 5, 9], "must lie in the image of 128 x 96 px"),
        ([200, 5, 210, 9], "must lie in the image"),
        ([1, 2, 3], "four numbers"),
        ([1, 2, 3, float("nan")], "four numbers"),
    ],
)
def test_a_region_that_cannot_be_hidden_is_refused(
    detect: DetectService, result: DetectionResult, hidden: list[float], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        WithoutItService(detect).without(result, 0, hidden=hidden)


@pytest.mark.parametrize("index", [-1, 10_000])
def test_a_box_that_is_not_there_is_refused(
    detect: DetectService, result: DetectionResult, index: int
) -> None:
    with pytest.raises(IndexError, match="detection"):
        WithoutItService(detect).without(result, index)


def test_the_seed_hangs_on_image_and_box_alone(result: DetectionResult) -> None:
    box = result.detections.boxes[0]
    assert seed_of("ab" * 32, box) == seed_of("ab" * 32, box.copy())
    assert seed_of("ab" * 32, box) != seed_of("cd" * 32, box)
    assert seed_of("ab" * 32, box) != seed_of("ab" * 32, box + 1)


def test_where_the_box_covers_the_image_nothing_can_be_said(
    detect: DetectService, result: DetectionResult
) -> None:
    whole = replace(result.detections.take([0]), boxes=np.array([[0, 0, 128, 96]], np.float32))
    with pytest.raises(ValueError, match="no background"):
        WithoutItService(detect).without(replace(result, detections=whole), 0)
