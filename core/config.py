"""Settings, parsed once at the start from the environment and `.env`."""

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from core.domain.accounts import ACCOUNT_ROLES, Role
from core.domain.errors import ConfigurationError

#: Relative paths of the settings, the shipped models and the samples lie below this folder.
ROOT = Path(__file__).resolve().parents[1]
#: A shorter secret can be guessed.
MIN_SECRET_LENGTH = 32
_SECRET_LIKE_EXAMPLE = re.compile(
    r"change.?me|replace|example|placeholder|secret|password|default|some.key", re.I
)
_MIN_DISTINCT_CHARACTERS = 10
_DATABASE_URL = re.compile(r"^(sqlite|postgresql)(\+\w+)?://")
_DEVICE = re.compile(r"^(auto|cpu|cuda(:\d+)?)$")
_ORIGIN = re.compile(r"^https?://[^/\s*@]+$")
#: Images that are read at once on a cluster by one server; each is kept in memory meanwhile.
_MOST_AT_ONCE = 16
_ENGINE = re.compile(r"^(local|ray|ray://[^/\s:@]+:\d+)$")
_COLLECTOR = re.compile(r"^https?://[^/\s]+[^\s?#]*$")
_HEADERS = re.compile(r"^[\w-]+=[^,\s]+(,[\w-]+=[^,\s]+)*$")
_DSN = re.compile(r"^https?://\w+(:\w+)?@[^/\s@]+(/[^\s?#]*)?/\d+$")
_HOST = re.compile(r"^(\*|(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])$")
_URL_PASSWORD = re.compile(r"://[^:/@]*:([^@]+)@")
#: Shortest prefix, by version of IP, of a network that may be all ours (10.0.0.0/8, fd00::/8).
_WIDEST_PROXIES = {4: 8, 6: 8}
#: What a copy of the settings must not show; of other URLs only those with a password.
_MAY_HOLD_SECRETS = frozenset(
    {"jwt_secret", "jwt_secret_previous", "audit_anchors_copy", "backup_passphrase", "metrics_token"}
    | {"otel_exporter_otlp_endpoint", "otel_exporter_otlp_headers", "sentry_dsn"}
)
_Names = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """Settings from the environment, frozen. Keys are the upper-case field names.

    Build it with `load_settings`, which turns a pydantic failure into one clear line.

    Attributes:
        app_env: with "production", unsafe settings are refused.
        database_url: SQLAlchemy URL, SQLite or PostgreSQL.
        mlflow_tracking_uri: an MLflow server or a database URL.
        jwt_secret: key of every signature; None when unset, which production refuses.
        jwt_secret_previous: earlier values of it; what was sealed with them can still be verified.
        allowed_hosts: host names that the server answers to, `*.` for any below; see `hosts`.
        public_url: origin under which people reach it; with https, cookies are Secure.
        trusted_proxies: addresses or networks whose X-Forwarded-For and -Proto are believed.
        cors_origins: origins whose pages may call the REST API.
        session_idle_minutes: a session that does nothing for so long ends.
        session_max_hours: a session ends so long after signing in, whatever it does.
        oidc_role_claim: claim of an identity provider that tells somebody's roles or groups.
        oidc_roles: `value=role` for the values of that claim; of several that fit, the first.
        demo_idle_minutes: the workspace of a guest who does nothing for so long is thrown away.
        demo_guests, demo_guests_per_address: workspaces of guests at the same time, and from one address.
        upload_limit_mb: largest file that may be handed in, MiB.
        uploads_waiting_mb, uploads_waiting_per_address_mb: bytes of a person, and from one client address,
            that may have come without having been taken from the page yet, MiB.
        connections_per_address: of one client address at the same time; also requests under way.
        requests_per_second: that one client address may read, forty times as many at once.
        api_requests_per_minute: of one API key, of one person with a session, or of one address of strangers.
        log_level: level of the root logger.
        log_format: "json", "text", or "auto": text at a terminal, else JSON.
        device: "auto", "cpu", "cuda" or "cuda:N".
        engine: where networks run: "local", in this process, or "ray" or "ray://HOST:PORT", on a Ray cluster.
        engine_replicas: of one version on the cluster, at most.
        engine_gpus_each: GPUs of one replica, such as 0.25.
        engine_waiting: images of one server for one version on the cluster, at most; more are refused.
        data_dir: originals, caches and job files.
        originals_url: URL of the originals in an object store; empty: in `data_dir`.
        originals_cache_mb: that copies of them may take in `data_dir`, MiB.
        metrics_token: lets whoever brings it as a bearer token read `/metrics` from another machine.
        otel_exporter_otlp_endpoint: of the OpenTelemetry collector that gets traces; empty sends none.
        otel_exporter_otlp_headers: `name=value` pairs that go with them; see `otlp_headers`.
        sentry_dsn: where errors are reported to; None reports none.
        gate_shadow_images: the promotion gate asks that a challenger read so many images unseen; 0 does not.
        audit_anchors_copy: second place of the audit log's anchors: a file elsewhere, or a URL of an object
            store.
        backup_passphrase: of encrypted backups; None when unset.
    """

    model_config = SettingsConfigDict(
        frozen=True, env_file=".env", env_file_encoding="utf-8", extra="ignore", hide_input_in_errors=True
    )

    app_env: Literal["development", "production"] = "development"
    # URLs may hold a password: they are left out of repr, which lands in logs
    database_url: str = Field(default="sqlite:///var/radikal.db", repr=False)
    mlflow_tracking_uri: str = Field(default="sqlite:///var/mlflow.db", repr=False)
    jwt_secret: SecretStr | None = None
    jwt_secret_previous: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    allowed_hosts: _Names = ()
    public_url: str = ""
    trusted_proxies: _Names = ()
    cors_origins: _Names = ()
    session_idle_minutes: int = Field(default=60, ge=1, le=24 * 60)
    session_max_hours: int = Field(default=12, ge=1, le=7 * 24)
    oidc_role_claim: str = "roles"
    oidc_roles: _Names = ()
    demo_idle_minutes: int = Field(default=60, ge=1, le=24 * 60)
    demo_guests: int = Field(default=50, ge=1, le=1000)
    demo_guests_per_address: int = Field(default=20, ge=1, le=1000)
    upload_limit_mb: int = Field(default=500, ge=1, le=4096)
    uploads_waiting_mb: int = Field(default=8192, ge=1)
    uploads_waiting_per_address_mb: int = Field(default=16_384, ge=1)
    connections_per_address: int = Field(default=300, ge=20, le=1900)
    requests_per_second: int = Field(default=50, ge=5)
    api_requests_per_minute: int = Field(default=600, ge=10)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["auto", "json", "text"] = "auto"
    device: str = "auto"
    engine: str = "local"
    engine_replicas: int = Field(default=2, ge=1, le=1000)
    engine_gpus_each: float = Field(default=0.0, ge=0, le=16)
    engine_waiting: int = Field(default=64, ge=1, le=100_000)
    data_dir: Path = Path("var")
    originals_url: str = ""
    originals_cache_mb: int = Field(default=10_240, ge=16)
    metrics_token: SecretStr | None = None
    otel_exporter_otlp_endpoint: str = Field(default="", repr=False)  # a URL may hold a password
    otel_exporter_otlp_headers: SecretStr | None = None
    sentry_dsn: SecretStr | None = None
    gate_shadow_images: int = Field(default=0, ge=0, le=100_000)
    audit_anchors_copy: str = Field(default="", repr=False)  # a URL may hold a key
    backup_passphrase: SecretStr | None = None

    @field_validator(
        "cors_origins",
        "allowed_hosts",
        "trusted_proxies",
        "jwt_secret_previous",
        "oidc_roles",
        mode="before",
    )
    @classmethod
    def _split_at_commas(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("public_url", mode="before")
    @classmethod
    def _without_slash(cls, value: Any) -> Any:
        return value.strip().rstrip("/") if isinstance(value, str) else value

    @field_validator("allowed_hosts")
    @classmethod
    def _hosts_are_names(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if not _HOST.match(host.lower()):
                raise ValueError(f"expected names without port such as qc.example.com, got {host!r}")
        return tuple(host.lower() for host in hosts)

    @field_validator("public_url")
    @classmethod
    def _public_url_is_an_origin(cls, url: str) -> str:
        if url and not _ORIGIN.match(url):
            raise ValueError(f"expected an origin such as https://qc.example.com without a path, got {url!r}")
        return url

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_are_addresses(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            try:
                ip_network(proxy)
            except ValueError:
                raise ValueError(
                    f"expected addresses or networks such as 10.0.0.0/8, got {proxy!r}"
                ) from None
        return proxies

    @field_validator("oidc_roles")
    @classmethod
    def _roles_are_roles(cls, pairs: tuple[str, ...]) -> tuple[str, ...]:
        for pair in pairs:
            value, _, role = pair.rpartition("=")
            if not value or role not in list(ACCOUNT_ROLES):
                raise ValueError(
                    f"expected value=role with a role out of {', '.join(ACCOUNT_ROLES)}, got {pair!r}"
                )
        return pairs

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper_case(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @field_validator(
        "jwt_secret",
        "backup_passphrase",
        "metrics_token",
        "otel_exporter_otlp_headers",
        "sentry_dsn",
        mode="before",
    )
    @classmethod
    def _empty_is_unset(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("otel_exporter_otlp_endpoint")
    @classmethod
    def _collector_is_a_url(cls, url: str) -> str:
        if url and not _COLLECTOR.match(url):
            raise ValueError("expected the address of an OTLP/HTTP collector such as http://collector:4318")
        return url

    @field_validator("otel_exporter_otlp_headers")
    @classmethod
    def _headers_are_pairs(cls, headers: SecretStr | None) -> SecretStr | None:
        if headers is not None and not _HEADERS.match(headers.get_secret_value()):
            raise ValueError("expected name=value pairs, comma-separated, spaces in a value written as %20")
        return headers

    @field_validator("sentry_dsn")
    @classmethod
    def _dsn_is_a_dsn(cls, dsn: SecretStr | None) -> SecretStr | None:
        if dsn is not None and not _DSN.match(dsn.get_secret_value()):
            raise ValueError("expected a DSN such as https://key@errors.example.com/7")
        return dsn

    @property
    def read_at_once(self) -> int:
        """How many images are read at the same time: with networks of this process, one."""
        return 1 if self.engine == "local" else min(self.engine_replicas, _MOST_AT_ONCE)

    @field_validator("engine")
    @classmethod
    def _engine_is_known(cls, engine: str) -> str:
        if not _ENGINE.match(engine):
            raise ValueError(f"expected local, ray or ray://HOST:PORT, got {engine!r}")
        return engine

    @field_validator("cors_origins")
    @classmethod
    def _origins_are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        origins = tuple(origin.rstrip("/") for origin in origins)
        for origin in origins:
            if origin != "*" and not _ORIGIN.match(origin):
                raise ValueError(
                    f"expected origins such as https://qc.example.com, comma-separated, got {origin!r}"
                )
        return origins

    @field_validator("database_url")
    @classmethod
    def _database_is_supported(cls, url: str) -> str:
        if not _DATABASE_URL.match(url):
            raise ValueError("expected sqlite:///path/to/file.db or postgresql+driver://user@host/name")
        return url

    @field_validator("originals_url")
    @classmethod
    def _originals_have_a_url(cls, url: str) -> str:
        if url and "://" not in url:
            raise ValueError(f"expected a URL such as s3://bucket/folder, or nothing, got {url!r}")
        return url.rstrip("/")

    @field_validator("device")
    @classmethod
    def _device_is_known(cls, device: str) -> str:
        if not _DEVICE.match(device):
            raise ValueError(f"expected auto, cpu, cuda or cuda:N, got {device!r}")
        return device

    @model_validator(mode="after")
    def _production_is_safe(self) -> Self:
        if self.app_env == "production":
            _require_strong_secret(self.jwt_secret)
            if "*" in self.cors_origins:
                raise ValueError(
                    "CORS_ORIGINS: '*' lets every site call the API as the signed-in user; "
                    "name the origins, comma-separated"
                )
            if not self.hosts or "*" in self.hosts:
                raise ValueError(
                    "ALLOWED_HOSTS: production answers only to names it was told: name them, "
                    "comma-separated, or set PUBLIC_URL"
                )
            for proxy in self.trusted_proxies:
                _require_own_proxy(proxy)
        return self

    @property
    def hosts(self) -> tuple[str, ...]:
        """The host names that were named, that of `public_url` among them; empty when none was."""
        own = urlsplit(self.public_url).hostname
        return (*self.allowed_hosts, *((own,) if own else ()))

    @property
    def role_by_claim(self) -> dict[str, Role]:
        """`oidc_roles` as a mapping, in order."""
        pairs = (pair.rpartition("=") for pair in self.oidc_roles)
        return {value: Role(role) for value, _, role in pairs}

    @property
    def otlp_headers(self) -> dict[str, str]:
        """`otel_exporter_otlp_headers` as a mapping, with %20 and the like as what they stand for."""
        given = self.otel_exporter_otlp_headers
        pairs = given.get_secret_value().split(",") if given else []
        return {name: unquote(value) for name, _, value in (pair.partition("=") for pair in pairs)}

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret value in these settings, for keeping them out of logs."""
        keys_ = (self.jwt_secret, *self.jwt_secret_previous, self.backup_passphrase, self.metrics_token)
        found = [key.get_secret_value() for key in (*keys_, self.sentry_dsn) if key is not None]
        found += self.otlp_headers.values()
        for url in (self.database_url, self.mlflow_tracking_uri, self.otel_exporter_otlp_endpoint):
            for password in _URL_PASSWORD.findall(url):
                found += [password, unquote(password)]
        return tuple(found)


def load_settings(env_file: Path | None = Path(".env")) -> Settings:
    """The settings of this process.

    Args:
        env_file: read below the environment; a missing file is fine, None reads no file.

    Raises:
        ConfigurationError: names every key that is wrong and says what was expected; never shows a value
            that may be secret.
    """
    try:
        return Settings(_env_file=env_file)
    except ValidationError as error:
        raise ConfigurationError("; ".join(_one_line(detail) for detail in error.errors())) from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{env_file}: expected UTF-8 text, {error.reason}") from None


def lines_without_secrets(settings: Settings) -> tuple[str, ...]:
    """Lines of an `.env` file for what differs from the defaults; of secrets only that they were set."""
    lines = []
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if value == field.default:
            continue
        is_secret = name in _MAY_HOLD_SECRETS or (isinstance(value, str) and _URL_PASSWORD.search(value))
        text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        lines.append(
            f"# {name.upper()} was set; it may hold a secret" if is_secret else f"{name.upper()}={text}"
        )
    return tuple(lines)


def keys() -> tuple[str, ...]:
    """Every environment variable that is read, in the order of the fields."""
    return tuple(name.upper() for name in Settings.model_fields)


def _require_own_proxy(proxy: str) -> None:
    network = ip_network(proxy)
    if network.prefixlen < _WIDEST_PROXIES[network.version]:
        raise ValueError(
            f"TRUSTED_PROXIES: {proxy} lets nearly everybody say from which address they come, so that "
            "delays for wrong passwords and rate limits stop nobody; name the addresses of your own proxies"
        )


def _require_strong_secret(secret: SecretStr | None) -> None:
    advice = 'generate one with: python -c "import secrets; print(secrets.token_urlsafe(48))"'
    value = secret.get_secret_value() if secret else ""
    if len(value) < MIN_SECRET_LENGTH:
        raise ValueError(
            f"JWT_SECRET: production needs at least {MIN_SECRET_LENGTH} characters, "
            f"got {len(value)}; {advice}"
        )
    if _SECRET_LIKE_EXAMPLE.search(value) or len(set(value)) < _MIN_DISTINCT_CHARACTERS:
        raise ValueError(f"JWT_SECRET: this is an example or a pattern, not a secret; {advice}")


def _one_line(detail: Any) -> str:
    message = str(detail["msg"]).removeprefix("Value error, ")
    key = ".".join(str(part) for part in detail["loc"]).upper()
    return f"{key}: {message}" if key else message
