"""The boxes of an annotation."""

import pytest

from core.domain.errors import BadInputError
from core.services.inspections.annotations import require_boxes

CRACK = {"bbox": [1.5, 2, 30, 12], "class": "crack"}


@pytest.mark.parametrize(
    ("box", "says"),
    [
        ({"bbox": [0, 0, 97, 10], "class": "crack"}, "within 96 x 64 px"),
        ({"bbox": [-1, 0, 9, 10], "class": "crack"}, "within 96 x 64 px"),
        ({"bbox": [9, 0, 9, 10], "class": "crack"}, "left top before right bottom"),
        ({"bbox": [0, 0, float("nan"), 10], "class": "crack"}, "within"),
        ({"bbox": [0, 0, 5], "class": "crack"}, "x1, y1, x2, y2"),
        ({"bbox": "wide", "class": "crack"}, "x1, y1, x2, y2"),
        ({"class": "crack"}, "x1, y1, x2, y2"),
        ({"bbox": [0, 0, 5, 5]}, "expected a class"),
    ],
)
def test_what_is_no_box_is_refused_by_its_number(box, says):
    with pytest.raises(BadInputError, match="box 2") as caught:
        require_boxes([CRACK, box], 96, 64)
    assert says in str(caught.value)


def test_the_edge_of_the_image_belongs_to_it():
    require_boxes([{"bbox": [0, 0, 96, 64], "class": "crack"}], 96, 64)


def test_there_are_at_most_5000_boxes():
    require_boxes([CRACK] * 5_000, 96, 64)
    with pytest.raises(BadInputError, match="at most 5000"):
        require_boxes([CRACK] * 5_001, 96, 64)
