"""What does long jobs, each in a process of its own.

Most of it needs PyTorch or MLflow, which is imported where it is built.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from core.bootstrap.foundations import (
    EVALUATIONS,
    JOBS,
    MANIFESTS,
    ORIGINALS,
    ROOT,
    anchored,
    make_registry,
    open_store,
    open_trail,
)
from core.config import Settings
from core.services.datasets.data_versions import MAKE_DATA_VERSION
from core.services.inspections.correction_queue import DISAGREE
from core.services.jobs.job_worker import JobRun, JobWorker
from core.services.jobs.jobs import LOG_FILE, job_folder
from core.services.training.retraining import RETRAIN
from core.services.workspaces import make_workspace
from core.store.blobs import BlobStore
from core.store.database import open_database, upgrade
from core.store.evaluations import EVALUATE
from core.store.manifests import ManifestFiles

if TYPE_CHECKING:
    from core.assembly import LearningAssembly
    from core.services.datasets.data_making import DataMaker
    from core.services.evaluation.evaluation_run import EvaluationRun
    from core.services.labels.version_disagreements import VersionDisagreements
    from core.services.training.retrain_run import Retrainer
    from core.services.training.training import TrainService

#: What long jobs there are, and how what does one is built; see `core.services.jobs.jobs`.
JOB_KINDS: dict[str, Callable[[Settings], JobRun]] = {
    MAKE_DATA_VERSION: lambda settings: make_data_maker(settings).run,
    RETRAIN: lambda settings: make_retrainer(settings).run,
    EVALUATE: lambda settings: make_evaluation_run(settings).run,
    DISAGREE: lambda settings: make_version_disagreements(settings).run,
}


def build_worker(settings: Settings, job_id: str) -> tuple[JobWorker, Path]:
    """What does the job in this process, and the file for its log; needs the database that `set_up` made.

    Raises:
        BadInputError: it is no id of a job.
    """
    database = open_database(anchored(settings.database_url))
    store = open_store(database, open_trail(settings, database))
    folder = ROOT / settings.data_dir / JOBS
    worker = JobWorker(store, folder, lambda kind: JOB_KINDS[kind](settings))
    return worker, job_folder(folder, job_id) / LOG_FILE


def build_training(settings: Settings, *, job: str | None = None) -> TrainService:
    """The training service; it needs the database that `set_up` made."""
    from core.engine.precision import pick_device
    from core.registry.training_run import MlflowRunLog
    from core.services.training.training import TrainService

    database = open_database(anchored(settings.database_url))
    upgrade(database)
    data_dir = ROOT / settings.data_dir
    uri = anchored(settings.mlflow_tracking_uri)
    return TrainService(
        root=ROOT,
        runs=data_dir / "train",
        device=pick_device(settings.device),
        open_run=lambda name: MlflowRunLog(uri, name, data_dir / "registry" / "training-artifacts"),
        store=open_store(database, open_trail(settings, database)),
        job=job,
    )


def make_data_maker(settings: Settings) -> DataMaker:
    """What makes data versions; it needs the database that `set_up` made."""
    return learning_place(settings).data_maker()


def make_retrainer(settings: Settings) -> Retrainer:
    """What makes challengers; it needs the database that `set_up` made."""
    return learning_place(settings).retrainer()


def learning_place(settings: Settings) -> LearningAssembly:
    """Where what learns finds everything."""
    from core.assembly import LearningAssembly

    database = open_database(anchored(settings.database_url))
    return LearningAssembly(
        store=open_store(database, open_trail(settings, database)),
        blobs=BlobStore(ROOT / settings.data_dir / ORIGINALS),
        manifests=ManifestFiles(ROOT / settings.data_dir / MANIFESTS),
        registry=make_registry(settings),
        tracking_uri=anchored(settings.mlflow_tracking_uri),
        artifacts=ROOT / settings.data_dir / "registry",
        evaluations=ROOT / settings.data_dir / EVALUATIONS,
    )


def make_evaluation_run(settings: Settings) -> EvaluationRun:
    """What measures versions; it needs the database that `set_up` made."""
    from core.services.evaluation.evaluation_run import EvaluationRun
    from core.services.inference.detecting import DetectService
    from core.services.lifecycle.evaluation_parts import make_archive, make_sets

    database = open_database(anchored(settings.database_url))
    store = open_store(database, open_trail(settings, database))
    registry, folder = make_registry(settings), ROOT / settings.data_dir / EVALUATIONS
    detect = DetectService(registry, device=settings.device)
    return EvaluationRun(store, make_sets(store, folder), make_archive(store, folder), registry, detect)


def make_version_disagreements(settings: Settings) -> VersionDisagreements:
    """What compares champion and challenger; it needs the database that `set_up` made."""
    from core.services.inference.detecting import DetectService
    from core.services.labels.version_disagreements import VersionDisagreements

    database = open_database(anchored(settings.database_url))
    store = open_store(database, open_trail(settings, database))
    registry = make_registry(settings)
    images = make_workspace("", store, ROOT / settings.data_dir / ORIGINALS).images
    return VersionDisagreements(store, images, registry, DetectService(registry, device=settings.device))
