"""Measuring on simulated and on recorded flaws, with a tiny network."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.calibrate.calibrator import calibrator_from
from core.domain.errors import DatasetError
from core.imaging.encode import encode_png
from core.services.evaluation.pod_evaluating import PodEvaluateService, SizeMeasure, operating_score
from core.services.inference.detecting import DetectService
from tests.artefacts import FolderModels, write_artefact


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> PodEvaluateService:
    models = FolderModels(write_artefact(tmp_path_factory.mktemp("pod") / "weld-v1", score_spread=1.0))
    return PodEvaluateService(DetectService(models, device="cpu"), models)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded")
    pixels = np.random.default_rng(1).integers(0, 65535, (96, 128), np.uint16)
    (folder / "0.png").write_bytes(encode_png(pixels))
    return folder


def coco(folder: Path, image: dict[str, Any], **box: Any) -> Path:
    entry = {"id": 1, "file_name": "0.png", "width": 128, "height": 96, **image}
    boxes = [
        {
            "id": n,
            "image_id": 1,
            "category_id": 1,
            "bbox": [10 * n, 10, 8, 4],
            "area": 32,
            "iscrowd": 0,
            **box,
        }
        for n in (1, 2)
    ]
    path = folder / "coco.json"
    content = {"images": [entry], "annotations": boxes, "categories": [{"id": 1, "name": "crack"}]}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_flaws_of_simulated_welds_are_measured_until_there_are_enough(service: PodEvaluateService) -> None:
    told: list[tuple[int, int]] = []
    found = service.on_simulated(model="weld", flaws=3, seed=940_003, progress=lambda *n: told.append(n))
    assert found["n_targets"] >= 3
    assert told[-1] == (3, 3)
    assert found["n_images"] == len(told)
    assert found["n_trained_on"] == 0
    assert "60 are the least" in found["pod"]["reason"]
    assert "60 are the least" in found["response"]["reason"]
    assert found["on"] == "simulated welds from seed 940003"


def test_a_set_of_other_flaws_or_sizes_has_another_digest(service: PodEvaluateService) -> None:
    measured = [
        service.on_simulated(model="weld", flaws=1, seed=seed, measure=measure)["set_digest"]
        for seed, measure in (
            (940_003, SizeMeasure.WIDTH),
            (940_003, SizeMeasure.WIDTH),
            (940_003, SizeMeasure.LENGTH),
            (940_004, SizeMeasure.WIDTH),
        )
    ]
    assert measured[0] == measured[1]
    assert len(set(measured)) == 3


def test_recorded_sizes_win_over_those_of_the_boxes(service: PodEvaluateService, recorded: Path) -> None:
    sized = coco(recorded, {"mm_per_px": 0.1}, size_mm=[3.0, 0.2, 0.5])
    with_size = service.on_coco(sized, recorded, model="weld")
    assert [one["size_mm"] for one in with_size["bins"]] == [0.2]
    plain = service.on_coco(coco(recorded, {"mm_per_px": 0.1}), recorded, model="weld")
    assert [one["size_mm"] for one in plain["bins"]] == [0.4]
    length = service.on_coco(
        coco(recorded, {"mm_per_px": 0.1}), recorded, model="weld", measure=SizeMeasure.LENGTH
    )
    assert [one["size_mm"] for one in length["bins"]] == [0.8]


def test_a_recorded_outline_is_measured_around_itself_not_by_its_box(
    service: PodEvaluateService, recorded: Path
) -> None:
    """An oblique line 1.4 px wide in a box of 8 by 8 px."""
    oblique = {"bbox": [10, 10, 8, 8], "segmentation": [[10, 11, 11, 10, 14.5, 13.5, 18, 17, 17, 18]]}
    for measure, size in ((SizeMeasure.WIDTH, 0.1 * 2**0.5), (SizeMeasure.LENGTH, 0.7 * 2**0.5)):
        file = coco(recorded, {"mm_per_px": 0.1}, **oblique)
        found = service.on_coco(file, recorded, model="weld", measure=measure)
        assert [one["size_mm"] for one in found["bins"]] == [pytest.approx(size, abs=0.001)]


def test_an_unknown_size_is_refused_with_the_name_of_the_image(
    service: PodEvaluateService, recorded: Path
) -> None:
    with pytest.raises(DatasetError, match=r"0\.png: neither `size_mm`"):
        service.on_coco(coco(recorded, {}), recorded, model="weld")
    with pytest.raises(DatasetError, match="no height along the beam"):
        service.on_coco(
            coco(recorded, {"mm_per_px": 0.1}), recorded, model="weld", measure=SizeMeasure.HEIGHT
        )


def test_faint_flaws_are_counted_apart(service: PodEvaluateService, recorded: Path) -> None:
    faint = coco(recorded, {}, size_mm=[3.0, 0.2, 0.5], visible=False)
    found = service.on_coco(faint, recorded, model="weld")
    assert (found["n_targets"], found["n_faint"], found["with_faint"]["n_targets"]) == (0, 2, 2)


def test_the_operating_score_reaches_the_operating_probability(service: PodEvaluateService) -> None:
    version, _ = service._models.resolve("weld")
    calibration = version.calibration
    calibrator = calibrator_from(calibration.method, calibration.parameters)
    score = operating_score(version)
    below, at = calibrator.probability(np.array([score - 0.002, score], np.float32))
    assert at >= calibration.operating_probability
    assert below < calibration.operating_probability or score == calibration.score_cut
