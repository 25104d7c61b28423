"""What every service stands on: database, audit log, keys, registry, accounts."""

from __future__ import annotations

import secrets
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from core.audit.chain import keyring
from core.config import Settings
from core.keys import Purpose, derive, kept_secret
from core.services.accounts.accounts import AccountService
from core.services.accounts.attempts import Attempts, account_key
from core.services.accounts.outside_accounts import OutsideAccounts
from core.services.accounts.own_account import OwnAccountService
from core.services.accounts.passwords import COST, check_password, hash_password
from core.services.accounts.signing_in import SignInService
from core.services.datasets.data_versions import DataVersionService
from core.services.jobs.jobs import JobService
from core.store.anchor_file import AnchorFile
from core.store.audit_trail import AuditTrail
from core.store.manifests import ManifestFiles
from core.store.unit_of_work import Store

if TYPE_CHECKING:
    from core.registry.mlflow_registry import MlflowRegistry
    from core.services.evaluation.evaluations import EvaluationService
    from core.services.jobs.jobs import JobService
    from core.services.lifecycle.promoting import Evidence

#: Relative paths of the settings, the shipped models and the samples lie below this folder.
ROOT = Path(__file__).resolve().parents[2]
_SQLITE = "sqlite:///"
_KEPT_KEY = "signing.key"
#: Folders below the data folder.
JOBS, ORIGINALS, MANIFESTS, IMPORTS = "jobs", "originals", "data_versions", "imports"
EVALUATIONS = "evaluations"


def anchored(url: str) -> str:
    """A relative SQLite URL as seen from the project's folder, so that commands work from anywhere."""
    if not url.startswith(_SQLITE) or url == _SQLITE or url == f"{_SQLITE}:memory:":
        return url
    return _SQLITE + str(ROOT / url.removeprefix(_SQLITE))


def secret_of(settings: Settings) -> bytes:
    """What every key is derived from: JWT_SECRET, else one made once and kept under the data folder."""
    if settings.jwt_secret is not None:
        return settings.jwt_secret.get_secret_value().encode("utf-8")
    return kept_secret(ROOT / settings.data_dir / _KEPT_KEY)


def open_trail(settings: Settings, database: Engine) -> AuditTrail:
    """The audit log of the real database: sealed with the key of these settings, anchored beside the data."""
    data_dir = ROOT / settings.data_dir
    earlier = [secret.get_secret_value().encode("utf-8") for secret in settings.jwt_secret_previous]
    if (kept := data_dir / _KEPT_KEY).is_file():  # sealed what was written before JWT_SECRET was set
        earlier.append(kept.read_bytes())
    keys = (derive(secret, Purpose.AUDIT) for secret in (secret_of(settings), *earlier))
    return AuditTrail(database, keyring(*keys), anchors=AnchorFile(data_dir / "audit" / "anchors.jsonl"))


def open_store(database: Engine, trail: AuditTrail | None = None) -> Store:
    """Transactions on `database` with its audit log; without `trail`, for a database that is thrown away."""
    if trail is None:
        trail = AuditTrail(database, keyring(secrets.token_bytes(32)), anchors=None)
    return Store(database, open_audit=trail.open, after_write=trail.after_write)


def make_registry(settings: Settings) -> MlflowRegistry:
    """The model registry that `settings` name."""
    from core.registry.mlflow_registry import MlflowRegistry

    return MlflowRegistry(
        anchored(settings.mlflow_tracking_uri),
        ROOT / settings.data_dir / "registry",
        pyfunc_script=ROOT / "core" / "services" / "lifecycle" / "pyfunc_model.py",
    )


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


def make_data_versions(settings: Settings, store: Store, jobs: JobService) -> DataVersionService:
    """Data versions as people see them."""
    data_dir = ROOT / settings.data_dir
    return DataVersionService(store, ManifestFiles(data_dir / MANIFESTS), data_dir / IMPORTS, jobs)


def make_evidence(settings: Settings, store: Store, registry: MlflowRegistry) -> Evidence:
    """Measured figures for the promotion gate."""
    from core.services.lifecycle.evaluation_parts import GateEvaluations, make_archive
    from core.services.lifecycle.gate_evidence import StoredEvidence

    archive = make_archive(store, ROOT / settings.data_dir / EVALUATIONS)
    return StoredEvidence(GateEvaluations(archive), registry)


def make_evaluations(
    settings: Settings, store: Store, registry: MlflowRegistry, jobs: JobService, *, device: str
) -> EvaluationService:
    """Evaluation sets and what was measured on them; jobs measure on `device`."""
    from core.services.evaluation.evaluations import EvaluationService
    from core.services.lifecycle.evaluation_parts import make_archive, make_sets

    folder = ROOT / settings.data_dir / EVALUATIONS
    archive = make_archive(store, folder)
    return EvaluationService(make_sets(store, folder), archive, registry, jobs, device=device)
