"""The composition root: settings in, services out, for the app, commands, jobs and tests alike.

A service is made when it is first asked for, so that a command loads no more than it needs. Whatever loads
PyTorch, SciPy, OpenCV or MLflow is imported where it is made: accounts and the audit log answer at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, inspect

from core.audit.chain import keyring
from core.config import ROOT, Settings
from core.domain.accounts import COMMAND_LINE, Identity
from core.domain.errors import ConfigurationError
from core.domain.serving import ChangeKind
from core.keys import Purpose, derive, kept_secret
from core.registry.mlflow_registry import MlflowRegistry
from core.services.accounts.accounts import AccountService, NewPassword
from core.services.accounts.attempts import Attempts, account_key
from core.services.accounts.certificates import CertificateService
from core.services.accounts.outside_accounts import OutsideAccounts
from core.services.accounts.own_account import OwnAccountService
from core.services.accounts.passwords import COST, check_password, hash_password
from core.services.accounts.signing_in import SignInService
from core.services.auditing import AuditService
from core.services.datasets.data_versions import MAKE_DATA_VERSION, DataVersionService
from core.services.inspections.correction_queue import DISAGREE
from core.services.jobs.job_queue import JobQueue
from core.services.jobs.job_worker import JobRun, JobWorker
from core.services.jobs.jobs import JobService
from core.services.lifecycle.alias_history import AliasHistory
from core.services.lifecycle.alias_moves import AliasMover
from core.services.lifecycle.overriding import OverrideService
from core.services.lifecycle.promoting import Evidence, PromotionService
from core.services.lifecycle.registry_sync import RegistrySync
from core.services.lifecycle.served_models import ServedModels
from core.services.lifecycle.versions import VersionService
from core.services.training.retraining import RETRAIN, RetrainService
from core.store.anchor_file import AnchorFile
from core.store.array_files import ArrayFiles
from core.store.audit_trail import AuditTrail, open_store
from core.store.blobs import BlobStore
from core.store.database import open_database, upgrade
from core.store.evaluations import EVALUATE
from core.store.manifests import ManifestFiles
from core.store.unit_of_work import Store

if TYPE_CHECKING:
    from core.registry.training_run import MlflowRunLog
    from core.services.datasets.data_checking import DataCheckService
    from core.services.datasets.data_making import DataMaker
    from core.services.evaluation.evaluating import EvaluateService
    from core.services.evaluation.evaluation_archive import EvaluationArchive
    from core.services.evaluation.evaluation_run import EvaluationRun
    from core.services.evaluation.evaluation_sets import EvaluationSets
    from core.services.evaluation.evaluations import EvaluationService
    from core.services.evaluation.film_evaluating import FilmEvaluateService
    from core.services.health import HealthService
    from core.services.images.samples import SampleLibrary
    from core.services.inference.detecting import DetectService
    from core.services.inference.explaining import ExplainService
    from core.services.labels.version_disagreements import VersionDisagreements
    from core.services.reports.reporting import ReportingService
    from core.services.reports.verifying import VerifyingService
    from core.services.routing.routing import RoutingService
    from core.services.training.retrain_run import Retrainer
    from core.services.training.training import TrainService
    from core.services.workspaces import DemoWorkspaces, Workspace

CHECKPOINTS = ROOT / "models" / "checkpoints"
_SQLITE = "sqlite:///"
_KEPT_KEY = "signing.key"
#: The kinds of long jobs, and what runs each in the worker's process; see `core.services.jobs.jobs`.
JOB_KINDS: dict[str, Callable[[Container], JobRun]] = {
    MAKE_DATA_VERSION: lambda services: services.data_maker.run,
    RETRAIN: lambda services: services.retrainer.run,
    EVALUATE: lambda services: services.evaluation_run.run,
    DISAGREE: lambda services: services.version_disagreements.run,
}


class Container:
    """The services over the database, registry and folders that `settings` name; creates no schema.

    Threads may share one whose `detect`, `registry_sync` and `demo` were made before: Python 3.12 and later
    may make two of a property that two threads ask for first.

    Args:
        settings: of this process.
        serves: versions answer here: one is loaded and run once before it may be champion.
        hash_cost: of password hashes.
    """

    def __init__(self, settings: Settings, *, serves: bool = False, hash_cost: int = COST) -> None:
        self.settings = settings
        self.serves = serves
        self.hash_cost = hash_cost
        self.data_dir = ROOT / settings.data_dir
        self.tracking_uri = anchored(settings.mlflow_tracking_uri)

    def close(self) -> None:
        """Let what runs here finish, anchor the audit log, close the database; nothing is made for that."""
        for name in ("registry_sync", "demo", "trail"):
            if name in vars(self):
                getattr(self, name).close()
        if "database" in vars(self):
            self.database.dispose()

    def require_table(self, table: str, records: str) -> None:
        """Return when the database has the table.

        Raises:
            ConfigurationError: it is not one that `set_up` made.
        """
        if not inspect(self.database).has_table(table):
            raise ConfigurationError(
                f"DATABASE_URL: this database holds no {records}: run `radikal setup` first"
            )

    # --- foundations: database, audit log, keys, files, registry

    @cached_property
    def database(self) -> Engine:
        return open_database(anchored(self.settings.database_url))

    @cached_property
    def trail(self) -> AuditTrail:
        earlier = [secret.get_secret_value().encode("utf-8") for secret in self.settings.jwt_secret_previous]
        if (kept := self.data_dir / _KEPT_KEY).is_file():  # sealed what was written before JWT_SECRET was set
            earlier.append(kept.read_bytes())
        keys = (derive(secret, Purpose.AUDIT) for secret in (secret_of(self.settings), *earlier))
        anchors = AnchorFile(self.data_dir / "audit" / "anchors.jsonl")
        return AuditTrail(self.database, keyring(*keys), anchors=anchors)

    @cached_property
    def store(self) -> Store:
        return open_store(self.database, self.trail)

    @cached_property
    def blobs(self) -> BlobStore:
        return BlobStore(self.data_dir / "originals")

    @cached_property
    def manifests(self) -> ManifestFiles:
        return ManifestFiles(self.data_dir / "data_versions")

    @cached_property
    def registry(self) -> MlflowRegistry:
        script = ROOT / "core" / "services" / "lifecycle" / "pyfunc_model.py"
        return MlflowRegistry(self.tracking_uri, self.data_dir / "registry", pyfunc_script=script)

    def key(self, purpose: Purpose) -> bytes:
        """The key for one purpose."""
        return derive(secret_of(self.settings), purpose)

    # --- accounts and the audit log

    @cached_property
    def accounts(self) -> AccountService:
        return AccountService(
            self.store,
            account_key=partial(account_key, self.key(Purpose.CLIENT)),
            make_hash=partial(hash_password, cost=self.hash_cost),
        )

    @cached_property
    def own_account(self) -> OwnAccountService:
        return OwnAccountService(
            self.store,
            attempts=Attempts(self.store, self.key(Purpose.CLIENT)),
            check=partial(check_password, cost=self.hash_cost),
            make_hash=partial(hash_password, cost=self.hash_cost),
        )

    @cached_property
    def certificates(self) -> CertificateService:
        return CertificateService(self.store)

    @cached_property
    def outside_accounts(self) -> OutsideAccounts:
        settings = self.settings
        return OutsideAccounts(self.store, role_claim=settings.oidc_role_claim, roles=settings.role_by_claim)

    @cached_property
    def signing_in(self) -> SignInService:
        return SignInService(
            self.store,
            secret_of(self.settings),
            idle=timedelta(minutes=self.settings.session_idle_minutes),
            absolute=timedelta(hours=self.settings.session_max_hours),
            cost=self.hash_cost,
        )

    @cached_property
    def audit(self) -> AuditService:
        return AuditService(self.store, self.trail)

    # --- workspaces and reports

    @cached_property
    def workspace(self) -> Workspace:
        from core.services.workspaces import make_workspace

        return make_workspace(
            "",
            self.store,
            self.data_dir / "originals",
            accounts=self.own_account,
            seal_key=self.key(Purpose.SIGNATURE),
        )

    @cached_property
    def demo(self) -> DemoWorkspaces:
        from core.services.workspaces import DemoWorkspaces

        idle_s = 60 * self.settings.demo_idle_minutes
        return DemoWorkspaces(self.data_dir / "demo", open_store, idle_s=idle_s)

    def workspace_of(self, identity: Identity) -> Workspace:
        """The workspace with this person's images and records; a guest never sees that of accounts."""
        return self.demo.of(identity) if identity.is_guest else self.workspace

    @cached_property
    def samples(self) -> SampleLibrary:
        from core.services.images.samples import SampleLibrary

        return SampleLibrary(ROOT / "data" / "dataset_card.yaml", ROOT / "data" / "samples")

    def reporting(self, identity: Identity) -> ReportingService:
        """Reports of the inspections in this person's workspace."""
        from core.services.reports.reporting import ReportingService

        return ReportingService(self.workspace_of(identity), self.registry)

    @cached_property
    def verifying(self) -> VerifyingService:
        from core.services.reports.verifying import VerifyingService

        return VerifyingService(self.reporting(COMMAND_LINE), self.workspace.images, self.detect)

    # --- models: inference, and which version serves

    @cached_property
    def served(self) -> ServedModels:
        return ServedModels(self.registry)

    @cached_property
    def detect(self) -> DetectService:
        from core.services.inference.detecting import DetectService

        return DetectService(self.served, device=self.settings.device)

    @cached_property
    def explain(self) -> ExplainService:
        from core.services.inference.explaining import ExplainService

        return ExplainService(self.detect)

    @cached_property
    def routing(self) -> RoutingService:
        from core.services.routing.routing import RoutingService
        from core.services.routing.routing_certificates import RoutingCertificates

        certificates = RoutingCertificates(self.data_dir / "routing")
        return RoutingService(self.detect, self.registry, certificates)

    @cached_property
    def health(self) -> HealthService:
        from core.services.health import HealthService

        return HealthService(database=self.database, registry=self.served, networks=self.detect)

    @cached_property
    def versions(self) -> VersionService:
        return VersionService(self.store, self.registry)

    @cached_property
    def alias_history(self) -> AliasHistory:
        return AliasHistory(self.store, self.registry)

    @cached_property
    def registry_sync(self) -> RegistrySync:
        return RegistrySync(self.registry, self.served, self.alias_history, self.detect.warm_up)

    @cached_property
    def alias_mover(self) -> AliasMover:
        return AliasMover(
            self.store,
            self.registry,
            self.alias_history,
            warm_up=self.detect.warm_up if self.serves else None,
            take_over=self.registry_sync.take_over if self.serves else None,
        )

    @cached_property
    def promoting(self) -> PromotionService:
        return PromotionService(self.store, self.alias_mover, self.evidence)

    @cached_property
    def overriding(self) -> OverrideService:
        return OverrideService(self.store, self.alias_mover, self.promoting)

    @cached_property
    def evidence(self) -> Evidence:
        from core.services.lifecycle.gate_evidence import StoredEvidence

        return StoredEvidence(self.evaluation_archive, self.registry)

    # --- evaluation

    @cached_property
    def evaluation_sets(self) -> EvaluationSets:
        from core.services.evaluation.evaluation_sets import EvaluationSets

        return EvaluationSets(self.store, self.data_dir / "evaluations" / "sets")

    @cached_property
    def evaluation_archive(self) -> EvaluationArchive:
        from core.services.evaluation.evaluation_archive import EvaluationArchive

        outcomes = ArrayFiles(self.data_dir / "evaluations" / "outcomes")
        return EvaluationArchive(self.store, outcomes)

    @cached_property
    def evaluations(self) -> EvaluationService:
        from core.services.evaluation.evaluations import EvaluationService

        return EvaluationService(
            self.evaluation_sets,
            self.evaluation_archive,
            self.registry,
            self.jobs,
            device=self.detect.device,
        )

    @cached_property
    def evaluate(self) -> EvaluateService:
        from core.services.evaluation.evaluating import EvaluateService

        return EvaluateService(self.detect, self.registry)

    def evaluate_artefact(self, folder: Path) -> EvaluateService:
        """Measuring the version in `folder`, which is not registered."""
        from core.services.evaluation.evaluating import EvaluateService
        from core.services.inference.detecting import DetectService
        from core.services.lifecycle.releasing import OneModel

        models = OneModel(folder, 0)
        return EvaluateService(DetectService(models, device=self.settings.device), models)

    @cached_property
    def evaluate_films(self) -> FilmEvaluateService:
        from core.services.evaluation.film_evaluating import FilmEvaluateService

        return FilmEvaluateService(self.detect, self.registry)

    # --- jobs, data versions and training

    @cached_property
    def jobs(self) -> JobService:
        return JobService(self.store, self.data_dir / "jobs", kinds=JOB_KINDS)

    @cached_property
    def job_queue(self) -> JobQueue:
        return JobQueue(self.store)

    def job_worker(self) -> JobWorker:
        """Does one job in this process."""
        return JobWorker(self.store, self.data_dir / "jobs", lambda kind: JOB_KINDS[kind](self))

    @cached_property
    def data(self) -> DataVersionService:
        return DataVersionService(self.store, self.manifests, self.data_dir / "imports", self.jobs)

    @cached_property
    def data_checks(self) -> DataCheckService:
        from core.services.datasets.data_checking import DataCheckService

        return DataCheckService(self.registry)

    @cached_property
    def retraining(self) -> RetrainService:
        return RetrainService(self.jobs, self.data, self.registry)

    @cached_property
    def data_maker(self) -> DataMaker:
        from core.registry.data_log import log_dataset
        from core.services.datasets.data_making import DataMaker

        return DataMaker(
            self.store,
            self.blobs,
            self.manifests,
            self.registry,
            evaluated=self.evaluation_sets.digests_of,
            log_dataset=partial(
                log_dataset, self.tracking_uri, self.data_dir / "registry" / "data-artifacts"
            ),
        )

    @cached_property
    def retrainer(self) -> Retrainer:
        from core.services.training.retrain_run import Retrainer

        return Retrainer(
            self.store,
            self.blobs,
            self.manifests,
            self.registry,
            evaluated=self.evaluation_sets.digests_of,
            open_run=self.open_run,
            challenge=self.alias_mover.challenge,
        )

    @cached_property
    def evaluation_run(self) -> EvaluationRun:
        from core.services.evaluation.evaluation_run import EvaluationRun

        return EvaluationRun(
            self.store, self.evaluation_sets, self.evaluation_archive, self.registry, self.detect
        )

    @cached_property
    def version_disagreements(self) -> VersionDisagreements:
        from core.services.labels.version_disagreements import VersionDisagreements

        return VersionDisagreements(self.store, self.workspace.images, self.registry, self.detect)

    def training(self, job: str | None = None) -> TrainService:
        """Training by a recipe; the row of `job`, if any, follows it."""
        from core.engine.precision import pick_device
        from core.services.training.training import TrainService

        return TrainService(
            root=ROOT,
            runs=self.data_dir / "train",
            device=pick_device(self.settings.device),
            open_run=self.open_run,
            store=self.store,
            job=job,
        )

    def open_run(self, name: str, *, run_id: str | None = None) -> MlflowRunLog:
        """A new MLflow run of that name, or the run of `run_id` to go on with."""
        from core.registry.training_run import MlflowRunLog

        artifacts = self.data_dir / "registry" / "training-artifacts"
        return MlflowRunLog(self.tracking_uri, name, artifacts, run_id=run_id)


@contextmanager
def open_container(settings: Settings, *, newest: bool = False) -> Iterator[Container]:
    """The services for one command; afterwards the audit log is anchored and the database is closed.

    Args:
        settings: of this process.
        newest: bring the database to the newest schema first.
    """
    services = Container(settings)
    try:
        if newest:
            upgrade(services.database)
        yield services
    finally:
        services.close()


def set_up(settings: Settings) -> dict[str, tuple[int, ...]]:
    """Create or upgrade the database and register the shipped models; what was done before is left alone.

    Files that interrupted uploads left behind are removed.

    Returns:
        Registered version numbers by model name.
    """
    from core.services.images.orphan_cleanup import sweep_originals
    from core.services.lifecycle.registering import register_shipped

    (ROOT / settings.data_dir).mkdir(parents=True, exist_ok=True)
    with open_container(settings, newest=True) as services:
        sweep_originals(services.blobs, services.store)
        registered = register_shipped(CHECKPOINTS, services.registry)
        services.alias_history.observe(kind=ChangeKind.SETUP, by=COMMAND_LINE)
    return registered


def set_up_first_admin(settings: Settings) -> NewPassword | None:
    """The first account with its password, which nothing keeps; None when there are accounts already."""
    with open_container(settings, newest=True) as services:
        return services.accounts.add_first_admin()


def anchored(url: str) -> str:
    """A relative SQLite URL as seen from the project's folder, so that commands work from anywhere."""
    if not url.startswith(_SQLITE) or url == _SQLITE or url == f"{_SQLITE}:memory:":
        return url
    return _SQLITE + str(ROOT / url.removeprefix(_SQLITE))


def secret_of(settings: Settings) -> bytes:
    """The secret that every key is derived from: JWT_SECRET, else one made once and kept with the data."""
    if settings.jwt_secret is not None:
        return settings.jwt_secret.get_secret_value().encode("utf-8")
    return kept_secret(ROOT / settings.data_dir / _KEPT_KEY)
