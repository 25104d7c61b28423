"""State of the running product, for people, load balancers and the container's HEALTHCHECK."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy.exc import SQLAlchemyError

from core.domain.accounts import Identity
from core.domain.errors import WorkbenchError
from core.domain.model_version import ModelVersion
from core.domain.permissions import Action, require
from core.services.operations.alerts import Alert, alerts
from core.services.operations.checks import Check, CheckService, ReachableModels, problems
from core.services.operations.minutes import KEPT, Minute, MinuteFiles


class LoadedModels(Protocol):
    """The part of the detecting service that a health report reads."""

    @property
    def device(self) -> str:
        """The device that networks run on, as torch names it."""

    def loaded(self) -> tuple[ModelVersion, ...]:
        """The versions whose network is in memory now."""


@dataclass(frozen=True, slots=True)
class HealthReport:
    """The state at one moment.

    Attributes:
        is_usable: False when every model is unusable, or something that all rests on is wrong: database,
            signing key, folders, a full disk.
        content: what `/api/xai-qc/health` answers.
    """

    is_usable: bool
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Overview:
    """The state now and the last day.

    Attributes:
        at: when it was looked at, UTC.
        report: the state.
        minutes: of the last day, the oldest first; none of a minute in which nothing served.
        alerts: what to look at, the urgent first.
    """

    at: datetime
    report: HealthReport
    minutes: tuple[Minute, ...]
    alerts: tuple[Alert, ...]


class HealthService:
    """Asks the database, the disk, the registry, the networks and the device.

    Args:
        checks: looks at what has to be right.
        registry: the models.
        networks: what is in memory.
        audit: when log and records were last verified, and whether they were whole.
        recovery: the last backup and the last drill, by `backup` and `drill`.
        in_use: drift alarms that stand and versions that changed while in use; empty without any.
        clock: seconds since whenever.
    """

    def __init__(
        self,
        *,
        checks: CheckService,
        registry: ReachableModels,
        networks: LoadedModels,
        audit: Callable[[], Mapping[str, Any]],
        recovery: Callable[[], Mapping[str, Any]],
        in_use: Callable[[], Mapping[str, Any]] = dict,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._checks = checks
        self._registry = registry
        self._networks = networks
        self._audit = audit
        self._recovery = recovery
        self._in_use = in_use
        self._clock = clock
        self._started = clock()

    def report(self) -> HealthReport:
        """The state now. Nothing here raises: what cannot be told is in the answer."""
        loaded = {(m.name, m.version) for m in self._networks.loaded()}
        models = {name: self._model(name, loaded) for name in self._checks.models()}
        checks = (*self._checks.vital(), self._checks.registry())
        is_usable = any(model["usable"] for model in models.values()) and not any(
            problems(checks, is_vital=True)
        )
        is_whole = all(model["usable"] for model in models.values()) and not any(
            problems(checks, is_vital=False)
        )
        audit = _asked(self._audit, {"verified_at": None})
        recovery = _asked(self._recovery, {})
        in_use = _asked(self._in_use, {})
        is_whole = is_whole and audit.get("is_whole", True) and _is_recoverable(recovery) and not in_use
        content = {
            "status": "unusable" if not is_usable else "ok" if is_whole else "degraded",
            "uptime_s": round(self._clock() - self._started, 1),
            **{check.name: _told(check) for check in checks},
            "audit": audit,
            **recovery,
            **in_use,
            "device": self._networks.device,
            "gpu": _gpu(),
            "models": models,
        }
        return HealthReport(is_usable, content)

    def _model(self, name: str, loaded: set[tuple[str, int]]) -> dict[str, Any]:
        problem = self._checks.model(name).problem
        try:
            version, _ = self._registry.resolve(name)
        except WorkbenchError as error:
            return {"usable": False, "loaded": False, "reason": str(error)}
        return {
            "usable": problem is None,
            "loaded": (version.name, version.version) in loaded,
            "version": version.version,
            "sha256": version.sha256,
            "aliases": list(version.aliases),
            "calibration_id": version.calibration.calibration_id,
            **({} if problem is None else {"reason": problem}),
        }


class OverviewService:
    """What an operator sees: the state now, the last day, and what to look at.

    Args:
        health: tells the state.
        minutes: figures of the last day.
        clock: the moment, UTC.
    """

    def __init__(
        self,
        health: HealthService,
        minutes: MinuteFiles,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._health = health
        self._minutes = minutes
        self._clock = clock

    def overview(self, identity: Identity) -> Overview:
        """All of it.

        Raises:
            NotAllowedError: the role may not look at the state of the installation.
        """
        require(identity, Action.HEALTH_READ)
        now, report = self._clock(), self._health.report()
        minutes = self._minutes.since(now - KEPT)
        found = alerts(report.content, minutes, now, is_usable=report.is_usable)
        return Overview(now, report, tuple(minutes), tuple(found))


def _asked(facts: Callable[[], Mapping[str, Any]], otherwise: Mapping[str, Any]) -> Mapping[str, Any]:
    """The facts that the database tells; that it is away is told beside them."""
    try:
        return facts()
    except (WorkbenchError, SQLAlchemyError):
        return otherwise


def _is_recoverable(recovery: Mapping[str, Any]) -> bool:
    """False when the last backup lacks something, or the last drill found something."""
    is_complete = not recovery.get("backup", {}).get("n_problems", 0)
    return is_complete and bool(recovery.get("drill", {}).get("is_whole", True))


def _told(check: Check) -> dict[str, Any]:
    """The facts of a check, and its problem when there is one."""
    problem = {} if check.problem is None else {"problem": check.problem}
    return {"ok": check.problem is None, **check.facts, **problem}


def _gpu() -> dict[str, Any]:
    """Name, memory and use of the first CUDA device; `present` False without one.

    Use, the share of the last moments in which a kernel ran, is told where nvidia-ml-py is (extra `gpu`).
    """
    import torch  # late: health is imported by commands that need no network

    if not torch.cuda.is_available():
        return {"present": False}
    free, total = torch.cuda.mem_get_info(0)
    return {
        "present": True,
        "name": torch.cuda.get_device_name(0),
        "memory_free_mib": free // 2**20,
        "memory_total_mib": total // 2**20,
        **_gpu_use(torch.cuda.utilization),
    }


def _gpu_use(percent: Callable[[int], int]) -> dict[str, float]:
    """`use` of the first device, 0 to 1; nothing where it cannot be asked."""
    try:
        return {"use": percent(0) / 100}
    except (ModuleNotFoundError, RuntimeError):  # no nvidia-ml-py, or a driver without it
        return {}
