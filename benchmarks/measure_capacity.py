"""Measures what `benchmarks.capacity` computes with. Writes benchmarks/capacity.json.

    python -m benchmarks.measure_capacity              # processor time of each act of a server
    python -m benchmarks.measure_capacity --cluster    # with Ray: one and two replicas

Processor time is that of the server's processes alone, so what else the machine does changes it little.
Times of the cluster are those of the clock: an idle machine tells more.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import requests

from benchmarks.capacity import MEASURED, simulated
from benchmarks.faults.served import Server, Tab
from benchmarks.load import _CHAMPIONS, _people, _processor
from core.config import ROOT, Settings
from core.container import open_container
from core.domain.model_version import ModelVersion
from core.domain.radiograph import Polarity
from core.engine.detector import Detector, Request
from core.imaging.read import read_radiograph_file
from core.registry.artefact import WEIGHTS
from core.services.inference.detecting import normalised_for
from core.services.inference.ray_networks import RayEngine, RayNetworks
from tests.artefacts import FolderModels
from tests.e2e.serving import served

API = "/api/xai-qc"
FILMS = sorted((ROOT / "data" / "samples").glob("*.png"))


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cluster", action="store_true", help="replicas on Ray instead of the server")
    asked = parser.parse_args()
    found = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}
    load = os.getloadavg()[0]
    found |= {"cluster": _cluster()} if asked.cluster else {"server": _server()}
    found["machine"] = {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
    part = found["cluster" if asked.cluster else "server"]
    part["load_average"] = {"before": round(load, 1), "after": round(os.getloadavg()[0], 1)}
    found["measured"] = datetime.now(UTC).isoformat(timespec="minutes")
    MEASURED.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _server() -> dict[str, Any]:
    """Processor time of each act, one after the other, on the shipped versions."""
    with tempfile.TemporaryDirectory() as folder, served(Path(folder), champions=_CHAMPIONS) as server:
        settings = Settings(_env_file=None, **{key.lower(): v for key, v in server.environment.items()})
        with open_container(settings) as services:
            keys, cookies = _people(services, 1)
        process = next(
            one for one in psutil.Process().children() if "app.web.server" in " ".join(one.cmdline())
        )
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {keys[0]}"
        inspections: list[str] = []

        def hand_in(number: int) -> None:
            film = FILMS[number % len(FILMS)]
            answer = session.post(
                f"{server.address}{API}/detect",
                data={"model": "weld", "polarity": "film"},
                files={"files": (f"{number}-{film.name}", film.read_bytes())},
                timeout=300,
            )
            answer.raise_for_status()
            inspections.extend(one["inspection_id"] for one in answer.json()["results"])

        def look_up(number: int) -> None:
            address = f"{server.address}{API}/inspections"
            session.get(address, params={"limit": 20}, timeout=300).raise_for_status()

        def explain(number: int) -> None:
            one, box = inspections[-1 - number // 3], 1 + number % 3
            answer = session.get(f"{server.address}{API}/explain/{one}/{box}", timeout=300)
            assert answer.status_code in (200, 404)  # 404: fewer boxes

        result = {
            "image": _timed(process, hand_in, len(FILMS), warm=2),
            "lookup": _timed(process, look_up, 30, warm=2),
            "box_map": _timed(process, explain, 9, warm=0),
        }
        result["page"] = asyncio.run(_drawn(Server(server.address, process.pid), process, cookies[0]))
        result["network"] = _network()
        result["memory_mib"] = round(sum(one.memory_info().rss for one in _all(process)) / 2**20)
        result["sample_mb"] = round(statistics.mean(film.stat().st_size for film in FILMS) / 1e6, 2)
        return result


def _network() -> dict[str, Any]:
    """Processor time of the network alone, in this process: what a cluster takes off a server."""
    version, folder = FolderModels(_CHAMPIONS["weld"]).resolve("weld")
    detector, wanted = Detector.load(folder / WEIGHTS), [_request(film, version) for film in FILMS]
    detector.detect_many(wanted[:1])
    began, before = time.perf_counter(), time.process_time()
    for request in wanted:
        detector.detect_many([request])
    spent = (time.process_time() - before) / len(wanted)
    wall = (time.perf_counter() - began) / len(wanted)
    return {"processor_s": round(spent, 4), "wall_s": round(wall, 4), "n": len(wanted)}


async def _drawn(server: Server, process: psutil.Process, cookie: str) -> dict[str, Any]:
    """Pages drawn by a tab: the worklist and the history in turn."""
    tab = await Tab.open(server, cookie)
    for page in ("", "history"):
        await tab.run(page)
    began, before, n = time.perf_counter(), _processor_s(process), 20
    for number in range(n):
        await tab.run("history" if number % 2 else "")
    spent = {"processor_s": round((_processor_s(process) - before) / n, 4)}
    await tab.close()
    return spent | {"wall_s": round((time.perf_counter() - began) / n, 4), "n": n}


def _timed(process: psutil.Process, act: Callable[[int], None], n: int, *, warm: int) -> dict[str, Any]:
    for number in range(warm):
        act(number)
    began, before = time.perf_counter(), _processor_s(process)
    for number in range(n):
        act(number)
    spent = (_processor_s(process) - before) / n
    wall = (time.perf_counter() - began) / n
    return {"processor_s": round(spent, 4), "wall_s": round(wall, 4), "n": n}


def _all(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _processor_s(process: psutil.Process) -> float:
    return sum(sum(one.cpu_times()[:2]) for one in _all(process))


def _cluster() -> dict[str, Any]:
    """Times of images on a local Ray cluster, with one and with two replicas, and what a simulation says."""
    version = FolderModels(_CHAMPIONS["weld"]).resolve("weld")[0]
    wanted = [_request(film, version) for film in FILMS]
    measured: dict[str, Any] = {}
    services: list[float] = []
    overhead = 0.0
    for n_replicas in (1, 2):
        engine = _replicas(version, n_replicas)
        for request in wanted[: 2 * n_replicas]:
            engine.detect(request)
        if n_replicas == 1:
            inside = [engine.ask(Timed(request)) for request in wanted * 3]
            outside = [_seconds(partial(engine.detect, request)) for request in wanted * 3]
            services = [round(one, 4) for one in inside]
            overhead = max(0.0, statistics.median(outside) - statistics.median(inside))
        rate, n = 0.7 * n_replicas / statistics.mean(services), 60 * n_replicas
        slept = np.random.default_rng(3).choice(services, n).tolist()
        told = simulated(
            services,
            per_second=rate,
            replicas=n_replicas,
            n_images=40_000,
            seed=1,
            is_routed=True,
            overhead_s=overhead,
        )
        measured[str(n_replicas)] = {
            "per_second": round(rate, 3),
            "n": n,
            "read_s": _spread(_arriving([partial(engine.detect, one) for one in wanted], rate, n)),
            "slept_s": _spread(_arriving([partial(engine.ask, Slept(one)) for one in slept], rate, n)),
            "simulated_s": _spread(told.answers_s.tolist()),
            "closed_loop_per_second": round(_closed(engine, wanted * 3, n_replicas), 3),
            "simulated_most_per_second": round(n_replicas / statistics.mean(services), 3),
        }
        _end()
    return {"services_s": services, "overhead_s": round(overhead, 4), "replicas": measured}


class Timed:
    """Detects in a replica and returns the seconds that it took there."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def __call__(self, detector: Detector) -> float:
        """Seconds."""
        return _seconds(lambda: detector.detect_many([self._request]))


class Slept:
    """Holds a replica for so many seconds without a processor: what the queue alone does to an answer."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __call__(self, detector: Detector) -> None:
        """Nothing; one at a time on a replica, as images are."""
        with detector.lock:
            time.sleep(self._seconds)


def _request(film: Path, version: ModelVersion) -> Request:
    radiograph = read_radiograph_file(film, polarity=Polarity.FILM)
    return Request(normalised_for(radiograph, version), version.calibration.score_cut / 2)


def _replicas(version: ModelVersion, n: int) -> RayEngine:
    """An engine of so many replicas, all there from the start."""
    networks = RayNetworks(most_replicas=n, least_replicas=n, most_waiting=10_000)
    return networks.engine_for(version, _CHAMPIONS["weld"])


def _arriving(acts: list[Callable[[], object]], rate: float, n: int) -> list[float]:
    """Seconds to the answer of each of `n` images that come independently of each other."""
    rng = np.random.default_rng(2)
    pauses = rng.exponential(1 / rate, n)
    chosen = rng.integers(len(acts), size=n)
    with ThreadPoolExecutor(n) as pool:
        asked = []
        for pause, index in zip(pauses.tolist(), chosen.tolist(), strict=True):
            time.sleep(pause)
            asked.append(pool.submit(_seconds, acts[index]))
        return [one.result() for one in asked]


def _closed(engine: RayEngine, wanted: list[Request], n_replicas: int) -> float:
    """Images a second while every replica always has work."""
    began = time.perf_counter()
    with ThreadPoolExecutor(2 * n_replicas) as pool:
        list(pool.map(engine.detect, wanted))
    return len(wanted) / (time.perf_counter() - began)


def _seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _spread(seconds: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(seconds), 3),
        "mean": round(statistics.mean(seconds), 3),
        "p95": round(float(np.quantile(seconds, 0.95)), 3),
    }


def _end() -> None:
    import ray
    from ray import serve

    serve.shutdown()
    ray.shutdown()


if __name__ == "__main__":
    main()
