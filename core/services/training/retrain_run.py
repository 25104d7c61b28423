"""A retraining from beginning to end: prepare, train, calibrate, measure, register. Runs as a job."""

import logging
import os
import shutil
from collections.abc import Callable, Collection
from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import torch

from core.domain.accounts import COMMAND_LINE, Identity, Role
from core.domain.errors import BadInputError, JobCancelledError
from core.domain.ports import JobLog, Registry
from core.engine.precision import pick_device
from core.registry.artefact import MANIFEST, WEIGHTS
from core.registry.training_run import MlflowRunLog
from core.services.jobs.job_worker import WorkerLog
from core.services.training.outlook import held_back
from core.services.training.retrain_card import Lineage, write_challenger_card
from core.services.training.retrain_data import (
    TEST_FILE,
    VALIDATION_SEED,
    TrainingData,
    prepare,
    refuse_held_back,
    title_of,
    write_manifest_labels,
    write_recipe,
)
from core.services.training.retrain_judging import calibrate, measure
from core.services.training.retraining import RECIPE_FILE, RUN_FOLDER, RetrainRequest
from core.services.training.training import BothRunLogs
from core.store.blobs import Blobs
from core.store.data_versions import DataVersion
from core.store.jobs import Job
from core.store.manifests import ManifestFiles
from core.store.unit_of_work import Store
from core.training.checkpoint import load_checkpoint
from core.training.data_check import refuse_faults
from core.training.images import TrainingImage, load_images
from core.training.logs import FileRunLog
from core.training.loop import RunSettings, train
from core.training.manifest import manifest_digest, write_manifest
from core.training.recipe import CocoSource, Recipe, SimulatedSource, Source
from core.training.validation import ValidationLoss

log = logging.getLogger(__name__)
_PREPARED, _TRAINED, _CALIBRATED, _MEASURED = 0.05, 0.75, 0.86, 0.97
_REPORTS, _CHECKPOINTS = 20, 12
_MOST_STEPS_BETWEEN_REPORTS, _MOST_STEPS_BETWEEN_CHECKPOINTS = 50, 200
_N_VALIDATION_FILMS = 3
_RUN_ID = "mlflow_run"


class OpensRun(Protocol):
    """Opens an MLflow run of that name, or goes on with one."""

    def __call__(self, name: str, *, run_id: str | None) -> MlflowRunLog:
        """The run."""


class Retrainer:
    """Makes challengers.

    Args:
        store: knows the data versions.
        blobs: the originals.
        manifests: of the data versions.
        registry: of model versions.
        evaluated: gives, of a model, the sha256 of every image that an evaluation set holds.
        open_run: opens an MLflow run.
        challenge: lets the alias `challenger` point to a version, on behalf of somebody.
    """

    def __init__(
        self,
        store: Store,
        blobs: Blobs,
        manifests: ManifestFiles,
        registry: Registry,
        *,
        evaluated: Callable[[str], Collection[str]],
        open_run: OpensRun,
        challenge: Callable[[Identity, str, int], None],
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._manifests = manifests
        self._registry = registry
        self._evaluated = evaluated
        self._open_run = open_run
        self._challenge = challenge

    def run(self, job: Job, worker_log: WorkerLog) -> dict[str, Any]:
        """The result of a job whose payload is a `RetrainRequest`; called again it goes on.

        Raises:
            DatasetError: the data cannot train.
                JobCancelledError: the job log said so; the newest checkpoint stays.
            RegistryUnavailableError: MLflow does not answer.
        """
        request = RetrainRequest(**job.payload)
        folder = worker_log.folder
        base, base_folder = self._registry.resolve(request.model_name, version=request.base_version)
        version = self._data_version(request)
        manifest = self._manifests.read(version.manifest_sha256)
        worker_log.progress(0, 1000, "preparing the data")
        data = prepare(manifest, base_folder, request, self._blobs, folder / "data")
        refuse_held_back(data.train, self._held_back(request.model_name))
        device = pick_device(job.device)
        id_file = folder / _RUN_ID
        known = id_file.read_text(encoding="utf-8") if id_file.is_file() else None
        with self._open_run(title_of(request), run_id=known) as run:
            id_file.write_text(run.run_id, encoding="utf-8")
            if known is None:
                run.tags(self._origin(job, request))
                self._tell_inputs(run, request, version, data)
            n_steps = self._train(request, version, data, base_folder, job.device, worker_log, run)
            number = 1 + max(one.version for one in self._registry.versions(request.model_name))
            lineage = Lineage(request, base, version, manifest, data, n_steps, _device_words(device), number)
            artefact = self._judge(folder, base_folder, lineage, device, worker_log)
            number = self._registry.register(artefact, author=job.started_by or "")
            run.registered(request.model_name, number)
        by = COMMAND_LINE if job.started_by is None else Identity(job.started_by, "", Role.ML_ENGINEER)
        self._challenge(by, request.model_name, number)
        return {
            "model": request.model_name,
            "version": number,
            "base_version": base.version,
            "data_number": version.number,
            "n_corrections": len(lineage.corrections),
            "n_steps": n_steps,
        }

    def _origin(self, job: Job, request: RetrainRequest) -> dict[str, str]:
        """Who had it trained, from what; the names are MLflow's where it has one."""
        entries = self._registry.entries(request.model_name)
        parent = next((one.about.run_id for one in entries if one.number == request.base_version), "")
        return {
            "mlflow.user": job.started_by or "",
            "author": job.started_by or "",
            "base_version": f"{request.model_name} v{request.base_version}",
            "data_version": f"{request.data_number}",
            "parent_run": parent,
        }

    def _tell_inputs(
        self, run: MlflowRunLog, request: RetrainRequest, version: DataVersion, data: TrainingData
    ) -> None:
        run.parameters(
            {
                "base_version": request.base_version,
                "data_version": version.number,
                "data_manifest_sha256": version.manifest_sha256,
                "n_new_images": len(data.new),
            }
        )
        run.dataset(
            model=request.model_name,
            number=version.number,
            manifest=self._manifests.path(version.manifest_sha256),
            counts=dict(version.counts),
        )

    def _data_version(self, request: RetrainRequest) -> DataVersion:
        with self._store.read() as work:
            version = work.data_versions.numbered(request.data_number)
        if version is None:
            raise BadInputError(f"there is no data version {request.data_number}")
        return version

    def _held_back(self, model: str) -> AbstractSet[str]:
        """The sha256 of every image that calibrates or judges, in any data version or evaluation set."""
        with self._store.read() as work:
            versions = work.data_versions.all(model)
        return held_back(
            (self._manifests.read(version.manifest_sha256) for version in versions), self._evaluated(model)
        )

    def _train(
        self,
        request: RetrainRequest,
        version: DataVersion,
        data: TrainingData,
        base: Path,
        device: str,
        worker_log: WorkerLog,
        run: MlflowRunLog,
    ) -> int:
        """The number of steps done; weights, manifest and recipe lie in the run's folder."""
        run_folder = worker_log.folder / RUN_FOLDER
        run_folder.mkdir(parents=True, exist_ok=True)
        recipe = write_recipe(run_folder / RECIPE_FILE, request, base, data)
        images = load_images(recipe, data.folder, data.folder)
        refuse_faults(recipe, images, data.folder, data.folder)
        write_manifest(run_folder / MANIFEST, images)
        run.parameters({"manifest_digest": manifest_digest(images)})
        write_manifest_labels(run_folder / MANIFEST, data.train, version.manifest_sha256)
        settings = _settings(request, recipe, data, run_folder, pick_device(device))
        staged = StagedLog(worker_log, _PREPARED, _TRAINED, "step")
        weights = train(recipe, images, settings, BothRunLogs(FileRunLog(run_folder), run), staged)
        for path in (run_folder / RECIPE_FILE, run_folder / MANIFEST, weights):
            run.artefact(path)
        state = load_checkpoint(run_folder)
        return request.steps if state is None else int(state["step"])

    def _judge(self, folder: Path, base: Path, lineage: Lineage, device: str, job_log: JobLog) -> Path:
        """The artefact folder, now complete."""
        out = folder / "artefact"
        out.mkdir(exist_ok=True)
        for name in (WEIGHTS, MANIFEST):
            shutil.copyfile(folder / RUN_FOLDER / name, out / name)
        calibrating = StagedLog(job_log, _TRAINED, _CALIBRATED, "calibrating: image")
        record = calibrate(out, base, lineage, device=device, progress=calibrating.image)
        write_challenger_card(out, lineage, record, ())  # measuring needs a card
        measuring = StagedLog(job_log, _CALIBRATED, _MEASURED, "measuring: image")
        measured = measure(out, lineage, device=device, progress=measuring.image)
        card = write_challenger_card(out, lineage, record, measured)
        log.info("%s", card["release"]["note"])
        return out


class StagedLog:
    """A `JobLog` of one stage, which is a part of the whole job.

    Args:
        job_log: of the whole.
        start: share of the whole at which the stage begins.
        end: share at which it ends.
        what: is counted.
    """

    def __init__(self, job_log: JobLog, start: float, end: float, what: str) -> None:
        self._job_log = job_log
        self._start = start
        self._end = end
        self._what = what

    def progress(self, done: int, total: int, message: str) -> None:
        """Report the stage's progress as that of the whole."""
        share = self._start + (self._end - self._start) * done / max(total, 1)
        said = f"{self._what} {done} of {total}" + (f", {message}" if message else "")
        self._job_log.progress(round(10_000 * share), 10_000, said)

    def image(self, done: int, total: int) -> None:
        """Report an image.

        Raises:
            JobCancelledError: the job should stop.
        """
        if self._job_log.is_cancelled():
            raise JobCancelledError(f"stopped while {self._what} {done} of {total}; resume to go on")
        self.progress(done, total, "")

    def is_cancelled(self) -> bool:
        """True when the whole job should stop."""
        return self._job_log.is_cancelled()


def _settings(
    request: RetrainRequest, recipe: Recipe, data: TrainingData, folder: Path, device: str
) -> RunSettings:
    steps = request.steps
    return RunSettings(
        out=folder,
        device=device,
        resume=True,
        report_every=max(1, min(_MOST_STEPS_BETWEEN_REPORTS, steps // _REPORTS)),
        checkpoint_every=max(2, min(_MOST_STEPS_BETWEEN_CHECKPOINTS, steps // _CHECKPOINTS)),
        budget_s=60 * request.budget_minutes,
        validate=ValidationLoss(_validation_groups(recipe, data), recipe.schedule, device=device),
    )


def _validation_groups(recipe: Recipe, data: TrainingData) -> dict[str, list[TrainingImage]]:
    """Images for the validation curves: the test part of the data version, and films learnt before."""

    def loaded(source: Source) -> list[TrainingImage]:
        return load_images(replace(recipe, sources=(source,)), data.folder, data.folder)

    groups = {}
    if (data.folder / TEST_FILE).is_file():
        groups["held back"] = loaded(CocoSource(TEST_FILE, are_classes_known=True))
    if recipe.model == "weld":
        groups["simulated"] = loaded(SimulatedSource(_N_VALIDATION_FILMS, VALIDATION_SEED))
    return groups


def _device_words(device: str) -> str:
    if device.startswith("cuda"):
        return f"one GPU ({torch.cuda.get_device_name(device)})"
    return f"{os.cpu_count()} CPU cores"
