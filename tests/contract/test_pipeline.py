"""dvc.yaml runs from a data version to figures on a tiny set, and its files come back from a remote."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from core.config import Settings
from core.container import open_container
from core.domain.accounts import COMMAND_LINE
from core.registry.artefact import file_sha256, read_artefact
from core.simulate.config import SimulationConfig
from core.simulate.dataset import write_dataset
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.slow
STAGES = ["prepare", "train", "calibrate", "evaluate"]
N_FILMS = 5


@pytest.fixture(scope="module")
def dvc() -> str:
    """The dvc command: beside this Python, else where RADIKAL_DVC says, else on the path."""
    beside = Path(sys.executable).with_name("dvc")
    found = str(beside) if beside.is_file() else os.environ.get("RADIKAL_DVC") or shutil.which("dvc")
    if not found:
        pytest.skip("no dvc: it is pinned in requirements-dev.txt")
    return found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the pipeline, made short, beside a store with a data version of five simulated films."""
    folder = tmp_path_factory.mktemp("pipeline")
    (folder / "pipeline").mkdir()
    for name in ("dvc.yaml", "params.yaml", "pipeline/recipe.yaml", "pipeline/release.yaml"):
        shutil.copyfile(REPOSITORY / name, folder / name)
    recipe = yaml.safe_load((folder / "pipeline/recipe.yaml").read_text())
    recipe["schedule"] |= {"steps": 2, "batch": 1, "warmup_steps": 1}
    recipe["sources"][1]["count"] = 1
    (folder / "pipeline/recipe.yaml").write_text(yaml.safe_dump(recipe))
    small = SimulationConfig(width_px=900, height_px=500, flaw_groups=20, min_groups=6)
    truth = write_dataset(folder / "films", count=N_FILMS, seed=700_000, config=small, compression=1)
    run(folder, sys.executable, "-c", _COMMAND, "data", "make", "--model", "weld", "--licence", "CC0-1.0",
        "--coco", str(truth))  # fmt: skip
    return folder


_COMMAND = "from core.cli import main; main()"


def environment(folder: Path) -> dict[str, str]:
    """What commands on the store of the test need; `radikal` is on their path."""
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "DATA_DIR": str(folder / "store"),
        "DATABASE_URL": f"sqlite:///{folder / 'store' / 'radikal.db'}",
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'store' / 'mlflow.db'}",
        "PYTHONPATH": str(REPOSITORY),
        "DVC_NO_ANALYTICS": "1",
    }


def run(folder: Path, *command: str) -> str:
    """What the command printed.

    Raises:
        AssertionError: it failed.
    """
    done = subprocess.run(
        command, cwd=folder, env=environment(folder), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def test_the_stages_are_the_steps_of_a_retraining() -> None:
    stages = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text())["stages"]
    assert list(stages) == STAGES
    assert all(stage["cmd"].startswith("radikal ") for stage in stages.values())


def test_the_pipeline_runs_and_its_files_come_back_from_a_remote(place: Path, dvc: str) -> None:
    settings = Settings(
        _env_file=None, **{k.lower(): v for k, v in environment(place).items() if k in _SETTINGS}
    )
    with open_container(settings) as services:
        parts = services.data.numbered(COMMAND_LINE, 1).counts["parts"]
    assert {part: images for part, (images, _) in parts.items()} == {
        "train": 3,
        "calibration": 1,
        "test": 1,
    }
    run(place, dvc, "init", "--no-scm", "--quiet")
    run(place, dvc, "remote", "add", "--default", "shelf", str(place / "remote"))
    run(place, dvc, "repro")
    out = place / "var" / "pipeline"
    figures = json.loads((out / "figures.json").read_text())
    artefact = read_artefact(out / "version")
    assert (figures["n_images"], figures["n_trained_on"]) == (1, 0)
    assert figures["model_sha256"] == artefact.sha256
    assert artefact.calibration.fitted_on.startswith("calibration part of the data version")
    run(place, dvc, "push")
    shutil.rmtree(place / ".dvc" / "cache")
    shutil.rmtree(out)
    run(place, dvc, "pull")
    assert file_sha256(out / "version" / "weights.safetensors") == artefact.sha256
    assert "up to date" in run(place, dvc, "status")


_SETTINGS = ("DATA_DIR", "DATABASE_URL", "MLFLOW_TRACKING_URI")
