"""An indication is measured along the model's outline as long as nobody moved its box."""

import numpy as np
import pytest

from core.domain.indication import IndicationClass
from core.domain.outline import Outline, outline_from
from core.domain.reading import Call, ReadIndication
from core.domain.records import AnnotationSource
from core.domain.sizing import EDGE_PX, Size, outline_kept, size_of

OUTLINE = Outline(10, 20, 2, np.eye(30, dtype=np.bool_), 84.9, 2.8, 45.0)
FOUND = {"bbox": [10.0, 20.0, 70.0, 80.0], "class": "crack", "outline": OUTLINE.to_dict(None)}


def read(bbox=(10.0, 20.0, 70.0, 80.0), index=0):
    source = AnnotationSource.HUMAN if index is None else AnnotationSource.MODEL
    name = "h1" if index is None else f"m{index + 1}"
    return ReadIndication(name, bbox, IndicationClass.CRACK, source, Call.CONFIRMED, index)


def test_an_oblique_crack_is_as_long_as_its_outline_not_as_its_box():
    assert size_of(read(), [FOUND]) == Size(84.9, 2.8, 2.0, 120.0, is_along_outline=True)


def test_where_the_box_has_a_margin_the_outline_is_measured():
    small = FOUND | {"outline": OUTLINE.to_dict(None) | {"length_px": 48.0, "width_px": 44.0}}
    assert size_of(read(), [small]) == Size(48.0, 44.0, 2.0, 120.0, is_along_outline=True)


def test_where_the_box_fits_tightly_it_is_measured_and_the_outline_gives_the_area():
    round_ = FOUND | {"outline": OUTLINE.to_dict(None) | {"length_px": 60.0, "width_px": 58.0}}
    assert size_of(read(), [round_]) == Size(60.0, 60.0, EDGE_PX, 120.0)


@pytest.mark.parametrize(
    ("one", "found"),
    [
        (read((10.0, 20.0, 70.0, 81.0)), FOUND),
        (read(index=None), FOUND),
        (read(index=1), FOUND),
        (read(), {"bbox": FOUND["bbox"], "class": "crack"}),
    ],
    ids=["moved by a person", "added by a person", "of another list", "no outline drawn"],
)
def test_otherwise_the_box_is_measured(one, found):
    size = size_of(one, [found])
    x1, y1, x2, y2 = one.bbox
    assert size == Size(max(x2 - x1, y2 - y1), min(x2 - x1, y2 - y1), EDGE_PX)
    assert outline_kept(one, [found]) is None


def test_an_outline_is_read_back_as_it_was_written():
    again = outline_from(OUTLINE.to_dict(None))
    np.testing.assert_array_equal(again.cells, OUTLINE.cells)
    assert again.to_dict(0.1) == OUTLINE.to_dict(0.1)
    assert (again.left, again.top, again.cell_px) == (10, 20, 2)


@pytest.mark.parametrize("change", [{"size": [30, 31]}, {"counts": [0, -4, 904]}, {"length_px": None}])
def test_what_is_no_outline_is_refused(change):
    with pytest.raises(ValueError, match="outline"):
        outline_from(OUTLINE.to_dict(None) | change)
