"""The champion reports the main flaw of every sample that shows one, above its operating point."""

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
SAMPLES = Path(__file__).resolve().parents[2] / "data" / "samples"


def flaws_by_sample() -> dict[str, tuple[Polarity, list[Any]]]:
    """Polarity and visible flaws of each sample that shows one."""
    content = json.loads((SAMPLES / "truth.json").read_text(encoding="utf-8"))
    images = {image["id"]: image for image in content["images"]}
    found: dict[str, tuple[Polarity, list[Any]]] = {}
    for flaw in content["annotations"]:
        if flaw["visible"]:
            image = images[flaw["image_id"]]
            found.setdefault(image["file_name"], (Polarity(image["polarity"]), []))[1].append(flaw)
    return found


FLAWED = flaws_by_sample()


@pytest.fixture(scope="module")
def detecting(repository: Path) -> DetectService:
    return DetectService(OneModel(repository / "models" / "checkpoints" / "weld-v4", 4), device="cpu")


@pytest.mark.parametrize("name", sorted(FLAWED))
def test_its_largest_flaw_is_reported(name: str, detecting: DetectService) -> None:
    assert covered(detect(detecting, name), main_flaw(name)) >= LEAST_COVERED


def test_a_flaw_that_is_not_reported_would_be_seen(detecting: DetectService) -> None:
    assert covered(detect(detecting, "gas_pores.png"), main_flaw("crack_longitudinal.png")) < LEAST_COVERED


def test_the_first_page_shows_flaws() -> None:
    assert set(FLAWED) >= set(FIRST_SAMPLES)


def detect(detecting: DetectService, name: str) -> DetectionResult:
    radiograph = read_radiograph_file(SAMPLES / name, polarity=FLAWED[name][0])
    return detecting.detect(radiograph, name, model="weld")


def main_flaw(name: str) -> Any:
    return max(FLAWED[name][1], key=lambda flaw: flaw["area"])


def covered(result: DetectionResult, flaw: Any) -> float:
    """Share of the pixels of a flaw that lie in boxes at or above the operating point."""
    main = mask_of(flaw)
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
