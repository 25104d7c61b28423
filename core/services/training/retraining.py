"""Retraining as people see it: started, followed by its curves, ended with a challenger."""

import json
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from core.domain.accounts import Identity
from core.domain.data_manifest import Part
from core.domain.errors import BadInputError, WorkbenchError
from core.domain.permissions import Action, require
from core.domain.ports import ModelSource
from core.services.datasets.data_versions import DataVersionService
from core.services.jobs.jobs import JobService
from core.services.training.outlook import Outlook, held_back, held_back_words, outlook
from core.store.jobs import Job
from core.training.checkpoint_index import has_checkpoint

#: The kind of job.
RETRAIN = "retrain"
RUN_FOLDER, METRICS, RECIPE_FILE = "run", "metrics.jsonl", "recipe.yaml"
#: Parts of the loss, as the curves add them up.
_LOSSES = ("score", "box", "class")
_VALIDATION = "validation_"
_MOST_CHECKED = 200


@dataclass(frozen=True, slots=True)
class RetrainRequest:
    """The wanted training: its start, data, length and speed.

    Attributes:
        model_name: "weld" or "casting".
        base_version: whose weights the training starts from.
        data_number: number of the data version.
        steps: optimiser steps.
        learning_rate: peak.
        budget_minutes: the training ends after so long even when steps are left.
        batch: crops a step.
        new_share: share of crops from what the base version never learnt, 0 to 1; the rest is old data.
        n_simulated: simulated films that are mixed in as old data; weld only.
        n_judging: simulated films that calibrate, and as many others that judge; weld only.
        seed: of the crops.

    Raises:
        BadInputError: a number is out of range.
    """

    model_name: str
    base_version: int
    data_number: int
    steps: int = 600
    learning_rate: float = 1e-4
    budget_minutes: float = 60.0
    batch: int = 8
    new_share: float = 0.5
    n_simulated: int = 64
    n_judging: int = 40
    seed: int = 0

    def __post_init__(self) -> None:
        checks = {
            "steps: expected 1 to 100,000": 1 <= self.steps <= 100_000,
            "learning rate: expected above 0, at most 0.01": 0 < self.learning_rate <= 0.01,
            "budget: expected above 0 to 10,000 minutes": 0 < self.budget_minutes <= 10_000,
            "batch: expected 1 to 64 crops": 1 <= self.batch <= 64,
            "share of new data: expected above 0 to 1": 0 < self.new_share <= 1,
            "simulated films: expected 0 to 2,000": 0 <= self.n_simulated <= 2_000,
            "simulated films that judge: expected 0 to 500": 0 <= self.n_judging <= 500,
        }
        finite = all(math.isfinite(v) for v in (self.learning_rate, self.budget_minutes, self.new_share))
        if not finite or (wrong := [said for said, is_right in checks.items() if not is_right]):
            raise BadInputError(wrong[0] if finite else "expected finite numbers")

    def to_payload(self) -> dict[str, Any]:
        """The keyword arguments that make it again, for the payload of a job."""
        return asdict(self)


#: Recipes by name: what one chooses first and may change then.
RECIPES: Mapping[str, Mapping[str, Any]] = {
    "Quick look": {
        "steps": 40,
        "learning_rate": 1e-4,
        "budget_minutes": 5.0,
        "batch": 4,
        "n_simulated": 6,
        "n_judging": 12,
    },
    "Correction": {
        "steps": 600,
        "learning_rate": 1e-4,
        "budget_minutes": 60.0,
        "batch": 8,
        "n_simulated": 64,
        "n_judging": 40,
    },
    "New material": {
        "steps": 3000,
        "learning_rate": 3e-4,
        "budget_minutes": 480.0,
        "batch": 8,
        "n_simulated": 200,
        "n_judging": 60,
    },
}


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
        evaluated: gives, of a model, the sha256 of every image that an evaluation set holds.
        has_original: tells, by the sha256 of a file, whether its bytes are still stored.
    """

    def __init__(
        self,
        jobs: JobService,
        data: DataVersionService,
        models: ModelSource,
        evaluated: Callable[[str], Collection[str]],
        has_original: Callable[[str], bool],
    ) -> None:
        self._jobs = jobs
        self._data = data
        self._models = models
        self._evaluated = evaluated
        self._has_original = has_original

    def start(self, identity: Identity, request: RetrainRequest, *, device: str = "cpu") -> str:
        """The id of the job.

        Raises:
            BadInputError: base version and data version do not exist or are of different models, or the data
                version has nothing to train on, or trains on what calibrates or judges by now.
        """
        require(identity, Action.JOBS_MANAGE)
        if refusal := self.outlook(identity, request).refusal:
            raise BadInputError(refusal)
        return self._jobs.start(identity, RETRAIN, request.to_payload(), device=device)

    def outlook(self, identity: Identity, request: RetrainRequest) -> Outlook:
        """The end that the retraining can come to.

        Raises:
            BadInputError: base version and data version do not exist or are of different models.
        """
        require(identity, Action.JOBS_READ)
        base, _ = self._models.resolve(request.model_name, version=request.base_version)
        version = self._data.numbered(identity, request.data_number)
        if version.model_name != request.model_name:
            raise BadInputError(
                f"data version {version.number} is of {version.model_name}, not of {request.model_name}"
            )
        told = outlook(version, base, n_simulated=request.n_simulated, n_judging=request.n_judging)
        if told.refusal:
            held = self._data.judging(identity, version).words
            return replace(told, refusal=f"{told.refusal}. {held}" if held else told.refusal)
        manifests = [self._data.manifest(identity, one) for one in self._data.all(identity, base.name)]
        judging = held_back(manifests, self._evaluated(base.name))
        train = self._data.manifest(identity, version).of_part(Part.TRAIN)
        return replace(told, refusal=held_back_words(train, judging))

    def resume_refusal(self, identity: Identity, job: Job) -> str:
        """Why a retraining that ended cannot go on from where it stopped; empty where it can.

        It goes on from its newest checkpoint, by the same recipe and on the same data; each has to be there
        still, and none of the images may judge or calibrate by now. Of many images the originals of some,
        evenly chosen, are looked for.

        Args:
            identity: who asks.
            job: of the kind `RETRAIN`.
        """
        require(identity, Action.JOBS_READ)
        run = self._jobs.folder_of(job.job_id) / RUN_FOLDER
        if not has_checkpoint(run):
            return "it ended before it kept a first state: start a new training"
        if not (run / RECIPE_FILE).is_file():
            return "its recipe is gone: start a new training"
        try:
            request = RetrainRequest(**job.payload)
            if refusal := self.outlook(identity, request).refusal:
                return refusal
            manifest = self._data.manifest(identity, self._data.numbered(identity, request.data_number))
        except WorkbenchError as error:
            return str(error)
        # an object store is asked over the network, image by image
        checked = manifest.images[:: 1 + len(manifest.images) // _MOST_CHECKED]
        gone = next((one.name for one in checked if not self._has_original(one.file_sha256)), "")
        return f"the original of {gone} is gone: restore a backup" if gone else ""

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
