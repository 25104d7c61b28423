import dataclasses
import json
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest

from core.domain.errors import DatasetError
from core.training.data_check import held_back, refuse_faults
from core.training.images import load_images
from core.training.recipe import recipe_from

RECIPE = {
    "model": "weld",
    "title": "t",
    "polarity": "film",
    "sources": [{"coco": "c.json", "polarity": "film", "split": "split.yaml", "part": "train"}],
    "schedule": {"steps": 1},
}


@pytest.fixture
def data(tmp_path):
    """Images 0 and 1 train, 2 is held back; image 0 has a good box."""
    rng = np.random.default_rng(0)
    entries = []
    for i, series in enumerate("AAB"):
        cv2.imwrite(str(tmp_path / f"{i}.png"), rng.integers(0, 4000, (40, 60)).astype(np.uint16))
        entries.append({"id": i, "file_name": f"{i}.png", "width": 60, "height": 40, "series": series})
    write(tmp_path, entries, [[5, 6, 10, 12]])
    (tmp_path / "split.yaml").write_text("parts: {train: [A], test: [B]}")
    return tmp_path


def write(folder, entries, boxes):
    annotations = [{"image_id": 0, "category_id": 1, "bbox": box} for box in boxes]
    content = {"images": entries, "annotations": annotations, "categories": [{"id": 1, "name": "defect"}]}
    (folder / "c.json").write_text(json.dumps(content))


def with_boxes(data, *boxes):
    write(data, json.loads((data / "c.json").read_text())["images"], boxes)


def check(data, content=RECIPE, **changes):
    recipe = dataclasses.replace(recipe_from(content), **changes)
    refuse_faults(recipe, load_images(recipe, data, data), data, data)


def test_sound_data_may_train(data):
    check(data)


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ([55, 6, 10, 12], r"box outside the image: 0\.png \[55 6 65 18\]"),
        ([-2, 6, 10, 12], "box outside"),
        ([5, 6, 0, 12], "has no area"),
    ],
)
def test_a_box_that_teaches_nonsense_is_named(data, box, message):
    with_boxes(data, box)
    with pytest.raises(DatasetError, match=message):
        check(data)


def test_a_box_without_contrast_is_named_unless_it_teaches_nothing(data):
    pixels = cv2.imread(str(data / "0.png"), cv2.IMREAD_UNCHANGED)
    pixels[10:16, 20:26] = 1000
    cv2.imwrite(str(data / "0.png"), pixels)
    with_boxes(data, [20, 10, 6, 6])
    with pytest.raises(DatasetError, match=r"constant box: 0\.png \[20 10 26 16\]"):
        check(data)
    source = {**RECIPE["sources"][0], "ignore_below_px": 8}
    check(data, {**RECIPE, "sources": [source]})


def test_an_image_that_is_held_back_under_another_name_is_a_leak(data):
    shutil.copy(data / "2.png", data / "1.png")
    with pytest.raises(DatasetError, match=r"same image: 1\.png: the same file as 2\.png of B"):
        check(data)


def test_a_flaw_free_image_of_another_part_is_a_leak(data):
    sources = [*RECIPE["sources"], {"flaw_free": ["2.png"], "polarity": "film"}]
    with pytest.raises(DatasetError, match=r"2\.png of B, which this recipe holds back"):
        check(data, {**RECIPE, "sources": sources})


def test_what_is_held_back_follows_the_parts_the_sources_and_the_fold(data):
    recipe = recipe_from(RECIPE)
    assert held_back(recipe, data, data) == {"2.png": "B"}
    fold = dataclasses.replace(recipe_from(_part("*")), excluded=("A",))
    assert held_back(fold, data, data) == {"0.png": "A", "1.png": "A"}
    both = recipe_from({**RECIPE, "sources": [*RECIPE["sources"], *_part("test")["sources"]]})
    assert held_back(both, data, data) == {}


def _part(part):
    return {**RECIPE, "sources": [{**RECIPE["sources"][0], "part": part}]}


def test_held_back_files_may_be_missing_where_the_training_runs(data):
    (data / "2.png").unlink()
    check(data)


def test_many_faults_are_one_line_with_the_first_five(data):
    with_boxes(data, *([59, y, 10, 5] for y in range(8)))
    with pytest.raises(DatasetError) as caught:
        check(data)
    assert "8 faults" in str(caught.value)
    assert str(caught.value).count("0.png") == 5
    assert str(caught.value).endswith("; 3 more")
    assert "\n" not in str(caught.value)


def test_rendered_images_are_not_checked(data):
    recipe = recipe_from({**RECIPE, "sources": RECIPE["sources"]})
    images = load_images(recipe, data, data)
    outside = np.array([[50, 5, 90, 20]], np.float32)
    real = dataclasses.replace(images[0], boxes=outside)
    with pytest.raises(DatasetError, match="outside"):
        refuse_faults(recipe, [real], data, data)
    rendered = dataclasses.replace(real, identity={**real.identity, "seed": 3})
    refuse_faults(recipe, [rendered], data, data)


def test_a_run_of_its_own_refuses_to_start(data, repository):
    with_boxes(data, [55, 6, 10, 12])
    source = {"coco": "c.json", "polarity": "film"}
    (data / "r.yaml").write_text(json.dumps({**RECIPE, "sources": [source]}))
    ran = subprocess.run(
        [sys.executable, "-m", "core.training", "--recipe", data / "r.yaml", "--data", data, "--out",
         data / "out", "--device", "cpu"],
        cwd=repository, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 2
    assert "these data cannot train, 1 faults: error" in ran.stderr
    assert not (data / "out" / "manifest.json").exists()
