"""Figures for Prometheus: requests and detections counted as they happen, the rest looked at when asked."""

import hmac
import shutil
from collections import Counter as Counts
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from app.inspection.state import analyses
from app.shared.connection import connection_of
from app.shared.resources import Resources, resources
from app.shared.responses import FRESH
from core.domain.errors import NotAllowedError, WorkbenchError
from core.domain.inspection import DetectionResult
from core.domain.permissions import Action, require
from core.services.intake.asked import INSPECT
from core.services.operations.minutes import Tally
from core.store.jobs import JobState

_REQUEST_S = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_DETECT_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_TENTHS = tuple(n / 10 for n in range(1, 11))
_STATES = ("queued", "running")
_BEARER = "bearer "


class Metrics:
    """Counters of one server process.

    Attributes:
        registry: of Prometheus' client, with everything that `/metrics` tells.
        tally: counts the same for the figures of each minute.
    """

    def __init__(self) -> None:
        self.registry, self.tally = CollectorRegistry(), Tally()
        at = {"registry": self.registry}
        self._requests = Counter(
            "radikal_requests", "Requests that were answered.", ("area", "method", "status"), **at
        )
        self._request_s = Histogram(
            "radikal_request_seconds", "Time to answer a request.", ("area",), buckets=_REQUEST_S, **at
        )
        self.under_way = Gauge("radikal_requests_under_way", "Requests that are being answered.", **at)
        self.open_pages = Gauge("radikal_open_pages", "Pages that are open in browsers.", **at)
        self._images = Counter("radikal_images", "Radiographs that were read.", ("model", "version"), **at)
        self._strange = Counter(
            "radikal_strange_images", "Radiographs whose probabilities are not verified.", ("model",), **at
        )
        self._detect_s = Histogram(
            "radikal_detect_seconds", "Time to read a radiograph.", ("model",), buckets=_DETECT_S, **at
        )
        self._boxes = Counter(
            "radikal_boxes", "Boxes at or above the operating probability.", ("model", "version"), **at
        )
        self._probability = Histogram(
            "radikal_box_probability", "Probability of each box above the score cut.", ("model",),
            buckets=_TENTHS, **at,
        )  # fmt: skip
        ProcessCollector(registry=self.registry)
        self.registry.register(State(resources))

    def answered(self, area: str, method: str, status: int, seconds: float) -> None:
        """Count an answer."""
        self._requests.labels(area, method, str(status)).inc()
        self._request_s.labels(area).observe(seconds)
        self.tally.answered(area, status, seconds)

    def detected(self, result: DetectionResult) -> None:
        """Count a radiograph that was read, and its boxes."""
        model, version = result.model.name, str(result.model.version)
        self._images.labels(model, version).inc()
        self._detect_s.labels(model).observe(result.elapsed_ms / 1000)
        self._strange.labels(model).inc(int(result.is_strange))
        self.tally.read(model, result.elapsed_ms / 1000, is_strange=result.is_strange)
        reported = result.detections.reported(result.model.calibration.operating_probability)
        self._boxes.labels(model, version).inc(len(reported))
        for probability in () if result.detections.probabilities is None else result.detections.probabilities:
            self._probability.labels(model).observe(float(probability))

    def levels(self) -> dict[str, float]:
        """Lengths of queues and the like now; what the database cannot tell is left out."""
        services = resources().services
        found: dict[str, float] = {"analysis_queue": analyses().n_waiting}
        if isinstance(pool := services.database.pool, QueuePool):
            found |= {"connections_in_use": pool.checkedout(), "connections_idle": pool.checkedin()}
        with suppress(WorkbenchError, SQLAlchemyError):
            active = services.job_queue.active()
            found["jobs_queued"] = sum(job.state is JobState.QUEUED for job in active)
            found["jobs_running"] = len(active) - found["jobs_queued"]
            found["jobs_inspect_queued"] = sum(
                job.kind == INSPECT and job.state is JobState.QUEUED for job in active
            )
        return found

    def text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self.registry)


class State(Collector):
    """What is looked at when somebody asks.

    Args:
        held: gives the objects of this process.
    """

    def __init__(self, held: Callable[[], Resources]) -> None:
        self._held = held

    def describe(self) -> Iterator[Metric]:
        """Nothing: nobody looks when it is registered."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """The state now; what the database cannot tell is left out."""
        held = self._held()
        report = held.services.health.report()
        yield _gauge("radikal_ready", "1 where radiographs can be inspected.", int(report.is_usable))
        yield from _told_by_health(report.content)
        yield _gauge("radikal_analysis_queue", "Images that wait for the network.", analyses().n_waiting)
        folder = shutil.disk_usage(held.services.data_dir)
        yield _gauge("radikal_disk_free_bytes", "Free space of the data folder.", folder.free)
        yield _gauge("radikal_disk_total_bytes", "Size of the disk of the data folder.", folder.total)
        yield from _pool(held)
        with suppress(WorkbenchError, SQLAlchemyError):
            yield from _told_by_database(held)


class MetricsPage:
    """The answer at `/metrics`: for this machine, for whoever brings the token, and for keys that may.

    Args:
        metrics: what it tells.
        token: METRICS_TOKEN; None lets it stay with this machine and keys.
    """

    def __init__(self, metrics: Metrics, token: SecretStr | None) -> None:
        self._metrics = metrics
        self._token = token

    def __call__(self, request: Request) -> Response:
        """Answer."""
        if not self._may(request):
            told = (
                "Send METRICS_TOKEN, or an API key whose account may look at long jobs, as a bearer token.\n"
            )
            return PlainTextResponse(told, 401, {**FRESH, "WWW-Authenticate": "Bearer"})
        return Response(self._metrics.text(), media_type=CONTENT_TYPE_LATEST, headers=FRESH)

    def _may(self, request: Request) -> bool:
        if connection_of(request.scope).is_local:
            return True
        named = request.headers.get("authorization", "")
        if not named.lower().startswith(_BEARER):
            return False
        given = named[len(_BEARER) :].strip()
        expected = self._token.get_secret_value() if self._token else ""
        if expected and hmac.compare_digest(given.encode(), expected.encode()):
            return True
        identity = resources().services.api_keys.who(given)
        try:
            return identity is not None and require(identity, Action.JOBS_READ) is None
        except NotAllowedError:
            return False


def _told_by_health(content: Mapping[str, Any]) -> Iterator[Metric]:
    """Which versions serve, when a backup was made and the audit log verified."""
    words = "1 for each version that serves and can be used."
    serving = GaugeMetricFamily("radikal_model_serving", words, labels=("model", "version"))
    for name, model in content["models"].items():
        if "version" in model:
            serving.add_metric((name, str(model["version"])), int(model["usable"]))
    yield serving
    words = "Versions in use whose files are no longer those that came into use."
    yield _gauge("radikal_changed_versions", words, len(content.get("frozen", ())))
    audit, backup, gpu = content["audit"], content.get("backup", {}), content["gpu"]
    if audit["verified_at"] is not None:
        at = _seconds(audit["verified_at"])
        yield _gauge("radikal_audit_verified_timestamp_seconds", "When the audit log was last verified.", at)
        words = "1 where that verification found nothing."
        yield _gauge("radikal_audit_whole", words, int(audit["is_whole"]))
    if backup.get("at") is not None:
        at = _seconds(backup["at"])
        yield _gauge("radikal_backup_timestamp_seconds", "When the last backup was made.", at)
    if gpu["present"]:
        free = gpu["memory_free_mib"] * 2**20
        yield _gauge("radikal_gpu_memory_free_bytes", "Free memory of the GPU.", free)
        if "use" in gpu:
            yield _gauge(
                "radikal_gpu_use_ratio", "Share of the time in which the GPU ran something.", gpu["use"]
            )


def _seconds(moment: str) -> float:
    """Seconds since the epoch of a moment in ISO 8601."""
    return datetime.fromisoformat(moment).timestamp()


def _told_by_database(held: Resources) -> Iterator[Metric]:
    """Jobs that wait or run, and open sessions."""
    counts = Counts((job.kind, job.state.value) for job in held.services.job_queue.active())
    jobs = GaugeMetricFamily("radikal_jobs", "Long jobs that wait or run.", labels=("kind", "state"))
    kinds = sorted({kind for kind, _ in counts} | {"inspect", "retrain", "evaluate"})
    for kind in kinds:
        for state in _STATES:
            jobs.add_metric((kind, state), counts[kind, state])
    yield jobs
    words = "Drift alarms that nobody has acknowledged."
    alarms = GaugeMetricFamily("radikal_drift_alarms", words, labels=("model", "version"))
    for (name, version), count in held.services.drift.n_standing().items():
        alarms.add_metric((name, str(version)), count)
    yield alarms
    n_sessions = sum(held.services.signing_in.n_open_sessions().values())
    yield _gauge("radikal_sessions", "People's sessions that are open.", n_sessions)


def _pool(held: Resources) -> Iterator[Metric]:
    pool = held.services.database.pool
    if isinstance(pool, QueuePool):
        found = GaugeMetricFamily(
            "radikal_database_connections", "Connections to the database.", labels=("state",)
        )
        found.add_metric(("in use",), pool.checkedout())
        found.add_metric(("idle",), pool.checkedin())
        yield found


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value)
