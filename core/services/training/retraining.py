"""Retraining as people see it: started, followed by its curves, ended with a challenger."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.domain.accounts import Identity
from core.domain.errors import BadInputError
from core.domain.permissions import Action, require
from core.domain.ports import ModelSource
from core.services.datasets.data_versions import DataVersionService
from core.services.jobs.jobs import JobService
from core.services.training.retrain_request import RetrainRequest
from core.store.jobs import Job

#: The kind of job.
RETRAIN = "retrain"
RUN_FOLDER, METRICS = "run", "metrics.jsonl"
#: Parts of the loss, as the curves add them up.
_LOSSES = ("score", "box", "class")
_VALIDATION = "validation_"


@dataclass(frozen=True, slots=True)
class Curves:
    """The curves of a run so far; all lists are as long as `steps`.

    Attributes:
        steps: at which it reported, ascending.
        loss: of the crops that trained.
        validation: of crops that never train, by what they show.
        seconds: of training until then.
    """

    steps: tuple[int, ...]
    loss: tuple[float, ...]
    validation: dict[str, tuple[float, ...]]
    seconds: tuple[float, ...]


class RetrainService:
    """Starts and follows retrainings. Every method raises NotAllowedError for a role without the right to it.

    Args:
        jobs: do them.
        data: what they learn from.
        models: where base versions are looked up.
    """

    def __init__(self, jobs: JobService, data: DataVersionService, models: ModelSource) -> None:
        self._jobs = jobs
        self._data = data
        self._models = models

    def start(self, identity: Identity, request: RetrainRequest, *, device: str = "cpu") -> str:
        """The id of the job.

        Raises:
            BadInputError: base version and data version do not exist or are of different models, or the data
                version has nothing to train on.
        """
        require(identity, Action.JOBS_MANAGE)
        self._models.resolve(request.model_name, version=request.base_version)
        version = self._data.numbered(identity, request.data_number)
        if version.model_name != request.model_name:
            raise BadInputError(
                f"data version {version.number} is of {version.model_name}, not of {request.model_name}"
            )
        if not version.counts["parts"]["train"][0]:
            raise BadInputError(f"data version {version.number} has no image to train on")
        return self._jobs.start(identity, RETRAIN, request.to_payload(), device=device)

    def latest(self, identity: Identity, *, limit: int = 20) -> list[Job]:
        """Retrainings, the newest first."""
        require(identity, Action.JOBS_READ)
        return self._jobs.latest(identity, [RETRAIN], limit=limit)

    def curves(self, identity: Identity, job_id: str) -> Curves:
        """Losses of the run so far; empty before the first report."""
        require(identity, Action.JOBS_READ)
        path = self._jobs.folder_of(job_id) / RUN_FOLDER / METRICS
        if not path.is_file():
            return curves_of([])
        with path.open(encoding="utf-8") as file:
            return curves_of([json.loads(line) for line in file if line.endswith("\n")])


def curves_of(entries: Sequence[dict[str, Any]]) -> Curves:
    """The curves in the lines of a metrics file; a step that was done again after a crash counts once."""
    by_step = {entry["step"]: entry for entry in entries if "step" in entry and "score" in entry}
    rows = [by_step[step] for step in sorted(by_step)]
    names = sorted({key for row in rows for key in row if key.startswith(_VALIDATION)})
    return Curves(
        steps=tuple(int(row["step"]) for row in rows),
        loss=tuple(sum(float(row[name]) for name in _LOSSES) for row in rows),
        validation={
            name.removeprefix(_VALIDATION): tuple(float(row.get(name, "nan")) for row in rows)
            for name in names
        },
        seconds=tuple(float(row.get("seconds", "nan")) for row in rows),
    )
