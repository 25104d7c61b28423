"""The app's services on a temporary folder, with tiny real networks instead of the shipped models."""

from pathlib import Path

import cv2
import numpy as np

from app.shared.resources import Resources, make_resources
from core.bootstrap.foundations import (
    make_accounts,
    make_data_versions,
    make_evaluations,
    make_outside_accounts,
    make_own_account,
    make_sign_in,
    open_store,
    open_trail,
)
from core.bootstrap.jobs import JOB_KINDS
from core.bootstrap.services import Services
from core.config import Settings
from core.domain.errors import ModelNotFoundError
from core.domain.model_version import ModelVersion
from core.services.auditing import AuditService
from core.services.evaluation.evaluating import EvaluateService
from core.services.health import HealthService
from core.services.images.samples import SampleLibrary
from core.services.inference.detecting import DetectService
from core.services.inference.explaining import ExplainService
from core.services.jobs.job_queue import JobQueue
from core.services.jobs.jobs import JobService
from core.services.lifecycle.evaluation_parts import GateEvaluations
from core.services.lifecycle.gate_evidence import StoredEvidence
from core.services.lifecycle.model_services import make_model_services
from core.services.lifecycle.served_models import ServedModels
from core.services.routing.routing import RoutingService
from core.services.routing.routing_certificates import RoutingCertificates
from core.services.training.retraining import RetrainService
from core.services.workspaces import DemoWorkspaces, make_workspace
from core.store.database import open_database, upgrade
from tests.artefacts import write_artefact
from tests.memory_registry import MemoryRegistry

DATA = Path(__file__).resolve().parents[1] / "data"


class TwoModels(MemoryRegistry):
    """A registry of one weld and one casting version that can be taken away, cache and all."""

    def resolve(
        self, name: str, *, version: int | None = None, alias: str = "champion"
    ) -> tuple[ModelVersion, Path]:
        """The version and its folder."""
        if not self.is_there:
            raise ModelNotFoundError(f"no registered model {name!r}")
        return super().resolve(name, version=version, alias=alias)


def make_workplace(folder: Path, *, is_demo: bool = True) -> Resources:
    """Services and the app's objects, everything below `folder`; guests may come in unless told otherwise."""
    settings = Settings(_env_file=None, data_dir=folder, database_url=f"sqlite:///{folder / 'radikal.db'}")
    database = open_database(settings.database_url)
    upgrade(database)
    trail = open_trail(settings, database)
    store = open_store(database, trail)
    registry = TwoModels()
    for name in ("weld", "casting"):
        registry.add(write_artefact(folder / name, name=name, score_spread=1.0), alias="champion")
    served = ServedModels(registry)
    detect = DetectService(served, device="cpu")
    own_account = make_own_account(settings, store, cost=4)
    jobs = JobService(store, folder / "jobs", kinds=JOB_KINDS)
    evaluations = make_evaluations(settings, store, registry, jobs, device="cpu")
    data = make_data_versions(settings, store, jobs)
    services = Services(
        settings=settings,
        database=database,
        store=store,
        trail=trail,
        audit=AuditService(store, trail),
        signing_in=make_sign_in(settings, store, cost=4),
        accounts=make_accounts(settings, store, cost=4),
        own_account=own_account,
        outside_accounts=make_outside_accounts(settings, store),
        registry=registry,
        workspace=make_workspace("", store, folder / "originals", accounts=own_account),
        demo=DemoWorkspaces(folder / "demo", open_store),
        samples=SampleLibrary(DATA / "dataset_card.yaml", DATA / "samples"),
        detect=detect,
        explain=ExplainService(detect),
        evaluate=EvaluateService(detect, registry),
        routing=RoutingService(detect, registry, RoutingCertificates(folder / "routing")),
        health=HealthService(database=database, registry=served, networks=detect),
        jobs=jobs,
        job_queue=JobQueue(store),
        data=data,
        retraining=RetrainService(jobs, data, registry),
        models=make_model_services(
            store,
            registry,
            served,
            StoredEvidence(GateEvaluations(evaluations.archive), registry),
            detect.warm_up,
        ),
        evaluations=evaluations,
    )
    return make_resources(services, is_demo=is_demo)


def close_workplace(held: Resources) -> None:
    """Let background work finish and give back the connections."""
    held.close()
    held.services.database.dispose()


def radiograph_png(seed: int = 0, *, height: int = 96, width: int = 128) -> bytes:
    """A 16-bit PNG of noise, different for each seed."""
    pixels = np.random.default_rng(seed).integers(0, 65_535, (height, width), dtype=np.uint16)
    is_written, encoded = cv2.imencode(".png", pixels)
    assert is_written
    return encoded.tobytes()
