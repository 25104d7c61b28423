"""Measures images on a local Ray cluster, beside what the simulated queue of `benchmarks.capacity` says.

Used by `python -m benchmarks.measure_capacity --cluster`. One replica and two stand side by side and are
asked in turn, round after round, so what else the machine does meets both. The simulation gets the moments at
which images came and what each took on its replica, and has to find what they waited.
"""

import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.capacity import queued
from core.domain.model_version import ModelVersion
from core.engine.detector import Detector, Request
from core.services.inference.ray_networks import RayEngine, RayNetworks

BUSY_SHARES = (0.5, 0.8)
READING, SLEEPING = (1, 2), (2, 8)
#: Images for each replica in a step: enough for a queue to form, few enough for several rounds in minutes.
_AN_ASKING = 20
_SIMULATED_TIMES = 200
_START_WITHIN_S = 240.0


class Timed:
    """Detects in a replica, one at a time as images are there, and returns the seconds that it took."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def __call__(self, detector: Detector) -> float:
        """Seconds."""
        with detector.lock:
            return _seconds(lambda: detector.detect_many([self._request]))


class Slept:
    """Holds a replica for so many seconds without a processor: what is left is the router and the queue."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __call__(self, detector: Detector) -> float:
        """Seconds that it took; one at a time on a replica, as images are."""
        with detector.lock:
            return _seconds(lambda: time.sleep(self._seconds))


def measure(
    version: ModelVersion, folder: Path, wanted: Sequence[Request], *, within_s: float, points: Path
) -> dict[str, Any]:
    """Rounds of points for as long as there is time, at least one, then what came of them all.

    Args:
        version: that reads; its artefacts lie in `folder`.
        folder: of the artefacts.
        wanted: images, one size.
        within_s: no round starts that would end later; the start of the cluster is not counted.
        points: JSON lines, one a round; rounds that an earlier run of this version left here count, too.
    """
    rounds = [one for one in _lines(points) if one["version"] == version.sha256]
    if rounds:
        print(f"{len(rounds)} rounds of an earlier run are in {points}", flush=True)
    with _cluster(1 + sum(READING) + sum(SLEEPING)):
        engines = {n: _replicas(version, folder, n, "reading") for n in READING}
        for n, engine in engines.items():
            _closed(engine.detect, wanted, 2 * n)  # the first image on a replica prepares its kernels
        memory_mib = _replica_memory_mib()
        end, longest = time.monotonic() + within_s, 0.0
        while not rounds or time.monotonic() + longest < end:
            began = time.monotonic()
            rounds.append(_round(engines, wanted, seed=len(rounds)) | {"version": version.sha256})
            _append(points, rounds[-1])
            longest = max(longest, time.monotonic() - began)
            print(f"round {len(rounds)} took {time.monotonic() - began:.0f} s", flush=True)
        services = [one for found in rounds for one in found["services_s"]]
        slept = _sleeping({n: _replicas(version, folder, n, "sleeping") for n in SLEEPING}, services)
    return {
        "rounds": len(rounds),
        "services_s": services,
        "overhead_s": round(statistics.median(one["overhead_s"] for one in rounds), 4),
        "read": [_compared(rounds, n, share) for n in READING for share in BUSY_SHARES],
        "slept": [_compared([slept], n, share) for n in SLEEPING for share in BUSY_SHARES],
        "most": _most(rounds),
        "replica_memory_mib": memory_mib,
    }


def _round(engines: dict[int, RayEngine], wanted: Sequence[Request], *, seed: int) -> dict[str, Any]:
    """What one image takes alone, then images that come by chance, then as many as the replicas can take."""
    inside, outside = [], []
    for request in [*wanted, *wanted]:
        inside.append(engines[1].ask(Timed(request)))
        outside.append(_seconds(partial(engines[1].detect, request)))
    overhead = max(0.0, statistics.median(outside) - statistics.median(inside))
    print(f"  one image: {statistics.median(inside):.3f} s and {overhead:.3f} s on its way", flush=True)
    asked = []
    for share in BUSY_SHARES:
        for n, engine in engines.items():
            acts = [partial(engine.ask, Timed(one)) for one in wanted]
            asked.append(_asked(acts, n, share, statistics.mean(inside), seed=100 * seed + 10 * n))
    closed = {str(n): round(_closed(one.detect, [*wanted] * n, 2 * n), 3) for n, one in engines.items()}
    print(
        "  images a second without a pause: " + ", ".join(f"{n}: {v}" for n, v in closed.items()), flush=True
    )
    return {
        "services_s": [round(one, 4) for one in inside],
        "overhead_s": round(overhead, 4),
        "asked": asked,
        "closed_per_second": closed,
    }


def _sleeping(engines: dict[int, RayEngine], services: Sequence[float]) -> dict[str, Any]:
    """Replicas that sleep instead of reading: any number of them fits one machine."""
    overhead = max(0.0, statistics.median(_seconds(partial(engines[2].ask, Slept(0.0))) for _ in range(20)))
    asked, rng = [], np.random.default_rng(7)
    for n, engine in engines.items():
        for share in BUSY_SHARES:
            acts = [partial(engine.ask, Slept(one)) for one in rng.choice(services, 60).tolist()]
            mean = statistics.mean(services)
            asked.append(_asked(acts, n, share, mean, seed=n, n_images=3 * _AN_ASKING * n))
    return {"services_s": list(services), "overhead_s": round(overhead, 4), "asked": asked}


def _asked(
    acts: Sequence[Callable[[], float]],
    replicas: int,
    share: float,
    mean_s: float,
    *,
    seed: int,
    n_images: int | None = None,
) -> dict[str, Any]:
    """Images that come independently of each other: moments, seconds to the answer and on a replica."""
    n = n_images or _AN_ASKING * replicas
    rng = np.random.default_rng(seed)
    pauses, chosen = rng.exponential(mean_s / (share * replicas), n), rng.integers(len(acts), size=n)
    came: list[float] = []
    began = time.perf_counter()
    with ThreadPoolExecutor(n) as pool:
        waiting = []
        for due, index in zip(np.cumsum(pauses).tolist(), chosen.tolist(), strict=True):
            time.sleep(max(0.0, began + due - time.perf_counter()))
            came.append(round(time.perf_counter() - began, 4))
            waiting.append(pool.submit(_told, acts[index]))
        answers, services = zip(*[one.result() for one in waiting], strict=True)
    print(
        f"  {replicas} replicas, busy {share:.0%}: {n} images, median {statistics.median(answers):.3f} s",
        flush=True,
    )
    return {
        "replicas": replicas,
        "busy_share": share,
        "came_s": came,
        "answers_s": [round(one, 4) for one in answers],
        "services_s": [round(one, 4) for one in services],
    }


def _compared(rounds: Sequence[dict[str, Any]], replicas: int, share: float) -> dict[str, Any]:
    """Answers as measured in all rounds, and as simulated for images that came at these moments.

    What each took on its replica is as measured, so the simulation stands for router, queue and way alone.
    """
    points = [
        (found, one)
        for found in rounds
        for one in found["asked"]
        if (one["replicas"], one["busy_share"]) == (replicas, share)
    ]
    simulated = []
    for number in range(_SIMULATED_TIMES):
        answers = [
            queued(
                np.asarray(one["came_s"]),
                np.asarray(one["services_s"]),
                replicas=replicas,
                seed=number,
                is_routed=True,
                overhead_s=found["overhead_s"],
            ).answers_s
            for found, one in points
        ]
        simulated.append(_spread(np.concatenate(answers)))
    measured = _spread(np.concatenate([one["answers_s"] for _, one in points]))
    return {
        "replicas": replicas,
        "busy_share": share,
        "n": sum(len(one["answers_s"]) for _, one in points),
        "service_s": round(statistics.mean(v for _, one in points for v in one["services_s"]), 3),
        "measured_s": {name: round(value, 3) for name, value in measured.items()},
        "simulated_s": {name: _range([one[name] for one in simulated]) for name in measured},
    }


def _most(rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Images a second without a pause, and the ratio of two replicas to one within each round."""
    found = {n: [one["closed_per_second"][str(n)] for one in rounds] for n in READING}
    ratios = [two / one for one, two in zip(found[1], found[2], strict=True)]
    return {
        "per_second": {str(n): round(statistics.median(values), 3) for n, values in found.items()},
        "two_to_one": {
            "median": round(statistics.median(ratios), 3),
            "least": round(min(ratios), 3),
            "most": round(max(ratios), 3),
        },
    }


def _closed(act: Callable[[Request], object], wanted: Sequence[Request], n_asking: int) -> float:
    """Images a second while every replica always has work."""
    began = time.perf_counter()
    with ThreadPoolExecutor(n_asking) as pool:
        list(pool.map(act, wanted))
    return len(wanted) / (time.perf_counter() - began)


@contextmanager
def _cluster(n_cpus: int) -> Iterator[None]:
    """A cluster of this machine alone, with room for so many replicas whatever its cores are.

    One for the whole program: threads of Ray Serve outlive a session, and disturb a second one.
    """
    import ray
    from ray import serve

    ray.init(
        num_cpus=n_cpus,
        # Ray's workers have a low priority (nice 15): on a machine that does anything else they stand still
        _system_config={"worker_niceness": 0},
        namespace="radikal",
        log_to_driver=False,
        logging_level="error",
        include_dashboard=False,
    )
    try:
        yield
    finally:
        serve.shutdown()
        ray.shutdown()


def _replicas(version: ModelVersion, folder: Path, n: int, doing: str) -> RayEngine:
    """An engine of so many replicas, all there from the start, under a name of its own."""
    began = time.monotonic()
    networks = RayNetworks(
        most_replicas=n, least_replicas=n, most_waiting=10_000, start_within_s=_START_WITHIN_S
    )
    engine = networks.engine_for(replace(version, name=f"{version.name}-{doing}-{n}"), folder)
    print(f"{n} replicas started in {time.monotonic() - began:.0f} s", flush=True)
    return engine


def _replica_memory_mib() -> int:
    """Resident memory of the replica that has most."""
    found = [
        one.memory_info().rss
        for one in psutil.process_iter(["cmdline"])
        if any("ServeReplica" in part for part in one.info["cmdline"] or ())
    ]
    return round(max(found, default=0) / 2**20)


def _seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _told(act: Callable[[], float]) -> tuple[float, float]:
    """Seconds that it took, and what it said."""
    began = time.perf_counter()
    inside = act()
    return time.perf_counter() - began, inside


def _spread(seconds: Sequence[float] | np.ndarray) -> dict[str, float]:
    return {
        "median": float(np.median(seconds)),
        "mean": float(np.mean(seconds)),
        "p95": float(np.quantile(seconds, 0.95)),
    }


def _range(values: Sequence[float]) -> dict[str, float]:
    """The mean, and what nine of ten lie between."""
    low, high = np.quantile(values, [0.05, 0.95])
    return {
        "mean": round(statistics.mean(values), 3),
        "low": round(float(low), 3),
        "high": round(float(high), 3),
    }


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _append(path: Path, found: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(found) + "\n")
