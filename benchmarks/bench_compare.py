"""How long the page Compare waits for its data: 100 versions, 10,000 images. Writes benchmarks/compare.json.

A seeded SQLite database in a temporary folder holds a set of 10,000 images in 2,000 parts and an evaluation
of each of 100 versions on it; two of them have what each of 250,000 boxes did. Asked is what the page asks
the services: which versions were measured, both versions with their boxes, the figures at an operating
probability, their comparison, the places where they differ (only its view Boxes asks for them), the kinds of
errors. `first` is the first time in a process, `moved` is the operating probability moved, `again` the same
once more; median of `REPEATS`.
"""

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

import numpy as np

from core.domain.accounts import Identity, Role
from core.domain.model_version import CalibrationRecord, ModelVersion, VersionAbout, VersionEntry
from core.domain.radiograph import Polarity
from core.domain.records import new_id
from core.evaluate.error_types import error_types
from core.evaluate.outcome_table import OutcomeTable
from core.evaluate.resampling import resample
from core.evaluate.version_figures import version_figures
from core.services.evaluation.evaluation_archive import EvaluationArchive
from core.services.evaluation.evaluation_sets import EvaluationSets
from core.services.evaluation.evaluations import EvaluationService
from core.services.jobs.jobs import JobService
from core.store.array_files import ArrayFiles
from core.store.audit_trail import open_store
from core.store.database import open_database, upgrade
from core.store.evaluations import EVALUATE, Evaluation, EvaluationSet

N_IMAGES, N_PARTS, N_VERSIONS = 10_000, 2_000, 100
BOXES_AN_IMAGE = 25
REPEATS = 5
LIMIT_MS = 1000
RESULT = Path(__file__).with_name("compare.json")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SOMEBODY = Identity("u-0", "somebody", Role.ML_ENGINEER)
_CLASSES = ("crack", "porosity")


def versions() -> list[ModelVersion]:
    """A hundred versions of the weld model."""
    calibration = CalibrationRecord("cal", "platt", (1.0, 0.0), 0.1, 0.5, "nothing")
    return [
        ModelVersion("weld", number, f"{number:064x}", Polarity.FILM, calibration, {})
        for number in range(1, N_VERSIONS + 1)
    ]


class Registry:
    """Knows the versions at once."""

    def __init__(self) -> None:
        self._versions = {one.version: one for one in versions()}

    def names(self) -> list[str]:
        """The one model."""
        return ["weld"]

    def entries(self, _name: str) -> list[VersionEntry]:
        """Every version, newest first."""
        return [
            VersionEntry(one.version, (), VersionAbout(), Path(), one)
            for one in reversed(self._versions.values())
        ]

    def resolve(self, _name: str, *, version: int = 1, alias: str = "") -> tuple[ModelVersion, Path]:
        """A version."""
        return self._versions[version], Path()


def table(seed: int) -> OutcomeTable:
    """What a version does on the images; the recorded boxes are the same for every seed."""
    fixed, random = np.random.default_rng(0), np.random.default_rng(seed)
    n_truth = fixed.integers(0, 8, N_IMAGES)
    truth_image = np.repeat(np.arange(N_IMAGES, dtype=np.int32), n_truth)
    corner = np.stack(
        [fixed.uniform(0, 2000, len(truth_image)), fixed.uniform(0, 600, len(truth_image))], axis=1
    )
    truth = np.concatenate([corner, corner + fixed.uniform(8, 80, corner.shape)], axis=1).astype(np.float32)
    n = N_IMAGES * BOXES_AN_IMAGE
    scores = np.sort(random.beta(0.5, 2.0, (N_IMAGES, BOXES_AN_IMAGE)), axis=1)[:, ::-1].ravel()
    boxes = random.uniform(0, 2000, (n, 2))
    boxes = np.concatenate([boxes, boxes + 30], axis=1).astype(np.float32)
    matched = np.full(n, -1, np.int32)
    starts = np.searchsorted(truth_image, np.arange(N_IMAGES))
    is_found = random.random(len(truth)) < 0.6
    at = truth_image * BOXES_AN_IMAGE + np.arange(len(truth)) - starts[truth_image]
    matched[at[is_found]] = np.flatnonzero(is_found)
    boxes[at[is_found]] = truth[is_found] + 1
    return OutcomeTable(
        names=tuple(f"{i}.png" for i in range(N_IMAGES)),
        digests=tuple(f"{i:064x}" for i in range(N_IMAGES)),
        parts=tuple(f"part {i % N_PARTS}" for i in range(N_IMAGES)),
        mm_per_px=np.full(N_IMAGES, 0.05),
        elapsed_ms=np.full(N_IMAGES, 100.0),
        classes=_CLASSES,
        truth=truth,
        truth_image=truth_image,
        truth_class=fixed.integers(0, 2, len(truth)).astype(np.int32),
        boxes=boxes,
        box_image=np.repeat(np.arange(N_IMAGES, dtype=np.int32), BOXES_AN_IMAGE),
        box_class=random.integers(0, 2, n).astype(np.int32),
        scores=scores.astype(np.float32),
        probabilities=scores,
        matched=matched,
        nearest=matched,
        nearest_iou=np.where(matched >= 0, 0.8, 0.05).astype(np.float32),
        is_class_aware=True,
        score_cut=0.1,
        operating_probability=0.5,
    )


def fill(folder: Path) -> Callable[[], EvaluationService]:
    """Fill the folder; the service of a process that has asked nothing yet."""
    database = open_database(f"sqlite:///{folder / 'radikal.db'}")
    upgrade(database)
    store = open_store(database)
    archive = EvaluationArchive(store, ArrayFiles(folder / "outcomes"), "code")
    chosen = EvaluationSet(new_id(), "many", "weld", "d" * 64, {}, N_IMAGES, 35_000, None, NOW)
    digests = []
    for seed in (1, 2):
        outcomes = table(seed)
        digests.append(
            archive.write(outcomes, version_figures(outcomes, resample(outcomes.parts, n_resamples=1000)))
        )
    summary = {"n_trained_on": 0, "reliability": [[0.1, 0.1, 10]] * 10, "ms_per_image": 100.0} | {
        f"figure{i}": i / 7 for i in range(200)
    }
    with store.write() as work:
        work.evaluations.add_set(chosen)
        for one in versions():
            work.evaluations.add(
                Evaluation(
                    evaluation_id=new_id(),
                    model_name="weld",
                    model_version=one.version,
                    key=archive.key(one, chosen.digest),
                    outcomes_sha256=digests[one.version % 2],
                    device="cpu",
                    elapsed_ms=1.0,
                    created_by=None,
                    created_at=NOW,
                    summary=summary,
                )
            )

    def start() -> EvaluationService:
        fresh = EvaluationArchive(store, ArrayFiles(folder / "outcomes"), "code")
        jobs = JobService(store, folder / "jobs", kinds=[EVALUATE])
        return EvaluationService(
            EvaluationSets(store, folder / "sets"), fresh, Registry(), jobs, device="cpu"
        )  # type: ignore[arg-type]

    return start


def ask(service: EvaluationService, probability: float | None) -> dict[str, float]:
    """Milliseconds of everything that the page asks for."""
    took: dict[str, float] = {}

    def timed(name: str, what: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        answer = what()
        took[name] = 1000 * (time.perf_counter() - started)
        return answer

    chosen = timed("sets", lambda: service.sets.all(SOMEBODY, "weld"))[0]
    timed("versions", lambda: (service.versions(SOMEBODY, "weld"), service.measured_on(SOMEBODY, chosen)))
    first, second = timed("open", lambda: service.open(SOMEBODY, chosen, [1, 2]))
    timed("figures", lambda: [service.measured(SOMEBODY, one.stored, probability) for one in (first, second)])
    timed("comparison", lambda: service.compare(SOMEBODY, first, second, probability))
    timed("differences", lambda: service.differences(SOMEBODY, first, second, probability))
    timed(
        "errors", lambda: [error_types(one.stored.outcomes, probability).counts() for one in (first, second)]
    )
    return took | {"all": sum(took.values())}


def measure(folder: Path) -> dict[str, Any]:
    """The times of every way to come to the page."""
    start = fill(folder)
    ways: dict[str, list[dict[str, float]]] = {"first": [], "moved": [], "again": []}
    for _ in range(REPEATS):
        service = start()
        ways["first"].append(ask(service, None))
        ways["moved"].append(ask(service, 0.4))
        ways["again"].append(ask(service, 0.4))
    return {
        way: {name: round(statistics.median(one[name] for one in times), 1) for name in times[0]}
        for way, times in ways.items()
    }


def main() -> None:
    """Measure and write."""
    with tempfile.TemporaryDirectory() as folder:
        times = measure(Path(folder))
    result = {
        "n_images": N_IMAGES,
        "n_parts": N_PARTS,
        "n_versions": N_VERSIONS,
        "boxes_a_version": N_IMAGES * BOXES_AN_IMAGE,
        "limit_ms": LIMIT_MS,
        "median_ms": times,
        "cpu": platform.processor() or platform.machine(),
        "n_cpus": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1),
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
