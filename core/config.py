"""Settings, parsed once at the start from the environment and `.env`."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from core.domain.errors import ConfigurationError

#: A shorter secret can be guessed.
MIN_SECRET_LENGTH = 32
_SECRET_LIKE_EXAMPLE = re.compile(
    r"change.?me|replace|example|placeholder|secret|password|default|some.key", re.I
)
_MIN_DISTINCT_CHARACTERS = 10
_DATABASE_URL = re.compile(r"^(sqlite|postgresql)(\+\w+)?://")
_DEVICE = re.compile(r"^(auto|cpu|cuda(:\d+)?)$")
_ORIGIN = re.compile(r"^https?://[^/\s*]+$")


class Settings(BaseSettings):
    """What the environment says, frozen. Keys are the upper-case field names.

    Build it with `load_settings`, which turns a pydantic failure into one clear line.

    Attributes:
        app_env: with "production", unsafe settings are refused.
        database_url: SQLAlchemy URL, SQLite or PostgreSQL.
        mlflow_tracking_uri: an MLflow server or a database URL.
        jwt_secret: key of every signature; None when unset, which production refuses.
        cors_origins: origins whose pages may call the REST API.
        log_level: level of the root logger.
        device: "auto", "cpu", "cuda" or "cuda:N".
        data_dir: originals, caches and job files.
    """

    model_config = SettingsConfigDict(
        frozen=True, env_file=".env", env_file_encoding="utf-8", extra="ignore", hide_input_in_errors=True
    )

    app_env: Literal["development", "production"] = "development"
    # URLs may hold a password: they are left out of repr, which lands in logs
    database_url: str = Field(default="sqlite:///var/radikal.db", repr=False)
    mlflow_tracking_uri: str = Field(default="sqlite:///var/mlflow.db", repr=False)
    jwt_secret: SecretStr | None = None
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    device: str = "auto"
    data_dir: Path = Path("var")

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(origin.strip().rstrip("/") for origin in value.split(",") if origin.strip())
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper_case(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @field_validator("jwt_secret", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("cors_origins")
    @classmethod
    def _origins_are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
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
        return self

    @property
    def is_production(self) -> bool:
        """True when unsafe settings are refused."""
        return self.app_env == "production"


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


def keys() -> tuple[str, ...]:
    """Every environment variable that is read, in the order of the fields."""
    return tuple(name.upper() for name in Settings.model_fields)


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
