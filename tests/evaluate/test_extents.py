"""What benchmarks/extents.py says of recorded boxes, and that its views are every eighth of each series."""

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from benchmarks.extents import SPLITS, View, fates, ranked
from core.evaluate.average_precision import average_precision
from core.labelling.coco import read_coco
from core.labelling.split import members_of, read_split

RECORDED = (10.0, 10.0, 30.0, 30.0)


def _view(*reported: tuple[float, float, float, float]) -> View:
    boxes = np.array(reported, np.float32).reshape(-1, 4)
    scores = np.linspace(0.9, 0.5, len(boxes)).astype(np.float32)
    return View("C", np.array([RECORDED], np.float32), boxes, scores)


@pytest.mark.parametrize(
    ("reported", "fate"),
    [
        ([(10, 10, 30, 20)], "found"),  # an overlap of exactly a half is enough
        ([(0, 0, 40, 40)], "too large"),
        ([(10, 10, 20, 20)], "too small"),
        ([(22, 10, 42, 30)], "displaced"),
        ([(100, 100, 120, 120)], "missed"),
        ([], "missed"),
        ([(0, 0, 40, 40), (11, 11, 30, 30)], "found"),  # the second report fits
    ],
)
def test_a_recorded_box_has_one_fate(reported: list[tuple[float, float, float, float]], fate: str) -> None:
    assert {name: count for name, count in fates([_view(*reported)], 0.1).items() if count} == {fate: 1}


def test_reports_below_the_least_score_are_left_out() -> None:
    assert fates([_view(RECORDED)], 0.95)["missed"] == 1


def test_a_box_of_wrong_extent_counts_at_a_low_overlap_only() -> None:
    views = [_view((10, 10, 30, 18))]  # IoU 0.4
    assert [average_precision(ranked(views, overlap)) for overlap in (0.3, 0.5)] == [1.0, 0.0]


def test_the_split_list_holds_every_eighth_view(gdxray: Path) -> None:
    views = defaultdict(list)
    for image in read_coco(gdxray / "castings.json").images:
        views[image.series].append(Path(image.file_name).stem)
    expected = [view for series in sorted(views) for view in sorted(views[series])[3::8]]
    assert members_of(read_split(SPLITS / "casting-eighth-views.yaml"), "eighth") == expected
    assert {view.split("_")[0] for view in expected} == set(views)
