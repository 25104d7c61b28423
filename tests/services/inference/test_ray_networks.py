"""Networks on a Ray cluster. Ray is no part of the environment of the tests: pip install .[scale]."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.domain.accounts import COMMAND_LINE, Role
from core.domain.errors import EngineAwayError, EngineBusyError
from core.domain.explanations import Method
from core.domain.radiograph import Polarity
from core.imaging.read import read_radiograph
from core.services.inference.detecting import DetectService
from core.services.inference.explaining import ExplainService
from core.services.inference.without_it import WithoutItService
from core.services.intake.asked import Asked
from core.services.intake.intake_jobs import n_reported
from core.services.lifecycle.alias_moves import Move
from tests.artefacts import FolderModels, write_artefact
from tests.records import add_user
from tests.workplace import close_workplace, incoming, make_workplace, radiograph_png

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install .[scale]")
serve = pytest.importorskip("ray.serve")
pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """One for all tests here: threads of Ray Serve outlive a session, and disturb a second one."""
    ray.init(num_cpus=4, num_gpus=0, namespace="radikal", log_to_driver=False, include_dashboard=False)
    yield
    serve.shutdown()
    ray.shutdown()


@pytest.fixture
def networks_with() -> Iterator[Callable[..., Any]]:
    from core.services.inference.ray_networks import RayNetworks

    yield RayNetworks
    for name in serve.status().applications:
        serve.delete(name)


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
    detect = DetectService(models, device="cpu", elsewhere=networks.engine_for)
    radiograph = read_radiograph(radiograph_png(1), "film.png", polarity=Polarity.FILM)
    with pytest.raises(EngineAwayError, match="no room for weld-v1-.* a CPU and 1 of a GPU"):
        detect.detect(radiograph, "film.png", model="weld")


def test_champion_and_challenger_read_side_by_side_and_a_promotion_switches_without_a_restart(
    networks_with: Callable[..., Any], tmp_path: Path
) -> None:
    held = make_workplace(tmp_path, engine="ray", engine_replicas=1)
    services = held.services
    inspector, engineer = (add_user(services.store, role) for role in (Role.INSPECTOR, Role.ML_ENGINEER))
    try:
        services.registry.add(write_artefact(tmp_path / "new", seed=2, score_spread=0.0), alias="challenger")
        first = services.inspect_files.inspect(
            inspector, incoming("1.png", radiograph_png(1)), Asked("weld")
        ).inspection
        while services.shadow.read_next():
            pass
        found = services.shadow.summary(engineer, "weld")
        assert found is not None
        assert (found.champion, found.challenger, found.n_images, found.n_failed) == (1, 2, 1, 0)
        (reading,) = found.differing
        assert (reading.inspection_id, reading.n_champion) == (first.inspection_id, n_reported(first))
        assert reading.n_challenger != reading.n_champion
        versions = [services.registry.resolve("weld", version=number)[0] for number in (1, 2)]
        before = [services.detect.ask(one, _process) for one in versions]
        assert os.getpid() not in before
        assert len(set(before)) == 2
        states = {name: one.status.value for name, one in serve.status().applications.items()}
        assert states == {f"weld-v{one.version}-{one.sha256[:12]}": "RUNNING" for one in versions}

        services.promoting.force(COMMAND_LINE, Move("weld", 2, seen=1, note="v1 misses cracks"))
        second = services.inspect_files.inspect(
            inspector, incoming("2.png", radiograph_png(2)), Asked("weld")
        ).inspection
        assert (first.model.version, second.model.version) == (1, 2)
        assert [services.detect.ask(one, _process) for one in versions] == before
    finally:
        close_workplace(held)


def _process(detector: object) -> int:
    return os.getpid()


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
