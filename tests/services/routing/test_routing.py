"""Certifying routes on a real tiny network: parts, what was used before, what is kept."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.calibrate.routing import Assurance, Route
from core.domain.errors import DatasetError, ModelNotFoundError
from core.engine.detector import Detector
from core.imaging.encode import encode_png
from core.services.inference.detecting import DetectService
from core.services.routing.routing import RoutingService
from core.services.routing.routing_certificates import RoutingCertificates
from core.services.routing.routing_set import RoutingSet
from tests.artefacts import FolderModels, write_artefact
from tests.recorded import write_recorded

LEVEL = Assurance(0.05, 0.95)
NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("routing")


@pytest.fixture(scope="module")
def model(root: Path) -> Path:
    return write_artefact(root / "weld-v1", score_spread=1.0)


@pytest.fixture(scope="module")
def coco(root: Path, model: Path) -> Path:
    """Six images of the series A, B and C, all with recorded boxes."""
    return write_recorded(root / "set", Detector.load(model / "weights.safetensors"))


@pytest.fixture(scope="module")
def clean(coco: Path) -> Path:
    """Two images of series K without boxes, beside the others."""
    images = []
    for number in (1, 2):
        pixels = np.random.default_rng(50 + number).integers(0, 65535, (96, 128), np.uint16)
        (coco.parent / f"K_{number}.png").write_bytes(encode_png(pixels))
        images.append(
            {"id": number, "file_name": f"K_{number}.png", "width": 128, "height": 96, "series": "K"}
        )
    path = coco.with_name("clean.json")
    path.write_text(json.dumps({"images": images, "annotations": [], "categories": []}))
    return path


def _changed(coco: Path, name: str, change: Callable[[dict[str, Any]], None]) -> Path:
    content = json.loads(coco.read_text())
    change(content)
    path = coco.with_name(name)
    path.write_text(json.dumps(content))
    return path


def _service(folder: Path, kept: Path) -> RoutingService:
    models = FolderModels(folder)
    return RoutingService(
        DetectService(models, device="cpu"), models, RoutingCertificates(kept), clock=lambda: NOW
    )


def _largest(model: Path, coco: Path) -> dict[str, float]:
    """The largest calibrated probability of each image, by the detector itself; its calibration is the
    identity."""
    from core.imaging.normalise import normalise
    from core.imaging.read import read_radiograph_file

    detector = Detector.load(model / "weights.safetensors")
    found = {}
    for path in coco.parent.glob("*.png"):
        scores = detector.detect(normalise(read_radiograph_file(path).pixels)).above(0.05).scores
        found[path.name] = float(scores.max()) if len(scores) else 0.0
    return found


def test_a_part_counts_once_by_its_worst_image(model: Path, coco: Path, clean: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    made = _service(model, tmp_path).certify(
        RoutingSet(coco, coco.parent, clean),
        LEVEL,
        model="weld",
        progress=lambda done, total: seen.append((done, total)),
    )
    largest = _largest(model, coco)
    expected = {
        "series:A": min(largest["A_1.png"], largest["A_2.png"]),
        "series:B": min(largest["B_3.png"], largest["B_4.png"]),
        "series:C": min(largest["C_5.png"], largest["C_6.png"]),
        "series:K": max(largest["K_1.png"], largest["K_2.png"]),
    }
    assert {part.name: part.score for part in made.parts} == pytest.approx(expected, abs=1e-5)
    assert [part.is_defective for part in made.parts] == [True, True, True, False]
    assert [part.n_images for part in made.parts] == [2, 2, 2, 2]
    assert seen == [(n, 8) for n in range(1, 9)]


def test_three_parts_cannot_certify_and_the_answer_says_what_could(
    model: Path, coco: Path, tmp_path: Path
) -> None:
    made = _service(model, tmp_path).certify(RoutingSet(coco, coco.parent), LEVEL, model="weld")
    assert not made.is_certified
    assert made.accept.reason == "3 defective parts, needs at least 59 without one routed to accept"
    assert made.reject.reason == "0 clean parts, needs at least 59 without one routed to reject"
    assert made.route(0.0) is Route.REVIEW
    assert made.made_at == NOW
    assert made.left_out == ()
    assert made.unchecked == ("which parts calibrated the version: its calibration does not name them",)


def test_series_that_show_one_part_count_as_one(model: Path, coco: Path, tmp_path: Path) -> None:
    service = _service(model, tmp_path)
    asked = RoutingSet(coco, coco.parent, same_part=(("C", "A"),))
    made = service.certify(asked, LEVEL, model="weld")
    assert [(part.name, part.n_images) for part in made.parts] == [("series:A+C", 4), ("series:B", 2)]
    for wrong, message in (
        ((("A", "Z"),), "no image is of series Z"),
        ((("A", "B"), ("A", "C")), "show two parts"),
    ):
        with pytest.raises(DatasetError, match=message):
            service.certify(RoutingSet(coco, coco.parent, same_part=wrong), LEVEL, model="weld")


def test_a_part_of_which_one_image_trained_is_left_out(root: Path, coco: Path, tmp_path: Path) -> None:
    digest = hashlib.sha256((coco.parent / "B_3.png").read_bytes()).hexdigest()
    leaky = write_artefact(root / "leaky", score_spread=1.0, trained_on=(digest,))
    made = _service(leaky, tmp_path).certify(RoutingSet(coco, coco.parent), LEVEL, model="weld")
    assert [part.name for part in made.parts] == ["series:A", "series:C"]
    assert made.left_out == ("trained the version: series:B",)


def test_other_frames_of_a_series_that_trained_are_left_out(root: Path, coco: Path, tmp_path: Path) -> None:
    folder = write_artefact(root / "same-series", score_spread=1.0)
    images = [{"sha256": "ab" * 32, "file_name": "other.png", "series": "C"}]
    (folder / "manifest.json").write_text(json.dumps({"images": images}))
    made = _service(folder, tmp_path).certify(RoutingSet(coco, coco.parent), LEVEL, model="weld")
    assert made.left_out == ("trained the version: series:C",)


def test_parts_that_calibrated_are_left_out_where_they_are_known(
    root: Path, coco: Path, clean: Path, tmp_path: Path
) -> None:
    known = write_artefact(
        root / "calibrated", score_spread=1.0, calibration={"parts": ["series:A", "series:K", "series:Q"]}
    )
    made = _service(known, tmp_path).certify(RoutingSet(coco, coco.parent, clean), LEVEL, model="weld")
    assert made.left_out == ("calibrated the version: series:A, series:K",)
    assert made.unchecked == ()
    assert [part.name for part in made.parts] == ["series:B", "series:C"]


def test_images_without_a_recorded_indication_say_nothing_about_a_part(
    model: Path, coco: Path, tmp_path: Path
) -> None:
    def empty(content: dict[str, Any]) -> None:
        content["annotations"] = [a for a in content["annotations"] if a["image_id"] not in (3, 5, 6)]

    asked = RoutingSet(_changed(coco, "silent.json", empty), coco.parent)
    made = _service(model, tmp_path).certify(asked, LEVEL, model="weld")
    assert [(part.name, part.n_images) for part in made.parts] == [("series:A", 2), ("series:B", 1)]
    assert made.unchecked[0] == "3 images without a recorded indication: whether they show one"


def test_images_of_which_nobody_knows_the_part_are_told(model: Path, coco: Path, tmp_path: Path) -> None:
    def forget(content: dict[str, Any]) -> None:
        for image in content["images"][:2]:
            del image["series"]

    asked = RoutingSet(_changed(coco, "forgotten.json", forget), coco.parent)
    made = _service(model, tmp_path).certify(asked, LEVEL, model="weld")
    assert [part.name for part in made.parts] == ["image:A_1.png", "image:A_2.png", "series:B", "series:C"]
    assert made.unchecked[0].startswith("2 images without series or film, each taken for a part")


def test_clean_parts_with_boxes_or_recorded_as_defective_are_refused(
    model: Path, coco: Path, clean: Path, tmp_path: Path
) -> None:
    service = _service(model, tmp_path)
    with pytest.raises(DatasetError, match="has recorded boxes, so it is not clean"):
        service.certify(RoutingSet(coco, coco.parent, coco), LEVEL, model="weld")

    def rename(content: dict[str, Any]) -> None:
        content["images"][0]["series"] = "A"

    both = RoutingSet(coco, coco.parent, _changed(clean, "both.json", rename))
    with pytest.raises(DatasetError, match="series:A: recorded with indications and called clean"):
        service.certify(both, LEVEL, model="weld")


def test_a_selection_of_series_holds_for_both_files(
    model: Path, coco: Path, clean: Path, tmp_path: Path
) -> None:
    service = _service(model, tmp_path)
    chosen = RoutingSet(coco, coco.parent, clean, series=["A", "K"])
    assert [p.name for p in service.certify(chosen, LEVEL, model="weld").parts] == ["series:A", "series:K"]
    none_clean = RoutingSet(coco, coco.parent, clean, series=["A"])
    assert [p.name for p in service.certify(none_clean, LEVEL, model="weld").parts] == ["series:A"]


def test_the_key_changes_with_what_is_recorded_and_not_with_the_order(
    model: Path, coco: Path, tmp_path: Path
) -> None:
    service = _service(model, tmp_path)

    def keys_of(path: Path) -> str:
        return service.certify(RoutingSet(path, coco.parent), LEVEL, model="weld").key

    def turn(content: dict[str, Any]) -> None:
        content["images"].reverse()

    def move(content: dict[str, Any]) -> None:
        content["annotations"][0]["bbox"][0] += 1

    first = keys_of(coco)
    assert keys_of(_changed(coco, "turned.json", turn)) == first
    assert keys_of(_changed(coco, "moved.json", move)) != first


def test_an_unknown_version_is_refused(model: Path, coco: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError):
        _service(model, tmp_path).certify(RoutingSet(coco, coco.parent), LEVEL, model="weld", version=9)
