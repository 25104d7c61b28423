"""The composition root: settings in, wired services out.

What needs PyTorch or MLflow is imported where it is built: accounts and the audit log have to answer at once.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, inspect

from core.audit.chain import keyring
from core.config import Settings
from core.domain.accounts import COMMAND_LINE, Identity
from core.domain.errors import ConfigurationError
from core.domain.serving import ChangeKind
from core.keys import Purpose, derive, kept_secret
from core.services.accounts import AccountService, NewPassword
from core.services.attempts import Attempts, account_key
from core.services.auditing import AuditService
from core.services.data_versions import MAKE_DATA_VERSION, DataVersionService
from core.services.job_queue import JobQueue
from core.services.jobs import LOG_FILE, JobService, job_folder
from core.services.label_files import LabelFiles
from core.services.outside_accounts import OutsideAccounts
from core.services.own_account import OwnAccountService
from core.services.passwords import COST, check_password, hash_password
from core.services.queueing import DISAGREE
from core.services.retraining import RETRAIN, RetrainService
from core.services.samples import SampleLibrary
from core.services.signing_in import SignInService
from core.services.sweeping import sweep_originals
from core.services.working import JobRun, JobWorker
from core.services.workspaces import DemoWorkspaces, Workspace, make_workspace
from core.store.anchor_file import AnchorFile
from core.store.audit_trail import AuditTrail
from core.store.blobs import BlobStore
from core.store.database import open_database, upgrade
from core.store.evaluations import EVALUATE
from core.store.manifests import ManifestFiles
from core.store.record_tables import AuditEventRow
from core.store.unit_of_work import Store

if TYPE_CHECKING:
    from core.assembly import LearningAssembly
    from core.registry.mlflow_registry import MlflowRegistry
    from core.services.data_making import DataMaker
    from core.services.detecting import DetectService
    from core.services.evaluating import EvaluateService
    from core.services.evaluation_run import EvaluationRun
    from core.services.evaluation_sets import EvaluationSets
    from core.services.evaluations import EvaluationService
    from core.services.explaining import ExplainService
    from core.services.health import HealthService
    from core.services.model_desk import ModelDesk
    from core.services.promoting import Evidence, PromotionService
    from core.services.retrain_run import Retrainer
    from core.services.routing import RoutingService
    from core.services.serving import ServingService
    from core.services.training import TrainService
    from core.services.version_disagreements import VersionDisagreements

log = logging.getLogger(__name__)
#: Relative paths of the settings, the shipped models and the samples lie below this folder.
ROOT = Path(__file__).resolve().parents[1]
CHECKPOINTS = ROOT / "models" / "checkpoints"
_SQLITE = "sqlite:///"
_KEPT_KEY = "signing.key"
_JOBS, _ORIGINALS, _MANIFESTS, _IMPORTS = "jobs", "originals", "data_versions", "imports"
_EVALUATIONS = "evaluations"
#: What long jobs there are, and how what does one is built; see `core.services.jobs`.
JOB_KINDS: dict[str, Callable[[Settings], JobRun]] = {
    MAKE_DATA_VERSION: lambda settings: make_data_maker(settings).run,
    RETRAIN: lambda settings: make_retrainer(settings).run,
    EVALUATE: lambda settings: make_evaluation_run(settings).run,
    DISAGREE: lambda settings: make_version_disagreements(settings).run,
}


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that pages, routes and commands call.

    Attributes:
        workspace: the real one, of everybody with an account.
        demo: those of guests.
    """

    settings: Settings
    database: Engine
    store: Store
    trail: AuditTrail
    audit: AuditService
    signing_in: SignInService
    accounts: AccountService
    own_account: OwnAccountService
    outside_accounts: OutsideAccounts
    registry: MlflowRegistry
    workspace: Workspace
    demo: DemoWorkspaces
    samples: SampleLibrary
    detect: DetectService
    explain: ExplainService
    evaluate: EvaluateService
    routing: RoutingService
    health: HealthService
    jobs: JobService
    job_queue: JobQueue
    data: DataVersionService
    retraining: RetrainService
    models: ModelDesk
    evaluations: EvaluationService

    def workspace_of(self, identity: Identity) -> Workspace:
        """Where this person's images and records live; a guest never sees the real one."""
        return self.demo.of(identity) if identity.is_guest else self.workspace


def build_services(settings: Settings) -> Services:
    """The services over the database, registry and folders that `settings` name; opens, creates no schema."""
    from core.services.detecting import DetectService
    from core.services.evaluating import EvaluateService
    from core.services.explaining import ExplainService
    from core.services.health import HealthService
    from core.services.model_desk import make_model_desk
    from core.services.routing import RoutingService
    from core.services.routing_certificates import RoutingCertificates
    from core.services.served_models import ServedModels

    data_dir = ROOT / settings.data_dir
    database = open_database(anchored(settings.database_url))
    trail = open_trail(settings, database)
    store = open_store(database, trail)
    registry = make_registry(settings)
    served = ServedModels(registry)
    detect = DetectService(served, device=settings.device)
    own_account = make_own_account(settings, store)
    jobs = JobService(store, data_dir / _JOBS, kinds=JOB_KINDS)
    data = make_data_versions(settings, store, jobs)
    return Services(
        settings=settings,
        database=database,
        store=store,
        trail=trail,
        audit=AuditService(store, trail),
        signing_in=make_sign_in(settings, store),
        accounts=make_accounts(settings, store),
        own_account=own_account,
        outside_accounts=make_outside_accounts(settings, store),
        registry=registry,
        workspace=make_workspace(
            "",
            store,
            data_dir / _ORIGINALS,
            accounts=own_account,
            seal_key=derive(secret_of(settings), Purpose.SIGNATURE),
        ),
        demo=DemoWorkspaces(data_dir / "demo", open_store, idle_s=60 * settings.demo_idle_minutes),
        samples=SampleLibrary(ROOT / "data" / "dataset_card.yaml", ROOT / "data" / "samples"),
        detect=detect,
        explain=ExplainService(detect),
        evaluate=EvaluateService(detect, registry),
        routing=RoutingService(detect, registry, RoutingCertificates(data_dir / "routing")),
        health=HealthService(database=database, registry=served, networks=detect),
        jobs=jobs,
        job_queue=JobQueue(store),
        data=data,
        retraining=RetrainService(jobs, data, registry),
        models=make_model_desk(
            store, registry, served, make_evidence(settings, store, registry), detect.warm_up
        ),
        evaluations=make_evaluations(settings, store, registry, jobs, device=detect.device),
    )


def open_store(database: Engine, trail: AuditTrail | None = None) -> Store:
    """Transactions on `database` with its audit log; without `trail`, for a database that is thrown away."""
    if trail is None:
        trail = AuditTrail(database, keyring(secrets.token_bytes(32)), anchors=None)
    return Store(database, open_audit=trail.open, after_write=trail.after_write)


def open_trail(settings: Settings, database: Engine) -> AuditTrail:
    """The audit log of the real database: sealed with the key of these settings, anchored beside the data."""
    data_dir = ROOT / settings.data_dir
    earlier = [secret.get_secret_value().encode("utf-8") for secret in settings.jwt_secret_previous]
    if (kept := data_dir / _KEPT_KEY).is_file():  # sealed what was written before JWT_SECRET was set
        earlier.append(kept.read_bytes())
    keys = (derive(secret, Purpose.AUDIT) for secret in (secret_of(settings), *earlier))
    return AuditTrail(database, keyring(*keys), anchors=AnchorFile(data_dir / "audit" / "anchors.jsonl"))


def make_sign_in(settings: Settings, store: Store, *, cost: int = COST) -> SignInService:
    """Sessions of people with an account; `cost` is that of the password hashes."""
    return SignInService(
        store,
        secret_of(settings),
        idle=timedelta(minutes=settings.session_idle_minutes),
        absolute=timedelta(hours=settings.session_max_hours),
        cost=cost,
    )


def make_accounts(settings: Settings, store: Store, *, cost: int = COST) -> AccountService:
    """What admins do with accounts; `cost` is that of the password hashes."""
    key = derive(secret_of(settings), Purpose.CLIENT)
    make_hash = partial(hash_password, cost=cost)
    return AccountService(store, account_key=partial(account_key, key), make_hash=make_hash)


def make_own_account(settings: Settings, store: Store, *, cost: int = COST) -> OwnAccountService:
    """What people do with their own account; `cost` is that of the password hashes."""
    return OwnAccountService(
        store,
        attempts=Attempts(store, derive(secret_of(settings), Purpose.CLIENT)),
        check=partial(check_password, cost=cost),
        make_hash=partial(hash_password, cost=cost),
    )


def make_outside_accounts(settings: Settings, store: Store) -> OutsideAccounts:
    """Accounts of people who come through an identity provider."""
    return OutsideAccounts(store, role_claim=settings.oidc_role_claim, roles=settings.role_by_claim)


@contextmanager
def open_accounts(settings: Settings) -> Iterator[tuple[AccountService, SignInService]]:
    """Accounts and their sessions alone, without models; the database is brought to the newest schema."""
    database = open_database(anchored(settings.database_url))
    try:
        upgrade(database)
        store = open_store(database, open_trail(settings, database))
        yield make_accounts(settings, store), make_sign_in(settings, store)
    finally:
        database.dispose()


@contextmanager
def open_labels(settings: Settings) -> Iterator[tuple[LabelFiles, Store]]:
    """Labels in and out, without models; the database is brought to the newest schema."""
    database = open_database(anchored(settings.database_url))
    try:
        upgrade(database)
        store = open_store(database, open_trail(settings, database))
        yield make_workspace("", store, ROOT / settings.data_dir / "originals").label_files, store
    finally:
        database.dispose()


@contextmanager
def open_promotion(settings: Settings) -> Iterator[tuple[PromotionService, ServingService]]:
    """The gate and what served when, without networks; the database is brought to the newest schema."""
    from core.services.alias_moves import AliasMover
    from core.services.promoting import LaterEvidence, PromotionService
    from core.services.serving import ServingService

    database = open_database(anchored(settings.database_url))
    try:
        upgrade(database)
        trail = open_trail(settings, database)
        store, registry = open_store(database, trail), make_registry(settings)
        serving = ServingService(store, registry)
        mover = AliasMover(store, registry, serving)
        evidence = LaterEvidence(partial(make_evidence, settings, store, registry))
        yield PromotionService(store, mover, evidence), serving
        trail.close()
    finally:
        database.dispose()


@contextmanager
def open_learning(settings: Settings) -> Iterator[tuple[DataVersionService, RetrainService, BlobStore]]:
    """Data versions, retraining and the originals, without networks; at the newest schema."""
    database = open_database(anchored(settings.database_url))
    try:
        upgrade(database)
        store = open_store(database, open_trail(settings, database))
        jobs = JobService(store, ROOT / settings.data_dir / _JOBS, kinds=JOB_KINDS)
        data = make_data_versions(settings, store, jobs)
        retraining = RetrainService(jobs, data, make_registry(settings))
        yield data, retraining, BlobStore(ROOT / settings.data_dir / _ORIGINALS)
    finally:
        database.dispose()


def evaluate_artefact(folder: Path) -> EvaluateService:
    """What measures a version that is not registered, from its artefact folder."""
    from core.services.detecting import DetectService
    from core.services.evaluating import EvaluateService
    from core.services.releasing import OneModel

    models = OneModel(folder, 0)
    return EvaluateService(DetectService(models), models)


def make_evidence(settings: Settings, store: Store, registry: MlflowRegistry) -> Evidence:
    """Measured figures for the promotion gate."""
    from core.services.evaluation_parts import GateEvaluations, make_archive
    from core.services.gate_evidence import StoredEvidence

    archive = make_archive(store, ROOT / settings.data_dir / _EVALUATIONS)
    return StoredEvidence(GateEvaluations(archive), registry)


def make_evaluations(
    settings: Settings, store: Store, registry: MlflowRegistry, jobs: JobService, *, device: str
) -> EvaluationService:
    """Evaluation sets and what was measured on them; jobs measure on `device`."""
    from core.services.evaluation_parts import make_archive, make_sets
    from core.services.evaluations import EvaluationService

    folder = ROOT / settings.data_dir / _EVALUATIONS
    archive = make_archive(store, folder)
    return EvaluationService(make_sets(store, folder), archive, registry, jobs, device=device)


@contextmanager
def open_evaluation_sets(settings: Settings) -> Iterator[EvaluationSets]:
    """The evaluation sets alone; the database is brought to the newest schema."""
    from core.services.evaluation_parts import make_sets

    database = open_database(anchored(settings.database_url))
    try:
        upgrade(database)
        trail = open_trail(settings, database)
        yield make_sets(open_store(database, trail), ROOT / settings.data_dir / _EVALUATIONS)
        trail.close()
    finally:
        database.dispose()


def make_evaluation_run(settings: Settings) -> EvaluationRun:
    """What measures versions; it needs the database that `set_up` made."""
    from core.services.detecting import DetectService
    from core.services.evaluation_parts import make_archive, make_sets
    from core.services.evaluation_run import EvaluationRun

    database = open_database(anchored(settings.database_url))
    store = open_store(database, open_trail(settings, database))
    registry, folder = make_registry(settings), ROOT / settings.data_dir / _EVALUATIONS
    detect = DetectService(registry, device=settings.device)
    return EvaluationRun(store, make_sets(store, folder), make_archive(store, folder), registry, detect)


def make_version_disagreements(settings: Settings) -> VersionDisagreements:
    """What compares champion and challenger; it needs the database that `set_up` made."""
    from core.services.detecting import DetectService
    from core.services.version_disagreements import VersionDisagreements

    database = open_database(anchored(settings.database_url))
    store = open_store(database, open_trail(settings, database))
    registry = make_registry(settings)
    images = make_workspace("", store, ROOT / settings.data_dir / _ORIGINALS).images
    return VersionDisagreements(store, images, registry, DetectService(registry, device=settings.device))


def build_audit(settings: Settings) -> AuditService:
    """The audit log alone, without models.

    Raises:
        ConfigurationError: the database is not the one that `set_up` made.
    """
    database = open_database(anchored(settings.database_url))
    if not inspect(database).has_table(AuditEventRow.__tablename__):
        raise ConfigurationError("DATABASE_URL: this database holds no audit log: run `radikal setup` first")
    trail = open_trail(settings, database)
    return AuditService(open_store(database, trail), trail)


def secret_of(settings: Settings) -> bytes:
    """What every key is derived from: JWT_SECRET, else one made once and kept under the data folder."""
    if settings.jwt_secret is not None:
        return settings.jwt_secret.get_secret_value().encode("utf-8")
    return kept_secret(ROOT / settings.data_dir / _KEPT_KEY)


def make_registry(settings: Settings) -> MlflowRegistry:
    """The model registry that `settings` name."""
    from core.registry.mlflow_registry import MlflowRegistry

    return MlflowRegistry(
        anchored(settings.mlflow_tracking_uri),
        ROOT / settings.data_dir / "registry",
        pyfunc_script=ROOT / "core" / "services" / "pyfunc_model.py",
    )


def set_up(settings: Settings) -> dict[str, tuple[int, ...]]:
    """Create or upgrade the database and register the shipped models; what was done before is left alone.

    What interrupted uploads left behind is removed.

    Returns:
        Registered version numbers by model name.
    """
    from core.services.registering import register_shipped

    data_dir = ROOT / settings.data_dir
    data_dir.mkdir(parents=True, exist_ok=True)
    with open_promotion(settings) as (_, serving):
        sweep_originals(BlobStore(data_dir / _ORIGINALS), serving.store)
        registered = register_shipped(CHECKPOINTS, make_registry(settings))
        serving.observe(kind=ChangeKind.SETUP, by=COMMAND_LINE)
    return registered


def set_up_first_admin(settings: Settings) -> NewPassword | None:
    """The first account with its password, which nothing keeps; None when there are accounts already."""
    with open_accounts(settings) as (accounts, _):
        return accounts.add_first_admin()


def build_training(settings: Settings, *, job: str | None = None) -> TrainService:
    """The training service; it needs the database that `set_up` made."""
    from core.engine.precision import pick_device
    from core.registry.training_run import MlflowRunLog
    from core.services.training import TrainService

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


def make_data_versions(settings: Settings, store: Store, jobs: JobService) -> DataVersionService:
    """Data versions as people see them."""
    data_dir = ROOT / settings.data_dir
    return DataVersionService(store, ManifestFiles(data_dir / _MANIFESTS), data_dir / _IMPORTS, jobs)


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
        blobs=BlobStore(ROOT / settings.data_dir / _ORIGINALS),
        manifests=ManifestFiles(ROOT / settings.data_dir / _MANIFESTS),
        registry=make_registry(settings),
        tracking_uri=anchored(settings.mlflow_tracking_uri),
        artifacts=ROOT / settings.data_dir / "registry",
        evaluations=ROOT / settings.data_dir / _EVALUATIONS,
    )


def build_worker(settings: Settings, job_id: str) -> tuple[JobWorker, Path]:
    """What does the job in this process, and the file for its log; needs the database that `set_up` made.

    Raises:
        BadInputError: it is no id of a job.
    """
    database = open_database(anchored(settings.database_url))
    store = open_store(database, open_trail(settings, database))
    folder = ROOT / settings.data_dir / _JOBS
    worker = JobWorker(store, folder, lambda kind: JOB_KINDS[kind](settings))
    return worker, job_folder(folder, job_id) / LOG_FILE


def anchored(url: str) -> str:
    """A relative SQLite URL as seen from the project's folder, so that commands work from anywhere."""
    if not url.startswith(_SQLITE) or url == _SQLITE or url == f"{_SQLITE}:memory:":
        return url
    return _SQLITE + str(ROOT / url.removeprefix(_SQLITE))
