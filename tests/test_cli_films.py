"""`radikal evaluate-films` as its users run it, over a tiny real network and a real registry."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from core.cli import main
from core.imaging.encode import encode_png
from tests.artefacts import write_artefact
from tests.empty_stores import copy_empty_mlflow

ROWS = """film,width,height,status,start_cm,iso6520_code,length_mm
a.png,128,96,recorded,1,2011,1.2
b.png,128,96,no indication,,,
"""


def test_the_figures_are_printed_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/radikal.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", copy_empty_mlflow(tmp_path / "mlflow.db"))
    for number, name in enumerate("ab"):
        pixels = np.random.default_rng(number).integers(0, 65535, (96, 128), np.uint16)
        (tmp_path / f"{name}.png").write_bytes(encode_png(pixels))
    (tmp_path / "films.csv").write_text(ROWS)
    write_artefact(tmp_path / "weld-v1", score_spread=1.0)

    def call(*arguments: object) -> Result:
        return CliRunner().invoke(main, [str(a) for a in arguments])

    assert call("models", "import", tmp_path / "weld-v1", "--alias", "champion").exit_code == 0
    options = ("evaluate-films", "--model", "weld", "--images", tmp_path, "--cell-px", 32)
    done = call(*options, "--films", tmp_path / "films.csv", "--out", tmp_path / "out.json")
    assert done.exit_code == 0, done.output
    assert "weld v1 on 2 films, cells of 32 px" in done.stdout
    assert "0 of 2 films were trained on" in done.stdout
    assert "not evaluable: none recorded" in done.stdout
    content = json.loads((tmp_path / "out.json").read_text())
    assert content["all"] == content["unseen"]
    shown = next(line for line in done.stdout.splitlines() if "single pores of 1 mm and more" in line)
    assert f"{content['all']['groups']['single pores of 1 mm and more']['found']} of 1" in shown
    missing = call(*options, "--films", tmp_path / "none.csv")
    assert missing.exit_code == 2
    assert missing.stderr.startswith("radikal: cannot read the film records")
