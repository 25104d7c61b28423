"""Measures what `benchmarks.capacity` computes with. Writes benchmarks/capacity.json.

    python -m benchmarks.measure_capacity              # processor time of each act of a server
    python -m benchmarks.measure_capacity --cluster    # with Ray: one and two replicas, in rounds of a minute

Processor time is that of the server's processes alone, so what else the machine does changes it little.
Times of the cluster are those of the clock: an idle machine tells more. Its rounds are kept in `--points` as
they come, and a run that was broken off goes on with them.
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
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import requests

from benchmarks.capacity import MEASURED
from benchmarks.cluster import measure
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
from tests.artefacts import FolderModels
from tests.e2e.serving import served

API = "/api/xai-qc"
FILMS = sorted((ROOT / "data" / "samples").glob("*.png"))


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cluster", action="store_true", help="replicas on Ray instead of the server")
    parser.add_argument("--seconds", type=float, default=300, help="of rounds on the cluster, at most")
    parser.add_argument(
        "--points",
        type=Path,
        default=ROOT / "runs" / "cluster-points.jsonl",
        help="rounds that were measured",
    )
    asked = parser.parse_args()
    found = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}
    load = os.getloadavg()[0]
    found |= {"cluster": _cluster(asked.seconds, asked.points)} if asked.cluster else {"server": _server()}
    found["machine"] = {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
    part = found["cluster" if asked.cluster else "server"]
    part["load_average"] = {"before": round(load, 1), "after": round(os.getloadavg()[0], 1)}
    part["measured"] = datetime.now(UTC).isoformat(timespec="minutes")
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


def _cluster(seconds: float, points: Path) -> dict[str, Any]:
    """Images on a local Ray cluster, with one and with two replicas, beside what a simulation says."""
    version, folder = FolderModels(_CHAMPIONS["weld"]).resolve("weld")
    wanted = [_request(film, version) for film in FILMS]
    return measure(version, folder, wanted, within_s=seconds, points=points)


def _request(film: Path, version: ModelVersion) -> Request:
    radiograph = read_radiograph_file(film, polarity=Polarity.FILM)
    return Request(normalised_for(radiograph, version), version.calibration.score_cut / 2)


if __name__ == "__main__":
    main()
