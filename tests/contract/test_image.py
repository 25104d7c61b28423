import importlib.util
import re
import subprocess
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


def test_a_stage_begins_with_what_the_one_it_is_made_from_left_and_changes_nothing_there(
    replay: ModuleType, tmp_path: Path
) -> None:
    one = replay.Replay(tmp_path)
    one.do_from("python:3 AS build")
    one.do_workdir("/app")
    one.do_env("MARK=of-build")
    one.do_run("echo library > big && echo kept > small")
    one.do_from("build AS slim")
    assert (one.workdir, one.environment) == ("/app", {"MARK": "of-build"})
    one.do_run("rm big")
    one.do_from("python:3 AS final")
    one.do_copy("--from=slim /app ./")
    assert [path.name for path in one.image.rglob("*") if path.is_file()] == ["small"]
    assert (one.stages["build"].root / "app" / "big").read_text() == "library\n"


def test_the_replay_never_removes_package_lists_of_this_machine(replay: ModuleType, repository: Path) -> None:
    steps = replay.instructions((repository / "Dockerfile").read_text(encoding="utf-8"))
    commands = [part.strip() for word, rest in steps if word == "RUN" for part in rest.split("&&")]
    removing = [command for command in commands if command.startswith("rm ")]
    assert removing
    assert all(command.startswith(replay.LEFT_OUT) for command in removing)


def test_there_is_an_image_with_cuda_and_the_default_does_without(
    replay: ModuleType, repository: Path
) -> None:
    steps = replay.instructions((repository / "Dockerfile").read_text(encoding="utf-8"))
    stages = [rest.partition(" AS ") for word, rest in steps if word == "FROM"]
    assert [name for _, _, name in stages][-2:] == ["cuda", "cpu"]
    assert {base for base, _, name in stages if name in ("cuda", "cpu")} == {"runtime"}


def test_what_only_a_gpu_needs_is_left_out_and_what_torch_is_linked_against_stays(
    repository: Path, tmp_path: Path
) -> None:
    packages = tmp_path / "lib" / "python3.11" / "site-packages"
    gone = ["triton/__init__.py", "triton-3.9.0.dist-info/METADATA", "nvidia/cudnn/lib/libcudnn_graph.so.9"]
    kept = ["nvidia/cudnn/lib/libcudnn.so.9", "nvidia/cu13/lib/libcublas.so.13", "torch/__init__.py"]
    for name in (*gone, *kept):
        (packages / name).parent.mkdir(parents=True, exist_ok=True)
        (packages / name).touch()
    subprocess.run([repository / "docker" / "leave-out-gpu", tmp_path], check=True)
    assert sorted(
        str(path.relative_to(packages)) for path in packages.rglob("*") if path.is_file()
    ) == sorted(kept)
