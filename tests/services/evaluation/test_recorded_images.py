import json
from pathlib import Path

import numpy as np
import pytest

from core.domain.detections import Detections
from core.domain.errors import DatasetError
from core.domain.radiograph import Polarity
from core.labelling.coco import CocoImage, read_coco
from core.services.evaluation.recorded_images import count_trained_on, outcome_of, read_recorded
from tests.imaging.pictures import picture, write_dicom

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


def test_a_frame_is_read_and_counted_as_trained_on_by_itself(tmp_path: Path) -> None:
    frames = np.stack([picture(np.uint16, (8, 8), 12), picture(np.uint16, (8, 8), 12)[::-1]])
    (tmp_path / "a.dcm").write_bytes(write_dicom(frames, bits=12, frames=2))
    image = _image(tmp_path, file_name="a.dcm", dicom_frame=2)
    found = read_recorded(image, tmp_path, Polarity.FILM)
    np.testing.assert_array_equal(found.pixels, frames[1])
    assert count_trained_on([image], tmp_path, frozenset({found.sha256})) == 1
    assert count_trained_on([image], tmp_path, frozenset({found.file_sha256})) == 0


@pytest.mark.parametrize("said", [0, -1, 1.5, "2", True])
def test_a_frame_number_that_is_none_is_refused(tmp_path: Path, said: object) -> None:
    with pytest.raises(DatasetError, match="dicom_frame must be a whole number from 1"):
        read_recorded(_image(tmp_path, dicom_frame=said), tmp_path, Polarity.FILM)
