"""`radikal route` as its users run it, over a tiny real network and a real registry."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from core.calibrate.routing_certificate import certificate_from
from core.cli import main
from core.engine.detector import Detector
from tests.artefacts import write_artefact
from tests.empty_stores import copy_empty_mlflow
from tests.recorded import write_recorded


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A data folder with a registry that holds weld v1, and three parts with recorded boxes."""
    folder = tmp_path_factory.mktemp("home")
    artefact = write_artefact(folder / "weld-v1", score_spread=1.0)
    write_recorded(folder / "set", Detector.load(artefact / "weights.safetensors"))
    copy_empty_mlflow(folder / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        _point_at(patch, folder)
        result = CliRunner().invoke(main, ["models", "import", str(artefact), "--alias", "champion"])
        assert result.exit_code == 0, result.output
    return folder


def _point_at(patch, folder):
    patch.setenv("DATA_DIR", str(folder / "var"))
    patch.setenv("DATABASE_URL", f"sqlite:///{folder}/radikal.db")
    patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch):
    _point_at(monkeypatch, home)

    def call(*arguments):
        own = ("--model", "weld", "--coco", home / "set/truth.json", "--images", home / "set")
        return CliRunner().invoke(main, ["route", *(str(a) for a in (*own, *arguments))])

    return call


def test_too_few_parts_are_an_answer_and_not_an_error(run, home, tmp_path):
    result = run("--out", tmp_path / "copy.json")
    assert result.exit_code == 0, result.output
    assert "weld v1: cannot certify (risk 0.05, confidence 0.95)" in result.stdout
    assert "3 defective parts, needs at least 59 without one routed to accept" in result.stdout
    assert "every image is routed to review" in result.stdout
    assert "not checked: which parts calibrated the version" in result.stdout
    copy = certificate_from(json.loads((tmp_path / "copy.json").read_text()))
    (kept,) = (home / "var" / "routing").glob("weld-*.json")
    assert kept.name == f"weld-{copy.key}.json"
    assert certificate_from(json.loads(kept.read_text())) == copy


def test_series_of_one_part_are_told_on_the_command_line(run):
    result = run("--same-part", "A,B")
    assert result.exit_code == 0, result.output
    assert "2 defective parts, needs at least 59" in result.stdout
    assert "series:A+B" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--risk", "0"), "the risk must lie between"),
        (("--confidence", "1"), "the confidence must lie between"),
        (("--coco", "nowhere.json"), "cannot read the COCO file nowhere.json"),
        (("--model", "casting"), "casting"),
        (("--version", "7"), "version 7"),
        (("--same-part", "A,Z"), "no image is of series Z"),
        (("--split", "nowhere.yaml"), "nowhere.yaml"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(run, arguments, message):
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
