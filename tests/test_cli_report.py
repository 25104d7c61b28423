"""`radikal report` as its users run it, over a tiny real network and a real registry."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from core.cli import main
from core.cli.conventions import read_settings
from core.container import open_container
from core.domain.accounts import COMMAND_LINE
from core.domain.radiograph import Polarity
from core.reports.report_pdf import is_pdf
from tests.artefacts import write_artefact
from tests.empty_stores import copy_empty_mlflow
from tests.workplace import radiograph_png


def _point_at(patch: pytest.MonkeyPatch, folder: Path) -> None:
    patch.setenv("DATA_DIR", str(folder / "var"))
    patch.setenv("DATABASE_URL", f"sqlite:///{folder}/radikal.db")
    patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")


def _inspect() -> str:
    """The id of an inspection that a command on the server made."""
    with open_container(read_settings(), newest=True) as services:
        images = services.workspace.images
        film = images.add(COMMAND_LINE, radiograph_png(2), "film.png", polarity=Polarity.FILM)
        result = services.detect.detect(film, "film.png", model="weld")
        return services.workspace.inspections.record(COMMAND_LINE, result).inspection_id


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with weld v1 and one inspection."""
    folder = tmp_path_factory.mktemp("home")
    copy_empty_mlflow(folder / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        _point_at(patch, folder)
        write_artefact(folder / "weld-v1", score_spread=1.0)
        added = CliRunner().invoke(main, ["models", "import", str(folder / "weld-v1"), "--alias", "champion"])
        assert added.exit_code == 0, added.output
        return folder, _inspect()


@pytest.fixture
def run(home: tuple[Path, str], monkeypatch: pytest.MonkeyPatch):
    _point_at(monkeypatch, home[0])
    return lambda *arguments: CliRunner().invoke(main, ["report", *(str(one) for one in arguments)])


@pytest.mark.parametrize("form", ["pdf", "json"])
def test_what_is_written_is_verified(run, home, tmp_path: Path, form: str) -> None:
    folder, inspection_id = home
    file = tmp_path / f"report.{form}"
    written = run("write", inspection_id, "--out", file, "--window", 100, 60000, "--invert")
    assert written.exit_code == 0, written.output
    assert "NOT SIGNED" in written.stdout
    assert is_pdf(file.read_bytes()) is (form == "pdf")
    verified = run("verify", file)
    assert verified.exit_code == 0, verified.output
    assert "reproduces" in verified.stdout
    assert "NOT SIGNED" in verified.stderr


def test_a_changed_report_differs(run, home, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    run("write", home[1], "--out", file)
    document = json.loads(file.read_text(encoding="utf-8"))
    document["content"]["model"]["operating_probability"] = 0.9
    file.write_text(json.dumps(document), encoding="utf-8")
    verified = run("verify", file)
    assert verified.exit_code == 1
    assert verified.stdout.startswith("file: the content was changed")
    assert "record: model.operating_probability" in verified.stdout
    assert "DIFFERS in 2 points" in verified.stderr


def test_csv_is_written_for_spreadsheets(run, home, tmp_path: Path) -> None:
    file = tmp_path / "Report.CSV"
    assert run("write", home[1], "--out", file).exit_code == 0
    with file.open(encoding="utf-8-sig", newline="") as lines:
        assert {line["inspection_id"] for line in csv.DictReader(lines)} == {home[1]}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("write", "ID", "--out", "report.docx"), "ends in .pdf, .csv, .json"),
        (("write", "nothing", "--out", "report.pdf"), "there is no inspection nothing"),
        (("write", "ID", "--out", "report.pdf", "--invert"), "--window"),
        (("write", "ID", "--out", "report.pdf", "--window", "9", "9"), "expected a window"),
        (("verify", "missing.json"), "no such file"),
        (("verify", __file__), "no JSON"),
    ],
)
def test_bad_input_is_one_line(run, home, tmp_path, monkeypatch, arguments: tuple[str, ...], says) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*(home[1] if one == "ID" else one for one in arguments))
    assert result.exit_code == 2, result.output
    assert says in result.stderr
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_was_never_set_up_is_named(run, home, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/empty.db")
    result = run("write", home[1], "--out", tmp_path / "report.pdf")
    assert result.exit_code == 2
    assert "run `radikal setup` first" in result.stderr
