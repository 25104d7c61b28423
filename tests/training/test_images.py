import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.domain.errors import DatasetError
from core.domain.radiograph import Polarity
from core.imaging.normalise import normalise
from core.imaging.read import read_radiograph
from core.labelling.film_cells import read_film_cells
from core.labelling.split import read_split
from core.training.images import load_images
from core.training.recipe import recipe_from


@pytest.fixture
def data(tmp_path):
    rng = np.random.default_rng(0)
    entries = []
    for i, series in enumerate("AAB"):
        cv2.imwrite(str(tmp_path / f"{i}.png"), rng.integers(0, 4000, (40, 60)).astype(np.uint16))
        entries.append({"id": i, "file_name": f"{i}.png", "width": 60, "height": 40, "series": series})
    content = {
        "images": entries,
        "annotations": [
            {"image_id": 0, "category_id": 1, "bbox": [5, 6, 10, 12]},
            {"image_id": 0, "category_id": 1, "bbox": [30, 6, 3, 3]},
        ],
        "categories": [{"id": 1, "name": "porosity"}],
    }
    (tmp_path / "c.json").write_text(json.dumps(content))
    (tmp_path / "split.yaml").write_text("parts: {train: [A], test: [B]}")
    return tmp_path


def recipe(**source):
    return recipe_from(
        {
            "model": "weld",
            "title": "t",
            "polarity": "film",
            "sources": [{"coco": "c.json", "polarity": "digital", **source}],
            "schedule": {"steps": 1},
        }
    )


def test_only_the_asked_part_is_loaded(data):
    images = load_images(recipe(split="split.yaml"), data, data)
    assert [i.series for i in images] == ["A", "A"]


def test_small_boxes_are_ignored_and_classes_only_known_when_said(data):
    first = load_images(recipe(ignore_below_px=8), data, data)[0]
    assert first.is_ignored.tolist() == [False, True]
    assert first.class_ids.tolist() == [-1, -1]
    assert load_images(recipe(are_classes_known=True), data, data)[0].class_ids.tolist() == [0, 0]


def test_training_and_inference_share_one_normalisation(data):
    """What the network is trained on is what it will see, to half precision."""
    trained_on = load_images(recipe(), data, data)[0].pixels
    radiograph = read_radiograph((data / "0.png").read_bytes(), "0.png", polarity=Polarity.DIGITAL)
    seen = normalise(radiograph.pixels, polarity=Polarity.DIGITAL, model_polarity=Polarity.FILM)
    np.testing.assert_array_equal(trained_on, seen.astype(np.float16))


def test_excluded_series_are_left_out(data):
    import dataclasses

    images = load_images(dataclasses.replace(recipe(), excluded=("A",)), data, data)
    assert [i.series for i in images] == ["B"]


def test_a_series_in_two_parts_is_refused(data):
    (data / "split.yaml").write_text("parts: {train: [A], test: [A]}")
    with pytest.raises(DatasetError, match="A stand in two parts"):
        read_split(data / "split.yaml")


def test_a_star_takes_every_part_and_nothing_else(data):
    assert [i.series for i in load_images(recipe(split="split.yaml", part="*"), data, data)] == [
        "A",
        "A",
        "B",
    ]


def test_flaw_free_images_have_no_boxes_and_stand_in_the_manifest(data):
    content = {
        "model": "weld",
        "title": "t",
        "polarity": "film",
        "sources": [{"flaw_free": ["2.png"], "polarity": "film"}],
        "schedule": {"steps": 1},
    }
    (image,) = load_images(recipe_from(content), data, data)
    assert len(image.boxes) == 0
    assert image.identity["file_name"] == "2.png"


def test_an_unknown_part_is_refused(data):
    with pytest.raises(DatasetError, match="no part 'dev'"):
        load_images(recipe(split="split.yaml", part="dev"), data, data)


def test_an_image_of_another_size_than_the_file_says_is_refused(data):
    cv2.imwrite(str(data / "0.png"), np.zeros((4, 4), np.uint8))
    with pytest.raises(DatasetError, match="not the size"):
        load_images(recipe(), data, data)


def test_the_committed_splits_are_disjoint_and_name_series_that_exist(repository, gdxray):
    images = [
        i
        for name in ("castings.json", "castings_clean.json", "welds.json")
        for i in json.loads((gdxray / name).read_text())["images"]
    ]
    films = {Path(film.file_name).stem for film in read_film_cells(gdxray / "weld_films.csv")}
    known = {i["series"] for i in images} | {Path(i["file_name"]).stem for i in images} | films
    for path in (repository / "data/splits").glob("*.yaml"):
        for members in read_split(path).values():
            assert set(members) <= known


def masked(**source):
    return recipe_from(
        {
            "model": "weld",
            "title": "t",
            "polarity": "film",
            "network": {"has_mask": True},
            "sources": [{"coco": "c.json", "polarity": "digital", "ignore_below_px": 8, **source}],
            "schedule": {"steps": 1},
        }
    )


def test_images_have_no_outline_unless_a_mask_head_is_trained(data):
    assert all(image.mask is None for image in load_images(recipe(), data, data))


def test_drawn_masks_give_the_outlines_and_dust_teaches_nothing(data):
    drawn = np.zeros((40, 60), np.uint8)
    drawn[6:18, 5:15], drawn[6:9, 30:33] = 255, 255
    cv2.imwrite(str(data / "mask.png"), drawn)
    content = json.loads((data / "c.json").read_text())
    for entry in content["images"]:
        entry["mask"] = "mask.png"
    (data / "c.json").write_text(json.dumps(content))
    mask = load_images(masked(has_masks=True), data, data)[0].mask
    assert mask.is_flaw.sum() == 120
    assert mask.weight[7, 31] == 0
    cv2.imwrite(str(data / "mask.png"), drawn[:20])
    with pytest.raises(DatasetError, match="not the size"):
        load_images(masked(has_masks=True), data, data)


def test_boxes_without_drawn_masks_hide_what_they_hold(data):
    mask = load_images(masked(), data, data)[0].mask
    assert not mask.is_flaw.any()
    assert mask.weight[10, 10] == 0
    assert mask.weight[30, 50] > 0


def test_outlines_teach_the_mask_head_and_a_turned_box_does_not(data):
    content = json.loads((data / "c.json").read_text())
    box = content["annotations"][0]
    outline, turned = [[10, 10, 30, 10, 10, 30]], [[20, 10, 30, 20, 20, 30, 10, 20]]
    for segmentation, expected in ((outline, True), (turned, False)):
        box |= {"bbox": [10, 10, 20, 20], "segmentation": segmentation}
        (data / "c.json").write_text(json.dumps(content))
        mask = load_images(masked(), data, data)[0].mask
        assert mask.is_flaw.any() == expected
        # in the box, beyond the outline: background, or not known
        assert (mask.weight[28, 28] > 0) == expected
        assert mask.weight[38, 58] > 0
    box["segmentation"] = outline
    (data / "c.json").write_text(json.dumps(content))
    mask = load_images(masked(), data, data)[0].mask
    assert mask.is_flaw[12, 12] == 1
    assert mask.is_flaw[26, 26] == 0
    assert (
        abs(int(mask.is_flaw.sum()) - 200) <= 10
    )  # half of 20 x 20; it halves the 20 pixels on the diagonal
    assert not mask.is_flaw[:, 30:].any()


def test_simulated_flaws_bear_their_outlines(data):
    simulated = {"count": 1, "seed": 3}
    content = {
        "model": "weld",
        "title": "t",
        "polarity": "film",
        "network": {"has_mask": True},
        "sources": [simulated],
        "schedule": {"steps": 1},
    }
    (image,) = load_images(recipe_from(content), data, data)
    for (x1, y1, x2, y2), is_ignored in zip(image.boxes.astype(int), image.is_ignored, strict=True):
        part = image.mask.is_flaw[y1:y2, x1:x2]
        if not is_ignored and max(x2 - x1, y2 - y1) >= 6:
            assert part.any(axis=0).all()
            assert part.any(axis=1).all()
    outside = image.mask.is_flaw.copy()
    for x1, y1, x2, y2 in image.boxes.astype(int):
        outside[y1:y2, x1:x2] = 0
    assert not outside.any()


def test_a_head_that_is_not_there_cannot_be_trained_alone():
    with pytest.raises(ValueError, match="mask head"):
        recipe_from(
            {
                "model": "weld",
                "title": "t",
                "polarity": "film",
                "sources": [{"count": 1, "seed": 0}],
                "schedule": {"steps": 1, "frozen_steps": 1},
            }
        )
