"""A version loads and detects in an environment that holds nothing but the packages that MLflow packed."""

import json
import subprocess
import venv
from pathlib import Path

import numpy as np
import pytest

from core.imaging.encode import encode_png
from core.imaging.read import read_radiograph
from core.registry.mlflow_registry import MlflowRegistry
from core.services.inference.detecting import DetectService
from tests.artefacts import write_artefact

SCRIPT = Path(__file__).resolve().parents[2] / "core" / "services" / "lifecycle" / "pyfunc_model.py"
PROGRAM = """
import json, sys
import mlflow.pyfunc
model = mlflow.pyfunc.load_model("models:/weld@champion")
answer = model.predict(sys.argv[1])
print(json.dumps(answer[["x1", "y1", "x2", "y2", "probability"]].values.tolist()))
import core
print(core.__file__)
"""


@pytest.mark.slow
def test_the_champion_answers_the_same_boxes_without_the_product(tmp_path: Path) -> None:
    store, artefact = f"sqlite:///{tmp_path}/store/mlflow.db", tmp_path / "weld-v1"
    registry = MlflowRegistry(store, tmp_path / "cache", pyfunc_script=SCRIPT)
    registry.register(write_artefact(artefact, score_spread=1.0), alias="champion")
    content = encode_png(np.random.default_rng(0).integers(0, 65535, (96, 128), np.uint16))
    (tmp_path / "image.png").write_bytes(content)
    found = (
        DetectService(registry, device="cpu").detect(read_radiograph(content), "", model="weld").detections
    )
    (packed,) = (tmp_path / "cache" / "mlflow-artifacts").rglob("requirements.txt")
    venv.create(tmp_path / "clean", with_pip=True)
    python = tmp_path / "clean" / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "-r", str(packed)]
    subprocess.run(install, check=True, cwd=tmp_path, timeout=1800)
    done = subprocess.run(
        [str(python), "-W", "ignore", "-c", PROGRAM, str(tmp_path / "image.png")],
        env={"MLFLOW_TRACKING_URI": store, "MLFLOW_DISABLE_TELEMETRY": "true", "PATH": ""},
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    rows, origin = done.stdout.splitlines()[-2:]
    answer = np.array(json.loads(rows))
    assert len(answer) == len(found) > 0
    assert answer[:, :4] == pytest.approx(found.boxes, abs=1e-2)
    assert answer[:, 4] == pytest.approx(found.probabilities, abs=1e-4)
    assert str(SCRIPT.parents[3]) not in origin
