"""Every sample of the first page shows its main flaw above the operating point of the champion."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from app.inspection.render import FIRST_SAMPLES
from core.domain.inspection import DetectionResult
from core.domain.radiograph import Polarity
from core.imaging.read import read_radiograph_file
from core.services.inference.detecting import DetectService
from core.services.lifecycle.releasing import OneModel

#: Share of the main flaw's own pixels that the reported boxes cover at least.
LEAST_COVERED = 0.5


@pytest.fixture(scope="module")
def detecting(repository: Path) -> DetectService:
    return DetectService(OneModel(repository / "models" / "checkpoints" / "weld-v2", 2), device="cpu")


@pytest.fixture(scope="module")
def truth(repository: Path) -> dict[str, Any]:
    content = json.loads((repository / "data" / "samples" / "truth.json").read_text(encoding="utf-8"))
    names = {image["id"]: image["file_name"] for image in content["images"]}
    flaws: dict[str, Any] = {name: [] for name in names.values()}
    for flaw in content["annotations"]:
        flaws[names[flaw["image_id"]]].append(flaw)
    return flaws


@pytest.mark.parametrize("name", FIRST_SAMPLES)
def test_its_largest_flaw_is_reported(
    name: str, detecting: DetectService, truth: dict[str, Any], repository: Path
) -> None:
    assert covered(detect(detecting, repository, name), truth[name]) >= LEAST_COVERED


def test_a_flaw_that_is_not_reported_would_be_seen(
    detecting: DetectService, truth: dict[str, Any], repository: Path
) -> None:
    name = "crack_longitudinal.png"
    assert covered(detect(detecting, repository, name), truth[name]) < LEAST_COVERED
    assert name not in FIRST_SAMPLES


def detect(detecting: DetectService, repository: Path, name: str) -> DetectionResult:
    radiograph = read_radiograph_file(repository / "data" / "samples" / name, polarity=Polarity.FILM)
    return detecting.detect(radiograph, name, model="weld")


def covered(result: DetectionResult, flaws: list[Any]) -> float:
    """Share of the pixels of the largest visible flaw that lie in boxes at or above the operating point."""
    main = mask_of(max((flaw for flaw in flaws if flaw["visible"]), key=lambda flaw: flaw["area"]))
    boxed = np.zeros_like(main)
    for row in result.rows():
        if row["probability"] >= result.model.calibration.operating_probability:
            x1, y1, x2, y2 = (round(value) for value in row["bbox"])
            boxed[y1:y2, x1:x2] = True
    return float((main & boxed).sum() / main.sum())


def mask_of(flaw: Any) -> npt.NDArray[np.bool_]:
    """(H, W) bool of an uncompressed COCO run length encoding, column by column."""
    runs = flaw["segmentation"]["counts"]
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape(flaw["segmentation"]["size"], order="F")
