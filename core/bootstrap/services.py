"""The composition root: settings in, wired services out.

What needs PyTorch or MLflow is imported where it is built: accounts and the audit log have to answer at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from core.bootstrap.foundations import (
    JOBS,
    ORIGINALS,
    ROOT,
    anchored,
    make_accounts,
    make_data_versions,
    make_evaluations,
    make_evidence,
    make_outside_accounts,
    make_own_account,
    make_registry,
    make_sign_in,
    open_store,
    open_trail,
    secret_of,
)
from core.bootstrap.jobs import JOB_KINDS
from core.bootstrap.openings import open_accounts, open_promotion
from core.config import Settings
from core.domain.accounts import COMMAND_LINE, Identity
from core.domain.serving import ChangeKind
from core.keys import Purpose, derive
from core.services.accounts.accounts import AccountService, NewPassword
from core.services.accounts.outside_accounts import OutsideAccounts
from core.services.accounts.own_account import OwnAccountService
from core.services.accounts.signing_in import SignInService
from core.services.auditing import AuditService
from core.services.datasets.data_versions import DataVersionService
from core.services.images.orphan_cleanup import sweep_originals
from core.services.images.samples import SampleLibrary
from core.services.jobs.job_queue import JobQueue
from core.services.jobs.jobs import JobService
from core.services.training.retraining import RetrainService
from core.services.workspaces import DemoWorkspaces, Workspace, make_workspace
from core.store.audit_trail import AuditTrail
from core.store.blobs import BlobStore
from core.store.database import open_database
from core.store.unit_of_work import Store

if TYPE_CHECKING:
    from core.registry.mlflow_registry import MlflowRegistry
    from core.services.evaluation.evaluating import EvaluateService
    from core.services.evaluation.evaluations import EvaluationService
    from core.services.health import HealthService
    from core.services.inference.detecting import DetectService
    from core.services.inference.explaining import ExplainService
    from core.services.lifecycle.model_services import ModelServices
    from core.services.routing.routing import RoutingService

CHECKPOINTS = ROOT / "models" / "checkpoints"


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
    models: ModelServices
    evaluations: EvaluationService

    def workspace_of(self, identity: Identity) -> Workspace:
        """Where this person's images and records live; a guest never sees the real one."""
        return self.demo.of(identity) if identity.is_guest else self.workspace


def build_services(settings: Settings) -> Services:
    """The services over the database, registry and folders that `settings` name; opens, creates no schema."""
    from core.services.evaluation.evaluating import EvaluateService
    from core.services.health import HealthService
    from core.services.inference.detecting import DetectService
    from core.services.inference.explaining import ExplainService
    from core.services.lifecycle.model_services import make_model_services
    from core.services.lifecycle.served_models import ServedModels
    from core.services.routing.routing import RoutingService
    from core.services.routing.routing_certificates import RoutingCertificates

    data_dir = ROOT / settings.data_dir
    database = open_database(anchored(settings.database_url))
    trail = open_trail(settings, database)
    store = open_store(database, trail)
    registry = make_registry(settings)
    served = ServedModels(registry)
    detect = DetectService(served, device=settings.device)
    own_account = make_own_account(settings, store)
    jobs = JobService(store, data_dir / JOBS, kinds=JOB_KINDS)
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
            data_dir / ORIGINALS,
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
        models=make_model_services(
            store, registry, served, make_evidence(settings, store, registry), detect.warm_up
        ),
        evaluations=make_evaluations(settings, store, registry, jobs, device=detect.device),
    )


def set_up(settings: Settings) -> dict[str, tuple[int, ...]]:
    """Create or upgrade the database and register the shipped models; what was done before is left alone.

    What interrupted uploads left behind is removed.

    Returns:
        Registered version numbers by model name.
    """
    from core.services.lifecycle.registering import register_shipped

    data_dir = ROOT / settings.data_dir
    data_dir.mkdir(parents=True, exist_ok=True)
    with open_promotion(settings) as (_, serving):
        sweep_originals(BlobStore(data_dir / ORIGINALS), serving.store)
        registered = register_shipped(CHECKPOINTS, make_registry(settings))
        serving.observe(kind=ChangeKind.SETUP, by=COMMAND_LINE)
    return registered


def set_up_first_admin(settings: Settings) -> NewPassword | None:
    """The first account with its password, which nothing keeps; None when there are accounts already."""
    with open_accounts(settings) as (accounts, _):
        return accounts.add_first_admin()
