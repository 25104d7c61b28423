import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from core.domain.errors import DatasetError, LeakError, ModelNotFoundError, UnreadableImageError
from core.domain.radiograph import Polarity
from core.engine.detector import Detector
from core.imaging.encode import encode_png
from core.services.evaluation.evaluating import EvaluateService
from core.services.inference.detecting import DetectService
from tests.artefacts import FolderModels, write_artefact
from tests.recorded import write_recorded


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("evaluating")


@pytest.fixture(scope="module")
def model(root: Path) -> Path:
    return write_artefact(root / "weld-v1", score_spread=1.0, calibration={"score_cut": 0.05})


@pytest.fixture(scope="module")
def coco(root: Path, model: Path) -> Path:
    return write_recorded(root / "set", Detector.load(model / "weights.safetensors"))


def _service(folder: Path) -> EvaluateService:
    models = FolderModels(folder)
    return EvaluateService(DetectService(models, device="cpu"), models)


def test_figures_of_a_detector_that_is_right_every_second_time(coco: Path, model: Path) -> None:
    seen: list[tuple[int, int]] = []
    summary = _service(model).evaluate(
        coco, coco.parent, model="weld", progress=lambda done, total: seen.append((done, total))
    )
    assert summary.n_images == 6
    assert summary.n_boxes == len(json.loads(coco.read_text())["annotations"])
    assert seen == [(i, 6) for i in range(1, 7)]
    assert summary.ap50 is not None
    assert 0.3 < summary.ap50 < 0.9
    assert summary.froc is not None
    assert summary.n_clusters == 3
    assert summary.cluster_by == "series"
    assert summary.n_trained_on == 0
    assert not summary.class_aware
    assert summary.d_ece is not None
    assert summary.not_evaluable == {}
    assert summary.ap50_ci is not None
    assert summary.ap50_ci[0] <= summary.ap50 <= summary.ap50_ci[1]


def test_the_same_call_gives_the_same_figures(coco: Path, model: Path) -> None:
    first = _service(model).evaluate(coco, coco.parent, model="weld")
    assert first == _service(model).evaluate(coco, coco.parent, model="weld")


def test_a_selection_of_series_is_evaluated_alone(coco: Path, model: Path) -> None:
    summary = _service(model).evaluate(coco, coco.parent, model="weld", series=["B"])
    assert summary.n_images == 2
    assert summary.ap50_ci is None
    with pytest.raises(DatasetError, match="no image of Z"):
        _service(model).evaluate(coco, coco.parent, model="weld", series=["Z"])


def test_trained_images_are_counted_by_digest_and_a_gate_refuses_them(
    root: Path, coco: Path, model: Path
) -> None:
    digests = [hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(coco.parent.glob("B_*.png"))]
    leaky = write_artefact(root / "leaky", score_spread=1.0, trained_on=(*digests, "00" * 32))
    assert _service(leaky).evaluate(coco, coco.parent, model="weld").n_trained_on == 2
    with pytest.raises(LeakError, match="2 of 6 images were trained on by weld v1"):
        _service(leaky).evaluate(coco, coco.parent, model="weld", gate=True)
    _service(model).evaluate(coco, coco.parent, model="weld", gate=True)


def test_a_simulated_image_is_known_by_its_pixels(root: Path, coco: Path) -> None:
    content = json.loads(coco.read_text())
    content["images"][0]["seed"] = 7
    with_seed = coco.with_name("seeded.json")
    with_seed.write_text(json.dumps(content))
    pixels = np.random.default_rng(1).integers(0, 65535, (96, 128), np.uint16)
    folder = write_artefact(root / "simulated", trained_on=(hashlib.sha256(pixels.tobytes()).hexdigest(),))
    assert _service(folder).evaluate(with_seed, coco.parent, model="weld").n_trained_on == 1
    assert _service(folder).evaluate(coco, coco.parent, model="weld").n_trained_on == 0


def test_categories_that_the_model_was_taught_make_it_class_aware(root: Path, coco: Path) -> None:
    taught = write_artefact(root / "taught", score_spread=1.0, card={"classes": ["crack", "porosity"]})
    detector = Detector.load(taught / "weights.safetensors")
    cracks = write_recorded(root / "cracks", detector, category="crack")
    summary = _service(taught).evaluate(cracks, cracks.parent, model="weld")
    assert summary.class_aware
    assert set(summary.ap50_by_class) == {"crack"}
    assert not _service(taught).evaluate(coco, coco.parent, model="weld").class_aware


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 120}, "the COCO file says 120x96"),
        ({"file_name": "gone.png"}, "1 of 6 images are not in"),
        ({"polarity": "sideways"}, "sideways"),
    ],
)
def test_a_set_that_contradicts_its_images_is_refused(
    coco: Path, model: Path, change: dict[str, object], message: str
) -> None:
    content = json.loads(coco.read_text())
    content["images"][0] |= change
    wrong = coco.with_name("wrong.json")
    wrong.write_text(json.dumps(content))
    with pytest.raises(DatasetError, match=message):
        _service(model).evaluate(wrong, coco.parent, model="weld")


def test_an_unreadable_image_and_an_unknown_version_are_refused(
    tmp_path: Path, coco: Path, model: Path
) -> None:
    (tmp_path / "x.png").write_bytes(b"no picture")
    entry = {"id": 1, "file_name": "x.png", "width": 1, "height": 1}
    (tmp_path / "x.json").write_text(json.dumps({"images": [entry], "annotations": [], "categories": []}))
    with pytest.raises(UnreadableImageError):
        _service(model).evaluate(tmp_path / "x.json", tmp_path, model="weld")
    with pytest.raises(ModelNotFoundError):
        _service(model).evaluate(coco, coco.parent, model="weld", version=9)


def test_negatives_alone_give_false_calls_and_no_recall(tmp_path: Path, model: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 65535, (96, 128), np.uint16)
    (tmp_path / "x.png").write_bytes(encode_png(pixels))
    entry = {"id": 1, "file_name": "x.png", "width": 128, "height": 96}
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"images": [entry], "annotations": [], "categories": []}))
    summary = _service(model).evaluate(path, tmp_path, model="weld", polarity=Polarity.FILM)
    assert summary.recall is None
    assert summary.false_calls_per_image is not None
    assert summary.cluster_by == "image"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"iscrowd": 1}, "is a crowd of several"),
        ({"ignore": 1}, "is marked to be ignored"),
        ({"bbox": [90, 50, 0, 0]}, "has no area"),
        ({"bbox": [4000, 3000, 20, 20]}, "lies outside of the image"),
    ],
)
def test_what_counts_neither_way_is_told_and_is_never_missed(
    coco: Path, model: Path, change: dict[str, object], told: str
) -> None:
    content = json.loads(coco.read_text())
    n_boxes = len(content["annotations"])
    whole_image = {"id": 900, "image_id": 1, "category_id": 1, "bbox": [0, 0, 128, 96]}
    content["annotations"].append(whole_image | change)
    changed = coco.with_name("changed.json")
    changed.write_text(json.dumps(content))
    lines: list[str] = []
    plain = _service(model).evaluate(coco, coco.parent, model="weld")
    summary = _service(model).evaluate(changed, coco.parent, model="weld", tell=lines.append)
    assert summary.n_boxes == n_boxes
    assert summary.recall == plain.recall
    assert len(lines) == 1
    assert told in lines[0]
    is_region = "bbox" not in change
    assert (summary.n_detections < plain.n_detections) == is_region


def test_an_image_under_two_names_is_refused(coco: Path, model: Path) -> None:
    content = json.loads(coco.read_text())
    again = content["images"][0] | {"id": 99, "file_name": "C:\\films\\" + content["images"][0]["file_name"]}
    changed = coco.with_name("twice.json")
    changed.write_text(json.dumps(content | {"images": [*content["images"], again]}))
    with pytest.raises(DatasetError, match="is listed twice"):
        _service(model).evaluate(changed, coco.parent, model="weld")
