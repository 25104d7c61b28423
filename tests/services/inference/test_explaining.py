import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.domain.detections import Detections
from core.domain.explanations import Belief, Method
from core.domain.inspection import DetectionResult
from core.domain.model_version import ModelVersion
from core.engine.detector import Detector, Request
from core.explain.box_gradcam import explain_box_nearby
from core.imaging.encode import encode_png
from core.imaging.read import read_radiograph
from core.services.inference.detecting import DetectService, normalised_for
from core.services.inference.explaining import ExplainService
from core.services.inference.without_it import WithoutItService
from tests.artefacts import FolderModels, write_artefact


@pytest.fixture(scope="module")
def detect(tmp_path_factory: pytest.TempPathFactory) -> DetectService:
    folder = write_artefact(tmp_path_factory.mktemp("explaining") / "weld-v1", score_spread=1.0)
    return DetectService(FolderModels(folder), device="cpu")


@pytest.fixture(scope="module")
def result(detect: DetectService) -> DetectionResult:
    pixels = np.random.default_rng(0).integers(0, 65535, (96, 128), np.uint16)
    return detect.detect(read_radiograph(encode_png(pixels), "noise.png"), "noise.png", model="weld")


def test_the_map_is_that_of_the_box_whatever_was_asked_before(
    detect: DetectService, result: DetectionResult
) -> None:
    service = ExplainService(detect)
    image = normalised_for(result.radiograph, result.model)
    detector = detect.detector_for(result.model)
    maps = [service.explain(result, index) for index in range(len(result.detections))]
    assert len(maps) == len(result.detections) > 2
    for index in (0, len(maps) - 1):
        expected = explain_box_nearby(detector, image, result.detections, index)
        again = service.explain(result, index)
        assert (again.values == expected.values).all()
        assert (maps[index].values == expected.values).all()
        assert (again.x0, again.y0, again.peak) == (expected.x0, expected.y0, expected.peak)


class Elsewhere:
    """An engine in another process, as far as pickling goes, with a detector of the same weights."""

    def __init__(self, version: ModelVersion, folder: Path) -> None:
        self._detector = Detector.load(folder / "weights.safetensors")
        self.asked = 0

    def detect(self, request: Request) -> Detections:
        return self._detector.detect_many([request])[0]

    def ask(self, work: Callable[[Detector], Any]) -> Any:
        self.asked += 1
        return pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(work))(self._detector)))


def test_what_another_machine_explains_is_what_this_process_would(tmp_path: Path) -> None:
    folder = write_artefact(tmp_path / "weld-v1", score_spread=1.0)
    engines: list[Elsewhere] = []

    def elsewhere(version: ModelVersion, folder: Path) -> Elsewhere:
        engines.append(Elsewhere(version, folder))
        return engines[-1]

    found = []
    for way in (None, elsewhere):
        detect = DetectService(FolderModels(folder), device="cpu", elsewhere=way)
        pixels = np.random.default_rng(0).integers(0, 65535, (96, 128), np.uint16)
        result = detect.detect(read_radiograph(encode_png(pixels), "noise.png"), "noise.png", model="weld")
        explain, methods = ExplainService(detect), (Method.GRADCAM, Method.INTEGRATED)
        maps = [explain.explain(result, 0, method).values for method in methods]
        without = WithoutItService(detect).without(result, 0)
        found.append((maps, explain.faithfulness(result, 0, Method.GRADCAM), without))
        agreed = explain.agreement(result, 0, methods)
        found[-1] += (agreed,)
    here, there = found
    for mine, theirs in zip(here[0], there[0], strict=True):
        np.testing.assert_allclose(theirs, mine, atol=1e-6)
    assert there[1:] == here[1:]
    assert engines[0].asked == 5  # two maps, a test, "without it", the agreement of maps already there


def test_another_image_never_gets_a_kept_map(detect: DetectService, result: DetectionResult) -> None:
    service = ExplainService(detect)
    service.explain(result, 0)
    other_pixels = np.random.default_rng(5).integers(0, 65535, (96, 128), np.uint16)
    other = detect.detect(read_radiograph(encode_png(other_pixels)), "other.png", model="weld")
    kept = service.explain(other, 0)
    fresh = ExplainService(detect).explain(other, 0)
    assert (kept.values == fresh.values).all()


@pytest.mark.parametrize("index", [-1, 10_000])
def test_a_box_that_is_not_there_is_refused(
    detect: DetectService, result: DetectionResult, index: int
) -> None:
    with pytest.raises(IndexError, match="detection"):
        ExplainService(detect).explain(result, index)


@pytest.mark.parametrize("method", list(Method))
def test_every_method_makes_a_map_once(
    detect: DetectService, result: DetectionResult, method: Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, index = ExplainService(detect), _small(result)
    monkeypatch.setattr("core.explain.methods.MASKS", 8)
    one = service.explain(result, index, method)
    assert service.explain(result, index, method) is one


def test_a_map_is_tested_once_and_maps_are_compared(detect: DetectService, result: DetectionResult) -> None:
    service, index = ExplainService(detect), _small(result)
    tested = service.faithfulness(result, index, Method.GRADCAM)
    assert service.faithfulness(result, index, Method.GRADCAM) is tested
    assert tested.belief in set(Belief)
    agreement = service.agreement(result, index, [Method.GRADCAM, Method.INTEGRATED])
    assert agreement is None or -1 <= agreement.rank_correlation <= 1
    assert service.agreement(result, index, [Method.GRADCAM]) is None


def test_many_threads_get_the_maps_that_one_would(detect: DetectService, result: DetectionResult) -> None:
    methods = [Method.GRADCAM, Method.INTEGRATED, Method.POOLED]
    alone = [ExplainService(detect).explain(result, _small(result), method).values for method in methods]
    service = ExplainService(detect)
    with ThreadPoolExecutor(6) as pool:
        together = list(
            pool.map(lambda i: service.explain(result, _small(result), methods[i % 3]).values, range(9))
        )
    assert all((values == alone[i % 3]).all() for i, values in enumerate(together))


def _small(result: DetectionResult) -> int:
    """A box that leaves background around it."""
    boxes = result.detections.boxes
    return int(np.argmin((boxes[:, 2:] - boxes[:, :2]).prod(axis=1)))
