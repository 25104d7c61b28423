"""What every service rests on: settings, database, audit log, keys, files, registry; and accounts."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property, partial
from pathlib import Path

from sqlalchemy import Engine, inspect

from core.audit.chain import keyring
from core.audit.key_state import lost_key_file
from core.config import ROOT, Settings
from core.domain.errors import ConfigurationError, SigningKeyError
from core.keys import KeyFile, Purpose, Secrets
from core.registry.mlflow_registry import MlflowRegistry
from core.services.accounts.accounts import AccountService
from core.services.accounts.api_answers import ApiAnswerService
from core.services.accounts.api_keys import ApiKeyService
from core.services.accounts.attempts import Attempts, account_key
from core.services.accounts.certificates import CertificateService
from core.services.accounts.outside_accounts import OutsideAccounts
from core.services.accounts.own_account import OwnAccountService
from core.services.accounts.passwords import COST, check_password, hash_password
from core.services.accounts.personal_data import PersonalDataService
from core.services.accounts.signing_in import SignInService
from core.services.auditing import AuditService
from core.store.anchor_file import AnchorFile
from core.store.anchor_place import open_place
from core.store.audit_trail import AuditTrail, open_store
from core.store.blobs import Blobs, BlobStore
from core.store.condition import log_end
from core.store.database import open_database
from core.store.manifests import ManifestFiles
from core.store.object_blobs import CACHE, ObjectBlobs
from core.store.objects import Objects
from core.store.private_files import close_to_others
from core.store.unit_of_work import Store
from core.tracing import trace_statements

_SQLITE = "sqlite:///"
_KEPT_KEY = "signing.key"


class Foundations:
    """Database, audit log, keys, files and registry that `settings` name, and the accounts in them.

    Args:
        settings: of this process.
        hash_cost: of password hashes.
    """

    def __init__(self, settings: Settings, *, hash_cost: int = COST) -> None:
        self.settings = settings
        self.hash_cost = hash_cost
        self.data_dir = ROOT / settings.data_dir
        self.tracking_uri = anchored(settings.mlflow_tracking_uri)
        self.key_file = KeyFile(self.data_dir / _KEPT_KEY)

    def close(self) -> None:
        """Anchor the audit log, close the database; nothing is made for that."""
        if "trail" in vars(self):
            self.trail.close()
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

    def close_to_others(self) -> list[str]:
        """Close data folder, database and registry to other users; a sentence for each that stays open."""
        urls = (self.settings.database_url, self.settings.mlflow_tracking_uri)
        return close_to_others(self.data_dir, [file for url in urls if (file := file_of(url)) is not None])

    @cached_property
    def database(self) -> Engine:
        engine = open_database(anchored(self.settings.database_url))
        if self.settings.otel_exporter_otlp_endpoint:
            trace_statements(engine)
        return engine

    @cached_property
    def secrets(self) -> Secrets:
        """JWT_SECRET, else a secret made once and kept with the data; every key is derived from it.

        Raises:
            SigningKeyError: the secret that was kept is gone, and it sealed records.
            DatabaseUnavailableError: there is no secret, and whether it sealed records cannot be told.
        """
        given = [secret.get_secret_value().encode("utf-8") for secret in self.settings.jwt_secret_previous]
        kept, earlier = self.key_file.read(), (*given, *self.key_file.earlier())
        if (secret := self.settings.jwt_secret) is not None:  # the kept one may have sealed what was before
            return Secrets(secret.get_secret_value().encode("utf-8"), (*earlier, *([kept] if kept else ())))
        if kept is None:
            head = log_end(self.database)
            if head is not None and not head.is_unused:
                raise SigningKeyError(lost_key_file(self.key_file.name))
            kept = self.key_file.make()
        return Secrets(kept, earlier)

    def is_key_kept(self) -> bool:
        """True when the secret is in the settings or in its file, as when this process began."""
        return self.settings.jwt_secret is not None or self.key_file.read() == self.secrets.current

    @cached_property
    def trail(self) -> AuditTrail:
        anchors = AnchorFile(self.data_dir / "audit" / "anchors.jsonl")
        ring = keyring(*self.secrets.keys(Purpose.AUDIT))
        copy = open_place(self.settings.audit_anchors_copy, ROOT)
        return AuditTrail(self.database, ring, anchors=anchors, copy=copy)

    @cached_property
    def store(self) -> Store:
        return open_store(self.database, self.trail)

    @cached_property
    def blobs(self) -> Blobs:
        return BlobStore(self.data_dir / "originals") if self.object_blobs is None else self.object_blobs

    @cached_property
    def object_blobs(self) -> ObjectBlobs | None:
        """The originals in an object store; None where a folder holds them."""
        if not (url := self.settings.originals_url):
            return None
        cache_bytes = self.settings.originals_cache_mb * 2**20
        return ObjectBlobs(Objects(url, "ORIGINALS_URL"), self.data_dir / CACHE, cache_bytes=cache_bytes)

    @cached_property
    def manifests(self) -> ManifestFiles:
        return ManifestFiles(self.data_dir / "data_versions")

    @cached_property
    def registry(self) -> MlflowRegistry:
        script = ROOT / "core" / "services" / "lifecycle" / "pyfunc_model.py"
        return MlflowRegistry(self.tracking_uri, self.data_dir / "registry", pyfunc_script=script)

    def key(self, purpose: Purpose) -> bytes:
        """The key for one purpose."""
        return self.secrets.key(purpose)

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
    def personal_data(self) -> PersonalDataService:
        return PersonalDataService(self.store)

    @cached_property
    def api_keys(self) -> ApiKeyService:
        return ApiKeyService(self.store)

    @property
    def is_shared(self) -> bool:
        """True where several servers may work on the database: then it counts what else a process counts."""
        return self.database.dialect.name == "postgresql"

    @cached_property
    def api_answers(self) -> ApiAnswerService:
        return ApiAnswerService(self.store)

    @cached_property
    def outside_accounts(self) -> OutsideAccounts:
        settings = self.settings
        return OutsideAccounts(self.store, role_claim=settings.oidc_role_claim, roles=settings.role_by_claim)

    @cached_property
    def signing_in(self) -> SignInService:
        return SignInService(
            self.store,
            self.secrets.current,
            idle=timedelta(minutes=self.settings.session_idle_minutes),
            absolute=timedelta(hours=self.settings.session_max_hours),
            cost=self.hash_cost,
        )

    @cached_property
    def audit(self) -> AuditService:
        return AuditService(self.store, self.trail, self.blobs)


def anchored(url: str) -> str:
    """A relative SQLite URL as seen from the project's folder, so that commands work from anywhere."""
    if not url.startswith(_SQLITE) or url == _SQLITE or url == f"{_SQLITE}:memory:":
        return url
    return _SQLITE + str(ROOT / url.removeprefix(_SQLITE))


def file_of(url: str) -> Path | None:
    """The file of a SQLite URL; None for a server, and for a database in memory."""
    path = anchored(url).removeprefix(_SQLITE)
    return None if path in (anchored(url), "", ":memory:") else Path(path)
