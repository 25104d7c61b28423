"""Every check on a small data set on disk, and the command that runs them."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from core.cli import main
from core.domain.errors import DatasetError, ModelNotFoundError
from core.imaging.encode import encode_png
from core.labelling.finding import FindingKind
from core.services.datasets.data_checking import CheckRequest, DataCheck, DataCheckService
from tests.artefacts import FolderModels, write_artefact

CATEGORIES = [{"id": 1, "name": "defect"}]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Sound: a and b train, c is held back, d is declared clean."""
    for number, name in enumerate("abcd"):
        pixels = np.random.default_rng(number).integers(0, 65535, (96, 128), np.uint16)
        (tmp_path / f"{name}.png").write_bytes(encode_png(pixels))
    entries = [
        {"id": i, "file_name": f"{name}.png", "width": 128, "height": 96, "series": series}
        for i, (name, series) in enumerate((("a", "A"), ("b", "A"), ("c", "C")))
    ]
    boxes = [{"id": i, "image_id": i, "category_id": 1, "bbox": [10, 10, 20, 15]} for i in range(3)]
    write(tmp_path / "c.json", entries, boxes)
    write(tmp_path / "clean.json", [{**entries[0], "file_name": "d.png", "series": "D"}], [])
    (tmp_path / "split.yaml").write_text("parts: {train: [A, D], test: [C]}")
    return tmp_path


def write(path: Path, images: list[dict[str, Any]], annotations: list[dict[str, Any]]) -> None:
    content = {"images": images, "annotations": annotations, "categories": CATEGORIES}
    path.write_text(json.dumps(content))


def change(path: Path, key: str, index: int, **values: Any) -> None:
    content = json.loads(path.read_text())
    content[key][index] |= values
    path.write_text(json.dumps(content))


def check(data: Path, model: Path | None = None, **options: Any) -> DataCheck:
    request = CheckRequest(
        **({"recorded": (data / "c.json",), "clean": (data / "clean.json",), "images_dir": data,
            "split": data / "split.yaml", "model": None if model is None else "weld"} | options)
    )  # fmt: skip
    return DataCheckService(FolderModels(model or data)).check(request)


def kinds(result: DataCheck) -> list[FindingKind]:
    return [finding.kind for finding in result.findings]


def test_a_sound_data_set_has_no_findings(data: Path) -> None:
    result = check(data)
    assert result.findings == ()
    assert (result.n_images, result.n_boxes, result.n_errors) == (4, 3, 0)


def test_missing_unreadable_and_resized_images_are_errors_and_the_rest_is_still_checked(data: Path) -> None:
    (data / "a.png").unlink()
    (data / "b.png").write_bytes(b"no picture")
    change(data / "c.json", "images", 2, width=120)
    change(data / "c.json", "annotations", 0, bbox=[10, 10, 0, 5])
    result = check(data)
    assert kinds(result) == [
        FindingKind.WITHOUT_AREA,
        FindingKind.UNREADABLE,
        FindingKind.UNREADABLE,
        FindingKind.OTHER_SIZE,
        FindingKind.WITHOUT_BOX,
    ]
    assert "128x96 px, recorded as 120x96" in result.findings[3].message


def test_errors_come_before_warnings(data: Path) -> None:
    change(data / "c.json", "annotations", 0, bbox=[10, 10, 4, 4])
    change(data / "c.json", "annotations", 2, bbox=[120, 10, 20, 15])
    assert kinds(check(data)) == [FindingKind.OUTSIDE, FindingKind.SMALL]


def test_images_without_a_box_are_summed_up_unless_they_are_declared_clean(data: Path) -> None:
    content = json.loads((data / "c.json").read_text())
    write(data / "c.json", content["images"], content["annotations"][2:])
    (found,) = check(data).findings
    assert found.kind is FindingKind.WITHOUT_BOX
    assert found.message == "c.json: 2 images have no box and are not declared clean: A (2)"
    change(data / "clean.json", "images", 0, id=7)
    content = json.loads((data / "clean.json").read_text())
    write(data / "clean.json", content["images"], [{"image_id": 7, "category_id": 1, "bbox": [9, 9, 20, 20]}])
    assert FindingKind.BOX_ON_CLEAN in kinds(check(data))


def test_the_same_image_in_two_parts_is_a_leak(data: Path) -> None:
    shutil.copy(data / "a.png", data / "c.png")
    (found,) = check(data).findings
    assert (found.kind, found.image, found.is_error) == (FindingKind.SAME_IMAGE, "c.png", True)
    assert "a leak" in found.message


def test_a_series_in_two_parts_is_an_error(data: Path) -> None:
    (data / "split.yaml").write_text("parts: {train: [A, D, C], test: [C]}")
    assert kinds(check(data)) == [FindingKind.SERIES_IN_TWO_PARTS]


def test_held_out_images_that_a_model_was_trained_on_are_errors(data: Path, tmp_path: Path) -> None:
    digests = tuple(hashlib.sha256((data / f"{n}.png").read_bytes()).hexdigest() for n in "ac")
    model = write_artefact(tmp_path / "weld-v1", trained_on=digests)
    (found,) = check(data, model).findings
    assert (found.image, found.message) == ("c.png", "in part test and yet weld v1 was trained on it")
    assert [f.image for f in check(data, model, held_out=("train",)).findings] == ["a.png"]
    assert [f.image for f in check(data, model, split=None).findings] == ["a.png", "c.png"]
    with pytest.raises(ModelNotFoundError):
        check(data, model, version=9)


def test_parts_that_do_not_exist_are_refused_and_never_guessed(data: Path, tmp_path: Path) -> None:
    model = write_artefact(tmp_path / "weld-v1")
    with pytest.raises(DatasetError, match="no part 'dev', only train, test"):
        check(data, held_out=("dev",))
    (data / "split.yaml").write_text("parts: {fold_1: [A, D], fold_2: [C]}")
    with pytest.raises(DatasetError, match="which of the parts fold_1, fold_2 are held out"):
        check(data, model)
    assert check(data).findings == ()


def test_progress_is_told_after_each_image(data: Path) -> None:
    seen: list[tuple[int, int]] = []
    request = CheckRequest((data / "c.json",), (), data)
    DataCheckService(FolderModels(data)).check(request, progress=lambda *at: seen.append(at))
    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.fixture
def run(data: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("DATA_DIR", str(data / "var"))
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{data}/radikal.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{data}/mlflow.db")

    def call(*arguments: object) -> Any:
        options = ("--coco", data / "c.json", "--images", data, *arguments)
        return CliRunner().invoke(main, ["data", "check", *(str(a) for a in options)])

    return call


def test_the_command_says_one_line_a_finding_and_fails_on_errors_alone(data: Path, run: Any) -> None:
    assert run().exit_code == 0
    change(data / "c.json", "annotations", 0, bbox=[10, 10, 4, 4])
    warned = run("--quick")
    assert warned.exit_code == 0
    assert warned.stdout.splitlines() == [
        "warning  small box: a.png [10 10 14 14]: 4x4 px, under 8 px both ways",
        "3 images, 3 boxes; errors: 0, warnings: 1",
    ]
    change(data / "c.json", "annotations", 2, bbox=[120, 10, 20, 15])
    failed = run("--json", "-")
    assert failed.exit_code == 1
    content = json.loads(failed.stdout)
    assert content["counts"] == {"box outside the image": 1, "small box": 1}
    assert content["findings"][0]["image"] == "c.png"
    assert run("--json", data / "out.json").exit_code == 1
    assert json.loads((data / "out.json").read_text()) == content


def test_what_cannot_be_checked_at_all_is_bad_input(data: Path, run: Any) -> None:
    (data / "c.json").write_text("{")
    result = run()
    assert result.exit_code == 2
    assert result.stderr.startswith("radikal: c.json: not JSON")
    assert CliRunner().invoke(main, ["data", "check", "--images", str(data)]).exit_code == 2
