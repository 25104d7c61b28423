"""Parts of the product for one command, most without models: opened, used, closed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect

from core.bootstrap.foundations import (
    EVALUATIONS,
    JOBS,
    ORIGINALS,
    ROOT,
    anchored,
    make_accounts,
    make_data_versions,
    make_evidence,
    make_registry,
    make_sign_in,
    open_store,
    open_trail,
)
from core.bootstrap.jobs import JOB_KINDS
from core.config import Settings
from core.domain.errors import ConfigurationError
from core.services.accounts.accounts import AccountService
from core.services.accounts.signing_in import SignInService
from core.services.auditing import AuditService
from core.services.datasets.data_versions import DataVersionService
from core.services.jobs.jobs import JobService
from core.services.labels.label_files import LabelFiles
from core.services.training.retraining import RetrainService
from core.services.workspaces import make_workspace
from core.store.audit_trail import AuditTrail
from core.store.blobs import BlobStore
from core.store.database import open_database, upgrade
from core.store.record_tables import AuditEventRow
from core.store.unit_of_work import Store

if TYPE_CHECKING:
    from core.services.evaluation.evaluating import EvaluateService
    from core.services.evaluation.evaluation_sets import EvaluationSets
    from core.services.lifecycle.alias_history import AliasHistory
    from core.services.lifecycle.promoting import PromotionService


@contextmanager
def _newest(settings: Settings) -> Iterator[tuple[Store, AuditTrail]]:
    """The database, brought to the newest schema, and its audit log; closed afterwards."""
    database = open_database(anchored(settings.database_url))
    try:
        upgrade(database)
        trail = open_trail(settings, database)
        yield open_store(database, trail), trail
    finally:
        database.dispose()


@contextmanager
def open_accounts(settings: Settings) -> Iterator[tuple[AccountService, SignInService]]:
    """Accounts and their sessions alone, without models; the database is brought to the newest schema."""
    with _newest(settings) as (store, _):
        yield make_accounts(settings, store), make_sign_in(settings, store)


@contextmanager
def open_labels(settings: Settings) -> Iterator[tuple[LabelFiles, Store]]:
    """Labels in and out, without models; the database is brought to the newest schema."""
    with _newest(settings) as (store, _):
        yield make_workspace("", store, ROOT / settings.data_dir / ORIGINALS).label_files, store


@contextmanager
def open_promotion(settings: Settings) -> Iterator[tuple[PromotionService, AliasHistory]]:
    """The gate and what served when, without networks; the database is brought to the newest schema."""
    from core.services.lifecycle.alias_history import AliasHistory
    from core.services.lifecycle.alias_moves import AliasMover
    from core.services.lifecycle.promoting import LaterEvidence, PromotionService

    with _newest(settings) as (store, trail):
        registry = make_registry(settings)
        serving = AliasHistory(store, registry)
        mover = AliasMover(store, registry, serving)
        evidence = LaterEvidence(partial(make_evidence, settings, store, registry))
        yield PromotionService(store, mover, evidence), serving
        trail.close()


@contextmanager
def open_learning(settings: Settings) -> Iterator[tuple[DataVersionService, RetrainService, BlobStore]]:
    """Data versions, retraining and the originals, without networks; at the newest schema."""
    with _newest(settings) as (store, _):
        jobs = JobService(store, ROOT / settings.data_dir / JOBS, kinds=JOB_KINDS)
        data = make_data_versions(settings, store, jobs)
        retraining = RetrainService(jobs, data, make_registry(settings))
        yield data, retraining, BlobStore(ROOT / settings.data_dir / ORIGINALS)


@contextmanager
def open_evaluation_sets(settings: Settings) -> Iterator[EvaluationSets]:
    """The evaluation sets alone; the database is brought to the newest schema."""
    from core.services.lifecycle.evaluation_parts import make_sets

    with _newest(settings) as (store, trail):
        yield make_sets(store, ROOT / settings.data_dir / EVALUATIONS)
        trail.close()


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


def evaluate_artefact(folder: Path) -> EvaluateService:
    """What measures a version that is not registered, from its artefact folder."""
    from core.services.evaluation.evaluating import EvaluateService
    from core.services.inference.detecting import DetectService
    from core.services.lifecycle.releasing import OneModel

    models = OneModel(folder, 0)
    return EvaluateService(DetectService(models), models)
