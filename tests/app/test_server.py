"""Starting the server."""

import pytest

from app.server import main


def test_without_demo_it_refuses_to_start(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([]) == 2
    assert "accounts do not exist yet: start with --demo" in capsys.readouterr().err


def test_unsafe_settings_are_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", "nonsense")
    assert main(["--demo"]) == 2
    error = capsys.readouterr().err
    assert "DATABASE_URL" in error
    assert "Traceback" not in error
