"""Starting the server."""

import tempfile
from pathlib import Path

import pytest

from app.web.server import _keep_temporary_files_in, doubts_about, main
from core.config import Settings

STRONG = "vN4-q0ZkWm7xTgB2sYhLr9dUeKfPj3aC_iOo1XbR"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL"),
        ({"APP_ENV": "production", "JWT_SECRET": STRONG}, "ALLOWED_HOSTS"),
    ],
)
@pytest.mark.parametrize("arguments", [[], ["--demo"]])
def test_unsafe_settings_are_refused_in_one_line(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: object,
    environment: dict[str, str],
    expected: str,
    arguments: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert expected in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize(
    ("host", "environment", "expected"),
    [
        ("127.0.0.1", {}, []),
        ("::1", {}, []),
        ("0.0.0.0", {}, ["without TLS", "under any name"]),
        ("0.0.0.0", {"allowed_hosts": "qc.example.com"}, ["without TLS"]),
        ("0.0.0.0", {"public_url": "http://qc.example.com"}, ["without TLS"]),
        ("0.0.0.0", {"public_url": "https://qc.example.com"}, []),
    ],
)
def test_serving_others_without_tls_or_under_any_name_is_doubted(
    host: str, environment: dict[str, str], expected: list[str]
) -> None:
    doubts = doubts_about(Settings(_env_file=None, **environment), host)
    assert len(doubts) == len(expected)
    for doubt, words in zip(doubts, expected, strict=True):
        assert words in doubt


def test_what_is_handed_in_lies_on_the_disk_of_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    _keep_temporary_files_in(tmp_path / "tmp")
    assert tempfile.gettempdir() == str(tmp_path / "tmp")
    assert (tmp_path / "tmp").stat().st_mode & 0o077 == 0
