"""`radikal labels`: out to a file and in again, in one process of its own each."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core.cli import main
from core.config import Settings
from core.container import open_container
from core.domain.accounts import COMMAND_LINE, Identity, Role
from core.domain.indication import IndicationClass
from core.domain.labels import Label
from tests.workplace import radiograph_png

PORE = Label("h1", (5.1, 6.2, 20.3, 18.4), IndicationClass.POROSITY, iso6520="2011")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """A command on a store with one labelled image; who labelled it is `l.one`."""
    variables = {"DATA_DIR": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path / 'radikal.db'}"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings = Settings(_env_file=None, **{key.lower(): value for key, value in variables.items()})
    with open_container(settings, newest=True) as services:
        accounts, desk = services.accounts, services.workspace
        user = accounts.add(COMMAND_LINE, "l.one", "L. One", Role.ANNOTATOR, "three pores in 4 welds").user
        accounts.add(COMMAND_LINE, "a.admin", "A. Admin", Role.ADMIN, "three pores in 4 welds")
        film = desk.images.add(COMMAND_LINE, radiograph_png(), "film.png").sha256
        desk.labels.save(Identity(user.user_id, "l.one", user.role), film, [PORE], expected_version=0)

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["labels", *arguments])

    return call


def test_labels_go_out_and_come_back(run: Callable[..., Result], tmp_path: Path) -> None:
    target = tmp_path / "labels.zip"
    done = run("export", str(target), "--format", "coco", "--images")
    assert done.exit_code == 0, done.output
    assert done.output == f"1 images, 1 boxes, 1 originals: {target}\n"
    with zipfile.ZipFile(target) as archive:
        assert archive.read("images/film.png") == radiograph_png()
        content = json.loads(archive.read("labels.json"))
    content["annotations"][0]["bbox"][0] = 7.5
    del content["annotations"][0]["area"]
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(content), encoding="utf-8")
    done = run("import", str(changed), "--format", "coco", "--author", "L.One")
    assert done.output == (
        "COCO: 1 image with labels\n  film.png: changed: 1 box, 1 before\n"
        "1 images changed, 0 were the same, 1 boxes; not taken: 0\n"
    )
    done = run("import", str(changed))
    assert done.output.endswith("0 images changed, 1 were the same, 1 boxes; not taken: 0\n")
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("author", "text", "code", "complaint"),
    [
        ("nobody", "{}", 2, "no active account"),
        ("l.one", "{}", 2, "not a COCO"),
        ("a.admin", "{}", 1, "may not look at annotations"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    run: Callable[..., Result], tmp_path: Path, author: str, text: str, code: int, complaint: str
) -> None:
    file = tmp_path / "labels.json"
    file.write_text(text, encoding="utf-8")
    done = run("import", str(file), "--format", "coco", "--author", author)
    assert done.exit_code == code
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1


def write_yolo(path: Path, *, with_image: bool = False) -> Path:
    """A ZIP file of YOLO labels with a class that is not known here."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("classes.txt", "porosity\nshrinkage\n")
        archive.writestr("labels/film.txt", "1 0.5 0.5 0.25 0.25\n9 0.5 0.5 0.1 0.1\n")
        if with_image:
            archive.writestr("labels/new.txt", "0 0.5 0.5 0.25 0.25\n")
            archive.writestr("images/new.png", radiograph_png(5))
    return path


def test_a_class_that_is_not_known_is_asked_for_and_nothing_is_stored(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    path = write_yolo(tmp_path / "yolo.zip")
    done = run("import", str(path))
    assert done.exit_code == 2
    assert "say first what these classes of the file mean: 'shrinkage'" in done.stderr
    assert "--map shrinkage=porosity" in done.stderr
    assert run("import", str(path), "--map", "shrinkage").exit_code == 2
    assert "expected one of porosity" in run("import", str(path), "--map", "shrinkage=pores").stderr
    done = run("import", str(path), "--map", "shrinkage=shrinkage-cavity", "--dry-run")
    assert "film: changed: 1 box, 1 before" in done.stdout
    assert done.stdout.endswith("nothing was stored: this was a dry run\n")
    assert "not taken: film: line 2: there is no class 9" in done.stderr
    done = run("import", str(path), "--map", "shrinkage=shrinkage-cavity")
    assert done.stdout.endswith("1 images changed, 0 were the same, 1 boxes; not taken: 1\n")


def test_images_beside_the_labels_come_in_unless_told_otherwise(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    path = write_yolo(tmp_path / "yolo.zip", with_image=True)
    done = run("import", str(path), "--map", "shrinkage=crack", "--labels-only", "--dry-run")
    assert "left out: new (labels/new.txt): no such image is here" in done.stderr
    done = run("import", str(path), "--map", "shrinkage=crack")
    assert done.stdout.endswith(
        "2 images changed, 0 were the same, 2 boxes; not taken: 1, 1 images came with the file\n"
    )


def test_a_file_of_which_nothing_is_taken_is_bad_input(run: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "labels.json"
    image = {"id": 1, "file_name": "nowhere.png", "width": 128, "height": 96}
    file.write_text(json.dumps({"images": [image], "annotations": [], "categories": []}), encoding="utf-8")
    done = run("import", str(file))
    assert done.exit_code == 2
    assert "left out: nowhere.png (image 1 of labels.json): no such image is here" in done.stderr
    assert done.stderr.endswith("radikal: labels.json: nothing of it can be taken; nothing was stored\n")
