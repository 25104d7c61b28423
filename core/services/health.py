"""State of the running product, for people, load balancers and the container's HEALTHCHECK."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Engine

from core.domain.errors import WorkbenchError
from core.domain.model_version import ModelVersion
from core.domain.ports import ModelSource
from core.store.database import is_reachable


class ReachableModels(ModelSource, Protocol):
    """The part of the registry that a health report reads."""

    def is_reachable(self) -> bool:
        """True when the registry itself answers now."""


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
        is_usable: False when the database or every model is unusable.
        content: what `/api/xai-qc/health` answers.
    """

    is_usable: bool
    content: dict[str, Any]


class HealthService:
    """Asks the database, the registry, the networks and the device."""

    def __init__(
        self,
        *,
        database: Engine,
        registry: ReachableModels,
        networks: LoadedModels,
        models: Sequence[str] = ("weld", "casting"),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._registry = registry
        self._networks = networks
        self._models = tuple(models)
        self._clock = clock
        self._started = clock()

    def report(self) -> HealthReport:
        """The state now. Nothing here raises: what cannot be told is in the answer."""
        has_database = is_reachable(self._database)
        loaded = {(m.name, m.version) for m in self._networks.loaded()}
        models = {name: self._model(name, loaded) for name in self._models}
        is_usable = has_database and any(m["usable"] for m in models.values())
        content = {
            "status": _status(is_usable, models, has_database),
            "uptime_s": round(self._clock() - self._started, 1),
            "database": {"reachable": has_database},
            "registry": {"reachable": self._registry.is_reachable()},
            "device": self._networks.device,
            "gpu": _gpu(),
            "models": models,
        }
        return HealthReport(is_usable, content)

    def _model(self, name: str, loaded: set[tuple[str, int]]) -> dict[str, Any]:
        try:
            version, folder = self._registry.resolve(name)
        except WorkbenchError as error:
            return {"usable": False, "loaded": False, "reason": str(error)}
        has_weights = (folder / "weights.safetensors").is_file()
        return {
            "usable": has_weights,
            "loaded": (version.name, version.version) in loaded,
            "version": version.version,
            "sha256": version.sha256,
            "aliases": list(version.aliases),
            "calibration_id": version.calibration.calibration_id,
            **({} if has_weights else {"reason": "the weights of this version are missing"}),
        }


def _status(is_usable: bool, models: dict[str, Any], has_database: bool) -> str:
    if not is_usable:
        return "unusable"
    is_whole = has_database and all(model["usable"] for model in models.values())
    return "ok" if is_whole else "degraded"


def _gpu() -> dict[str, Any]:
    """Name and memory of the first CUDA device; `present` False without one."""
    import torch  # late: health is imported by commands that need no network

    if not torch.cuda.is_available():
        return {"present": False}
    free, total = torch.cuda.mem_get_info(0)
    return {
        "present": True,
        "name": torch.cuda.get_device_name(0),
        "memory_free_mib": free // 2**20,
        "memory_total_mib": total // 2**20,
    }
