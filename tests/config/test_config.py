import logging
from pathlib import Path

import pytest

from core.config import Settings, keys, load_settings
from core.domain.accounts import Role
from core.domain.errors import ConfigurationError

STRONG = "vN4-q0ZkWm7xTgB2sYhLr9dUeKfPj3aC_iOo1XbR"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in keys():
        monkeypatch.delenv(key, raising=False)


def test_defaults_stay_below_var_and_need_no_environment() -> None:
    settings = load_settings(None)
    assert settings.data_dir == Path("var")
    assert settings.database_url == "sqlite:///var/radikal.db"
    assert settings.mlflow_tracking_uri == "sqlite:///var/mlflow.db"
    assert settings.cors_origins == ()
    assert settings.app_env == "development"


def test_env_file_is_read_and_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("LOG_LEVEL=warning\nDEVICE=cpu\nUNRELATED=1\n")
    monkeypatch.setenv("DEVICE", "cuda:1")
    settings = load_settings(env_file)
    assert (settings.log_level, settings.device) == ("WARNING", "cuda:1")


@pytest.mark.parametrize(
    ("engine", "replicas", "at_once"), [("local", "8", 1), ("ray", "8", 8), ("ray://head:6379", "99", 16)]
)
def test_several_images_are_read_at_once_where_other_machines_read_them(
    engine: str, replicas: str, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENGINE", engine)
    monkeypatch.setenv("ENGINE_REPLICAS", replicas)
    assert load_settings(None).read_at_once == at_once


def test_origins_are_split_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ORIGINS", "https://a.example/, http://b.example:8080")
    assert load_settings(None).cors_origins == ("https://a.example", "http://b.example:8080")


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("APP_ENV", "staging", "APP_ENV: Input should be 'development' or 'production'"),
        ("LOG_LEVEL", "chatty", "LOG_LEVEL: Input should be 'DEBUG'"),
        ("DEVICE", "gpu", "DEVICE: expected auto, cpu, cuda or cuda:N, got 'gpu'"),
        ("DATABASE_URL", "radikal.db", "DATABASE_URL: expected sqlite:///"),
        ("CORS_ORIGINS", "example.com", "CORS_ORIGINS: expected origins such as https://qc.example.com"),
        ("ALLOWED_HOSTS", "https://a.example", "ALLOWED_HOSTS: expected names without port"),
        ("ALLOWED_HOSTS", "a.example:8000", "ALLOWED_HOSTS: expected names without port"),
        ("PUBLIC_URL", "a.example", "PUBLIC_URL: expected an origin such as https://qc.example.com"),
        ("PUBLIC_URL", "https://a.example/x", "PUBLIC_URL: expected an origin such as"),
        ("TRUSTED_PROXIES", "proxy", "TRUSTED_PROXIES: expected addresses or networks"),
        ("SESSION_IDLE_MINUTES", "0", "SESSION_IDLE_MINUTES: Input should be greater than"),
        ("LOG_FORMAT", "xml", "LOG_FORMAT: Input should be 'auto', 'json' or 'text'"),
    ],
)
def test_a_malformed_value_is_one_line_that_names_the_key(
    monkeypatch: pytest.MonkeyPatch, key: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(key, value)
    with pytest.raises(ConfigurationError) as caught:
        load_settings(None)
    assert str(caught.value).startswith(expected)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_env_file_that_is_not_text_is_one_line(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_bytes(b"\xff\xfe\x00J")
    with pytest.raises(ConfigurationError, match="expected UTF-8"):
        load_settings(env_file)


@pytest.mark.parametrize(
    "secret",
    ["", "short", STRONG[:31], "change-me-" * 4, "0" * 64, "abcabcabc" * 5, "this-is-the-default-one-" * 2],
)
def test_production_refuses_a_weak_secret(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.setenv("APP_ENV", "production")
    monkeypatch.setenv("JWT_SECRET", secret)
    with pytest.raises(ConfigurationError, match="^JWT_SECRET: .*token_urlsafe") as caught:
        load_settings(None)
    assert not secret or secret not in str(caught.value)


def test_production_refuses_a_wildcard_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_ENV", "production")
    monkeypatch.setenv("JWT_SECRET", STRONG)
    monkeypatch.setenv("CORS_ORIGINS", "https://a.example,*")
    with pytest.raises(ConfigurationError, match="^CORS_ORIGINS: "):
        load_settings(None)


@pytest.mark.parametrize("proxies", ["0.0.0.0/0", "::/0", "10.0.0.2,0.0.0.0/1", "128.0.0.0/7", "::/3"])
def test_production_refuses_to_believe_everybody_about_their_address(
    monkeypatch: pytest.MonkeyPatch, proxies: str
) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", "qc.example.com")
    monkeypatch.setenv("JWT_SECRET", STRONG)
    monkeypatch.setenv("TRUSTED_PROXIES", proxies)
    assert load_settings(None).trusted_proxies, "development may"
    monkeypatch.setenv("APP_ENV", "production")
    with pytest.raises(ConfigurationError, match="^TRUSTED_PROXIES: .* name the addresses of your own"):
        load_settings(None)


@pytest.mark.parametrize("proxies", ["10.0.0.0/8", "192.0.2.7", "fd00::/8", ""])
def test_production_believes_named_proxies(monkeypatch: pytest.MonkeyPatch, proxies: str) -> None:
    for key, value in (("APP_ENV", "production"), ("JWT_SECRET", STRONG), ("ALLOWED_HOSTS", "a.example")):
        monkeypatch.setenv(key, value)
    monkeypatch.setenv("TRUSTED_PROXIES", proxies)
    assert load_settings(None).app_env == "production"


def test_production_starts_on_safe_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_ENV", "production")
    monkeypatch.setenv("JWT_SECRET", STRONG[:32])
    monkeypatch.setenv("ALLOWED_HOSTS", "qc.example.com")
    assert load_settings(None).app_env == "production"


@pytest.mark.parametrize(
    ("key", "value", "hosts"),
    [
        ("ALLOWED_HOSTS", "QC.example.com, *.plant.example", ("qc.example.com", "*.plant.example")),
        ("PUBLIC_URL", "https://qc.example.com/", ("qc.example.com",)),
    ],
)
def test_production_answers_to_the_names_it_was_told(
    monkeypatch: pytest.MonkeyPatch, key: str, value: str, hosts: tuple[str, ...]
) -> None:
    monkeypatch.setenv("APP_ENV", "production")
    monkeypatch.setenv("JWT_SECRET", STRONG)
    monkeypatch.setenv(key, value)
    assert load_settings(None).hosts == hosts


@pytest.mark.parametrize("hosts", ["", "*", "qc.example.com,*"])
def test_production_refuses_to_answer_to_any_name(monkeypatch: pytest.MonkeyPatch, hosts: str) -> None:
    monkeypatch.setenv("APP_ENV", "production")
    monkeypatch.setenv("JWT_SECRET", STRONG)
    monkeypatch.setenv("ALLOWED_HOSTS", hosts)
    with pytest.raises(ConfigurationError, match="^ALLOWED_HOSTS: "):
        load_settings(None)


def test_every_secret_can_be_kept_out_of_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_SECRET", STRONG)
    monkeypatch.setenv("JWT_SECRET_PREVIOUS", "older/secret/, oldest")
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://radikal:p%40ss@db/radikal")
    monkeypatch.setenv("SENTRY_DSN", "https://publickey@errors.example.com/7")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic%20abc123")
    settings = load_settings(None)
    dsn = "https://publickey@errors.example.com/7"
    assert settings.secrets == (STRONG, "older/secret/", "oldest", dsn, "Basic abc123", "p%40ss", "p@ss")
    assert "oldest" not in repr(settings)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://u:pw@x"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization: Basic"),
        ("SENTRY_DSN", "https://errors.example.com/7"),
    ],
)
def test_a_place_for_traces_and_errors_that_cannot_be_is_refused_without_being_shown(
    monkeypatch: pytest.MonkeyPatch, key: str, value: str
) -> None:
    monkeypatch.setenv(key, value)
    with pytest.raises(ConfigurationError, match=f"^{key}: expected") as refused:
        load_settings(None)
    assert value not in str(refused.value)


def test_development_allows_what_production_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ORIGINS", "*")
    assert load_settings(None).jwt_secret is None


def test_settings_are_frozen_and_never_show_a_secret(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("JWT_SECRET", STRONG)
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://radikal:hidden@db/radikal")
    settings = load_settings(None)
    with caplog.at_level(logging.INFO):
        logging.getLogger("test").info("settings %s %r %s", settings, settings, settings.jwt_secret)
    assert STRONG not in caplog.text
    assert "hidden" not in caplog.text
    with pytest.raises(ValueError, match="frozen"):
        settings.device = "cpu"  # type: ignore[misc]


def test_every_field_is_a_key() -> None:
    assert set(keys()) == {name.upper() for name in Settings.model_fields}


def test_roles_of_an_identity_provider_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OIDC_ROLES", "qc=admins=admin, qc-film=inspector")
    assert list(load_settings(None).role_by_claim.items()) == [
        ("qc=admins", Role.ADMIN),
        ("qc-film", Role.INSPECTOR),
    ]


@pytest.mark.parametrize("value", ["qc-film", "=admin", "qc-film=boss", "qc-film=guest"])
def test_a_role_that_nobody_can_have_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("OIDC_ROLES", value)
    with pytest.raises(ConfigurationError, match="OIDC_ROLES: expected value=role"):
        load_settings(None)
