import json
from pathlib import Path

import pytest

from core.domain.detections import Detections
from core.domain.errors import DatasetError
from core.labelling.coco import CocoImage, read_coco
from core.services.evaluation.recorded_images import outcome_of

NOTHING = Detections.empty().with_probabilities(Detections.empty().scores)


def _image(folder: Path, **said: object) -> CocoImage:
    entry = {"id": 1, "file_name": "a.png", "width": 8, "height": 8} | said
    path = folder / "set.json"
    path.write_text(json.dumps({"images": [entry], "annotations": [], "categories": []}))
    return read_coco(path).images[0]


@pytest.mark.parametrize(
    ("said", "expected"), [({}, None), ({"mm_per_px": 0.04}, 0.04), ({"mm_per_px": 1}, 1.0)]
)
def test_the_scale_of_an_image_comes_from_its_entry(
    tmp_path: Path, said: dict[str, object], expected: float | None
) -> None:
    assert outcome_of(_image(tmp_path, **said), NOTHING).mm_per_px == expected


@pytest.mark.parametrize("said", [0, -0.1, "0.04", True, float("nan"), float("inf"), [0.04]])
def test_a_scale_that_is_none_is_refused(tmp_path: Path, said: object) -> None:
    with pytest.raises(DatasetError, match="mm_per_px must be a positive number"):
        outcome_of(_image(tmp_path, mm_per_px=said), NOTHING)
