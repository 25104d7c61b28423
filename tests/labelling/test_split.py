from pathlib import Path

import numpy as np
import pytest

from core.domain.errors import DatasetError
from core.labelling.coco import CocoImage
from core.labelling.split import listed_twice, members_of, names_of, read_parts, read_split, select


def write(folder: Path, text: str) -> Path:
    path = folder / "split.yaml"
    path.write_text(text)
    return path


def test_a_series_in_two_parts_can_be_read_and_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "parts: {train: [A, B], test: [A, C, C]}")
    parts = read_parts(path)
    assert listed_twice(parts) == ["A", "C"]
    with pytest.raises(DatasetError, match="A, C stand in two parts"):
        read_split(path)


@pytest.mark.parametrize("text", ["[", "a: 1", "parts: 3", "parts: {train: 3}", "- 1"])
def test_what_is_no_split_list_is_one_clear_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(DatasetError, match="expected a YAML split list"):
        read_parts(write(tmp_path, text))


def test_a_star_is_every_part(tmp_path: Path) -> None:
    parts = read_split(write(tmp_path, "parts: {train: [A, B], test: [C]}"))
    assert members_of(parts, "*") == ["A", "B", "C"]
    assert members_of(parts, "test") == ["C"]
    with pytest.raises(DatasetError, match="no part 'dev', only train, test"):
        members_of(parts, "dev")


def test_a_split_list_may_name_single_views_of_a_series(tmp_path: Path) -> None:
    images = [coco_image("a/A_1.png", "A"), coco_image("a/A_2.png", "A"), coco_image("b/B_1.png", "B")]
    assert [i.file_name for i in select(images, ["A_2", "B"])] == ["a/A_2.png", "b/B_1.png"]
    assert names_of(coco_image("c/C_1.png", None)) == {"C_1"}


def coco_image(file_name: str, series: str | None) -> CocoImage:
    return CocoImage(
        file_name,
        10,
        10,
        np.zeros((0, 4), np.float32),
        (),
        series,
        None,
        {},
        (),
        np.zeros((0, 4), np.float32),
    )
