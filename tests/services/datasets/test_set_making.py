"""Evaluation sets of what was labelled here, and of archives."""

import json
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from core.domain.errors import BadInputError, NotAllowedError
from core.imaging.encode import encode_png
from core.services.datasets.set_making import SetFilter, SetMaker
from core.services.evaluation.evaluation_sets import EvaluationSets
from tests.artefacts import write_artefact
from tests.services.learning import LearningPlace


@pytest.fixture
def place(engine: Engine, tmp_path: Path) -> LearningPlace:
    return LearningPlace(engine, tmp_path, write_artefact(tmp_path / "v1"))


@pytest.fixture
def maker(place: LearningPlace, tmp_path: Path) -> SetMaker:
    sets = EvaluationSets(place.store, tmp_path / "sets")
    return SetMaker(place.store, place.blobs, sets, tmp_path / "sets" / "images")


def archive(files: dict[str, bytes]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as written:
        for name, data in files.items():
            written.writestr(name, data)
    return buffer.getvalue()


def test_labelled_images_become_a_set_that_holds_their_originals(
    place: LearningPlace, maker: SetMaker
) -> None:
    place.labelled(3)
    n_images, n_boxes = maker.count(place.engineer, "weld", SetFilter())
    made = maker.from_labels(place.engineer, "ours", "weld", SetFilter())
    assert (made.n_images, made.n_boxes, made.source["kind"]) == (n_images, n_boxes, "labels")
    assert made.n_images == 3
    content = maker._sets.content(made)
    for digest in content.digests:
        assert maker._sets.read(content, digest).sha256 == digest
    with pytest.raises(BadInputError, match="already"):
        maker.from_labels(place.engineer, "again", "weld", SetFilter())


@pytest.mark.parametrize(
    "wanted",
    [SetFilter(part="no such part"), SetFilter(equipment="none"), SetFilter(classes=frozenset({"undercut"})),
     SetFilter(least_px=10_000), SetFilter(most_px=0.5)],
)  # fmt: skip
def test_a_filter_that_takes_nothing_makes_nothing(
    place: LearningPlace, maker: SetMaker, tmp_path: Path, wanted: SetFilter
) -> None:
    place.labelled(1)
    assert maker.count(place.engineer, "weld", wanted) == (0, 0)
    with pytest.raises(BadInputError, match="no labelled image"):
        maker.from_labels(place.engineer, "none", "weld", wanted)
    assert not (tmp_path / "sets" / "images").exists()


PICTURE = encode_png(np.random.default_rng(0).integers(0, 65535, (96, 128), np.uint16))
COCO = {
    "images": [{"id": 1, "file_name": "films/a.png", "width": 128, "height": 96}],
    "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [5, 5, 9, 9], "iscrowd": 0}],
    "categories": [{"id": 1, "name": "crack"}],
}


def test_an_archive_of_images_and_a_coco_file_becomes_a_set(place: LearningPlace, maker: SetMaker) -> None:
    data = archive({"films/a.png": PICTURE, "boxes.json": json.dumps(COCO).encode()})
    made = maker.from_archive(place.engineer, "handed in", "weld", data)
    assert (made.n_images, made.n_boxes, made.source["kind"]) == (1, 1, "upload")
    content = maker._sets.content(made)
    assert maker._sets.read(content, content.digests[0]).width == 128


@pytest.mark.parametrize("files", [{"a.png": PICTURE}, {"a.json": b"{}", "b.json": b"{}"}])
def test_an_archive_needs_one_coco_file(
    place: LearningPlace, maker: SetMaker, tmp_path: Path, files: dict[str, bytes]
) -> None:
    with pytest.raises(BadInputError, match="expected one COCO file"):
        maker.from_archive(place.engineer, "x", "weld", archive(files))
    assert not list((tmp_path / "sets").glob("images/*"))


def test_who_may_not_make_sets_is_refused(place: LearningPlace, maker: SetMaker) -> None:
    with pytest.raises(NotAllowedError):
        maker.from_labels(place.annotator, "x", "weld", SetFilter())
