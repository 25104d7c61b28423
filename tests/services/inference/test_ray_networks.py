"""Networks on a Ray cluster. Ray is no part of the environment of the tests: pip install .[scale]."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.domain.errors import EngineAwayError, EngineBusyError
from core.domain.explanations import Method
from core.domain.radiograph import Polarity
from core.imaging.read import read_radiograph
from core.services.inference.detecting import DetectService
from core.services.inference.explaining import ExplainService
from core.services.inference.without_it import WithoutItService
from tests.artefacts import FolderModels, write_artefact
from tests.workplace import radiograph_png

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install .[scale]")
pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own


@pytest.fixture
def networks_with() -> Iterator[Callable[..., Any]]:
    from core.services.inference.ray_networks import RayNetworks

    yield RayNetworks
    ray.serve.shutdown()
    ray.shutdown()


@pytest.fixture
def networks(networks_with: Callable[..., Any]) -> Any:
    return networks_with(most_replicas=2)


def test_a_cluster_detects_as_this_process_does_also_after_a_replica_was_killed(
    networks: Any, tmp_path: Path
) -> None:
    models = FolderModels(write_artefact(tmp_path / "weld", score_spread=1.0))
    radiograph = read_radiograph(radiograph_png(1), "film.png", polarity=Polarity.FILM)
    here = DetectService(models, device="cpu").detect(radiograph, "film.png", model="weld")
    there = DetectService(models, device="cpu", elsewhere=networks.engine_for)
    for is_killed in (False, True):
        if is_killed:
            _kill_replicas()
        found = there.detect(radiograph, "film.png", model="weld")
        np.testing.assert_allclose(found.detections.boxes, here.detections.boxes, atol=1e-3)
        np.testing.assert_allclose(found.detections.probabilities, here.detections.probabilities, atol=1e-5)


def test_a_cluster_explains_as_this_process_does_and_raises_what_the_work_raises(
    networks: Any, tmp_path: Path
) -> None:
    models = FolderModels(write_artefact(tmp_path / "weld", score_spread=1.0))
    radiograph = read_radiograph(radiograph_png(1), "film.png", polarity=Polarity.FILM)
    found = []
    for elsewhere in (None, networks.engine_for):
        detect = DetectService(models, device="cpu", elsewhere=elsewhere)
        result = detect.detect(radiograph, "film.png", model="weld")
        explain, methods = ExplainService(detect), (Method.GRADCAM, Method.INTEGRATED)
        maps = [explain.explain(result, 0, method).values for method in methods]
        after = WithoutItService(detect).without(result, 0).after
        found.append((maps, after, explain.agreement(result, 0, methods).methods))
    here, there = found
    for mine, theirs in zip(here[0], there[0], strict=True):
        np.testing.assert_allclose(theirs, mine, atol=1e-5)
    assert there[1] == pytest.approx(here[1], abs=1e-5)
    assert there[2] == here[2]
    with pytest.raises(ValueError, match="^the box is odd$"):
        detect.ask(result.model, partial(_odd, "the box is odd"))


def test_a_full_cluster_refuses_and_takes_again_when_there_is_room(
    networks_with: Callable[..., Any], tmp_path: Path
) -> None:
    models = FolderModels(write_artefact(tmp_path / "weld", score_spread=1.0))
    detect = DetectService(
        models, device="cpu", elsewhere=networks_with(most_replicas=1, most_waiting=2).engine_for
    )
    radiograph = read_radiograph(radiograph_png(1), "film.png", polarity=Polarity.FILM)
    result = detect.detect(radiograph, "film.png", model="weld")
    with ThreadPoolExecutor(24) as pool:
        asked = [pool.submit(detect.ask, result.model, partial(_slept, 3.0)) for _ in range(24)]
        refused = [one for one in asked if isinstance(one.exception(), EngineBusyError)]
    assert 0 < len(refused) < 24
    assert len(detect.detect(radiograph, "film.png", model="weld").detections) == len(result.detections)


def test_a_version_that_finds_no_room_on_the_cluster_says_so(
    networks_with: Callable[..., Any], tmp_path: Path
) -> None:
    models = FolderModels(write_artefact(tmp_path / "weld", score_spread=1.0))
    networks = networks_with(gpus_each=1.0, start_within_s=5.0)
    ray.init(num_cpus=2, num_gpus=0, namespace="radikal", log_to_driver=False, include_dashboard=False)
    detect = DetectService(models, device="cpu", elsewhere=networks.engine_for)
    radiograph = read_radiograph(radiograph_png(1), "film.png", polarity=Polarity.FILM)
    with pytest.raises(EngineAwayError, match="no room for weld-v1-.* a CPU and 1 of a GPU"):
        detect.detect(radiograph, "film.png", model="weld")


def _odd(words: str, detector: object) -> None:
    raise ValueError(words)


def _slept(seconds: float, detector: object) -> None:
    time.sleep(seconds)


def _kill_replicas() -> None:
    import psutil

    killed = [
        one
        for one in psutil.process_iter(["cmdline"])
        if any("ServeReplica" in part for part in one.info["cmdline"] or ())
    ]
    assert killed
    for one in killed:
        one.kill()
    time.sleep(0.2)
