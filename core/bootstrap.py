"""The composition root: settings in, wired services out."""

import logging
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from core.config import Settings
from core.engine.precision import pick_device
from core.registry.mlflow_registry import MlflowRegistry
from core.registry.training_run import MlflowRunLog
from core.services.detecting import DetectService
from core.services.evaluating import EvaluateService
from core.services.explaining import ExplainService
from core.services.health import HealthService
from core.services.images import ImageService
from core.services.registering import register_shipped
from core.services.samples import SampleLibrary
from core.services.training import TrainService
from core.store.blobs import BlobStore
from core.store.database import open_database, upgrade
from core.store.images import ImageRepository
from core.store.jobs import JobRepository

log = logging.getLogger(__name__)
#: Relative paths of the settings, the shipped models and the samples lie below this folder.
ROOT = Path(__file__).resolve().parents[1]
CHECKPOINTS = ROOT / "models" / "checkpoints"
_SQLITE = "sqlite:///"


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that pages, routes and commands call."""

    settings: Settings
    database: Engine
    registry: MlflowRegistry
    images: ImageService
    samples: SampleLibrary
    detect: DetectService
    explain: ExplainService
    evaluate: EvaluateService
    health: HealthService


def build_services(settings: Settings) -> Services:
    """The services over the database, registry and folders that `settings` name; opens, creates no schema."""
    data_dir = ROOT / settings.data_dir
    database = open_database(anchored(settings.database_url))
    registry = make_registry(settings)
    detect = DetectService(registry, device=settings.device)
    return Services(
        settings=settings,
        database=database,
        registry=registry,
        images=ImageService(BlobStore(data_dir / "originals"), ImageRepository(database)),
        samples=SampleLibrary(ROOT / "data" / "dataset_card.yaml", ROOT / "data" / "samples"),
        detect=detect,
        explain=ExplainService(detect),
        evaluate=EvaluateService(detect, registry),
        health=HealthService(database=database, registry=registry, networks=detect),
    )


def make_registry(settings: Settings) -> MlflowRegistry:
    """The model registry that `settings` name."""
    return MlflowRegistry(
        anchored(settings.mlflow_tracking_uri),
        ROOT / settings.data_dir / "registry",
        pyfunc_script=ROOT / "core" / "services" / "pyfunc_model.py",
    )


def set_up(settings: Settings) -> dict[str, tuple[int, ...]]:
    """Create or upgrade the database and register the shipped models; what was done before is left alone.

    Returns:
        Registered version numbers by model name.
    """
    (ROOT / settings.data_dir).mkdir(parents=True, exist_ok=True)
    database = open_database(anchored(settings.database_url))
    upgrade(database)
    database.dispose()
    return register_shipped(CHECKPOINTS, make_registry(settings))


def build_training(settings: Settings, *, job: str | None = None) -> TrainService:
    """The training service; it needs the database that `set_up` made."""
    database = open_database(anchored(settings.database_url))
    upgrade(database)
    data_dir = ROOT / settings.data_dir
    uri = anchored(settings.mlflow_tracking_uri)
    return TrainService(
        root=ROOT,
        runs=data_dir / "train",
        device=pick_device(settings.device),
        open_run=lambda name: MlflowRunLog(uri, name, data_dir / "registry" / "training-artifacts"),
        jobs=JobRepository(database),
        job=job,
    )


def anchored(url: str) -> str:
    """A relative SQLite URL as seen from the project's folder, so that commands work from anywhere."""
    if not url.startswith(_SQLITE) or url == _SQLITE or url == f"{_SQLITE}:memory:":
        return url
    return _SQLITE + str(ROOT / url.removeprefix(_SQLITE))
