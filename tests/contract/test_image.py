import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def replay(repository: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("replay", repository / ".ci" / "replay_dockerfile.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "path", [".env", ".git/config", "var/radikal.db", "tests/conftest.py", "data/gdxray/a.png", "runs/x.pt"]
)
def test_secrets_data_and_tests_stay_out_of_the_image(replay: ModuleType, path: str) -> None:
    assert replay.is_ignored(path)


@pytest.mark.parametrize(
    "path",
    [
        "app/web/server.py",
        "core/store/migrations/versions/r0001_first_schema.py",
        "pages/inspection.py",
        ".streamlit/config.toml",
        "data/samples/a.png",
        "docs/reading.md",
        "models/checkpoints/weld-v1/weights.safetensors",
        "requirements.txt",
    ],
)
def test_what_runs_gets_into_the_image(replay: ModuleType, path: str) -> None:
    assert not replay.is_ignored(path)


def test_every_copied_path_passes_the_ignore_file(replay: ModuleType, repository: Path) -> None:
    steps = replay.instructions((repository / "Dockerfile").read_text(encoding="utf-8"))
    copied = [rest.split()[:-1] for word, rest in steps if word == "COPY" and "--from" not in rest]
    assert copied
    for path in (path for sources in copied for path in sources):
        inside = f"{path}/x.py" if (repository / path).is_dir() else path
        assert path == "data" or not replay.is_ignored(inside), path


def test_the_image_serves_as_a_user_without_rights_and_watches_itself(
    replay: ModuleType, repository: Path
) -> None:
    steps = dict(replay.instructions((repository / "Dockerfile").read_text(encoding="utf-8")))
    assert re.fullmatch(r"[1-9]\d+", steps["USER"])
    assert "docker/healthcheck.py" in steps["HEALTHCHECK"]


def test_paths_of_the_image_are_mapped_below_the_scratch_folder(replay: ModuleType, tmp_path: Path) -> None:
    mapped = replay.Replay(tmp_path).mapped("sqlite:////data/radikal.db /opt/venv/bin:$PATH apps/data-x")
    image = tmp_path / "image"
    assert mapped == f"sqlite:///{image}/data/radikal.db {image}/opt/venv/bin:$PATH apps/data-x"
