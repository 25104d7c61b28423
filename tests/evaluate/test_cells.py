import math

import numpy as np
import pytest

from core.domain.indication import IndicationClass
from core.evaluate.cell_classes import class_of_code, count_classes
from core.evaluate.cell_summary import summarise_films
from core.evaluate.cells import (
    CellGroup,
    FilmOutcome,
    RecordedCells,
    cells_of_length,
    count_cells,
    group_of,
    reached_cells,
)


def film(
    *boxes: tuple[float, float],
    recorded: tuple[RecordedCells, ...] = (),
    is_judged: bool = True,
    probabilities: tuple[float, ...] | None = None,
    classes: tuple[IndicationClass, ...] | None = None,
    width: int = 1050,
    name: str = "film.png",
) -> FilmOutcome:
    """A film of ten cells of 100 px and a half one; `boxes` by their left and right edges."""
    return FilmOutcome(
        name=name,
        width=width,
        cell_px=100.0,
        recorded=recorded,
        is_judged=is_judged,
        boxes=np.array([(x1, 5, x2, 9) for x1, x2 in boxes], np.float32).reshape(-1, 4),
        probabilities=np.array(probabilities or [0.9] * len(boxes)),
        classes=classes or (IndicationClass.UNCLASSIFIED,) * len(boxes),
    )


def pore(*cells: int) -> RecordedCells:
    return RecordedCells(CellGroup.PORES, "2011", cells)


@pytest.mark.parametrize(
    ("start", "length_mm", "expected"),
    [
        (3, 0.3, (3,)),
        (3, 0.0, (3,)),
        (3, math.nan, (3,)),
        (3, 10.0, (3,)),
        (3, 10.05, (3,)),
        (3, 10.8, (3, 4)),
        (3, 20.0, (3, 4)),
        (9, 50.0, (9, 10)),
        (11, 1.0, ()),
    ],
)
def test_a_length_fills_cells_from_its_start_on(start: int, length_mm: float, expected: object) -> None:
    assert cells_of_length(start, length_mm, n_cells=10) == expected


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((0, 10), (1,)),
        ((100, 200), (2,)),
        ((99.9, 200), (1, 2)),
        ((100, 200.1), (2, 3)),
        ((150, 420), (2, 3, 4, 5)),
        ((1010, 1050), (11,)),
        ((100, 100), ()),
    ],
)
def test_a_box_reaches_each_cell_it_covers_a_part_of(box: tuple[float, float], expected: object) -> None:
    boxes = np.array([[box[0], 3, box[1], 8]])
    assert reached_cells(boxes, cell_px=100.0, n_cells=11) == expected


def test_no_box_reaches_nothing() -> None:
    assert reached_cells(np.zeros((0, 4)), cell_px=100.0, n_cells=11) == ()


@pytest.mark.parametrize(
    ("code", "length_mm", "group"),
    [
        ("2011", 1.0, CellGroup.PORES),
        ("2011", 0.999, CellGroup.SMALL_PORES),
        ("2016", 49.0, CellGroup.PORES),
        ("2014", 171.0, CellGroup.POROSITY),
        ("2013", 0.5, CellGroup.POROSITY),
        ("2011", math.nan, CellGroup.OTHERS),
        ("1011", 5.0, CellGroup.CRACKS),
        ("104", 5.0, CellGroup.CRACKS),
        ("402", 5.0, CellGroup.LACK_OF_PENETRATION),
        ("4021", 5.0, CellGroup.LACK_OF_PENETRATION),
        ("4011", 5.0, CellGroup.OTHERS),
        ("3041", 5.0, CellGroup.OTHERS),
        ("202", 5.0, CellGroup.OTHERS),
    ],
)
def test_codes_and_lengths_make_the_groups(code: str, length_mm: float, group: CellGroup) -> None:
    assert group_of(code, length_mm) is group


def test_a_neighbour_of_a_recorded_cell_is_not_false_and_the_next_one_is() -> None:
    counted = count_cells(film((310, 390), (610, 620), recorded=(pore(5),)), probability=0.5)
    assert counted.found["2011"] == ()
    assert counted.false_cells == (7,)  # cell 4 is next to cell 5, cell 7 is two away
    assert (counted.n_cells, counted.n_free) == (11, 8)


def test_nobody_can_tell_what_is_false_on_a_film_that_nobody_recorded() -> None:
    boxes = ((10, 20), (510, 520))
    assert count_cells(film(*boxes, is_judged=False), probability=0.5).false_cells is None
    assert count_cells(film(*boxes), probability=0.5).false_cells == (1, 6)


@pytest.mark.parametrize(("probability", "n_found"), [(0.39, 2), (0.4, 2), (0.41, 1), (0.8, 0)])
def test_only_boxes_at_or_above_the_probability_count(probability: float, n_found: int) -> None:
    one = film((10, 20), (510, 520), recorded=(pore(1), pore(6)), probabilities=(0.4, 0.7))
    assert summarise_films([one], probability=probability).groups[CellGroup.PORES].found == n_found


def test_a_cell_counts_once_in_a_group_and_once_in_each_of_its_groups() -> None:
    entries = (pore(4), pore(4), RecordedCells(CellGroup.CRACKS, "1011", (3, 4)))
    summary = summarise_films([film((310, 320), recorded=entries)], probability=0.5)
    pores, cracks = summary.groups[CellGroup.PORES], summary.groups[CellGroup.CRACKS]
    assert (pores.found, pores.recorded) == (1, 1)
    assert (cracks.found, cracks.recorded) == (1, 2)
    assert set(summary.codes) == {"1011", "2011"}
    assert summary.groups[CellGroup.OTHERS].interval is None


def test_false_cells_are_a_mean_over_the_judged_films() -> None:
    films = [
        film((10, 20), (310, 320), recorded=(pore(4),)),
        film((10, 20), (510, 720)),
        film((10, 1000), is_judged=False),
    ]
    summary = summarise_films(films, probability=0.5)
    assert (summary.n_films, summary.n_judged, summary.n_false) == (3, 2, 5)
    assert summary.false_cells_per_film == 2.5
    assert summary.n_free == 8 + 11
    assert summary.to_dict()["groups"]["single pores of 1 mm and more"] == {
        "found": 1,
        "recorded": 1,
        "share": 1.0,
        "ci": [pytest.approx(0.2065, abs=5e-5), 1.0],
    }


def test_without_films_nothing_is_evaluable() -> None:
    summary = summarise_films([], probability=0.5)
    assert summary.false_cells_per_film is None
    assert summary.to_dict()["false_cells_per_film"] is None


def test_what_does_not_belong_together_is_refused() -> None:
    with pytest.raises(ValueError, match="cells"):
        film(recorded=(pore(12),))
    with pytest.raises(ValueError, match="probabilities"):
        film((1, 2), probabilities=(0.1, 0.2))


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("1011", IndicationClass.CRACK),
        ("2013", IndicationClass.POROSITY),
        ("3041", IndicationClass.INCLUSION),
        ("4011", IndicationClass.LACK_OF_FUSION),
        ("402", IndicationClass.LACK_OF_PENETRATION),
        ("5012", IndicationClass.UNDERCUT),
        ("515", None),
    ],
)
def test_a_recorded_code_belongs_to_a_class(code: str, expected: object) -> None:
    assert class_of_code(code) is expected


def test_a_found_cell_is_named_when_a_box_of_the_recorded_class_reaches_it() -> None:
    crack = RecordedCells(CellGroup.CRACKS, "1011", (2, 3))
    outcome = film(
        (120, 130), (220, 230), (620, 640),
        recorded=(crack, pore(9)),
        classes=(IndicationClass.CRACK, IndicationClass.POROSITY, IndicationClass.CRACK),
    )  # fmt: skip
    counted = {one.indication_class: one for one in count_classes([outcome], probability=0.5)}
    found = counted[IndicationClass.CRACK]
    assert (found.recorded, found.found, found.named) == (2, 2, 1)
    # of eleven cells 1 to 4 are near the crack; the box in cell 7 is called a crack
    assert (found.elsewhere, found.named_elsewhere) == (7, 1)
    pores = counted[IndicationClass.POROSITY]
    assert (pores.recorded, pores.found, pores.named, pores.named_elsewhere) == (1, 0, 0, 1)


def test_weak_boxes_and_films_that_nobody_recorded_name_nothing() -> None:
    outcome = film((620, 640), classes=(IndicationClass.CRACK,), probabilities=(0.3,))
    unknown = film((620, 640), classes=(IndicationClass.CRACK,), is_judged=False)
    crack = count_classes([outcome, unknown], probability=0.5)[0]
    assert (crack.elsewhere, crack.named_elsewhere) == (11, 0)
    assert crack.to_dict()["named_ci"] is None
