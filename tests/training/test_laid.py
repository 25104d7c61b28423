"""Large virtual flaws on castings that nobody labelled: on metal, clear of reports, never beyond air."""

import json

import numpy as np
import pytest
from PIL import Image

from core.domain.radiograph import Polarity
from core.simulate.casting_flaws import lay_flaws
from core.training.laid import laid_images
from core.training.recipe import LaidSource, recipe_from

AIR, METAL = 230, 90


@pytest.fixture
def plate():
    """Metal with air on the right and a black rim on the left."""
    grey = np.full((400, 520), METAL, np.float32)
    grey[:, 400:] = AIR
    grey[:, :20] = 0
    return grey + np.random.default_rng(1).normal(0, 1.0, grey.shape).astype(np.float32).clip(-3, 3)


def write_laid(folder, plate):
    """The plate as a picture in `laid.json`, with one box that a model reported."""
    Image.fromarray(np.rint(plate).clip(0, 255).astype(np.uint8)).save(folder / "a.png")
    coco = {
        "images": [{"id": 1, "file_name": "a.png", "width": 520, "height": 400, "series": "one part"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [30, 30, 12, 10]}],
        "categories": [{"id": 1, "name": "defect"}],
    }
    (folder / "laid.json").write_text(json.dumps(coco))


def test_flaws_lie_on_metal_within_their_boxes_and_never_outshine_air(plate):
    for seed in range(12):
        made = lay_flaws(plate, np.random.default_rng(seed), count=3, taken=np.zeros((0, 4), np.float32))
        assert len(made.boxes)
        is_changed = np.abs(made.grey - plate) > 0.25 * np.abs(made.grey - plate).max()
        for x1, y1, x2, y2 in made.boxes.astype(int):
            assert max(x2 - x1, y2 - y1) >= 40
            assert x1 >= 20 - 0.15 * (x2 - x1)
            is_changed[y1:y2, x1:x2] = False
        assert not is_changed.any(), "what changed by much is boxed"
        assert made.grey.max() <= max(plate.max(), np.percentile(plate, 99.8)) + 1e-3


def test_no_flaw_touches_what_is_taken_or_another_flaw(plate):
    taken = np.array([[100, 100, 300, 250]], np.float32)
    made = lay_flaws(plate, np.random.default_rng(3), count=4, taken=taken)
    boxes = np.concatenate((made.boxes, taken))
    for k, one in enumerate(boxes):
        for other in boxes[k + 1 :]:
            assert one[0] >= other[2] or other[0] >= one[2] or one[1] >= other[3] or other[1] >= one[3]
    assert (made.grey[100:250, 100:300] == plate[100:250, 100:300]).all()


def test_a_picture_without_room_stays_as_it_is():
    grey = np.full((50, 50), METAL, np.float32)
    made = lay_flaws(grey, np.random.default_rng(0), count=2, taken=np.zeros((0, 4), np.float32))
    assert len(made.boxes) == 0
    assert (made.grey == grey).all()


def test_what_a_model_reports_teaches_nothing_and_what_is_laid_does(tmp_path, plate):
    write_laid(tmp_path, plate)
    source = LaidSource(laid="laid.json", seed=7, variants=2, flaws=2, weight=0.5)
    first, second = laid_images(source, Polarity.DIGITAL, tmp_path)
    assert first.series == "one part"
    assert first.weight + second.weight == pytest.approx(0.5)
    assert (first.boxes[-1] == [30, 30, 42, 40]).all()
    assert first.is_ignored[-1]
    assert not first.is_ignored[:-1].all()
    assert not np.array_equal(first.pixels, second.pixels)
    (again, _) = laid_images(source, Polarity.DIGITAL, tmp_path)
    assert np.array_equal(first.pixels, again.pixels)


def test_flaws_of_castings_are_not_laid_on_films():
    content = {
        "model": "casting",
        "title": "t",
        "polarity": "digital",
        "seed": 1,
        "schedule": {"steps": 1, "batch": 1, "crop_px": 64, "learning_rate": 0.1, "warmup_steps": 1},
        "sources": [{"laid": "laid.json", "seed": 1}],
    }
    assert isinstance(recipe_from(content).sources[0], LaidSource)
    content["sources"] = [{"laid": "laid.json", "seed": 1, "polarity": "film"}]
    with pytest.raises(ValueError, match="need digital images"):
        recipe_from(content)


def test_laid_flaws_bear_outlines_and_reports_stay_open(tmp_path, plate):
    write_laid(tmp_path, plate)
    source = LaidSource("laid.json", seed=5, flaws=4, least_px=14)
    (image,) = laid_images(source, Polarity.DIGITAL, tmp_path, has_mask=True)
    assert image.mask is not None
    assert (image.mask.weight[30:40, 30:42] == 0).all(), (
        "what a model reported is neither flaw nor background"
    )
    teaching = image.boxes[~image.is_ignored]
    assert len(teaching)
    for x1, y1, x2, y2 in teaching.astype(int):
        share = image.mask.is_flaw[y1:y2, x1:x2].mean()
        assert 0.05 < share < 1
    outside = image.mask.is_flaw.copy()
    for x1, y1, x2, y2 in teaching.astype(int):
        outside[y1:y2, x1:x2] = 0
    assert not outside.any()


def test_smaller_flaws_are_laid_where_they_are_asked_for(plate):
    taken = np.zeros((0, 4), np.float32)
    sides = [
        (made.boxes[:, 2:] - made.boxes[:, :2]).max(axis=1).min()
        for made in (
            lay_flaws(plate, np.random.default_rng(seed), count=4, taken=taken, least_px=14)
            for seed in range(8)
        )
    ]
    assert min(sides) < 30
