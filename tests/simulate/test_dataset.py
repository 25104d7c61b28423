"""Simulated radiographs written to disk."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.labelling.coco import read_coco
from core.simulate.config import SimulationConfig
from core.simulate.dataset import run_lengths, write_dataset
from core.simulate.render import simulate_weld

SMALL = SimulationConfig(height_px=256, width_px=512, flaw_groups=30.0, min_groups=3)


def test_a_written_dataset_reads_back_as_coco_with_its_extra_keys(tmp_path: Path) -> None:
    path = write_dataset(tmp_path / "set", count=2, seed=40, config=SMALL)
    dataset = read_coco(path)
    assert [image.file_name for image in dataset.images] == ["weld_000040.png", "weld_000041.png"]
    assert "porosity" in dataset.categories
    for seed, image in zip((40, 41), dataset.images, strict=True):
        radiograph = simulate_weld(seed, SMALL)
        pixels = cv2.imread(str(path.parent / image.file_name), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(pixels, radiograph.pixels)
        assert [tuple(box) for box in image.boxes.tolist()] == [flaw.bbox for flaw in radiograph.truth]
        assert image.labels == tuple(str(flaw.flaw_class) for flaw in radiograph.truth)
        assert image.extra["polarity"] == "film"
        assert image.extra["seed"] == seed
        assert image.extra["mm_per_px"] == pytest.approx(radiograph.mm_per_px, abs=1e-6)
        for annotation, flaw in zip(image.annotations, radiograph.truth, strict=True):
            assert annotation["iso6520"] == flaw.iso6520
            assert annotation["visible"] is flaw.visible
            assert annotation["size_mm"] == pytest.approx(flaw.size_mm, abs=1e-3)


def test_masks_come_back_from_their_run_lengths(tmp_path: Path) -> None:
    content = json.loads(write_dataset(tmp_path, count=1, seed=44, config=SMALL).read_text())
    truth = simulate_weld(44, SMALL).truth
    assert len(content["annotations"]) == len(truth) > 0
    for annotation, flaw in zip(content["annotations"], truth, strict=True):
        whole = _decode(annotation["segmentation"]["counts"], (256, 512))
        x1, y1, x2, y2 = (int(v) for v in flaw.bbox)
        assert np.array_equal(whole[y1:y2, x1:x2], flaw.mask)
        assert whole.sum() == flaw.mask.sum() == annotation["area"]


@pytest.mark.parametrize(
    ("corner", "expected"),
    [((0, 0), [0, 2, 1, 2, 7]), ((1, 1), [4, 2, 1, 2, 3]), ((2, 1), [7, 2, 1, 2])],
    ids=["first pixel set", "inside", "last pixel set"],
)
def test_run_lengths_follow_the_columns(corner: tuple[int, int], expected: list[int]) -> None:
    assert run_lengths(np.ones((2, 2), bool), corner, (3, 4)) == expected


def _decode(counts: list[int], shape: tuple[int, int]) -> np.ndarray:
    values = np.repeat(np.arange(len(counts)) % 2, counts).astype(bool)
    assert values.size == shape[0] * shape[1]
    return values.reshape(shape[1], shape[0]).T
