"""Networks on a Ray cluster. Ray is no part of the environment of the tests: pip install .[scale]."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.domain.radiograph import Polarity
from core.imaging.read import read_radiograph
from core.services.inference.detecting import DetectService
from tests.artefacts import FolderModels, write_artefact
from tests.workplace import radiograph_png

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install .[scale]")
pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own


@pytest.fixture
def networks() -> Iterator[object]:
    from core.services.inference.ray_networks import RayNetworks

    yield RayNetworks(most_replicas=2)
    ray.serve.shutdown()
    ray.shutdown()


def test_a_cluster_detects_as_this_process_does_also_after_a_replica_was_killed(
    networks: object, tmp_path: Path
) -> None:
    models = FolderModels(write_artefact(tmp_path / "weld", score_spread=1.0))
    radiograph = read_radiograph(radiograph_png(1), "film.png", polarity=Polarity.FILM)
    here = DetectService(models, device="cpu").detect(radiograph, "film.png", model="weld")
    there = DetectService(models, device="cpu", elsewhere=networks.way_to)
    for is_killed in (False, True):
        if is_killed:
            _kill_replicas()
        found = there.detect(radiograph, "film.png", model="weld")
        np.testing.assert_allclose(found.detections.boxes, here.detections.boxes, atol=1e-3)
        np.testing.assert_allclose(found.detections.probabilities, here.detections.probabilities, atol=1e-5)


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
